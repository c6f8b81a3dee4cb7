"""The public event list."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from zlib import crc32

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from controlplane.portal import words
from controlplane.systems import selectors
from controlplane.systems.selectors import PublicEvent

COVERS = 6


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """Live events by their first performance; `q` searches title and venue, `field` keeps one field."""
    query = request.GET.get("q", "").strip()[:100]
    field = request.GET.get("field", "")
    listed = selectors.public_events()
    found = [event for event in listed if _matches(event, query)]
    shown = [event for event in found if not field or event.field == field]
    now = timezone.now()
    context = {
        "cards": [{"event": event, "cover": crc32(event.slug.encode()) % COVERS, "sale": _sale(event, now)} for event in shown],
        "counts": [(name, Counter(event.field for event in found)[name]) for name in words.FIELDS if any(e.field == name for e in listed)],
        "found": len(found),
        "total": len(listed),
        "query": query,
        "field": field,
    }
    return render(request, "portal/events.html", context)


def _matches(event: PublicEvent, query: str) -> bool:
    text = f"{event.title} {event.venue}".casefold()
    return all(word in text for word in query.casefold().split())


def _sale(event: PublicEvent, now: datetime) -> str:
    if event.sales_open_at > now:
        return "soon"
    return "open" if event.sales_close_at > now else "over"
