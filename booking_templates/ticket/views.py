"""Endpoints for buyers."""

from __future__ import annotations

from django.utils.translation import gettext as _

from booking_templates.kit.api import Reply, Request, endpoint, not_modified
from booking_templates.kit.gate import TOO_MANY_AT_ONCE
from booking_templates.kit.principal import BUYER
from booking_templates.kit.problems import Gone, NotFound
from booking_templates.kit.table import table
from booking_templates.payments.admission import GATE
from booking_templates.payments.keys import key_of
from booking_templates.payments.schemas import Page
from booking_templates.ticket import codes, event, orders, papers
from booking_templates.ticket.models import Order, Ticket
from booking_templates.ticket.schemas import (
    Keys,
    NewOrder,
    NewRefund,
    OrderOut,
    Orders,
    Quote,
    QuoteQuery,
    TermsOut,
    TicketOut,
    Tickets,
)
from booking_templates.ticket.showing import public_terms, shown, shown_all, shown_quote, shown_terms, shown_ticket, shown_tickets

PAGE = 20
TICKETS_MAX = 500
# Kept by browsers and caches, yet asked about each time: an edit is seen at once.
REVALIDATE = "public, no-cache"


@endpoint(
    auth=BUYER,
    body=NewOrder,
    returns={201: OrderOut, 200: OrderOut},
    problems=(
        "hold_unknown",
        "hold_expired",
        "hold_pinned",
        "hold_sold",
        "order_taken",
        "order_busy",
        "payment_in_progress",
        "place_unknown",
        *(f"concession_{why}" for why in ("unknown", "not_for_place", "not_yet", "over", "too_few", "too_many")),
        "price_changed",
        "performance_called_off",
        "payment_failed",
        "seat_unavailable",
        "payment_unavailable",
        "idempotency_key_too_long",
        "idempotency_key_reused",
        TOO_MANY_AT_ONCE,
    ),
)
@GATE.admits
def create_order(request: Request, body: NewOrder) -> Reply:
    """Order what a hold is for, and get the address of the payment, or the tickets where nothing is to be paid.

    A hold has one order: the same request again, with the same `Idempotency-Key` or without, answers with it (200). With other
    `concessions`, before it is paid for, it gives that order up and makes a new one.
    """
    wish = orders.Wish(body.concessions, body.expected_total_krw)
    order, is_new = orders.create(
        buyer=request.principal, hold_id=body.hold_id, name=body.name, phone=body.phone, key=key_of(request), wish=wish
    )
    return Reply(shown(order, request), status=201 if is_new else 200)


@endpoint(auth=BUYER, query=Page, returns={200: Orders}, problems=("not_found",))
def list_orders(request: Request, query: Page) -> Orders:
    """The buyer's orders, the newest first."""
    found = Order.objects.filter(buyer_id=request.principal.id).order_by("-created_at", "-pk")
    if query.before:
        mark = orders.own(request.principal.id, query.before)
        found = found.filter(created_at__lte=mark.created_at).exclude(pk__gte=mark.pk, created_at=mark.created_at)
    page = list(found[: PAGE + 1])
    return Orders(orders=shown_all(page[:PAGE], request), next=page[PAGE - 1].pk if len(page) > PAGE else None)


@endpoint(auth=BUYER, returns={200: OrderOut}, problems=("not_found",))
def read_order(request: Request, order_id: object) -> OrderOut:
    """One of the buyer's orders."""
    order, tickets = orders.own_with_tickets(request.principal.id, str(order_id))
    return shown(order, request, tickets)


@endpoint(
    auth=BUYER,
    returns={200: OrderOut},
    problems=(
        "not_found",
        "payment_in_progress",
        "too_late_to_cancel",
        "already_used",
        "paid_at_door",
        "refund_in_progress",
        "fee_not_agreed",
        "order_changed",
    ),
)
def cancel_order(request: Request, order_id: object) -> OrderOut:
    """Cancel a whole order: one that waits for its payment is closed, one that was paid is refunded. Safe to send twice.

    Where a fee is kept, it is refused: ask for the quote, and agree to it by a refund. So is what was paid at the door (`paid_at_door`):
    the organiser gives that back.
    """
    order = orders.own(request.principal.id, str(order_id))
    orders.cancel(order)
    return shown(order, request)


@endpoint(auth=BUYER, query=QuoteQuery, returns={200: Quote}, problems=("not_found",))
def read_quote(request: Request, query: QuoteQuery, order_id: object) -> Quote:
    """What cancelling the order, or some of its tickets, would give back and keep now."""
    order = orders.own(request.principal.id, str(order_id))
    return shown_quote(orders.quote(order, [each for each in query.tickets.split(",") if each] or None))


