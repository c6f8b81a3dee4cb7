"""Endpoints for the other services of this booking system."""

from __future__ import annotations

from booking_templates.kit.api import Request, endpoint
from booking_templates.kit.principal import service
from booking_templates.payments.erasure import erase
from booking_templates.payments.schemas import Erased
from booking_templates.ticket import by_hand, orders
from booking_templates.ticket.saga import saga
from booking_templates.ticket.schemas import OrderStatus


@endpoint(auth=service("auth"), returns={200: Erased}, problems=("payment_in_progress",))
def erase_buyer(request: Request, buyer_id: object) -> Erased:
    """Take the person out of their orders. Refused while a payment of theirs is under way; call again then."""
    by_hand.forget_notes(str(buyer_id))  # first: afterwards nobody knows which orders were this person's
    return Erased(orders=erase(saga, str(buyer_id)))


@endpoint(auth=service("merch"), returns={200: OrderStatus}, problems=("not_found",))
def read_order_status(request: Request, order_id: object, buyer_id: str) -> OrderStatus:
    """Whether the order is that buyer's, and how it stands."""
    return OrderStatus(status=orders.own(buyer_id, str(order_id)).status)
