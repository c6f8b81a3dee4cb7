"""The settlement statement: what was sold, given back and kept, by performance and grade, and the money at the provider. To the won.

It is there at any moment, made from rows that are never changed. It is final when sales have ended and nothing is under way any more.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Sum

from booking_templates.kit.db import clock
from booking_templates.payments.models import NO_PROVIDER, Kind
from booking_templates.payments.showing import local
from booking_templates.payments.states import OPEN_PAYMENT
from booking_templates.ticket import event
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Ticket
from booking_templates.ticket.schemas import Settlement, SettlementLine


@dataclass
class _Sums:
    sold: int = 0
    sold_krw: int = 0
    given_back: int = 0
    given_back_krw: int = 0


def statement() -> Settlement:
    """The statement as of now."""
    now = clock()
    lines: defaultdict[tuple[str, str], _Sums] = defaultdict(_Sums)
    paid = Ticket.objects.exclude(order__provider=NO_PROVIDER)
    for row in paid.values("performance_id", "grade", "status").annotate(count=Count("pk"), price=Sum("price_krw")):
        sums = lines[row["performance_id"], row["grade"]]
        sums.sold += row["count"]
        sums.sold_krw += row["price"]
        if row["status"] == Ticket.Status.CANCELLED:
            sums.given_back += row["count"]
            sums.given_back_krw += row["price"]
    money = dict(LedgerEntry.objects.values_list("kind").annotate(total=Sum("amount_krw")))
    refunds = OrderRefund.objects.filter(done_at__isnull=False).aggregate(fees=Sum("fee_krw"), owed=Sum("compensation_krw"))
    captured, refunded = money.get(Kind.CAPTURE, 0), money.get(Kind.REFUND, 0)
    closes_at = _closes_at()
    return Settlement(
        as_of=local(now),
        sales_close_at=local(closes_at),
        is_final=closes_at is not None and now >= closes_at and not _under_way(),
        lines=[
            SettlementLine(performance, grade, sums.sold, sums.sold_krw, sums.given_back, sums.given_back_krw)
            for (performance, grade), sums in sorted(lines.items())
        ],
        captured_krw=captured,
        refunded_krw=refunded,
        fees_krw=refunds["fees"] or 0,
        kept_krw=captured - refunded,
        compensation_krw=refunds["owed"] or 0,
    )


def _closes_at() -> datetime | None:
    known = event.current()
    starts = [performance.starts_at for performance in known.performances.values()]
    return known.sales_close_at or max(starts, default=None)


def _under_way() -> bool:
    """Whether money is still moving."""
    moving = Q(state__in=OPEN_PAYMENT, tid__isnull=False) | Q(refunds__open_order__isnull=False)
    return Order.objects.filter(moving).exists()
