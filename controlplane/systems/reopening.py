"""A backup put back, and how a booking system whose data are gone goes on: as an admin says, with a backup or with nothing.

(It can be deleted besides, as any other.) Each is an operation like any other; it makes the volumes that are not there, and until it has
succeeded the system stays closed. What comes to nothing leaves it as it was: without its data, and closed.

A backup is also put back over the data of a system that rests: while that goes on nothing else is asked of it, and the database itself lets
nobody in until all is whole (manifests/database/restore.sh), also after a restore that failed in the middle.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import transaction

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.lib.reasons import declare, gettext_noop
from controlplane.rendering.render import is_backup_name
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem, Operation, State
from controlplane.systems.planning import adjustments_of, live_plan
from controlplane.systems.standing import KEEPS, standing_row
from controlplane.systems.wishes import Kind, check_generation, lock_to_wish, refuse_deleted, refuse_while_restoring, wish

BACKUP = "backup"
"""In the `result` of a restore: the file that is put back, or `latest`."""
OVER_DATA = "over_data"
"""In it: whether the system has its data, and these are to be there until the backup takes their place."""

declare(
    {
        "admins_only": gettext_noop("An admin of the platform has to say this."),
        "data_still_there": gettext_noop(
            "The volume that was deleted is still in use, and its data are in it. Make a backup, then delete the pod that uses it; after "
            "that it can go on."
        ),
        "data_there": gettext_noop("Its data are there; there is nothing to put in their place."),
        "rest_first": gettext_noop("It runs, and would write meanwhile. Suspend it first, and wait until it rests."),
        "no_backups": gettext_noop("The platform makes no backups of this booking system."),
        "bad_backup": gettext_noop("This is not the name of a backup: %(name)s"),
    }
)


def system_restore(*, system: BookingSystem, backup: str, acting_user: User, expected_generation: int | None = None) -> Operation:
    """Put BACKUP (a file of its volume with backups, or `latest`) back into the database; the system rests then, to be resumed.

    For a system that rests, and for one whose data are gone: that one gets an empty database first. Raises Refused (`admins_only`,
    `rest_first`, `restoring`, `data_still_there`, `no_backups`, `bad_backup`, `being_deleted`) and GenerationConflict.
    """
    if not is_backup_name(backup):
        raise Refused("bad_backup", name=backup[:60])
    with transaction.atomic():
        _check(system, acting_user, expected_generation)
        refuse_while_restoring(system)
        plan = live_plan(system)
        if plan is None or plan.database is None or plan.database.server is None:
            raise Refused("no_backups")
        has_data = system.state != State.DATA_GONE
        # Whoever resumes it asks for that at once; it is suspended until all run.
        if has_data and not (system.state == State.SUSPENDED and adjustments_of(system).is_suspended):
            raise Refused("rest_first")
        return _wish(system, Kind.RESTORE, acting_user, is_suspended=True, result={BACKUP: backup, OVER_DATA: has_data})


def system_reopen(*, system: BookingSystem, rests: bool, acting_user: User, expected_generation: int | None = None) -> Operation:
    """Go on with what is there now, be it another volume or none: then with an empty database. RESTS: nothing but that runs afterwards.

    Raises Refused (`admins_only`, `data_there`, `restoring`, `data_still_there`, `being_deleted`) and GenerationConflict.
    """
    with transaction.atomic():
        _check(system, acting_user, expected_generation)
        if system.state != State.DATA_GONE:
            raise Refused("data_there")
        return _wish(system, Kind.REOPEN, acting_user, is_suspended=rests, result={})


def _check(system: BookingSystem, acting_user: User, expected_generation: int | None) -> None:
    if not acting_user.is_admin:
        raise Refused("admins_only")
    lock_to_wish(system)
    refuse_deleted(system)
    check_generation(system, expected_generation)
    if system.state == State.DATA_GONE and system.reason_code == "data_going":
        raise Refused("data_still_there")


def _wish(system: BookingSystem, kind: Kind, acting_user: User, *, is_suspended: bool, result: dict[str, Any]) -> Operation:
    system.adjustments = replace(adjustments_of(system), is_suspended=is_suspended).to_json()
    # What its services were given went with their databases.
    system.content_given = {}
    audit.record(f"system.{kind.value}", system, acting_user=acting_user, lost=system.reason, rests=is_suspended, **result)
    kept = standing_row(system, acting_user)
    if kept.pk != system.requirement_id:
        result = result | {KEEPS: True}
    return wish(system, kind, acting_user, requirement=kept, result=result)
