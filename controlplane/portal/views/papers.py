"""Lists and statements to keep: the attendees as a file, the settlement as a page and as a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from controlplane.portal import searching
from controlplane.portal.http import AuthenticatedRequest, asking
from controlplane.systems import settlement, staff
from controlplane.systems.access import Need
from controlplane.systems.models import BookingSystem
from controlplane.systems.selectors import organiser_of, performances_of

TAB = "settlement"
CSV = "text/csv; charset=utf-8"


@require_GET
@asking("attendees", Need.VIEW)
def attendees(request: AuthenticatedRequest, system: BookingSystem, kind: str) -> StreamingHttpResponse:
    """The list that the page shows, whole: CSV or XLSX, as the ticket service writes it."""
    if kind not in ("csv", "xlsx"):
        raise Http404
    query = {"q": searching.searched_for(request), "performance": request.GET.get("performance", "")[:40]}
    media_type, chunks = staff.download(system, request.user, "attendees", f"/api/ticket/attendees.{kind}", **query)
    return StreamingHttpResponse(chunks, content_type=media_type, headers=download_headers(f"attendees-{system.slug}.{kind}"))


@never_cache
@require_GET
@asking(TAB, Need.VIEW)
def settled(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """The statement as of now, fit to be printed."""
    statement = settlement.settlement(system=system, user=request.user)
    context = {"system": system, **sums_of(statement), "starts": starts_of(system), "organiser": organiser_of(system), "tab": TAB}
    return render(request, "portal/systems/settlement.html", context)


@require_GET
@asking(TAB, Need.VIEW)
def settled_csv(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    statement = settlement.settlement(system=system, user=request.user)
    text = settlement.as_csv(statement, title=system.title, starts=clocks_of(system))
    return HttpResponse(text, content_type=CSV, headers=download_headers(f"settlement-{system.slug}.csv"))


def sums_of(statement: settlement.Settlement) -> dict[str, Any]:
    """What statement.html shows."""
    periods = [
        {
            "statement": each,
            "totals": settlement.totals(each),
            "later": settlement.movements_after_close(each),
            "tickets_later": settlement.tickets_after_close(each),
        }
        for each in (statement, *statement.later)
    ]
    return {"statement": statement, "periods": periods}


def starts_of(system: BookingSystem) -> dict[str, datetime]:
    """When each performance begins, by its id, in the venue's time zone whichever the requirement was written in."""
    return {item["id"]: timezone.localtime(datetime.fromisoformat(item["starts_at"])) for item in performances_of(system)}


def clocks_of(system: BookingSystem) -> dict[str, str]:
    """The same as tables have it."""
    return {name: f"{start:%Y-%m-%d %H:%M}" for name, start in starts_of(system).items()}


def download_headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
