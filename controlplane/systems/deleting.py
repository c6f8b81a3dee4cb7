"""Takes a booking system down: archive, remove, forget."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from controlplane.lib import audit
from controlplane.rendering.database import DatabasePlan
from controlplane.rendering.plan import from_json
from controlplane.runtime.port import Health
from controlplane.systems import archiving, databases, forgetting, secrets, tickets
from controlplane.systems.archive_models import Archive
from controlplane.systems.errors import DeletionRefused
from controlplane.systems.models import Operation, State
from controlplane.systems.orphans import was_handed_over
from controlplane.systems.outcomes import Ending, Failed, Retry, Waiting
from controlplane.systems.steps import Run, end, no_reason

REMOVING = "removing"
"""In the `result` of a deletion: the runtime was asked to remove it, or was about to be. Until then it can still be let be."""


def take_down(run: Run) -> None:
    """Returns when nothing is left but the records. Raises Outcome, RuntimeFailure or LeaseLost."""
    if not run.is_done("archive"):
        _archive(run)
    if not run.is_done("remove"):
        _remove(run)
    with run.lease.transaction() as system:
        forgetting.forget_typed_for(system)
        secrets.destroy(system)
        run.mark_done("forget", "step_forgotten")
        run.lease.write(
            slug=None,
            state=State.DELETED,
            observed_generation=run.operation.generation,
            attempts=0,
            deleted_at=timezone.now(),
            **dict.fromkeys(("health", "health_message", "connect_url", "connect_host"), ""),
            **no_reason(),
        )
        end(run, Operation.State.SUCCEEDED)
        audit.record("system.deleted", system, operation=run.operation.pk)


def _archive(run: Run) -> None:
    """Take the sales along. Whether something stands against it is looked at once more before and after: buyers do not wait."""
    run.begin("archive")
    if not run.system.live_revision_id:
        run.done("archive", "step_not_archived", detail="it never went live", then="remove")
        return
    if kept := archiving.kept(run):
        # A deletion that failed later on had taken it; nothing was sold since, and who would be asked may be gone.
        run.done("archive", "step_archived", count=sum(kept.counts.values()), then="remove")
        return
    is_forced = bool(run.operation.result.get("forced"))
    _refuse_while_sold(run, is_forced=is_forced)
    try:
        archive = archiving.take(run)
    except (Retry, Failed) as error:
        if not is_forced:
            raise
        archiving.give_up(run)
        run.done("archive", "step_not_archived", detail=error.reason.message, then="remove")
        return
    _refuse_while_sold(run, is_forced=is_forced)
    run.done("archive", "step_archived", count=sum(archive.counts.values()), then="remove")


def _refuse_while_sold(run: Run, *, is_forced: bool) -> None:
    try:
        tickets.refuse_while_sold(run.system, is_forced=is_forced)
    except DeletionRefused as error:
        outcome = Retry if error.reason.code in ("tickets_unknown", "refunds_open") else Failed
        raise outcome(error.reason.code, **error.reason.params) from error


def _remove(run: Run) -> None:
    run.begin("remove")
    run.lease.renew()
    # What never got so far may have found its place taken: then there is nothing of it, and what is there is somebody else's.
    if run.system.live_revision_id or was_handed_over(run.system):
        _clear_place(run)
    run.done("remove", "step_removed", then="forget")


def _clear_place(run: Run) -> None:
    found = run.runtime.observe(run.system.ref)
    if run.system.live_revision_id and found.health not in (Health.ABSENT, Health.DELETING):
        _take_what_was_sold_since(run)
    if run.system.live_revision_id or found.health is not Health.ABSENT:
        with run.lease.transaction():
            run.operation.result = run.operation.result | {REMOVING: True}
            run.operation.save(update_fields=["result"])
        run.runtime.delete(run.system.ref)
    seen = run.runtime.observe(run.system.ref)
    if seen.health is not Health.ABSENT:
        ending = Ending("step_blocked", detail=seen.message) if seen.message else Ending("step_removing")
        run.say("remove", ending.reason)
        raise ending if seen.health is Health.DELETING else Waiting("step_removing")
    for database in _databases_outside(run):
        run.lease.renew()
        databases.drop_outside(database)


def _take_what_was_sold_since(run: Run) -> None:
    """Its services run still, and a runtime that was away or refused to remove it may have let them sell for long after the archive was
    made: then what stands against the deletion is looked at again, and the archive made anew. Who does not answer has sold nothing.
    """
    archive = Archive.objects.filter(system=run.system, state=Archive.State.COMPLETE).first()
    if archive is None:
        return
    try:
        tickets.refuse_while_sold(run.system, is_forced=False)
        is_still_so = archiving.is_still_so(run, archive)
    except DeletionRefused as error:
        if error.reason.code in ("tickets_unknown", "shape_while_suspended"):
            return
        is_still_so = False
    except (Retry, Failed):
        return
    if not is_still_so:
        _refuse_while_sold(run, is_forced=bool(run.operation.result.get("forced")))
        archiving.begin_anew(run, archive)
        archiving.take(run)


def _databases_outside(run: Run) -> list[DatabasePlan]:
    """The one outside, with all schemas that any revision was given: also a change that failed has made those it brought."""
    plans = [from_json(plan).database for plan in run.system.revisions.values_list("plan", flat=True)]
    outside = [database for database in plans if database and database.server is None]
    schemas = {schema: schema for database in outside for schema in database.schemas.values()}
    return [replace(database, schemas=schemas) for database in outside[:1]]
