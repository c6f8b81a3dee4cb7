"""What every runtime promises: the same on the fake, on this machine and on Kubernetes."""

from __future__ import annotations

import copy

import pytest

from controlplane.runtime.errors import DataGone, OwnedByAnother, Rejected, RuntimeUnavailable, Unsupported
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.port import ChangeKind, FieldChange, Health, SystemRef
from tests.runtime_contract.conftest import OnFake, OnLocal
from tests.runtime_contract.on_kubernetes import OnKubernetes
from tests.runtime_contract.supervised import eventually
from tests.runtime_contract.systems import SECRETS, ref, system_objects, with_env

SYSTEM = ref(1)
On = OnFake | OnLocal | OnKubernetes


def test_a_system_that_was_never_applied_is_absent(on: On) -> None:
    seen = on.runtime.observe(SYSTEM)

    assert (seen.health, seen.workloads, seen.fingerprint) == (Health.ABSENT, (), "")


def test_what_is_applied_becomes_ready_and_says_what_it_is(on: On) -> None:
    objects = system_objects(SYSTEM, "seat", "event")

    on.runtime.apply(SYSTEM, objects, SECRETS)

    seen = on.await_health(SYSTEM, Health.READY)
    assert {workload.name for workload in seen.workloads} == {"seat", "event"}
    assert seen.fingerprint == fingerprint(objects, SECRETS)
    seat = seen.workload("seat")
    assert seat is not None
    assert (seat.wanted, seat.ready, seat.updated, seat.reason) == (1, 1, 1, "")


def test_applying_the_same_again_changes_nothing(on: On) -> None:
    objects = system_objects(SYSTEM)
    on.runtime.apply(SYSTEM, objects, SECRETS)
    before = on.await_health(SYSTEM, Health.READY)

    assert on.runtime.preview(SYSTEM, objects) == []
    on.runtime.apply(SYSTEM, copy.deepcopy(objects), SECRETS)

    after = on.runtime.observe(SYSTEM)
    assert (after.health, after.fingerprint) == (Health.READY, before.fingerprint)


def test_a_preview_tells_what_would_be_made_and_makes_nothing(on: On) -> None:
    changes = on.runtime.preview(SYSTEM, system_objects(SYSTEM))

    assert {change.kind for change in changes} == {ChangeKind.CREATE}
    assert ("Deployment", "seat") in {(change.object_kind, change.name) for change in changes}
    assert on.runtime.observe(SYSTEM).health is Health.ABSENT


def test_a_preview_of_an_update_names_the_fields_and_changes_nothing(on: On) -> None:
    objects = system_objects(SYSTEM, "seat", "event")
    on.runtime.apply(SYSTEM, objects, SECRETS)
    on.await_health(SYSTEM, Health.READY)
    fewer = system_objects(SYSTEM, "seat", replicas=2)

    changes = {(change.object_kind, change.name): change for change in on.runtime.preview(SYSTEM, fewer)}

    assert changes["Deployment", "seat"].fields == (FieldChange("spec.replicas", 1, 2),)
    assert changes["Deployment", "event"].kind is ChangeKind.DELETE
    assert on.runtime.observe(SYSTEM).fingerprint == fingerprint(objects, SECRETS)


def test_what_fell_out_of_the_objects_is_pruned(on: On) -> None:
    on.runtime.apply(SYSTEM, system_objects(SYSTEM, "seat", "merch"), SECRETS)
    on.await_health(SYSTEM, Health.READY)

    on.runtime.apply(SYSTEM, system_objects(SYSTEM, "seat"), SECRETS)

    seen = on.await_health(SYSTEM, Health.READY)
    assert [workload.name for workload in seen.workloads] == ["seat"]


def test_a_rollout_never_leaves_a_service_without_a_ready_replica(on: On) -> None:
    objects = system_objects(SYSTEM)
    on.runtime.apply(SYSTEM, objects, SECRETS)
    on.await_health(SYSTEM, Health.READY)
    newer = with_env(objects, "seat", VERSION="2")

    on.runtime.apply(SYSTEM, newer, SECRETS)

    def look() -> Health:
        seen = on.runtime.observe(SYSTEM)
        seat = seen.workload("seat")
        assert seat is not None
        assert seat.ready >= 1
        assert seen.fingerprint == fingerprint(newer, SECRETS)
        return seen.health

    eventually(look, until=lambda health: health is Health.READY)


