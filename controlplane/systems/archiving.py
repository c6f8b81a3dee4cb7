"""Takes a booking system's sales into the control plane before it goes: table by table, page by page, and goes on where a crash left it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from django.utils import timezone

from controlplane.rendering.plan import from_json
from controlplane.systems import retention
from controlplane.systems.archive_models import Archive, ArchiveRow
from controlplane.systems.booking_api import BookingApi, Silent
from controlplane.systems.models import OperationStep
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
    live = run.system.live_revision
    assert live is not None  # noqa: S101  (the caller looked)
    present = [service for service in TABLES if from_json(live.plan).service(service)]
    with BookingApi.of(run.system, scopes=SCOPES) as api:
        for service in present:
            for table in TABLES[service]:
                _table(run, api, archive, service, table)
        summaries = {service: _get(run, api, service, f"/api/{service}/summary") for service in present}
        settlement = _get(run, api, "ticket", "/api/ticket/settlement") if "ticket" in present else {}
    if not _adds_up(archive, summaries):
        _forget(run, archive)
        raise Retry("archive_moved")
    run.lease.renew()
    archive.completed_at, archive.pseudonym_key = timezone.now(), ""
    archive.kept_until = retention.ends_at(archive, requirement_of(run.system))
    # With the booking system sales end, and no money is under way: nothing of it can change any more.
    archive.settlement, archive.summaries = settlement and settlement | {"is_final": True}, summaries
    archive.state = Archive.State.COMPLETE
    with run.lease.transaction():
        archive.save()
    return archive


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
        if archive is not None:  # of a deletion that failed; whatever it has is older than what there is now
            archive.rows.all().delete()
            archive.delete()
        return Archive.objects.create(system=run.system, operation=run.operation, pseudonym_key=secrets.token_hex(32))


def _forget(run: Run, archive: Archive) -> None:
    with run.lease.transaction():
        archive.rows.all().delete()
        archive.cursors, archive.counts = {}, {}
        archive.save()


def _table(run: Run, api: BookingApi, archive: Archive, service: str, table: str) -> None:
    name = f"{service}/{table}"
    for _page in range(PAGES_AT_MOST):
        after = archive.cursors.get(name, "")
        if after is None:
            return
        run.lease.renew()
        answer = _get(run, api, service, f"/api/{service}/export/{table}", after=after)
        rows = [_kept(archive, row) for row in answer.get("rows", [])]
        with run.lease.transaction():
            # A page that was taken before a crash comes again, and changes nothing.
            ArchiveRow.objects.bulk_create(
                [ArchiveRow(archive=archive, table=name, key=str(row["id"]), data=row) for row in rows], ignore_conflicts=True
            )
            archive.cursors = archive.cursors | {name: answer.get("next")}
            archive.counts = archive.counts | {name: archive.rows.filter(table=name).count() if answer.get("next") is None else 0}
            archive.save(update_fields=["cursors", "counts"])
            run.progressed()
    raise Failed("archive_refused", service=service, detail="it never ends")


def _kept(archive: Archive, row: Row) -> Row:
    """ROW with a pseudonym in the place of its buyer: one for each, so that what belongs together still does."""
    if "buyer" not in row:
        return row
    digest = hmac.new(bytes.fromhex(archive.pseudonym_key), str(row["buyer"]).encode(), hashlib.sha256).hexdigest()
    return {**row, "buyer": f"buyer-{digest[:20]}"}


def _get(run: Run, api: BookingApi, service: str, path: str, **query: Any) -> Row:
    try:
        answer = api.get(path, timeout_s=20.0, **query)
    except Silent as error:
        raise Retry("service_silent", service=service, detail=str(error)) from error
    if answer.is_success and isinstance(answer.document, dict):
        return answer.document
    outcome = Retry if answer.status >= 500 else Failed
    raise outcome("archive_refused", service=service, detail=answer.detail)


def _adds_up(archive: Archive, summaries: dict[str, Row]) -> bool:
    """Whether the ledgers' rows sum up to what the services say, to the won, and no refund is under way."""
    for service, summary in summaries.items():
        sums = {"capture": 0, "refund": 0}
        for row in archive.rows.filter(table=f"{service}/payments").values_list("data", flat=True).iterator():
            sums[row["kind"]] += row["amount_krw"]
        if (sums["capture"], sums["refund"]) != (summary.get("captured_krw"), summary.get("refunded_krw")):
            return False
        if summary.get("open_refunds"):
            return False
    return True
