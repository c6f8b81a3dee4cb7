"""Makes one booking system what it is wanted to be: level-triggered, never waiting, safe to run twice, late or after a crash.

A look does what can be done now, records it, and ends. It is resumed by the runtime's events, by the sweep, or by itself after a backoff.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.lib import audit, queue
from controlplane.lib.reasons import Reason
from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.port import Runtime
from controlplane.systems import caps
from controlplane.systems.deleting import REMOVING, take_down
from controlplane.systems.deploying import carry_out
from controlplane.systems.lease import CONVERGE, Lease, LeaseLost
from controlplane.systems.models import BookingSystem, Desired, Operation, State
from controlplane.systems.outcomes import Ending, Failed, Held, Outcome, Retry, backoff_s, of_runtime
from controlplane.systems.planning import live_plan
from controlplane.systems.settling import LONGEST_REPAIR_DELAY_S, LOOK_AGAIN_S, pause_left_s, settle
from controlplane.systems.steps import Run, columns_of, end
from controlplane.systems.taking_back import take_back

log = logging.getLogger(__name__)

ROUNDS = 20
"""How many looks one call takes when it is asked for more meanwhile."""
WAIT_S = 5.0
"""Events are quicker; this is for when one is lost."""
NO_PROGRESS_S = 120
LONGEST_S = 20 * 60
RESTORE_S = 70 * 60
"""The Job that restores a backup may take an hour, and says nothing meanwhile."""


class Again(NamedTuple):
    """When to look again; None: never. `calls_itself`: sooner than the sweep would, and no event will."""

    after_s: float | None
    calls_itself: bool = False


def converge(system_id: int, *, runtime: Runtime) -> None:
    """Look at the system and do what can be done now. Does nothing while another call looks at it; that one looks once more then."""
    lease = Lease.acquire(system_id)
    if lease is None:
        return
    for _ in range(ROUNDS):
        try:
            again = _look(lease, runtime)
            next_check_at = None if again.after_s is None else timezone.now() + timedelta(seconds=again.after_s)
            if lease.release(next_check_at=next_check_at):
                if again.calls_itself and again.after_s is not None:
                    queue.send(CONVERGE, delay_s=again.after_s, system_id=system_id)
                return
        except LeaseLost:
            pass  # another generation is wanted now, or another worker took over: reload knows which
        try:
            lease.reload()
        except LeaseLost:
            return
    lease.abandon()
    queue.send(CONVERGE, system_id=system_id)


def due(*, everything: bool = False) -> list[int]:
    """Systems to look at now: those whose time has come; with EVERYTHING also those that nobody set a time for and that should have one,
    and those whose time is further away than any is ever set: the clock was put back since."""
    now = timezone.now()
    wanted = Q(next_check_at__lte=now)
    if everything:
        wanted |= Q(next_check_at=None) & ~Q(desired_state=Desired.DRAFT) & ~Q(state=State.DELETED)
        wanted |= Q(next_check_at__gt=now + timedelta(seconds=2 * LONGEST_REPAIR_DELAY_S))
    idle = Q(lease_until=None) | Q(lease_until__lt=now) | Q(next_check_at__lte=now - timedelta(seconds=WAIT_S))
    return list(BookingSystem.objects.filter(wanted & idle).order_by("next_check_at").values_list("pk", flat=True))


def _look(lease: Lease, runtime: Runtime) -> Again:
    operation = lease.system.operations.filter(state=Operation.State.RUNNING).first()
    if operation is None:
        return _settle(lease, runtime)
    if wait_s := pause_left_s(lease.system):
        # Half of an apply makes events enough to ask again at once whoever asked to be spared for seconds.
        return Again(wait_s)
    run = Run(lease, operation, runtime)
    try:
        if operation.kind == Operation.Kind.DELETE:
            take_down(run)
            return Again(None)
        carry_out(run)
        # Soon: what its data are in is noted by a look at what stands.
        return Again(WAIT_S)
    except LeaseLost:
        raise
    except Outcome as outcome:
        return _conclude(run, outcome)
    except RuntimeFailure as error:
        return _conclude(run, of_runtime(error))
    except Exception as error:
        # A bug, or a database that is away: tried again until the deadline, so that nothing hangs without a word.
        log.exception("system %s: operation %s", lease.system.pk, operation.pk)
        return _conclude(run, Retry("internal", detail=type(error).__name__))


def _settle(lease: Lease, runtime: Runtime) -> Again:
    try:
        return Again(settle(lease, runtime))
    except LeaseLost:
        raise
    except Exception:
        # As for an operation; and the lease is let go, for the next look not to wait until it runs out.
        log.exception("system %s: looking after it", lease.system.pk)
        return Again(LOOK_AGAIN_S)


def _conclude(run: Run, outcome: Outcome) -> Again:
    reason = outcome.reason
    # What goes down is looked at until it is gone: nobody else would see to what comes after.
    fatal = reason if isinstance(outcome, Failed) else None if isinstance(outcome, Ending) else _too_late(run.operation, reason)
    if fatal:
        _fail(run, fatal)
        return Again(0.0, calls_itself=True)
    if not isinstance(outcome, Retry):
        return Again(LOOK_AGAIN_S if isinstance(outcome, Held) else WAIT_S)
    run.say(run.current(), reason)
    delay_s = max(backoff_s(run.system.attempts), outcome.least_s)
    with run.lease.transaction():
        run.lease.write(attempts=run.system.attempts + 1)
        if outcome.least_s:
            run.lease.write(not_before=timezone.now() + timedelta(seconds=delay_s))
    log.info("system %s: %s", run.system.pk, reason.message)
    return Again(delay_s, calls_itself=True)


def _too_late(operation: Operation, last: Reason) -> Reason | None:
    if operation.is_paused:
        return None
    now = timezone.now()
    still_s = (now - operation.progress_at).total_seconds()
    no_progress_s, longest_s = (RESTORE_S, RESTORE_S) if operation.kind == Operation.Kind.RESTORE else (NO_PROGRESS_S, LONGEST_S)
    if still_s > no_progress_s or (now - operation.started_at).total_seconds() - operation.paused_s > longest_s:
        return Reason("no_progress", {"seconds": int(still_s), "last": last.message})
    return None


def _fail(run: Run, reason: Reason) -> None:
    """End the operation. The live revision, where there is one, goes on serving; the next look puts it right."""
    with run.lease.transaction() as system:
        was_deleting = run.operation.kind == Operation.Kind.DELETE
        has_begun = was_deleting and bool(run.operation.result.get(REMOVING))
        end(run, Operation.State.FAILED, reason)
        run.lease.write(
            adjustments=take_back(system, run.operation),
            **_counted(system),
            state=_serving(system) if system.live_revision_id and not has_begun else State.FAILED,
            desired_state=Desired.LIVE if was_deleting and not has_begun else system.desired_state,
            observed_generation=run.operation.generation,
            attempts=0,
            **columns_of(reason),
        )
        audit.record("system.failed", system, operation=run.operation.pk, code=reason.code)
    log.warning("system %s: %s failed: %s", run.system.pk, run.operation.kind, reason.message)


def _counted(system: BookingSystem) -> dict[str, int]:
    """What a system counts whose change failed: what is live, or, before it ever was, what it tried to be, which may stand."""
    live = live_plan(system)
    return caps.columns(caps.amounts_of(live)) if live else {}


def _serving(system: BookingSystem) -> State:
    """What a system is whose change failed: as its live revision has it, or without its data still."""
    if system.state == State.DATA_GONE:
        return State.DATA_GONE
    live = live_plan(system)
    return State.SUSPENDED if live and live.adjustments.is_suspended else State.LIVE
