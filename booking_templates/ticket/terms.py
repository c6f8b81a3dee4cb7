"""On what terms a buyer may cancel an order now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from booking_templates.payments.states import State
from booking_templates.ticket import event
from booking_templates.ticket.models import Order, Ticket


@dataclass(frozen=True)
class Terms:
    """`reason` is the problem code when it is not allowed; UNTIL the moment it ends."""

    reason: str | None
    price_krw: int = 0
    fee_krw: int = 0
    until: datetime | None = None

    @property
    def is_allowed(self) -> bool:
        return self.reason is None

    @property
    def refund_krw(self) -> int:
        return self.price_krw - self.fee_krw if self.is_allowed else 0


def of(order: Order, tickets: list[Ticket], *, now: datetime) -> Terms:
    """The terms for all of ORDER: its whole price back until its performance starts. TICKETS are the order's."""
    match order.state:
        case State.PENDING | State.PAYING:
            return Terms(None)
        case State.APPROVING | State.CAPTURED:
            return Terms("payment_in_progress")
        case State.ISSUED:
            pass
        case _:
            return Terms("already_cancelled")
    until = last_moment(order.performance_id)
    if until is not None and now >= until:
        return Terms("too_late_to_cancel", until=until)
    price = sum(ticket.price_krw for ticket in tickets if ticket.status == Ticket.Status.LIVE) if order.is_paid else 0
    return Terms(None, price_krw=price, until=until)


def last_moment(performance_id: str) -> datetime | None:
    """When cancelling ends for the performance; None while its time is not known."""
    known = event.current()
    performance = known.performances.get(performance_id)
    limits = [moment for moment in (performance.starts_at if performance else None, known.cancel_until) if moment is not None]
    return min(limits, default=None)
