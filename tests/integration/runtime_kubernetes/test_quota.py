"""A quota beside a rollout to something smaller, on a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.kubernetes import KubernetesRuntime
from controlplane.runtime.kubernetes.resources import BY_KIND
from controlplane.runtime.port import Health, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.played import COMPLETE, GOING_ON, Played
from tests.runtime_contract.systems import SECRETS, labels, system_objects

QUOTA = BY_KIND["ResourceQuota"]


def with_quota(system: SystemRef, **hard: str) -> list[dict[str, Any]]:
    metadata = {"name": "booking", "namespace": system.namespace, "labels": labels(system)}
    namespace, *rest = system_objects(system)
    return [namespace, {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}}, *rest]


def hard(cluster: Cluster, system: SystemRef) -> dict[str, str]:
    found = cluster.api.get(QUOTA, "booking", system.namespace)
    assert found
    amounts: dict[str, str] = found["spec"]["hard"]
    return amounts


@pytest.fixture
def seat(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> Played:
    runtime.apply(system, with_quota(system, **{"limits.memory": "4Gi", "pods": "4"}), SECRETS)
    return Played(runtime, cluster, system)


def test_a_quota_leaves_room_for_what_runs_until_all_of_it_is_new(seat: Played, cluster: Cluster, system: SystemRef) -> None:
    smaller = with_quota(system, **{"limits.memory": "1024Mi", "pods": "6"})
    ready = ({"type": "Ready", "status": "True"},)

    seat.runtime.apply(system, smaller, SECRETS)
    assert hard(cluster, system) == {"limits.memory": "4Gi", "pods": "6"}
    seat.deployment(GOING_ON, old=1)
    assert seat.look().fingerprint == fingerprint(smaller, SECRETS)

    seat.deployment(COMPLETE, ready=1)
    seat.pod({"ready": True, "state": {"running": {}}}, conditions=ready)
    seen = seat.look()
    assert (seen.health, seen.fingerprint, seen.drift) == (Health.READY, "", "")
    seat.runtime.apply(system, smaller, SECRETS)

    assert hard(cluster, system) == {"limits.memory": "1Gi", "pods": "6"}
    assert seat.look().fingerprint == fingerprint(smaller, SECRETS)
    versions = cluster.versions(system.namespace)
    seat.runtime.apply(system, smaller, SECRETS)
    assert cluster.versions(system.namespace) == versions
