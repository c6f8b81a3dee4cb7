"""Products with their stock, orders of them, the ledger and refunds."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from booking_templates.payments.models import Entry, PayableOrder, Refund


class Product(models.Model):
    """What is sold. `sold` counts what orders that stand or are being paid have taken; it never exceeds `stock` (I7)."""

    id = models.CharField(primary_key=True, max_length=64)
    name = models.CharField(max_length=200)
    description = models.TextField(default="", blank=True)
    price_krw = models.PositiveIntegerField()
    stock = models.PositiveIntegerField()
    sold = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    is_offered = models.BooleanField(default=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(sold__lte=F("stock")), name="merch_sold_within_stock")]

    def __str__(self) -> str:
        return self.name


class Order(PayableOrder):
    """An order of products. `pickup_code` is told to the buyer once it is issued, and shown at the counter."""

    pickup_code = models.CharField(max_length=9, unique=True)
    picked_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["buyer_id", "idempotency_key"], name="merch_order_once_a_key")]
        indexes = [models.Index(fields=["buyer_id", "created_at"], name="merch_order_of_buyer")]

    def __str__(self) -> str:
        return self.number


class Item(models.Model):
    """A line of an order, with name and price as they were then."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="items")
    name = models.CharField(max_length=200)
    price_krw = models.PositiveIntegerField()
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "product"], name="merch_item_once_an_order")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"


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
