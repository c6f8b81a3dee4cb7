"""A pod template as this machine runs it: read from the Kubernetes object, or refused in words.

Raises Unsupported for what Kubernetes can do and this runtime cannot, Rejected for what neither can. Fields that only mean something
in a cluster (security context, affinity, service accounts, resource limits) are accepted and have no effect here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from controlplane.runtime.errors import Rejected, Unsupported
from controlplane.runtime.fingerprint import canonical

DEFAULT_GRACE_S = 30
_VOLUME_SOURCES = ("configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected")


@dataclass(frozen=True)
class ProbeSpec:
    """An httpGet probe; PORT is a number or the name of a container port."""

    path: str
    port: int | str
    headers: tuple[tuple[str, str], ...]
    initial_delay_s: float
    period_s: float
    timeout_s: float
    failure_threshold: int
    success_threshold: int


@dataclass(frozen=True)
class Mount:
    volume: str
    path: PurePosixPath
    sub_path: str


@dataclass(frozen=True)
class ContainerSpec:
    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[Mapping[str, Any], ...]
    env_from: tuple[Mapping[str, Any], ...]
    mounts: tuple[Mount, ...]
    port: int | None
    """The one port it declares, as a Service names it: here it listens on $PORT instead."""
    port_name: str
    startup: ProbeSpec | None
    readiness: ProbeSpec | None
    liveness: ProbeSpec | None
    drain_s: float
    """Its `preStop: sleep`: how long it goes on serving after it has left the routes."""


@dataclass(frozen=True)
class Volume:
    """KIND is one of emptyDir, persistentVolumeClaim, projected; a configMap or secret volume is a projected one of one source."""

    name: str
    kind: str
    claim: str = ""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Source:
    """A ConfigMap or Secret whose entries become files; ITEMS as (entry, file), empty for all of them."""

    kind: str
    name: str
    items: tuple[tuple[str, str], ...]
    optional: bool


@dataclass(frozen=True)
class PodSpec:
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    init_containers: tuple[ContainerSpec, ...]
    containers: tuple[ContainerSpec, ...]
    volumes: Mapping[str, Volume]
    grace_s: float


def template_hash(template: Mapping[str, Any]) -> str:
    """What tells one revision of a Deployment's pods from another: only a changed template rolls out."""
    return hashlib.sha256(canonical(template)).hexdigest()[:10]


def read_template(template: Mapping[str, Any], owner: str) -> PodSpec:
    """The pod TEMPLATE of OWNER, whose name stands before every complaint."""
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    volumes = {volume.name: volume for volume in (_volume(raw, owner) for raw in spec.get("volumes") or ())}
    containers = tuple(_container(raw, volumes, owner) for raw in spec.get("containers") or ())
    if not containers:
        raise Rejected(f"{owner} has no container.", object_name=owner)
    for raw in spec.get("initContainers") or ():
        if raw.get("restartPolicy"):
            raise Unsupported(f"{owner}: init containers that keep running are not supported on this machine.", object_name=owner)
    inits = tuple(_container(raw, volumes, owner) for raw in spec.get("initContainers") or ())
    names = [container.name for container in (*inits, *containers)]
    if len(set(names)) != len(names):
        raise Rejected(f"{owner} has two containers of one name.", object_name=owner)
    grace = spec.get("terminationGracePeriodSeconds")
    return PodSpec(
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        init_containers=inits,
        containers=containers,
        volumes=volumes,
        grace_s=float(DEFAULT_GRACE_S if grace is None else grace),
    )


def _container(raw: Mapping[str, Any], volumes: Mapping[str, Volume], owner: str) -> ContainerSpec:
    name = raw.get("name") or ""
    if not name or not raw.get("image"):
        raise Rejected(f"{owner} has a container without a name or an image.", object_name=owner)
    ports = raw.get("ports") or ()
    if len(ports) > 1:
        raise Unsupported(
            f"{owner}: container {name} declares {len(ports)} ports; on this machine it is told one, by $PORT.", object_name=owner
        )
    if raw.get("workingDir"):
        raise Unsupported(
            f"{owner}: container {name} runs where its image says; workingDir is not supported on this machine.", object_name=owner
        )
    mounts = tuple(_mount(mount, volumes, owner) for mount in raw.get("volumeMounts") or ())
    if len({mount.path for mount in mounts}) != len(mounts):
        raise Rejected(f"{owner}: container {name} mounts two volumes at one path.", object_name=owner)
    return ContainerSpec(
        name=name,
        image=raw["image"],
        command=_strings(raw.get("command")),
        args=_strings(raw.get("args")),
        env=tuple(raw.get("env") or ()),
        env_from=tuple(raw.get("envFrom") or ()),
        mounts=mounts,
        port=ports[0]["containerPort"] if ports else None,
        port_name=ports[0].get("name") or "" if ports else "",
        startup=_probe(raw, "startupProbe", owner),
        readiness=_probe(raw, "readinessProbe", owner),
        liveness=_probe(raw, "livenessProbe", owner),
        drain_s=_drain_s(raw),
    )


