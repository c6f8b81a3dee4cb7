"""What is kept of a booking system that was deleted: sums, settlement and sales. Every look is written down."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from controlplane.portal import words
from controlplane.portal.http import AuthenticatedRequest, open_system
from controlplane.portal.templatetags.portal import moment, thousands, won
from controlplane.portal.views.papers import CSV, clocks_of, download_headers, starts_of, sums_of
from controlplane.systems import archives, settlement
from controlplane.systems.access import Need
from controlplane.systems.archive_models import Archive
from controlplane.systems.archiving import tables_of
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.models import BookingSystem
from controlplane.systems.selectors import organiser_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WRITERS = {"csv": (CSV, archives.as_csv), "xlsx": (XLSX, archives.as_xlsx)}
ROWS_A_PAGE = 50
LONGEST_NUMBER = 40


@login_required
@never_cache
@require_GET
def page(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    system, archive = _opened(request, system_id, "page")
    statement = archives.statement_of(archive)
    context = {
        "system": system,
        "archive": archive,
        "sums": archives.sums_of(archive),
        **(sums_of(statement) if statement else {}),
        "starts": starts_of(system),
        "organiser": organiser_of(system),
        "tables": [(name, words.ARCHIVE_TABLES.get(name, name), archive.counts[name]) for name in tables_of(archive)],
        "tab": "archive",
    }
    return render(request, "portal/systems/archive.html", context)


@login_required
@never_cache
@require_GET
def table(request: AuthenticatedRequest, system_id: int, service: str, table: str) -> HttpResponse:
    """Rows of one table, those of one booking by its number."""
    name = f"{service}/{table}"
    system, archive = _opened(request, system_id, name)
    number = request.GET.get("number", "").strip()[:LONGEST_NUMBER]
    try:
        found = Paginator(archives.found_rows(archive, name, number), ROWS_A_PAGE).get_page(request.GET.get("page"))
    except SystemNotFound:
        raise Http404 from None
    rows = list(found.object_list)
    numbers = archives.numbers_of(archive, name, rows)
    # What was taken from an older image has no concessions, and most events take no money at the door.
    some = {column for column in words.ARCHIVE_SOME if any(row.data.get(column) for row in rows)}
    columns = [column for column in words.ARCHIVE_COLUMNS.get(name, ()) if column not in words.ARCHIVE_SOME or column in some]
    context = {
        "system": system,
        "archive": archive,
        "name": name,
        "label": words.ARCHIVE_TABLES.get(name, name),
        "number": number,
        "page": found,
        "columns": [words.ARCHIVE_WORDS[column] for column in columns],
        "rows": [
            (numbers.get(row.data.get("order", row.key), ""), [_shown(column, row.data.get(column)) for column in columns]) for row in rows
        ],
        "tab": "archive",
    }
    return render(request, "portal/systems/archive_table.html", context)


@login_required
@require_GET
def table_file(request: AuthenticatedRequest, system_id: int, service: str, table: str, kind: str) -> StreamingHttpResponse:
    """One table, whole, as CSV or XLSX."""
    if kind not in WRITERS:
        raise Http404
    media_type, write = WRITERS[kind]
    system, archive = _opened(request, system_id, f"{service}/{table}.{kind}")
    try:
        chunks = write(archive, f"{service}/{table}")
    except SystemNotFound:
        raise Http404 from None
    return StreamingHttpResponse(chunks, content_type=media_type, headers=download_headers(f"{service}-{table}-{system.pk}.{kind}"))


@login_required
@require_GET
def statement_csv(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """The last settlement statement as CSV."""
    system, archive = _opened(request, system_id, "settlement.csv")
    statement = archives.statement_of(archive)
    if statement is None:
        raise Http404
    text = settlement.as_csv(statement, title=system.title, starts=clocks_of(system))
    return HttpResponse(text, content_type=CSV, headers=download_headers(f"settlement-{system.pk}.csv"))


def _opened(request: AuthenticatedRequest, system_id: int, what: str) -> tuple[BookingSystem, Archive]:
    system = open_system(request, system_id, Need.OWN)
    try:
        return system, archives.opened(system, request.user, what)
    except SystemNotFound:
        raise Http404 from None


def _shown(column: str, value: Any) -> tuple[Any, str, bool]:
    """What a cell's column is called, the cell as people read it, and whether it is a number."""
    label, is_number = words.ARCHIVE_WORDS[column], isinstance(value, int)
    if value in (None, ""):
        return label, "", is_number
    if column.endswith("_krw"):
        return label, won(value), True
    if column == "at" or column.endswith("_at"):
        return label, moment(str(value)), False
    return label, thousands(value) if is_number else str(words.ARCHIVE_VALUES.get(str(value), value)), is_number
