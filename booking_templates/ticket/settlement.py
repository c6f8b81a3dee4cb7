"""The settlement statement: what was sold, given back and kept, by performance, grade and concession, and the money at the provider.

To the won: it is there at any moment, made from rows that are only ever added. When sales end it is closed: what is booked at the
provider up to that moment is the statement, for ever, and it is final within the minute. What goes back later, and payments that were
under way and came in after the close, are told apart from it in `after_close`. Where sales go on after all, what follows is a statement of
its own (`closings`). Of what no provider was asked for, the moments are those at which tickets were issued and given back, and at which
the door's statements of what was paid there reached us: of what a scanner keeps while it has no network, the moment at which it is sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from booking_templates.kit.db import clock, snapshot
from booking_templates.payments.models import NO_PROVIDER, Kind
from booking_templates.payments.reasons import BY_ORGANISER
from booking_templates.payments.showing import local
from booking_templates.payments.states import OPEN_PAYMENT, State
from booking_templates.ticket import closings, dues, event
from booking_templates.ticket.dues import Cash
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Ticket
from booking_templates.ticket.sales_schemas import AfterClose, Outside, Settlement, SettlementLine

CLOSING_TAKES = timedelta(seconds=10)
"""A transaction that was stamped before the close has committed by then."""
OUTSIDE_MAX = 100


@dataclass(frozen=True)
class _Span:
    """After SINCE (None: from the beginning) up to and with UNTIL (None: whatever has come since)."""

    since: datetime | None
    until: datetime | None
    is_closed: bool = False

    def has(self, moment: str) -> Q:
        """Rows whose MOMENT is in it."""
        after = Q() if self.since is None else Q(**{f"{moment}__gt": self.since})
        return after if self.until is None else after & Q(**{f"{moment}__lte": self.until})


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
    at_door: Cash


@snapshot()
def statement() -> Settlement:
    """The statement as of now, or as of the end of sales when that is past; with those of the periods that followed, if any did."""
    now = clock()
    known = event.current()
    closes_at = closings.closes_at(known.sales_close_at, known.performances.values())
    spans = _spans(now, closes_at)
    first, *later = periods = [_of(span, now, closes_at) for span in spans]
    if spans[-1].is_closed:
        periods[-1].after_close = _after_close(_Span(spans[-1].until, None))
    first.later, first.outside = later, _outside()
    return first


def _spans(now: datetime, closes_at: datetime | None) -> list[_Span]:
    """The periods in which was sold, each closed but maybe the last."""
    spans: list[_Span] = []
    since = None
    for at in closings.kept():
        spans.append(_Span(since, at, is_closed=True))
        since = at
    if since is None or closes_at is None or closes_at > since:
        is_closed = closes_at is not None and now >= closes_at
        spans.append(_Span(since, closes_at if is_closed else now, is_closed))
    return spans


def _of(span: _Span, now: datetime, closes_at: datetime | None) -> Settlement:
    """The statement of one period."""
    paid, due = _paid_lines(span), _due_lines(span)
    money = _money(span)
    lines = _together(paid, due)
    is_over = span.is_closed and span.until is not None and now >= span.until + CLOSING_TAKES
    return Settlement(
        as_of=local(span.until or now),
        since=local(span.since),
        sales_close_at=local(span.until if span.is_closed else closes_at),
        is_final=is_over and not _undelivered(span),
        lines=[
            SettlementLine(*line, sums.sold, sums.sold_krw, sums.given_back, sums.given_back_krw) for line, sums in sorted(lines.items())
        ],
        captured_krw=money.captured,
        refunded_krw=money.refunded,
        fees_krw=money.fees,
        kept_krw=money.captured - money.refunded,
        returning_krw=money.captured - money.refunded - _standing(paid) - money.fees + money.outside - money.had_before,
        compensation_krw=money.compensation,
        due_krw=_outstanding(due, money),
        taken_at_door_krw=money.at_door.taken_krw,
        to_give_back_at_door_krw=money.at_door.to_give_back_krw,
        by_organiser_krw=money.by_organiser,
        outside_krw=money.outside,
        uncovered_krw=money.outside - money.had_before,
        outside=[],
        open_payments=_open_payments(),
        after_close=None,
        later=[],
    )


Line = tuple[str, str, str]
"""Performance, grade and concession."""
Lines = dict[Line, _Sums]


def _paid_lines(span: _Span) -> Lines:
    """Tickets whose payment was booked in SPAN, and those whose refund was: by the ledger's moments, so that they add up to it."""
    sold = Ticket.objects.filter(Q(order__entries__kind=Kind.CAPTURE) & span.has("order__entries__at"))
    return _lines(sold, Ticket.objects.filter(span.has("refund__done_at"), refund__done_at__isnull=False))