@endpoint(
    auth=BUYER,
    body=NewRefund,
    returns={200: OrderOut},
    problems=(
        "not_found",
        "not_issued",
        "payment_in_progress",
        "too_late_to_cancel",
        "already_used",
        "paid_at_door",
        "already_cancelled",
        "concession_group",
        "refund_in_progress",
        "fee_not_agreed",
        "order_changed",
    ),
)
def create_refund(request: Request, body: NewRefund, order_id: object) -> OrderOut:
    """Give some tickets up, or all, agreeing to the fee as it was quoted. If it has changed since, nothing happens.

    What was paid at the door only the organiser gives back (`paid_at_door`).
    """
    order = orders.own(request.principal.id, str(order_id))
    orders.give_up_tickets(order, chosen=body.tickets, agreed_fee_krw=body.fee_krw)
    return shown(order, request)


@endpoint(auth=BUYER, returns={200: Tickets})
def list_tickets(request: Request) -> Tickets:
    """The buyer's tickets, the newest first."""
    found = Ticket.objects.select_related("order").filter(order__buyer_id=request.principal.id).order_by("-created_at", "-pk")
    return Tickets(tickets=shown_tickets(found[:TICKETS_MAX]))


@endpoint(auth=BUYER, returns={200: TicketOut}, problems=("not_found",))
def read_ticket(request: Request, ticket_id: object) -> TicketOut:
    """One of the buyer's tickets."""
    ticket = _own_ticket(request, ticket_id)
    return shown_ticket(ticket, ticket.order)


@endpoint(auth=BUYER, returns={200: bytes}, problems=("not_found", "ticket_cancelled"), content_type="image/svg+xml")
def read_qr(request: Request, ticket_id: object) -> Reply:
    """The ticket's code as a QR drawing."""
    ticket = _own_ticket(request, ticket_id)
    if ticket.status != Ticket.Status.LIVE:
        raise Gone("ticket_cancelled", _("This ticket was cancelled."))
    headers = {"Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    return Reply(codes.qr_svg(codes.sign(ticket)), content_type="image/svg+xml", headers=headers)


@endpoint(auth=BUYER, returns={200: bytes}, problems=("not_found", "ticket_cancelled"), content_type="application/pdf")
def read_pdf(request: Request, ticket_id: object) -> Reply:
    """The ticket to print or to keep."""
    ticket = _own_ticket(request, ticket_id)
    return _download(papers.as_pdf([ticket], ticket.order), f"{ticket.order.number}.pdf", "application/pdf")


@endpoint(auth=BUYER, returns={200: bytes}, problems=("not_found", "ticket_cancelled"), content_type="application/pdf")
def read_order_pdf(request: Request, order_id: object) -> Reply:
    """All live tickets of an order, a page each."""
    order = orders.own(request.principal.id, str(order_id))
    return _download(papers.as_pdf(table(Ticket).rows(order_id=order.pk), order), f"{order.number}.pdf", "application/pdf")


@endpoint(auth=BUYER, returns={200: bytes}, problems=("not_found",), content_type="text/calendar")
def read_calendar(request: Request, ticket_id: object) -> Reply:
    """The performance as an entry for the buyer's calendar."""
    ticket = _own_ticket(request, ticket_id)
    return _download(papers.as_calendar(ticket, ticket.order), f"{ticket.order.number}.ics", "text/calendar; charset=utf-8")


@endpoint(auth=BUYER, returns={200: TermsOut}, problems=("not_found",))
def read_order_terms(request: Request, order_id: object) -> TermsOut:
    """What cancelling this order costs by the policy that it was bought under; where the one of now is kinder, less."""
    return shown_terms(event.current(), orders.own(request.principal.id, str(order_id)))


@endpoint(returns={200: TermsOut, 304: None})
def read_terms(request: Request) -> Reply:
    """What is to be told before buying: concessions, what cancelling costs and until when it can be done, what was called off."""
    body, etag = public_terms()
    headers = {"ETag": etag, "Cache-Control": REVALIDATE}
    return Reply(status=304, headers=headers) if not_modified(request, etag) else Reply(body, headers=headers)


@endpoint(returns={200: Keys})
def read_keys(request: Request) -> Reply:
    """The public keys of ticket codes, for scanners."""
    return Reply(Keys(keys=codes.public_keys()), headers={"Cache-Control": "public, max-age=300"})


def _download(content: bytes, name: str, content_type: str) -> Reply:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Reply(content, content_type=content_type, headers=headers)


def _own_ticket(request: Request, ticket_id: object) -> Ticket:
    ticket = Ticket.objects.select_related("order").filter(pk=str(ticket_id), order__buyer_id=request.principal.id).first()
    if ticket is None:
        raise NotFound("not_found")
    return ticket
