"""What the API takes and gives, as it is in JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from booking_templates.payments.schemas import CancellationOut, Name, PaymentOut, Phone
from booking_templates.ticket.concessions import CONCESSIONS_MAX, Concession, ConcessionId
from booking_templates.ticket.moments import Moment, check_years
from booking_templates.ticket.policy import Policy, Preset

Id = Annotated[str, Meta(min_length=1, max_length=64)]
PlaceId = Annotated[str, Meta(min_length=1, max_length=100)]
PLACES_MAX = 200


class NewOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Order what a hold is for. Name and phone are who to ask for at the door; the account's name unless given.

    `concessions` says by the id of its place which concession each is ordered with; a place that is not named costs its full price. With
    `expected_total_krw` nothing happens when the total is another one (`price_changed`).
    """

    hold_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
    name: Name = ""
    phone: Phone = ""
    concessions: Annotated[dict[PlaceId, ConcessionId], Meta(max_length=PLACES_MAX)] = {}
    expected_total_krw: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None


class PlaceOut(msgspec.Struct, omit_defaults=True):
    """`price_krw` is what is paid for it. With a concession `list_price_krw` is the full price, and `proof` what is shown at the door."""

    label: str
    grade: str
    price_krw: int
    seat: str = ""
    area: str = ""
    list_price_krw: int | None = None
    concession: str = ""
    """Its name, as it was when it was ordered."""
    concession_id: str = ""
    proof: str = ""


class TicketOut(msgspec.Struct):
    id: str
    order_id: str
    performance_id: str
    place: PlaceOut
    status: str
    used_at: datetime | None
    code: str | None
    """What its QR shows; none once it is cancelled."""
    due_krw: int
    """Still to be paid at the door."""
    paid_at_door_krw: int
    """Paid there, and not given back."""


class ByOrganiser(msgspec.Struct):
    """Tickets that the organiser gave back of their own accord."""

    at: datetime
    tickets: list[str]
    refund_krw: int
    at_door_krw: int
    """What was given back by hand, for it had been paid at the door."""


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
    """All that went back, by whosever hands."""
    outside_krw: int
    """What of `refunded_krw` was given back at the payment provider itself, not here."""
    kept_krw: int
    """What of the price of tickets that were given back is kept: their fees, less what was given back beyond them. Not while settling."""
    compensation_krw: int
    """What the organiser owes on top of the refund, outside the payment provider."""
    by_organiser: list[ByOrganiser]
    created_at: datetime


class GivenUp(msgspec.Struct):
    """A ticket that would be given up, and what is kept of its price."""

    ticket: str
    label: str
    price_krw: int
    fee_krw: int


class Quote(msgspec.Struct):
    """What cancelling these tickets would mean now.

    `at_door_krw` was paid for them at the door: only the organiser gives that back, by hand.
    """

    allowed: bool
    reason: str | None
    refund_krw: int
    fee_krw: int
    """What the terms keep, to be agreed to."""
    had_before_krw: int
    """What of the price its buyer has already, given back at the payment provider itself. Where it is not 0 all that is left there is
    refunded, and no fee is kept."""
    at_door_krw: int
    until: datetime | None
    tickets: list[GivenUp]


class QuoteQuery(msgspec.Struct):
    """Ids of tickets, with commas between them; without, the whole order."""

    tickets: Annotated[str, Meta(max_length=4000)] = ""


class NewRefund(msgspec.Struct, forbid_unknown_fields=True):
    """Give TICKETS up (all, when left out), agreeing to FEE_KRW as it was quoted."""

    fee_krw: Annotated[int, Meta(ge=0)]
    tickets: Annotated[list[Id], Meta(min_length=1, max_length=200)] | None = None


class PerformanceTerms(msgspec.Struct):
    """Until when tickets of a performance can be cancelled, or that the organiser has called it off."""

    id: str
    starts_at: datetime
    until: datetime
    is_called_off: bool


class TermsOut(msgspec.Struct):
    """What cancelling costs, told before buying. Days of the policy are calendar days where the event is.

    `concessions` are what places may be ordered with, in the order in which they are shown; none for an order that is made already.
    """

    policy: Policy
    performances: list[PerformanceTerms]
    concessions: list[Concession]


class OrderStatus(msgspec.Struct):
    status: str


class Orders(msgspec.Struct):
    orders: list[OrderOut]
    next: str | None
    """Give it as `before` for the older ones."""


class Tickets(msgspec.Struct):
    tickets: list[TicketOut]


class Keys(msgspec.Struct):
    keys: list[dict[str, Any]]


class PerformanceContent(msgspec.Struct, forbid_unknown_fields=True):
    id: Id
    starts_at: Moment
    ends_at: Moment | None = None

    def __post_init__(self) -> None:
        check_years(self.starts_at, self.ends_at)


class Content(msgspec.Struct, forbid_unknown_fields=True):
    """What ticket needs to know of the event; the last four stay as they are when they are left out.

    Buyers cannot cancel after `cancel_until`; each performance's start is a limit anyway. `refund_policy` says what cancelling costs:
    a preset's name, or rules. Who bought before keeps what was told then, where it is kinder. From `sales_close_at` on (or the last
    start) the settlement statement is final. `concessions` are in the order in which they are shown; nothing that is sold changes with
    them. When it is read, the field is left out while there are none.
    """

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    venue: Annotated[str, Meta(max_length=200)] = ""
    performances: Annotated[list[PerformanceContent], Meta(max_length=400)] = []
    cancel_until: Moment | UnsetType | None = UNSET
    sales_close_at: Moment | UnsetType | None = UNSET
    refund_policy: Policy | Preset | UnsetType = UNSET
    concessions: Annotated[list[Concession], Meta(max_length=CONCESSIONS_MAX)] | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_years(self.cancel_until, self.sales_close_at)


class AttendeeQuery(msgspec.Struct):
    performance: Annotated[str, Meta(max_length=64)] = ""
    q: Annotated[str, Meta(max_length=100)] = ""
    page: Annotated[int, Meta(ge=1, le=100_000)] = 1


class AttendeeSearch(AttendeeQuery, forbid_unknown_fields=True):
    """The same in a body: it may name a buyer, and addresses are written down on their way."""


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
    """What was paid for it, or is due."""
    list_price_krw: int
    concession: str
    """Empty for the full price."""
    status: str
    booked_at: datetime
    used_at: datetime | None
    due_krw: int
    """To be paid at the door."""
    paid_at_door_krw: int
    paid_at_door_at: datetime | None
    paid_at_door_with: str
    """The scanner at which it was."""


class Attendees(msgspec.Struct):
    attendees: list[Attendee]
    page: int
    pages: int
    total: int


class CalledOff(msgspec.Struct, forbid_unknown_fields=True):
    """COMPENSATION_PERCENT of the price is owed on top of the refund (소비자분쟁해결기준: 10)."""

    compensation_percent: Annotated[int, Meta(ge=0, le=100)] = 10


class CallingOff(msgspec.Struct):
    """How far the refunds are that calling a performance off has caused."""

    performance_id: str
    cancelled_at: datetime | None
    compensation_percent: int
    orders_left: int
    refunds_open: int
    refunded_krw: int
    compensation_krw: int
