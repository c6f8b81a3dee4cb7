"""Tickets as buyers keep them, in the language they read: PDF and calendar entry."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from booking_templates.kit.db import clock
from booking_templates.kit.problems import Gone, NotFound
from booking_templates.ticket import codes, event
from booking_templates.ticket.documents import calendar, pdf
from booking_templates.ticket.models import Order, Ticket
from booking_templates.ticket.place_words import place_name

CALENDAR_PLACES_MAX = 20


def as_pdf(tickets: list[Ticket], order: Order) -> bytes:
    """A page a live ticket of ORDER. Raises Gone when none is live."""
    live = [ticket for ticket in order.in_order(tickets) if ticket.status == Ticket.Status.LIVE]
    if not live:
        raise Gone("ticket_cancelled", _("This ticket was cancelled."))
    known = event.current()
    return pdf.document([_page(ticket, order, known) for ticket in live], title=f"{known.title} {order.number}".strip())


def _page(ticket: Ticket, order: Order, known: event.Snapshot) -> pdf.Page:
    performance = known.performances.get(ticket.performance_id)
    lines = [pdf.Line(known.title, 16)]
    if performance is not None:
        lines.append(pdf.Line(when(performance.starts_at), 12))
    lines.append(pdf.Line(known.venue, 10, 0.3))
    lines.append(pdf.Line(place_name(ticket.label), 18))
    price = _("%(price)s won") % {"price": f"{ticket.price_krw:,}"}
    lines.append(pdf.Line(" · ".join(part for part in (ticket.grade, price, order.buyer_name) if part), 10, 0.3))
    if ticket.concession:
        lines.append(pdf.Line(" · ".join(part for part in (ticket.concession, ticket.proof) if part), 11))
    return pdf.Page(lines, codes.sign(ticket), order.number)


def when(moment: datetime) -> str:
    """MOMENT where the event is, as people write it."""
    starts = timezone.localtime(moment)
    if get_language() != "ko":
        return date_format(starts, "D j M Y, H:i")
    weekday = date_format(starts, "D").removesuffix("요일")
    return f"{starts:%Y. %m. %d.} ({weekday}) {starts:%H:%M}"


def as_calendar(ticket: Ticket, order: Order) -> bytes:
    """The performance, with the place and the way to the order in the note. Raises NotFound while its time is not known."""
    page = f"{settings.ENV.public_url}/orders/{order.pk}"
    entry = _entry(f"{ticket.pk}@clove", ticket.performance_id, [place_name(ticket.label), order.number], page)
    if entry is None:
        raise NotFound("not_found")
    return entry


def order_calendar(order: Order, page: str) -> str:
    """The same for all of ORDER, with the address of its PAGE in the note. Empty while the performance's time is not known."""
    labels = [place_name(str(place.get("label", ""))) for place in order.places[:CALENDAR_PLACES_MAX]]
    entry = _entry(f"{order.pk}@clove", order.performance_id, [*labels, order.number], page)
    return (entry or b"").decode()


def _entry(uid: str, performance_id: str, notes: list[str], page: str) -> bytes | None:
    """PAGE stands in the note as well: not every calendar shows the address of an entry."""
    known = event.current()
    performance = known.performances.get(performance_id)
    if performance is None:
        return None
    return calendar.entry(
        uid=uid,
        title=known.title,
        place=known.venue,
        note="\n".join([*notes, page]),
        url=page,
        starts_at=performance.starts_at,
        ends_at=event.end_of(performance),
        made_at=clock(),
    )
