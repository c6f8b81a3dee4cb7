"""Ordering and cancelling, for one buyer; handing over."""

from __future__ import annotations

import secrets
from collections import Counter

from django.db import IntegrityError
from django.utils.translation import gettext as _

from booking_templates.kit.db import clock, retry_transaction
from booking_templates.kit.principal import Principal
from booking_templates.kit.problems import Conflict, NotFound, Unprocessable
from booking_templates.kit.table import table
from booking_templates.merch import stock
from booking_templates.merch.models import Item, Order
from booking_templates.merch.saga import saga
from booking_templates.merch.schemas import WantedItem
from booking_templates.payments import answers
from booking_templates.payments.answers import refused
from booking_templates.payments.errors import PaymentError
from booking_templates.payments.ids import ALPHABET, new_number
from booking_templates.payments.saga import BUYER, PENDING_FOR
from booking_templates.payments.states import State

TRIES = 4
KRW_MAX = 1_000_000_000
REFUNDABLE = (State.ISSUED,)


def create(*, buyer: Principal, items: list[WantedItem], name: str, phone: str, key: str | None) -> tuple[Order, bool]:
    """An order of ITEMS, and whether it was made by this call: a key that was used before leads to its order.

    Raises Problem: `sold_out`, `unknown_product`, `payment_unavailable`, `idempotency_key_reused`.
    """
    wanted = Counter[str]()
    for item in items:
        wanted[item.product] += item.quantity
    order, is_new = _insert(buyer=buyer, wanted=wanted, name=name, phone=phone, key=key)
    if order.state == State.PENDING:
        try:
            saga.begin(order)
        except PaymentError as error:
            raise answers.payment_problem(error) from error
    return order, is_new


def _insert(*, buyer: Principal, wanted: Counter[str], name: str, phone: str, key: str | None) -> tuple[Order, bool]:
    for _attempt in range(TRIES):
        if key and (found := Order.objects.filter(buyer_id=buyer.id, idempotency_key=key).first()):
            if dict(found.items.values_list("product_id", "quantity")) != dict(wanted):
                raise Unprocessable("idempotency_key_reused")
            return found, False
        try:
            return _write(buyer=buyer, wanted=wanted, name=name, phone=phone, key=key), True
        except IntegrityError:
            # The key was used at the same moment, or a number or code that was drawn is another order's.
            continue
    raise refused("order_busy", retry_after_s=1)


@retry_transaction
def _write(*, buyer: Principal, wanted: Counter[str], name: str, phone: str, key: str | None) -> Order:
    """Stock, order and items in one transaction."""
    products = stock.take(wanted)
    total = sum(product.price_krw * wanted[product.pk] for product in products)
    if total > KRW_MAX:
        raise Unprocessable("order_too_large", _("This order is too large."))
    now = clock()
    order = Order.objects.create(
        number=new_number("M"),
        buyer_id=buyer.id,
        buyer_name=name or buyer.name[:100],
        buyer_phone=phone,
        idempotency_key=key,
        total_krw=total,
        pickup_code=_new_code(),
        created_at=now,
        next_at=now + PENDING_FOR,
    )
    Item.objects.bulk_create(
        Item(order=order, product=product, name=product.name, price_krw=product.price_krw, quantity=wanted[product.pk])
        for product in products
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
    saga.withdraw(order, reason=BUYER, price_krw=order.total_krw)


def hand_over(code: str) -> Order:
    """The order whose code was shown, marked as picked up: once. Raises NotFound, or Conflict with when it was picked up before.

    The version moves with it, so a cancellation at the same moment finds the order changed, or this finds it cancelled.
    """
    normal = code.strip().upper().replace("-", "")
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
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
