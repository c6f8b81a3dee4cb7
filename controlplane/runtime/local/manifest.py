"""A booking system as this machine runs it, read from the rendered Kubernetes objects. Pure; raises Rejected and Unsupported."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.runtime.errors import Rejected, Unsupported
from controlplane.runtime.holding import is_held
from controlplane.runtime.local.images import Images
from controlplane.runtime.local.podspec import ContainerSpec, PodSpec, read_template, template_hash
from controlplane.runtime.objects import check_identity, key_of, label, of_kind
from controlplane.runtime.port import Objects, Secrets, SystemRef

START_FIRST = "clove.dev/start-first"
"""Annotation of a Namespace: with `yes`, its system starts before others when the supervisor does."""

_RUN = {("", "Namespace"), ("", "ConfigMap"), ("", "Secret"), ("", "PersistentVolumeClaim"), ("", "Service"), ("apps", "Deployment")}
_RUN.add(("gateway.networking.k8s.io", "HTTPRoute"))
_WITHOUT_EFFECT = {
    ("", "ResourceQuota"),
    ("", "LimitRange"),
    ("", "ServiceAccount"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("monitoring.coreos.com", "ServiceMonitor"),
    ("monitoring.coreos.com", "PodMonitor"),
    ("monitoring.coreos.com", "PrometheusRule"),
}


_ENTRY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION_PART = re.compile(r"([0-9]{1,5})(h|ms|m|s)")
_DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")


@dataclass(frozen=True)
class DeploymentSpec:
    name: str
    replicas: int
    hash: str
    template: Mapping[str, Any]
    pod: PodSpec
    recreate: bool
    surge: int
    unavailable: int
    deadline_s: float
    is_held: bool = False
    """Its replicas stay of the revisions they are of; only their number is kept."""

    @property
    def image(self) -> str:
        return self.pod.containers[0].image


@dataclass(frozen=True)
class ServicePort:
    name: str
    number: int
    target: int | str


@dataclass(frozen=True)
class ServiceSpec:
    name: str
    selector: Mapping[str, str]
    ports: tuple[ServicePort, ...]

    def selects(self, pod: PodSpec) -> bool:
        return bool(self.selector) and all(pod.labels.get(key) == value for key, value in self.selector.items())


@dataclass(frozen=True)
class Rule:
    """One way in: paths that begin with PREFIX, segment by segment, or are exactly it, go to a Service's port."""

    host: str
    prefix: str
    is_exact: bool
    service: str
    port: int
    timeout_s: float | None


@dataclass(frozen=True)
class SystemSpec:
    deployments: Mapping[str, DeploymentSpec]
    services: Mapping[str, ServiceSpec]
    rules: tuple[Rule, ...]
    config_maps: Mapping[str, Mapping[str, str]]
    starts_first: bool
    claims: frozenset[str] = frozenset()


def read_system(system: SystemRef, objects: Objects) -> SystemSpec:
    """SYSTEM as OBJECTS describe it; what they refer to by name must be there, Secrets excepted (see `check_secrets`)."""
    try:
        return _read_system(system, objects)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Rejected(f"The objects of {system.namespace} are not formed as Kubernetes wants them: {error!r}.") from error


def _read_system(system: SystemRef, objects: Objects) -> SystemSpec:
    check_identity(system, objects)
    for item in objects:
        key = key_of(item)
        if (key.group, key.kind) not in _RUN | _WITHOUT_EFFECT:
            raise Unsupported(
                f"{label(item)}: this machine does not know the kind {key.kind} of {key.group or 'core'}.", object_name=label(item)
            )
        if key.kind == "Secret" and (item.get("data") or item.get("stringData")):
            raise Rejected(f"{label(item)} holds values; they travel beside the objects.", object_name=label(item))
    config_maps = {item["metadata"]["name"]: _texts(item) for item in of_kind(objects, "ConfigMap")}
    deployments = {item["metadata"]["name"]: _deployment(item) for item in of_kind(objects, "Deployment")}
    services = {item["metadata"]["name"]: _service(item) for item in of_kind(objects, "Service")}
    claims = {item["metadata"]["name"] for item in of_kind(objects, "PersistentVolumeClaim")}
    for deployment in deployments.values():
        _check_references(deployment, claims, config_maps)
    rules = tuple(rule for item in of_kind(objects, "HTTPRoute") for rule in _rules(item, services))
    first = any((item["metadata"].get("annotations") or {}).get(START_FIRST) == "yes" for item in of_kind(objects, "Namespace"))
    return SystemSpec(deployments, services, rules, config_maps, first, frozenset(claims))


