"""The control plane itself on Kubernetes: options -> objects, by the templates in manifests/platform/. Pure; holds no secret."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from controlplane.rendering import dns
from controlplane.rendering.database import script
from controlplane.rendering.egress import way_to
from controlplane.rendering.images import ResourcesPlan
from controlplane.rendering.render import CONTAINER_SECURITY, LOADER, MANIFESTS, POD_SECURITY, amounts, environment, is_backup_name

NAMESPACE = "clove"
ORDER = (
    "rbac",
    "admission",
    "networkpolicy",
    "configmap",
    "persistentvolumeclaim",
    "service",
    "statefulset",
    "job",
    "deployment",
    "cronjob",
    "budget",
    "route",
)
_CLIENT = ResourcesPlan(20, 1000, 64, 256, 64)
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*")
_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]{0,254}")
_PAIR = re.compile(r"[a-z0-9-]{1,63}/[a-z0-9-]{1,63}")
_RESERVED = ("CLOVE_HOME", "CLOVE_SECRET_KEY", "CLOVE_SECRET_KEYS", "DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE")
_LEADING_OUT = ("CLOVE_CONNECT_URL", "CLOVE_MAIL")
"""Settings that are addresses which the control plane itself calls."""
_SECRET_WORDS = ("PASSWORD", "SECRET", "TOKEN", "_KEY", "_URL_ADMIN")

UNKNOWN_API = (
    "--api-server: say where the cluster's API answers, such as 10.0.0.1/32, or its subnet where the addresses change. "
    "`kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes` tells."
)
_LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))


@dataclass(frozen=True)
class Process:
    """One Deployment of the control plane: the same image with another command."""

    name: str
    command: tuple[str, ...]
    replicas: int
    resources: ResourcesPlan
    account: str = ""
    """The service account whose token it has, to ask the cluster; none has one that it need not have."""
    is_single: bool = False
    """Two at once would do the same work twice: the old one ends before the new one begins."""
    port: int = 0

    @property
    def asks_cluster(self) -> bool:
        return bool(self.account)


WEB = Process(
    "web",
    (
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "0.0.0.0",  # noqa: S104  (of the pod)
        "--port",
        "8000",
        "--blocking-threads",
        "8",
        "controlplane.config.wsgi:application",
    ),
    2,
    ResourcesPlan(100, 2000, 192, 512, 128),
    account="web",
    port=8000,
)
WORKER = Process(
    "worker",
    (
        *("celery", "-A", "controlplane.config", "worker", "--pool", "threads", "--concurrency", "4"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"),
    ),
    2,
    ResourcesPlan(100, 2000, 192, 512, 128),
    account="controlplane",
)
BEAT = Process(
    "beat",
    (
        *("celery", "-A", "controlplane.config", "beat", "--schedule", "/tmp/beat-schedule"),  # noqa: S108  (of the container)
        *("-S", "controlplane.config.liveness.Scheduler"),
    ),
    1,
    ResourcesPlan(20, 500, 128, 256, 64),
    is_single=True,
)
WATCHER = Process("watcher", ("python", "manage.py", "watch"), 1, ResourcesPlan(20, 500, 128, 256, 64), account="watcher", is_single=True)
PROCESSES = (WEB, WORKER, BEAT, WATCHER)


class BadOption(ValueError):
    """An option holds what cannot be used; the message names it."""


@dataclass(frozen=True)
class Options:
    """What differs from one platform to the next. `settings` is further environment as controlplane/config/settings.py has it."""

    image: str
    host: str
    """Of portal, console and API."""
    base_domain: str
    """Booking systems answer at `<slug>.<base domain>`."""
    routing: str = "gateway"
    gateway: str = "clove-gateway/clove"
    ingress_class: str = ""
    tls_secret: str = ""
    mariadb_image: str = "docker.io/library/mariadb:11.4"
    redis_image: str = "docker.io/library/redis:7"
    storage_mib: int = 5120
    pool: Sequence[str] = ()
    """The pool's images as `docker.build --push` prints them: `registry/name@sha256:…`."""
    api_servers: Sequence[str] = ()
    """Where the cluster's API answers, as CIDRs; there must be one."""
    api_ports: Sequence[int] = (443, 6443)
    settings: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raises BadOption."""
        for name, pattern, values in (
            ("--image", _IMAGE, [self.image, self.mariadb_image, self.redis_image, *self.pool]),
            ("--host", _HOST, [self.host]),
            ("--base-domain", _HOST, [self.base_domain]),
            ("--gateway", _PAIR, [self.gateway]),
        ):
            for value in values:
                if not pattern.fullmatch(value):
                    raise BadOption(f"{name}: {value!r} cannot be used")
        if self.routing not in ("gateway", "ingress"):
            raise BadOption(f"--routing: {self.routing!r} is neither gateway nor ingress")
        if not self.api_servers:
            raise BadOption(UNKNOWN_API)
        for network in self.api_servers:
            _check_network(network)
        for port in self.api_ports:
            if not 1 <= port <= 65_535:
                raise BadOption(f"--api-port: {port} is no port")
        for name in self.settings:
            is_path = name.endswith("_FILE") and name not in _RESERVED
            if name in _RESERVED or (any(word in name for word in _SECRET_WORDS) and not is_path):
                raise BadOption(f"--set {name}: secrets and what the platform sets itself do not belong into manifests")

    def dns(self) -> dns.Dns:
        """Where pods ask for names, by the settings that say so to booking systems as well. Raises BadOption."""
        pods, ports, networks = (self.settings.get(name, "") for name in (dns.PODS, dns.PORTS, dns.NETWORKS))
        try:
            return dns.read(pods=pods, ports=ports, networks=networks)
        except dns.BadDns as error:
            raise BadOption(f"--set {error}") from None

    def environment(self) -> dict[str, str]:
        """The ConfigMap of every process."""
        return dict(
            sorted(
                {
                    "RUNTIME": "kubernetes",
                    "ROUTING": self.routing,
                    "CLOVE_GATEWAY": self.gateway,
                    "CLOVE_INGRESS_CLASS": self.ingress_class,
                    "CLOVE_TLS_SECRET": self.tls_secret,
                    "CLOVE_BASE_DOMAIN": self.base_domain,
                    "CLOVE_ALLOWED_HOSTS": self.host,
                    "CLOVE_PUBLIC_SCHEME": "https",
                    "CLOVE_PUBLIC_PORT": "443",
                    "CLOVE_PROXIES": "1",
                    "CLOVE_BOOKING_DATABASE": "mariadb",
                    "CLOVE_MARIADB_IMAGE": self.mariadb_image,
                    "CLOVE_HOME": "/var/lib/clove",
                    "CLOVE_ALIVE_FILE": "/tmp/alive",  # noqa: S108  (of the container)
                    "DATABASE_URL_FILE": "/etc/clove/secrets/database-url",
                    "REDIS_URL_FILE": "/etc/clove/secrets/redis-url",
                    **self.settings,
                }.items()
            )
        )


def _check_network(text: str) -> None:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise BadOption(f"--api-server: {text!r} is no network such as 10.0.0.1/32") from None
    for closed in _LINK_LOCAL:
        # There machines have their credentials (169.254.169.254): whoever is let there may be whatever the machine is.
        if network.version == closed.version and network.overlaps(closed):
            raise BadOption(
                f"--api-server: {text} holds link-local addresses ({closed}), which nothing is let to; name the API's own network"
            )


def render_platform(options: Options) -> list[dict[str, Any]]:
    """The objects in the order in which they are applied. Raises BadOption."""
    options.check()
    config = options.environment()
    gateway_namespace, _, gateway_name = options.gateway.partition("/")
    context = {
        "options": options,
        "namespace": NAMESPACE,
        "config": config,
        "pool": "".join(f"{reference}\n" for reference in options.pool),
        "digest": _digest(options.image, *options.pool, *(f"{name}={value}" for name, value in config.items())),
        "processes": PROCESSES,
        "gateway_namespace": gateway_namespace,
        "gateway_name": gateway_name,
        "ways": sorted({way for name in _LEADING_OUT if (way := way_to(config.get(name, "")))}),
        "database_networks": config.get("CLOVE_BOOKING_DATABASE_NETWORKS", "").replace(",", " ").split(),
        "dns": options.dns(),
        "server": ResourcesPlan(100, 2000, 256, 1024, 512),
        "client": _CLIENT,
        "redis": ResourcesPlan(20, 500, 32, 256, 64),
        "scripts": {name: script(name) for name in ("backup.sh", "restore.sh", "start.sh")}
        | {"mysql.sh": (MANIFESTS / "platform" / "mysql.sh").read_text(encoding="utf-8")},
        "amounts": amounts,
        "pod_security": POD_SECURITY,
        "container_security": CONTAINER_SECURITY,
        "labels": _labels,
        "selector": _selector,
    }
    objects: list[dict[str, Any]] = []
    for name in ORDER:
        as_it_is = MANIFESTS / "platform" / f"{name}.yaml"
        if as_it_is.exists():
            text = as_it_is.read_text(encoding="utf-8")
        else:
            text = environment().get_template(f"platform/{name}.yaml.j2").render(context)
        objects += [item for item in yaml.load_all(text, Loader=LOADER) if item is not None]
    return objects


def render_restore(*, mariadb_image: str, backup: str, number: int) -> dict[str, Any]:
    """The Job that puts BACKUP, a file's name or `latest`, back into the platform's own database. NUMBER tells one time from the next.

    Raises BadOption.
    """
    if not _IMAGE.fullmatch(mariadb_image):
        raise BadOption(f"--mariadb-image: {mariadb_image!r} cannot be used")
    if not is_backup_name(backup):
        raise BadOption(f"--restore: {backup!r} is not the name of a backup")
    context = {
        "namespace": NAMESPACE,
        "image": mariadb_image,
        "backup": backup,
        "number": number,
        "client": _CLIENT,
        "amounts": amounts,
        "pod_security": POD_SECURITY,
        "container_security": CONTAINER_SECURITY,
        "labels": _labels,
    }
    job: dict[str, Any] = yaml.load(environment().get_template("platform/restore.yaml.j2").render(context), Loader=LOADER)  # noqa: S506  (a safe loader)
    return job


def platform_secrets(passwords: Mapping[str, str], *, fernet_key: str, staff_key: str) -> list[dict[str, Any]]:
    """The Secrets that the objects of `render_platform` name. PASSWORDS: root, mysql, redis and django, in letters that need no quoting."""
    for name in ("root", "mysql", "redis", "django"):
        if not re.fullmatch(r"[A-Za-z0-9_-]{20,}", passwords[name]):
            raise ValueError(f"the password {name} has characters that would need quoting, or too few")
    files = {
        "mysql": {
            "root-password": passwords["root"],
            "password": passwords["mysql"],
            "client.cnf": _client("clove", passwords["mysql"], "mysql"),
            "probe.cnf": _client("clove", passwords["mysql"], "127.0.0.1"),
        },
        "redis": {"redis.conf": f"requirepass {passwords['redis']}\n"},
        "addresses": {
            "database-url": f"mysql://clove:{passwords['mysql']}@mysql:3306/clove",
            "redis-url": f"redis://:{passwords['redis']}@redis:6379/0",
        },
        "keys": {"django-secret": passwords["django"], "fernet-keys": f"{fernet_key}\n", "staff-key.json": staff_key},
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": _labels(name)},
            "type": "Opaque",
            "stringData": values,
        }
        for name, values in files.items()
    ]


def _client(user: str, password: str, host: str) -> str:
    return "\n".join(("[client]", f"user={user}", f"password={password}", f"host={host}", "port=3306", "protocol=tcp", ""))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]


def _selector(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "clove"}


def _labels(name: str) -> dict[str, str]:
    return _selector(name) | {"app.kubernetes.io/component": name}
