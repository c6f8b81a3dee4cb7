"""Endpoints for the seller's staff."""

from __future__ import annotations

from django.db.models import Q, Sum

from booking_templates.kit.api import Request, endpoint
from booking_templates.kit.principal import staff
from booking_templates.merch import content, orders
from booking_templates.merch.models import LedgerEntry, Order, OrderRefund, Product
from booking_templates.merch.schemas import Content, Open, PickedUp, PickUp, ProductSales, Summary
from booking_templates.merch.showing import items_of
from booking_templates.payments.models import NO_PROVIDER, Kind
from booking_templates.payments.showing import local
from booking_templates.payments.states import OPEN_PAYMENT, State

CONTENT_BYTES_MAX = 2 * 1024 * 1024
STANDS = Q(state=State.ISSUED)


@endpoint(auth=staff("content"), body=Content, returns={200: Content}, problems=("stock_below_sold",), max_body=CONTENT_BYTES_MAX)
def put_content(request: Request, body: Content) -> Content:
    """Replace the products. `stock` counts what was sold too; a product that is left out is offered no more."""
    content.put(body)
    return content.read()


@endpoint(auth=staff("content"), returns={200: Content})
def read_content(request: Request) -> Content:
    """The products that are offered."""
    return content.read()


@endpoint(auth=staff("attendees"), body=PickUp, returns={200: PickedUp}, problems=("unknown_code", "order_cancelled", "already_picked_up"))
def hand_over(request: Request, body: PickUp) -> PickedUp:
    """Hand an order over to who shows its code: once. Says what is in it and what is still to be paid."""
    order = orders.hand_over(body.code)
    picked_up_at = local(order.picked_up_at)
    assert picked_up_at is not None  # noqa: S101 - it was set just now
    return PickedUp(
        order=order.pk,
        number=order.number,
        buyer_name=order.buyer_name,
        items=items_of(order),
        due_krw=0 if order.is_paid else order.total_krw,
        picked_up_at=picked_up_at,
    )


@endpoint(auth=staff("summary"), returns={200: Summary})
def read_summary(request: Request) -> Summary:
    """What was sold so far, to the won."""
    money = dict(LedgerEntry.objects.values_list("kind").annotate(total=Sum("amount_krw")))
    due = Order.objects.filter(STANDS, provider=NO_PROVIDER, picked_up_at=None).aggregate(total=Sum("total_krw"))["total"]
    products = Product.objects.filter(Q(is_offered=True) | Q(sold__gt=0)).order_by("position", "pk")
    return Summary(
        orders=Order.objects.filter(STANDS).count(),
        picked_up=Order.objects.filter(STANDS, picked_up_at__isnull=False).count(),
        captured_krw=money.get(Kind.CAPTURE, 0),
        refunded_krw=money.get(Kind.REFUND, 0),
        due_krw=due or 0,
        open_refunds=OrderRefund.objects.filter(open_order__isnull=False).count(),
        by_product=[ProductSales(each.pk, each.name, each.stock, each.sold, each.is_offered) for each in products],
    )


@endpoint(auth=staff("content"), returns={200: Open})
def read_open(request: Request) -> Open:
    """What stands against deleting the booking system."""
    paid = Order.objects.filter(STANDS, picked_up_at=None).exclude(provider=NO_PROVIDER)
    return Open(paid_orders_to_pick_up=paid.count(), open_payments=Order.objects.filter(state__in=OPEN_PAYMENT).count())
