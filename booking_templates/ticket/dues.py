"""What is paid at the door: for a ticket that no provider was asked for, its price.

Whoever has a scanner's key says that it was taken, or that this was a mistake. Each statement is kept, and only ever added; the ticket
shows how it stands. A statement that is sent again is known by its scanner and its time by that scanner's clock.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from booking_templates.kit.db import clock, retry_transaction
from booking_templates.payments.models import NO_PROVIDER
from booking_templates.payments.showing import local
from booking_templates.ticket import codes
from booking_templates.ticket.door_schemas import DoorPaid, DoorPaymentResult
from booking_templates.ticket.models import DoorPayment, Scanner, Ticket
from booking_templates.ticket.moments import believed, whole_ms

OWING = Q(status=Ticket.Status.LIVE, order__provider=NO_PROVIDER, paid_at_door_at=None, price_krw__gt=0)
TAKEN = Q(paid_at_door_at__isnull=False)
"""Of cancelled tickets too: their money is in the till until somebody says that it was given back."""
STATEMENTS_MAX = 50
"""Of a ticket. Whoever changes their mind more often is told how it stands."""


def due_krw(ticket: Ticket) -> int:
    """What is still to be paid for TICKET at the door; its order has to be read with it."""
    is_owing = ticket.status == Ticket.Status.LIVE and ticket.order.provider == NO_PROVIDER and ticket.paid_at_door_at is None
    return ticket.price_krw if is_owing else 0


def take(said: DoorPaid, scanner: Scanner) -> DoorPaymentResult:
    """What comes of SAID: `paid`, `paid_before` (by another one), `due` (again), `nothing_due`, `cancelled`, `unknown`, `invalid`."""
    try:
        code = codes.verify(said.code)
    except codes.CodeInvalid:
        return DoorPaymentResult(said.code, "invalid")
    result, ticket = _take(code.ticket_id, said.is_paid, whole_ms(said.at), scanner.name)
    if ticket is None:
        return DoorPaymentResult(said.code, result)
    return DoorPaymentResult(
        code=said.code,
        result=result,
        ticket=ticket.pk,
        label=ticket.label,
        due_krw=due_krw(ticket),
        paid_krw=ticket.paid_at_door_krw,
        paid_at=local(ticket.paid_at_door_at),
        paid_with=ticket.paid_at_door_with,
    )


@retry_transaction
def _take(ticket_id: str, is_paid: bool, told: datetime, scanner: str) -> tuple[str, Ticket | None]:
    # Its row alone is held: of two statements about a ticket the second finds the first.
    ticket = Ticket.objects.select_for_update().filter(pk=ticket_id).first()
    if ticket is None:
        return "unknown", None
    statements = list(DoorPayment.objects.filter(ticket=ticket).order_by("pk"))
    known = next((each for each in statements if (each.scanner, each.told_at, each.is_paid) == (scanner, told, is_paid)), None)
    if known is None and len(statements) < STATEMENTS_MAX:
        known = _new(ticket, is_paid, told, scanner, statements)
    if is_paid and known is not None and not known.has_changed and ticket.paid_at_door_at:
        return "paid_before", ticket
    if ticket.paid_at_door_at:
        return "paid", ticket
    if due_krw(ticket):
        return "due", ticket
    return ("cancelled" if ticket.status != Ticket.Status.LIVE else "nothing_due"), ticket


def _new(ticket: Ticket, is_paid: bool, told: datetime, scanner: str, before: list[DoorPayment]) -> DoorPayment | None:
    if is_paid and not ticket.paid_at_door_at and not due_krw(ticket):
        return None  # there is nothing to take
    if not is_paid and not ticket.paid_at_door_at:
        return None
    own = [each for each in before if each.scanner == scanner]
    if is_paid:
        has_changed = ticket.paid_at_door_at is None
        ticket.paid_at_door_at, ticket.paid_at_door_with = believed(told), scanner
    else:
        # Who took it a second time, and takes that back, says nothing of the first time.
        has_changed = ticket.paid_at_door_with == scanner or not (own and own[-1].is_paid and not own[-1].has_changed)
        ticket.paid_at_door_at, ticket.paid_at_door_with = None, ""
    if has_changed:
        Ticket.objects.filter(pk=ticket.pk).update(paid_at_door_at=ticket.paid_at_door_at, paid_at_door_with=ticket.paid_at_door_with)
    else:
        ticket.refresh_from_db(fields=["paid_at_door_at", "paid_at_door_with"])
    return DoorPayment.objects.create(
        ticket=ticket, scanner=scanner, told_at=told, is_paid=is_paid, has_changed=has_changed, amount_krw=ticket.price_krw, at=clock()
    )
