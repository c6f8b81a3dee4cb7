"""Endpoints for one booking, as those see it who work for the organiser: what became of it, and giving it back by hand."""

from __future__ import annotations

from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.db import snapshot
from booking_templates.kit.principal import staff
from booking_templates.kit.problems import NotFound
from booking_templates.kit.table import table
from booking_templates.payments.keys import key_of
from booking_templates.payments.models import Kind
from booking_templates.payments.reasons import BY_ORGANISER
from booking_templates.payments.showing import local
from booking_templates.ticket import by_hand
from booking_templates.ticket.booking_schemas import (
    BookedTicket,
    Booking,
    BookingFound,
    ByHandQuery,
    HistoryEntry,
    NewRefundByHand,
    NumberQuery,
    RefundMade,
    Refusal,
)
from booking_templates.ticket.dues import due_of
from booking_templates.ticket.models import DoorPayment, LedgerEntry, Order, OrderRefund, RefundByHand, Ticket
from booking_templates.ticket.saga import saga
from booking_templates.ticket.schemas import Quote
from booking_templates.ticket.showing import shown_quote


@endpoint(auth=staff("attendees"), query=NumberQuery, returns={200: BookingFound}, problems=("not_found",))
def find_booking(request: Request, query: NumberQuery) -> BookingFound:
    """The order with this number, though it never came to tickets and so is no attendee's."""
    found = Order.objects.filter(number=query.number.strip().upper()).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound("not_found")
    return BookingFound(found)


@endpoint(auth=staff("attendees"), returns={200: Booking}, problems=("not_found",))
def read_booking(request: Request, order_id: object) -> Booking:
    """An order with its buyer, its tickets and all that happened to it."""
    with snapshot():
        return _shown(by_hand.booking(str(order_id)))


WHY_NOT = ("not_issued", "payment_in_progress", "performance_called_off", "already_used", "already_cancelled")


@endpoint(auth=staff("content"), query=ByHandQuery, returns={200: Quote}, problems=("not_found", *WHY_NOT))
def read_quote_by_hand(request: Request, query: ByHandQuery, order_id: object) -> Quote:
    """What giving an order back by hand, or some of its tickets, would give back and keep now, though it be too late for its buyer."""
    order = by_hand.booking(str(order_id))
    chosen = [each for each in query.tickets.split(",") if each] or None
    offered = by_hand.quote(order, chosen, in_full=query.terms == "full", with_used=query.used)
    if offered.reason is not None:
        raise by_hand.refused(offered.reason)
    return shown_quote(offered)


@endpoint(
    auth=staff("content"),
    body=NewRefundByHand,
    returns={201: RefundMade, 200: RefundMade},
    problems=(
        "not_found",
        *WHY_NOT,
        "refund_in_progress",
        "fee_not_agreed",
        "at_door_not_agreed",
        "order_changed",
        "idempotency_key_too_long",
        "idempotency_key_reused",
    ),
)
def create_refund_by_hand(request: Request, body: NewRefundByHand, order_id: object) -> Reply:
    """Give an order back to its buyer, or some of its tickets, keeping the fee that was quoted. If that has changed since, nothing happens.

    What was paid for them at the door the organiser gives back by hand, whole: this writes it down.

    Its places are free again. The same request with the same `Idempotency-Key` is answered with what the first one did (200).
    """
    order = by_hand.booking(str(order_id))
    made, is_new = by_hand.refund(order, body, staff=request.principal.id, key=key_of(request))
    return Reply(_made(made), status=201 if is_new else 200)


def _made(made: RefundByHand) -> RefundMade:
    if made.refund is not None:
        made.refund.refresh_from_db()  # made since, and maybe of less: other hands had given something back
    is_done = made.refund is None or made.refund.done_at is not None
    return RefundMade(
        id=made.pk,
        order_id=made.order_id,
        tickets=made.tickets,
        price_krw=made.price_krw,
        fee_krw=made.fee_krw,
        refund_krw=made.amount_krw,
        at_door_krw=made.at_door_krw,
        is_done=is_done,
        created_at=local(made.created_at),
    )


