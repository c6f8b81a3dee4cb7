"""What the API takes and gives, as it is in JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from booking_templates.payments.schemas import CancellationOut, Name, PaymentOut, Phone

ProductId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Quantity = Annotated[int, Meta(ge=1, le=100)]


class ProductOut(msgspec.Struct):
    id: str
    name: str
    description: str
    price_krw: int
    left: int


class Products(msgspec.Struct):
    products: list[ProductOut]


class WantedItem(msgspec.Struct, forbid_unknown_fields=True):
    product: ProductId
    quantity: Quantity


class NewOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Products to order. Name and phone are who to ask for at the counter; the account's name unless given."""

    items: Annotated[list[WantedItem], Meta(min_length=1, max_length=50)]
    name: Name = ""
    phone: Phone = ""


class ItemOut(msgspec.Struct):
    product: str
    name: str
    price_krw: int
    quantity: int


class OrderOut(msgspec.Struct):
    """`due_krw` is what is paid at the counter, where no provider is asked. `pickup_code` is there once it is issued."""

    id: str
    number: str
    status: str
    is_settling: bool
    reason: str
    items: list[ItemOut]
    total_krw: int
    due_krw: int
    payment: PaymentOut | None
    pickup_code: str | None
    picked_up_at: datetime | None
    cancellation: CancellationOut
    refunded_krw: int
    created_at: datetime


class Orders(msgspec.Struct):
    orders: list[OrderOut]
    next: str | None
    """Give it as `before` for the older ones."""


class ProductContent(msgspec.Struct):
    """A product as the seller describes it. `stock` counts all that were ever there to sell, those sold included."""

    id: ProductId
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    price_krw: Annotated[int, Meta(ge=0, le=10_000_000)]
    stock: Annotated[int, Meta(ge=0, le=1_000_000)]
    description: Annotated[str, Meta(max_length=5000)] = ""


class Content(msgspec.Struct):
    products: Annotated[list[ProductContent], Meta(max_length=200)]


class ProductSales(msgspec.Struct):
    product: str
    name: str
    stock: int
    sold: int
    is_offered: bool


class Summary(msgspec.Struct):
    """Sales so far. Money is what the ledger says; `due_krw` is what is still to be paid at the counter."""

    orders: int
    picked_up: int
    captured_krw: int
    refunded_krw: int
    due_krw: int
    open_refunds: int
    by_product: list[ProductSales]


class Open(msgspec.Struct):
    """What stands against deleting the booking system."""

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
