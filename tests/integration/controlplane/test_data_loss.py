"""A booking system whose data are gone: nothing takes their place until they are there again, or an admin says so."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from controlplane.accounts.models import Role, User
from controlplane.lib.models import AuditRow
from controlplane.runtime.objects import of_kind
from controlplane.runtime.port import GOING, Backup, Health, Observation, SystemRef, Workload
from controlplane.systems import data_loss, databases, operating, reopening, selectors, services
from controlplane.systems.converge import converge
from controlplane.systems.errors import DeletionRefused, Refused
from controlplane.systems.models import BookingSystem, Operation, State
from controlplane.systems.outcomes import Retry
from tests.controlplane import Site, SiteRuntime, numbered_requirement
from tests.integration.controlplane.looks import deployed, last, settle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_user("admin@example.kr", "pw", role=Role.ADMIN)


def look(system: BookingSystem, runtime: SiteRuntime, *, times: int = 1) -> BookingSystem:
    for _ in range(times):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system


def applies(runtime: SiteRuntime) -> int:
    return sum(method == "apply" for method, _ in runtime.calls)


def copies(system: BookingSystem, runtime: SiteRuntime) -> set[int]:
    return {item["spec"]["replicas"] for item in of_kind(runtime.systems[system.namespace].objects, "Deployment")}


def restores(objects: Any) -> list[Any]:
    return [item for item in of_kind(objects, "Job") if "restore" in item["metadata"]["name"]]


def without_data(seller: Any, runtime: SiteRuntime) -> BookingSystem:
    """A system whose namespace somebody deleted, which has been noticed."""
    system = deployed(seller, runtime)
    runtime.delete(system.ref)
    look(system, runtime, times=2)
    assert system.state == State.DATA_GONE
    return system


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


def test_while_a_deleted_volume_is_in_use_nothing_is_put_in_its_place(seller: Any, runtime: SiteRuntime, admin: User) -> None:
    system = deployed(seller, runtime)
    runtime.finds_volume(system.namespace, "seat-data", GOING)
    look(system, runtime, times=2)

    with pytest.raises(Refused) as refused:
        reopening.system_reopen(system=system, rests=False, acting_user=admin)
    assert refused.value.reason.code == "data_still_there"


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


def test_one_from_before_its_volumes_were_noted_stays_closed_too_when_opening_it_comes_to_nothing(
    seller: Any, runtime: SiteRuntime, admin: User
) -> None:
    system = deployed(seller, runtime)
    BookingSystem.objects.filter(pk=system.pk).update(data_marks=None)
    runtime.delete(system.ref)
    look(system, runtime, times=2)
    runtime.will_fail(system.namespace, "seat")

    reopening.system_reopen(system=system, rests=False, acting_user=admin)
    settle(system, runtime)
    look(system, runtime, times=2)

    assert (last(system).state, system.state) == (Operation.State.FAILED, State.DATA_GONE)
    assert copies(system, runtime) == {0}


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


def test_until_an_admin_says_how_it_goes_on_nothing_else_is_asked_of_it(seller: Any, runtime: SiteRuntime, admin: User) -> None:
    system = without_data(seller, runtime)

    for ask in (
        lambda: services.system_update(system=system, requirement=numbered_requirement(), acting_user=seller),
        lambda: operating.system_restart(system=system, service="seat", acting_user=seller),
        lambda: operating.system_suspend(system=system, acting_user=seller),
    ):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.reason.code == "data_gone_first"
    with pytest.raises(Refused) as refused:
        reopening.system_reopen(system=system, rests=False, acting_user=seller)
    assert refused.value.reason.code == "admins_only"
    with pytest.raises(Refused) as refused:
        reopening.system_restore(system=system, backup="latest", acting_user=admin)
    assert refused.value.reason.code == "no_backups"


def test_an_admin_opens_it_without_its_data(seller: Any, runtime: SiteRuntime, site: Site, admin: User) -> None:
    system = without_data(seller, runtime)
    site.calls.clear()

    reopening.system_reopen(system=system, rests=False, acting_user=admin)
    assert system.state == State.DATA_GONE
    settle(system, runtime)

    assert (system.state, last(system).kind) == (State.LIVE, Operation.Kind.REOPEN)
    assert set(site.puts()) == {"event", "seat", "ticket", "merch"}
    assert data_loss.keeps(system) == runtime.systems[system.namespace].volumes
    row = AuditRow.objects.get(action="system.reopen", subject_id=str(system.pk))
    assert row.actor == admin
    assert "seat-data" in row.details["lost"]
    runtime.delete(system.ref)
    assert look(system, runtime, times=2).state == State.DATA_GONE


def test_another_volume_that_holds_its_data_is_taken_if_an_admin_says_so(seller: Any, runtime: SiteRuntime, admin: User) -> None:
    system = deployed(seller, runtime)
    runtime.finds_volume(system.namespace, "seat-data", "from a snapshot")
    look(system, runtime, times=2)

    reopening.system_reopen(system=system, rests=False, acting_user=admin)
    settle(system, runtime)

    assert system.state == State.LIVE
    assert runtime.systems[system.namespace].volumes["seat-data"] == data_loss.keeps(system)["seat-data"] == "from a snapshot"


def test_an_admin_lets_it_rest_for_a_backup_to_be_put_back_by_hand(seller: Any, runtime: SiteRuntime, site: Site, admin: User) -> None:
    system = without_data(seller, runtime)

    reopening.system_reopen(system=system, rests=True, acting_user=admin)
    settle(system, runtime)
    assert (system.state, copies(system, runtime)) == (State.SUSPENDED, {0})

    site.calls.clear()
    operating.system_resume(system=system, acting_user=seller)
    settle(system, runtime)
    assert system.state == State.LIVE
    assert set(site.puts()) == {"event", "seat", "ticket", "merch"}


def test_what_comes_to_nothing_leaves_it_closed_and_without_its_data(seller: Any, runtime: SiteRuntime, admin: User) -> None:
    system = without_data(seller, runtime)
    runtime.will_fail(system.namespace, "seat")

    reopening.system_reopen(system=system, rests=False, acting_user=admin)
    settle(system, runtime)
    look(system, runtime, times=2)

    assert (last(system).state, system.state) == (Operation.State.FAILED, State.DATA_GONE)
    assert copies(system, runtime) == {0}
    with pytest.raises(Refused):
        services.system_retry(system=system, acting_user=seller)

    runtime.recovers(system.namespace, "seat")
    reopening.system_reopen(system=system, rests=False, acting_user=admin)
    settle(system, runtime)
    assert system.state == State.LIVE


@pytest.mark.parametrize("kind", ["restore", "reopen"])
def test_data_that_came_back_before_the_next_look_are_not_overwritten(
    seller: Any, runtime: SiteRuntime, admin: User, settings: Any, kind: str
) -> None:
    settings.BOOKING_DATABASE = "mariadb"
    system = deployed(seller, runtime)
    kept = runtime.systems.pop(system.namespace)
    look(system, runtime, times=3)
    assert system.state == State.DATA_GONE

    runtime.systems[system.namespace] = kept
    uid = kept.volumes["mariadb-data"]
    if kind == "restore":
        operation = reopening.system_restore(system=system, backup="latest", acting_user=admin)
    else:
        operation = reopening.system_reopen(system=system, rests=True, acting_user=admin)
    settle(system, runtime)
    look(system, runtime, times=2)

    operation.refresh_from_db()
    assert (operation.state, operation.reason_code) == (Operation.State.FAILED, "data_there")
    assert (system.state, copies(system, runtime)) == (State.LIVE, {1})
    assert restores(runtime.systems[system.namespace].objects) == []
    assert runtime.systems[system.namespace].volumes["mariadb-data"] == uid


def test_a_backup_is_put_back_while_all_rests_and_the_next_revision_has_no_job_of_it(
    seller: Any, runtime: SiteRuntime, site: Site, admin: User, settings: Any
) -> None:
    settings.BOOKING_DATABASE = "mariadb"
    system = deployed(seller, runtime)
    assert data_loss.keeps(system).keys() == {"mariadb-data"}
    runtime.delete(system.ref)
    look(system, runtime, times=2)
    with pytest.raises(Refused) as refused:
        reopening.system_restore(system=system, backup="../../etc/passwd", acting_user=admin)
    assert refused.value.reason.code == "bad_backup"

    operation = reopening.system_restore(system=system, backup="clove-20270110T040000Z.sql.gz", acting_user=admin)
    settle(system, runtime)
    operation.refresh_from_db()

    assert (system.state, copies(system, runtime)) == (State.SUSPENDED, {0})
    assert operation.revision
    (job,) = restores(operation.revision.manifests)
    assert job["metadata"]["name"] == f"mariadb-restore-{operation.pk}"
    env = {each["name"]: each["value"] for each in job["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["BACKUP"] == "clove-20270110T040000Z.sql.gz"
    assert job["metadata"]["labels"]["clove.dev/system"] == str(system.pk)
    assert restores(runtime.systems[system.namespace].objects) == []

    site.calls.clear()
    operating.system_resume(system=system, acting_user=seller)
    settle(system, runtime)
    assert system.state == State.LIVE
    assert set(site.puts()) == {"event", "seat", "ticket", "merch"}

    services.system_rollback(system=system, revision=operation.revision, acting_user=admin)
    settle(system, runtime)
    back = last(system).revision
    assert back
    assert (system.state, restores(back.manifests)) == (State.SUSPENDED, []), "what was sold since is not overwritten"


def resting(seller: Any, runtime: SiteRuntime, settings: Any) -> BookingSystem:
    """Suspended, with a database that the platform backs up."""
    settings.BOOKING_DATABASE = "mariadb"
    system = deployed(seller, runtime)
    operating.system_suspend(system=system, acting_user=seller)
    settle(system, runtime)
    assert system.state == State.SUSPENDED
    return system


def test_a_backup_is_put_back_over_the_data_of_a_system_that_rests(
    seller: Any, runtime: SiteRuntime, site: Site, admin: User, settings: Any
) -> None:
    system = resting(seller, runtime, settings)
    kept, uid = data_loss.keeps(system), runtime.systems[system.namespace].volumes["mariadb-data"]

    operation = reopening.system_restore(system=system, backup="latest", acting_user=admin)
    settle(system, runtime)
    look(system, runtime, times=2)
    operation.refresh_from_db()

    assert (operation.state, system.state, copies(system, runtime)) == (Operation.State.SUCCEEDED, State.SUSPENDED, {0})
    assert operation.revision
    assert [job["metadata"]["name"] for job in restores(operation.revision.manifests)] == [f"mariadb-restore-{operation.pk}"]
    assert restores(runtime.systems[system.namespace].objects) == []
    assert data_loss.keeps(system) == kept
    assert runtime.systems[system.namespace].volumes["mariadb-data"] == uid
    row = AuditRow.objects.get(action="system.restore", subject_id=str(system.pk))
    assert (row.actor, row.details["backup"]) == (admin, "latest")

    operating.system_resume(system=system, acting_user=seller)
    settle(system, runtime)
    assert system.state == State.LIVE


def test_while_a_backup_is_put_back_nothing_else_is_asked_of_it(seller: Any, runtime: SiteRuntime, admin: User, settings: Any) -> None:
    system = resting(seller, runtime, settings)
    operation = reopening.system_restore(system=system, backup="latest", acting_user=admin)

    for ask in (
        lambda: operating.system_resume(system=system, acting_user=seller),
        lambda: services.system_update(system=system, requirement=numbered_requirement(), acting_user=seller),
        lambda: services.system_rollback(system=system, revision=system.live_revision, acting_user=seller),
        lambda: reopening.system_restore(system=system, backup="latest", acting_user=admin),
    ):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.reason.code == "restoring"
    operation.refresh_from_db()
    assert operation.is_running

    settle(system, runtime)
    operating.system_resume(system=system, acting_user=seller)


def test_a_backup_is_put_back_over_nothing_that_runs_and_by_admins_alone(
    seller: Any, runtime: SiteRuntime, admin: User, settings: Any
) -> None:
    settings.BOOKING_DATABASE = "mariadb"
    system = deployed(seller, runtime)

    def refused(user: User) -> str:
        with pytest.raises(Refused) as error:
            reopening.system_restore(system=system, backup="latest", acting_user=user)
        return error.value.reason.code

    assert (refused(seller), refused(admin)) == ("admins_only", "rest_first")
    operating.system_suspend(system=system, acting_user=seller)
    assert refused(admin) == "rest_first"
    settle(system, runtime)
    operating.system_resume(system=system, acting_user=seller)
    assert (system.state, refused(admin)) == (State.SUSPENDED, "rest_first")


def test_a_restore_that_fails_leaves_it_at_rest_and_another_may_follow(
    seller: Any, runtime: SiteRuntime, admin: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = resting(seller, runtime, settings)
    operation = reopening.system_restore(system=system, backup="latest", acting_user=admin)
    name, look_at = f"mariadb-restore-{operation.pk}", runtime.observe

    def failing(ref: SystemRef) -> Observation:
        seen = look_at(ref)
        if name not in {job["metadata"]["name"] for job in restores(runtime.systems[ref.namespace].objects)}:
            return seen
        job = Workload(name, "Job", Health.FAILED, 1, 0, 1, reason="Restarting", message="Nothing was restored: seat still uses it.")
        return dataclasses.replace(seen, health=Health.FAILED, workloads=(*seen.workloads, job))

    monkeypatch.setattr(runtime, "observe", failing)
    settle(system, runtime)
    look(system, runtime, times=2)
    operation.refresh_from_db()

    assert (operation.state, system.state, copies(system, runtime)) == (Operation.State.FAILED, State.SUSPENDED, {0})
    assert "Nothing was restored" in operation.reason
    assert restores(runtime.systems[system.namespace].objects) == []
    with pytest.raises(Refused) as refused:
        services.system_retry(system=system, acting_user=seller)
    assert refused.value.reason.code == "said_anew"
    reopening.system_restore(system=system, backup="latest", acting_user=admin)
    settle(system, runtime)
    assert (last(system).state, system.state) == (Operation.State.SUCCEEDED, State.SUSPENDED)


def test_data_that_go_while_a_backup_is_put_over_them_are_not_made_anew(
    seller: Any, runtime: SiteRuntime, admin: User, settings: Any
) -> None:
    system = resting(seller, runtime, settings)
    reopening.system_restore(system=system, backup="latest", acting_user=admin)
    runtime.delete(system.ref)
    settle(system, runtime)
    look(system, runtime, times=2)

    assert (last(system).state, system.state) == (Operation.State.FAILED, State.DATA_GONE)


def test_the_backup_volume_alone_is_made_anew_and_its_loss_is_told_apart(seller: Any, runtime: SiteRuntime, settings: Any) -> None:
    settings.BOOKING_DATABASE = "mariadb"
    system = deployed(seller, runtime)
    assert data_loss.has_backups(system, runtime.observe(system.ref)) is True
    runtime.loses_object(system.namespace, "PersistentVolumeClaim", data_loss.BACKUPS)
    assert data_loss.has_backups(system, runtime.observe(system.ref)) is False

    look(system, runtime, times=2)

    assert system.state == State.LIVE
    assert data_loss.has_backups(system, runtime.observe(system.ref)) is True


def test_it_can_be_deleted_by_an_admin_who_says_that_nothing_can_be_archived(seller: Any, runtime: SiteRuntime, admin: User) -> None:
    system = without_data(seller, runtime)

    with pytest.raises(DeletionRefused) as refused:
        services.system_delete(system=system, typed_name=system.title, acting_user=seller)
    assert refused.value.reason.code == "tickets_unknown"
    services.system_delete(system=system, typed_name=system.title, acting_user=admin, force=True)
    settle(system, runtime)

    assert system.state == State.DELETED


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


def test_a_backup_that_fails_is_told_once_and_so_is_one_that_is_made_again(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    failed = Backup("2026-11-20T19:00:00Z", "2026-11-21T19:00:30Z", "The volume for the backups is full.")
    runtime.backs_up(system.namespace, failed)

    look(system, runtime, times=3)

    row = AuditRow.objects.get(action="system.backup_failed", subject_id=str(system.pk))
    assert row.details == {"at": failed.failed_at, "message": failed.message, "last_good": failed.good_at}
    runtime.backs_up(system.namespace, Backup("2026-11-22T19:00:05Z"))
    look(system, runtime, times=2)
    assert AuditRow.objects.filter(action="system.backup_again", subject_id=str(system.pk)).count() == 1
