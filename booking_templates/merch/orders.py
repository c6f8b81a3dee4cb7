"""Ordering and cancelling, for one buyer; handing over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import IntegrityError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from booking_templates.kit.db import clock, retry_transaction
from booking_templates.kit.principal import Principal
from booking_templates.kit.problems import Conflict, NotFound, Unprocessable
from booking_templates.kit.table import table
from booking_templates.merch import limits, sales, stock, tickets
from booking_templates.merch.models import Item, Order
from booking_templates.merch.saga import saga
from booking_templates.merch.schemas import NewOrder
from booking_templates.merch.stock import Key
from booking_templates.payments import answers
from booking_templates.payments.answers import refused
from booking_templates.payments.errors import PaymentError
from booking_templates.payments.ids import new_letters, new_number
from booking_templates.payments.names import normal_name
from booking_templates.payments.reasons import BUYER
from booking_templates.payments.saga import PENDING_FOR
from booking_templates.payments.states import State

TRIES = 4
KRW_MAX = 1_000_000_000


@dataclass(frozen=True)
class Wish:
    """What a buyer orders, under which names, together with which order of tickets."""

    pieces: Counter[Key]
    ticket_order: str = ""
    name: str = ""
    phone: str = ""


def wish_of(body: NewOrder) -> Wish:
    """BODY with items that come twice counted together."""
    pieces = Counter[Key]()
    for item in body.items:
        pieces[item.product, item.option or ""] += item.quantity
    return Wish(pieces, body.ticket_order or "", body.name, body.phone)


def create(*, buyer: Principal, wish: Wish, key: str | None) -> tuple[Order, bool]:
    """An order as wished, and whether it was made by this call: a key that was used before leads to its order.

    Raises Problem: `not_on_sale`, `sold_out`, `limit_exceeded`, `unknown_product`, `option_required`, `unknown_ticket_order`,
    `payment_unavailable` …
    """
    if wish.ticket_order and not (key and Order.objects.filter(buyer_id=buyer.id, idempotency_key=key).exists()):
        tickets.require(wish.ticket_order, buyer_id=buyer.id)
    order, is_new = _insert(buyer=buyer, wish=wish, key=key)
    if order.state == State.PENDING:
        try:
            saga.begin(order)
        except PaymentError as error:
            raise answers.payment_problem(error) from error
    return order, is_new


def _insert(*, buyer: Principal, wish: Wish, key: str | None) -> tuple[Order, bool]:
    for _attempt in range(TRIES):
        if key and (found := Order.objects.filter(buyer_id=buyer.id, idempotency_key=key).first()):
            ordered = {(item.choice.product_id, item.choice.option): item.quantity for item in found.items.select_related("choice")}
            if ordered != dict(wish.pieces) or found.ticket_order != wish.ticket_order:
                raise Unprocessable("idempotency_key_reused")
            return found, False
        try:
            return _write(buyer=buyer, wish=wish, key=key), True
        except IntegrityError:
            # The key was used at the same moment, or a number or code that was drawn is another order's.
            continue
    raise refused("order_busy", retry_after_s=1)


@retry_transaction
def _write(*, buyer: Principal, wish: Wish, key: str | None) -> Order:
    """Stock, order and items in one transaction."""
    sales.require_open()
    limits.require(buyer.id, wish.pieces)
    taken = [(choice, wish.pieces[choice.product_id, choice.option]) for choice in stock.take(wish.pieces)]
    total = sum(choice.price_krw * quantity for choice, quantity in taken)
    if total > KRW_MAX:
        raise Unprocessable("order_too_large", _("This order is too large."))
    now = clock()
    order = Order.objects.create(
        number=new_number("M"),
        buyer_id=buyer.id,
        buyer_name=(normal_name(wish.name) or buyer.name)[:100],
        buyer_phone=wish.phone,
        language=get_language() or "",
        idempotency_key=key,
        total_krw=total,
        ticket_order=wish.ticket_order,
        pickup_code=_new_code(),
        created_at=now,
        next_at=now + PENDING_FOR,
    )
    Item.objects.bulk_create(
        Item(
            order=order,
            choice=choice,
            name=choice.product.name,
            option_name=choice.name,
            price_krw=choice.price_krw,
            quantity=quantity,
        )
        for choice, quantity in taken
    )
    return order


def own(buyer_id: str, order_id: str) -> Order:
    """The buyer's order. Raises NotFound for one that is not there and for somebody else's alike."""
    order = table(Order).get(id=order_id, buyer_id=buyer_id)
    if order is None:
        raise NotFound("not_found")
    return order


def refusal(order: Order) -> str | None:
    """Why ORDER cannot be cancelled by its buyer now: a problem code, or None when it can."""
    match order.state:
        case State.PENDING | State.PAYING:
            return None
        case State.APPROVING | State.CAPTURED:
            return "payment_in_progress"
        case State.ISSUED:
            return "already_picked_up" if order.picked_up_at else None
        case _:
            return "already_cancelled"


def cancel(order: Order) -> None:
    """Cancel all of ORDER for its buyer: an open one is closed, an issued one refunded. Cancelling twice is fine.

    Raises Conflict: `payment_in_progress`, `already_picked_up`, `order_changed`.
    """
    if order.state != State.ISSUED:
        saga.give_up(order, BUYER)
    if order.state != State.ISSUED:
        return
    if why := refusal(order):
        raise refused(why)
    saga.withdraw(order, reason=BUYER, price_krw=value_krw(items_of(order)))


def give_back(order: Order, wanted: Mapping[int, int]) -> None:
    """Give so many pieces of items (by their ids) back for their buyer, and refund their price. The last piece ends the order.

    Raises Conflict as `cancel` does, or `not_issued`; Unprocessable for an item that is not the order's, or pieces that it has not.
    """
    if why := refusal(order):
        raise refused(why)
    if order.state != State.ISSUED:
        raise refused("not_issued")
    items = {item.pk: item for item in items_of(order)}
    if any(pk not in items or count > items[pk].left for pk, count in wanted.items()):
        raise Unprocessable("invalid", errors={"items": [_("There are not so many pieces of this in the order.")]})
    is_whole = all(wanted.get(pk, 0) == item.left for pk, item in items.items())
    lines = None if is_whole else [str(pk) for pk, count in wanted.items() for _piece in range(count)]
    # Items change with the order's version alone, so what was counted here is what the move finds, or it finds the order changed.
    saga.withdraw(order, reason=BUYER, price_krw=sum(items[pk].price_krw * count for pk, count in wanted.items()), lines=lines)


def items_of(order: Order) -> list[Item]:
    """ORDER's lines, in the order in which they were written."""
    return list(Item.objects.filter(order_id=order.pk).select_related("choice").order_by("pk"))


def value_krw(items: Iterable[Item]) -> int:
    """The price of the pieces of ITEMS that are the buyer's."""
    return sum(item.price_krw * item.left for item in items)


def hand_over(code: str) -> Order:
    """The order whose code was shown, marked as picked up: once. Raises NotFound, or Conflict with when it was picked up before.

    The version moves with it, so a cancellation at the same moment finds the order changed, or this finds it cancelled.
    """
    normal = "".join(filter(str.isalnum, code.upper()))  # typed with a space, a dash or neither
    order = Order.objects.filter(pickup_code=f"{normal[:4]}-{normal[4:]}").first()
    if order is None or order.state not in (State.ISSUED, State.REFUNDING, State.REFUNDED, State.CANCELLED):
        raise NotFound("unknown_code")
    if order.state != State.ISSUED:
        raise Conflict("order_cancelled", _("This order was cancelled."))
    if order.picked_up_at is not None:
        raise refused("already_picked_up", picked_up_at=order.picked_up_at.isoformat())
    if not order.change(State.ISSUED, picked_up_at=clock()):
        raise refused("order_changed")
    return order


def _new_code() -> str:
    letters = new_letters(8)
    return f"{letters[:4]}-{letters[4:]}"
