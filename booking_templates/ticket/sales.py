"""What was sold, and what still stands open."""

from __future__ import annotations

from django.db.models import Count, Q, Sum

from booking_templates.kit.db import clock, snapshot
from booking_templates.payments.models import BACK, NO_PROVIDER, Kind
from booking_templates.payments.states import OPEN_PAYMENT, State
from booking_templates.ticket import dues, event
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Ticket
from booking_templates.ticket.sales_schemas import Open, PerformanceSales, Summary

LIVE = Q(status=Ticket.Status.LIVE)


@snapshot()
def summary() -> Summary:
    """Orders that stand, live tickets, and the ledger's sums."""
    money = dict(LedgerEntry.objects.values_list("kind").annotate(total=Sum("amount_krw")))
    performances = [
        PerformanceSales(performance_id=row["performance_id"], orders=row["orders"], tickets=row["tickets"], price_krw=row["price"])
        for row in Ticket.objects.filter(LIVE)
        .values("performance_id")
        .annotate(orders=Count("order_id", distinct=True), tickets=Count("pk"), price=Sum("price_krw"))
        .order_by("performance_id")
    ]
    due = Ticket.objects.filter(dues.OWING).aggregate(total=Sum("price_krw"))["total"]
    at_door = dues.cash()
    return Summary(
        orders=Order.objects.filter(state=State.ISSUED).count(),
        tickets=sum(row.tickets for row in performances),
        captured_krw=money.get(Kind.CAPTURE, 0),
        refunded_krw=sum(money.get(kind, 0) for kind in BACK),
        outside_krw=money.get(Kind.OUTSIDE, 0),
        due_krw=due or 0,
        taken_at_door_krw=at_door.taken_krw,
        to_give_back_at_door_krw=at_door.to_give_back_krw,
        open_refunds=OrderRefund.objects.filter(open_order__isnull=False).count(),
        by_performance=performances,
    )


def open_business() -> Open:
    """What stands against deleting the booking system. A performance of unknown time counts as coming."""
    now = clock()
    past = [key for key, performance in event.current().performances.items() if performance.starts_at <= now]
    coming = Ticket.objects.filter(LIVE).exclude(performance_id__in=past)
    paid = coming.exclude(order__provider=NO_PROVIDER)
    waiting = Order.objects.filter(Q(state__in=OPEN_PAYMENT) | Q(refunds__open_order__isnull=False)).distinct()
    return Open(tickets_for_coming=coming.count(), paid_tickets_for_coming=paid.count(), open_payments=waiting.count())
