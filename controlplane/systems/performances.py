"""The performances of a live event as its seller sees them: what is sold by grade, who has arrived, and calling one off."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems.booking_api import BookingApi
from controlplane.systems.errors import Refused, SystemNotFound
from controlplane.systems.models import BookingSystem
from controlplane.systems.staff import Document, ask

SUMMARY, CONTENT = "summary", "content"
CALLED_OFF_WITHIN = timedelta(days=1)
NAME_FORMAT = "%Y-%m-%d %H:%M"
DEFAULT_COMPENSATION_PERCENT = 10
"""소비자분쟁해결기준, 공연업: an organiser who calls off owes a tenth of the price on top of the refund."""


@dataclass(frozen=True)
class GradeLine:
    """Tickets of a grade and concession that stand, paid or due at the door; the full price has none."""

    grade: str
    tickets: int
    price_krw: int
    arrived: int
    concession: str = ""
    due_krw: int = 0
    """Still to be paid at the door."""
    taken_at_door_krw: int = 0


@dataclass(frozen=True)
class Performance:
    """`name` is when it begins by the venue's clock: what has to be typed to call it off."""

    id: str
    starts_at: datetime
    is_called_off: bool
    grades: tuple[GradeLine, ...] = field(default=())

    @property
    def name(self) -> str:
        return timezone.localtime(self.starts_at).strftime(NAME_FORMAT)

    @property
    def has_concessions(self) -> bool:
        return any(line.concession for line in self.grades)

    @property
    def tickets(self) -> int:
        return sum(line.tickets for line in self.grades)

    @property
    def price_krw(self) -> int:
        return sum(line.price_krw for line in self.grades)

    @property
    def arrived(self) -> int:
        return sum(line.arrived for line in self.grades)

    @property
    def due_krw(self) -> int:
        return sum(line.due_krw for line in self.grades)

    @property
    def taken_at_door_krw(self) -> int:
        return sum(line.taken_at_door_krw for line in self.grades)

    @property
    def arrived_percent(self) -> int:
        return round(100 * self.arrived / self.tickets) if self.tickets else 0

    @property
    def has_begun(self) -> bool:
        return self.starts_at <= timezone.now()

    @property
    def is_over(self) -> bool:
        """Whether it began so long ago that it is nothing to be called off: one that breaks off, or never began, is for a day."""
        return self.starts_at + CALLED_OFF_WITHIN <= timezone.now()


@dataclass(frozen=True)
class CallingOff:
    """How far the refunds of a performance are that was called off. `is_over`: everybody has their money back."""

    performance_id: str
    cancelled_at: datetime | None
    compensation_percent: int
    orders_left: int
    refunds_open: int
    refunded_krw: int
    compensation_krw: int

    @property
    def is_over(self) -> bool:
        return self.cancelled_at is not None and not self.orders_left and not self.refunds_open


def performances(*, system: BookingSystem, user: User) -> list[Performance]:
    """All performances that the ticket service knows, by time. Raises ServiceUnavailable, Refused."""
    terms = ask(system, user, SUMMARY, lambda api: api.get("/api/ticket/terms"))
    tallies = ask(system, user, SUMMARY, lambda api: api.get("/api/ticket/tallies"))
    grades: dict[str, list[GradeLine]] = {}
    for row in tallies.get("rows", []):
        # An older image knows no concessions, and of no money at the door.
        of, concession = str(row["grade"]), str(row.get("concession") or "")
        at_door = int(row.get("due_krw") or 0), int(row.get("taken_at_door_krw") or 0)
        line = GradeLine(of, int(row["tickets"]), int(row["price_krw"]), int(row["arrived"]), concession, *at_door)
        grades.setdefault(str(row["performance_id"]), []).append(line)
    found = [
        Performance(
            str(item["id"]), datetime.fromisoformat(item["starts_at"]), bool(item["is_called_off"]), tuple(grades.get(str(item["id"]), ()))
        )
        for item in terms.get("performances", [])
    ]
    return sorted(found, key=lambda performance: (performance.starts_at, performance.id))


def performance_of(*, system: BookingSystem, performance_id: str, user: User) -> Performance:
    """One of them. Raises SystemNotFound besides."""
    for performance in performances(system=system, user=user):
        if performance.id == performance_id:
            return performance
    raise SystemNotFound


def calling_off(*, system: BookingSystem, performance_id: str, user: User) -> CallingOff:
    """How far it is. Raises ServiceRefused (`not_found`), ServiceUnavailable, Refused."""
    return _calling_off(ask(system, user, CONTENT, lambda api: api.get(_path(performance_id))))


def performance_call_off(
    *,
    system: BookingSystem,
    performance_id: str,
    typed_name: str,
    acting_user: User,
    compensation_percent: int = DEFAULT_COMPENSATION_PERCENT,
) -> CallingOff:
    """Refund everybody of a performance and sell it no more; it cannot be taken back. TYPED_NAME must be its `name`.

    COMPENSATION_PERCENT of the price is recorded as owed by the organiser on top, outside the payment provider. Twice is once.
    Raises Refused (`performance_name_differs`), SystemNotFound, ServiceRefused, ServiceUnavailable.
    """
    performance = performance_of(system=system, performance_id=performance_id, user=acting_user)
    if " ".join(typed_name.split()) != performance.name:
        raise Refused("performance_name_differs", name=performance.name)
    document: Document = {"compensation_percent": compensation_percent}

    def call(api: BookingApi) -> Any:
        return api.post(_path(performance_id), document)

    audit.record("system.call_off", system, acting_user=acting_user, performance=performance_id, tickets=performance.tickets, **document)
    return _calling_off(ask(system, acting_user, CONTENT, call))


def _path(performance_id: str) -> str:
    return f"/api/ticket/performances/{quote(performance_id, safe='')}/cancellation"


def _calling_off(found: Document) -> CallingOff:
    at = found.get("cancelled_at")
    return CallingOff(
        performance_id=str(found["performance_id"]),
        cancelled_at=datetime.fromisoformat(at) if at else None,
        **{
            name: int(found.get(name) or 0)
            for name in ("compensation_percent", "orders_left", "refunds_open", "refunded_krw", "compensation_krw")
        },
    )