def test_a_rollout_that_fails_says_why_and_the_old_revision_serves_on(on: On) -> None:
    objects = system_objects(SYSTEM)
    on.runtime.apply(SYSTEM, objects, SECRETS)
    on.await_health(SYSTEM, Health.READY)

    on.runtime.apply(SYSTEM, on.failing(SYSTEM, objects, "seat"), SECRETS)

    seen = on.await_health(SYSTEM, Health.FAILED)
    seat = seen.workload("seat")
    assert seat is not None
    assert (seat.health, seat.ready, seat.reason) == (Health.FAILED, 1, "CrashLoopBackOff")
    assert "KeyError: 'SEAT_PIN'" in seat.message
    assert seen.reason == "CrashLoopBackOff"
    assert "seat" in seen.message


def test_going_back_after_a_failed_rollout_is_ready_again(on: On) -> None:
    objects = system_objects(SYSTEM)
    on.runtime.apply(SYSTEM, objects, SECRETS)
    on.await_health(SYSTEM, Health.READY)
    on.runtime.apply(SYSTEM, on.failing(SYSTEM, objects, "seat"), SECRETS)
    on.await_health(SYSTEM, Health.FAILED)

    on.mended(SYSTEM, "seat")
    on.runtime.apply(SYSTEM, objects, SECRETS)

    assert on.await_health(SYSTEM, Health.READY).fingerprint == fingerprint(objects, SECRETS)


def test_a_first_deployment_that_fails_says_why(on: On) -> None:
    on.runtime.apply(SYSTEM, on.failing(SYSTEM, system_objects(SYSTEM), "seat"), SECRETS)

    seen = on.await_health(SYSTEM, Health.FAILED)

    assert seen.reason == "CrashLoopBackOff"
    assert "KeyError" in seen.message


def test_no_replicas_wanted_is_suspended(on: On) -> None:
    on.runtime.apply(SYSTEM, system_objects(SYSTEM, replicas=0), SECRETS)

    on.await_health(SYSTEM, Health.SUSPENDED)


def test_deleting_removes_all_and_deleting_again_succeeds(on: On) -> None:
    on.runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)
    on.await_health(SYSTEM, Health.READY)

    on.runtime.delete(SYSTEM)
    on.runtime.delete(SYSTEM)

    on.await_health(SYSTEM, Health.ABSENT)
    on.runtime.delete(SYSTEM)
    assert on.runtime.observe(SYSTEM).health is Health.ABSENT


def test_a_deleted_system_can_be_applied_anew(on: On) -> None:
    on.runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)
    on.await_health(SYSTEM, Health.READY)
    on.runtime.delete(SYSTEM)
    on.await_health(SYSTEM, Health.ABSENT)

    on.runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)

    on.await_health(SYSTEM, Health.READY)


def test_logs_are_the_last_lines_oldest_first(on: On) -> None:
    on.runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)
    on.await_health(SYSTEM, Health.READY)
    words = on.make_a_log(SYSTEM, "seat")

    def said() -> list[str]:
        return [word for line in on.runtime.logs(SYSTEM, "seat", 50) for word in words if word in line]

    assert eventually(said, until=lambda found: len(found) >= len(words)) == words
    assert len(on.runtime.logs(SYSTEM, "seat", 2)) == 2
    assert on.runtime.logs(SYSTEM, "seat", 0) == []
    assert on.runtime.logs(SYSTEM, "nobody", 10) == []


def test_the_endpoint_is_the_routes_host(on: On) -> None:
    on.runtime.apply(SYSTEM, system_objects(SYSTEM, host="phantom.localhost"), SECRETS)

    endpoint = on.runtime.endpoint(SYSTEM)

    assert endpoint.public_url.startswith("http://phantom.localhost:")
    assert endpoint.host.partition(":")[0] == "phantom.localhost"
    assert endpoint.connect_url.startswith("http://127.0.0.1:")


def test_there_is_no_endpoint_without_a_route(on: On) -> None:
    with pytest.raises(Rejected):
        on.runtime.endpoint(SYSTEM)


@pytest.mark.parametrize("method", ["preview", "apply"])
def test_objects_of_another_namespace_are_refused(on: On, method: str) -> None:
    _refused(on, method, system_objects(ref(2)), Rejected)


@pytest.mark.parametrize("method", ["preview", "apply"])
def test_a_kind_that_nobody_knows_is_refused(on: On, method: str) -> None:
    strange = {"apiVersion": "example.org/v1", "kind": "Teleporter", "metadata": {"name": "one", "namespace": SYSTEM.namespace}}

    _refused(on, method, [*system_objects(SYSTEM), strange], Unsupported)


