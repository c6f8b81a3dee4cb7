"""A runtime in memory for tests: slow, failing, away or owned by somebody else, as the test says beforehand.

>>> runtime = FakeRuntime(ready_after=2)              # PROGRESSING at the first look, READY from the second on
>>> runtime.will_fail("clove-1", "seat", reason="CrashLoopBackOff", message="KeyError: 'SEAT_PIN'")
>>> runtime.unavailable_for(3)                        # the next three calls raise RuntimeUnavailable
>>> runtime.deletes_after("clove-1", looks=2)         # DELETING twice, then ABSENT; apply meanwhile raises RuntimeBusy
>>> runtime.raises("apply", Rejected("no such field"), namespace="clove-1")
"""

from __future__ import annotations

import queue
from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from controlplane.runtime.diff import object_changes
from controlplane.runtime.errors import OwnedByAnother, Rejected, RuntimeBusy, RuntimeFailure, RuntimeUnavailable, Unsupported
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.health import system_health
from controlplane.runtime.holding import REASON, WORDS, is_held
from controlplane.runtime.objects import check_identity, hostnames, key_of, label, of_kind
from controlplane.runtime.port import Change, Endpoint, Health, Node, Objects, Observation, Secrets, SystemRef, Workload

MISSING_IMAGE = "missing"
"""An image whose reference contains this word is refused, as one the runtime cannot find."""


@dataclass
class _System:
    ref: SystemRef
    objects: list[Any] = field(default_factory=list)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    looks: int = 0
    served: dict[str, Workload] = field(default_factory=dict)
    """The workloads as they last were when the system was ready: they serve on while a new revision fails."""
    served_templates: dict[str, Any] = field(default_factory=dict)
    """Their pod templates: one that is held with another stays as it was."""
    looks_until_gone: int | None = None


