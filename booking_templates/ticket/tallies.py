"""Live tickets by performance, grade and concession, and how many of them have arrived."""

from __future__ import annotations

import msgspec
from django.db.models import Count, Q, Sum

from booking_templates.kit.api import Request, endpoint
from booking_templates.kit.principal import staff
from booking_templates.ticket.dues import OWING, TAKEN, taken_besides
from booking_templates.ticket.models import Ticket

LIVE = Q(status=Ticket.Status.LIVE)


class Tally(msgspec.Struct):
    performance_id: str
    grade: str
    concession: str
    """Empty for the full price."""
    tickets: int
    price_krw: int
    arrived: int
    due_krw: int
    """Still to be paid at the door."""
    taken_at_door_krw: int
    """Paid there and not given back; what was paid twice, and for tickets that are cancelled, too."""


class Tallies(msgspec.Struct):
    rows: list[Tally]


@endpoint(auth=staff("summary"), returns={200: Tallies})
def read_tallies(request: Request) -> Tallies:
    """Tickets that stand, paid or due at the door, their price, how many were let in, and what the door has taken."""
    found = Ticket.objects.filter(LIVE | TAKEN).values("performance_id", "grade", "concession")
    counted = found.annotate(
        tickets=Count("pk", filter=LIVE),
        price=Sum("price_krw", filter=LIVE, default=0),
        arrived=Count("pk", filter=LIVE & Q(used_at__isnull=False)),
        due=Sum("price_krw", filter=OWING, default=0),
        taken=Sum("price_krw", filter=TAKEN, default=0),
    )
    rows = {
        (row["performance_id"], row["grade"], row["concession"]): Tally(
            row["performance_id"],
            row["grade"],
            row["concession"],
            row["tickets"],
            row["price"],
            row["arrived"],
            row["due"],
            row["taken"],
        )
        for row in counted
    }
    for payment in taken_besides():
        key = payment.ticket.performance_id, payment.ticket.grade, payment.ticket.concession
        rows.setdefault(key, Tally(*key, 0, 0, 0, 0, 0)).taken_at_door_krw += payment.amount_krw
    return Tallies([rows[key] for key in sorted(rows)])
