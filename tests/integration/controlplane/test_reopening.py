"""A booking system whose data are gone goes on as an admin says: without them, with another volume, at rest, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.accounts.models import User
from controlplane.lib.models import AuditRow
from controlplane.runtime.port import GOING
from controlplane.systems import data_loss, operating, reopening, services
from controlplane.systems.errors import DeletionRefused, Refused
from controlplane.systems.models import BookingSystem, Operation, State
from tests.controlplane import Site, SiteRuntime, numbered_requirement
from tests.integration.controlplane.looks import copies, deployed, last, look, settle, without_data

pytestmark = pytest.mark.django_db(transaction=True)


def test_while_a_deleted_volume_is_in_use_nothing_is_put_in_its_place(seller: Any, runtime: SiteRuntime, admin: User) -> None:
    system = deployed(seller, runtime)
    runtime.finds_volume(system.namespace, "seat-data", GOING)
    look(system, runtime, times=2)

    with pytest.raises(Refused) as refused:
        reopening.system_reopen(system=system, rests=False, acting_user=admin)
    assert refused.value.reason.code == "data_still_there"


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


def test_it_can_be_deleted_by_an_admin_who_says_that_nothing_can_be_archived(seller: Any, runtime: SiteRuntime, admin: User) -> None:
    system = without_data(seller, runtime)

    with pytest.raises(DeletionRefused) as refused:
        services.system_delete(system=system, typed_name=system.title, acting_user=seller)
    assert refused.value.reason.code == "tickets_unknown"
    services.system_delete(system=system, typed_name=system.title, acting_user=admin, force=True)
    settle(system, runtime)

    assert system.state == State.DELETED
