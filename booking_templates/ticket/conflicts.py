"""Who was let in without the network with a ticket that was used before, or cancelled: kept for the organiser, who sees it nowhere else."""

from __future__ import annotations

from datetime import datetime, timedelta

from booking_templates.kit.db import clock, write
from booking_templates.payments.showing import local
from booking_templates.ticket.door_schemas import DoorConflictOut, DoorConflicts, Scan
from booking_templates.ticket.models import DoorConflict, Scanner, Ticket
from booking_templates.ticket.moments import believed

A_TICKET_MAX = 20
"""One that is copied to hundreds is known by these."""
SHOWN_MAX = 200
LATE = timedelta(minutes=1)
"""A scan that does not say whether its holder was let in, and comes so long after its time, was made without the network."""


def was_let_in(scan: Scan, said: bool | None) -> bool:
    """Whether the scanner did not wait for our answer, as it has SAID, or by the time of SCAN."""
    if said is not None:
        return said
    return scan.at is not None and scan.at < clock() - LATE


def keep(ticket: Ticket, scanner: Scanner, told: datetime, *, kind: str, decided: bool) -> None:
    """Keep that SCANNER let somebody in with TICKET at TOLD, by its own clock, or whoever held it DECIDED to. Again is fine."""
    row = DoorConflict(
        ticket=ticket,
        scanner=scanner.name,
        told_at=told,
        kind=kind,
        first_at=ticket.used_at,
        first_with=ticket.used_with,
        at=believed(told),
        decided=decided,
    )
    if DoorConflict.objects.filter(ticket=ticket).count() < A_TICKET_MAX:
        write(lambda: DoorConflict.objects.bulk_create([row], ignore_conflicts=True))


def latest() -> DoorConflicts:
    """The last ones, and how many there are."""
    found = DoorConflict.objects.select_related("ticket__order").order_by("-at", "-pk")
    return DoorConflicts(conflicts=[_shown(each) for each in found[:SHOWN_MAX]], total=DoorConflict.objects.count())


def _shown(row: DoorConflict) -> DoorConflictOut:
    ticket = row.ticket
    return DoorConflictOut(
        kind=row.kind,
        at=local(row.at),
        scanner=row.scanner,
        first_at=local(row.first_at),
        first_with=row.first_with,
        ticket_id=ticket.pk,
        label=ticket.label,
        grade=ticket.grade,
        performance_id=ticket.performance_id,
        order_id=ticket.order_id,
        order_number=ticket.order.number,
        decided=row.decided,
    )
