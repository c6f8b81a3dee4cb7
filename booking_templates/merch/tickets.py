"""What merch asks of the ticket service: whether an order of tickets is there to buy products with."""

from __future__ import annotations

from django.utils.translation import gettext as _

from booking_templates.kit import peers
from booking_templates.kit.problems import Conflict, NotFound, Unavailable

ENDED = ("CANCELLED", "REFUNDING", "REFUNDED")
TIMEOUT_S = 2.0


def require(order_id: str, *, buyer_id: str) -> None:
    """Raises NotFound `unknown_ticket_order` for one that is not the buyer's, Conflict when it has ended, Unavailable when nobody says."""
    try:
        answer = peers.call("ticket", "GET", f"/internal/orders/{order_id}/{buyer_id}", timeout_s=TIMEOUT_S, tries=2)
    except peers.PeerError as error:
        raise Unavailable(
            "ticket_unavailable", _("Your tickets cannot be looked up right now. Please try again in a moment."), retry_after_s=2
        ) from error
    if answer.status != 200:
        raise NotFound("unknown_ticket_order", _("There is no such order of tickets."))
    if answer.json()["status"] in ENDED:
        raise Conflict("ticket_order_ended", _("That order of tickets was cancelled."))