class FakeRuntime:
    """Implements `runtime.port.Runtime`. `calls` lists what was asked, as (method, namespace)."""

    def __init__(self, *, ready_after: int = 1, nodes: tuple[Node, ...] = (), heartbeat_s: float = 1.0) -> None:
        self.ready_after = ready_after
        self.calls: list[tuple[str, str]] = []
        self.systems: dict[str, _System] = {}
        self._nodes = nodes or (Node("fake", True, cpu_m=4000, memory_bytes=8 << 30),)
        self._heartbeat_s = heartbeat_s
        self._events: queue.Queue[SystemRef] = queue.Queue()
        self._unavailable_calls = 0
        self._errors: dict[tuple[str, str], list[RuntimeFailure]] = defaultdict(list)
        self._failures: dict[tuple[str, str], tuple[str, str]] = {}
        self._owners: dict[str, str] = {}
        self._looks_to_delete: dict[str, int] = {}
        self._logs: dict[tuple[str, str], list[str]] = defaultdict(list)

    # What a test says beforehand.

    def unavailable_for(self, calls: int) -> None:
        """Raise RuntimeUnavailable from the next CALLS calls, whatever they are."""
        self._unavailable_calls = calls

    def raises(self, method: str, error: RuntimeFailure, *, namespace: str = "", times: int = 1) -> None:
        """Raise ERROR from the next TIMES calls of METHOD for NAMESPACE, or for any when it is empty."""
        self._errors[method, namespace] += [error] * times

    def will_fail(
        self, namespace: str, workload: str, *, reason: str = "CrashLoopBackOff", message: str = "It ended with exit code 1."
    ) -> None:
        """Let WORKLOAD never become ready, from the look on at which it would have, until `recovers`."""
        self._failures[namespace, workload] = (reason, message)

    def recovers(self, namespace: str, workload: str) -> None:
        """Take back `will_fail`."""
        self._failures.pop((namespace, workload), None)
        self._moved(namespace)

    def deletes_after(self, namespace: str, *, looks: int) -> None:
        """Report DELETING at the LOOKS observations that follow a delete, and only then ABSENT."""
        self._looks_to_delete[namespace] = looks

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

    def preview(self, system: SystemRef, objects: Objects) -> list[Change]:
        self._enter("preview", system)
        self._check(system, objects)
        known = self.systems.get(system.namespace)
        return object_changes(known.objects if known else [], objects)

    def apply(self, system: SystemRef, objects: Objects, secrets: Secrets) -> None:
        self._enter("apply", system)
        self._check(system, objects)
        known = self.systems.get(system.namespace)
        if known is None:
            known = self.systems[system.namespace] = _System(system)
        if known.looks_until_gone is not None:
            raise RuntimeBusy(f"Namespace {system.namespace} is still being deleted.")
        if known.objects != list(objects):
            known.looks = 0
        known.objects = deepcopy(list(objects))
        known.secrets = {name: dict(files) for name, files in secrets.items()}
        self.emit(system)

    def observe(self, system: SystemRef) -> Observation:
        self._enter("observe", system)
        known = self.systems.get(system.namespace)
        if known is None:
            return Observation(Health.ABSENT)
        if known.looks_until_gone is not None:
            return self._observe_deletion(known)
        known.looks += 1
        workloads = tuple(self._workload(known, item) for item in of_kind(known.objects, "Deployment"))
        health, reason, message = system_health(workloads)
        if health is Health.READY:
            known.served = {workload.name: workload for workload in workloads}
            known.served_templates = {one["metadata"]["name"]: one["spec"]["template"] for one in of_kind(known.objects, "Deployment")}
        return Observation(health, workloads, fingerprint(known.objects, known.secrets), reason, message)

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
        hosts = hostnames(known.objects) if known else []
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

    def _check(self, system: SystemRef, objects: Objects) -> None:
        self._check_owner(system)
        check_identity(system, objects)
        for item in objects:
            if key_of(item).kind not in _KINDS:
                raise Unsupported(f"{label(item)}: this runtime does not know the kind.", object_name=label(item))
        for deployment in of_kind(objects, "Deployment"):
            image = _image(deployment)
            if MISSING_IMAGE in image:
                raise Rejected(f"{label(deployment)}: there is no image {image}.", object_name=label(deployment))

    def _check_owner(self, system: SystemRef) -> None:
        owner = self._owners.get(system.namespace, "")
        known = self.systems.get(system.namespace)
        if not owner and known and known.ref.system_id != system.system_id:
            owner = f"system {known.ref.system_id}"
        if owner:
            raise OwnedByAnother(f"Namespace {system.namespace} belongs to {owner}.", owner=owner)

    def _observe_deletion(self, known: _System) -> Observation:
        if not known.looks_until_gone:
            del self.systems[known.ref.namespace]
            return Observation(Health.ABSENT)
        known.looks_until_gone -= 1
        return Observation(Health.DELETING)

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
                done, health=Health.PROGRESSING, ready=still, updated=0, image=before.image, nodes=before.nodes, reason=REASON, message=WORDS
            )
        if failure := self._failures.get((known.ref.namespace, name)):
            health = Health.FAILED if known.looks >= self.ready_after else Health.PROGRESSING
            return replace(
                done, health=health, ready=still, updated=min(1, wanted), reason=failure[0], message=failure[1], restarts=known.looks
            )
        if wanted and known.looks < self.ready_after:
            return replace(done, health=Health.PROGRESSING, ready=still, updated=min(1, wanted), reason="Starting")
        return done

    def _moved(self, namespace: str) -> None:
        if known := self.systems.get(namespace):
            self.emit(known.ref)


_KINDS = {
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "Job",
    "CronJob",
    "Service",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
    "HTTPRoute",
    "Ingress",
}


def _image(deployment: Mapping[str, Any]) -> str:
    containers = deployment.get("spec", {}).get("template", {}).get("spec", {}).get("containers") or [{}]
    return containers[0].get("image", "")