def _due_lines(span: _Span) -> Lines:
    """Tickets that no provider was paid for, by when they were issued and given back. An older row does not say when it was given back."""
    unpaid = Ticket.objects.filter(order__provider=NO_PROVIDER)
    gone = unpaid.filter(status=Ticket.Status.CANCELLED)
    given_back = Q(withdrawn_at__isnull=False) & span.has("withdrawn_at") | Q(withdrawn_at=None) & span.has("order__issued_at")
    return _lines(unpaid.filter(span.has("order__issued_at")), gone.filter(given_back))


def _lines(sold: QuerySet[Ticket], given_back: QuerySet[Ticket]) -> Lines:
    lines: defaultdict[Line, _Sums] = defaultdict(_Sums)
    for row in _by_line(sold):
        sums = lines[row["performance_id"], row["grade"], row["concession"]]
        sums.sold, sums.sold_krw = row["count"], row["price"]
    for row in _by_line(given_back):
        sums = lines[row["performance_id"], row["grade"], row["concession"]]
        sums.given_back, sums.given_back_krw = row["count"], row["price"]
    return lines


def _by_line(tickets: QuerySet[Ticket]) -> Iterable[Any]:
    return tickets.values("performance_id", "grade", "concession").annotate(count=Count("pk"), price=Sum("price_krw")).order_by()


def _together(*parts: Lines) -> Lines:
    lines: defaultdict[Line, _Sums] = defaultdict(_Sums)
    for part in parts:
        for line, sums in part.items():
            both = lines[line]
            both.sold, both.sold_krw = both.sold + sums.sold, both.sold_krw + sums.sold_krw
            both.given_back, both.given_back_krw = both.given_back + sums.given_back, both.given_back_krw + sums.given_back_krw
    return lines


def _standing(lines: Lines) -> int:
    """The price of what was sold and not given back."""
    return sum(sums.sold_krw - sums.given_back_krw for sums in lines.values())


def _outstanding(due: Lines, money: _Money) -> int:
    """The price of those that stand of the tickets that are DUE at the door, less what was paid there for them."""
    return _standing(due) - money.at_door.taken_krw + money.at_door.to_give_back_krw


def _money(span: _Span) -> _Money:
    money = dict(LedgerEntry.objects.filter(span.has("at")).values_list("kind").annotate(total=Sum("amount_krw")).order_by())
    refunds = OrderRefund.objects.filter(span.has("done_at"), done_at__isnull=False).aggregate(
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
        at_door=dues.cash(span.until) if span.since is None else dues.cash(span.until) - dues.cash(span.since),
    )


def _after_close(span: _Span) -> AfterClose:
    money, due = _money(span), _due_lines(span)
    lines = _together(_paid_lines(span), due).values()
    return AfterClose(
        captured_krw=money.captured,
        refunded_krw=money.refunded,
        fees_krw=money.fees,
        compensation_krw=money.compensation,
        by_organiser_krw=money.by_organiser,
        outside_krw=money.outside,
        due_krw=_outstanding(due, money),
        taken_at_door_krw=money.at_door.taken_krw,
        to_give_back_at_door_krw=money.at_door.to_give_back_krw,
        sold=sum(sums.sold for sums in lines),
        given_back=sum(sums.given_back for sums in lines),
    )


def _outside() -> list[Outside]:
    found = LedgerEntry.objects.filter(kind=Kind.OUTSIDE).select_related("order").order_by("-at", "-pk")[:OUTSIDE_MAX]
    return [Outside(each.order_id, each.order.number, each.amount_krw, local(each.at)) for each in found]


def _undelivered(span: _Span) -> bool:
    """Whether money was taken in SPAN for which nothing has been delivered yet: recovery decides that within a minute."""
    taken = Order.objects.filter(Q(entries__kind=Kind.CAPTURE) & span.has("entries__at"))
    return taken.filter(state=State.CAPTURED).exists()


def _open_payments() -> int:
    moving = Q(state__in=OPEN_PAYMENT, tid__isnull=False) | Q(refunds__open_order__isnull=False)
    return Order.objects.filter(moving).distinct().count()
