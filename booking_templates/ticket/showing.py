"""Rows as the API shows them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime

import msgspec
from django.http import HttpRequest
from django.utils import timezone

from booking_templates.kit.db import clock
from booking_templates.kit.table import table
from booking_templates.payments.models import Kind
from booking_templates.payments.schemas import CancellationOut
from booking_templates.payments.showing import local, shown_payment
from booking_templates.payments.states import State
from booking_templates.ticket import codes, event, terms
from booking_templates.ticket.concessions import Concession
from booking_templates.ticket.dues import due_of
from booking_templates.ticket.models import LedgerEntry, Order, RefundByHand, Ticket
from booking_templates.ticket.saga import saga
from booking_templates.ticket.schemas import ByOrganiser, GivenUp, OrderOut, PerformanceTerms, PlaceOut, Quote, TermsOut, TicketOut
from booking_templates.ticket.terms import Terms

HAS_TICKETS = frozenset({State.ISSUED, State.REFUNDING, State.REFUNDED, State.CANCELLED})


def shown(order: Order, request: HttpRequest, tickets: list[Ticket] | None = None) -> OrderOut:
    """One order with its tickets, which are read if they are not given."""
    if tickets is None:
        tickets = table(Ticket).rows(order_id=order.pk) if order.state in HAS_TICKETS else []
    made = _by_hand([order.pk] if _has_given_up(tickets) else [])[order.pk]
    return _order(order, tickets, request, clock(), made, _outside_krw([order])[order.pk])


def shown_all(orders: list[Order], request: HttpRequest) -> list[OrderOut]:
    """ORDERS with their tickets, in one query however many they are."""
    with_tickets = [order.pk for order in orders if order.state in HAS_TICKETS]
    tickets: defaultdict[str, list[Ticket]] = defaultdict(list)
    if with_tickets:
        for ticket in Ticket.objects.filter(order_id__in=with_tickets).order_by("pk"):
            tickets[ticket.order_id].append(ticket)
    now = clock()
    made = _by_hand([order.pk for order in orders if _has_given_up(tickets[order.pk])])
    outside = _outside_krw(orders)
    return [_order(order, tickets[order.pk], request, now, made[order.pk], outside[order.pk]) for order in orders]


def _has_given_up(tickets: list[Ticket]) -> bool:
    return any(ticket.status != Ticket.Status.LIVE for ticket in tickets)


def _by_hand(orders: list[str]) -> defaultdict[str, list[RefundByHand]]:
    """What the organiser gave back of ORDERS, by time. Asked for those alone of which something was given back: most buyers keep all."""
    found: defaultdict[str, list[RefundByHand]] = defaultdict(list)
    if orders:
        for made in RefundByHand.objects.filter(order_id__in=orders).select_related("refund").order_by("created_at", "pk"):
            found[made.order_id].append(made)
    return found


def _outside_krw(orders: list[Order]) -> Counter[str]:
    """What other hands gave back of ORDERS. Asked for those alone of which something went back."""
    refunded = [order.pk for order in orders if order.refunded_krw]
    found = Counter[str]()
    if refunded:
        for order_id, amount in LedgerEntry.objects.filter(order_id__in=refunded, kind=Kind.OUTSIDE).values_list("order_id", "amount_krw"):
            found[order_id] += amount
    return found


def _kept_krw(order: Order, tickets: list[Ticket]) -> int:
    """What is kept of the price of TICKETS of ORDER that were given back, once nothing is on its way any more."""
    if not order.is_paid or order.is_settling or not _has_given_up(tickets):
        return 0
    standing = sum(ticket.price_krw for ticket in tickets if ticket.status == Ticket.Status.LIVE)
    return max(0, order.total_krw - order.refunded_krw - standing)


def _order(
    order: Order, tickets: list[Ticket], request: HttpRequest, now: datetime, by_hand: list[RefundByHand], outside_krw: int
) -> OrderOut:
    offered = terms.of(order, tickets, now=now)
    return OrderOut(
        id=order.pk,
        number=order.number,
        status=order.status,
        is_settling=order.is_settling,
        reason=order.reason,
        performance_id=order.performance_id,
        places=msgspec.convert(order.places, list[PlaceOut]),
        total_krw=order.total_krw,
        payment=shown_payment(order, saga.provider(), request),
        tickets=[shown_ticket(ticket, order) for ticket in order.in_order(tickets)],
        cancellation=CancellationOut(
            allowed=offered.is_allowed,
            reason=offered.reason,
            refund_krw=offered.refund_krw,
            fee_krw=offered.fee_krw,
            until=local(offered.until),
        ),
        refunded_krw=order.refunded_krw,
        outside_krw=outside_krw,
        kept_krw=_kept_krw(order, tickets),
        compensation_krw=order.compensation_krw,
        by_organiser=[ByOrganiser(local(made.created_at), made.tickets, made.amount_krw, made.at_door_krw) for made in by_hand],
        created_at=timezone.localtime(order.created_at),
    )


def shown_terms(known: event.Snapshot, order: Order | None = None) -> TermsOut:
    """What cancelling costs, for everybody; or for ORDER, by the policy that it was bought under."""
    rules = terms.policy_of(order, known) if order else known.policy
    performances = [
        PerformanceTerms(
            id=each.pk,
            starts_at=local(each.starts_at),
            until=local(terms.last_moment(known, each, order)),
            is_called_off=each.cancelled_at is not None,
        )
        for each in known.performances.values()
        if order is None or each.pk == order.performance_id
    ]
    return TermsOut(policy=rules, performances=performances, concessions=[] if order else shown_concessions(known))


_public: tuple[event.Snapshot, bytes, str] | None = None


def public_terms() -> tuple[bytes, str]:
    """What everybody is told, as JSON, and its ETag: written once for all who ask while the event is known as it is."""
    global _public  # noqa: PLW0603 - a process's cache of one document
    known, kept = event.current(), _public
    if kept is None or kept[0] is not known:
        body = msgspec.json.encode(shown_terms(known))
        kept = _public = (known, body, f'"{hashlib.sha256(body).hexdigest()[:20]}"')
    return kept[1:]


def shown_concessions(known: event.Snapshot) -> list[Concession]:
    """What is offered, with its times where the event is."""
    return [msgspec.structs.replace(each, from_=local(each.from_), until=local(each.until)) for each in known.concessions]


def shown_quote(offered: Terms) -> Quote:
    """Terms for the buyer who thinks about them."""
    return Quote(
        allowed=offered.is_allowed,
        reason=offered.reason,
        refund_krw=offered.refund_krw,
        fee_krw=offered.fee_krw,
        had_before_krw=offered.had_before_krw,
        at_door_krw=offered.at_door_krw,
        until=local(offered.until),
        tickets=[GivenUp(line.ticket.pk, line.ticket.label, line.ticket.price_krw, line.fee_krw) for line in offered.lines],
    )


def shown_ticket(ticket: Ticket, order: Order) -> TicketOut:
    """A ticket of ORDER, with its signed code while it is live."""
    return TicketOut(
        id=ticket.pk,
        order_id=ticket.order_id,
        performance_id=ticket.performance_id,
        place=PlaceOut(
            label=ticket.label,
            grade=ticket.grade,
            price_krw=ticket.price_krw,
            seat=ticket.seat,
            area=ticket.area,
            list_price_krw=ticket.full_price_krw,
            concession=ticket.concession,
            concession_id=ticket.concession_id,
            proof=ticket.proof,
        ),
        status=ticket.status,
        used_at=local(ticket.used_at),
        code=codes.sign(ticket) if ticket.status == Ticket.Status.LIVE else None,
        due_krw=due_of(ticket, order),
        paid_at_door_krw=ticket.paid_at_door_krw,
    )


def shown_tickets(tickets: Iterable[Ticket]) -> list[TicketOut]:
    return [shown_ticket(ticket, ticket.order) for ticket in tickets]
