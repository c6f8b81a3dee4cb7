"""An organiser calls a performance off: everybody gets the whole price back, and is owed a compensation outside the provider.

Seat is told so by the outbox of the same transaction, and sells nothing of it any more, and event, which shows it so, and merch, which
sells nothing when none is left; merch is told of each order that ends by it, too.
"""

from __future__ import annotations

import logging
import time
from urllib.parse import quote

from django.db.models import Sum

from booking_templates.kit import outbox
from booking_templates.kit.db import clock, retry_transaction
from booking_templates.kit.problems import NotFound, Problem
from booking_templates.payments.reasons import CALLED_OFF
from booking_templates.payments.showing import local
from booking_templates.payments.states import State
from booking_templates.ticket import closings, event
from booking_templates.ticket.closings import STANDING
from booking_templates.ticket.models import Order, OrderRefund, Performance, Ticket
from booking_templates.ticket.saga import saga
from booking_templates.ticket.schemas import CallingOff

log = logging.getLogger("clove.ticket")

BATCH = 20
PASS_S = 3.0
"""Well within the worker's lease, and no longer than other orders' recovery may wait."""


def call_off(performance_id: str, *, compensation_percent: int) -> CallingOff:
    """Mark the performance; the worker refunds. Doing it twice changes nothing, the first compensation stands."""
    _mark(performance_id, compensation_percent)
    event.forget()
    return progress(performance_id)


@retry_transaction
def _mark(performance_id: str, compensation_percent: int) -> None:
    closings.keep(clock())
    unmarked = Performance.objects.filter(pk=performance_id, cancelled_at=None)
    if unmarked.update(cancelled_at=clock(), compensation_percent=compensation_percent):
        path = f"/internal/performances/{quote(performance_id, safe='')}/close"
        outbox.put("seat", path, {})
        outbox.put("event", path, {})
        outbox.put("merch", path, {})


def progress(performance_id: str) -> CallingOff:
    """How far the refunds are. Raises NotFound."""
    performance = Performance.objects.filter(pk=performance_id).first()
    if performance is None:
        raise NotFound("not_found")
    orders = Order.objects.filter(performance_id=performance_id)
    refunds = OrderRefund.objects.filter(order__performance_id=performance_id, reason=CALLED_OFF)
    sums = refunds.filter(done_at__isnull=False).aggregate(refunded=Sum("amount_krw"), owed=Sum("compensation_krw"))
    return CallingOff(
        performance_id=performance_id,
        cancelled_at=local(performance.cancelled_at),
        compensation_percent=performance.compensation_percent,
        orders_left=orders.filter(state__in=STANDING).count() if performance.cancelled_at else 0,
        refunds_open=refunds.filter(done_at=None).count(),
        refunded_krw=sums["refunded"] or 0,
        compensation_krw=sums["owed"] or 0,
    )


def refund_called_off() -> int:
    """The worker's pass: take back orders of performances that were called off, for PASS_S at most; the number. Repeats until none is left.

    An order whose payment is being decided comes out issued or refunded by itself, and is looked at again.
    """
    done = 0
    until = time.monotonic() + PASS_S
    for performance in Performance.objects.filter(cancelled_at__isnull=False):
        passed_over: list[str] = []
        while time.monotonic() < until and (orders := _standing(performance, passed_over)):
            for order in orders:
                if time.monotonic() >= until:
                    return done
                try:
                    _take_back(order, performance)
                    done += 1
                except Problem as refusal:
                    # A refund of this order is under way, or it was changed at this moment: the next pass sees it again.
                    log.info("not taken back yet", extra={"fields": {"order": order.pk, "why": refusal.code}})
                passed_over.append(order.pk)
    return done


def _standing(performance: Performance, passed_over: list[str]) -> list[Order]:
    standing = Order.objects.filter(performance_id=performance.pk, state__in=(State.PAYING, State.ISSUED))
    return list(standing.exclude(pk__in=passed_over).order_by("next_at", "pk")[:BATCH])


def _take_back(order: Order, performance: Performance) -> None:
    if order.state != State.ISSUED:
        saga.give_up(order, CALLED_OFF)
        return
    live = Ticket.objects.filter(order_id=order.pk, status=Ticket.Status.LIVE)
    price = (live.aggregate(total=Sum("price_krw"))["total"] or 0) if order.is_paid else 0
    compensation = price * performance.compensation_percent // 100
    saga.withdraw(order, reason=CALLED_OFF, price_krw=price, compensation_krw=compensation)
