"""On what terms a buyer may cancel an order, or some of its tickets, now."""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.utils import timezone

from booking_templates.payments.states import State
from booking_templates.ticket import event, policy
from booking_templates.ticket.models import Order, Performance, Ticket
from booking_templates.ticket.policy import Policy, Preset


@dataclass(frozen=True)
class Line:
    """A ticket that would be given up, and what is kept of its price."""

    ticket: Ticket
    fee_krw: int


@dataclass(frozen=True)
class Terms:
    """`reason` is the problem code when it is not allowed; `until` the moment it ends; `is_whole`: no ticket would be left."""

    reason: str | None
    lines: tuple[Line, ...] = ()
    is_whole: bool = True
    is_paid: bool = False
    until: datetime | None = None

    @property
    def is_allowed(self) -> bool:
        return self.reason is None

    @property
    def price_krw(self) -> int:
        """What was paid for the lines."""
        return sum(line.ticket.price_krw for line in self.lines) if self.is_paid else 0

    @property
    def fee_krw(self) -> int:
        return sum(line.fee_krw for line in self.lines)

    @property
    def refund_krw(self) -> int:
        return self.price_krw - self.fee_krw if self.is_allowed else 0


def of(order: Order, tickets: list[Ticket], *, now: datetime, chosen: Collection[str] | None = None) -> Terms:
    """The terms for CHOSEN tickets, or for all of ORDER; TICKETS are all of the order's."""
    match order.state:
        case State.PENDING | State.PAYING:
            return Terms(None)
        case State.APPROVING | State.CAPTURED:
            return Terms("payment_in_progress")
        case State.ISSUED:
            return _issued(order, [ticket for ticket in tickets if ticket.status == Ticket.Status.LIVE], now, chosen)
        case _:
            return Terms("already_cancelled")


def policy_of(order: Order, known: event.Snapshot) -> Policy:
    """The policy that ORDER was bought under; the event's, while it is not bought."""
    return event.resolved(msgspec.convert(order.refund_policy or known.refund_policy, Policy | Preset))


def last_moment(known: event.Snapshot, performance: Performance, rules: Policy | None = None) -> datetime:
    """When cancelling tickets of PERFORMANCE ends: by RULES (the event's unless given), and by the seller's own limit."""
    by_policy = policy.last_moment(rules or known.policy, starts_at=performance.starts_at, zone=timezone.get_default_timezone())
    return min(known.cancel_until, by_policy) if known.cancel_until else by_policy


def _issued(order: Order, live: list[Ticket], now: datetime, chosen: Collection[str] | None) -> Terms:
    wanted = [ticket for ticket in live if chosen is None or ticket.pk in chosen]
    if not wanted or (chosen is not None and len(wanted) < len(set(chosen))):
        return Terms("already_cancelled")
    known = event.current()
    performance = known.performances.get(order.performance_id)
    if performance is not None and performance.cancelled_at is not None:
        # All of the price goes back, by itself and soon; who does not wait for it must not be charged a fee.
        return Terms("refund_in_progress")
    zone = timezone.get_default_timezone()
    # The buyer agreed to the policy of then. Where the one of now is kinder, that one holds.
    bought = policy_of(order, known)
    rules = [bought, *([known.policy] if bought != known.policy else [])]
    limits = [last_moment(known, performance, each) for each in rules] if performance is not None else [known.cancel_until]
    until = max((limit for limit in limits if limit is not None), default=None)
    reason = None
    if any(ticket.used_at for ticket in wanted):
        reason = "already_used"
    elif until is not None and now >= until:
        reason = "too_late_to_cancel"

    def fee(ticket: Ticket) -> int:
        if performance is None or not order.is_paid:
            return 0
        booked_at = order.issued_at or order.created_at
        cost = functools.partial(policy.fee_krw, booked_at=booked_at, starts_at=performance.starts_at, now=now, zone=zone)
        open_still = [each for each, limit in zip(rules, limits, strict=True) if limit is None or now < limit]
        return min(cost(each, price_krw=ticket.price_krw) for each in open_still or rules)

    lines = tuple(Line(ticket, fee(ticket)) for ticket in wanted)
    return Terms(reason, lines, is_whole=len(wanted) == len(live), is_paid=order.is_paid, until=until)
