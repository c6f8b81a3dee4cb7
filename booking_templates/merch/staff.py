"""Endpoints for the seller's staff."""

from __future__ import annotations

from django.db.models import F, Q, Sum

from booking_templates.kit.api import Request, endpoint
from booking_templates.kit.db import snapshot
from booking_templates.kit.principal import staff
from booking_templates.merch import content, gallery, orders
from booking_templates.merch.models import Choice, Item, LedgerEntry, Order, OrderRefund, Product
from booking_templates.merch.schemas import (
    Content,
    Open,
    OptionSales,
    PickedUp,
    PickUp,
    PickUpQuery,
    PickUps,
    PickUpSearch,
    PictureIn,
    ProductSales,
    Summary,
)
from booking_templates.merch.showing import shown_items, shown_pick_up
from booking_templates.payments.models import BACK, NO_PROVIDER, Kind
from booking_templates.payments.names import digits_of, words_of
from booking_templates.payments.showing import local
from booking_templates.payments.states import OPEN_PAYMENT, State

CONTENT_BYTES_MAX = 2 * 1024 * 1024
PICTURE_BYTES_MAX = 2 * 1024 * 1024
PAGE = 50
STANDS = Q(state=State.ISSUED)
RETURNED = Q(issued_at__isnull=False) & ~STANDS


@endpoint(
    auth=staff("content"),
    body=Content,
    returns={200: Content},
    problems=("stock_below_sold", "unknown_pictures"),
    max_body=CONTENT_BYTES_MAX,
)
def put_content(request: Request, body: Content) -> Content:
    """Replace the products. `stock` counts what was sold too; a product or option that is left out is offered no more.

    Pictures are put before, each under the digest by which products name it.
    """
    content.put(body)
    return content.read()


@endpoint(auth=staff("content"), returns={200: Content})
def read_content(request: Request) -> Content:
    """The products that are offered."""
    return content.read()


@endpoint(
    auth=staff("content"),
    body=bytes,
    returns={200: PictureIn},
    problems=("digest_differs", "not_a_picture", "not_found"),
    max_body=PICTURE_BYTES_MAX,
)
def put_picture(request: Request, body: bytes, digest: str) -> PictureIn:
    """Keep a product's picture (PNG, JPEG or WebP), whose SHA-256 is in the address, in hexadecimal. Twice is fine.

    One that no product has is forgotten after a day.
    """
    return gallery.put(digest, body)


@endpoint(auth=staff("attendees"), query=PickUpQuery, returns={200: PickUps})
def list_pick_ups(request: Request, query: PickUpQuery) -> PickUps:
    """Orders, the oldest first: who waits for what, who was here, and what was given back. Search for a buyer by `pickups/search`."""
    return _pick_ups(query)


@endpoint(auth=staff("attendees"), body=PickUpSearch, returns={200: PickUps})
def search_pick_ups(request: Request, body: PickUpSearch) -> PickUps:
    """The same, with what is looked for in no address."""
    return _pick_ups(body)


def _pick_ups(query: PickUpQuery) -> PickUps:
    found = Order.objects.filter(RETURNED if query.state == "returned" else STANDS).order_by("created_at", "pk")
    if query.state in ("waiting", "done"):
        found = found.filter(picked_up_at__isnull=query.state == "waiting")
    if query.q:
        found = found.alias(phone=digits_of("buyer_phone"))
    for word, digits in words_of(query.q):
        found = found.filter(Q(buyer_name__icontains=word) | Q(number__istartswith=word) | Q(phone__icontains=digits))
    total = found.count()
    start = (query.page - 1) * PAGE
    page = list(found[start : start + PAGE])
    items: dict[str, list[Item]] = {order.pk: [] for order in page}
    for item in Item.objects.filter(order_id__in=items).select_related("choice").order_by("pk"):
        items[item.order_id].append(item)
    shown = [shown_pick_up(order, items[order.pk]) for order in page]
    return PickUps(orders=shown, page=query.page, pages=max(1, -(-total // PAGE)), total=total)


@endpoint(auth=staff("attendees"), body=PickUp, returns={200: PickedUp}, problems=("unknown_code", "order_cancelled", "already_picked_up"))
def hand_over(request: Request, body: PickUp) -> PickedUp:
    """Hand an order over to who shows its code: once. Says what is in it and what is still to be paid."""
    order = orders.hand_over(body.code)
    picked_up_at = local(order.picked_up_at)
    assert picked_up_at is not None  # noqa: S101 - it was set just now
    items = [item for item in orders.items_of(order) if item.left]
    return PickedUp(
        order=order.pk,
        number=order.number,
        buyer_name=order.buyer_name,
        items=shown_items(items),
        due_krw=0 if order.is_paid else orders.value_krw(items),
        picked_up_at=picked_up_at,
    )


@endpoint(auth=staff("summary"), returns={200: Summary})
@snapshot()
def read_summary(request: Request) -> Summary:
    """What was sold so far, to the won."""
    money = dict(LedgerEntry.objects.values_list("kind").annotate(total=Sum("amount_krw")))
    unpaid = Item.objects.filter(order__state=State.ISSUED, order__provider=NO_PROVIDER, order__picked_up_at=None)
    due = unpaid.aggregate(total=Sum(F("price_krw") * (F("quantity") - F("given_back"))))["total"]
    products = Product.objects.filter(Q(is_offered=True) | Q(choices__sold__gt=0)).distinct().order_by("position", "pk")
    return Summary(
        orders=Order.objects.filter(STANDS).count(),
        picked_up=Order.objects.filter(STANDS, picked_up_at__isnull=False).count(),
        captured_krw=money.get(Kind.CAPTURE, 0),
        refunded_krw=sum(money.get(kind, 0) for kind in BACK),
        outside_krw=money.get(Kind.OUTSIDE, 0),
        due_krw=due or 0,
        open_refunds=OrderRefund.objects.filter(open_order__isnull=False).count(),
        by_product=[_sales(each) for each in products.prefetch_related("choices")],
    )


def _sales(product: Product) -> ProductSales:
    choices = sorted((each for each in product.choices.all() if each.is_offered or each.sold), key=_by_position)
    return ProductSales(
        product=product.pk,
        name=product.name,
        stock=sum(each.stock for each in choices),
        sold=sum(each.sold for each in choices),
        is_offered=product.is_offered,
        options=[OptionSales(each.option, each.name, each.stock, each.sold, each.is_offered) for each in choices if each.option],
    )


def _by_position(choice: Choice) -> tuple[int, int]:
    return choice.position, choice.pk


@endpoint(auth=staff("content"), returns={200: Open})
def read_open(request: Request) -> Open:
    """What stands against deleting the booking system."""
    paid = Order.objects.filter(STANDS, picked_up_at=None).exclude(provider=NO_PROVIDER)
    # An order of which a part is being given back stands, handed over or not, and its buyer waits for money all the same.
    waiting = Order.objects.filter(Q(state__in=OPEN_PAYMENT) | Q(refunds__open_order__isnull=False)).distinct()
    return Open(paid_orders_to_pick_up=paid.count(), open_payments=waiting.count())
