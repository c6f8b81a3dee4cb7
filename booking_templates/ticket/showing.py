"""Rows as the API shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import msgspec
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

from booking_templates.kit.db import clock
from booking_templates.payments.schemas import CancellationOut
from booking_templates.payments.showing import local, shown_payment
from booking_templates.payments.states import State
from booking_templates.ticket import codes, terms
from booking_templates.ticket.models import LedgerEntry, Order, Ticket
from booking_templates.ticket.saga import saga
from booking_templates.ticket.schemas import OrderOut, PlaceOut, TicketOut

HAS_TICKETS = frozenset({State.ISSUED, State.REFUNDING, State.REFUNDED, State.CANCELLED})


def shown(order: Order, request: HttpRequest) -> OrderOut:
    """One order with its tickets."""
    return shown_all([order], request)[0]


def shown_all(orders: list[Order], request: HttpRequest) -> list[OrderOut]:
    """ORDERS with their tickets, in two queries however many they are."""
    with_tickets = [order.pk for order in orders if order.state in HAS_TICKETS]
    tickets: defaultdict[str, list[Ticket]] = defaultdict(list)
    refunded: dict[str, int] = {}
    if with_tickets:
        for ticket in Ticket.objects.filter(order_id__in=with_tickets).order_by("created_at", "pk"):
            tickets[ticket.order_id].append(ticket)
        lines = LedgerEntry.objects.filter(order_id__in=with_tickets, kind="refund")
        refunded = dict(lines.values_list("order_id").annotate(total=Sum("amount_krw")))
    now = clock()
    return [_order(order, tickets[order.pk], refunded.get(order.pk, 0), request, now) for order in orders]


def _order(order: Order, tickets: list[Ticket], refunded_krw: int, request: HttpRequest, now: datetime) -> OrderOut:
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
        tickets=[shown_ticket(ticket) for ticket in tickets],
        cancellation=CancellationOut(
            allowed=offered.is_allowed,
            reason=offered.reason,
            refund_krw=offered.refund_krw,
            fee_krw=offered.fee_krw,
            until=local(offered.until),
        ),
        refunded_krw=refunded_krw,
        created_at=timezone.localtime(order.created_at),
    )


def shown_ticket(ticket: Ticket) -> TicketOut:
    """A ticket, with its signed code while it is live."""
    return TicketOut(
        id=ticket.pk,
        order_id=ticket.order_id,
        performance_id=ticket.performance_id,
        place=PlaceOut(label=ticket.label, grade=ticket.grade, price_krw=ticket.price_krw, seat=ticket.seat, area=ticket.area),
        status=ticket.status,
        code=codes.sign(ticket) if ticket.status == Ticket.Status.LIVE else None,
    )


def shown_tickets(tickets: Iterable[Ticket]) -> list[TicketOut]:
    return [shown_ticket(ticket) for ticket in tickets]
