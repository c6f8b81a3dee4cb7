"""When sales end, and that what was closed then stays closed: the moments at which the settlement is cut.

Nobody has to be there when sales end: the moment follows from what is known of the event. Where that is changed after it has passed, it is
written down first (`keep`), so that no edit opens the statement again. Sales that go on are a later period.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max

from booking_templates.payments.reasons import CALLED_OFF
from booking_templates.payments.states import State
from booking_templates.ticket.models import Closing, Event, Order, OrderRefund, Performance, Ticket

STANDING = (State.PENDING, State.PAYING, State.APPROVING, State.CAPTURED, State.ISSUED)
"""Orders that calling off has still to take back."""


def kept() -> list[datetime]:
    """The moments that were closed and written down, in their order."""
    return list(Closing.objects.order_by("at").values_list("at", flat=True))


def closes_at(sales_close_at: datetime | None, performances: Iterable[Performance]) -> datetime | None:
    """When sales end, or ended; None while nobody can say.

    As the seller says; else when the last performance begins. One that was called off is over with the last of its refunds: they belong to
    what was sold, and nothing is sold any more. Where that goes for all, no later end counts.
    """
    known = list(performances)
    ends = [_end_of(each) for each in known]
    last = None if None in ends else max((end for end in ends if end is not None), default=None)
    if sales_close_at is None or (known and all(_is_off(each) for each in known) and last is not None):
        return min((end for end in (sales_close_at, last) if end is not None), default=None)
    return sales_close_at


def keep(now: datetime) -> None:
    """Write down that sales have ended, if they have by NOW: what decides when is about to change. In a transaction."""
    sales_close_at = Event.objects.filter(pk=Event.ONLY).values_list("sales_close_at", flat=True).first()
    at = closes_at(sales_close_at, Performance.objects.all())
    if at is None or at > now:
        return
    before = Closing.objects.aggregate(last=Max("at"))["last"]
    if before is None or before < at:
        Closing.objects.get_or_create(at=at)


def _is_off(performance: Performance) -> bool:
    return performance.cancelled_at is not None and performance.cancelled_at < performance.starts_at


def _end_of(performance: Performance) -> datetime | None:
    if not _is_off(performance):
        return performance.starts_at
    orders = Order.objects.filter(performance_id=performance.pk)
    refunds = OrderRefund.objects.filter(order__performance_id=performance.pk, reason=CALLED_OFF)
    if orders.filter(state__in=STANDING).exists() or refunds.filter(done_at=None).exists():
        return None
    taken_back = Ticket.objects.filter(order__in=orders.filter(reason=CALLED_OFF)).aggregate(last=Max("withdrawn_at"))["last"]
    refunded = refunds.aggregate(last=Max("done_at"))["last"]
    return max(moment for moment in (performance.cancelled_at, taken_back, refunded) if moment is not None)
