"""Who comes: the seller's list of tickets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from booking_templates.payments.names import digits_of, words_of
from booking_templates.payments.showing import local
from booking_templates.ticket import event
from booking_templates.ticket.documents import tables
from booking_templates.ticket.dues import due_krw
from booking_templates.ticket.models import Ticket
from booking_templates.ticket.schemas import Attendee

PAGE = 50
CHUNK = 500
OF_TICKET = (
    "performance_id",
    "label",
    "grade",
    "price_krw",
    "full_price_krw",
    "concession",
    "status",
    "created_at",
    "used_at",
    "paid_at_door_at",
)
OF_ORDER = ("order__provider", "order__number", "order__buyer_name", "order__buyer_phone")


def find(*, performance: str, q: str) -> QuerySet[Ticket]:
    """Tickets that match, by performance and then as they were booked. Q is looked for in names, order numbers, phones and labels."""
    found = Ticket.objects.select_related("order").order_by("performance_id", "created_at", "pk")
    if q:
        found = found.alias(phone=digits_of("order__buyer_phone"))
    if performance:
        found = found.filter(performance_id=performance)
    for word, digits in words_of(q):
        found = found.filter(
            Q(order__buyer_name__icontains=word)
            | Q(order__number__istartswith=word)
            | Q(phone__icontains=digits)
            | Q(label__icontains=word)
        )
    return found


def head() -> list[str]:
    """The columns of an exported list."""
    of_ticket = [_("Performance"), _("Place"), _("Grade"), _("Concession"), _("Price"), _("State"), _("Booked"), _("Arrived")]
    of_ticket += [_("Due at the door"), _("Paid at the door")]
    return [_("Order"), _("Name"), _("Phone"), *of_ticket]


def rows(*, performance: str, q: str) -> Iterator[list[tables.Cell]]:
    """All that match, for an export; read as they are written. A performance is named by when it begins: its id is shown nowhere.

    By their ids, so many at a time: MariaDB's driver holds every row of an answer at once, and a long run has 100,000.
    """
    # Before the first row: by then the reader's language is not known any more.
    words = {Ticket.Status.LIVE.value: _("valid"), Ticket.Status.CANCELLED.value: _("cancelled")}
    starts = {name: _clock(each.starts_at) for name, each in event.current().performances.items()}
    return _rows(list(find(performance=performance, q=q).values_list("pk", flat=True)), starts, words)


def _rows(found: list[str], starts: dict[str, str], words: dict[str, str]) -> Iterator[list[tables.Cell]]:
    for first in range(0, len(found), CHUNK):
        chunk = found[first : first + CHUNK]
        tickets = Ticket.objects.select_related("order").only(*OF_TICKET, *OF_ORDER).in_bulk(chunk)
        yield from (_row(tickets[key], starts, words) for key in chunk)


def _row(ticket: Ticket, starts: dict[str, str], words: dict[str, str]) -> list[tables.Cell]:
    order, begins = ticket.order, starts.get(ticket.performance_id, ticket.performance_id)
    place: list[tables.Cell] = [begins, ticket.label, ticket.grade, ticket.concession, ticket.price_krw]
    state = words.get(ticket.status, ticket.status)
    moments: list[tables.Cell] = [_clock(ticket.created_at), _clock(ticket.used_at)]
    return [order.number, order.buyer_name, order.buyer_phone, *place, state, *moments, due_krw(ticket), ticket.paid_at_door_krw]


def _clock(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else ""


def shown(ticket: Ticket) -> Attendee:
    return Attendee(
        ticket_id=ticket.pk,
        order_id=ticket.order_id,
        order_number=ticket.order.number,
        buyer_name=ticket.order.buyer_name,
        buyer_phone=ticket.order.buyer_phone,
        performance_id=ticket.performance_id,
        label=ticket.label,
        grade=ticket.grade,
        price_krw=ticket.price_krw,
        list_price_krw=ticket.list_price_krw,
        concession=ticket.concession,
        status=ticket.status,
        booked_at=local(ticket.created_at),
        used_at=local(ticket.used_at),
        due_krw=due_krw(ticket),
        paid_at_door_krw=ticket.paid_at_door_krw,
        paid_at_door_at=local(ticket.paid_at_door_at),
        paid_at_door_with=ticket.paid_at_door_with,
    )
