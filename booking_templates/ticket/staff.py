"""Endpoints for the seller's staff and the control plane."""

from __future__ import annotations

from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.principal import staff
from booking_templates.payments.showing import local
from booking_templates.ticket import attendees, event, sales
from booking_templates.ticket.schemas import AttendeeQuery, Attendees, Content, Open, PerformanceContent, Summary

CONTENT_BYTES_MAX = 256 * 1024


@endpoint(auth=staff("content"), body=Content, returns={200: Content}, problems=("would_orphan",), max_body=CONTENT_BYTES_MAX)
def put_content(request: Request, body: Content) -> Content:
    """Say what the event is. Performances that have live tickets cannot be left out."""
    times = [event.PerformanceTimes(each.id, each.starts_at, each.ends_at) for each in body.performances]
    event.put(title=body.title, venue=body.venue, cancel_until=body.cancel_until, performances=times)
    return _content()


@endpoint(auth=staff("content"), returns={200: Content})
def read_content(request: Request) -> Content:
    """What was put last."""
    event.forget()
    return _content()


@endpoint(auth=staff("attendees"), query=AttendeeQuery, returns={200: Attendees})
def list_attendees(request: Request, query: AttendeeQuery) -> Attendees:
    """Who booked, by performance; `q` searches names, order numbers, phones and places."""
    found = attendees.find(performance=query.performance, q=query.q)
    total = found.count()
    start = (query.page - 1) * attendees.PAGE
    return Attendees(
        attendees=[attendees.shown(ticket) for ticket in found[start : start + attendees.PAGE]],
        page=query.page,
        pages=max(1, -(-total // attendees.PAGE)),
        total=total,
    )


@endpoint(auth=staff("summary"), returns={200: Summary})
def read_summary(request: Request) -> Summary:
    """What was sold so far, to the won."""
    return sales.summary()


@endpoint(auth=staff("content"), returns={200: Open})
def read_open(request: Request) -> Reply:
    """What stands against deleting the booking system."""
    return Reply(sales.open_business())


def _content() -> Content:
    known = event.current()
    performances = [PerformanceContent(each.pk, local(each.starts_at), local(each.ends_at)) for each in known.performances.values()]
    return Content(title=known.title, venue=known.venue, cancel_until=local(known.cancel_until), performances=performances)
