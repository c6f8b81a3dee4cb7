"""An order of merchandise as those see it who work for the organiser, and what they may give back of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from booking_templates.merch.models import NOTE_MAX
from booking_templates.merch.schemas import GivenBack, ItemOut

Why = Literal["charged_twice", "fault", "missing", "goodwill", "other"]


class Pieces(msgspec.Struct):
    """So many pieces of an item of the order."""

    item: str
    quantity: int


class HistoryEntry(msgspec.Struct, omit_defaults=True):
    """Something that happened to an order. `kind`: ordered, paid, picked_up, given_back or outside.

    `outside`: money was given back at the payment provider by other hands; `at` is when that was found out.

    Of what was given back: `reason` says by whom (buyer, organiser, performance_called_off, else why it could not be delivered), `done_at`
    when the provider had made it, null while it is on its way. By hand: which `pieces`, `by` whom, `why`, and the `note` that buyers do
    not see.
    """

    kind: str
    at: datetime
    amount_krw: int = 0
    pieces: list[Pieces] = []
    done_at: datetime | None = None
    is_done: bool = True
    reason: str = ""
    by: str = ""
    why: str = ""
    note: str = ""


class Refusal(msgspec.Struct):
    code: str
    detail: str


class StaffOrder(msgspec.Struct):
    """An order with its buyer. `refusal`: why nothing of it can be given back now, not even what was picked up; null when it can."""

    id: str
    number: str
    status: str
    is_settling: bool
    reason: str
    ticket_order: str | None
    buyer_name: str
    buyer_phone: str
    provider: str
    payment_test: bool
    total_krw: int
    refunded_krw: int
    due_krw: int
    picked_up_at: datetime | None
    refusal: Refusal | None
    items: list[ItemOut]
    history: list[HistoryEntry]
    created_at: datetime


class NewRefundByHand(msgspec.Struct, forbid_unknown_fields=True):
    """Give ITEMS back (all that is left, without), at their whole price. `picked_up`: though it was handed over.

    `note` is for the organiser alone.
    """

    why: Why
    items: Annotated[list[GivenBack], Meta(min_length=1, max_length=50)] | None = None
    picked_up: bool = False
    note: Annotated[str, Meta(max_length=NOTE_MAX)] = ""


class RefundMade(msgspec.Struct):
    """What was given back. `is_done` is false while the provider has not said that the money is on its way."""

    id: str
    order_id: str
    items: list[Pieces]
    price_krw: int
    refund_krw: int
    is_done: bool
    created_at: datetime
