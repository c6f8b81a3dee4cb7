"""The plan of a booking system: which images run, how many, with what, under which names. Everything a manifest says, and no secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from controlplane.rendering.adjustments import Adjustments, Autoscale
from controlplane.rendering.database import URL_FILE, URL_KIND, DatabaseChoice, DatabasePlan, carried_over, database_plan
from controlplane.rendering.dns import Dns
from controlplane.rendering.egress import WORLD, Way
from controlplane.rendering.images import PoolImage, ProbePlan, ResourcesPlan
from controlplane.rendering.requirement import Requirement, digest
from controlplane.rendering.sign_in import CONFIG as SIGN_IN
from controlplane.rendering.sign_in import SECRET_KIND, SignIn, reference_of, secret_kind

SERVICE_PORT = 8000
BESIDES = 2
"""Pods of a service beyond its replicas while it is replaced: the new one, and the old one that still ends, which a quota counts. With one
replica the first rollout needs one, and a second one that follows at once both."""
DATA_DIR = "/var/lib/clove"
SECRETS_DIR = "/etc/clove/secrets"
TRUST_DIR = "/etc/clove/trust"
CONFIG_MAP = "booking"
TRUST_SECRET = "trust"  # noqa: S105  (its name)


@dataclass(frozen=True)
class Platform:
    """What the platform's settings give to every plan."""

    time_zone: str
    language: str
    config: Mapping[str, Mapping[str, str]]
    """Parts of configuration that an image may ask for by its label `config`: part -> environment."""
    gateway_namespace: str
    gateway_name: str
    database: DatabaseChoice | None = None
    """None: each service keeps its database in a file on a volume of its own."""
    outside: frozenset[str] = frozenset()
    """Parts of the configuration that are reached outside the cluster: an image that is given one may call there."""
    ways: Mapping[str, Way] = field(default_factory=dict)
    """Part of the configuration -> where it leads, as far as that is known: the world by HTTPS otherwise."""
    dns: Dns = field(default_factory=Dns)


@dataclass(frozen=True)
class Site:
    """Who the system is and where it answers."""

    system_id: int
    namespace: str
    seller: str
    slug: str
    host: str
    public_url: str


@dataclass(frozen=True)
class ServicePlan:
    """One Deployment and what belongs to it. `secret_files` are names with their kinds; the values are kept elsewhere."""

    name: str
    image_name: str
    image: str
    replicas: int
    port: int
    path: str
    env: dict[str, str]
    secret_files: dict[str, str]
    calls: tuple[str, ...]
    calls_outside: bool
    storage_mib: int
    """Size of its volume; 0 for none."""
    resources: ResourcesPlan
    liveness: ProbePlan
    readiness: ProbePlan
    startup: ProbePlan
    node: str = ""
    """The one node it may run on; empty for any."""
    restarts: int = 0
    """Another number replaces its pods."""
    autoscale: Autoscale | None = None
    """Decides the number of replicas, where it is set."""
    ways: tuple[Way, ...] = ()
    """Where it may call outside; see `ways_outside`."""

    @property
    def ways_outside(self) -> tuple[Way, ...]:
        """Of a plan that is older than its ways, too."""
        return self.ways or ((WORLD,) if self.calls_outside else ())

    @property
    def least_replicas(self) -> int:
        return self.autoscale.lowest if self.autoscale else self.replicas

    @property
    def most_replicas(self) -> int:
        return self.autoscale.highest if self.autoscale else self.replicas

    @property
    def given_secrets(self) -> str:
        """Which of the seller's secrets it reads, by reference: another one replaces its pods, for they read it at the start."""
        return " ".join(reference for kind in self.secret_files.values() if (reference := reference_of(kind)))

    @property
    def secret(self) -> str:
        """Name of its Secret."""
        return secret_of(self.name)


def secret_of(service: str) -> str:
    """Name of the Secret of SERVICE, whether it is in a plan or not."""
    return f"{service}-secrets"


@dataclass(frozen=True)
class Restore:
    """A backup that is put back: a file of the volume with backups, or `latest`. NUMBER tells one time from the next."""

    backup: str
    number: int


