"""What the door took and has to be given back: paid twice, or for tickets that were cancelled. The organiser says that it was given back.

It is given back by hand, so nobody but they can know. Each payment goes back once, however often and by whomever that is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from booking_templates.kit.db import clock, retry_transaction
from booking_templates.payments.reasons import CALLED_OFF
from booking_templates.payments.showing import local
from booking_templates.ticket import dues
from booking_templates.ticket.door_schemas import DoorOwed, DoorOwedOut, GivenBack
from booking_templates.ticket.dues import Till
from booking_templates.ticket.models import DoorPayment, Ticket
from booking_templates.ticket.moments import believed

SHOWN_MAX = 200


@dataclass(frozen=True)
class _Owed:
    """A payment to be given back; `first` is the one that its ticket is paid by."""

    payment: DoorPayment
    first: DoorPayment | None


def listed() -> DoorOwed:
    """All that is to be given back, the last taken first, and what it comes to."""
    found = sorted(
        (each for till in dues.uneven() for each in _owed_of(till)), key=lambda each: (each.payment.at, each.payment.pk), reverse=True
    )
    return DoorOwed(
        payments=[_shown(each) for each in found[:SHOWN_MAX]],
        total=len(found),
        total_krw=sum(each.payment.amount_krw for each in found),
    )


def given_back(payments: Iterable[int], *, staff: str) -> list[GivenBack]:
    """Write down that STAFF gave PAYMENTS back; what comes of each: `given_back`, now or before, `not_owed` (any more), `unknown`."""
    return [_given_back(each, staff) for each in dict.fromkeys(payments)]


@retry_transaction
def _given_back(payment_id: int, staff: str) -> GivenBack:
    found = DoorPayment.objects.filter(pk=payment_id, is_paid=True).first()
    if found is None:
        return GivenBack(payment_id, "unknown", 0)
    # As a statement of a scanner does (`dues`): whichever holds the ticket's row first is what happened.
    ticket = Ticket.objects.select_for_update().get(pk=found.ticket_id)
    if DoorPayment.objects.filter(gives_back=found).exists():
        return GivenBack(found.pk, "given_back", found.amount_krw)
    till = dues.till_of(DoorPayment.objects.filter(ticket=ticket).select_related("ticket").order_by("pk"))
    if found not in [each.payment for each in _owed_of(till)]:
        return GivenBack(found.pk, "not_owed", 0)
    dues.give_back(ticket, staff=staff, at=clock(), payment=found)
    return GivenBack(found.pk, "given_back", found.amount_krw)


def _owed_of(till: Till) -> list[_Owed]:
    """What of TILL is to be given back: all of it where its ticket is cancelled."""
    if till.first is not None and till.first.ticket.status == Ticket.Status.LIVE:
        return [_Owed(each, till.first) for each in till.more]
    return [_Owed(each, None) for each in (till.first, *till.more) if each is not None]


def _shown(owed: _Owed) -> DoorOwedOut:
    payment, ticket = owed.payment, owed.payment.ticket
    is_off = ticket.order.reason == CALLED_OFF
    return DoorOwedOut(
        id=payment.pk,
        why="twice" if ticket.status == Ticket.Status.LIVE else "called_off" if is_off else "cancelled",
        amount_krw=payment.amount_krw,
        at=local(believed(payment.told_at)),
        scanner=payment.scanner,
        first_at=local(believed(owed.first.told_at)) if owed.first else None,
        first_with=owed.first.scanner if owed.first else "",
        ticket_id=ticket.pk,
        label=ticket.label,
        grade=ticket.grade,
        performance_id=ticket.performance_id,
        order_id=ticket.order_id,
        order_number=ticket.order.number,
    )
