"""Endpoints for the other services of this booking system."""

from __future__ import annotations

import re

from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.principal import service
from booking_templates.kit.problems import NotFound
from booking_templates.merch import by_hand, calling_off, sales
from booking_templates.merch.saga import saga
from booking_templates.merch.schemas import TicketsWithdrawn
from booking_templates.payments.erasure import erase
from booking_templates.payments.schemas import Erased

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@endpoint(auth=service("auth"), returns={200: Erased}, problems=("payment_in_progress",))
def erase_buyer(request: Request, buyer_id: object) -> Erased:
    """Take the person out of their orders. Refused while a payment of theirs is under way; call again then."""
    by_hand.forget_notes(str(buyer_id))  # first: afterwards nobody knows which orders were this person's
    return Erased(orders=erase(saga, str(buyer_id)))


@endpoint(auth=service("ticket"), returns={204: None}, problems=("not_found",))
def close_performance(request: Request, performance_id: str) -> Reply:
    """The organiser has called the performance off. When it was the last one, what was not picked up goes back. Twice is once."""
    if not ID.fullmatch(performance_id):
        raise NotFound("not_found")
    sales.call_off(performance_id)
    return Reply(status=204)


@endpoint(auth=service("ticket"), body=TicketsWithdrawn, returns={204: None})
def tickets_withdrawn(request: Request, body: TicketsWithdrawn) -> Reply:
    """An order of tickets ended because its performance was called off: what was bought beside it goes back too. Twice is once."""
    calling_off.withdrawn(body.ticket_order)
    return Reply(status=204)
