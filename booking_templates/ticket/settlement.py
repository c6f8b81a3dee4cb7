"""The settlement statement: what was sold, given back and kept, by performance, grade and concession, and the money at the provider.

To the won: it is there at any moment, made from rows that are only ever added. When sales end it is closed: what is booked at the
provider up to that moment is the statement, for ever, and it is final within the minute. What goes back later, and payments that were
under way and came in after the close, are told apart from it in `after_close`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from booking_templates.kit.db import clock, snapshot
from booking_templates.payments.models import NO_PROVIDER, Kind
from booking_templates.payments.reasons import BY_ORGANISER
from booking_templates.payments.showing import local
from booking_templates.payments.states import OPEN_PAYMENT, State
from booking_templates.ticket import event
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Ticket
from booking_templates.ticket.schemas import AfterClose, Outside, Settlement, SettlementLine

CLOSING_TAKES = timedelta(seconds=10)
"""A transaction that was stamped before the close has committed by then."""

OUTSIDE_MAX = 100


@dataclass
class _Sums:
    sold: int = 0
    sold_krw: int = 0
    given_back: int = 0
    given_back_krw: int = 0


@dataclass
class _Money:
    """What moved in a span of time."""

    captured: int
    refunded: int
    fees: int
    compensation: int
    by_organiser: int
    outside: int
    """Given back by other hands; part of REFUNDED."""
    had_before: int
    """What of that has since counted towards refunds of tickets."""


@snapshot()
def statement() -> Settlement:
    """The statement as of now, or as of the end of sales when that is past."""
    now = clock()
    closes_at = _closes_at()
    cut = min(now, closes_at) if closes_at is not None else now
    is_closed = closes_at is not None and now >= closes_at
    lines = _lines(cut)
    money = _money(Q(at__lte=cut), Q(done_at__lte=cut))
    standing = sum(sums.sold_krw - sums.given_back_krw for sums in lines.values())
    return Settlement(
        as_of=local(cut),
        sales_close_at=local(closes_at),
        is_final=closes_at is not None and now >= closes_at + CLOSING_TAKES and not _undelivered(cut),
        lines=[
            SettlementLine(*line, sums.sold, sums.sold_krw, sums.given_back, sums.given_back_krw) for line, sums in sorted(lines.items())
        ],
        captured_krw=money.captured,
        refunded_krw=money.refunded,
        fees_krw=money.fees,
        kept_krw=money.captured - money.refunded,
        returning_krw=money.captured - money.refunded - standing - money.fees + money.outside - money.had_before,
        compensation_krw=money.compensation,
        due_krw=_due(),
        by_organiser_krw=money.by_organiser,
        outside_krw=money.outside,
        uncovered_krw=money.outside - money.had_before,
        outside=_outside(),
        open_payments=_open_payments(),
        after_close=_after_close(_money(Q(at__gt=cut), Q(done_at__gt=cut))) if is_closed else None,
    )


Line = tuple[str, str, str]
"""Performance, grade and concession."""


def _lines(cut: datetime) -> dict[Line, _Sums]:
    """Tickets whose payment was booked by CUT, and those of them whose refund was: by the ledger's moments, so that they add up to it."""
    lines: defaultdict[Line, _Sums] = defaultdict(_Sums)
    paid = Ticket.objects.filter(order__entries__kind=Kind.CAPTURE, order__entries__at__lte=cut)
    for row in _by_line(paid):
        sums = lines[row["performance_id"], row["grade"], row["concession"]]
        sums.sold, sums.sold_krw = row["count"], row["price"]
    for row in _by_line(paid.filter(refund__done_at__lte=cut)):
        sums = lines[row["performance_id"], row["grade"], row["concession"]]
        sums.given_back, sums.given_back_krw = row["count"], row["price"]
    return lines


def _by_line(tickets: QuerySet[Ticket]) -> Iterable[Any]:
    return tickets.values("performance_id", "grade", "concession").annotate(count=Count("pk"), price=Sum("price_krw")).order_by()


def _money(booked: Q, done: Q) -> _Money:
    money = dict(LedgerEntry.objects.filter(booked).values_list("kind").annotate(total=Sum("amount_krw")).order_by())
    refunds = OrderRefund.objects.filter(done).aggregate(
        fees=Sum("fee_krw"),
        owed=Sum("compensation_krw"),
        by_organiser=Sum("amount_krw", filter=Q(reason=BY_ORGANISER)),
        asked=Sum("price_krw"),
        amount=Sum("amount_krw"),
    )
    fees, asked, amount = (refunds[name] or 0 for name in ("fees", "asked", "amount"))
    outside = money.get(Kind.OUTSIDE, 0)
    return _Money(
        captured=money.get(Kind.CAPTURE, 0),
        refunded=money.get(Kind.REFUND, 0) + outside,
        fees=fees,
        compensation=refunds["owed"] or 0,
        by_organiser=refunds["by_organiser"] or 0,
        outside=outside,
        had_before=asked - fees - amount,
    )


def _outside() -> list[Outside]:
    found = LedgerEntry.objects.filter(kind=Kind.OUTSIDE).select_related("order").order_by("-at", "-pk")[:OUTSIDE_MAX]
    return [Outside(each.order_id, each.order.number, each.amount_krw, local(each.at)) for each in found]


def _after_close(late: _Money) -> AfterClose:
    return AfterClose(late.captured, late.refunded, late.fees, late.compensation, late.by_organiser, late.outside)


def _closes_at() -> datetime | None:
    known = event.current()
    starts = [performance.starts_at for performance in known.performances.values()]
    return known.sales_close_at or max(starts, default=None)


def _undelivered(cut: datetime) -> bool:
    """Whether money was taken by CUT for which nothing has been delivered yet: recovery decides that within a minute."""
    return Order.objects.filter(state=State.CAPTURED, entries__kind=Kind.CAPTURE, entries__at__lte=cut).exists()


def _due() -> int:
    """The price of live tickets that no provider was asked for."""
    live = Ticket.objects.filter(status=Ticket.Status.LIVE, order__provider=NO_PROVIDER)
    return live.aggregate(total=Sum(F("price_krw")))["total"] or 0


def _open_payments() -> int:
    moving = Q(state__in=OPEN_PAYMENT, tid__isnull=False) | Q(refunds__open_order__isnull=False)
    return Order.objects.filter(moving).distinct().count()