def check_images(spec: SystemSpec, images: Images) -> None:
    """Raises Rejected for an image that IMAGES does not have."""
    for deployment in spec.deployments.values():
        for container in (*deployment.pod.init_containers, *deployment.pod.containers):
            if images(container.image) is None:
                owner = f"Deployment {deployment.name}"
                raise Rejected(f"{owner}: this machine has no image {container.image}.", object_name=owner)


def check_secrets(spec: SystemSpec, secrets: Secrets) -> None:
    """Raises Rejected for a Secret, or an entry of one, that is needed and was not handed over, and for an entry that cannot be a file."""
    for name, entries in secrets.items():
        _check_entries(f"Secret {name}", entries)
    for deployment in spec.deployments.values():
        for kind, name, entry in _needs(deployment.pod):
            if kind == "Secret" and (name not in secrets or (entry and entry not in secrets[name])):
                owner = f"Deployment {deployment.name}"
                raise Rejected(f"{owner} needs {entry + ' of ' if entry else ''}Secret {name}, which is not there.", object_name=owner)


def _check_references(deployment: DeploymentSpec, claims: set[str], config_maps: Mapping[str, Mapping[str, str]]) -> None:
    owner = f"Deployment {deployment.name}"
    for volume in deployment.pod.volumes.values():
        if volume.kind == "persistentVolumeClaim" and volume.claim not in claims:
            raise Rejected(f"{owner} needs PersistentVolumeClaim {volume.claim}, which is not there.", object_name=owner)
    for kind, name, entry in _needs(deployment.pod):
        if kind == "ConfigMap" and (name not in config_maps or (entry and entry not in config_maps[name])):
            raise Rejected(f"{owner} needs {entry + ' of ' if entry else ''}ConfigMap {name}, which is not there.", object_name=owner)


def _needs(pod: PodSpec) -> Iterator[tuple[str, str, str]]:
    """Every ConfigMap and Secret that POD cannot start without, as (kind, name, entry); the entry is empty where the whole is meant."""
    for volume in pod.volumes.values():
        for source in volume.sources:
            if not source.optional:
                yield source.kind, source.name, ""
                yield from ((source.kind, source.name, entry) for entry, _ in source.items)
    for container in (*pod.init_containers, *pod.containers):
        for kind, reference, entry in env_references(container):
            if not reference.get("optional"):
                yield kind, reference.get("name", ""), entry


def env_references(container: ContainerSpec) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """The ConfigMaps and Secrets that CONTAINER's environment is taken from, as (kind, reference, entry)."""
    for variable in container.env:
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            if reference := (variable.get("valueFrom") or {}).get(field):
                yield kind, reference, reference.get("key", "")
    for source in container.env_from:
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            if reference := source.get(field):
                yield kind, reference, ""


def _texts(config_map: Mapping[str, Any]) -> dict[str, str]:
    if config_map.get("binaryData"):
        raise Unsupported(f"{label(config_map)}: binaryData is not supported on this machine.", object_name=label(config_map))
    texts = {key: str(value) for key, value in (config_map.get("data") or {}).items()}
    _check_entries(label(config_map), texts)
    return texts


def _check_entries(owner: str, entries: Iterable[str]) -> None:
    for entry in entries:
        if not _ENTRY.fullmatch(entry) or entry in (".", ".."):
            raise Rejected(f"{owner} cannot have an entry called {entry!r}.", object_name=owner)


