"""Endpoints for the seller's staff and the control plane."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from msgspec import UNSET

from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.principal import staff
from booking_templates.payments.showing import local
from booking_templates.ticket import attendees, calling_off, concessions, event, sales, settlement
from booking_templates.ticket.documents import tables
from booking_templates.ticket.sales_schemas import Open, Settlement, Summary
from booking_templates.ticket.schemas import (
    AttendeeQuery,
    Attendees,
    AttendeeSearch,
    CalledOff,
    CallingOff,
    Content,
    PerformanceContent,
)
from booking_templates.ticket.showing import shown_concessions

CONTENT_BYTES_MAX = 2 * 1024 * 1024
"""Thirty concessions that each name all of fifty grades and two hundred performances are most of a megabyte."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@endpoint(auth=staff("content"), body=Content, returns={200: Content}, problems=("would_orphan",), max_body=CONTENT_BYTES_MAX)
def put_content(request: Request, body: Content) -> Content:
    """Say what the event is. Performances that have live tickets cannot be left out."""
    times = [event.PerformanceTimes(each.id, each.starts_at, each.ends_at) for each in body.performances]
    event.put(
        title=body.title,
        venue=body.venue,
        performances=times,
        cancel_until=body.cancel_until,
        sales_close_at=body.sales_close_at,
        refund_policy=body.refund_policy,
        concessions=body.concessions if body.concessions is UNSET else concessions.checked(body.concessions),
    )
    return _content()


@endpoint(auth=staff("content"), returns={200: Content})
def read_content(request: Request) -> Content:
    """What was put last."""
    event.forget()
    return _content()


@endpoint(auth=staff("content"), body=CalledOff, returns={200: CallingOff}, problems=("not_found",))
def call_off(request: Request, body: CalledOff, performance_id: str) -> CallingOff:
    """Call a performance off: nobody can order it any more, and every order of it is refunded whole. Cannot be taken back.

    The refunds are made one after the other; ask again how far they are. Stop its sale at the seat service too.
    """
    return calling_off.call_off(performance_id, compensation_percent=body.compensation_percent)


@endpoint(auth=staff("content"), returns={200: CallingOff}, problems=("not_found",))
def read_calling_off(request: Request, performance_id: str) -> CallingOff:
    """How far the refunds of a performance are that was called off."""
    return calling_off.progress(performance_id)


@endpoint(auth=staff("attendees"), query=AttendeeQuery, returns={200: Attendees})
def list_attendees(request: Request, query: AttendeeQuery) -> Attendees:
    """Who booked, by performance; `q` searches names, order numbers, phones and places. Search for a buyer by POST."""
    return _attendees(query)


@endpoint(auth=staff("attendees"), body=AttendeeSearch, returns={200: Attendees})
def search_attendees(request: Request, body: AttendeeSearch) -> Attendees:
    """Who booked, as by GET, with what is looked for in no address."""
    return _attendees(body)


def _attendees(query: AttendeeQuery) -> Attendees:
    found = attendees.find(performance=query.performance, q=query.q)
    total = found.count()
    start = (query.page - 1) * attendees.PAGE
    return Attendees(
        attendees=[attendees.shown(ticket) for ticket in found[start : start + attendees.PAGE]],
        page=query.page,
        pages=max(1, -(-total // attendees.PAGE)),
        total=total,
    )


@endpoint(auth=staff("attendees"), query=AttendeeQuery, returns={200: bytes}, content_type="text/csv")
def export_csv(request: Request, query: AttendeeQuery) -> StreamingHttpResponse:
    """The whole list as CSV; `page` is ignored."""
    return _csv(query)


@endpoint(auth=staff("attendees"), body=AttendeeSearch, returns={200: bytes}, content_type="text/csv")
def search_csv(request: Request, body: AttendeeSearch) -> StreamingHttpResponse:
    """The list as CSV, as by GET, with what is looked for in no address."""
    return _csv(body)


def _csv(query: AttendeeQuery) -> StreamingHttpResponse:
    lines = tables.csv_lines(attendees.head(), attendees.rows(performance=query.performance, q=query.q))
    return _file(lines, "attendees.csv", "text/csv; charset=utf-8")


@endpoint(auth=staff("attendees"), query=AttendeeQuery, returns={200: bytes}, content_type=XLSX)
def export_xlsx(request: Request, query: AttendeeQuery) -> StreamingHttpResponse:
    """The whole list as a workbook; `page` is ignored."""
    return _xlsx(query)


@endpoint(auth=staff("attendees"), body=AttendeeSearch, returns={200: bytes}, content_type=XLSX)
def search_xlsx(request: Request, body: AttendeeSearch) -> StreamingHttpResponse:
    """The list as a workbook, as by GET, with what is looked for in no address."""
    return _xlsx(body)


def _xlsx(query: AttendeeQuery) -> StreamingHttpResponse:
    chunks = tables.xlsx_chunks("attendees", attendees.head(), attendees.rows(performance=query.performance, q=query.q))
    return _file(chunks, "attendees.xlsx", XLSX)


@endpoint(auth=staff("summary"), returns={200: Settlement})
def read_settlement(request: Request) -> Settlement:
    """The settlement statement as of now; `is_final` once sales have ended and no money moves any more."""
    return settlement.statement()


@endpoint(auth=staff("summary"), returns={200: Summary})
def read_summary(request: Request) -> Summary:
    """What was sold so far, to the won."""
    return sales.summary()


@endpoint(auth=staff("content"), returns={200: Open})
def read_open(request: Request) -> Reply:
    """What stands against deleting the booking system."""
    return Reply(sales.open_business())


def _file(content: Iterator[bytes], name: str, content_type: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(content, content_type=content_type, headers=headers)


def _content() -> Content:
    known = event.current()
    performances = [PerformanceContent(each.pk, local(each.starts_at), local(each.ends_at)) for each in known.performances.values()]
    return Content(
        title=known.title,
        venue=known.venue,
        performances=performances,
        cancel_until=local(known.cancel_until),
        sales_close_at=local(known.sales_close_at),
        refund_policy=known.refund_policy,
        concessions=shown_concessions(known) or UNSET,
    )