@dataclass(frozen=True)
class Plan:
    """See above. `services` are in alphabetical order; `config` is what all of them are given."""

    system_id: int
    namespace: str
    seller: str
    slug: str
    host: str
    public_url: str
    title: str
    gateway_namespace: str
    gateway_name: str
    config: dict[str, str]
    services: tuple[ServicePlan, ...]
    database: DatabasePlan | None = None
    adjustments: Adjustments = field(default_factory=Adjustments)
    """What `services` were adjusted by: a rollback takes them up again."""
    restore: Restore | None = None
    dns: Dns = field(default_factory=Dns)

    def service(self, name: str) -> ServicePlan | None:
        """The service called NAME, or None."""
        return next((service for service in self.services if service.name == name), None)

    def callers_of(self, name: str) -> tuple[str, ...]:
        """The services that call NAME."""
        return tuple(service.name for service in self.services if name in service.calls)

    def total(self, *, surge: bool) -> dict[str, int]:
        """Sums over all replicas; with SURGE what runs beside them while everything is replaced at once."""
        sums = dict.fromkeys(("pods", "cpu_request_m", "cpu_limit_m", "memory_request_mib", "memory_limit_mib", "scratch_mib"), 0)
        for service in self.services:
            replicas = service.most_replicas + BESIDES if surge else service.least_replicas
            sums["pods"] += replicas
            _add(sums, service.resources, times=replicas)
        storage_mib = [service.storage_mib for service in self.services if service.storage_mib]
        if self.database and self.database.server:
            server = self.database.server
            sums["pods"] += 1
            _add(sums, server.resources)
            if surge:  # a setup, and a backup that falls due meanwhile
                sums["pods"] += 2
                _add(sums, server.client_resources, times=2)
            storage_mib += [server.storage_mib, server.backup_mib]
        return sums | {"storage_mib": sum(storage_mib), "volumes": len(storage_mib)}

    def to_json(self) -> dict[str, Any]:
        return msgspec.to_builtins(self)


def _add(sums: dict[str, int], resources: ResourcesPlan, *, times: int = 1) -> None:
    for key, value in vars(resources).items():
        sums[key] += value * times


def from_json(document: Mapping[str, Any]) -> Plan:
    """The plan that `to_json` wrote. Raises msgspec.ValidationError."""
    return msgspec.convert(document, Plan)


def make_plan(
    requirement: Requirement,
    images: Iterable[PoolImage],
    *,
    site: Site,
    platform: Platform,
    live: Plan | None = None,
    adjustments: Adjustments | None = None,
) -> Plan:
    """The plan for REQUIREMENT with the chosen IMAGES: one replica of each, each with a database of its own.

    LIVE is the plan that the system runs by now: where its data are, they stay. ADJUSTMENTS of services that are not in it wait.
    """
    chosen = sorted(images, key=lambda image: image.service)
    present = {image.service for image in chosen}
    adjustments = adjustments or Adjustments()
    database = _database(chosen, site, platform, live, adjustments)
    platform = _with_sign_in(platform, requirement)
    return Plan(
        system_id=site.system_id,
        namespace=site.namespace,
        seller=site.seller,
        slug=site.slug,
        host=site.host,
        public_url=site.public_url,
        title=requirement.title,
        gateway_namespace=platform.gateway_namespace,
        gateway_name=platform.gateway_name,
        config={
            "CLOVE_LANGUAGE": platform.language,
            "CLOVE_PUBLIC_URL": site.public_url,
            "CLOVE_SECRETS_DIR": SECRETS_DIR,
            "CLOVE_SYSTEM": site.namespace,
            "CLOVE_TIME_ZONE": platform.time_zone,
            "CLOVE_TRUST_DIR": TRUST_DIR,
        },
        services=tuple(_adjusted(_service_plan(image, present, platform, database, requirement.sign_in), adjustments) for image in chosen),
        database=database,
        adjustments=adjustments,
        dns=platform.dns,
    )


