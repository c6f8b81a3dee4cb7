"""What a look says, with the controllers' notes written by hand: every state that a real cluster gets into."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controlplane.runtime.kubernetes import KubernetesRuntime, observing
from controlplane.runtime.kubernetes.resources import BY_KIND, EVENT, NAMESPACE, POD, REPLICA_SET
from controlplane.runtime.kubernetes.workloads import REVISION
from controlplane.runtime.port import Health, Observation, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.runtime_contract.systems import SECRETS, labels, system_objects

DEPLOYMENT = BY_KIND["Deployment"]
COMPLETE = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": ""}
GOING_ON = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "message": ""}


class Played:
    """A Deployment seat with its ReplicaSet and one pod, whose controllers are the test."""

    def __init__(self, runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
        self.runtime, self.cluster, self.system = runtime, cluster, system
        runtime.apply(system, system_objects(system), SECRETS)
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

    def deployment(self, *conditions: dict[str, Any], ready: int = 0, observed: int = 99) -> None:
        status = {"observedGeneration": observed, "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready, "availableReplicas": ready}
        self.cluster.play(self.path, {**status, "conditions": list(conditions)})
        set_status = {"replicas": 1, "readyReplicas": ready, "availableReplicas": ready}
        self.cluster.play(REPLICA_SET.path("seat-1", self.system.namespace), set_status)

    def pod(self, *containers: dict[str, Any], conditions: tuple[dict[str, Any], ...] = ()) -> None:
        base = {"name": "seat", "image": "clove-test/tiny:1", "imageID": "", "ready": False, "restartCount": 0}
        statuses = [{**base, **container} for container in containers]
        status = {"phase": "Running", "containerStatuses": statuses, "conditions": list(conditions)}
        self.cluster.play(POD.path("seat-1-a", self.system.namespace), status)

    def look(self) -> Observation:
        return self.runtime.observe(self.system)


@pytest.fixture
def seat(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> Played:
    return Played(runtime, cluster, system)


def test_ready_is_when_all_of_the_newest_revision_are_available(seat: Played) -> None:
    seat.deployment(COMPLETE, ready=1)
    seat.pod({"ready": True, "state": {"running": {}}}, conditions=({"type": "Ready", "status": "True"},))

    seen = seat.look()

    assert (seen.health, seen.reason) == (Health.READY, "")
    workload = seen.workload("seat")
    assert workload is not None
    assert (workload.wanted, workload.ready, workload.updated) == (1, 1, 1)


def test_a_generation_that_no_controller_saw_yet_is_progress(seat: Played) -> None:
    seat.deployment(COMPLETE, ready=1, observed=0)

    assert seat.look().health is Health.PROGRESSING


@pytest.mark.parametrize(
    ("waiting", "reason", "words"),
    [
        ({"reason": "ErrImagePull", "message": "docker.io/clove-test/tiny:1: not found"}, "ImageNotFound", "was not found"),
        ({"reason": "ImagePullBackOff", "message": "Back-off pulling image"}, "ImagePullFailed", "cannot be pulled"),
        ({"reason": "InvalidImageName", "message": "x"}, "InvalidImageName", "is not the name of an image"),
        ({"reason": "CreateContainerConfigError", "message": 'secret "x" not found'}, "CreateContainerConfigError", 'secret "x" not found'),
        ({"reason": "RunContainerError", "message": "exec: no such file"}, "RunContainerError", "no such file"),
    ],
)
def test_what_waiting_will_not_mend_fails_at_once(seat: Played, waiting: dict[str, str], reason: str, words: str) -> None:
    seat.deployment(GOING_ON)
    seat.pod({"state": {"waiting": waiting}})

    seen = seat.look()

    assert (seen.health, seen.reason) == (Health.FAILED, reason)
    assert words in seen.message


@pytest.mark.parametrize(("restarts", "health", "reason"), [(1, Health.PROGRESSING, "Restarting"), (2, Health.FAILED, "CrashLoopBackOff")])
def test_a_container_that_ends_three_times_has_failed(seat: Played, restarts: int, health: Health, reason: str) -> None:
    seat.deployment(GOING_ON)
    ended = {"terminated": {"exitCode": 7, "reason": "Error"}}
    seat.pod({"restartCount": restarts, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended})

    seen = seat.look()

    assert (seen.health, seen.reason) == (health, reason)
    assert "exit code 7" in seen.message


def test_a_container_that_needed_too_much_memory_is_told_so(seat: Played) -> None:
    seat.deployment(GOING_ON)
    seat.pod({"restartCount": 3, "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}})

    seen = seat.look()

    assert (seen.health, seen.reason) == (Health.FAILED, "OutOfMemory")
    assert "memory" in seen.message


@pytest.mark.parametrize(("waited_s", "health"), [(5, Health.PROGRESSING), (60, Health.FAILED)])
def test_a_pod_that_fits_on_no_node_has_some_time(seat: Played, waited_s: int, health: Health) -> None:
    seat.deployment(GOING_ON)
    since = (datetime.now(UTC) - timedelta(seconds=waited_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
    message = "0/1 nodes are available: 1 Insufficient cpu. preemption: none"
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message, "lastTransitionTime": since}
    seat.pod(conditions=(condition,))

    seen = seat.look()

    assert (seen.health, seen.reason) == (health, "FitsNoNode")
    assert "Insufficient cpu." in seen.message
    assert "preemption" not in seen.message


def test_a_full_quota_is_told_with_its_figures(seat: Played) -> None:
    message = 'pods "seat-1-b" is forbidden: exceeded quota: booking, requested: pods=1, used: pods=1, limited: pods=1'
    since = (datetime.now(UTC) - timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message, "lastTransitionTime": since}
    seat.deployment(GOING_ON, failure)

    seen = seat.look()

    assert (seen.health, seen.reason) == (Health.FAILED, "QuotaFull")
    assert "limited: pods=1" in seen.message


def test_a_probe_that_fails_for_too_long_fails_the_rollout(seat: Played) -> None:
    seat.deployment({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": ""})
    seat.pod({"state": {"running": {}}, "started": True})

    seen = seat.look()

    assert (seen.health, seen.reason) == (Health.FAILED, "ProgressDeadlineExceeded")
    assert "readiness probe" in seen.message


def test_a_pod_that_does_not_start_is_told_with_what_the_cluster_complains_of(seat: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "SLOW_START_S", -60.0)
    seat.deployment(GOING_ON)
    seat.pod({"state": {"waiting": {"reason": "ContainerCreating"}}})
    about = {"kind": "Pod", "name": "seat-1-a", "namespace": seat.system.namespace}
    for second, text in enumerate(("MountVolume.SetUp failed: old news", 'MountVolume.SetUp failed: secret "x" not found')):
        event = {"type": "Warning", "reason": "FailedMount", "message": text, "lastTimestamp": f"2026-01-01T00:00:0{second}Z"}
        path = EVENT.collection(seat.system.namespace)
        seat.cluster.create(path, {"metadata": {"name": f"e{second}"}, "involvedObject": about, **event})

    seen = seat.look()

    assert (seen.health, seen.reason) == (Health.PROGRESSING, "Starting")
    assert seen.message == 'seat: Starting. MountVolume.SetUp failed: secret "x" not found'


def test_a_replica_that_is_lost_after_a_rollout_is_trouble_and_not_progress(seat: Played) -> None:
    seat.deployment(COMPLETE, ready=0)
    seat.pod({"restartCount": 1, "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1}}})

    assert seat.look().health is Health.DEGRADED


def test_a_namespace_that_hangs_says_what_blocks_it(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    runtime.apply(system, system_objects(system), SECRETS)
    runtime.delete(system)
    message = "Some content in the namespace has finalizers remaining: example.org/hold in 1 resource instances"
    condition = {"type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain", "message": message}
    cluster.play(NAMESPACE.path(system.namespace, ""), {"phase": "Terminating", "conditions": [condition]})

    seen = runtime.observe(system)

    assert seen.health is Health.DELETING
    assert "example.org/hold" in seen.message
