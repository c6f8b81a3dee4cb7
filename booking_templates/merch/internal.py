"""Endpoints for the other services of this booking system."""

from __future__ import annotations

from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.principal import service
from booking_templates.merch import by_hand, calling_off
from booking_templates.merch.saga import saga
from booking_templates.merch.schemas import TicketsWithdrawn
from booking_templates.payments.erasure import erase
from booking_templates.payments.schemas import Erased


@endpoint(auth=service("auth"), returns={200: Erased}, problems=("payment_in_progress",))
def erase_buyer(request: Request, buyer_id: object) -> Erased:
    """Take the person out of their orders. Refused while a payment of theirs is under way; call again then."""
    by_hand.forget_notes(str(buyer_id))  # first: afterwards nobody knows which orders were this person's
    return Erased(orders=erase(saga, str(buyer_id)))


@endpoint(auth=service("ticket"), body=TicketsWithdrawn, returns={204: None})
def tickets_withdrawn(request: Request, body: TicketsWithdrawn) -> Reply:
    """An order of tickets ended because its performance was called off: what was bought beside it goes back too. Twice is once."""
    calling_off.withdrawn(body.ticket_order)
    return Reply(status=204)
