"""The port to whatever runs manifests: Kubernetes, or this machine. Adapters take the same rendered objects.

Every method may raise the errors of `runtime.errors` and nothing else. All calls are safe to repeat.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

Objects = Sequence[Mapping[str, Any]]
"""Rendered Kubernetes objects as plain dicts, in the order they are applied."""

NO_VOLUMES: Mapping[str, str] = MappingProxyType({})

Takes = Collection[tuple[str, str]]
"""Conflicts that are overruled, each as the name of the object and the owner that OwnedByAnother told."""

Secrets = Mapping[str, Mapping[str, str]]
"""Secret name -> file name -> text. Travels beside the objects, never inside a revision."""


@dataclass(frozen=True)
class SystemRef:
    """Names a booking system to a runtime; `namespace` is `clove-<id>`, `seller` an opaque id for labels.

    `platform` tells this control plane's systems from those of another on the same cluster, which has numbered its own from 1 as well.
    """

    system_id: int
    namespace: str
    seller: str = ""
    platform: str = ""


class Health(StrEnum):
    """Where a workload or a whole system stands."""

    ABSENT = "absent"
    PROGRESSING = "progressing"
    READY = "ready"
    DEGRADED = "degraded"
    """Serves, but not with all that is wanted."""
    FAILED = "failed"
    """Will not become ready until something is changed."""
    SUSPENDED = "suspended"
    DELETING = "deleting"


@dataclass(frozen=True)
class Resize:
    """How the last apply gave a workload's pods another size: to those that run, or, for the reason `why`, to new ones."""

    is_in_place: bool
    why: str = ""


@dataclass(frozen=True)
class Workload:
    """One Deployment (or StatefulSet, Job) as it runs."""

    name: str
    kind: str
    health: Health
    wanted: int
    ready: int
    updated: int
    reason: str = ""
    """Stable word for the state (`CrashLoopBackOff`, `ImageNotFound`, `Starting`), empty when ready."""
    message: str = ""
    """The reason in words for people, with the last log lines of a crash."""
    image: str = ""
    nodes: tuple[str, ...] = ()
    restarts: int = 0
    memory_bytes: int | None = None
    cpu_seconds: float | None = None
    resize: Resize | None = None
    """None when the last apply changed no size, or when the runtime knows of no difference."""
    idle_autoscaler: str = ""
    """Why the autoscaler that is to decide how many there are does nothing, in words for people; it serves all the same."""


@dataclass(frozen=True)
class Backup:
    """How the backups of a system's database go; times as in ISO 8601, empty for never."""

    good_at: str = ""
    """When the last one that is whole was made."""
    failed_at: str = ""
    """When one failed that was to be made after that."""
    message: str = ""
    """Why, in words for people."""


GOING = ""
"""In `Observation.volumes`: it is there still, and goes for good as soon as nothing uses it."""


@dataclass(frozen=True)
class Observation:
    """What a runtime knows of a system now. `fingerprint` equals `fingerprint(objects, secrets)` of what was applied last, or is empty.

    It is empty when that is to be applied again: somebody changed something, or what a rollout needed can be taken away now.
    """

    health: Health
    workloads: tuple[Workload, ...] = ()
    fingerprint: str = ""
    reason: str = ""
    message: str = ""
    applied: str = ""
    """The same also while somebody has changed something of it since; then `drift` says what, in words."""
    drift: str = ""
    """Also names what stands beside it and is not Clove's, which alone takes no fingerprint: applying again would not remove it."""
    volumes: Mapping[str, str] | None = None
    """Claim -> what tells the volume behind it from every other, or GOING. None when they were not looked at."""
    backup: Backup | None = None
    """None where there is no backup, or it was not looked at."""

    def workload(self, name: str) -> Workload | None:
        """The workload called NAME, or None."""
        return next((workload for workload in self.workloads if workload.name == name), None)


class ChangeKind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class FieldChange:
    """One changed field; `path` as in `spec.replicas`, values as JSON-able objects, None where absent."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """What applying would do to one object. Unchanged objects make no Change."""

    kind: ChangeKind
    object_kind: str
    name: str
    fields: tuple[FieldChange, ...] = ()
    warning: str = ""


@dataclass(frozen=True)
class Endpoint:
    """The public address of a system, and how to reach it from where this code runs."""

    public_url: str
    """For people: `http://phantom.localhost:8080`."""
    connect_url: str
    """For code here: scheme, address and port to connect to, e.g. `http://127.0.0.1:8080`."""
    host: str
    """Value of the Host header with `connect_url`, with the port where it is not the scheme's own."""


@dataclass(frozen=True)
class Node:
    name: str
    is_ready: bool
    cpu_m: int
    memory_bytes: int
    labels: Mapping[str, str] = field(default_factory=dict)


class Runtime(Protocol):
    """Runs booking systems. Adapters: `runtime.local`, `runtime.kubernetes`, and `runtime.fake` for tests."""

    def preview(self, system: SystemRef, objects: Objects, *, takes: Takes = ()) -> list[Change]:
        """What `apply` would change, without changing anything. Also finds what `apply` would refuse."""

    def apply(
        self, system: SystemRef, objects: Objects, secrets: Secrets, *, keeps: Mapping[str, str] = NO_VOLUMES, takes: Takes = ()
    ) -> None:
        """Make OBJECTS the desired state, all or what the order allows; prune what fell out. Returns before anything is ready.

        KEEPS names volumes, as `Observation.volumes` has them, that must be there: raises DataGone before anything is changed when one is
        not, or is another. Of a claim that is not among them an empty volume is made where there is none.

        Somebody else's object or field is taken only from whom TAKES names, and is Clove's from then on.

        Where nothing but the size of pods changes, those that run are resized if that can be; it is waited for, some seconds at most.
        """

    def close(self, system: SystemRef, objects: Objects) -> None:
        """Let nothing of SYSTEM, which runs by OBJECTS, answer anybody or write a backup, until it is applied again. Makes nothing anew.

        What has a volume open that is GOING runs on: its data would go with it.
        """

    def observe(self, system: SystemRef) -> Observation:
        """The state now; health ABSENT when nothing was applied or all is gone.

        Of a system that was applied seconds ago and is still starting, a change by hand may be found only at a later look.
        """

    def delete(self, system: SystemRef) -> None:
        """Remove the system and its volumes. Deleting what is gone succeeds; returns before all is gone."""

    def logs(self, system: SystemRef, service: str, lines: int) -> list[str]:
        """The last LINES lines of SERVICE, oldest first, over all its replicas; empty when there is none."""

    def endpoint(self, system: SystemRef) -> Endpoint:
        """Where the system answers. Raises Rejected when it has no route."""

    def nodes(self) -> list[Node]:
        """The machines there are."""

    def events(self) -> Iterator[SystemRef | None]:
        """Systems whose state moved, endlessly; None as a heartbeat at least every 15 s. For a process of its own.

        An event may be doubled, merged with others of its system, or lost on a reconnect (then every system is yielded again)."""
