"""What the API takes and gives, as it is in JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from booking_templates.payments.schemas import CancellationOut, Name, Page, PaymentOut, Phone

ProductId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Quantity = Annotated[int, Meta(ge=1, le=100)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Price = Annotated[int, Meta(ge=0, le=10_000_000)]
Limit = Quantity
LIMIT_PER_BUYER = 10
"""Pieces of a product, where its seller names no other number."""
Stock = Annotated[int, Meta(ge=0, le=1_000_000)]
Moment = Annotated[datetime, Meta(tz=True)]
YEARS = range(1970, 2200)
TicketOrder = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class PictureOut(msgspec.Struct):
    url: str
    width: int
    height: int


class PictureIn(msgspec.Struct):
    """A picture that was put; products name it by its digest."""

    digest: str
    url: str
    width: int
    height: int


class OptionOut(msgspec.Struct):
    """`price_krw` is the product's with the surcharge `extra_krw`."""

    id: str
    name: str
    extra_krw: int
    price_krw: int
    left: int


class ProductOut(msgspec.Struct):
    """`left` of a product with options is what is left of all of them; of those one buyer may have `limit_per_buyer`."""

    id: str
    name: str
    description: str
    price_krw: int
    left: int
    picture: PictureOut | None
    option_label: str
    options: list[OptionOut]
    limit_per_buyer: int


class Products(msgspec.Struct):
    """`sells_until` is when the last performance ends; once it is over, or all are called off, nothing is `on_sale`."""

    products: list[ProductOut]
    on_sale: bool
    is_called_off: bool
    sells_until: datetime | None


class WantedItem(msgspec.Struct, forbid_unknown_fields=True):
    """`option` is needed for a product that comes in options."""

    product: ProductId
    quantity: Quantity
    option: ProductId | None = None


class NewOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Products to order. Name and phone are who to ask for at the counter; the account's name unless given.

    `ticket_order` is the buyer's order of tickets that they are bought with; each of the two is paid by itself.
    """

    items: Annotated[list[WantedItem], Meta(min_length=1, max_length=50)]
    name: Name = ""
    phone: Phone = ""
    ticket_order: TicketOrder | None = None


class ItemOut(msgspec.Struct):
    """`price_krw` is that of one piece, with the option's surcharge; of `quantity` pieces `given_back` are the buyer's no more."""

    id: str
    product: str
    option: str | None
    name: str
    option_name: str
    price_krw: int
    quantity: int
    given_back: int


class ByOrganiser(msgspec.Struct):
    """Pieces that the organiser gave back of their own accord: how many of each item."""

    at: datetime
    pieces: dict[str, int]
    refund_krw: int


class OrderOut(msgspec.Struct):
    """`due_krw` is what is paid at the counter, where no provider is asked. `pickup_code` is there once it is issued."""

    id: str
    number: str
    status: str
    is_settling: bool
    reason: str
    ticket_order: str | None
    items: list[ItemOut]
    total_krw: int
    due_krw: int
    payment: PaymentOut | None
    pickup_code: str | None
    picked_up_at: datetime | None
    cancellation: CancellationOut
    refunded_krw: int
    by_organiser: list[ByOrganiser]
    created_at: datetime


class Orders(msgspec.Struct):
    orders: list[OrderOut]
    next: str | None
    """Give it as `before` for the older ones."""


class OrderQuery(Page):
    """The buyer's orders; with `ticket_order`, those bought with that order of tickets."""

    ticket_order: Annotated[str, Meta(max_length=36)] = ""


class GivenBack(msgspec.Struct, forbid_unknown_fields=True):
    """So many pieces of an item of the order."""

    item: Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")]
    quantity: Quantity


class NewRefund(msgspec.Struct, forbid_unknown_fields=True):
    """What is given back of an order that was not picked up."""

    items: Annotated[list[GivenBack], Meta(min_length=1, max_length=50)]


