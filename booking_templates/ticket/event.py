"""What this service knows of the event: title, venue, performances. The seller's portal puts it; it changes rarely and is read often."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from booking_templates.kit.db import retry_transaction
from booking_templates.kit.problems import Conflict
from booking_templates.ticket.models import Event, Performance, Ticket

KEEP_S = 2.0
"""How long a process goes on with what it read: an edit reaches every replica within it."""


@dataclass(frozen=True)
class Snapshot:
    """The event as it was read last."""

    title: str = ""
    venue: str = ""
    cancel_until: datetime | None = None
    performances: dict[str, Performance] = field(default_factory=dict)


_kept: tuple[float, Snapshot] | None = None


def current() -> Snapshot:
    """The event, at most KEEP_S old."""
    global _kept  # noqa: PLW0603 - a process's cache of one row
    now = time.monotonic()
    kept = _kept
    if kept is None or now - kept[0] > KEEP_S:
        row = Event.objects.filter(pk=Event.ONLY).first()
        performances = {performance.pk: performance for performance in Performance.objects.order_by("starts_at")}
        snapshot = Snapshot(row.title, row.venue, row.cancel_until, performances) if row else Snapshot(performances=performances)
        kept = _kept = (now, snapshot)
    return kept[1]


def forget() -> None:
    """Read anew at the next look."""
    global _kept  # noqa: PLW0603
    _kept = None


@dataclass(frozen=True)
class PerformanceTimes:
    id: str
    starts_at: datetime
    ends_at: datetime | None = None


@retry_transaction
def put(*, title: str, venue: str, cancel_until: datetime | None, performances: list[PerformanceTimes]) -> None:
    """Replace what is known. Raises Conflict `would_orphan` naming performances that have live tickets and would be gone."""
    wanted = {performance.id for performance in performances}
    live = Ticket.objects.filter(status=Ticket.Status.LIVE).exclude(performance_id__in=wanted)
    orphans = sorted(live.values_list("performance_id", flat=True).distinct())
    if orphans:
        raise Conflict("would_orphan", performances=orphans)
    Event.objects.update_or_create(pk=Event.ONLY, defaults={"title": title, "venue": venue, "cancel_until": cancel_until})
    Performance.objects.exclude(pk__in=wanted).delete()
    for performance in performances:
        times = {"starts_at": performance.starts_at, "ends_at": performance.ends_at}
        Performance.objects.update_or_create(pk=performance.id, defaults=times)
    forget()


def item_name(places: list[dict[str, Any]]) -> str:
    """What the provider's page and the card statement show, e.g. `오페라의 유령 R석 외 1`."""
    title = current().title or "Ticket"
    first = places[0].get("grade") or places[0].get("label", "") if places else ""
    more = f" +{len(places) - 1}" if len(places) > 1 else ""
    return f"{title[:80]} {first}"[: 100 - len(more)] + more
