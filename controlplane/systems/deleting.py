"""Takes a booking system down: archive, remove, forget."""

from __future__ import annotations

from django.utils import timezone

from controlplane.lib import audit
from controlplane.rendering.database import DatabasePlan
from controlplane.rendering.plan import from_json
from controlplane.runtime.port import Health
from controlplane.systems import databases, secrets, tickets
from controlplane.systems.booking_api import BookingApi, Silent
from controlplane.systems.errors import DeletionRefused
from controlplane.systems.models import Operation, State
from controlplane.systems.outcomes import Failed, Retry, Waiting
from controlplane.systems.steps import Run, end, no_reason


def take_down(run: Run) -> None:
    """Returns when nothing is left but the records. Raises Outcome, RuntimeFailure or LeaseLost."""
    if not run.is_done("archive"):
        _archive(run)
    if not run.is_done("remove"):
        _remove(run)
    with run.lease.transaction() as system:
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
    """Look once more whether something was sold since the seller asked, and keep the sales figures."""
    run.begin("archive")
    if not run.system.live_revision_id:
        run.done("archive", "step_not_archived", detail="it never went live", then="remove")
        return
    try:
        tickets.refuse_while_sold(run.system, is_forced=bool(run.operation.result.get("forced")))
    except DeletionRefused as error:
        outcome = Retry if error.reason.code == "tickets_unknown" else Failed
        raise outcome(error.reason.code, **error.reason.params) from error
    try:
        with BookingApi.of(run.system, scopes=tickets.SCOPES) as api:
            answer = api.get("/api/ticket/summary")
    except Silent as error:
        run.done("archive", "step_not_archived", detail=str(error), then="remove")
        return
    with run.lease.transaction():
        run.operation.result = run.operation.result | {"sales": answer.document if answer.is_success else None}
        run.operation.save(update_fields=["result"])
        run.mark_done("archive", "step_archived")


def _remove(run: Run) -> None:
    run.begin("remove")
    run.lease.renew()
    run.runtime.delete(run.system.ref)
    seen = run.runtime.observe(run.system.ref)
    if seen.health is not Health.ABSENT:
        raise Waiting("step_removing")
    for database in _databases_outside(run):
        run.lease.renew()
        databases.drop_outside(database)
    run.done("remove", "step_removed", then="forget")


def _databases_outside(run: Run) -> list[DatabasePlan]:
    """Those that any revision was given: a first deployment that failed has made its schemas, too."""
    plans = [from_json(plan).database for plan in run.system.revisions.values_list("plan", flat=True)]
    return [database for database in plans if database and database.server is None][:1]
