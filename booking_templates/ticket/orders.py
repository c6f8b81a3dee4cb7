"""Ordering and cancelling, for one buyer."""

from __future__ import annotations

from django.db import IntegrityError
from django.utils.translation import get_language

from booking_templates.kit import batch
from booking_templates.kit.db import clock
from booking_templates.kit.peers import PeerError
from booking_templates.kit.principal import Principal
from booking_templates.kit.problems import Conflict, NotFound, Unprocessable
from booking_templates.kit.table import table
from booking_templates.payments import answers
from booking_templates.payments.answers import refused
from booking_templates.payments.errors import PaymentError, Undeliverable
from booking_templates.payments.ids import new_number
from booking_templates.payments.names import normal_name
from booking_templates.payments.reasons import BUYER
from booking_templates.payments.saga import PENDING_FOR
from booking_templates.payments.states import State
from booking_templates.ticket import event, terms
from booking_templates.ticket.models import Order, Ticket
from booking_templates.ticket.saga import saga
from booking_templates.ticket.terms import Terms

ENDED = (State.CLOSING, State.CANCELLED)
TRIES = 4


def create(*, buyer: Principal, hold_id: str, name: str, phone: str, key: str | None) -> tuple[Order, bool]:
    """The buyer's order for the hold, and whether it was made by this call. Ordering a hold twice, in two tabs or again after a lost
    answer, leads to the one order; after that has ended without tickets, to a new one.

    Raises Problem: `hold_unknown`, `hold_expired`, `seat_unavailable`, `payment_unavailable`, `idempotency_key_reused` …
    """
    order, is_new = _insert(buyer=buyer, hold_id=hold_id, name=name, phone=phone, key=key)
    if order.state == State.PENDING:
        try:
            saga.begin(order)
        except Undeliverable as refusal:
            raise answers.undeliverable(refusal.reason) from refusal
        except PeerError as error:
            raise answers.unavailable("seat_unavailable") from error
        except PaymentError as error:
            raise answers.payment_problem(error) from error
    return order, is_new


def _insert(*, buyer: Principal, hold_id: str, name: str, phone: str, key: str | None) -> tuple[Order, bool]:
    """The row is written before anything is asked of anybody, so that a crash leaves something to recover. The constraints decide
    between two that come at once."""
    for _attempt in range(TRIES):
        now = clock()
        order = Order(
            number=new_number("T"),
            buyer_id=buyer.id,
            buyer_name=(normal_name(name) or buyer.name)[:100],
            buyer_phone=phone,
            language=get_language() or "",
            idempotency_key=key,
            hold_id=hold_id,
            open_hold=hold_id,
            created_at=now,
            next_at=now + PENDING_FOR,
        )
        try:
            table(Order).insert([order])
        except IntegrityError:
            if found := _existing(buyer_id=buyer.id, hold_id=hold_id, key=key):
                return found, False
        else:
            return order, True
    raise refused("order_busy", retry_after_s=1)


def _existing(*, buyer_id: str, hold_id: str, key: str | None) -> Order | None:
    """The order that stands in a new one's way; None when it does so no longer."""
    if key and (order := Order.objects.filter(buyer_id=buyer_id, idempotency_key=key).first()):
        if order.hold_id != hold_id:
            raise Unprocessable("idempotency_key_reused")
        return order
    order = Order.objects.filter(buyer_id=buyer_id, open_hold=hold_id).first()
    if order is not None and order.state in ENDED:
        # It ended without tickets: the hold, if it still stands, may be ordered anew.
        Order.objects.filter(pk=order.pk, state__in=ENDED).update(open_hold=None)
        return None
    return order


def own(buyer_id: str, order_id: str) -> Order:
    """The buyer's order. Raises NotFound for one that is not there and for somebody else's alike."""
    order = table(Order).get(id=order_id, buyer_id=buyer_id)
    if order is None:
        raise NotFound("not_found")
    return order


def own_with_tickets(buyer_id: str, order_id: str) -> tuple[Order, list[Ticket]]:
    """The buyer's order and its tickets. Raises NotFound as `own` does."""
    orders, tickets = table(Order), table(Ticket)
    found, its_tickets = batch.read(orders.query(id=order_id, buyer_id=buyer_id), tickets.query(order_id=order_id))
    if not found:
        raise NotFound("not_found")
    return orders.read(found)[0], tickets.read(its_tickets)


def cancel(order: Order) -> None:
    """Cancel all of ORDER for its buyer: an open one is closed, an issued one refunded. Cancelling twice is fine.

    Raises Conflict: `payment_in_progress`, `too_late_to_cancel`, `already_used`, `refund_in_progress`, and `fee_not_agreed` where the
    policy keeps a fee: then `give_up_tickets` is the way, which names it.
    """
    if order.state != State.ISSUED:
        saga.give_up(order, BUYER)
    if order.state == State.ISSUED:
        try:
            give_up_tickets(order, chosen=None, agreed_fee_krw=0)
        except Conflict as refusal:
            # Another tab was quicker: its tickets were read after it.
            if refusal.code != "already_cancelled":
                raise
            order.refresh_from_db()


def give_up_tickets(order: Order, *, chosen: list[str] | None, agreed_fee_krw: int) -> None:
    """Refund CHOSEN tickets of ORDER, or all, less the fee that its buyer has seen.

    Raises Conflict `fee_not_agreed` with the fee as it is now when that is another, and as `cancel` does.
    """
    if order.state in (State.PENDING, State.PAYING):
        raise refused("not_issued")
    event.forget()  # what was called off, or made dearer, at another replica a moment ago counts
    offered = quote(order, chosen)
    if offered.reason is not None:
        raise refused(offered.reason)
    if offered.fee_krw != agreed_fee_krw:
        raise refused("fee_not_agreed", fee_krw=offered.fee_krw, refund_krw=offered.refund_krw)
    lines = None if offered.is_whole else [line.ticket.pk for line in offered.lines]
    saga.withdraw(order, reason=BUYER, price_krw=offered.price_krw, fee_krw=offered.fee_krw, lines=lines)


def quote(order: Order, chosen: list[str] | None) -> Terms:
    """What giving CHOSEN tickets of ORDER up would mean now."""
    tickets = order.in_order(table(Ticket).rows(order_id=order.pk)) if order.state == State.ISSUED else []
    return terms.of(order, tickets, now=clock(), chosen=chosen)
