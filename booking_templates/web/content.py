"""The event, its performances and its prices as the pages show them, from the event and seat services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from booking_templates.web.peers import Source


class Venue(msgspec.Struct, frozen=True):
    name: str = ""
    address: str = ""


class Organiser(msgspec.Struct, frozen=True):
    name: str = ""
    phone: str = ""
    email: str = ""
    registration: str = ""


class Presale(msgspec.Struct, frozen=True):
    name: str
    opens_at: datetime


class Sales(msgspec.Struct, frozen=True, omit_defaults=True):
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    presale: Presale | None = None


class EventPerformance(msgspec.Struct, frozen=True):
    id: str
    starts_at: datetime
    ends_at: datetime | None = None
    is_called_off: bool = False


class Notice(msgspec.Struct, frozen=True):
    title: str = ""
    body: str = ""
    created_at: datetime | None = None


class Poster(msgspec.Struct, frozen=True):
    url: str
    width: int | None = None
    height: int | None = None


class Event(msgspec.Struct, frozen=True):
    """What `GET /api/event/` says. Every field has a default: a page opens with whatever there is."""

    title: str = ""
    field: str = "other"
    description: str = ""
    venue: Venue = Venue()
    running_minutes: int | None = None
    age_limit: int | None = None
    performances: tuple[EventPerformance, ...] = ()
    sales: Sales = Sales()
    notices: tuple[Notice, ...] = ()
    poster: Poster | None = None
    payment: str = ""
    payment_test: bool = False
    merchandise: bool = False
    organiser: Organiser | None = None


class SeatPerformance(msgspec.Struct, frozen=True):
    """An entry of the seat service's `GET performances`: what can be booked."""

    id: str
    starts_at: datetime
    on_sale: bool = False
    sales: Sales = Sales()
    free: int | None = None
    capacity: int | None = None
    is_called_off: bool = False


class Grade(msgspec.Struct, frozen=True):
    id: str | int
    name: str
    price_krw: int
    color: str = ""


class Plan(msgspec.Struct, frozen=True):
    """Of the seating plan only what a page prints; the drawing's data is skipped, not decoded."""

    version: str = ""
    numbered: bool = True
    grades: tuple[Grade, ...] = ()


@dataclass(frozen=True)
class Performance:
    """A performance as a page offers it; `free` and `capacity` are None while the seat service does not answer."""

    id: str
    starts_at: datetime
    ends_at: datetime | None
    is_on_sale: bool
    sales: Sales
    free: int | None = None
    capacity: int | None = None
    is_called_off: bool = False

    @property
    def is_sold_out(self) -> bool:
        return self.free == 0 and not self.is_called_off


EVENT: Source[Event] = Source("event", "/api/event/", Event)
PERFORMANCES: Source[tuple[SeatPerformance, ...]] = Source("seat", "/api/seat/performances", tuple[SeatPerformance, ...])
PLAN: Source[Plan] = Source("seat", "/api/seat/plan", Plan, fresh_s=5.0)


def performances(event: Event | None, seat: tuple[SeatPerformance, ...] | None) -> list[Performance]:
    """All performances in order of time. The seat service decides what can be booked; the event service alone still gives the dates."""
    ends = {item.id: item.ends_at for item in event.performances} if event else {}
    if seat:
        found = [
            Performance(item.id, item.starts_at, ends.get(item.id), item.on_sale, item.sales, item.free, item.capacity, item.is_called_off)
            for item in seat
        ]
    elif event:
        found = [
            Performance(item.id, item.starts_at, item.ends_at, not item.is_called_off, event.sales, is_called_off=item.is_called_off)
            for item in event.performances
        ]
    else:
        found = []
    return sorted(found, key=lambda item: (item.starts_at, item.id))