def _strings(raw: Sequence[Any] | None) -> tuple[str, ...]:
    return tuple(str(part) for part in raw or ())


def _mount(raw: Mapping[str, Any], volumes: Mapping[str, Volume], owner: str) -> Mount:
    volume, path, sub_path = raw.get("name", ""), PurePosixPath(raw.get("mountPath", "")), raw.get("subPath") or ""
    if volume not in volumes:
        raise Rejected(f"{owner} mounts volume {volume!r}, which it does not have.", object_name=owner)
    if not path.is_absolute() or len(path.parts) < 2 or ".." in path.parts:
        raise Rejected(f"{owner} cannot mount at {str(path)!r}.", object_name=owner)
    if sub_path and not _stays_inside(sub_path):
        raise Rejected(f"{owner} cannot mount the part {sub_path!r} of a volume.", object_name=owner)
    return Mount(volume, path, sub_path)


def _stays_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and not PurePosixPath(path).is_absolute()


def _volume(raw: Mapping[str, Any], owner: str) -> Volume:
    name = raw.get("name", "")
    kind = next((key for key in _VOLUME_SOURCES if key in raw), "")
    source = raw.get(kind) or {}
    if not name or not kind:
        raise Unsupported(f"{owner}: volume {name!r} is of a sort this machine does not have.", object_name=owner)
    if kind == "emptyDir":
        return Volume(name, kind)
    if kind == "persistentVolumeClaim":
        return Volume(name, kind, claim=source.get("claimName", ""))
    if kind == "projected":
        return Volume(name, kind, sources=tuple(_projection(each, owner) for each in source.get("sources") or ()))
    return Volume(name, "projected", sources=(_source(kind, source, source.get("secretName" if kind == "secret" else "name", ""), owner),))


def _projection(raw: Mapping[str, Any], owner: str) -> Source:
    for kind in ("configMap", "secret"):
        if kind in raw:
            return _source(kind, raw[kind], raw[kind].get("name", ""), owner)
    raise Unsupported(f"{owner}: a projected volume takes ConfigMaps and Secrets on this machine, not {', '.join(raw)}.", object_name=owner)


def _source(kind: str, raw: Mapping[str, Any], name: str, owner: str) -> Source:
    items = tuple((item["key"], item["path"]) for item in raw.get("items") or ())
    for _, path in items:
        if not _stays_inside(path):
            raise Rejected(f"{owner}: a volume cannot have a file at {path!r}.", object_name=owner)
    return Source("Secret" if kind == "secret" else "ConfigMap", name, items, bool(raw.get("optional")))


def _probe(container: Mapping[str, Any], field: str, owner: str) -> ProbeSpec | None:
    raw = container.get(field)
    if not raw:
        return None
    http = raw.get("httpGet")
    if not http or http.get("scheme", "HTTP") != "HTTP":
        raise Unsupported(f"{owner}: {field} must be an httpGet over plain HTTP on this machine.", object_name=owner)
    return ProbeSpec(
        path=http.get("path") or "/",
        port=http.get("port", ""),
        headers=tuple((header["name"], header["value"]) for header in http.get("httpHeaders") or ()),
        initial_delay_s=raw.get("initialDelaySeconds", 0),
        period_s=raw.get("periodSeconds", 10),
        timeout_s=raw.get("timeoutSeconds", 1),
        failure_threshold=raw.get("failureThreshold", 3),
        success_threshold=raw.get("successThreshold", 1),
    )


def _drain_s(container: Mapping[str, Any]) -> float:
    stop = (container.get("lifecycle") or {}).get("preStop") or {}
    return float((stop.get("sleep") or {}).get("seconds", 0))
