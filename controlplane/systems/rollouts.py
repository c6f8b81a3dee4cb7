"""Holding a change that is being rolled out, letting it go on, or giving it up for the live revision.

The operation stays the same one: it is neither ended nor begun anew, and the time it is held counts against no deadline. Each of these
gives it (and its system) the next generation, so that whoever is just looking at it stops writing and looks again (lease.py).
"""

from __future__ import annotations

from math import ceil

from django.db import transaction
from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.lib import audit, queue
from controlplane.lib.reasons import Reason, declare, gettext_noop
from controlplane.systems import caps
from controlplane.systems.errors import Refused
from controlplane.systems.lease import CONVERGE
from controlplane.systems.models import BookingSystem, Operation, OperationStep
from controlplane.systems.planning import live_plan
from controlplane.systems.steps import PAUSE, columns_of
from controlplane.systems.taking_back import take_back
from controlplane.systems.wishes import Kind, check_generation, lock, refuse_deleted

ROLLED_OUT = (Kind.UPDATE, Kind.ROLLBACK, Kind.SCALE, Kind.MOVE, Kind.RESTART, Kind.ROTATE)
"""Kinds whose rollout replaces what serves: there is something that goes on serving meanwhile."""

declare(
    {
        "no_rollout": gettext_noop("No change is being rolled out."),
        "rollout_over": gettext_noop("Its services run already; there is nothing left to hold."),
        "is_paused": gettext_noop("It is held already."),
        "not_paused": gettext_noop("It is not held."),
        "abandoned": gettext_noop("%(who)s gave it up. What was live before serves on."),
        "step_held": gettext_noop("Held: %(ready)s of %(wanted)s services are ready, and what serves goes on serving."),
        "step_paused": gettext_noop("Held by %(who)s"),
        "step_went_on": gettext_noop("Held for %(seconds)s s in all"),
    }
)


def rollout_pause(*, system: BookingSystem, acting_user: User, expected_generation: int | None = None) -> Operation:
    """Hold the rollout that is under way: copies of the old and of the new revision stay as they are.

    Raises Refused (`no_rollout`, `rollout_over`, `is_paused`, `being_deleted`) and GenerationConflict.
    """
    with transaction.atomic():
        operation = _rollout(system, expected_generation)
        if operation.steps.filter(name="start", state=OperationStep.State.DONE).exists():
            raise Refused("rollout_over")
        if operation.paused_at:
            raise Refused("is_paused")
        operation.paused_at = timezone.now()
        reason = Reason("step_paused", {"who": str(acting_user)})
        OperationStep.objects.update_or_create(
            operation=operation, name=PAUSE, defaults={"state": OperationStep.State.RUNNING, "ended_at": None, **_said(reason)}
        )
        audit.record("system.pause", system, acting_user=acting_user, operation=operation.pk)
        return _look_again(system, operation)


def rollout_resume(*, system: BookingSystem, acting_user: User, expected_generation: int | None = None) -> Operation:
    """Let it go on from where it was held. Raises Refused (`no_rollout`, `not_paused`, `being_deleted`) and GenerationConflict."""
    with transaction.atomic():
        operation = _rollout(system, expected_generation)
        now = timezone.now()
        if operation.paused_at is None:
            raise Refused("not_paused")
        operation.paused_s += ceil((now - operation.paused_at).total_seconds())
        operation.paused_at, operation.progress_at = None, now
        reason = Reason("step_went_on", {"seconds": operation.paused_s})
        operation.steps.filter(name=PAUSE).update(state=OperationStep.State.DONE, ended_at=now, **_said(reason))
        audit.record("system.unpause", system, acting_user=acting_user, operation=operation.pk)
        return _look_again(system, operation)


def rollout_abandon(*, system: BookingSystem, acting_user: User, expected_generation: int | None = None) -> Operation:
    """Give the change up, held or not: a worker brings the live revision back, as after a change that failed.

    What was asked for by the form stays there to be asked again; scaling, moves and restarts go back to the live ones. Raises Refused
    (`no_rollout`, `being_deleted`) and GenerationConflict.
    """
    with transaction.atomic():
        operation = _rollout(system, expected_generation)
        now, reason = timezone.now(), Reason("abandoned", {"who": str(acting_user)})
        operation.steps.filter(state=OperationStep.State.RUNNING).update(state=OperationStep.State.FAILED, ended_at=now, **_said(reason))
        operation.state, operation.ended_at = Operation.State.FAILED, now
        system.adjustments = take_back(system, operation)
        if live := live_plan(system):
            for name, value in caps.columns(caps.amounts_of(live)).items():
                setattr(system, name, value)
        for owner in (operation, system):
            for name, value in columns_of(reason).items():
                setattr(owner, name, value)
        system.observed_generation = system.generation + 1
        audit.record("system.abandon", system, acting_user=acting_user, operation=operation.pk)
        return _look_again(system, operation)


def _rollout(system: BookingSystem, expected_generation: int | None) -> Operation:
    """The change of a serving SYSTEM that is under way; takes the system's lock."""
    lock(system)
    refuse_deleted(system)
    check_generation(system, expected_generation)
    operation = system.operations.filter(state=Operation.State.RUNNING, kind__in=ROLLED_OUT).first()
    live = live_plan(system)
    if operation is None or live is None or live.adjustments.is_suspended:
        raise Refused("no_rollout")
    return operation


def _look_again(system: BookingSystem, operation: Operation) -> Operation:
    """Under the lock: store both as of the next generation, and wake a worker on commit."""
    system.generation += 1
    system.attempts, system.next_check_at = 0, timezone.now()
    system.save()
    operation.generation = system.generation
    # Whatever was handed over before is to be handed over again, held or not.
    operation.fingerprint = ""
    operation.save()
    queue.send_on_commit(CONVERGE, system_id=system.pk)
    return operation


def _said(reason: Reason) -> dict[str, object]:
    return {"message_code": reason.code, "message": reason.message, "message_params": dict(reason.params)}
