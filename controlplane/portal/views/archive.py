"""What is kept of a booking system that was deleted: its settlement and its sales, to look at and to take along."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from controlplane.portal import words
from controlplane.portal.http import AuthenticatedRequest, seller_system
from controlplane.portal.views.papers import CSV, download_headers, starts_of
from controlplane.systems import archives, settlement
from controlplane.systems.archive_models import Archive
from controlplane.systems.archiving import tables_of
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.models import BookingSystem


@login_required
@require_GET
def page(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    system, archive = _found(request, system_id)
    statement = archives.statement_of(archive)
    context = {
        "system": system,
        "archive": archive,
        "statement": statement,
        "totals": settlement.totals(statement) if statement else [],
        "later": settlement.movements_after_close(statement) if statement else [],
        "starts": starts_of(system),
        "tables": [(name, words.ARCHIVE_TABLES.get(name, name), archive.counts[name]) for name in tables_of(archive)],
        "tab": "archive",
    }
    return render(request, "portal/systems/archive.html", context)


@login_required
@require_GET
def table(request: AuthenticatedRequest, system_id: int, service: str, table: str) -> StreamingHttpResponse:
    """One table as CSV."""
    system, archive = _found(request, system_id)
    try:
        lines = archives.as_csv(archive, f"{service}/{table}")
    except SystemNotFound:
        raise Http404 from None
    name = f"{service}-{table}-{system.pk}.csv"
    return StreamingHttpResponse(lines, content_type=CSV, headers=download_headers(name))


@login_required
@require_GET
def statement_csv(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """The last settlement statement as CSV."""
    system, archive = _found(request, system_id)
    statement = archives.statement_of(archive)
    if statement is None:
        raise Http404
    text = settlement.as_csv(statement, title=system.title, starts=starts_of(system))
    return HttpResponse(text, content_type=CSV, headers=download_headers(f"settlement-{system.pk}.csv"))


def _found(request: AuthenticatedRequest, system_id: int) -> tuple[BookingSystem, Archive]:
    system = seller_system(request, system_id)
    try:
        return system, archives.archive_of(system)
    except SystemNotFound:
        raise Http404 from None
