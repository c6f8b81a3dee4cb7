"""How a wish becomes an operation: under the system's lock, with the next generation, and a worker woken on commit."""

from __future__ import annotations

from typing import Any

import msgspec
from django.utils import timezone

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.accounts.models import User
from controlplane.lib import queue
from controlplane.rendering.choose import NoImageFits
from controlplane.rendering.plan import Plan, from_json, readjusted
from controlplane.systems import caps
from controlplane.systems.errors import GenerationConflict, Refused, RequirementInvalid
from controlplane.systems.lease import CONVERGE
from controlplane.systems.models import BookingSystem, Desired, Operation, OperationStep, Requirement, Revision, State
from controlplane.systems.planning import adjustments_of, live_plan, plan_for, read_stored, site_of
from controlplane.systems.taking_back import ASKED

Document = dict[str, Any]
Kind = Operation.Kind
WITHOUT_DATA = (Kind.RESTORE, Kind.REOPEN, Kind.DELETE)
"""What can be asked of a system whose data are gone."""


def lock(system: BookingSystem) -> None:
    """Read SYSTEM's row again under a lock, so that two wishes come one after the other."""
    fresh = BookingSystem.objects.select_for_update().get(pk=system.pk)
    for field in BookingSystem._meta.concrete_fields:
        setattr(system, field.attname, getattr(fresh, field.attname))


def lock_to_wish(system: BookingSystem) -> None:
    """The same, and the turn of its seller to ask for more, before anything else is written; see caps.lock."""
    lock(system)
    caps.lock(system.seller_id)


def refuse_deleted(system: BookingSystem) -> None:
    if system.desired_state == Desired.DELETED:
        raise Refused("being_deleted")


def check_generation(system: BookingSystem, expected: int | None) -> None:
    """Under the lock: raises GenerationConflict when SYSTEM is not of the generation that somebody decided about."""
    if expected is not None and expected != system.generation:
        raise GenerationConflict("generation_conflict", current=system.generation, expected=expected)


def refuse_while_restoring(system: BookingSystem) -> None:
    """Whatever it were, it would take the place of a restore that is under way, and might let services write into half a database."""
    if system.operations.filter(kind=Kind.RESTORE, state=Operation.State.RUNNING).exists():
        raise Refused("restoring")


def wish(
    system: BookingSystem,
    kind: Kind,
    acting_user: User | None,
    *,
    rollback_to: Revision | None = None,
    result: Document | None = None,
    requirement: Requirement | None = None,
) -> Operation:
    """Bump the generation, put an operation for it in place of the one that runs, and wake a worker on commit. Under the lock.

    REQUIREMENT is what it runs by, where that is not the one that is wanted. Raises Refused (`data_gone_first`) for all but DELETE and what
    brings its data back while they are gone, (`restoring`) for all but DELETE while a backup is put back, and as `caps.check` does for
    more than the seller may have.
    """
    if kind != Kind.DELETE:
        refuse_while_restoring(system)
    if system.state == State.DATA_GONE and kind not in WITHOUT_DATA:
        raise Refused("data_gone_first")
    if kind != Kind.DELETE:
        _let_have(system, requirement or system.requirement, rollback_to)
    now = timezone.now()
    running = Operation.objects.filter(system=system, state=Operation.State.RUNNING)
    OperationStep.objects.filter(operation__in=running, state=OperationStep.State.RUNNING).update(
        state=OperationStep.State.FAILED, message_code="superseded", ended_at=now
    )
    running.update(state=Operation.State.SUPERSEDED, reason_code="superseded", ended_at=now)
    system.generation += 1
    system.attempts, system.repairs, system.not_before = 0, 0, None
    system.next_check_at = now
    if kind == Kind.DELETE:
        system.desired_state, system.state = Desired.DELETED, State.DELETING
    else:
        system.desired_state = Desired.LIVE
        if not system.live_revision_id:
            system.state = State.DEPLOYING
    if system.state != State.LIVE:
        system.reason_code, system.reason, system.reason_params = "", "", {}
    system.save()
    operation = Operation.objects.create(
        system=system,
        kind=kind,
        generation=system.generation,
        requirement_id=requirement.pk if requirement else system.requirement_id,
        rollback_to=rollback_to,
        result={**(result or {}), ASKED: system.adjustments},
        created_by=acting_user,
    )
    queue.send_on_commit(CONVERGE, system_id=system.pk)
    return operation


def _let_have(system: BookingSystem, requirement: Requirement | None, rollback_to: Revision | None) -> None:
    """Count what is wished for. What cannot be planned is left to the worker, who says why; it counts once more what it has planned."""
    live = live_plan(system)
    try:
        plan = from_json(rollback_to.plan) if rollback_to else _plan(system, requirement, live)
    except (NoImageFits, RequirementInvalid, msgspec.ValidationError):
        return
    if plan:
        for name, value in caps.let_have(system, plan, live=live).items():
            setattr(system, name, value)


def _plan(system: BookingSystem, requirement: Requirement | None, live: Plan | None) -> Plan | None:
    if live and system.live_revision and requirement and requirement.pk == system.live_revision.requirement_id:
        return readjusted(live, adjustments_of(system))  # the requirement may be a megabyte of seats
    return plan_for(read_stored(requirement), site_of(system), system=system).plan if requirement else None
