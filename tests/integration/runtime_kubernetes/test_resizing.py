"""Another size for pods that run, on a real API server: what is asked of it, and what it says where it cannot be. The node is the test."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.holding import held
from controlplane.runtime.kubernetes import KubernetesRuntime, resizing
from controlplane.runtime.kubernetes.resources import BY_KIND, POD, REPLICA_SET
from controlplane.runtime.port import Resize, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.conftest import find
from tests.integration.runtime_kubernetes.played import COMPLETE, Played
from tests.runtime_contract.systems import SECRETS, system_objects, with_env

DEPLOYMENT = BY_KIND["Deployment"]
LARGER = {"requests": {"cpu": "20m", "memory": "48Mi"}, "limits": {"cpu": "1500m", "memory": "160Mi"}}
READY = ({"type": "Ready", "status": "True"},)


class Died(BaseException):
    """A worker that is killed."""


def sized(objects: list[dict[str, Any]], resources: dict[str, Any]) -> list[dict[str, Any]]:
    changed = copy.deepcopy(objects)
    find(changed, "Deployment", "seat")["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    return changed


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resizing, "LONGEST_S", 0.5)


@pytest.fixture
def seat(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> Played:
    """A Deployment whose one pod serves, and whose controllers have seen all there is to see."""
    runtime.apply(system, system_objects(system), SECRETS)
    seat = Played(runtime, cluster, system)
    seat.deployment(COMPLETE, ready=1)
    cluster.play(REPLICA_SET.path("seat-1", system.namespace), {"replicas": 1, "readyReplicas": 1, "observedGeneration": 99})
    return seat


def runs_with(seat: Played, resources: dict[str, Any], *conditions: dict[str, Any]) -> None:
    """The node's note on the pod."""
    seat.pod({"ready": True, "state": {"running": {}}, "resources": resources}, conditions=(*READY, *conditions))


def resources_of(cluster: Cluster, system: SystemRef) -> tuple[Any, Any, Any]:
    """Those of the Deployment's template, the ReplicaSet's and the pod's own."""
    deployment = cluster.api.get(DEPLOYMENT, "seat", system.namespace)
    replica_set = cluster.api.get(REPLICA_SET, "seat-1", system.namespace)
    pod = cluster.api.get(POD, "seat-1-a", system.namespace)
    assert deployment
    assert replica_set
    assert pod
    specs = (deployment["spec"]["template"]["spec"], replica_set["spec"]["template"]["spec"], pod["spec"])
    found = [spec["containers"][0]["resources"] for spec in specs]
    return found[0], found[1], found[2]


def is_paused(cluster: Cluster, system: SystemRef) -> bool:
    item = cluster.api.get(DEPLOYMENT, "seat", system.namespace)
    assert item
    return bool(item["spec"].get("paused"))


def test_the_pod_its_set_and_its_deployment_get_the_size_and_no_template_differs(seat: Played, cluster: Cluster, system: SystemRef) -> None:
    larger = sized(system_objects(system), LARGER)
    runs_with(seat, LARGER)

    seat.runtime.apply(system, larger, SECRETS)

    assert resources_of(cluster, system) == (LARGER, LARGER, LARGER)
    deployment = cluster.api.get(DEPLOYMENT, "seat", system.namespace)
    replica_set = cluster.api.get(REPLICA_SET, "seat-1", system.namespace)
    assert deployment
    assert replica_set
    assert deployment["spec"]["template"] == replica_set["spec"]["template"]
    assert not is_paused(cluster, system)
    seen = seat.look()
    assert seen.workload("seat").resize == Resize(is_in_place=True)  # type: ignore[union-attr]
    assert seen.fingerprint == fingerprint(larger, SECRETS)
    versions = cluster.versions(system.namespace)
    seat.runtime.apply(system, larger, SECRETS)
    assert cluster.versions(system.namespace) == versions


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"reason": "Infeasible", "message": "Node didn't have enough capacity: cpu"}, "enough capacity"),
        ({"reason": "Deferred", "message": "Node didn't have enough resource: cpu"}, "in time: Node didn't have enough resource"),
    ],
)
def test_what_the_node_cannot_give_is_rolled_out_and_said(
    seat: Played, cluster: Cluster, system: SystemRef, condition: dict[str, str], words: str
) -> None:
    runs_with(seat, {}, {"type": "PodResizePending", "status": "True", **condition})

    seat.runtime.apply(system, sized(system_objects(system), LARGER), SECRETS)

    of_deployment, of_set, _ = resources_of(cluster, system)
    assert of_deployment == LARGER
    assert of_set != LARGER
    assert not is_paused(cluster, system)
    told = seat.look().workload("seat").resize  # type: ignore[union-attr]
    assert told
    assert not told.is_in_place
    assert words in told.why


