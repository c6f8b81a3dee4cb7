"""What this service knows of the event: title, venue, performances. The seller's portal puts it; it changes rarely and is read often."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.utils.translation import gettext as _
from msgspec import UNSET, UnsetType

from booking_templates.kit.db import clock, retry_transaction
from booking_templates.kit.problems import Conflict
from booking_templates.ticket import closings, moves
from booking_templates.ticket.concessions import Concession
from booking_templates.ticket.models import Event, Performance, Ticket
from booking_templates.ticket.policy import PRESETS, Policy, Preset

KEEP_S = 2.0
"""How long a process goes on with what it read: an edit reaches every replica within it."""
USUAL_LENGTH = timedelta(hours=2)


@dataclass(frozen=True)
class Snapshot:
    """The event as it was read last."""

    title: str = ""
    venue: str = ""
    cancel_until: datetime | None = None
    sales_close_at: datetime | None = None
    refund_policy: Policy | Preset = "full"
    performances: dict[str, Performance] = field(default_factory=dict)
    concessions: tuple[Concession, ...] = ()

    @property
    def policy(self) -> Policy:
        """The rules for cancelling."""
        return resolved(self.refund_policy)


def resolved(kept: Policy | Preset) -> Policy:
    """The policy that KEPT is or names."""
    return PRESETS[kept] if isinstance(kept, str) else kept


_kept: tuple[float, Snapshot] | None = None


def current() -> Snapshot:
    """The event, at most KEEP_S old."""
    global _kept  # noqa: PLW0603 - a process's cache of one row
    now = time.monotonic()
    kept = _kept
    if kept is None or now - kept[0] > KEEP_S:
        row = Event.objects.filter(pk=Event.ONLY).first()
        performances = {performance.pk: performance for performance in Performance.objects.order_by("starts_at")}
        snapshot = Snapshot(performances=performances)
        if row is not None:
            rules = msgspec.convert(row.refund_policy or "full", Policy | Preset)
            offered = msgspec.convert(row.concessions or (), tuple[Concession, ...])
            snapshot = Snapshot(row.title, row.venue, row.cancel_until, row.sales_close_at, rules, performances, offered)
        kept = _kept = (now, snapshot)
    return kept[1]


def end_of(performance: Performance) -> datetime:
    """When PERFORMANCE is over, as far as anybody knows."""
    return performance.ends_at or performance.starts_at + USUAL_LENGTH


def is_called_off(performance_id: str) -> bool:
    """Whether the organiser has called the performance off."""
    performance = current().performances.get(performance_id)
    return performance is not None and performance.cancelled_at is not None


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
def put(
    *,
    title: str,
    venue: str,
    performances: list[PerformanceTimes],
    cancel_until: datetime | UnsetType | None = UNSET,
    sales_close_at: datetime | UnsetType | None = UNSET,
    refund_policy: Policy | Preset | UnsetType = UNSET,
    concessions: list[Concession] | UnsetType = UNSET,
) -> None:
    """Replace what is known; what is UNSET stays. Raises Conflict `would_orphan` naming performances whose live tickets would have none.

    A performance that was called off stays whether it is named or not: its refunds go on, and put back it is called off still.
    """
    wanted = {performance.id for performance in performances}
    live = Ticket.objects.filter(status=Ticket.Status.LIVE).exclude(performance_id__in=wanted)
    orphans = sorted(live.values_list("performance_id", flat=True).distinct())
    if orphans:
        raise Conflict("would_orphan", _("There are live tickets for a performance that would be gone."), performances=orphans)
    closings.keep(clock())
    told: dict[str, Any] = {"title": title, "venue": venue, "cancel_until": cancel_until, "sales_close_at": sales_close_at}
    if refund_policy is not UNSET:
        told["refund_policy"] = msgspec.to_builtins(refund_policy)
    if concessions is not UNSET:
        told["concessions"] = msgspec.to_builtins(concessions) or None
    before = Event.objects.filter(pk=Event.ONLY).values_list("venue", flat=True).first() or ""
    Event.objects.update_or_create(pk=Event.ONLY, defaults={name: value for name, value in told.items() if value is not UNSET})
    Performance.objects.exclude(pk__in=wanted).filter(cancelled_at=None).delete()
    began = dict(Performance.objects.filter(cancelled_at=None).values_list("pk", "starts_at"))
    for performance in performances:
        was = began.get(performance.id)
        if was is not None and (was != performance.starts_at or before not in ("", venue)):
            moves.note(performance.id, was=was, venue=before)
        times = {"starts_at": performance.starts_at, "ends_at": performance.ends_at}
        Performance.objects.update_or_create(pk=performance.id, defaults=times)
    forget()


def item_name(places: list[dict[str, Any]]) -> str:
    """What the provider's page and the card statement show, e.g. `오페라의 유령 R석 외 1`."""
    title = current().title or "Ticket"
    first = places[0].get("grade") or places[0].get("label", "") if places else ""
    more = f" +{len(places) - 1}" if len(places) > 1 else ""
    return f"{title[:80]} {first}"[: 100 - len(more)] + more
