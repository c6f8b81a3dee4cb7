"""On what terms a buyer may cancel an order, or some of its tickets, now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from django.utils import timezone

from booking_templates.payments.states import State
from booking_templates.ticket import concessions, event, policy
from booking_templates.ticket.models import Order, Performance, Ticket
from booking_templates.ticket.policy import Policy, Preset


class Told(msgspec.Struct):
    """What an order keeps of what its buyer was told, beside the policy."""

    starts_at: datetime
    cancel_until: datetime | None


@dataclass(frozen=True)
class Rules:
    """What cancelling costs, and until when it can be done: by POLICY, for a performance at STARTS_AT, before CANCEL_UNTIL."""

    policy: Policy
    starts_at: datetime
    cancel_until: datetime | None

    @property
    def until(self) -> datetime:
        by_policy = policy.last_moment(self.policy, starts_at=self.starts_at, zone=timezone.get_default_timezone())
        return min(self.cancel_until, by_policy) if self.cancel_until else by_policy

    def fee_krw(self, price_krw: int, *, booked_at: datetime, now: datetime) -> int:
        zone = timezone.get_default_timezone()
        return policy.fee_krw(self.policy, price_krw=price_krw, booked_at=booked_at, starts_at=self.starts_at, now=now, zone=zone)


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
    left_krw: int = 0
    """What the provider has still of the payment: other hands may have given something back there."""

    @property
    def is_allowed(self) -> bool:
        return self.reason is None

    @property
    def price_krw(self) -> int:
        """What was paid for the lines."""
        return sum(line.ticket.price_krw for line in self.lines) if self.is_paid else 0

    @property
    def at_door_krw(self) -> int:
        """What was paid at the door for the lines: the organiser has it, and gives it back by hand."""
        return sum(line.ticket.paid_at_door_krw for line in self.lines)

    @property
    def fee_krw(self) -> int:
        return sum(line.fee_krw for line in self.lines)

    @property
    def refund_krw(self) -> int:
        return max(0, min(self.price_krw - self.fee_krw, self.left_krw)) if self.is_allowed else 0

    @property
    def had_before_krw(self) -> int:
        """What of the price other hands have given back already. No fee is kept then: nothing is left of the payment."""
        is_short = self.is_allowed and self.left_krw < self.price_krw - self.fee_krw
        return self.price_krw - self.refund_krw if is_short else 0


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


def by_hand(order: Order, tickets: list[Ticket], *, now: datetime, chosen: Collection[str] | None, in_full: bool, with_used: bool) -> Terms:
    """The terms when it is the organiser who gives back: however late it is; IN_FULL without a fee; WITH_USED whoever was let in, too.

    What was paid at the door goes back whole, out of the till.
    """
    if order.state in (State.PENDING, State.PAYING):
        return Terms("not_issued")
    if order.state == State.ISSUED and event.is_called_off(order.performance_id):
        return Terms("performance_called_off")
    found = of(order, tickets, now=now, chosen=chosen)
    if not found.lines:
        return found
    reason = "already_used" if not with_used and any(line.ticket.used_at for line in found.lines) else None
    lines = tuple(replace(line, fee_krw=0) for line in found.lines) if in_full else found.lines
    return replace(found, reason=reason, lines=lines, until=None)


def policy_of(order: Order, known: event.Snapshot) -> Policy:
    """The policy that ORDER was bought under; the event's, while it is not bought."""
    return event.resolved(msgspec.convert(order.refund_policy or known.refund_policy, Policy | Preset))


def told(known: event.Snapshot, performance_id: str) -> dict[str, Any] | None:
    """What an order for the performance keeps: when it starts and until when it can be cancelled, as everybody is told now."""
    performance = known.performances.get(performance_id)
    return None if performance is None else msgspec.to_builtins(Told(performance.starts_at, known.cancel_until))


def rules_of(known: event.Snapshot, performance: Performance, order: Order | None = None) -> list[Rules]:
    """The rules for PERFORMANCE. For ORDER, all that it may be cancelled by: what is kinder to its buyer counts, at each moment.

    That is what the buyer was told, the same policy for the time and the limit of now, and what everybody is told now.
    """
    now = Rules(known.policy, performance.starts_at, known.cancel_until)
    if order is None:
        return [now]
    bought = policy_of(order, known)
    found = [Rules(bought, performance.starts_at, known.cancel_until)]
    if order.told is not None:
        then = msgspec.convert(order.told, Told)
        # Nobody gives back what has begun, though it was moved forward.
        limit = min(then.cancel_until or performance.starts_at, performance.starts_at)
        found.append(Rules(bought, then.starts_at, limit))
    return [*found, now] if bought != known.policy else found


def last_moment(known: event.Snapshot, performance: Performance, order: Order | None = None) -> datetime:
    """When cancelling tickets of PERFORMANCE ends, for everybody or for ORDER."""
    return max(rules.until for rules in rules_of(known, performance, order))


def _issued(order: Order, live: list[Ticket], now: datetime, chosen: Collection[str] | None) -> Terms:
    wanted = [ticket for ticket in live if chosen is None or ticket.pk in chosen]
    if not wanted or (chosen is not None and len(wanted) < len(set(chosen))):
        return Terms("already_cancelled")
    known = event.current()
    performance = known.performances.get(order.performance_id)
    if performance is not None and performance.cancelled_at is not None:
        # All of the price goes back, by itself and soon; who does not wait for it must not be charged a fee.
        return Terms("refund_in_progress")
    rules = [] if performance is None else rules_of(known, performance, order)
    until = max((each.until for each in rules), default=known.cancel_until)
    reason = None
    if any(ticket.used_at for ticket in wanted):
        reason = "already_used"
    elif any(ticket.paid_at_door_at for ticket in wanted):
        reason = "paid_at_door"  # the money is in the organiser's till: nobody gives it back by a click
    elif until is not None and now >= until:
        reason = "too_late_to_cancel"
    elif concessions.splits_group(order.places, [each.concession_id for each in live], [each.concession_id for each in wanted]):
        reason = "concession_group"

    def fee(ticket: Ticket) -> int:
        booked_at = order.issued_at or order.created_at
        open_still = [each for each in rules if now < each.until] or rules
        costs = [each.fee_krw(ticket.price_krw, booked_at=booked_at, now=now) for each in open_still]
        return min(costs, default=0) if order.is_paid else 0

    lines = tuple(Line(ticket, fee(ticket)) for ticket in wanted)
    left = order.total_krw - order.refunded_krw
    return Terms(reason, lines, is_whole=len(wanted) == len(live), is_paid=order.is_paid, until=until, left_krw=left)