def test_what_the_api_server_refuses_is_rolled_out_and_said(seat: Played, cluster: Cluster, system: SystemRef) -> None:
    same = {"cpu": "20m", "memory": "48Mi"}

    seat.runtime.apply(system, sized(system_objects(system), {"requests": same, "limits": same}), SECRETS)

    told = seat.look().workload("seat").resize  # type: ignore[union-attr]
    assert told
    assert "QOS Class may not change" in told.why
    assert resources_of(cluster, system)[0] == {"requests": same, "limits": same}


def test_what_the_controllers_do_not_follow_in_time_is_rolled_out_and_not_left_paused(
    seat: Played, cluster: Cluster, system: SystemRef
) -> None:
    runs_with(seat, LARGER)
    cluster.play(REPLICA_SET.path("seat-1", system.namespace), {"replicas": 1, "readyReplicas": 1, "observedGeneration": 0})

    seat.runtime.apply(system, sized(system_objects(system), LARGER), SECRETS)

    assert not is_paused(cluster, system)
    told = seat.look().workload("seat").resize  # type: ignore[union-attr]
    assert told
    assert (told.is_in_place, "did not follow" in told.why) == (False, True)


def _with_another_image(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return with_env(objects, "seat", VERSION="2")


@pytest.mark.parametrize("change", [_with_another_image, held])
def test_a_change_of_more_than_the_size_and_a_held_one_touch_no_pod(
    seat: Played, cluster: Cluster, system: SystemRef, change: Callable[[Any], Any]
) -> None:
    before = resources_of(cluster, system)[2]
    runs_with(seat, LARGER)

    seat.runtime.apply(system, change(sized(system_objects(system), LARGER)), SECRETS)

    of_deployment, of_set, of_pod = resources_of(cluster, system)
    assert (of_deployment, of_pod, of_set) == (LARGER, before, before)
    assert seat.look().workload("seat").resize is None  # type: ignore[union-attr]


def test_while_a_rollout_goes_on_no_pod_is_resized(seat: Played, cluster: Cluster, system: SystemRef) -> None:
    seat.deployment(COMPLETE, ready=1, old=1)
    runs_with(seat, LARGER)

    seat.runtime.apply(system, sized(system_objects(system), LARGER), SECRETS)

    assert resources_of(cluster, system)[1] != LARGER


@pytest.mark.parametrize("where", ["_await_size", "_await", "end"])
@pytest.mark.parametrize("then", ["the same", "the old size"])
def test_a_worker_that_dies_in_between_leaves_nothing_paused_once_applied_again(
    seat: Played, cluster: Cluster, system: SystemRef, monkeypatch: pytest.MonkeyPatch, where: str, then: str
) -> None:
    larger = sized(system_objects(system), LARGER)
    runs_with(seat, LARGER)

    def die(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(resizing, where, die)
        with pytest.raises(Died):
            seat.runtime.apply(system, larger, SECRETS)
    assert seat.look().fingerprint == ""

    wanted = larger if then == "the same" else system_objects(system)
    seat.runtime.apply(system, wanted, SECRETS)

    assert not is_paused(cluster, system)
    assert resources_of(cluster, system)[0] == find(wanted, "Deployment", "seat")["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert seat.look().fingerprint == fingerprint(wanted, SECRETS)