@pytest.mark.parametrize("method", ["preview", "apply"])
def test_an_image_that_is_not_there_is_refused_or_fails_at_once(on: On, method: str) -> None:
    objects = system_objects(SYSTEM, image="clove/missing:1")

    if on.refuses_missing_images:
        _refused(on, method, objects, Rejected)
    else:
        _call(on, "apply", SYSTEM, objects)
        assert "clove/missing:1" in on.await_health(SYSTEM, Health.FAILED).message


@pytest.mark.parametrize("method", ["preview", "apply"])
def test_a_namespace_of_another_system_is_refused(on: On, method: str) -> None:
    on.runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)
    on.await_health(SYSTEM, Health.READY)
    other = SystemRef(99, SYSTEM.namespace, "seller-2")

    with pytest.raises(OwnedByAnother):
        _call(on, method, other, system_objects(other))
    with pytest.raises(OwnedByAnother):
        on.runtime.delete(other)


def test_events_name_the_systems_that_move_and_beat_in_between(on: On) -> None:
    on.runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)
    events = on.runtime.events()

    assert next(event for event in events if event) == SYSTEM
    on.await_health(SYSTEM, Health.READY)
    on.runtime.delete(SYSTEM)
    assert next(event for event in events if event) == SYSTEM
    assert next(event for event in events if event is None) is None


def test_a_runtime_that_is_away_is_a_passing_failure(on: On) -> None:
    on.make_unavailable()

    with pytest.raises(RuntimeUnavailable) as failure:
        on.runtime.observe(SYSTEM)

    assert failure.value.is_passing


def test_there_is_a_node_that_is_ready(on: On) -> None:
    nodes = on.runtime.nodes()

    assert any(node.is_ready and node.cpu_m > 0 and node.memory_bytes > 0 for node in nodes)


def _refused(on: On, method: str, objects: list[dict[str, object]], error: type[Exception]) -> None:
    with pytest.raises(error):
        _call(on, method, SYSTEM, objects)
    assert on.runtime.observe(SYSTEM).health is Health.ABSENT


def _call(on: On, method: str, system: SystemRef, objects: list[dict[str, object]]) -> None:
    if method == "preview":
        on.runtime.preview(system, objects)
    else:
        on.runtime.apply(system, objects, SECRETS)


def test_a_volume_is_the_same_at_every_look_and_after_every_apply(on: On) -> None:
    objects = system_objects(SYSTEM, "seat", "event")
    on.runtime.apply(SYSTEM, objects, SECRETS)
    volumes = on.await_health(SYSTEM, Health.READY).volumes
    assert volumes is not None
    assert set(volumes) == {"seat-data", "event-data"}
    assert len(set(volumes.values()) - {""}) == 2

    on.runtime.apply(SYSTEM, with_env(objects, "seat", VERSION="2"), SECRETS, keeps=volumes)

    assert on.await_health(SYSTEM, Health.READY).volumes == volumes


def test_a_system_that_is_closed_answers_nobody_until_it_is_applied_again(on: On) -> None:
    objects = system_objects(SYSTEM)
    on.runtime.close(SYSTEM, objects)
    assert on.runtime.observe(SYSTEM).health is Health.ABSENT
    on.runtime.apply(SYSTEM, objects, SECRETS)
    volumes = on.await_health(SYSTEM, Health.READY).volumes

    for _ in range(2):
        on.runtime.close(SYSTEM, objects)

    assert on.await_health(SYSTEM, Health.SUSPENDED).volumes == volumes
    on.runtime.apply(SYSTEM, objects, SECRETS, keeps=volumes or {})
    seen = on.await_health(SYSTEM, Health.READY)
    assert (seen.volumes, seen.fingerprint) == (volumes, fingerprint(objects, SECRETS))


def test_nothing_takes_the_place_of_a_volume_that_is_gone_until_that_is_asked_for(on: On) -> None:
    objects = system_objects(SYSTEM, "seat", "event")
    on.runtime.apply(SYSTEM, objects, SECRETS)
    volumes = on.await_health(SYSTEM, Health.READY).volumes or {}
    on.runtime.close(SYSTEM, objects)
    on.await_health(SYSTEM, Health.SUSPENDED)
    on.take_volume(SYSTEM, "seat-data")

    with pytest.raises(DataGone, match="seat-data is gone"):
        on.runtime.apply(SYSTEM, with_env(objects, "seat", VERSION="2"), SECRETS, keeps=volumes)

    assert on.runtime.observe(SYSTEM).volumes == {"event-data": volumes["event-data"]}
    on.runtime.apply(SYSTEM, objects, SECRETS, keeps={"event-data": volumes["event-data"]})
    now = on.await_health(SYSTEM, Health.READY).volumes or {}
    assert now["event-data"] == volumes["event-data"]
    assert now["seat-data"] not in ("", volumes["seat-data"])
