"""A booking system whose data are gone: nothing takes their place until they are there again, or an admin says so."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.lib.models import AuditRow
from controlplane.runtime.objects import of_kind
from controlplane.runtime.port import GOING, Health
from controlplane.systems import data_loss, databases, operating, selectors, services
from controlplane.systems.models import BookingSystem, Operation, State
from controlplane.systems.outcomes import Retry
from tests.controlplane import SiteRuntime, numbered_requirement
from tests.integration.controlplane.looks import applies, copies, deployed, last, look, settle

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_namespace_that_somebody_deleted_is_not_made_anew(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.delete(system.ref)
    before = applies(runtime)

    look(system, runtime, times=3)

    assert (system.state, system.reason_code) == (State.DATA_GONE, "data_gone")
    assert "seat-data" in system.reason
    assert applies(runtime) == before
    assert runtime.observe(system.ref).health is Health.ABSENT
    row = AuditRow.objects.get(action="system.data_gone", subject_id=str(system.pk))
    assert "seat-data" in row.details["volumes"]
    assert selectors.public_events() == []


def test_one_look_sends_nobody_away_and_the_second_closes_it(
    seller: Any, runtime: SiteRuntime, sent: list[tuple[str, dict[str, Any], float]]
) -> None:
    system = deployed(seller, runtime)
    runtime.loses_object(system.namespace, "PersistentVolumeClaim", "seat-data")
    sent.clear()

    look(system, runtime)
    assert copies(system, runtime) == {1}
    assert [(arguments["system_id"], delay_s) for _, arguments, delay_s in sent] == [(system.pk, data_loss.CONFIRM_S)]

    before = applies(runtime)
    look(system, runtime, times=2)
    assert copies(system, runtime) == {0}
    assert applies(runtime) == before
    assert "seat-data" not in (runtime.observe(system.ref).volumes or {})


def test_a_volume_in_its_place_is_not_its_own(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.finds_volume(system.namespace, "seat-data", "another")

    look(system, runtime, times=2)

    assert (system.state, system.reason_code, system.reason_params) == (State.DATA_GONE, "data_other", {"volumes": "seat-data"})
    assert copies(system, runtime) == {0}


def test_data_that_go_when_nothing_uses_them_any_more_are_not_ended_by_closing(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.finds_volume(system.namespace, "seat-data", GOING)

    look(system, runtime, times=2)

    assert (system.state, system.reason_code, system.reason_params) == (State.DATA_GONE, "data_going", {"volumes": "seat-data"})
    deployments = of_kind(runtime.systems[system.namespace].objects, "Deployment")
    assert {item["metadata"]["name"] for item in deployments if item["spec"]["replicas"]} == {"seat"}

    runtime.loses_object(system.namespace, "PersistentVolumeClaim", "seat-data")
    look(system, runtime, times=2)
    assert (system.reason_code, copies(system, runtime)) == ("data_gone", {0})


def test_what_is_there_again_goes_on_as_it_was(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    kept = runtime.systems.pop(system.namespace)
    look(system, runtime, times=3)
    assert system.state == State.DATA_GONE

    runtime.systems[system.namespace] = kept
    look(system, runtime, times=2)

    assert (system.state, system.reason_code, system.health) == (State.LIVE, "", "ready")
    assert copies(system, runtime) == {1}
    assert AuditRow.objects.filter(action="system.data_back", subject_id=str(system.pk)).count() == 1


def test_one_that_was_closed_for_a_volume_that_is_back_opens_again(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    uid = runtime.systems[system.namespace].volumes["seat-data"]
    runtime.loses_object(system.namespace, "PersistentVolumeClaim", "seat-data")
    look(system, runtime, times=3)
    assert copies(system, runtime) == {0}

    runtime.finds_volume(system.namespace, "seat-data", uid)
    look(system, runtime, times=2)

    assert system.state == State.LIVE
    assert copies(system, runtime) == {1}
    assert runtime.systems[system.namespace].volumes["seat-data"] == uid


def test_one_that_rests_is_found_out_too_and_rests_on_once_its_data_are_back(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    operating.system_suspend(system=system, acting_user=seller)
    settle(system, runtime)
    kept = runtime.systems.pop(system.namespace)

    look(system, runtime, times=2)
    assert system.state == State.DATA_GONE

    runtime.systems[system.namespace] = kept
    look(system, runtime, times=2)
    assert system.state == State.SUSPENDED
    assert copies(system, runtime) == {0}


def test_one_from_before_its_volumes_were_noted_is_not_made_anew_either(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    BookingSystem.objects.filter(pk=system.pk).update(data_marks=None)
    runtime.delete(system.ref)

    look(system, runtime, times=2)

    assert system.state == State.DATA_GONE
    assert runtime.observe(system.ref).health is Health.ABSENT


def test_one_from_before_its_volumes_were_noted_loses_nothing_to_a_change(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    BookingSystem.objects.filter(pk=system.pk).update(data_marks=None)
    runtime.delete(system.ref)
    system.refresh_from_db()

    operating.system_restart(system=system, service="seat", acting_user=seller)
    look(system, runtime, times=2)

    assert (last(system).state, last(system).reason_code) == (Operation.State.FAILED, "data_gone")
    assert system.state == State.DATA_GONE
    assert runtime.observe(system.ref).health is Health.ABSENT


def test_a_change_under_way_ends_when_the_data_go_and_makes_nothing(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.ready_after = 1000
    operating.system_restart(system=system, service="seat", acting_user=seller)
    look(system, runtime)
    assert last(system).is_running
    runtime.delete(system.ref)

    look(system, runtime, times=2)

    assert (last(system).state, last(system).reason_code) == (Operation.State.FAILED, "data_not_there")
    assert system.state == State.DATA_GONE
    assert runtime.observe(system.ref).health is Health.ABSENT


def test_a_change_that_brings_a_service_notes_its_volume_and_one_that_takes_it_away_forgets_it(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime, numbered_requirement(merchandise=False, products=[]))
    assert "merch-data" not in data_loss.keeps(system)

    services.system_update(system=system, requirement=numbered_requirement(), acting_user=seller)
    settle(system, runtime)
    assert data_loss.keeps(system)["merch-data"] == runtime.systems[system.namespace].volumes["merch-data"]

    services.system_update(system=system, requirement=numbered_requirement(merchandise=False, products=[]), acting_user=seller)
    settle(system, runtime)
    assert "merch-data" not in data_loss.keeps(system)
    runtime.systems[system.namespace].volumes.pop("merch-data")
    assert look(system, runtime, times=2).state == State.LIVE


def changed_and_not_noted_yet(system: BookingSystem, runtime: SiteRuntime, seller: Any, requirement: dict[str, Any]) -> None:
    services.system_update(system=system, requirement=requirement, acting_user=seller)
    while last(system).state == Operation.State.RUNNING:
        look(system, runtime)
    assert (system.data_marks or {})["revision"] != system.live_revision_id


def test_a_volume_that_goes_with_its_service_before_that_is_noted_holds_nothing_up(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    changed_and_not_noted_yet(system, runtime, seller, numbered_requirement(merchandise=False, products=[]))
    runtime.systems[system.namespace].volumes.pop("merch-data")
    runtime.changed_by("kubectl", system.namespace, "Deployment", "seat", "spec.replicas", 5)

    look(system, runtime, times=3)

    assert (runtime.observe(system.ref).drift, system.state) == ("", State.LIVE)
    assert "merch-data" not in data_loss.keeps(system)


def test_a_volume_that_came_with_a_service_and_goes_before_it_is_noted_is_not_made_anew(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime, numbered_requirement(merchandise=False, products=[]))
    changed_and_not_noted_yet(system, runtime, seller, numbered_requirement())
    runtime.loses_object(system.namespace, "PersistentVolumeClaim", "merch-data")

    operating.system_restart(system=system, service="seat", acting_user=seller)
    look(system, runtime, times=3)

    assert (last(system).state, last(system).reason_code) == (Operation.State.FAILED, "data_gone")
    assert system.state == State.DATA_GONE
    assert "merch-data" not in runtime.systems[system.namespace].volumes


def test_schemas_that_are_gone_from_a_server_outside_are_not_made_anew(
    seller: Any, runtime: SiteRuntime, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BOOKING_DATABASE = "mysql"
    settings.BOOKING_DATABASE_ADMIN = {"HOST": "192.0.2.7", "PORT": "3306", "USER": "root", "PASSWORD": "x"}
    settings.BOOKING_DATABASE_NETWORKS = ["192.0.2.0/24"]
    schemas: dict[str, str] = {}

    def make(database: Any, passwords: Any) -> None:
        for name in database.schemas.values():
            schemas.setdefault(name, f"made {len(schemas)}")

    monkeypatch.setattr(databases, "make_outside", make)
    monkeypatch.setattr(databases, "first_migrations", lambda database, names: {name: schemas[name] for name in names if name in schemas})
    system = deployed(seller, runtime)
    runtime.delete(system.ref)
    settle(system, runtime)
    assert system.state == State.LIVE, "its data are outside"

    (seat,) = [name for name in schemas if name.endswith("seat")]
    made = schemas.pop(seat)
    operating.system_restart(system=system, service="seat", acting_user=seller)
    settle(system, runtime)
    assert (last(system).state, last(system).reason_code) == (Operation.State.FAILED, "data_gone")
    assert seat not in schemas

    runtime.will_fail(system.namespace, "seat")
    look(system, runtime, times=2)
    assert (system.state, system.reason_params) == (State.DATA_GONE, {"volumes": seat})

    def silent(*_: Any) -> dict[str, str]:
        raise Retry("database_silent", host="192.0.2.7", error=2002)

    with monkeypatch.context() as away:
        away.setattr(databases, "first_migrations", silent)
        assert look(system, runtime).state == State.DATA_GONE

    schemas[seat] = made
    runtime.recovers(system.namespace, "seat")
    assert look(system, runtime, times=2).state == State.LIVE
