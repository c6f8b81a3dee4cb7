"""The saga over ticket's tables."""

from __future__ import annotations

from booking_templates.payments.providers import provider
from booking_templates.payments.saga import Saga
from booking_templates.ticket.fulfilment import Tickets
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund
from booking_templates.ticket.seat import SeatService

seat = SeatService()

saga: Saga[Order] = Saga(
    orders=Order,
    entries=LedgerEntry,
    refunds=OrderRefund,
    fulfilment=Tickets(seat),
    provider=provider,
)
