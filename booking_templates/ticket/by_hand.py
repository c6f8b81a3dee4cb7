"""An organiser gives money back by hand: all of an order or some of its tickets, in full or by the terms, however late it is.

It goes the way of a buyer's own cancellation (`saga.withdraw`), on terms of its own (`terms.by_hand`). Who did it and why is a row that is
written in the transaction of the withdrawal: neither stands without the other. What was paid at the door they give back out of the till,
whole: that it went back is written down in the same transaction (docs/decisions/0044).
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

from booking_templates.kit.db import clock
from booking_templates.kit.problems import Conflict, NotFound, Unprocessable
from booking_templates.kit.table import table
from booking_templates.payments.answers import REFUSALS
from booking_templates.payments.names import normal_name
from booking_templates.payments.reasons import BY_ORGANISER, CALLED_OFF
from booking_templates.payments.states import State
from booking_templates.ticket import event, terms
from booking_templates.ticket.booking_schemas import NewRefundByHand
from booking_templates.ticket.models import NOTE_MAX, Order, RefundByHand, Ticket
from booking_templates.ticket.saga import saga
from booking_templates.ticket.terms import Terms

WORDS = REFUSALS | {
    "already_cancelled": _n("These tickets, or some of them, were given back already."),
    "at_door_not_agreed": _n("What was paid at the door has changed since you looked. Please look at it again."),
    "already_used": _n("Somebody was let in with one of these tickets. Say so if it is to be refunded all the same."),
    "fee_not_agreed": _n("What is kept has changed since you looked. Please look at it again."),
    "payment_in_progress": _n("The payment of this order is being confirmed just now. Please try again in a moment."),
    CALLED_OFF: _n("This performance was called off: everybody gets the whole price back by itself."),
}
"""What those who work for the organiser are told; buyers read other words."""
RETRY_S = 3


def booking(order_id: str) -> Order:
    """The order, whoever's it is. Raises NotFound."""
    order = table(Order).get(id=order_id)
    if order is None:
        raise NotFound("not_found")
    return order


def quote(order: Order, chosen: list[str] | None, *, in_full: bool, with_used: bool) -> Terms:
    """What giving CHOSEN tickets of ORDER back, or all that are left, would mean now."""
    tickets = order.in_order(table(Ticket).rows(order_id=order.pk)) if order.state == State.ISSUED else []
    return terms.by_hand(order, tickets, now=clock(), chosen=chosen, in_full=in_full, with_used=with_used)


def refund(order: Order, wanted: NewRefundByHand, *, staff: str, key: str | None) -> tuple[RefundByHand, bool]:
    """Give back what is WANTED in the name of STAFF, and whether this call did: KEY once, however often and wherever it is sent.

    Raises Conflict with a code of WORDS (`fee_not_agreed` names the fee as it is now, `at_door_not_agreed` what was paid at the door),
    Unprocessable `idempotency_key_reused`.
    """
    asked = _digest(wanted)
    if made := _made(order, key, asked):
        return made, False
    try:
        return _give_back(order, wanted, staff=staff, key=key, asked=asked), True
    except (Conflict, IntegrityError):
        # The same request may have come twice at once: one of the two has done it, whatever of that the other met first.
        if made := _made(order, key, asked):
            return made, False
        raise


def _give_back(order: Order, wanted: NewRefundByHand, *, staff: str, key: str | None, asked: str) -> RefundByHand:
    event.forget()  # what was called off, or made dearer, at another replica a moment ago counts
    in_full = wanted.terms == "full"
    offered = quote(order, wanted.tickets, in_full=in_full, with_used=wanted.used)
    if offered.reason is not None:
        raise refused(offered.reason)
    if offered.fee_krw != wanted.fee_krw:
        raise refused("fee_not_agreed", fee_krw=offered.fee_krw, refund_krw=offered.refund_krw)
    if offered.at_door_krw != wanted.at_door_krw:
        raise refused("at_door_not_agreed", at_door_krw=offered.at_door_krw)
    chosen = [line.ticket.pk for line in offered.lines]
    made = order.by_hand = RefundByHand(
        order_id=order.pk,
        key=key,
        asked=asked,
        staff=staff,
        why=wanted.why,
        note=normal_name(wanted.note)[:NOTE_MAX],
        in_full=in_full,
        with_used=wanted.used,
        tickets=chosen,
        price_krw=offered.price_krw,
        fee_krw=offered.fee_krw,
        at_door_krw=offered.at_door_krw,
        created_at=clock(),
    )
    lines = None if offered.is_whole else chosen
    try:
        saga.withdraw(order, reason=BY_ORGANISER, price_krw=offered.price_krw, fee_krw=offered.fee_krw, lines=lines)
    except Conflict as error:
        raise refused(error.code) from error
    return made


def _digest(wanted: NewRefundByHand) -> str:
    """The same for the same request; where nothing was paid at the door, as an earlier release made it."""
    said = msgspec.to_builtins(wanted)
    if not wanted.at_door_krw:
        del said["at_door_krw"]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def forget_notes(buyer_id: str) -> None:
    """Take out what was typed about orders of the buyer: it may name them."""
    RefundByHand.objects.filter(order__buyer_id=buyer_id).exclude(note="").update(note="")


def _made(order: Order, key: str | None, asked: str) -> RefundByHand | None:
    """What a request with KEY has made before. Raises Unprocessable when that was another request."""
    made = RefundByHand.objects.filter(order_id=order.pk, key=key).select_related("refund").first() if key else None
    if made is not None and made.asked != asked:
        raise Unprocessable("idempotency_key_reused", _("This Idempotency-Key was used for another request."))
    return made


def refused(code: str, **extra: Any) -> Conflict:
    """CODE is why not; in words for those who work for the organiser."""
    is_passing = code in ("payment_in_progress", "refund_in_progress", "order_changed")
    return Conflict(code, _(WORDS[code]), retry_after_s=RETRY_S if is_passing else None, **extra)