def _database(images: list[PoolImage], site: Site, platform: Platform, live: Plan | None, adjustments: Adjustments) -> DatabasePlan | None:
    if live and live.database:
        replicas = {image.service: adjustments.of(image.service).most_replicas for image in images}
        return carried_over(live.database, images, platform.database, namespace=site.namespace, replicas=replicas)
    if live:
        return None
    if platform.database is None:
        return None
    return database_plan(images, platform.database, namespace=site.namespace, number=site.system_id, time_zone=platform.time_zone)


def _with_sign_in(platform: Platform, requirement: Requirement) -> Platform:
    """PLATFORM with the event's own part of the configuration: the provider is outside, wherever it is."""
    env = {**platform.config.get(SIGN_IN, {}), **requirement.sign_in.env} if requirement.sign_in else {}
    return replace(platform, config={**platform.config, SIGN_IN: env}, outside=platform.outside | {SIGN_IN})


def _secret_files(image: PoolImage, sign_in: SignIn | None) -> dict[str, str]:
    """The image's secret files; the one for an outside provider says which secret it is, and is left out without one."""
    files = dict(image.secrets)
    reference = sign_in.client_secret_ref if sign_in else None
    for name in [name for name, kind in files.items() if kind == SECRET_KIND]:
        del files[name]
        if reference:
            files[name] = secret_kind(reference)
    return files


def _service_plan(
    image: PoolImage, present: set[str], platform: Platform, database: DatabasePlan | None, sign_in: SignIn | None
) -> ServicePlan:
    calls = tuple(sorted(present.intersection(image.calls)))
    env = {f"CLOVE_PEER_{peer.upper().replace('-', '_')}": f"http://{peer}:{SERVICE_PORT}" for peer in calls}
    has_file = image.is_stateful and database is None
    if has_file:
        env["CLOVE_DATABASE"] = f"sqlite:///{DATA_DIR}/db.sqlite3"
    database_file = {}
    if image.is_stateful and database:
        database_file = {URL_FILE: URL_KIND}
        env["CLOVE_DATABASE_FILE"] = f"{SECRETS_DIR}/{URL_FILE}"
    for part in image.config:
        env |= platform.config.get(part, {})
    return ServicePlan(
        name=image.service,
        image_name=image.name,
        image=image.pinned_ref,
        replicas=1,
        port=image.port,
        path=image.path,
        env=dict(sorted(env.items())),
        secret_files=dict(sorted({**_secret_files(image, sign_in), **database_file}.items())),
        calls=calls,
        calls_outside=image.calls_outside or any(part in platform.outside and platform.config.get(part) for part in image.config),
        storage_mib=image.storage_mib if has_file else 0,
        resources=image.resources,
        liveness=image.liveness,
        readiness=image.readiness,
        startup=image.startup,
        ways=_ways(image, platform),
    )


def _ways(image: PoolImage, platform: Platform) -> tuple[Way, ...]:
    given = [part for part in image.config if platform.config.get(part)]
    known = {platform.ways[part] for part in given if part in platform.ways}
    is_unknown = any(part in platform.outside and part not in platform.ways for part in given) or (image.calls_outside and not known)
    return tuple(sorted(known | ({WORLD} if is_unknown else set())))


def _adjusted(service: ServicePlan, adjustments: Adjustments) -> ServicePlan:
    wish = adjustments.of(service.name)
    is_suspended = adjustments.is_suspended
    return replace(
        service,
        replicas=0 if is_suspended else service.replicas if wish.replicas is None else wish.replicas,
        # An autoscaler would not let it rest.
        autoscale=None if is_suspended else wish.autoscale,
        resources=wish.resources or service.resources,
        node=wish.node,
        restarts=wish.restarts,
    )


def readjusted(plan: Plan, adjustments: Adjustments) -> Plan:
    """PLAN with ADJUSTMENTS in the place of its own; images and the database stay as they are."""
    services = tuple(_adjusted(replace(service, replicas=1), adjustments) for service in plan.services)
    return replace(plan, services=services, adjustments=adjustments)


def digest_of(config: Mapping[str, str]) -> str:
    """Changes when CONFIG changes: what a pod template carries so that its pods are replaced then."""
    return digest(config)[:16]
