"""Endpoints for buyers."""

from __future__ import annotations

from collections import Counter

from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.db import clock
from booking_templates.kit.principal import BUYER
from booking_templates.merch import gallery, orders, sales
from booking_templates.merch.models import Order, Product
from booking_templates.merch.schemas import NewOrder, NewRefund, OrderOut, OrderQuery, Orders, Products
from booking_templates.merch.showing import shown, shown_all, shown_product
from booking_templates.payments.keys import key_of
from booking_templates.payments.showing import local

PAGE = 20
FOR_EVER = "public, max-age=31536000, immutable"


@endpoint(returns={200: Products})
def list_products(request: Request) -> Products:
    """What is offered, how much of it is left, and until when it is sold."""
    offered = Product.objects.filter(is_offered=True).select_related("picture").defer("picture__image").order_by("position", "pk")
    now_sold = sales.current()
    return Products(
        products=[shown_product(each) for each in offered.prefetch_related("choices")],
        on_sale=now_sold.is_open(clock()),
        is_called_off=now_sold.is_off,
        sells_until=local(now_sold.until),
    )


@endpoint(returns={200: bytes}, problems=("not_found",), content_type="image/*")
def read_picture(request: Request, digest: str) -> Reply:
    """A product's picture; its address changes with the picture."""
    picture = gallery.read(digest)
    headers = {"Cache-Control": FOR_EVER, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Reply(bytes(picture.image), content_type=picture.media_type, headers=headers)


@endpoint(
    auth=BUYER,
    body=NewOrder,
    returns={201: OrderOut, 200: OrderOut},
    problems=(
        "not_on_sale",
        "sold_out",
        "limit_exceeded",
        "unknown_product",
        "option_required",
        "unknown_ticket_order",
        "ticket_order_ended",
        "ticket_unavailable",
        "order_too_large",
        "order_busy",
        "payment_failed",
        "payment_unavailable",
        "idempotency_key_too_long",
        "idempotency_key_reused",
    ),
)
def create_order(request: Request, body: NewOrder) -> Reply:
    """Order products: their stock is taken at once, all or none. The answer has the address of the payment, where there is one.

    Of each product a buyer may have `limit_per_buyer` pieces, of all orders that were not cancelled together.

    The same request again with the same `Idempotency-Key` answers with the same order (200).
    """
    order, is_new = orders.create(buyer=request.principal, wish=orders.wish_of(body), key=key_of(request))
    return Reply(shown(order, request), status=201 if is_new else 200)


@endpoint(auth=BUYER, query=OrderQuery, returns={200: Orders}, problems=("not_found",))
def list_orders(request: Request, query: OrderQuery) -> Orders:
    """The buyer's orders, the newest first; with `ticket_order`, what was bought with those tickets."""
    found = Order.objects.filter(buyer_id=request.principal.id).order_by("-created_at", "-pk")
    if query.ticket_order:
        found = found.filter(ticket_order=query.ticket_order)
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


@endpoint(
    auth=BUYER,
    body=NewRefund,
    returns={200: OrderOut},
    problems=(
        "not_found",
        "not_issued",
        "already_cancelled",
        "already_picked_up",
        "payment_in_progress",
        "refund_in_progress",
        "order_changed",
    ),
)
def create_refund(request: Request, body: NewRefund, order_id: object) -> OrderOut:
    """Give some pieces back before they are picked up: their price is refunded. Giving the last one back ends the order."""
    order = orders.own(request.principal.id, str(order_id))
    wanted = Counter[int]()
    for each in body.items:
        wanted[int(each.item)] += each.quantity
    orders.give_back(order, wanted)
    return shown(order, request)
