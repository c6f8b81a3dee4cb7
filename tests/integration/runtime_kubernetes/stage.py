"""The recorded cases of the port on a real API server, where the other managers and the controllers are this file."""

from __future__ import annotations

from typing import Any

from controlplane.runtime.kubernetes import KubernetesRuntime, Routing, RoutingChoice
from controlplane.runtime.kubernetes.resources import BY_KIND, DAEMON_SET, NAMESPACE, resource_of
from controlplane.runtime.port import Runtime, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.played import COMPLETE, GOING_ON, Played

_READY = {"type": "Ready", "status": "True"}
_CRASHED = {"waiting": {"reason": "CrashLoopBackOff"}}


class StageOnServer:
    """Implements `tests.runtime_contract.port_cases.Stage`."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        # Without controllers a system starts for ever, so drift is looked for at once.
        self._runtime = KubernetesRuntime(cluster.api, RoutingChoice(Routing.GATEWAY), fresh_s=0.0)
        self._played: dict[str, Played] = {}

    @property
    def runtime(self) -> Runtime:
        return self._runtime

    def changed(self, system: SystemRef, kind: str, name: str, path: str, value: Any, *, manager: str) -> None:
        change = value
        for key in reversed(path.split(".")):
            change = {key: change}
        self.cluster.patch(BY_KIND[kind].path(name, system.namespace), change, manager=manager)

    def made(self, system: SystemRef, item: dict[str, Any], *, manager: str) -> None:
        resource = DAEMON_SET if item["kind"] == "DaemonSet" else resource_of(item)
        self.cluster.create(resource.collection(system.namespace), item, manager=manager)

    def is_there(self, system: SystemRef, kind: str, name: str) -> bool:
        return name in self.cluster.names(BY_KIND[kind], system.namespace)

    def removed(self, system: SystemRef, kind: str, name: str) -> None:
        self.cluster.delete(BY_KIND[kind].path(name, system.namespace))

    def delete_slowly(self, system: SystemRef, *, blocked_by: str) -> None:
        self._runtime.delete(system)
        if blocked_by:
            condition = {"type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain", "message": blocked_by}
            self.cluster.play(NAMESPACE.path(system.namespace, ""), {"phase": "Terminating", "conditions": [condition]})

    def autoscaler_says(self, system: SystemRef, name: str, *conditions: dict[str, Any]) -> None:
        path = BY_KIND["HorizontalPodAutoscaler"].path(name, system.namespace)
        self.cluster.play(path, {"currentReplicas": 1, "desiredReplicas": 1, "conditions": list(conditions)})

    def rollout(self, system: SystemRef, state: str) -> None:
        if state == "unseen":  # by any controller
            return
        seat = self._played.get(system.namespace)
        if seat is None:
            seat = self._played[system.namespace] = Played(self._runtime, self.cluster, system)
        if state == "starting":
            seat.deployment(GOING_ON)
            seat.pod({"state": {"waiting": {"reason": "ContainerCreating"}}})
        elif state == "ready":
            seat.deployment(COMPLETE, ready=1)
            seat.pod({"ready": True, "state": {"running": {}}}, conditions=(_READY,))
        elif state == "replica lost":
            seat.deployment(COMPLETE)
            seat.pod({"restartCount": 1, "state": _CRASHED, "lastState": {"terminated": {"exitCode": 1}}})
        elif state == "image missing":
            seat.deployment(GOING_ON, old=1)
            seat.pod({"state": {"waiting": {"reason": "ErrImagePull", "message": "docker.io/clove-test/tiny:1: not found"}}})
        else:
            seat.deployment(GOING_ON, old=1)
            restarts = {"crashed once": 1, "crashing": 2}[state]
            seat.pod({"restartCount": restarts, "state": _CRASHED, "lastState": {"terminated": {"exitCode": 7, "reason": "Error"}}})