def _shown(order: Order) -> Booking:
    tickets = order.in_order(table(Ticket).rows(order_id=order.pk))
    provider = saga.provider()
    why_not = by_hand.quote(order, None, in_full=True, with_used=True).reason
    return Booking(
        id=order.pk,
        number=order.number,
        status=order.status,
        is_settling=order.is_settling,
        reason=order.reason,
        performance_id=order.performance_id,
        buyer_name=order.buyer_name,
        buyer_phone=order.buyer_phone,
        provider=order.provider,
        payment_test=order.is_paid and provider is not None and provider.is_test,
        total_krw=order.total_krw,
        refunded_krw=order.refunded_krw,
        compensation_krw=order.compensation_krw,
        refusal=None if why_not is None else Refusal(why_not, by_hand.refused(why_not).detail),
        tickets=[_booked(each, order) for each in tickets],
        history=_history(order, tickets),
        created_at=local(order.created_at),
    )


def _booked(ticket: Ticket, order: Order) -> BookedTicket:
    return BookedTicket(
        id=ticket.pk,
        label=ticket.label,
        grade=ticket.grade,
        price_krw=ticket.price_krw,
        list_price_krw=ticket.list_price_krw,
        concession=ticket.concession,
        proof=ticket.proof,
        status=ticket.status,
        used_at=local(ticket.used_at),
        due_krw=due_of(ticket, order),
        paid_at_door_krw=ticket.paid_at_door_krw,
    )


def _history(order: Order, tickets: list[Ticket]) -> list[HistoryEntry]:
    """What happened to ORDER, by time."""
    found = [HistoryEntry("ordered", local(order.created_at), amount_krw=order.total_krw)]
    captures = LedgerEntry.objects.filter(order_id=order.pk, kind=Kind.CAPTURE)
    found += [HistoryEntry("paid", local(each.at), amount_krw=each.amount_krw) for each in captures]
    outside = LedgerEntry.objects.filter(order_id=order.pk, kind=Kind.OUTSIDE)
    found += [HistoryEntry("outside", local(each.at), amount_krw=each.amount_krw) for each in outside]
    found += [HistoryEntry("used", local(each.used_at), labels=[each.label]) for each in tickets if each.used_at]
    for refund in OrderRefund.objects.filter(order_id=order.pk).select_related("by_hand"):
        entry = HistoryEntry(
            "given_back",
            local(refund.created_at),
            amount_krw=refund.amount_krw,
            fee_krw=0 if refund.had_before_krw else refund.fee_krw,  # all that was left went back then
            labels=[each.label for each in tickets if each.refund_id == refund.pk],
            done_at=local(refund.done_at),
            is_done=refund.done_at is not None,
            reason=refund.reason,
        )
        found.append(_by(entry, getattr(refund, "by_hand", None)))
    for made in RefundByHand.objects.filter(order_id=order.pk, refund=None):
        at, labels = local(made.created_at), [each.label for each in tickets if each.pk in made.tickets]
        found.append(_by(HistoryEntry("given_back", at, labels=labels, done_at=at, reason=BY_ORGANISER), made))
    if not order.is_paid:
        found += [_at_door(each) for each in DoorPayment.objects.filter(ticket__order_id=order.pk).select_related("ticket")]
    return sorted(found, key=lambda entry: entry.at)


def _at_door(said: DoorPayment) -> HistoryEntry:
    kind = "door_paid" if said.is_paid else "door_given_back" if said.gives_back_id else "door_not_paid"
    labels = [said.ticket.label]
    return HistoryEntry(kind, local(said.at), amount_krw=said.amount_krw, labels=labels, by=said.staff, scanner=said.scanner)


def _by(entry: HistoryEntry, made: RefundByHand | None) -> HistoryEntry:
    """ENTRY with who has MADE it by hand, if somebody has."""
    if made is not None:
        entry.by, entry.why, entry.note = made.staff, made.why, made.note
    return entry
