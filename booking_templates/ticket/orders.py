"""Ordering and cancelling, for one buyer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from booking_templates.kit import batch
from booking_templates.kit.db import clock
from booking_templates.kit.peers import PeerError
from booking_templates.kit.principal import Principal
from booking_templates.kit.problems import Conflict, NotFound, Unavailable, Unprocessable
from booking_templates.kit.table import table
from booking_templates.payments import answers
from booking_templates.payments.answers import refused
from booking_templates.payments.errors import PaymentError, Undeliverable
from booking_templates.payments.ids import new_number
from booking_templates.payments.names import normal_name
from booking_templates.payments.reasons import BUYER, CALLED_OFF
from booking_templates.payments.saga import PENDING_FOR
from booking_templates.payments.states import State
from booking_templates.ticket import concessions, event, terms
from booking_templates.ticket.fulfilment import fields_of
from booking_templates.ticket.models import Order, Ticket
from booking_templates.ticket.saga import saga, seat
from booking_templates.ticket.seat import Hold
from booking_templates.ticket.terms import Terms

OPEN = (State.PENDING, State.PAYING, State.APPROVING, State.CAPTURED)
ENDED = (State.CLOSING, State.CANCELLED)
TRIES = 4
CHANGE_MIN_S = 5.0
"""So much of a hold's own time must be left for another choice: between one order and the next nothing else keeps it."""


@dataclass(frozen=True)
class Wish:
    """Concessions by the ids of their places, and the total that its buyer was told. Where all is at full price neither need be said."""

    concessions: Mapping[str, str] = field(default_factory=dict)
    expected_total_krw: int | None = None

    @property
    def is_plain(self) -> bool:
        return not self.concessions and self.expected_total_krw is None

    def is_of(self, order: Order) -> bool:
        """Whether ORDER was made for the same."""
        expected = self.expected_total_krw
        return self.concessions == (order.chosen or {}) and (expected is None or expected == order.total_krw)


def create(*, buyer: Principal, hold_id: str, name: str, phone: str, key: str | None, wish: Wish) -> tuple[Order, bool]:
    """The buyer's order for the hold, and whether it was made by this call. Ordering a hold twice, in two tabs or again after a lost
    answer, leads to the one order; after that has ended without tickets, or with another WISH before it is paid for, to a new one.

    Raises Problem: `hold_unknown`, `hold_expired`, `seat_unavailable`, `payment_unavailable`, `idempotency_key_reused`, and by name what
    is wrong with WISH: then nothing has changed.
    """
    order, is_new = _insert(buyer=buyer, hold_id=hold_id, name=name, phone=phone, key=key, wish=wish)
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


def _insert(*, buyer: Principal, hold_id: str, name: str, phone: str, key: str | None, wish: Wish) -> tuple[Order, bool]:
    """The row is written before anything is changed anywhere, so that a crash leaves something to recover. The constraints decide
    between two that come at once."""
    for _attempt in range(TRIES):
        worked_out: dict[str, Any] = {}
        if not wish.is_plain:
            # What was ordered is what it is, though it could not be ordered like that any more. It stands until WISH has proved right.
            if found := _existing(buyer_id=buyer.id, hold_id=hold_id, key=key, wish=wish, gives_way=False):
                return found, False
            worked_out = _worked_out(buyer_id=buyer.id, hold_id=hold_id, wish=wish)
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
            **worked_out,
        )
        try:
            table(Order).insert([order])
        except IntegrityError:
            if found := _existing(buyer_id=buyer.id, hold_id=hold_id, key=key, wish=wish, gives_way=True):
                return found, False
        else:
            return order, True
    raise refused("order_busy", retry_after_s=1)


def _worked_out(*, buyer_id: str, hold_id: str, wish: Wish) -> dict[str, Any]:
    """What an order of the hold with WISH comes to now, as its row keeps it from its first moment on."""
    hold = _read(buyer_id=buyer_id, hold_id=hold_id)
    if event.is_called_off(hold.performance_id):
        raise answers.undeliverable(CALLED_OFF)
    offered = event.current().concessions
    places = concessions.applied(offered, hold.places, wish.concessions, performance_id=hold.performance_id, now=clock())
    fields = fields_of(hold.performance_id, places)
    if wish.expected_total_krw not in (None, fields["total_krw"]):
        said = _("The total has changed since you looked. Please look at it again.")
        raise Conflict("price_changed", said, total_krw=fields["total_krw"])
    return fields | {"chosen": dict(wish.concessions)}


def _read(*, buyer_id: str, hold_id: str) -> Hold:
    try:
        return seat.read(hold_id=hold_id, buyer_id=buyer_id)
    except Undeliverable as refusal:
        raise answers.undeliverable(refusal.reason) from refusal
    except PeerError as error:
        said = _("Your places are still held for you. Please try again in a moment.")
        raise Unavailable("seat_unavailable", said, retry_after_s=answers.RETRY_S) from error


def _is_kept_by_payment(*, buyer_id: str, hold_id: str) -> bool:
    """Whether a hold's own time is over: given up by the order that pins it, its places would be anybody's."""
    left_s = _read(buyer_id=buyer_id, hold_id=hold_id).expires_in_s
    return left_s is not None and left_s < CHANGE_MIN_S


def _existing(*, buyer_id: str, hold_id: str, key: str | None, wish: Wish, gives_way: bool) -> Order | None:
    """The order that stands in the way of one with WISH; None when it would not. Where it GIVES_WAY it is seen to that it does not."""
    if key and (order := Order.objects.filter(buyer_id=buyer_id, idempotency_key=key).first()):
        if order.hold_id != hold_id or not wish.is_of(order):
            raise Unprocessable("idempotency_key_reused")
        return order
    order = Order.objects.filter(buyer_id=buyer_id, open_hold=hold_id).first()
    if order is not None and order.state in OPEN and not wish.is_of(order):
        if order.state == State.PENDING:
            # To give it up would free what the call that is making it may be pinning just now, and so lose the hold.
            raise refused("order_busy", retry_after_s=1)
        if not gives_way:
            return None
        if order.state == State.PAYING and _is_kept_by_payment(buyer_id=buyer_id, hold_id=hold_id):
            raise answers.undeliverable("hold_pinned")
        # Its buyer has come back and chosen otherwise: once it is closed that payment can take nothing any more.
        saga.give_up(order, BUYER)
    if order is not None and order.state in ENDED:
        if not gives_way:
            return None
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

    Raises Conflict: `payment_in_progress`, `too_late_to_cancel`, `already_used`, `paid_at_door`, `refund_in_progress`, and `fee_not_agreed`
    where the policy keeps a fee: then `give_up_tickets` is the way, which names it.
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
