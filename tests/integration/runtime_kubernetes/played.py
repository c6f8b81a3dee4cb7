"""A rollout whose controllers are the test: their notes on a Deployment, its ReplicaSet and its pod, written by hand."""

from __future__ import annotations

from typing import Any

from controlplane.runtime.kubernetes import KubernetesRuntime
from controlplane.runtime.kubernetes.resources import BY_KIND, POD, REPLICA_SET
from controlplane.runtime.kubernetes.workloads import REVISION
from controlplane.runtime.port import Observation, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.runtime_contract.systems import labels

DEPLOYMENT = BY_KIND["Deployment"]
COMPLETE = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": ""}
GOING_ON = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "message": ""}


class Played:
    """A Deployment seat with its ReplicaSet and one pod, whose controllers are the test."""

    def __init__(self, runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
        self.runtime, self.cluster, self.system = runtime, cluster, system
        self.path = DEPLOYMENT.path("seat", system.namespace)
        item = cluster.patch(self.path, {"metadata": {"annotations": {REVISION: "1"}}}, manager="kube-controller-manager")
        template = item["spec"]["template"]
        own = self._meta("seat-1", item, {REVISION: "1"})
        spec = {"replicas": 1, "selector": item["spec"]["selector"], "template": template}
        self.set = cluster.create(
            REPLICA_SET.collection(system.namespace), {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": own, "spec": spec}
        )
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": self._meta("seat-1-a", self.set, {}), "spec": template["spec"]}
        cluster.create(POD.collection(system.namespace), pod)

    def _meta(self, name: str, owner: dict[str, Any], annotations: dict[str, str]) -> dict[str, Any]:
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"], "controller": True}
        all_labels = {"app.kubernetes.io/name": "seat", "app.kubernetes.io/instance": self.system.namespace, **labels(self.system)}
        reference["uid"] = owner["metadata"]["uid"]
        return {"name": name, "labels": all_labels, "annotations": annotations, "ownerReferences": [reference]}

    def deployment(self, *conditions: dict[str, Any], ready: int = 0, observed: int = 99, old: int = 0) -> None:
        """READY of the newest revision, OLD of the one before, which serves."""
        status = {"observedGeneration": observed, "replicas": 1 + old, "updatedReplicas": 1}
        counts = {"readyReplicas": ready + old, "availableReplicas": ready + old}
        self.cluster.play(self.path, {**status, **counts, "conditions": list(conditions)})
        set_status = {"replicas": 1, "readyReplicas": ready, "availableReplicas": ready}
        self.cluster.play(REPLICA_SET.path("seat-1", self.system.namespace), set_status)

    def pod(self, *containers: dict[str, Any], conditions: tuple[dict[str, Any], ...] = ()) -> None:
        base = {"name": "seat", "image": "clove-test/tiny:1", "imageID": "", "ready": False, "restartCount": 0}
        statuses = [{**base, **container} for container in containers]
        status = {"phase": "Running", "containerStatuses": statuses, "conditions": list(conditions)}
        self.cluster.play(POD.path("seat-1-a", self.system.namespace), status)

    def pod_leaves(self) -> None:
        """It is told to end, and still ends: what a kubelet does by not saying yet that it has."""
        path = POD.path("seat-1-a", self.system.namespace)
        self.cluster.patch(path, {"metadata": {"finalizers": ["clove.test/ends"]}}, manager="kubelet")
        self.cluster.delete(path)

    def look(self) -> Observation:
        return self.runtime.observe(self.system)
