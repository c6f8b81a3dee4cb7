"""A runtime in memory for tests: slow, failing, away or owned by somebody else, as the test says beforehand.

It answers as the Kubernetes runtime does on a real API server: tests/runtime_contract/recordings/ holds it to that.

>>> runtime = FakeRuntime(ready_after=2)              # PROGRESSING at the first look, READY from the second on
>>> runtime.will_fail("clove-1", "seat", reason="CrashLoopBackOff", message="KeyError: 'SEAT_PIN'")
>>> runtime.unavailable_for(3)                        # the next three calls raise RuntimeUnavailable
>>> runtime.deletes_after("clove-1", looks=2)         # DELETING twice, then ABSENT; apply meanwhile raises RuntimeBusy
>>> runtime.raises("apply", Rejected("no such field"), namespace="clove-1")
>>> runtime.changed_by("kubectl-edit", "clove-1", "Deployment", "seat", "spec.replicas", 0)   # drift, put right by the next apply
"""

from __future__ import annotations

import itertools
import queue
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from controlplane.runtime import autoscaling
from controlplane.runtime.closing import check_kept, closed
from controlplane.runtime.diff import object_changes
from controlplane.runtime.errors import OwnedByAnother, Rejected, RuntimeBusy, RuntimeFailure, RuntimeUnavailable
from controlplane.runtime.fake_server import KEPT, Edit, Store, check_kinds
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.health import system_health
from controlplane.runtime.holding import REASON, WORDS, is_held
from controlplane.runtime.objects import ObjectKey, check_identity, check_whole, hostnames, key_of, label, of_kind
from controlplane.runtime.port import (
    NO_VOLUMES,
    Backup,
    Change,
    ChangeKind,
    Endpoint,
    Health,
    Node,
    Objects,
    Observation,
    Secrets,
    SystemRef,
    Takes,
    Workload,
)

MISSING_IMAGE = "missing"
"""An image whose reference contains this word is refused, as one the runtime cannot find."""


