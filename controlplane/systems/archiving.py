"""Takes a booking system's sales into the control plane before it goes: table by table, page by page, and goes on where a crash left it.

What a service has that goes before, because the event does without it from now on, is taken then: nobody can be asked for it later.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import operator
import secrets
from collections.abc import Callable, Collection
from typing import Any

from django.db.models import Q
from django.utils import timezone

from controlplane.rendering.plan import from_json
from controlplane.systems import retention
from controlplane.systems.archive_models import Archive, ArchiveRow
from controlplane.systems.booking_api import BookingApi, Silent
from controlplane.systems.lease import Lease
from controlplane.systems.models import BookingSystem, OperationStep
from controlplane.systems.outcomes import Failed, Retry
from controlplane.systems.selectors import requirement_of
from controlplane.systems.steps import Run

TABLES = {
    "ticket": ("orders", "tickets", "payments", "refunds"),
    "merch": ("orders", "items", "payments", "refunds"),
}
"""Service -> what it exports at `/api/<service>/export/<table>`."""
SCOPES = ("archive", "summary")
PAGES_AT_MOST = 20_000

Row = dict[str, Any]
Said = dict[str, Row]
"""Service -> its summary."""


def tables_of(archive: Archive) -> list[str]:
    """The tables that ARCHIVE has, in their order; none once it is erased."""
    if archive.state == Archive.State.ERASED:
        return []
    return [name for service, tables in TABLES.items() for table in tables if (name := f"{service}/{table}") in archive.counts]


def kept(run: Run) -> Archive | None:
    """What an earlier deletion has taken that got as far as removing."""
    archive = Archive.objects.filter(system=run.system).exclude(operation=run.operation).select_related("operation").first()
    if archive is None or not archive.operation.steps.filter(name="archive", state=OperationStep.State.DONE).exists():
        return None
    return archive


def take(run: Run) -> Archive:
    """The complete archive of the system. Raises Retry when a service does not answer, Failed when it refuses; LeaseLost.

    What was taken is checked against the ledger's own sums: when a payment came in between, it is taken anew.
    """
    archive = _begun(run)
    if archive.state == Archive.State.COMPLETE:
        return archive
    present = _present(run.system)
    with BookingApi.of(run.system, scopes=SCOPES) as api:
        for service in present:
            for table in TABLES[service]:
                _table(run.lease, api, archive, service, table, run.progressed)
        summaries = {service: _get(api, service, f"/api/{service}/summary") for service in present}
        settlement = _get(api, "ticket", "/api/ticket/settlement") if "ticket" in present else {}
    if not _adds_up(archive, summaries):
        with run.lease.transaction():
            _clear(archive, present)
            archive.save()
        raise Retry("archive_moved")
    run.lease.renew()
    archive.completed_at, archive.pseudonym_key = timezone.now(), ""
    archive.kept_until = retention.ends_at(archive, requirement_of(run.system))
    # With the booking system sales end, and no money is under way: nothing of it can change any more.
    archive.settlement, archive.summaries = settlement and settlement | {"is_final": True}, archive.summaries | summaries
    archive.state = Archive.State.COMPLETE
    with run.lease.transaction():
        archive.save()
    return archive


def take_leaving(lease: Lease, service: str) -> None:
    """What SERVICE sold, while it still can be asked; it stays until the deletion, or until SERVICE leaves once more.

    Call it when nothing can be begun there any more. Raises as `take` does.
    """
    archive = Archive.objects.filter(system=lease.system).first()
    with lease.transaction() as system:
        if archive is None:
            last = system.operations.first()
            assert last is not None  # noqa: S101  (something is being changed)
            archive = Archive.objects.create(system=system, operation=last, pseudonym_key=_new_key())
        _clear(archive, [service])
        archive.state, archive.pseudonym_key = Archive.State.RUNNING, archive.pseudonym_key or _new_key()
        archive.save()
    with BookingApi.of(lease.system, scopes=SCOPES) as api:
        for table in TABLES[service]:
            _table(lease, api, archive, service, table)
        summary = _get(api, service, f"/api/{service}/summary")
    if not _adds_up(archive, {service: summary}):
        raise Retry("archive_moved")
    archive.summaries = archive.summaries | {service: summary}
    with lease.transaction():
        archive.save()


def is_still_so(run: Run, archive: Archive) -> bool:
    """Whether the services say of their sales what they said for ARCHIVE. Raises Retry and Failed while they do not say."""
    with BookingApi.of(run.system, scopes=SCOPES) as api:
        said = {service: _get(api, service, f"/api/{service}/summary") for service in _present(run.system)}
    return all(archive.summaries.get(service) == summary for service, summary in said.items())


def begin_anew(run: Run, archive: Archive) -> None:
    """Let `take` take ARCHIVE anew: sales have gone on."""
    with run.lease.transaction():
        _reopen(run, archive)


def give_up(run: Run) -> None:
    """Record that there is none, because an admin said that it goes without."""
    archive = _begun(run)
    with run.lease.transaction():
        archive.rows.all().delete()
        archive.state, archive.pseudonym_key, archive.cursors, archive.counts = Archive.State.MISSING, "", {}, {}
        archive.save()


def _begun(run: Run) -> Archive:
    archive = Archive.objects.filter(system=run.system).first()
    if archive is not None and archive.operation_id == run.operation.pk:
        return archive
    with run.lease.transaction():
        if archive is None:
            return Archive.objects.create(system=run.system, operation=run.operation, pseudonym_key=_new_key())
        _reopen(run, archive)
        return archive


def _reopen(run: Run, archive: Archive) -> None:
    """ARCHIVE for this deletion. Of services that are there still it has nothing then: whatever it had is older than what there is now.

    Within a transaction of the lease.
    """
    _clear(archive, _present(run.system))
    archive.operation, archive.state, archive.pseudonym_key = run.operation, Archive.State.RUNNING, archive.pseudonym_key or _new_key()
    archive.settlement, archive.completed_at, archive.kept_until = {}, None, None
    archive.save()


def _clear(archive: Archive, services: Collection[str]) -> None:
    """Forget what ARCHIVE has of SERVICES; its columns are the caller's to save."""
    if services:
        archive.rows.filter(functools.reduce(operator.or_, (Q(table__startswith=f"{service}/") for service in services))).delete()
    for column in ("cursors", "counts"):
        setattr(archive, column, {name: value for name, value in getattr(archive, column).items() if name.split("/")[0] not in services})
    archive.summaries = {name: value for name, value in archive.summaries.items() if name not in services}


