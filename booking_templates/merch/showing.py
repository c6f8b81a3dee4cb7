"""Rows as the API shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.http import HttpRequest
from django.utils import timezone

from booking_templates.merch import gallery
from booking_templates.merch import orders as ordering
from booking_templates.merch.content import choices_of
from booking_templates.merch.models import Item, Order, Product, RefundByHand
from booking_templates.merch.orders import value_krw
from booking_templates.merch.saga import saga
from booking_templates.merch.schemas import ByOrganiser, ItemOut, OptionOut, OrderOut, ProductOut, ToPickUp
from booking_templates.payments.schemas import CancellationOut
from booking_templates.payments.showing import local, shown_payment
from booking_templates.payments.states import State


def shown_product(product: Product) -> ProductOut:
    """PRODUCT as buyers see it, with its choices and its picture read before."""
    choices = choices_of(product)
    return ProductOut(
        id=product.pk,
        name=product.name,
        description=product.description,
        price_krw=product.price_krw,
        left=sum(each.stock - each.sold for each in choices),
        picture=gallery.shown(product.picture),
        option_label=product.option_label,
        options=[
            OptionOut(each.option, each.name, each.extra_krw, product.price_krw + each.extra_krw, each.stock - each.sold)
            for each in choices
            if each.option
        ],
        limit_per_buyer=product.limit_per_buyer,
    )


def shown(order: Order, request: HttpRequest) -> OrderOut:
    items = ordering.items_of(order)
    return _order(order, items, request, _by_hand([order.pk] if _has_given_back(items) else [])[order.pk])


def shown_all(orders: list[Order], request: HttpRequest) -> list[OrderOut]:
    """ORDERS with their items, in one query however many they are."""
    items: dict[str, list[Item]] = {order.pk: [] for order in orders}
    for item in Item.objects.filter(order_id__in=items).select_related("choice").order_by("pk"):
        items[item.order_id].append(item)
    made = _by_hand([order.pk for order in orders if _has_given_back(items[order.pk])])
    return [_order(order, items[order.pk], request, made[order.pk]) for order in orders]


def _has_given_back(items: list[Item]) -> bool:
    return any(item.given_back for item in items)


def _by_hand(orders: list[str]) -> defaultdict[str, list[RefundByHand]]:
    """What the organiser gave back of ORDERS, by time. Asked for those alone of which something was given back: most buyers keep all."""
    found: defaultdict[str, list[RefundByHand]] = defaultdict(list)
    if orders:
        for made in RefundByHand.objects.filter(order_id__in=orders).select_related("refund").order_by("created_at", "pk"):
            found[made.order_id].append(made)
    return found


def shown_items(items: Iterable[Item]) -> list[ItemOut]:
    return [
        ItemOut(
            id=str(item.pk),
            product=item.choice.product_id,
            option=item.choice.option or None,
            name=item.name,
            option_name=item.option_name,
            price_krw=item.price_krw,
            quantity=item.quantity,
            given_back=item.given_back,
        )
        for item in items
    ]


def shown_pick_up(order: Order, items: list[Item]) -> ToPickUp:
    """ORDER for the counter: what is to be handed over."""
    return ToPickUp(
        order=order.pk,
        number=order.number,
        buyer_name=order.buyer_name,
        buyer_phone=order.buyer_phone,
        items=shown_items(item for item in items if item.left or order.state != State.ISSUED),
        due_krw=due_krw(order, items),
        picked_up_at=local(order.picked_up_at),
        status=order.status,
    )


def due_krw(order: Order, items: Iterable[Item]) -> int:
    """What the buyer owes at the counter."""
    return value_krw(items) if order.state == State.ISSUED and not order.is_paid and order.picked_up_at is None else 0


def _order(order: Order, items: list[Item], request: HttpRequest, by_hand: list[RefundByHand]) -> OrderOut:
    why = ordering.refusal(order)
    refund = (
        min(value_krw(items), order.total_krw - order.refunded_krw) if order.state == State.ISSUED and order.is_paid and why is None else 0
    )
    return OrderOut(
        id=order.pk,
        number=order.number,
        status=order.status,
        is_settling=order.is_settling,
        reason=order.reason,
        ticket_order=order.ticket_order or None,
        items=shown_items(items),
        total_krw=order.total_krw,
        due_krw=due_krw(order, items),
        payment=shown_payment(order, saga.provider(), request),
        pickup_code=order.pickup_code if order.state == State.ISSUED else None,
        picked_up_at=local(order.picked_up_at),
        cancellation=CancellationOut(allowed=why is None, reason=why, refund_krw=refund, fee_krw=0, until=None),
        refunded_krw=order.refunded_krw,
        by_organiser=[ByOrganiser(local(each.created_at), each.pieces, each.amount_krw if order.is_paid else 0) for each in by_hand],
        created_at=timezone.localtime(order.created_at),
    )