@dataclass
class _System:
    ref: SystemRef
    store: Store = field(default_factory=Store)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    looks: int = 0
    served: dict[str, Workload] = field(default_factory=dict)
    """The workloads as they last were when the system was ready: they serve on while a new revision fails."""
    served_templates: dict[str, Any] = field(default_factory=dict)
    """Their pod templates: one that is held with another stays as it was."""
    lost: dict[str, str] = field(default_factory=dict)
    """Workload -> why one of its replicas is down."""
    is_whole: bool = False
    """The last apply came to its end."""
    looks_until_gone: int | None = None
    volumes: dict[str, str] = field(default_factory=dict)
    """Claim -> its uid, of those that are there."""
    backup: Backup | None = None
    scaling: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Autoscaler -> what it says of itself."""

    @property
    def objects(self) -> list[Any]:
        """What was applied last."""
        return self.store.applied


class FakeRuntime:
    """Implements `runtime.port.Runtime`. `calls` lists what was asked, as (method, namespace)."""

    def __init__(self, *, ready_after: int = 1, seen_after: int = 1, nodes: tuple[Node, ...] = (), heartbeat_s: float = 1.0) -> None:
        """What is applied is ready from its look READY_AFTER on; before its look SEEN_AFTER no pod of it has been made."""
        self.ready_after = ready_after
        self.seen_after = seen_after
        self.calls: list[tuple[str, str]] = []
        self.systems: dict[str, _System] = {}
        self._nodes = nodes or (Node("fake", True, cpu_m=4000, memory_bytes=8 << 30),)
        self._heartbeat_s = heartbeat_s
        self._events: queue.Queue[SystemRef] = queue.Queue()
        self._unavailable_calls = 0
        self._errors: dict[tuple[str, str], list[RuntimeFailure]] = defaultdict(list)
        self._failures: dict[tuple[str, str], _Failure] = {}
        self._owners: dict[str, str] = {}
        self._looks_to_delete: dict[str, int] = {}
        self._blocks: dict[str, str] = {}
        self._logs: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._uids = itertools.count(1)

    # What a test says beforehand.

    def unavailable_for(self, calls: int) -> None:
        """Raise RuntimeUnavailable from the next CALLS calls, whatever they are."""
        self._unavailable_calls = calls

    def raises(self, method: str, error: RuntimeFailure, *, namespace: str = "", times: int = 1) -> None:
        """Raise ERROR from the next TIMES calls of METHOD for NAMESPACE, or for any when it is empty."""
        self._errors[method, namespace] += [error] * times

    def will_fail(
        self,
        namespace: str,
        workload: str,
        *,
        reason: str = "CrashLoopBackOff",
        message: str = "It ended with exit code 1.",
        restarts: int = 2,
        is_final: bool = True,
    ) -> None:
        """Let WORKLOAD never become ready, from the look on at which it would have, until `recovers`. Unless IS_FINAL it is still tried."""
        self._failures[namespace, workload] = _Failure(reason, message, restarts, is_final)

    def loses_replica(self, namespace: str, workload: str, *, message: str = "It ended with exit code 1.") -> None:
        """Let a replica of WORKLOAD, which was ready, be down until `recovers`."""
        self.systems[namespace].lost[workload] = message
        self._moved(namespace)

    def recovers(self, namespace: str, workload: str) -> None:
        """Take back `will_fail`."""
        self._failures.pop((namespace, workload), None)
        if known := self.systems.get(namespace):
            known.lost.pop(workload, None)
        self._moved(namespace)

    def changed_by(self, manager: str, namespace: str, kind: str, name: str, path: str, value: Any) -> None:
        """Let MANAGER set the field at PATH (`spec.replicas`) of an object that is applied, as an API server records it."""
        store = self.systems[namespace].store
        store.edits.setdefault(_key(store, kind, name), []).append(Edit(manager, path, value))
        self._moved(namespace)

    def made_by(self, manager: str, namespace: str, item: Mapping[str, Any]) -> None:
        """Let MANAGER make an object of its own in NAMESPACE."""
        self.systems[namespace].store.foreign[key_of(item)] = manager
        self._moved(namespace)

    def loses_object(self, namespace: str, kind: str, name: str) -> None:
        """Let somebody delete an object that is applied, or was made by somebody else."""
        known = self.systems[namespace]
        key = next((key for key in known.store.foreign if (key.kind, key.name) == (kind, name)), None)
        if key is not None:
            del known.store.foreign[key]
        else:
            known.store.gone.add(_key(known.store, kind, name))
        if kind == KEPT:
            known.volumes.pop(name, None)
        self._moved(namespace)

    def finds_volume(self, namespace: str, claim: str, uid: str) -> None:
        """Let there be a CLAIM with UID, which nobody applied: the one of before, or another."""
        known = self.systems[namespace]
        known.volumes[claim] = uid
        known.store.gone = {key for key in known.store.gone if (key.kind, key.name) != (KEPT, claim)}
        self._moved(namespace)

    def backs_up(self, namespace: str, backup: Backup) -> None:
        """Let the backups of a system have gone as BACKUP says."""
        self.systems[namespace].backup = backup
        self._moved(namespace)

    def autoscaler_says(self, namespace: str, name: str, *conditions: dict[str, Any]) -> None:
        """Let the autoscaler NAME have these CONDITIONS, as an API server has them."""
        self.systems[namespace].scaling[name] = list(conditions)
        self._moved(namespace)

    def deletes_after(self, namespace: str, *, looks: int, blocked_by: str = "") -> None:
        """Report DELETING, and what keeps it, at the LOOKS observations that follow a delete, and only then ABSENT."""
        self._looks_to_delete[namespace] = looks
        self._blocks[namespace] = blocked_by

    def forgets(self) -> None:
        """What a watch does that is too old (410): every system is told of again."""
        for known in list(self.systems.values()):
            self.emit(known.ref)

    def owned_by(self, namespace: str, owner: str) -> None:
        """Let NAMESPACE belong to OWNER: preview, apply and delete raise OwnedByAnother."""
        self._owners[namespace] = owner

    def says(self, namespace: str, service: str, *lines: str) -> None:
        """Add LINES to the log of SERVICE."""
        self._logs[namespace, service] += lines

    def emit(self, system: SystemRef) -> None:
        """Put SYSTEM on the stream of events."""
        self._events.put(system)

    # The port.

    def preview(self, system: SystemRef, objects: Objects, *, takes: Takes = ()) -> list[Change]:
        self._enter("preview", system)
        known = self._admitted(system, objects, takes)
        store = known.store if known else Store()
        for item in objects:
            store.admit(item, takes)
        changes = object_changes(store.live(), objects)
        return [change for change in changes if change.kind is not ChangeKind.DELETE or change.object_kind != KEPT]

    def apply(
        self, system: SystemRef, objects: Objects, secrets: Secrets, *, keeps: Mapping[str, str] = NO_VOLUMES, takes: Takes = ()
    ) -> None:
        self._enter("apply", system)
        known = self._admitted(system, objects, takes)
        check_kept(keeps, known.volumes if known else {})
        if known is None:
            known = self.systems[system.namespace] = _System(system)
        is_other = known.store.applied != list(objects)
        known.is_whole = known.is_whole and not is_other
        for item in objects:
            known.store.admit(item, takes)
        if is_other:
            known.looks = 0
        known.store.replace(objects)
        known.secrets = {name: dict(files) for name, files in secrets.items()}
        for claim in of_kind(objects, KEPT):
            known.volumes.setdefault(claim["metadata"]["name"], f"uid-{next(self._uids)}")
        known.is_whole = True
        self.emit(system)

    def close(self, system: SystemRef, objects: Objects) -> None:
        self._enter("close", system)
        known = self.systems.get(system.namespace)
        if known is None or known.ref.system_id != system.system_id or known.looks_until_gone is not None:
            return
        at_rest = {key_of(item): item for item in closed(objects, volumes=known.volumes)}
        there = {key_of(item) for item in known.store.live()}
        known.store.applied = [at_rest.get(key_of(item), item) if key_of(item) in there else item for item in known.store.applied]
        self.emit(system)

    def observe(self, system: SystemRef) -> Observation:
        self._enter("observe", system)
        known = self.systems.get(system.namespace)
        if known is None or known.ref.system_id != system.system_id:
            return Observation(Health.ABSENT, volumes={})
        if known.looks_until_gone is not None:
            return self._observe_deletion(known)
        known.looks += 1
        if not known.store.applied:
            return Observation(Health.PROGRESSING, reason="Rolling", volumes={})
        workloads = tuple(self._workload(known, item) for item in of_kind(known.store.live(), "Deployment"))
        health, reason, message = system_health(workloads)
        if health is Health.READY:
            known.served = {workload.name: workload for workload in workloads}
            known.served_templates = {
                item["metadata"]["name"]: item["spec"]["template"] for item in of_kind(known.store.applied, "Deployment")
            }
        idle = autoscaling.idle(_scalers(known), datetime.now(UTC))
        workloads = tuple(replace(workload, idle_autoscaler=idle.get(workload.name, "")) for workload in workloads)
        drifted = known.store.drift() if known.is_whole else ""
        told = " ".join(filter(None, (drifted, known.store.beside() if known.is_whole else "")))
        if told and not reason:
            reason, message = "Drifted", told
        applied = fingerprint(known.store.applied, known.secrets) if known.is_whole else ""
        return Observation(
            health,
            workloads,
            "" if drifted else applied,
            reason,
            message,
            applied,
            told,
            volumes=dict(known.volumes),
            backup=known.backup,
        )

    def delete(self, system: SystemRef) -> None:
        self._enter("delete", system)
        self._check_owner(system)
        known = self.systems.get(system.namespace)
        if known is None or known.looks_until_gone is not None:
            return
        looks = self._looks_to_delete.get(system.namespace, 0)
        if looks:
            known.looks_until_gone = looks
        else:
            del self.systems[system.namespace]
        self.emit(system)

    def logs(self, system: SystemRef, service: str, lines: int) -> list[str]:
        self._enter("logs", system)
        return self._logs[system.namespace, service][-lines:] if lines > 0 else []

    def endpoint(self, system: SystemRef) -> Endpoint:
        self._enter("endpoint", system)
        known = self.systems.get(system.namespace)
        hosts = hostnames(known.store.applied) if known and known.ref.system_id == system.system_id else []
        if not hosts:
            raise Rejected(f"{system.namespace} has no route.")
        return Endpoint(f"http://{hosts[0]}:8080", "http://127.0.0.1:8080", f"{hosts[0]}:8080")

    def nodes(self) -> list[Node]:
        self._enter("nodes", None)
        return list(self._nodes)

    def events(self) -> Iterator[SystemRef | None]:
        self._enter("events", None)
        for known in list(self.systems.values()):
            yield known.ref
        while True:
            try:
                yield self._events.get(timeout=self._heartbeat_s)
            except queue.Empty:
                yield None

    # How it behaves.

    def _enter(self, method: str, system: SystemRef | None) -> None:
        namespace = system.namespace if system else ""
        self.calls.append((method, namespace))
        if self._unavailable_calls:
            self._unavailable_calls -= 1
            raise RuntimeUnavailable("The runtime does not answer.")
        for scripted in (self._errors[method, namespace], self._errors[method, ""]):
            if scripted:
                raise scripted.pop(0)

    def _admitted(self, system: SystemRef, objects: Objects, takes: Takes) -> _System | None:
        """What is known of SYSTEM, into whose namespace OBJECTS may come."""
        check_identity(system, objects)
        check_kinds(objects)
        check_whole(system, objects)
        self._check_owner(system)
        for deployment in of_kind(objects, "Deployment"):
            image = _image(deployment)
            if MISSING_IMAGE in image:
                raise Rejected(f"{label(deployment)}: there is no image {image}.", object_name=label(deployment))
        known = self.systems.get(system.namespace)
        if known and known.looks_until_gone is not None:
            raise RuntimeBusy(f"Namespace {system.namespace} is still being deleted.", object_name=f"Namespace {system.namespace}")
        if known:
            known.store.check_free(objects, takes)
        return known

    def _check_owner(self, system: SystemRef) -> None:
        owner = self._owners.get(system.namespace, "")
        known = self.systems.get(system.namespace)
        if not owner and known and known.ref.system_id != system.system_id:
            owner = f"system {known.ref.system_id}"
        if owner:
            name = f"Namespace {system.namespace}"
            raise OwnedByAnother(f"{name} belongs to {owner}.", owner=owner, object_name=name)

    def _observe_deletion(self, known: _System) -> Observation:
        if not known.looks_until_gone:
            del self.systems[known.ref.namespace]
            return Observation(Health.ABSENT, volumes={})
        known.looks_until_gone -= 1
        blocked_by = self._blocks.get(known.ref.namespace, "")
        message = f"Ending for 0 s. {blocked_by}" if blocked_by else ""
        return Observation(Health.DELETING, reason="Deleting", message=message, volumes={})

    def _workload(self, known: _System, deployment: Mapping[str, Any]) -> Workload:
        name = deployment["metadata"]["name"]
        wanted = deployment["spec"].get("replicas", 1)
        done = Workload(
            name,
            "Deployment",
            Health.READY if wanted else Health.SUSPENDED,
            wanted,
            wanted,
            wanted,
            image=_image(deployment),
            nodes=(self._nodes[0].name,),
        )
        before = known.served.get(name)
        still = min(before.ready, wanted) if before else 0
        if before and is_held(deployment) and known.served_templates.get(name) != deployment["spec"]["template"]:
            return replace(
                done,
                health=Health.PROGRESSING,
                ready=still,
                updated=0,
                image=before.image,
                nodes=before.nodes,
                reason=REASON,
                message=WORDS,
            )
        if failure := self._failures.get((known.ref.namespace, name)):
            is_failed = failure.is_final and known.looks >= self.ready_after
            return replace(
                done,
                health=Health.FAILED if is_failed else Health.PROGRESSING,
                ready=still,
                updated=min(1, wanted),
                reason=failure.reason,
                message=failure.message,
                restarts=failure.restarts,
            )
        if wanted and known.looks < self.ready_after:
            if known.looks < self.seen_after:
                return replace(done, health=Health.PROGRESSING, ready=still, updated=0, reason="Rolling")
            updated = min(1, wanted)
            return replace(done, health=Health.PROGRESSING, ready=still, updated=updated, reason="Starting", message="Starting.")
        if message := known.lost.get(name):
            return replace(done, health=Health.DEGRADED, ready=wanted - 1, reason="Restarting", message=message, restarts=1)
        return done

    def _moved(self, namespace: str) -> None:
        if known := self.systems.get(namespace):
            self.emit(known.ref)


@dataclass(frozen=True)
class _Failure:
    reason: str
    message: str
    restarts: int
    is_final: bool


def _key(store: Store, kind: str, name: str) -> ObjectKey:
    return next(key_of(item) for item in store.applied if (item["kind"], item["metadata"]["name"]) == (kind, name))


def _scalers(known: _System) -> list[dict[str, Any]]:
    found = of_kind(known.store.live(), autoscaling.KIND)
    return [{**item, "status": {"conditions": known.scaling.get(item["metadata"]["name"], [])}} for item in found]


def _image(deployment: Mapping[str, Any]) -> str:
    containers = deployment.get("spec", {}).get("template", {}).get("spec", {}).get("containers") or [{}]
    return containers[0].get("image", "")
