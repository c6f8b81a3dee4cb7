"""Merch's part of the saga: stock is taken with the order's row, so all of it is in this database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings

from booking_templates.kit.batch import Statement
from booking_templates.merch import notices, stock
from booking_templates.merch.models import Item, Order, OrderRefund
from booking_templates.payments.models import Refund
from booking_templates.payments.port import Purchase


class Merchandise:
    """Implements payments.fulfilment.Fulfilment for orders of products."""

    def reserve(self, order: Order) -> dict[str, Any]:
        return {}

    def purchase(self, order: Order) -> Purchase:
        returns = f"{settings.ENV.public_url}/api/merch/payments/{order.pk}"
        items = list(Item.objects.filter(order_id=order.pk).order_by("pk"))
        more = f" +{len(items) - 1}" if len(items) > 1 else ""
        return Purchase(
            order_id=order.pk,
            buyer_id=order.buyer_id,
            item_name=items[0].name[: 100 - len(more)] + more,
            quantity=sum(item.quantity for item in items),
            total_krw=order.total_krw,
            approved_url=f"{returns}/approved",
            cancelled_url=f"{returns}/cancelled",
            failed_url=f"{returns}/failed",
        )

    def deliver(self, order: Order) -> dict[str, Any]:
        return {}

    def delivery(self, order: Order) -> Sequence[Statement]:
        """What was taken from stock is the buyer's already; they are told."""
        return [notices.confirmed(order)]

    def give_back(self, order: Order) -> timedelta | None:
        return None

    def record_give_back(self, order: Order) -> None:
        notices.ended_unpaid(order)
        stock.give_back(order.pk)

    def record_withdrawal(self, order: Order, refund: Refund | None, lines: list[str] | None) -> None:
        """A line is a piece: the id of its item, as often as pieces of it are given back."""
        if order.by_hand is not None:
            order.by_hand.refund = refund if isinstance(refund, OrderRefund) else None
            order.by_hand.save(force_insert=True)
        notices.given_back(order, refund, lines)
        stock.give_back(order.pk, None if lines is None else Counter(map(int, lines)))
