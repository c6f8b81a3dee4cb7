"""An organiser gives merchandise back by hand: all of an order or some of its pieces, at their whole price, picked up or not.

It goes the way of a buyer's own cancellation (`saga.withdraw`). Who did it and why is a row that is written in the transaction of the
withdrawal: neither stands without the other.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

from booking_templates.kit.db import clock
from booking_templates.kit.problems import Conflict, NotFound, Unprocessable
from booking_templates.kit.table import table
from booking_templates.merch import orders
from booking_templates.merch.models import NOTE_MAX, Item, Order, RefundByHand
from booking_templates.merch.order_schemas import NewRefundByHand
from booking_templates.merch.saga import saga
from booking_templates.payments.answers import REFUSALS
from booking_templates.payments.names import normal_name
from booking_templates.payments.reasons import BY_ORGANISER
from booking_templates.payments.states import State

WORDS = REFUSALS | {
    "already_cancelled": _n("This order was cancelled, or all of it was given back already."),
    "already_picked_up": _n("This order was handed over. Say so if it is to be refunded all the same."),
    "payment_in_progress": _n("The payment of this order is being confirmed just now. Please try again in a moment."),
}
"""What those who work for the organiser are told; buyers read other words."""
PASSING = ("payment_in_progress", "refund_in_progress", "order_changed")
RETRY_S = 3


def order_of(order_id: str) -> Order:
    """The order, whoever's it is. Raises NotFound."""
    order = table(Order).get(id=order_id)
    if order is None:
        raise NotFound("not_found")
    return order


def refusal(order: Order, *, with_picked_up: bool) -> str | None:
    """Why nothing of ORDER can be given back by hand now: a code of WORDS, or None when something can."""
    if order.state in (State.PENDING, State.PAYING):
        return "not_issued"
    why = orders.refusal(order)
    return None if why == "already_picked_up" and with_picked_up else why


def refund(order: Order, wanted: NewRefundByHand, *, staff: str, key: str | None) -> tuple[RefundByHand, bool]:
    """Give back what is WANTED in the name of STAFF, and whether this call did: KEY once, however often and wherever it is sent.

    Raises Conflict with a code of WORDS, Unprocessable for pieces that are not there, or `idempotency_key_reused`.
    """
    asked = hashlib.sha256(msgspec.json.encode(wanted)).hexdigest()
    if made := _made(order, key, asked):
        return made, False
    try:
        return _give_back(order, wanted, staff=staff, key=key, asked=asked), True
    except (Conflict, IntegrityError, Unprocessable):
        # The same request may have come twice at once: one of the two has done it, whatever of that the other met first.
        if made := _made(order, key, asked):
            return made, False
        raise


def _give_back(order: Order, wanted: NewRefundByHand, *, staff: str, key: str | None, asked: str) -> RefundByHand:
    if why := refusal(order, with_picked_up=wanted.picked_up):
        raise refused(why)
    items = orders.items_of(order)
    chosen = _chosen(items, wanted)
    price = sum(item.price_krw * chosen[item.pk] for item in items)
    is_whole = all(chosen[item.pk] == item.left for item in items)
    made = order.by_hand = RefundByHand(
        order_id=order.pk,
        key=key,
        asked=asked,
        staff=staff,
        why=wanted.why,
        note=normal_name(wanted.note)[:NOTE_MAX],
        with_picked_up=wanted.picked_up,
        pieces={str(pk): count for pk, count in chosen.items() if count},
        price_krw=price,
        created_at=clock(),
    )
    try:
        # Items change with the order's version alone, so what was counted here is what the move finds, or it finds the order changed.
        saga.withdraw(order, reason=BY_ORGANISER, price_krw=price, lines=None if is_whole else [str(pk) for pk in chosen.elements()])
    except Conflict as error:
        raise refused(error.code) from error
    return made


def _chosen(items: Iterable[Item], wanted: NewRefundByHand) -> Counter[int]:
    """So many pieces of each item, by its id. Raises Unprocessable for more than are the buyer's."""
    left = {item.pk: item.left for item in items}
    if wanted.items is None:
        return Counter(left)
    chosen = Counter[int]()
    for each in wanted.items:
        chosen[int(each.item)] += each.quantity
    if any(count > left.get(pk, 0) for pk, count in chosen.items()):
        raise Unprocessable("invalid", errors={"items": [_("There are not so many pieces of this in the order.")]})
    return chosen


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
    return Conflict(code, _(WORDS[code]), retry_after_s=RETRY_S if code in PASSING else None, **extra)
