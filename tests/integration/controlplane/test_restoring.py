"""A backup is put back: by an admin alone, over nothing that runs or has data, once; and what is told of backups."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from controlplane.accounts.models import User
from controlplane.lib.models import AuditRow
from controlplane.runtime.port import Backup, Health, Observation, SystemRef, Workload
from controlplane.systems import data_loss, operating, reopening, services
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem, Operation, State
from tests.controlplane import Site, SiteRuntime, numbered_requirement
from tests.integration.controlplane.looks import copies, deployed, last, look, restores, settle

pytestmark = pytest.mark.django_db(transaction=True)


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
