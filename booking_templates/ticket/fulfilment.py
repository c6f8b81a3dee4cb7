"""Ticket's part of the saga: places are pinned and confirmed at the seat service, tickets are rows here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Sum

from booking_templates.kit import outbox
from booking_templates.kit.batch import Statement
from booking_templates.kit.db import clock
from booking_templates.kit.table import table
from booking_templates.payments.answers import refused, undeliverable
from booking_templates.payments.errors import Undeliverable
from booking_templates.payments.models import Refund
from booking_templates.payments.port import Purchase
from booking_templates.payments.reasons import CALLED_OFF
from booking_templates.payments.rows import LEASE
from booking_templates.ticket import dues, event, notices, terms
from booking_templates.ticket.concessions import Sold
from booking_templates.ticket.models import LABEL_MAX, Order, OrderRefund, Performance, RefundByHand, Ticket
from booking_templates.ticket.seat import Hold, Place, SeatService

SECOND_LOOK = LEASE / 2
"""Far longer than a request waits at a seat service that answers; and with what went before, decided within a minute."""


class Tickets:
    """Implements payments.fulfilment.Fulfilment for orders of tickets."""

    def __init__(self, seat: SeatService) -> None:
        self.seat = seat

    def reserve(self, order: Order) -> dict[str, Any]:
        hold = self.seat.pin(hold_id=order.hold_id, order_id=order.pk, buyer_id=order.buyer_id)
        if event.is_called_off(hold.performance_id):
            self.seat.unpin(hold_id=order.hold_id, order_id=order.pk)
            raise Undeliverable(CALLED_OFF)
        return _fields(order, hold)

    def purchase(self, order: Order) -> Purchase:
        returns = f"{settings.ENV.public_url}/api/ticket/payments/{order.pk}"
        return Purchase(
            order_id=order.pk,
            buyer_id=order.buyer_id,
            item_name=event.item_name(order.places),
            quantity=len(order.places),
            total_krw=order.total_krw,
            approved_url=f"{returns}/approved",
            cancelled_url=f"{returns}/cancelled",
            failed_url=f"{returns}/failed",
        )

    def deliver(self, order: Order) -> dict[str, Any]:
        hold = self.seat.confirm(hold_id=order.hold_id, order_id=order.pk, buyer_id=order.buyer_id)
        if event.is_called_off(hold.performance_id):
            raise Undeliverable(CALLED_OFF)
        return {} if order.is_paid else _fields(order, hold)

    def delivery(self, order: Order) -> Sequence[Statement]:
        now = clock()
        tickets = [
            Ticket(
                order_id=order.pk,
                performance_id=order.performance_id,
                place=place.id,
                seat=place.seat,
                area=place.area,
                live_seat=place.seat or None,
                label=place.label[:LABEL_MAX],  # a plan's words may be longer; MariaDB refuses what SQLite takes, after the money was taken
                grade=place.grade,
                price_krw=place.price_krw,
                full_price_krw=place.list_price_krw,
                concession=place.concession,
                concession_id=place.concession_id,
                proof=place.proof,
                created_at=now,
            )
            for place in msgspec.convert(order.places, list[Sold])
        ]
        return [table(Ticket).insertion(tickets), notices.confirmed(order, now)]

    def give_back(self, order: Order) -> timedelta | None:
        self.seat.unpin(hold_id=order.hold_id, order_id=order.pk)
        if order.tid is not None:
            return None
        # It may have been confirmed without a payment, and a pin or confirm of a thread that died may still stand in seat's queue.
        self.seat.release(order_id=order.pk)
        return SECOND_LOOK if order.attempts == 0 else None

    def record_give_back(self, order: Order) -> None:
        Order.objects.filter(pk=order.pk).update(open_hold=None)
        notices.ended_unpaid(order)
        _tell_shop(order)

    def record_withdrawal(self, order: Order, refund: Refund | None, lines: list[str] | None) -> None:
        tickets = Ticket.objects.filter(order_id=order.pk, status=Ticket.Status.LIVE)
        if lines is not None:
            tickets = tickets.filter(pk__in=lines)
        places = list(tickets.values_list("place", flat=True))
        # A scanner may see one of them right now: its update and this one exclude each other, row by row.
        is_any = order.reason == CALLED_OFF or (order.by_hand is not None and order.by_hand.with_used)
        unused = tickets if is_any else tickets.filter(used_at=None)
        if order.by_hand is None and order.reason != CALLED_OFF:
            unused = unused.filter(paid_at_door_at=None)  # likewise, whoever takes its price there
        gone = {"status": Ticket.Status.CANCELLED, "live_seat": None, "withdrawn_at": clock()}
        taken = unused.update(**gone, refund_id=refund.pk if refund else None)
        if taken != len(places):
            raise refused("paid_at_door" if tickets.filter(used_at=None).exists() else "already_used")
        if places and order.reason != CALLED_OFF:
            _refuse_called_off(order)
        if order.by_hand is not None:
            order.by_hand.refund = refund if isinstance(refund, OrderRefund) else None
            order.by_hand.save(force_insert=True)
            _give_back_at_door(order.by_hand)
        notices.given_back(order, refund, places, is_whole=lines is None, at_door_krw=_paid_at_door(order, places))
        body = {} if lines is None else {"places": places}
        outbox.put("seat", f"/internal/orders/{order.pk}/release", body)
        if not places:
            outbox.put("seat", f"/internal/holds/{order.hold_id}/unpin", {"order_id": order.pk})
        _tell_shop(order)


def _paid_at_door(order: Order, places: list[str]) -> int:
    """What its buyer has paid at the door for PLACES of ORDER, of which no provider knows."""
    if order.by_hand is not None:
        return order.by_hand.at_door_krw
    if order.is_paid or order.reason != CALLED_OFF:
        return 0  # of what buyers give back themselves nothing was
    paid = Ticket.objects.filter(order_id=order.pk, place__in=places, paid_at_door_at__isnull=False)
    return paid.aggregate(total=Sum("price_krw"))["total"] or 0


def _give_back_at_door(made: RefundByHand) -> None:
    """Write down that what was paid at the door for the tickets goes back with them. A door may have said otherwise at this moment."""
    paid = list(Ticket.objects.filter(pk__in=made.tickets, paid_at_door_at__isnull=False))
    if sum(each.price_krw for each in paid) != made.at_door_krw:
        raise refused("order_changed")
    for ticket in paid:
        dues.give_back(ticket, staff=made.staff, at=ticket.withdrawn_at or clock())


def _refuse_called_off(order: Order) -> None:
    """What is given back of a performance that is called off at this moment would be less than what it gives back by itself."""
    if Performance.objects.select_for_update().filter(pk=order.performance_id).values_list("cancelled_at", flat=True).first():
        raise undeliverable(CALLED_OFF) if order.by_hand else refused("refund_in_progress", retry_after_s=3)


def _tell_shop(order: Order) -> None:
    """What was bought beside ORDER goes back with it when its performance was called off; otherwise it is the buyer's to give back."""
    if order.reason == CALLED_OFF:
        outbox.put("merch", "/internal/ticket-orders/withdrawn", {"ticket_order": order.pk})


def _fields(order: Order, hold: Hold) -> dict[str, Any]:
    """What is known of ORDER by its HOLD. Of one with a choice all of that stands in its row already: it was agreed to as it was then."""
    return {} if order.chosen is not None else fields_of(hold.performance_id, hold.places)


def fields_of(performance_id: str, places: Sequence[Place]) -> dict[str, Any]:
    """What the row of an order for PLACES keeps, as everybody is told now."""
    known = event.current()
    return {
        "performance_id": performance_id,
        "places": [msgspec.to_builtins(place) for place in places],
        "total_krw": sum(place.price_krw for place in places),
        "refund_policy": msgspec.to_builtins(known.policy),
        "told": terms.told(known, performance_id),
    }
