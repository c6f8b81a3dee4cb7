"""What operations do on a real API server: what stands in its objects. Pods and controllers are not here; see tests/runtime_contract."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.holding import held
from controlplane.runtime.kubernetes import KubernetesRuntime
from controlplane.runtime.kubernetes.resources import BY_KIND
from controlplane.runtime.port import FieldChange, Health, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.conftest import find
from tests.integration.runtime_kubernetes.played import COMPLETE, GOING_ON, Played
from tests.runtime_contract.systems import SECRETS, system_objects, with_env

DEPLOYMENT = BY_KIND["Deployment"]
PAUSED = {"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused", "message": ""}
RUNS = {"ready": True, "state": {"running": {}}}
READY = ({"type": "Ready", "status": "True"},)


@pytest.fixture
def seat(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> Played:
    runtime.apply(system, system_objects(system), SECRETS)
    return Played(runtime, cluster, system)


def spec_of(cluster: Cluster, system: SystemRef) -> dict[str, Any]:
    item = cluster.api.get(DEPLOYMENT, "seat", system.namespace)
    assert item
    spec: dict[str, Any] = item["spec"]
    return spec


@pytest.mark.parametrize("replicas", [3, 0])
def test_another_number_of_replicas_changes_nothing_else(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, replicas: int
) -> None:
    runtime.apply(system, system_objects(system), SECRETS)
    before, other = spec_of(cluster, system), system_objects(system, replicas=replicas)

    (change,) = runtime.preview(system, other)
    assert change.fields == (FieldChange("spec.replicas", 1, replicas),)
    runtime.apply(system, other, SECRETS)

    assert spec_of(cluster, system) == before | {"replicas": replicas}
    runtime.apply(system, system_objects(system), SECRETS)
    assert spec_of(cluster, system) == before


def test_a_hold_is_written_is_no_drift_and_is_gone_when_it_goes_on(seat: Played, cluster: Cluster, system: SystemRef) -> None:
    newer = with_env(system_objects(system), "seat", VERSION="2")
    seat.deployment(COMPLETE, ready=1)
    seat.pod(RUNS, conditions=READY)

    seat.runtime.apply(system, held(newer), SECRETS)

    assert spec_of(cluster, system)["paused"] is True
    seat.deployment(PAUSED, ready=1, observed=0)
    seen = seat.look()
    workload = seen.workload("seat")
    assert workload
    assert (seen.health, workload.reason, workload.ready, workload.updated) == (Health.PROGRESSING, "Paused", 1, 0)
    assert seen.fingerprint == fingerprint(held(newer), SECRETS)
    versions = cluster.versions(system.namespace)
    seat.runtime.apply(system, held(newer), SECRETS)
    assert cluster.versions(system.namespace) == versions
    assert seat.runtime.preview(system, held(newer)) == []

    seat.runtime.apply(system, newer, SECRETS)
    assert "paused" not in spec_of(cluster, system)
    seat.deployment(GOING_ON, ready=1)
    assert seat.look().fingerprint == fingerprint(newer, SECRETS)


def test_whoever_lets_a_held_rollout_go_on_by_hand_is_seen(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = held(system_objects(system))
    runtime.apply(system, objects, SECRETS)

    cluster.patch(DEPLOYMENT.path("seat", system.namespace), {"spec": {"paused": False}}, manager="kubectl-rollout")

    assert runtime.observe(system).fingerprint == ""
    runtime.apply(system, objects, SECRETS)
    assert spec_of(cluster, system)["paused"] is True
    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)


def test_a_move_ties_the_template_to_a_node_and_untying_leaves_no_trace(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    before, moved = spec_of(cluster, system), copy.deepcopy(objects)
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    find(moved, "Deployment", "seat")["spec"]["template"]["spec"]["affinity"] = affinity

    runtime.apply(system, moved, SECRETS)

    assert spec_of(cluster, system)["template"]["spec"]["affinity"] == affinity
    assert spec_of(cluster, system)["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    runtime.apply(system, objects, SECRETS)
    assert spec_of(cluster, system) == before


def test_a_restart_changes_the_template_alone(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    again = copy.deepcopy(objects)
    find(again, "Deployment", "seat")["spec"]["template"]["metadata"]["annotations"] = {"clove.dev/restarts": "1"}

    (change,) = runtime.preview(system, again)
    assert [field.path for field in change.fields] == ["spec.template.metadata.annotations"]
    runtime.apply(system, again, SECRETS)

    assert spec_of(cluster, system)["template"]["metadata"]["annotations"] == {"clove.dev/restarts": "1"}
