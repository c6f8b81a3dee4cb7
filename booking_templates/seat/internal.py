"""Endpoints for the other services of the system. Each call may be made again with the same outcome: the order's id is the key."""

from __future__ import annotations

import msgspec
from django.utils.translation import gettext as _

from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.principal import service
from booking_templates.kit.problems import Conflict, NotFound, Problem
from booking_templates.seat import calling_off, claims, holds, house, orders, passes, presale, variant
from booking_templates.seat.models import State
from booking_templates.seat.orders import OrderTaken
from booking_templates.seat.schemas import (
    Act,
    ConfirmRequest,
    Hold,
    HoldAnswer,
    HoldAnswers,
    HoldAsk,
    HoldAsks,
    HoldQuery,
    Identifier,
    OrderRequest,
    PinRequest,
    Released,
    ReleaseRequest,
)
from booking_templates.seat.showing import hold_of, parse_hold_id, place_of

ANYBODY = ""
"""For a buyer's id: whose ever the hold is."""
TICKET = service("ticket")
AUTH = service("auth")


def _checked(hold: int | None, rows: list[claims.Row], buyer: str) -> list[claims.Row]:
    """ROWS, the claims of HOLD. Raises NotFound or Gone. A hold that is somebody else's is not there."""
    if not rows:
        raise holds.unknown(hold)
    if buyer and rows[0].buyer not in (buyer, ""):  # "" once its buyer has closed the account
        raise holds.unknown(None)
    return rows


@endpoint(auth=TICKET, query=HoldQuery, returns={200: Hold}, problems=("hold_unknown", "hold_expired", "performance_called_off"))
def read_hold(request: Request, query: HoldQuery, hold_id: str) -> Hold:
    """A hold and its places, if it is that buyer's."""
    hold = parse_hold_id(hold_id)
    rows = claims.rows_of(hold) if hold is not None else []
    return hold_of(house.current(), _checked(hold, rows, query.buyer))


@endpoint(
    auth=TICKET,
    body=PinRequest,
    returns={200: Hold},
    problems=("hold_unknown", "hold_expired", "hold_pinned", "hold_sold", "order_taken", "pins_not_offered", "performance_called_off"),
)
def pin(request: Request, body: PinRequest, hold_id: str) -> Hold:
    """Keep the hold beyond its time, for this order alone, until it is confirmed or unpinned."""
    return _done(HoldAsk(Act.PIN, hold_id, body.order_id, body.buyer_id))


@endpoint(
    auth=TICKET, body=ConfirmRequest, returns={200: Hold}, problems=("hold_unknown", "hold_lost", "order_taken", "performance_called_off")
)
def confirm(request: Request, body: ConfirmRequest, hold_id: str) -> Hold:
    """The hold's places are sold to the order. 409 `hold_lost`: they are somebody else's now, or free again."""
    return _done(HoldAsk(Act.CONFIRM, hold_id, body.order_id, body.buyer_id or ANYBODY))


@endpoint(auth=TICKET, body=HoldAsks, returns={200: HoldAnswers})
def ask_for_holds(request: Request, body: HoldAsks) -> HoldAnswers:
    """Pin and confirm holds of many orders in one transaction; each is answered as by its own call."""
    wishes = [_wish(ask) for ask in body.asks]
    found = iter(orders.fulfil([wish for wish in wishes if wish is not None]))
    return HoldAnswers([_answer(ask, [] if wish is None else next(found)) for ask, wish in zip(body.asks, wishes, strict=True)])


def _answer(ask: HoldAsk, found: list[claims.Row] | OrderTaken) -> HoldAnswer:
    try:
        return HoldAnswer(200, hold=_hold_of(ask, found))
    except Problem as problem:
        return HoldAnswer(problem.status, problem.code)


def _done(ask: HoldAsk) -> Hold:
    wish = _wish(ask)
    return _hold_of(ask, [] if wish is None else orders.fulfil([wish])[0])


def _wish(ask: HoldAsk) -> orders.Wish | None:
    """None: it cannot be fulfilled whatever the hold."""
    hold = parse_hold_id(ask.hold_id)
    if hold is None or (ask.act == Act.PIN and not variant.has_pins()):
        return None
    return orders.Wish(hold, ask.buyer_id, ask.order_id, ask.act == Act.CONFIRM)


def _hold_of(ask: HoldAsk, found: list[claims.Row] | OrderTaken) -> Hold:
    """The hold as it was FOUND after ASK was tried. Raises what the order is told."""
    if isinstance(found, OrderTaken):
        raise Conflict("order_taken", _("This order is for another hold.")) from found
    return (_pinned if ask.act == Act.PIN else _confirmed)(ask, found)


def _pinned(ask: HoldAsk, rows: list[claims.Row]) -> Hold:
    if not variant.has_pins():
        raise Conflict("pins_not_offered", _("Bookings are confirmed at once here."))
    first = _checked(parse_hold_id(ask.hold_id), rows, ask.buyer_id)[0]
    if all(row.order_id == ask.order_id for row in rows):
        return hold_of(house.current(), rows)
    if first.state == State.PINNED:
        raise Conflict("hold_pinned", _("These places are being paid for."))
    if first.state == State.SOLD:
        raise Conflict("hold_sold", _("These places are sold already."))
    raise holds.unknown(first.hold)  # held, and it could not be pinned: its time is over


def _confirmed(ask: HoldAsk, rows: list[claims.Row]) -> Hold:
    hold = parse_hold_id(ask.hold_id)
    if rows and all(row.state == State.SOLD and row.order_id == ask.order_id for row in rows):
        return hold_of(house.current(), rows)
    if rows:
        _checked(hold, rows, ask.buyer_id)
    elif hold is not None and calling_off.has_ended(hold):
        raise holds.called_off()
    raise Conflict("hold_lost", _("These places are not held for this order any more."))


@endpoint(auth=TICKET, body=OrderRequest, returns={204: None})
def unpin(request: Request, body: OrderRequest, hold_id: str) -> Reply:
    """The hold is its buyer's again for what is left of its time. One that has ended, or is not pinned for the order, is fine."""
    hold = parse_hold_id(hold_id)
    if hold is not None:
        orders.unpin(hold, body.order_id)
    return Reply(status=204)


@endpoint(auth=TICKET, body=ReleaseRequest, returns={200: Released})
def release_order(request: Request, body: ReleaseRequest, order_id: str) -> Released:
    """Places sold to the order (or pinned for it) are free again: all of them, or those named."""
    at = house.current()
    if body.places is None:
        freed = claims.release_order(order_id)
    else:
        wanted = set(body.places)
        there = claims.rows_of_order(order_id)
        freed = claims.release_order(order_id, {row.ordinal for row in there if place_of(at, row).id in wanted})
    return Released([place_of(at, row).id for row in freed])


@endpoint(auth=TICKET, returns={204: None}, problems=("unknown_performance",))
def close_performance(request: Request, performance_id: str) -> Reply:
    """The organiser has called the performance off: nothing of it can be had any more, and that is not taken back. Twice is once."""
    try:
        calling_off.call_off(msgspec.convert(performance_id, Identifier))
    except msgspec.ValidationError as error:
        raise NotFound("unknown_performance", _("There is no such performance.")) from error
    return Reply(status=204)


@endpoint(auth=AUTH, returns={204: None})
def erase_buyer(request: Request, buyer_id: str) -> Reply:
    """The buyer's open holds are free again, and sold places stand without who bought them."""
    claims.release_buyer(buyer_id)
    passes.forget_buyer(buyer_id)
    presale.forget_buyer(buyer_id)
    return Reply(status=204)
