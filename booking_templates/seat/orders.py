"""What becomes of a hold for an order: pinned while it is paid, sold, or its buyer's again. Written as `claims` writes.

What many orders want at the same moment is done by as many statements as one of them needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db import IntegrityError

from booking_templates.kit import batch
from booking_templates.kit.batch import Statement
from booking_templates.seat.claims import Refused, Row, expire, reading, update_sql
from booking_templates.seat.clock import now_sql
from booking_templates.seat.models import State


class OrderTaken(Refused):
    """The order is for another hold."""


@dataclass(frozen=True)
class Wish:
    """That HOLD of BUYER (empty: whose ever it is) be pinned for the order, or sold to it.

    It is pinned as long as its time is not over. One that is pinned for the order is sold whatever the time; one that is not, as long as it
    is there: had anybody else wanted an expired one, it would be gone.
    """

    hold: int
    buyer: str
    order_id: str
    is_sale: bool


def fulfil(wishes: Sequence[Wish]) -> list[list[Row] | OrderTaken]:
    """Fulfil WISHES, or find them fulfilled: of each the claims of its hold afterwards. In one transaction as far as that can be."""
    if len(wishes) > 1 and len({wish.hold for wish in wishes}) == len(wishes):
        try:
            rows = _fulfilled(wishes)
        except IntegrityError:
            pass  # an order among them is for another hold
        else:
            return [rows.get(wish.hold, []) for wish in wishes]
    return [_alone(wish) for wish in wishes]


def unpin(hold: int, order_id: str) -> bool:
    """Give a pinned hold back to its buyer for what is left of its time; whether this call did it."""
    sql = f"{update_sql()} state = {State.HELD:d}, order_id = NULL WHERE hold = {hold:d} AND state = {State.PINNED:d} AND order_id = %s"
    is_unpinned = batch.run([(sql, [order_id])])[0] > 0
    if is_unpinned:
        expire([hold])
    return is_unpinned


def _alone(wish: Wish) -> list[Row] | OrderTaken:
    try:
        return _fulfilled([wish]).get(wish.hold, [])
    except IntegrityError:
        return OrderTaken("the order is for another hold")


def _fulfilled(wishes: Sequence[Wish]) -> dict[int, list[Row]]:
    """The claims by hold. Raises IntegrityError, with nothing changed."""
    wishes = sorted(wishes, key=lambda wish: wish.hold)  # replicas wait for each other one way round
    pins, sales = ([wish for wish in wishes if wish.is_sale == is_sale] for is_sale in (False, True))
    statements = []
    if pins:
        statements.append(_pinning(pins))
    if sales:
        statements += [_selling(sales), _telling(sales)]
    statements.append(_recording(wishes))
    _counts, found = batch.run_and_read(statements, reading(*(wish.hold for wish in wishes)))
    return {hold: list(rows) for hold, rows in groupby((Row(*values) for values in found), key=lambda row: row.hold)}


def _pinning(wishes: Sequence[Wish]) -> Statement:
    order, orders = _order_of(wishes)
    whose, buyers = _any(wishes, lambda wish: ("buyer = %s", [wish.buyer]))
    still_held = f"state = {State.HELD:d} AND expires_ms > {now_sql()}"
    return f"{update_sql()} state = {State.PINNED:d}, order_id = {order} WHERE ({whose}) AND {still_held}", [*orders, *buyers]


def _selling(wishes: Sequence[Wish]) -> Statement:
    def may(wish: Wish) -> tuple[str, list[str]]:
        states = f"(state = {State.HELD:d} OR state = {State.PINNED:d} AND order_id = %s)"
        if wish.buyer:
            return f"(buyer = %s OR buyer = '') AND {states}", [wish.buyer, wish.order_id]  # '' once the account was closed
        return states, [wish.order_id]

    order, orders = _order_of(wishes)
    which, parameters = _any(wishes, may)
    sold = f"state = {State.SOLD:d}, order_id = {order}, expires_ms = NULL"
    return f"{update_sql()} {sold} WHERE {which}", [*orders, *parameters]


def _telling(wishes: Sequence[Wish]) -> Statement:
    """Availability learns of it."""
    which, orders = _any(wishes, lambda wish: ("order_id = %s", [wish.order_id]))
    sql = (
        "INSERT INTO seat_change (performance, hold, state, places)"  # noqa: S608
        f" SELECT MIN(performance), hold, {State.SOLD:d}, GROUP_CONCAT(place) FROM seat_claim"
        f" WHERE state = {State.SOLD:d} AND ({which}) GROUP BY hold"
    )
    return sql, orders


def _recording(wishes: Sequence[Wish]) -> Statement:
    """Note which hold each order is for, if it is. That it is for no other is the primary key's word."""
    which, orders = _any(wishes, lambda wish: ("order_id = %s", [wish.order_id]))
    known = "SELECT 1 FROM seat_sale WHERE seat_sale.order_id = seat_claim.order_id AND seat_sale.hold = seat_claim.hold"
    sql = (
        f"INSERT INTO seat_sale (order_id, hold) SELECT MIN(order_id), hold FROM seat_claim"  # noqa: S608
        f" WHERE ({which}) AND NOT EXISTS ({known}) GROUP BY hold"
    )
    return sql, orders


def _order_of(wishes: Sequence[Wish]) -> tuple[str, list[str]]:
    """An expression for the order of a claim's hold."""
    orders = [wish.order_id for wish in wishes]
    if len(wishes) == 1:
        return "%s", orders
    return f"CASE hold {' '.join([f'WHEN {wish.hold:d} THEN %s' for wish in wishes])} END", orders


def _any(wishes: Sequence[Wish], condition: Callable[[Wish], tuple[str, list[str]]]) -> tuple[str, list[str]]:
    """That a claim is of a hold of WISHES and fulfils the CONDITION for it."""
    given = [condition(wish) for wish in wishes]
    which = " OR ".join([f"hold = {wish.hold:d} AND {sql}" for wish, (sql, _parameters) in zip(wishes, given, strict=True)])
    return which, [each for _sql, parameters in given for each in parameters]
