"""Does what is asked of a running booking system beyond its requirement: scale, move, restart, change keys, suspend, resume, leave what
hands change, take back what others manage.

Each but the last two is a wish like any other (services.py): a new revision, previewed and applied by a worker, with its steps; a rollback
takes it back.
"""

from __future__ import annotations

from django.db import transaction

from controlplane.accounts.models import User
from controlplane.lib import audit, queue
from controlplane.lib.reasons import declare, gettext_noop
from controlplane.rendering.adjustments import Autoscale
from controlplane.rendering.images import ResourcesPlan
from controlplane.runtime.port import Runtime
from controlplane.systems import conflicts
from controlplane.systems.asks import Ask, Move, Restart, Resume, RotateKeys, Scale, Suspend, adjusted
from controlplane.systems.errors import Refused
from controlplane.systems.lease import CONVERGE
from controlplane.systems.models import BookingSystem, Operation
from controlplane.systems.services import system_retry
from controlplane.systems.standing import KEEPS, standing_row
from controlplane.systems.wishes import check_generation, lock, lock_to_wish, refuse_deleted, wish

declare(
    {
        "step_stopped": gettext_noop("%(ready)s of %(wanted)s services rest or keep the data."),
        "no_conflict": gettext_noop("Nobody stands in its way any more."),
        "step_suspended": gettext_noop("Suspended: nothing runs but what keeps its data"),
    }
)


def system_ask(*, system: BookingSystem, ask: Ask, acting_user: User | None, expected_generation: int | None = None) -> Operation:
    """Do what is ASKed, and nothing else. EXPECTED_GENERATION is that of the system when its preview was looked at.

    Raises Refused as `asks.adjusted` does, and GenerationConflict.
    """
    with transaction.atomic():
        lock_to_wish(system)
        check_generation(system, expected_generation)
        adjustments, told = adjusted(system, ask)
        system.adjustments = adjustments.to_json()
        audit.record(f"system.{ask.kind.value}", system, acting_user=acting_user, **told)
        kept = standing_row(system, acting_user)
        result = {} if kept.pk == system.requirement_id else {KEEPS: True}
        return wish(system, ask.kind, acting_user, requirement=kept, result=result)


def system_scale(
    *,
    system: BookingSystem,
    service: str,
    acting_user: User,
    replicas: int | None = None,
    autoscale: Autoscale | None = None,
    resources: ResourcesPlan | None = None,
) -> Operation:
    """Run SERVICE as REPLICAS copies, or as many as AUTOSCALE decides, each with RESOURCES; what is None stays as it is."""
    return system_ask(system=system, ask=Scale(service, replicas, autoscale, resources), acting_user=acting_user)


def system_move(
    *, system: BookingSystem, service: str, node: str, runtime: Runtime, acting_user: User, expected_generation: int | None = None
) -> Operation:
    """Run SERVICE on NODE, or with an empty one wherever there is room: the new copies are ready there before the old ones end here.

    Asks the runtime for its nodes. Raises Refused also for `no_such_node`, and RuntimeFailure when the runtime does not answer.
    """
    ask = Move(service, node)
    adjusted(system, ask)
    check_node(node, runtime)
    return system_ask(system=system, ask=ask, acting_user=acting_user, expected_generation=expected_generation)


def check_node(node: str, runtime: Runtime) -> None:
    """Raises Refused (`no_such_node`) unless NODE is empty or one that is ready."""
    if node and not any(found.name == node and found.is_ready for found in runtime.nodes()):
        raise Refused("no_such_node", node=node)


def system_restart(*, system: BookingSystem, service: str, acting_user: User) -> Operation:
    """Replace every copy of SERVICE, as an update does: without a failed request."""
    return system_ask(system=system, ask=Restart(service), acting_user=acting_user)


def system_rotate_keys(*, system: BookingSystem, acting_user: User | None) -> Operation:
    """Change the signing keys of SYSTEM, and the one by which it knows staff: see rotating.py. ACTING_USER None: the platform itself."""
    return system_ask(system=system, ask=RotateKeys(), acting_user=acting_user)


def system_suspend(*, system: BookingSystem, acting_user: User) -> Operation:
    """Let nothing of it run but its database, until it is resumed."""
    return system_ask(system=system, ask=Suspend(), acting_user=acting_user)


def system_resume(*, system: BookingSystem, acting_user: User) -> Operation:
    """Let it run again as it did."""
    return system_ask(system=system, ask=Resume(), acting_user=acting_user)


def conflict_take(*, system: BookingSystem, acting_user: User, expected_generation: int | None = None) -> None:
    """Take what stands in the way of SYSTEM from its owner, at the next apply and once; a change that failed over it is tried again.

    Raises Refused (`no_conflict`, `being_deleted`) and GenerationConflict.
    """
    with transaction.atomic():
        lock(system)
        refuse_deleted(system)
        check_generation(system, expected_generation)
        system.refresh_from_db(fields=["conflict"])
        known = system.conflict
        if not known:
            raise Refused("no_conflict")
        system.conflict = {**known, conflicts.IS_TAKEN: True}
        system.not_before = None
        system.save(update_fields=["conflict", "not_before"])
        told = {"object": known[conflicts.OBJECT], "owner": known[conflicts.OWNER]}
        audit.record("system.take_back", system, acting_user=acting_user, **told)
        if conflicts.has_failed_over_it(system):
            system_retry(system=system, acting_user=acting_user)
        else:
            queue.send_on_commit(CONVERGE, system_id=system.pk)


def drift_leave(*, system: BookingSystem, leaves: bool, acting_user: User, expected_generation: int | None = None) -> None:
    """From now on leave what somebody changes by hand in SYSTEM until its next change, or put it right, as is the rule.

    Raises Refused (`being_deleted`) and GenerationConflict.
    """
    with transaction.atomic():
        lock(system)
        refuse_deleted(system)
        check_generation(system, expected_generation)
        if system.leaves_drift != leaves:
            system.leaves_drift, system.repairs, system.not_before = leaves, 0, None
            system.save(update_fields=["leaves_drift", "repairs", "not_before"])
            audit.record("system.leave_drift" if leaves else "system.mend_drift", system, acting_user=acting_user)
            queue.send_on_commit(CONVERGE, system_id=system.pk)
