"""What the API takes and gives, as it is in JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from booking_templates.payments.schemas import CancellationOut, Name, PaymentOut, Phone

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Moment = Annotated[datetime, Meta(tz=True)]


class NewOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Order what a hold is for. Name and phone are who to ask for at the door; the account's name unless given."""

    hold_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
    name: Name = ""
    phone: Phone = ""


class PlaceOut(msgspec.Struct, omit_defaults=True):
    label: str
    grade: str
    price_krw: int
    seat: str = ""
    area: str = ""


class TicketOut(msgspec.Struct):
    id: str
    order_id: str
    performance_id: str
    place: PlaceOut
    status: str
    code: str | None
    """What its QR shows; none once it is cancelled."""


class OrderOut(msgspec.Struct):
    id: str
    number: str
    status: str
    is_settling: bool
    """True while the payment's or a refund's outcome is awaited: ask again in a moment."""
    reason: str
    performance_id: str
    places: list[PlaceOut]
    total_krw: int
    payment: PaymentOut | None
    tickets: list[TicketOut]
    cancellation: CancellationOut
    refunded_krw: int
    created_at: datetime


class Orders(msgspec.Struct):
    orders: list[OrderOut]
    next: str | None
    """Give it as `before` for the older ones."""


class Tickets(msgspec.Struct):
    tickets: list[TicketOut]


class Keys(msgspec.Struct):
    keys: list[dict[str, Any]]


class PerformanceContent(msgspec.Struct):
    id: Id
    starts_at: Moment
    ends_at: Moment | None = None


class Content(msgspec.Struct):
    """What ticket needs to know of the event.

    Buyers cannot cancel after `cancel_until`; each performance's start is a limit anyway.
    """

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    venue: Annotated[str, Meta(max_length=200)] = ""
    performances: Annotated[list[PerformanceContent], Meta(max_length=400)] = []
    cancel_until: Moment | None = None


class AttendeeQuery(msgspec.Struct):
    performance: Annotated[str, Meta(max_length=64)] = ""
    q: Annotated[str, Meta(max_length=100)] = ""
    page: Annotated[int, Meta(ge=1, le=100_000)] = 1


class Attendee(msgspec.Struct):
    ticket_id: str
    order_id: str
    order_number: str
    buyer_name: str
    buyer_phone: str
    performance_id: str
    label: str
    grade: str
    price_krw: int
    status: str
    booked_at: datetime


class Attendees(msgspec.Struct):
    attendees: list[Attendee]
    page: int
    pages: int
    total: int


class PerformanceSales(msgspec.Struct):
    performance_id: str
    orders: int
    tickets: int
    price_krw: int
    """The price of its live tickets."""


class Summary(msgspec.Struct):
    """Sales so far. Money is what the ledger says; `due_krw` is the price of live tickets that no provider was asked for."""

    orders: int
    tickets: int
    captured_krw: int
    refunded_krw: int
    due_krw: int
    open_refunds: int
    by_performance: list[PerformanceSales]


class Open(msgspec.Struct):
    """What stands against deleting the booking system."""

    paid_tickets_for_coming: int
    open_payments: int
