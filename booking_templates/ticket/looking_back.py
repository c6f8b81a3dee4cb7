"""Whether fees that were kept are kept still: the organiser may have given one back at the provider's own console.

What others gave back is found out by the next refund of an order. Where a fee was kept there may be no next one: so the provider is asked
about those orders, some at a time (docs/decisions/0046).
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, QuerySet

from booking_templates.kit.db import clock
from booking_templates.payments.errors import PaymentError, PaymentRefused
from booking_templates.payments.states import State
from booking_templates.ticket.models import Order, OrderRefund
from booking_templates.ticket.saga import saga

EVERY_S = 60.0
BATCH = 10
PASS_S = 3.0
"""Well within the worker's lease, and no longer than other orders' recovery may wait."""
ROUND_S = 3600.0
"""About no order is asked more often; with BATCH that is six hundred questions an hour at most."""
FOR = timedelta(days=90)
"""So long after the fee was kept. A cancellation after that is as good as never seen."""


class LookingBack:
    """Goes round the orders of which a fee is kept, by their ids. Where it stands is forgotten with the process: it begins anew then."""

    def __init__(self) -> None:
        self._after = ""
        self._resume_at = 0.0

    def look(self) -> int:
        """The worker's pass: ask about the next orders; to how many others had given something back. A silent provider ends it."""
        until = time.monotonic() + PASS_S
        provider = saga.provider()
        if provider is None or not provider.is_answering or time.monotonic() < self._resume_at:
            return 0
        found = 0
        orders = list(kept_of().filter(pk__gt=self._after)[:BATCH])
        for order in orders:
            if time.monotonic() > until:
                return found
            try:
                found += saga.look_again(order)
            except PaymentRefused as refusal:
                if refusal.is_passing:
                    return found
            except PaymentError:
                return found
            self._after = order.pk
        if len(orders) < BATCH:
            self._after, self._resume_at = "", time.monotonic() + ROUND_S
        return found


def kept_of() -> QuerySet[Order]:
    """Orders of which a fee is kept and nothing is on its way back, by their ids."""
    refunds = OrderRefund.objects.filter(order_id=OuterRef("pk"))
    kept = refunds.filter(fee_krw__gt=0, done_at__gt=clock() - FOR)
    settled = Order.objects.filter(state__in=(State.ISSUED, State.REFUNDED), refunded_krw__lt=F("total_krw"), tid__isnull=False)
    return settled.filter(Exists(kept), ~Exists(refunds.filter(open_order__isnull=False))).order_by("pk")


looking_back = LookingBack()
