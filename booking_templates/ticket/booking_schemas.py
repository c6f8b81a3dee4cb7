"""A booking as those see it who work for the organiser, and what they may give back of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from booking_templates.ticket.models import NOTE_MAX
from booking_templates.ticket.schemas import Id

Terms = Literal["full", "policy"]
Why = Literal["illness", "charged_twice", "place", "goodwill", "other"]


class BookedTicket(msgspec.Struct):
    id: str
    label: str
    grade: str
    price_krw: int
    list_price_krw: int
    concession: str
    proof: str
    status: str
    used_at: datetime | None
    due_krw: int
    """Still to be paid at the door."""
    paid_at_door_krw: int
    """Paid there, and not given back."""


class HistoryEntry(msgspec.Struct, omit_defaults=True):
    """Something that happened to a booking. `kind`: ordered, paid, used (at the door), given_back or outside; and of what was paid at the
    door: door_paid, door_not_paid (after all) and door_given_back. Of these `at` is when it reached us, and `scanner` says at which door.

    `outside`: money was given back at the payment provider by other hands; `at` is when that was found out.

    Of what was given back: `reason` says by whom (buyer, organiser, performance_called_off, else why it could not be delivered), `done_at`
    when the provider had made it, null while it is on its way. By hand: `by` whom, `why`, and the `note` that buyers do not see.
    """

    kind: str
    at: datetime
    amount_krw: int = 0
    fee_krw: int = 0
    labels: list[str] = []
    done_at: datetime | None = None
    is_done: bool = True
    reason: str = ""
    by: str = ""
    why: str = ""
    note: str = ""
    scanner: str = ""


class Refusal(msgspec.Struct):
    code: str
    detail: str


class Booking(msgspec.Struct):
    """An order with its buyer. `refusal`: why nothing of it can be given back now; null when it can."""

    id: str
    number: str
    status: str
    is_settling: bool
    reason: str
    performance_id: str
    buyer_name: str
    buyer_phone: str
    provider: str
    payment_test: bool
    total_krw: int
    refunded_krw: int
    compensation_krw: int
    refusal: Refusal | None
    tickets: list[BookedTicket]
    history: list[HistoryEntry]
    created_at: datetime


class NumberQuery(msgspec.Struct):
    """As its buyer reads it, in capitals or not."""

    number: Annotated[str, Meta(min_length=1, max_length=20)]


class BookingFound(msgspec.Struct):
    id: str


class ByHandQuery(msgspec.Struct):
    """`tickets`: ids with commas between them, all that are left without. `terms`: the whole price back, or what the policy leaves of it.

    `used`: tickets that somebody was let in with, too.
    """

    tickets: Annotated[str, Meta(max_length=4000)] = ""
    terms: Terms = "full"
    used: bool = False


class NewRefundByHand(msgspec.Struct, forbid_unknown_fields=True):
    """Give TICKETS back (all that are left, without), keeping FEE_KRW as it was quoted. `note` is for the organiser alone.

    AT_DOOR_KRW, as it was quoted, is what was paid for them at the door: it is written down that the organiser has given it back.
    """

    fee_krw: Annotated[int, Meta(ge=0)]
    why: Why
    terms: Terms = "full"
    tickets: Annotated[list[Id], Meta(min_length=1, max_length=200)] | None = None
    used: bool = False
    note: Annotated[str, Meta(max_length=NOTE_MAX)] = ""
    at_door_krw: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class RefundMade(msgspec.Struct):
    """What was given back; AT_DOOR_KRW by the organiser's own hand.

    `is_done` is false while the provider has not said that the money is on its way.
    """

    id: str
    order_id: str
    tickets: list[str]
    price_krw: int
    fee_krw: int
    refund_krw: int
    at_door_krw: int
    is_done: bool
    created_at: datetime
