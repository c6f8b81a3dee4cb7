"""Products with their choices and stock, pictures, orders, the ledger and refunds."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from booking_templates.merch.schemas import LIMIT_PER_BUYER
from booking_templates.payments.ids import new_id
from booking_templates.payments.models import Entry, PayableOrder, Refund
from booking_templates.payments.models import Notice as NoticeRow

NOTE_MAX = 500


class Picture(models.Model):
    """A picture, found by the SHA-256 of its bytes: another picture has another address, so browsers may keep it for ever."""

    digest = models.CharField(primary_key=True, max_length=64)
    media_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    image = models.BinaryField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest


class Product(models.Model):
    """What is sold. What there is of it is counted by its choices."""

    id = models.CharField(primary_key=True, max_length=64)
    name = models.CharField(max_length=200)
    description = models.TextField(default="", blank=True)
    price_krw = models.PositiveIntegerField()
    picture = models.ForeignKey(Picture, on_delete=models.PROTECT, null=True, related_name="products")
    option_label = models.CharField(max_length=50, default="", blank=True)
    """What its options differ in: size, colour."""
    position = models.PositiveIntegerField(default=0)
    is_offered = models.BooleanField(default=True)
    limit_per_buyer = models.PositiveIntegerField(default=LIMIT_PER_BUYER, db_default=LIMIT_PER_BUYER)
    """Pieces that one buyer may have, of all options together."""

    def __str__(self) -> str:
        return self.name


class Choice(models.Model):
    """What is counted: an option of a product, or with the empty OPTION the product itself, where it has none.

    `sold` counts what orders that stand or are being paid have taken; it never exceeds `stock` (I7). `is_offered` is false too while the
    product is not offered, so that one statement on this row decides.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="choices")
    option = models.CharField(max_length=64, default="", blank=True)
    name = models.CharField(max_length=100, default="", blank=True)
    extra_krw = models.PositiveIntegerField(default=0)
    stock = models.PositiveIntegerField()
    sold = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    is_offered = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "option"], name="merch_choice_once"),
            models.CheckConstraint(condition=Q(sold__lte=F("stock")), name="merch_sold_within_stock"),
        ]

    def __str__(self) -> str:
        return label(self.product_id, self.option)

    @property
    def price_krw(self) -> int:
        """With its surcharge."""
        return self.product.price_krw + self.extra_krw


def label(product_id: str, option: str) -> str:
    """A choice in answers to programs: `program`, `tee/m`."""
    return f"{product_id}/{option}" if option else product_id


class Order(PayableOrder):
    """An order of products. `pickup_code` is told to the buyer once it is issued, and shown at the counter."""

    ticket_order = models.CharField(max_length=36, default="", blank=True)
    """The order of tickets it was bought with, if it was."""
    pickup_code = models.CharField(max_length=9, unique=True)
    picked_up_at = models.DateTimeField(null=True)
    by_hand: RefundByHand | None = None
    """What the organiser is giving back just now: written with the withdrawal, in its transaction. No column."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["buyer_id", "idempotency_key"], name="merch_order_once_a_key")]
        indexes = [
            models.Index(fields=["buyer_id", "created_at"], name="merch_order_of_buyer"),
            models.Index(fields=["ticket_order"], name="merch_order_of_tickets"),
        ]

    def __str__(self) -> str:
        return self.number


class Notice(NoticeRow):
    """Mail about an order of products."""


class Performance(models.Model):
    """When the event is: the shop sells until the last of them that is not called off has ended."""

    id = models.CharField(primary_key=True, max_length=64)
    starts_at = models.DateTimeField(null=True)
    """None where the content does not name it (yet)."""
    ends_at = models.DateTimeField(null=True)
    called_off_at = models.DateTimeField(null=True)
    """It is no part of the content, so no change of the content takes it back."""

    def __str__(self) -> str:
        return self.id


class WithdrawnTickets(models.Model):
    """An order of tickets whose performance was called off. `is_open` until all that was bought beside it has gone back."""

    ticket_order = models.CharField(primary_key=True, max_length=36)
    at = models.DateTimeField()
    is_open = models.BooleanField(default=True, db_index=True)

    def __str__(self) -> str:
        return self.ticket_order


class Item(models.Model):
    """A line of an order, with names and price as they were then. Of its pieces, `given_back` are in stock again."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="items")
    choice = models.ForeignKey(Choice, on_delete=models.PROTECT, related_name="items")
    name = models.CharField(max_length=200)
    option_name = models.CharField(max_length=100, default="", blank=True)
    price_krw = models.PositiveIntegerField()
    quantity = models.PositiveIntegerField()
    given_back = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "choice"], name="merch_item_once_an_order"),
            models.CheckConstraint(condition=Q(given_back__lte=F("quantity")), name="merch_given_back_within_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def left(self) -> int:
        """Pieces that are the buyer's."""
        return self.quantity - self.given_back


class LedgerEntry(Entry):
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="entries")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "kind", "reference"], name="merch_ledger_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_krw}"


class OrderRefund(Refund):
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")

    def __str__(self) -> str:
        return f"refund {self.amount_krw}"


class RefundByHand(models.Model):
    """What the organiser gave back to a buyer of their own accord: who did it, why, and how many pieces of which items. Only ever added.

    It stands beside the refund, and alone where nothing was paid. NOTE may name somebody: no buyer sees it, no archive keeps it.
    """

    class Why(models.TextChoices):
        CHARGED_TWICE = "charged_twice"
        FAULT = "fault"
        MISSING = "missing"
        GOODWILL = "goodwill"
        OTHER = "other"

    id = models.CharField(primary_key=True, max_length=36, default=new_id)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds_by_hand")
    refund = models.OneToOneField(OrderRefund, on_delete=models.PROTECT, null=True, related_name="by_hand")
    key = models.CharField(max_length=64, null=True)  # noqa: DJ001 - unique where there is one
    asked = models.CharField(max_length=64)
    """A digest of the request: the same key with another one is a mistake."""
    staff = models.CharField(max_length=80)
    why = models.CharField(max_length=20, choices=Why.choices)
    note = models.CharField(max_length=NOTE_MAX, default="", blank=True)
    with_picked_up = models.BooleanField()
    pieces = models.JSONField(default=dict)
    """How many of each item, by its id."""
    price_krw = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "key"], name="merch_refund_by_hand_once_a_key")]

    def __str__(self) -> str:
        return f"{self.why} {self.price_krw}"

    @property
    def amount_krw(self) -> int:
        """What goes back of what was paid, or went: not more than was left at the provider."""
        return self.price_krw if self.refund is None else self.refund.amount_krw
