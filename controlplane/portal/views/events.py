"""The public event list."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from zlib import crc32

from csp.decorators import csp_update
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from controlplane.portal import words
from controlplane.systems import selectors
from controlplane.systems.selectors import PublicEvent

COVERS = {name: number for number, name in enumerate(words.FIELDS)}
RINGS = 3
EVENTS_A_PAGE = 24


@require_safe
def events(request: HttpRequest) -> HttpResponseBase:
    """Live events by their first performance, those that are over at the end.

    `q` searches title and venue, `field` keeps one field.
    """
    query = request.GET.get("q", "").strip()[:100]
    field = request.GET.get("field", "")
    now = timezone.now()
    listed = sorted(selectors.public_events(), key=lambda event: event.last_at < now)
    found = [event for event in listed if _matches(event, query)]
    shown = [event for event in found if not field or event.field == field]
    page = Paginator(shown, EVENTS_A_PAGE).get_page(request.GET.get("page"))
    fields = Counter(event.field for event in found)
    context = {
        "page": page,
        "cards": [_card(event, now) for event in page],
        "shown": len(shown),
        "counts": [(name, fields[name]) for name in words.FIELDS if any(event.field == name for event in listed)],
        "found": len(found),
        "total": len(listed),
        "query": query,
        "field": field,
    }

    def listed_page(request: HttpRequest) -> HttpResponseBase:
        return render(request, "portal/events.html", context)

    # Posters are on the events' own sites: the page's policy lets it show those that it lists.
    sites = sorted({event.url for event in page if event.poster})
    return csp_update({"img-src": sites})(listed_page)(request) if sites else listed_page(request)


def _card(event: PublicEvent, now: datetime) -> dict[str, Any]:
    """EVENT with its look: a colour by its field, a pattern by its address."""
    return {
        "event": event,
        "cover": COVERS.get(event.field, 0),
        "ring": crc32(event.slug.encode()) % RINGS,
        "sale": _sale(event, now),
    }


def _matches(event: PublicEvent, query: str) -> bool:
    text = f"{event.title} {event.venue}".casefold()
    return all(word in text for word in query.casefold().split())


def _sale(event: PublicEvent, now: datetime) -> str:
    if event.sales_open_at > now:
        return "soon"
    return "open" if event.sales_close_at > now else "over"