def _present(system: BookingSystem) -> list[str]:
    """The services that can be asked."""
    live = system.live_revision
    assert live is not None  # noqa: S101  (the callers looked)
    plan = from_json(live.plan)
    return [service for service in TABLES if plan.service(service)]


def _new_key() -> str:
    return secrets.token_hex(32)


def _table(
    lease: Lease, api: BookingApi, archive: Archive, service: str, table: str, progressed: Callable[[], None] = lambda: None
) -> None:
    name = f"{service}/{table}"
    for _page in range(PAGES_AT_MOST):
        after = archive.cursors.get(name, "")
        if after is None:
            return
        lease.renew()
        answer = _get(api, service, f"/api/{service}/export/{table}", after=after)
        rows = [_kept(archive, row) for row in answer.get("rows", [])]
        with lease.transaction():
            # A page that was taken before a crash comes again, and changes nothing.
            ArchiveRow.objects.bulk_create(
                [ArchiveRow(archive=archive, table=name, key=str(row["id"]), data=row) for row in rows], ignore_conflicts=True
            )
            archive.cursors = archive.cursors | {name: answer.get("next")}
            archive.counts = archive.counts | {name: archive.rows.filter(table=name).count() if answer.get("next") is None else 0}
            archive.save(update_fields=["cursors", "counts"])
            progressed()
    raise Failed("archive_refused", service=service, detail="it never ends")


def _kept(archive: Archive, row: Row) -> Row:
    """ROW with a pseudonym in the place of its buyer: one for each, so that what belongs together still does."""
    if "buyer" not in row:
        return row
    digest = hmac.new(bytes.fromhex(archive.pseudonym_key), str(row["buyer"]).encode(), hashlib.sha256).hexdigest()
    return {**row, "buyer": f"buyer-{digest[:20]}"}


def _get(api: BookingApi, service: str, path: str, **query: Any) -> Row:
    try:
        answer = api.get(path, timeout_s=20.0, **query)
    except Silent as error:
        raise Retry("service_silent", service=service, detail=str(error)) from error
    if answer.is_success and isinstance(answer.document, dict):
        return answer.document
    outcome = Retry if answer.status >= 500 else Failed
    raise outcome("archive_refused", service=service, detail=answer.detail)


def _adds_up(archive: Archive, summaries: Said) -> bool:
    """Whether the ledgers' rows sum up to what the services say, to the won, and no refund is under way; likewise tickets and the door."""
    for service, summary in summaries.items():
        sums = {"capture": 0, "refund": 0, "outside": 0}
        for row in archive.rows.filter(table=f"{service}/payments").one_by_one():
            sums[row.data["kind"]] += row.data["amount_krw"]
        if (sums["capture"], sums["refund"] + sums["outside"]) != (summary.get("captured_krw"), summary.get("refunded_krw")):
            return False
        if summary.get("open_refunds"):
            return False
    return _tickets_add_up(archive, summaries.get("ticket", {}))


def _tickets_add_up(archive: Archive, summary: Row) -> bool:
    """Whether the tickets' rows are those of SUMMARY: of what is paid at the door no ledger says what has moved meanwhile."""
    if "taken_at_door_krw" not in summary:
        return True  # an older image
    live = taken = 0
    for row in archive.rows.filter(table="ticket/tickets").one_by_one():
        live += row.data["status"] == "LIVE"
        taken += int(row.data.get("paid_at_door_krw") or 0) + int(row.data.get("taken_besides_krw") or 0)
    return (live, taken) == (summary.get("tickets"), summary["taken_at_door_krw"])
