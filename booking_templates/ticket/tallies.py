"""Live tickets by performance, grade and concession, and how many of them have arrived."""

from __future__ import annotations

import msgspec
from django.db.models import Count, Q, Sum

from booking_templates.kit.api import Request, endpoint
from booking_templates.kit.principal import staff
from booking_templates.ticket.models import Ticket


class Tally(msgspec.Struct):
    performance_id: str
    grade: str
    concession: str
    """Empty for the full price."""
    tickets: int
    price_krw: int
    arrived: int


class Tallies(msgspec.Struct):
    rows: list[Tally]


@endpoint(auth=staff("summary"), returns={200: Tallies})
def read_tallies(request: Request) -> Tallies:
    """Tickets that stand, paid or due at the door, their price, and how many were let in."""
    found = Ticket.objects.filter(status=Ticket.Status.LIVE).values("performance_id", "grade", "concession")
    counted = found.annotate(tickets=Count("pk"), price=Sum("price_krw"), arrived=Count("pk", filter=Q(used_at__isnull=False)))
    return Tallies(
        [
            Tally(row["performance_id"], row["grade"], row["concession"], row["tickets"], row["price"], row["arrived"])
            for row in counted.order_by("performance_id", "grade", "concession")
        ]
    )
