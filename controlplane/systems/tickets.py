"""What stands in the way of deleting a booking system: asked of its ticket service."""

from __future__ import annotations

from controlplane.systems.booking_api import BookingApi, Silent
from controlplane.systems.errors import DeletionRefused
from controlplane.systems.models import BookingSystem

SCOPES = ("content", "summary")


def refuse_while_sold(system: BookingSystem, *, is_forced: bool) -> None:
    """Raises DeletionRefused while paid tickets for coming performances or open payments stand.

    Raises it too when the ticket service does not say, unless IS_FORCED.
    """
    try:
        with BookingApi.of(system, scopes=SCOPES) as api:
            answer = api.get("/api/ticket/open")
        if not (answer.is_success and isinstance(answer.document, dict)):
            raise Silent(answer.detail)
    except Silent:
        if is_forced:
            return
        raise DeletionRefused("tickets_unknown") from None
    tickets, payments = (int(answer.document.get(key) or 0) for key in ("paid_tickets_for_coming", "open_payments"))
    if tickets or payments:
        raise DeletionRefused("paid_tickets_stand", tickets=tickets, payments=payments)