def _deployment(item: Mapping[str, Any]) -> DeploymentSpec:
    spec = item.get("spec") or {}
    replicas = 1 if spec.get("replicas") is None else spec["replicas"]
    if type(replicas) is not int or replicas < 0:
        raise Rejected(f"{label(item)} cannot have {replicas!r} replicas.", object_name=label(item))
    template = spec.get("template") or {}
    pod = read_template(template, label(item))
    selector = (spec.get("selector") or {}).get("matchLabels") or {}
    if any(pod.labels.get(key) != value for key, value in selector.items()):
        raise Rejected(f"{label(item)}: its selector does not match its own pods.", object_name=label(item))
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    unavailable = _share(rolling.get("maxUnavailable", "25%"), replicas, math.floor)
    surge = _share(rolling.get("maxSurge", "25%"), replicas, math.ceil)
    return DeploymentSpec(
        name=item["metadata"]["name"],
        replicas=replicas,
        hash=template_hash(template),
        template=template,
        pod=pod,
        recreate=(spec.get("strategy") or {}).get("type") == "Recreate",
        surge=surge if surge or unavailable else 1,
        unavailable=unavailable,
        deadline_s=float(spec.get("progressDeadlineSeconds") or 600),
        is_held=is_held(item),
    )


def _share(value: int | str, whole: int, rounded: Any) -> int:
    """A number of replicas, or a percentage of them."""
    if isinstance(value, str) and value.endswith("%"):
        return rounded(whole * int(value[:-1]) / 100)
    return int(value)


def _service(item: Mapping[str, Any]) -> ServiceSpec:
    spec = item.get("spec") or {}
    ports = tuple(
        ServicePort(port.get("name") or "", port["port"], port["port"] if port.get("targetPort") is None else port["targetPort"])
        for port in spec.get("ports") or ()
    )
    return ServiceSpec(item["metadata"]["name"], spec.get("selector") or {}, ports)


def _rules(route: Mapping[str, Any], services: Mapping[str, ServiceSpec]) -> Iterable[Rule]:
    spec, owner = route.get("spec") or {}, label(route)
    hosts = [host.lower() for host in spec.get("hostnames") or ()]
    for host in hosts or ("",):
        if not _HOST.fullmatch(host):
            raise Unsupported(f"{owner} must name its hosts, without wildcards: {host!r} will not do.", object_name=owner)
    for rule in spec.get("rules") or ():
        backends = rule.get("backendRefs") or []
        if len(backends) != 1 or rule.get("filters"):
            raise Unsupported(f"{owner}: on this machine a rule has one backend and no filters.", object_name=owner)
        name, port = backends[0].get("name", ""), backends[0].get("port")
        if name not in services or port not in {each.number for each in services[name].ports}:
            raise Rejected(f"{owner} leads to port {port} of Service {name}, which is not there.", object_name=owner)
        timeout_s = _duration_s((rule.get("timeouts") or {}).get("request"), owner)
        for condition in rule.get("matches") or [{}]:
            if set(condition) - {"path"}:
                raise Unsupported(f"{owner}: on this machine a rule matches by path alone.", object_name=owner)
            path = condition.get("path") or {}
            kind, value = path.get("type", "PathPrefix"), path.get("value", "/")
            if kind not in ("PathPrefix", "Exact") or not value.startswith("/"):
                raise Unsupported(f"{owner}: a path matches by PathPrefix or Exact, not by {kind} {value!r}.", object_name=owner)
            for host in hosts:
                yield Rule(host, value, kind == "Exact", name, port, timeout_s)


def _duration_s(text: str | None, owner: str) -> float | None:
    """A Gateway API duration such as `1m30s`, in seconds; None for none or zero, which both mean no limit of its own."""
    if not text:
        return None
    if not _DURATION.fullmatch(text):
        raise Rejected(f"{owner}: {text!r} is not a duration.", object_name=owner)
    return sum(int(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(text)) or None
