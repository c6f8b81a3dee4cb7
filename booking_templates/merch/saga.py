"""The saga over merch's tables."""

from __future__ import annotations

from booking_templates.merch.fulfilment import Merchandise
from booking_templates.merch.models import LedgerEntry, Order, OrderRefund
from booking_templates.payments.providers import provider
from booking_templates.payments.saga import Saga

saga: Saga[Order] = Saga(
    orders=Order,
    entries=LedgerEntry,
    refunds=OrderRefund,
    fulfilment=Merchandise(),
    provider=provider,
)
