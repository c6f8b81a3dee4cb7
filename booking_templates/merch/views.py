"""Endpoints for buyers."""

from __future__ import annotations

from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.principal import BUYER
from booking_templates.merch import orders
from booking_templates.merch.models import Order, Product
from booking_templates.merch.schemas import NewOrder, OrderOut, Orders, ProductOut, Products
from booking_templates.merch.showing import shown, shown_all
from booking_templates.payments.keys import key_of
from booking_templates.payments.schemas import Page

PAGE = 20


@endpoint(returns={200: Products})
def list_products(request: Request) -> Products:
    """What is offered, and how much of it is left."""
    offered = Product.objects.filter(is_offered=True).order_by("position", "pk")
    return Products(
        products=[
            ProductOut(id=each.pk, name=each.name, description=each.description, price_krw=each.price_krw, left=each.stock - each.sold)
            for each in offered
        ]
    )


@endpoint(
    auth=BUYER,
    body=NewOrder,
    returns={201: OrderOut, 200: OrderOut},
    problems=("sold_out", "unknown_product", "order_too_large", "payment_unavailable", "idempotency_key_reused"),
)
def create_order(request: Request, body: NewOrder) -> Reply:
    """Order products: their stock is taken at once, all or none. The answer has the address of the payment, where there is one.

    The same request again with the same `Idempotency-Key` answers with the same order (200).
    """
    order, is_new = orders.create(buyer=request.principal, items=body.items, name=body.name, phone=body.phone, key=key_of(request))
    return Reply(shown(order, request), status=201 if is_new else 200)


@endpoint(auth=BUYER, query=Page, returns={200: Orders})
def list_orders(request: Request, query: Page) -> Orders:
    """The buyer's orders, the newest first."""
    found = Order.objects.filter(buyer_id=request.principal.id).order_by("-created_at", "-pk")
    if query.before:
        mark = orders.own(request.principal.id, query.before)
        found = found.filter(created_at__lte=mark.created_at).exclude(pk__gte=mark.pk, created_at=mark.created_at)
    page = list(found[: PAGE + 1])
    return Orders(orders=shown_all(page[:PAGE], request), next=page[PAGE - 1].pk if len(page) > PAGE else None)


@endpoint(auth=BUYER, returns={200: OrderOut}, problems=("not_found",))
def read_order(request: Request, order_id: object) -> OrderOut:
    """One of the buyer's orders."""
    return shown(orders.own(request.principal.id, str(order_id)), request)


@endpoint(
    auth=BUYER,
    returns={200: OrderOut},
    problems=("not_found", "payment_in_progress", "already_picked_up", "refund_in_progress", "order_changed"),
)
def cancel_order(request: Request, order_id: object) -> OrderOut:
    """Cancel a whole order that was not picked up: its stock is given back, its money refunded. Safe to send twice."""
    order = orders.own(request.principal.id, str(order_id))
    orders.cancel(order)
    return shown(order, request)
