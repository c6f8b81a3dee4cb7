"""What the API tells the organiser of sales, as it is in JSON: the summary, what is open, the settlement statement."""

from __future__ import annotations

from datetime import datetime

import msgspec


class PerformanceSales(msgspec.Struct):
    performance_id: str
    orders: int
    tickets: int
    price_krw: int
    """The price of its live tickets."""


class Summary(msgspec.Struct):
    """Sales so far. Money is what the ledger says; `due_krw` is still to be paid at the door.

    `taken_at_door_krw` was paid there and not given back; of that, `to_give_back_at_door_krw` was paid twice, or for tickets that were
    cancelled. `outside_krw` is what of `refunded_krw` was given back at the payment provider by other hands.
    """

    orders: int
    tickets: int
    captured_krw: int
    refunded_krw: int
    outside_krw: int
    due_krw: int
    taken_at_door_krw: int
    to_give_back_at_door_krw: int
    open_refunds: int
    by_performance: list[PerformanceSales]


class Open(msgspec.Struct):
    """What stands against deleting the booking system: live tickets for performances to come, and payments that are under way.

    `paid_tickets_for_coming` is what of those tickets a provider was paid for.
    """

    tickets_for_coming: int
    paid_tickets_for_coming: int
    open_payments: int


class SettlementLine(msgspec.Struct):
    """Tickets of one performance, grade and concession: those that were sold, paid for or not, and those that were given back."""

    performance_id: str
    grade: str
    concession: str
    """Empty for the full price."""
    sold: int
    sold_krw: int
    given_back: int
    given_back_krw: int


class Outside(msgspec.Struct):
    """Money of an order that was given back at the payment provider by other hands; `at` is when that was found out."""

    order_id: str
    number: str
    amount_krw: int
    at: datetime


class AfterClose(msgspec.Struct):
    """What moved after sales had ended: refunds of buyers and of the organiser, payments that were under way.

    `sold` and `given_back` count tickets. `due_krw` is what came to be paid at the door, less what is not to be paid any more or was paid
    there since: `taken_at_door_krw`, less what was given back.
    """

    captured_krw: int
    refunded_krw: int
    fees_krw: int
    compensation_krw: int
    by_organiser_krw: int
    outside_krw: int
    due_krw: int
    taken_at_door_krw: int
    to_give_back_at_door_krw: int
    sold: int
    given_back: int


class Settlement(msgspec.Struct):
    """As of now, or as of the end of sales once that is past: final then, whatever moves later (`after_close`).

    `kept_krw` is `captured_krw` less `refunded_krw`: the price of the paid tickets that stand, the fees, and `returning_krw`, which was
    taken for orders that could not be delivered and is on its way back. `compensation_krw` is owed apart, outside the provider.
    `by_organiser_krw` is what of `refunded_krw` the organiser gave back by hand, `outside_krw` what was given back at the payment provider
    by other hands than this service's; of that, `uncovered_krw` is for tickets that stand still, so that much less than their price is
    kept. `open_payments` counts payments and refunds that are under way now.

    `due_krw` is still to be paid at the door, `taken_at_door_krw` was paid there and not given back, and of that
    `to_give_back_at_door_krw` was paid twice, or for tickets that were cancelled. So the price of the tickets that stand and that no
    provider was asked for is what is due and what was taken, less what is to be given back.

    Where sales went on after they had ended, `later` has a statement of its own for each further period, in which tickets of an earlier one
    may be given back; `since` is where it begins, null for the first. All of them add up to what there is. `after_close` is told where
    sales have ended and no period follows.
    """

    as_of: datetime
    since: datetime | None
    sales_close_at: datetime | None
    is_final: bool
    lines: list[SettlementLine]
    captured_krw: int
    refunded_krw: int
    fees_krw: int
    kept_krw: int
    returning_krw: int
    compensation_krw: int
    due_krw: int
    taken_at_door_krw: int
    to_give_back_at_door_krw: int
    by_organiser_krw: int
    outside_krw: int
    uncovered_krw: int
    outside: list[Outside]
    """The newest of it, whenever it was found out: a hundred at most, with the first period."""
    open_payments: int
    after_close: AfterClose | None
    later: list[Settlement]
