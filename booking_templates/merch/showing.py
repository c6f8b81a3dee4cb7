"""Rows as the API shows them."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from booking_templates.merch import orders as ordering
from booking_templates.merch.models import Order
from booking_templates.merch.saga import saga
from booking_templates.merch.schemas import ItemOut, OrderOut
from booking_templates.payments.schemas import CancellationOut
from booking_templates.payments.showing import local, shown_payment
from booking_templates.payments.states import State


def shown(order: Order, request: HttpRequest) -> OrderOut:
    return shown_all([order], request)[0]


def shown_all(orders: list[Order], request: HttpRequest) -> list[OrderOut]:
    """ORDERS with their items, in two queries however many they are."""
    ids = [order.pk for order in orders]
    items = {row.pk: items_of(row) for row in Order.objects.filter(pk__in=ids).prefetch_related("items")}
    return [_order(order, items[order.pk], request) for order in orders]


def items_of(order: Order) -> list[ItemOut]:
    rows = sorted(order.items.all(), key=lambda item: item.pk)
    return [ItemOut(product=item.product_id, name=item.name, price_krw=item.price_krw, quantity=item.quantity) for item in rows]


def due_krw(order: Order) -> int:
    """What the buyer owes at the counter."""
    return order.total_krw if order.state == State.ISSUED and not order.is_paid and order.picked_up_at is None else 0


def _order(order: Order, items: list[ItemOut], request: HttpRequest) -> OrderOut:
    why = ordering.refusal(order)
    refund = order.total_krw if order.state == State.ISSUED and order.is_paid and why is None else 0
    return OrderOut(
        id=order.pk,
        number=order.number,
        status=order.status,
        is_settling=order.is_settling,
        reason=order.reason,
        items=items,
        total_krw=order.total_krw,
        due_krw=due_krw(order),
        payment=shown_payment(order, saga.provider(), request),
        pickup_code=order.pickup_code if order.state == State.ISSUED else None,
        picked_up_at=local(order.picked_up_at),
        cancellation=CancellationOut(allowed=why is None, reason=why, refund_krw=refund, fee_krw=0, until=None),
        refunded_krw=order.refunded_krw,
        created_at=timezone.localtime(order.created_at),
    )
