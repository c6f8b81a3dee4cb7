"""On a real API server: which volumes a system has, and that none is made in the place of one that is gone."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.runtime.errors import DataGone, RuntimeBusy
from controlplane.runtime.kubernetes import KubernetesRuntime, volumes
from controlplane.runtime.kubernetes.resources import BY_KIND, NAMESPACE
from controlplane.runtime.kubernetes.volumes import CLAIM
from controlplane.runtime.port import GOING, Health, SystemRef
from tests.integration.runtime_kubernetes.cluster import MERGE, Cluster
from tests.integration.runtime_kubernetes.conftest import find
from tests.integration.runtime_kubernetes.test_database import SECRETS as DATABASE_SECRETS
from tests.integration.runtime_kubernetes.test_database import rendered
from tests.runtime_contract.systems import SECRETS, system_objects


def applied(runtime: KubernetesRuntime, system: SystemRef) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The objects of a system that stands, and its volumes."""
    objects = system_objects(system, "seat", "event")
    runtime.apply(system, objects, SECRETS)
    return objects, dict(runtime.observe(system).volumes or {})


def take(cluster: Cluster, system: SystemRef, claim: str) -> None:
    """Delete CLAIM for good: without controllers nobody takes its finalizer off."""
    path = CLAIM.path(claim, system.namespace)
    cluster.delete(path)
    cluster.api._call("PATCH", path, body={"metadata": {"finalizers": None}}, content_type=MERGE)
    assert cluster.api.get(CLAIM, claim, system.namespace) is None


def test_volumes_are_the_uids_of_their_claims_whatever_state_these_are_in(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    objects, before = applied(runtime, system)
    assert set(before) == {"seat-data", "event-data"}
    cluster.play(CLAIM.path("seat-data", system.namespace), {"phase": "Lost"})

    runtime.apply(system, objects, SECRETS, keeps=before)

    assert runtime.observe(system).volumes == before


def test_a_claim_whose_labels_somebody_took_off_is_still_there(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects, before = applied(runtime, system)
    cluster.patch(CLAIM.path("seat-data", system.namespace), {"metadata": {"labels": None}}, manager="kubectl-label")
    assert runtime.observe(system).volumes == before

    runtime.apply(system, objects, SECRETS, keeps=before)

    assert not runtime.observe(system).drift


def test_a_claim_that_is_being_deleted_is_going_and_nothing_is_applied(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    objects, before = applied(runtime, system)
    cluster.delete(CLAIM.path("seat-data", system.namespace))
    assert runtime.observe(system).volumes == {**before, "seat-data": GOING}

    with pytest.raises(DataGone, match="seat-data is being deleted"):
        runtime.apply(system, objects, SECRETS, keeps=before)


@pytest.mark.parametrize("is_replaced", [False, True], ids=["gone", "replaced"])
def test_nothing_is_applied_where_a_claim_is_gone_or_another(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, is_replaced: bool
) -> None:
    objects, before = applied(runtime, system)
    take(cluster, system, "seat-data")
    if is_replaced:
        cluster.create(CLAIM.collection(system.namespace), find(objects, "PersistentVolumeClaim", "seat-data"))
    versions = cluster.versions(system.namespace)

    with pytest.raises(DataGone, match="seat-data"):
        runtime.apply(system, objects, SECRETS, keeps=before)

    assert cluster.versions(system.namespace) == versions
    assert (runtime.observe(system).volumes or {}).get("seat-data") != before["seat-data"]


def test_a_claim_that_goes_after_it_was_looked_for_is_not_made_anew(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects, before = applied(runtime, system)
    check = volumes.check

    def check_and_lose(*arguments: Any) -> None:
        check(*arguments)
        take(cluster, system, "seat-data")

    monkeypatch.setattr(volumes, "check", check_and_lose)

    with pytest.raises(RuntimeBusy, match="uid mismatch"):
        runtime.apply(system, objects, SECRETS, keeps=before)

    assert "seat-data" not in (runtime.observe(system).volumes or {})


def test_a_namespace_that_is_gone_or_ending_has_no_volumes_and_is_not_made_anew(runtime: KubernetesRuntime, system: SystemRef) -> None:
    with pytest.raises(DataGone):
        runtime.apply(system, system_objects(system), SECRETS, keeps={"seat-data": "of before"})
    seen = runtime.observe(system)
    assert (seen.health, seen.volumes) == (Health.ABSENT, {})
    applied(runtime, system)

    runtime.delete(system)

    seen = runtime.observe(system)
    assert (seen.health, seen.volumes) == (Health.DELETING, {})


def test_a_closed_system_rests_writes_no_backup_and_comes_back_with_the_next_apply(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    objects = rendered(system)
    secrets = {**DATABASE_SECRETS, **{item: {"x": "y"} for item in ("auth-secrets", "seat-secrets", "trust")}}
    runtime.apply(system, objects, secrets)
    before = runtime.observe(system)
    kept = cluster.names(CLAIM, system.namespace)

    runtime.close(system, objects)
    versions = cluster.versions(system.namespace)
    runtime.close(system, objects)

    assert cluster.versions(system.namespace) == versions
    deployments = cluster.api.items(BY_KIND["Deployment"], system.namespace)
    assert {item["spec"]["replicas"] for item in deployments} == {0}
    cron_job = cluster.api.get(BY_KIND["CronJob"], "mariadb-backup", system.namespace)
    assert cron_job
    assert cron_job["spec"]["suspend"] is True
    assert cluster.names(CLAIM, system.namespace) == kept
    runtime.apply(system, objects, secrets, keeps=before.volumes or {})
    assert runtime.observe(system).fingerprint == before.fingerprint
    assert {item["spec"]["replicas"] for item in cluster.api.items(BY_KIND["Deployment"], system.namespace)} == {1}
    cron_job = cluster.api.get(BY_KIND["CronJob"], "mariadb-backup", system.namespace)
    assert cron_job
    assert not cron_job["spec"].get("suspend")


def test_closing_ends_nothing_that_keeps_a_volume_from_going(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects, _ = applied(runtime, system)
    cluster.delete(CLAIM.path("seat-data", system.namespace))

    runtime.close(system, objects)

    deployments = cluster.api.items(BY_KIND["Deployment"], system.namespace)
    assert {item["metadata"]["name"]: item["spec"]["replicas"] for item in deployments} == {"seat": 1, "event": 0}


def test_closing_makes_nothing_of_what_is_gone(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects, _ = applied(runtime, system)
    cluster.delete(BY_KIND["Deployment"].path("seat", system.namespace))

    runtime.close(system, objects)

    assert cluster.names(BY_KIND["Deployment"], system.namespace) == {"event"}
    other = SystemRef(system.system_id + 50_000, f"{system.namespace}-other", "s")
    runtime.close(other, system_objects(other))
    assert cluster.api.get(NAMESPACE, other.namespace) is None