class OptionContent(msgspec.Struct, forbid_unknown_fields=True):
    """A size, a colour, or one of both: each has a stock of its own, and a surcharge on the product's price if need be."""

    id: ProductId
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    stock: Stock
    extra_krw: Price = 0


class ProductContent(msgspec.Struct, forbid_unknown_fields=True):
    """A product as the seller describes it. It has `stock`, or `options` with stocks of their own.

    Stock counts all that were ever there to sell, those sold included. `picture` is the digest of one that was put before. One buyer may
    have `limit_per_buyer` pieces, of all options together.
    """

    id: ProductId
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    price_krw: Price
    stock: Stock | None = None
    description: Annotated[str, Meta(max_length=5000)] = ""
    picture: Digest | None = None
    option_label: Annotated[str, Meta(max_length=50)] = ""
    options: Annotated[list[OptionContent], Meta(max_length=50)] = []
    limit_per_buyer: Limit = LIMIT_PER_BUYER


class PerformanceContent(msgspec.Struct, forbid_unknown_fields=True):
    id: ProductId
    starts_at: Moment
    ends_at: Moment | None = None

    def __post_init__(self) -> None:
        if any(each is not None and each.year not in YEARS for each in (self.starts_at, self.ends_at)):
            raise ValueError("datetime out of range")


class Content(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The shop sells until the last of `performances` that is not called off has ended; they stay as they are when they are left out."""

    products: Annotated[list[ProductContent], Meta(max_length=200)]
    performances: Annotated[list[PerformanceContent], Meta(max_length=400)] | UnsetType = UNSET


class OptionSales(msgspec.Struct):
    id: str
    name: str
    stock: int
    sold: int
    is_offered: bool


class ProductSales(msgspec.Struct):
    """A product with options has their sums."""

    product: str
    name: str
    stock: int
    sold: int
    is_offered: bool
    options: list[OptionSales]


class Summary(msgspec.Struct):
    """Sales so far. Money is what the ledger says; `due_krw` is what is still to be paid at the counter.

    `outside_krw` is what of `refunded_krw` was given back at the payment provider by other hands.
    """

    orders: int
    picked_up: int
    captured_krw: int
    refunded_krw: int
    outside_krw: int
    due_krw: int
    open_refunds: int
    by_product: list[ProductSales]


class Open(msgspec.Struct):
    """What stands against deleting the booking system: paid orders that nobody has picked up, and payments and refunds under way."""

    paid_orders_to_pick_up: int
    open_payments: int


class PickUp(msgspec.Struct, forbid_unknown_fields=True):
    """The code that the buyer shows."""

    code: Annotated[str, Meta(min_length=1, max_length=20)]


class PickedUp(msgspec.Struct):
    order: str
    number: str
    buyer_name: str
    items: list[ItemOut]
    due_krw: int
    picked_up_at: datetime


class PickUpQuery(msgspec.Struct):
    """`q` is looked for in names, order numbers and phones. `all` are those that stand; `returned` those that were given back whole."""

    q: Annotated[str, Meta(max_length=100)] = ""
    state: Literal["waiting", "done", "all", "returned"] = "waiting"
    page: Annotated[int, Meta(ge=1, le=100_000)] = 1


class PickUpSearch(PickUpQuery, forbid_unknown_fields=True):
    """The same in a body: it may name a buyer, and addresses are written down on their way."""


class ToPickUp(msgspec.Struct):
    """An order that stands, its `items` without what was given back; or one that was given back whole, with all that it was for."""

    order: str
    number: str
    buyer_name: str
    buyer_phone: str
    items: list[ItemOut]
    due_krw: int
    picked_up_at: datetime | None
    status: str


class PickUps(msgspec.Struct):
    orders: list[ToPickUp]
    page: int
    pages: int
    total: int


# Between services


class TicketsWithdrawn(msgspec.Struct, forbid_unknown_fields=True):
    """`ticket_order` is an order of the ticket service."""

    ticket_order: TicketOrder
