"""What a look says, with the controllers' notes written by hand: every state that a real cluster gets into."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controlplane.runtime.kubernetes import KubernetesRuntime, observing
from controlplane.runtime.kubernetes.resources import BY_KIND, EVENT, NAMESPACE
from controlplane.runtime.kubernetes.workloads import REVISION
from controlplane.runtime.port import Health, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.played import COMPLETE, GOING_ON, Played
from tests.runtime_contract.systems import SECRETS, system_objects


@pytest.fixture
def seat(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> Played:
    runtime.apply(system, system_objects(system), SECRETS)
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


def test_a_copy_that_only_its_set_has_counted_is_not_ready_yet(seat: Played, cluster: Cluster) -> None:
    seat.deployment(GOING_ON, ready=1)
    cluster.play(seat.path, {"readyReplicas": 0, "availableReplicas": 0})

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


@pytest.mark.parametrize(("waited_s", "health"), [(60, Health.PROGRESSING), (120, Health.FAILED)])
def test_a_volume_that_is_still_being_made_has_more_of_it(seat: Played, waited_s: int, health: Health) -> None:
    seat.deployment(GOING_ON)
    message = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available"
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    seat.pod(conditions=({**condition, "lastTransitionTime": stamp(waited_s)},))

    seen = seat.look()

    assert (seen.health, seen.reason) == (health, "NoVolume")
    assert seen.message.startswith("seat: Its volume has not been made yet.")


def over_quota(refused_s: int) -> dict[str, str]:
    message = 'pods "seat-1-b" is forbidden: exceeded quota: booking, requested: pods=1, used: pods=1, limited: pods=1'
    said = {"reason": "FailedCreate", "message": message, "lastTransitionTime": stamp(refused_s)}
    return {"type": "ReplicaFailure", "status": "True", **said}


def test_a_full_quota_is_told_with_its_figures(seat: Played) -> None:
    seat.deployment(GOING_ON, over_quota(120))

    seen = seat.look()

    assert (seen.health, seen.reason) == (Health.FAILED, "QuotaFull")
    assert "limited: pods=1" in seen.message


@pytest.mark.parametrize(("refused_s", "leaves"), [(60, False), (120, True)])
def test_a_full_quota_is_no_failure_while_copies_end_and_until_it_was_tried_again(seat: Played, refused_s: int, leaves: bool) -> None:
    seat.deployment(GOING_ON, over_quota(refused_s))
    if leaves:
        seat.pod_leaves()

    seen = seat.look()

    assert (seen.health, seen.reason) == (Health.PROGRESSING, "QuotaFull")


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


def test_a_node_that_fell_silent_is_told_by_its_name(seat: Played) -> None:
    seat.deployment(COMPLETE)
    # The cluster takes the pod's Ready away after a while; what the kubelet said of the container stays.
    seat.pod({"ready": True, "started": True, "state": {"running": {}}}, conditions=({"type": "Ready", "status": "False"},))

    seen = seat.look()

    assert (seen.health, seen.reason) == (Health.DEGRADED, "NodeSilent")
    assert "does not report any more" in seen.message


REFUSED = {"type": "Accepted", "status": "False", "reason": "NoMatchingListenerHostname", "message": "No listener is for this host name."}


def route_says(seat: Played, *conditions: dict[str, Any]) -> None:
    """What a Gateway's controller notes on the route."""
    parent = {"parentRef": {"name": "clove"}, "controllerName": "example.org/gateway", "conditions": list(conditions)}
    seat.cluster.play(BY_KIND["HTTPRoute"].path("booking", seat.system.namespace), {"parents": [parent]})


@pytest.mark.parametrize(("ago_s", "health"), [(60, Health.FAILED), (0, Health.PROGRESSING)])
def test_a_route_that_the_gateway_refuses_is_told_and_not_waited_for(seat: Played, ago_s: int, health: Health) -> None:
    seat.deployment(COMPLETE, ready=1)
    seat.pod({"ready": True, "state": {"running": {}}}, conditions=({"type": "Ready", "status": "True"},))
    route_says(seat, {**REFUSED, "lastTransitionTime": stamp(ago_s)})

    seen = seat.look()

    assert (seen.health, seen.reason) == (health, "NoMatchingListenerHostname")
    assert seen.message == "The Gateway clove does not lead buyers here: No listener is for this host name."


@pytest.mark.parametrize(
    "condition",
    [
        {"type": "Accepted", "status": "True", "reason": "Accepted", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        {**REFUSED, "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 0},
    ],
    ids=["accepted", "said of an earlier one"],
)
def test_a_route_that_is_taken_or_was_not_looked_at_yet_keeps_nobody(seat: Played, condition: dict[str, Any]) -> None:
    seat.deployment(COMPLETE, ready=1)
    seat.pod({"ready": True, "state": {"running": {}}}, conditions=({"type": "Ready", "status": "True"},))
    route_says(seat, condition)

    assert seat.look().health is Health.READY


def test_a_hand_is_told_of_though_a_controller_followed_it(seat: Played) -> None:
    seat.cluster.patch(seat.path, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 11}}}}, manager="kubectl-patch")
    seat.cluster.patch(seat.path, {"metadata": {"annotations": {REVISION: "2"}}}, manager="kube-controller-manager")

    assert seat.look().drift == "Deployment seat was changed by kubectl-patch."


def stamp(ago_s: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=ago_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
