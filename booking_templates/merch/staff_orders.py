"""Endpoints for one order, as those see it who work for the organiser: what became of it, and giving it back by hand."""

from __future__ import annotations

from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.db import snapshot
from booking_templates.kit.principal import staff
from booking_templates.merch import by_hand
from booking_templates.merch.models import LedgerEntry, Order, OrderRefund, RefundByHand
from booking_templates.merch.order_schemas import HistoryEntry, NewRefundByHand, Pieces, RefundMade, Refusal, StaffOrder
from booking_templates.merch.orders import items_of
from booking_templates.merch.saga import saga
from booking_templates.merch.showing import due_krw, shown_items
from booking_templates.payments.keys import key_of
from booking_templates.payments.models import Kind
from booking_templates.payments.reasons import BY_ORGANISER
from booking_templates.payments.showing import local


@endpoint(auth=staff("attendees"), returns={200: StaffOrder}, problems=("not_found",))
def read_order(request: Request, order_id: object) -> StaffOrder:
    """An order with its buyer, its items and all that happened to it."""
    with snapshot():
        return _shown(by_hand.order_of(str(order_id)))


@endpoint(
    auth=staff("content"),
    body=NewRefundByHand,
    returns={201: RefundMade, 200: RefundMade},
    problems=(
        "not_found",
        "not_issued",
        "already_cancelled",
        "already_picked_up",
        "payment_in_progress",
        "refund_in_progress",
        "order_changed",
        "idempotency_key_too_long",
        "idempotency_key_reused",
    ),
)
def create_refund(request: Request, body: NewRefundByHand, order_id: object) -> Reply:
    """Give an order back to its buyer, or some of its pieces, at their whole price. They are for sale again.

    The same request with the same `Idempotency-Key` is answered with what the first one did (200).
    """
    order = by_hand.order_of(str(order_id))
    made, is_new = by_hand.refund(order, body, staff=request.principal.id, key=key_of(request))
    return Reply(_made(order, made), status=201 if is_new else 200)


def _made(order: Order, made: RefundByHand) -> RefundMade:
    if made.refund is not None:
        made.refund.refresh_from_db()  # made since, and maybe of less: other hands had given something back
    is_done = made.refund is None or made.refund.done_at is not None
    return RefundMade(
        id=made.pk,
        order_id=made.order_id,
        items=_pieces(made),
        price_krw=made.price_krw,
        refund_krw=made.amount_krw if order.is_paid else 0,
        is_done=is_done,
        created_at=local(made.created_at),
    )


def _shown(order: Order) -> StaffOrder:
    items, provider = items_of(order), saga.provider()
    why_not = by_hand.refusal(order, with_picked_up=True)
    return StaffOrder(
        id=order.pk,
        number=order.number,
        status=order.status,
        is_settling=order.is_settling,
        reason=order.reason,
        ticket_order=order.ticket_order or None,
        buyer_name=order.buyer_name,
        buyer_phone=order.buyer_phone,
        provider=order.provider,
        payment_test=order.is_paid and provider is not None and provider.is_test,
        total_krw=order.total_krw,
        refunded_krw=order.refunded_krw,
        due_krw=due_krw(order, items),
        picked_up_at=local(order.picked_up_at),
        refusal=None if why_not is None else Refusal(why_not, by_hand.refused(why_not).detail),
        items=shown_items(items),
        history=_history(order),
        created_at=local(order.created_at),
    )


def _history(order: Order) -> list[HistoryEntry]:
    """What happened to ORDER, by time."""
    found = [HistoryEntry("ordered", local(order.created_at), amount_krw=order.total_krw)]
    captures = LedgerEntry.objects.filter(order_id=order.pk, kind=Kind.CAPTURE)
    found += [HistoryEntry("paid", local(each.at), amount_krw=each.amount_krw) for each in captures]
    outside = LedgerEntry.objects.filter(order_id=order.pk, kind=Kind.OUTSIDE)
    found += [HistoryEntry("outside", local(each.at), amount_krw=each.amount_krw) for each in outside]
    if order.picked_up_at is not None:
        found.append(HistoryEntry("picked_up", local(order.picked_up_at)))
    for refund in OrderRefund.objects.filter(order_id=order.pk).select_related("by_hand"):
        entry = HistoryEntry(
            "given_back",
            local(refund.created_at),
            amount_krw=refund.amount_krw,
            done_at=local(refund.done_at),
            is_done=refund.done_at is not None,
            reason=refund.reason,
        )
        found.append(_by(entry, getattr(refund, "by_hand", None)))
    for made in RefundByHand.objects.filter(order_id=order.pk, refund=None):
        at = local(made.created_at)
        found.append(_by(HistoryEntry("given_back", at, done_at=at, reason=BY_ORGANISER), made))
    return sorted(found, key=lambda entry: entry.at)


def _by(entry: HistoryEntry, made: RefundByHand | None) -> HistoryEntry:
    """ENTRY with who has MADE it by hand, if somebody has."""
    if made is not None:
        entry.by, entry.why, entry.note, entry.pieces = made.staff, made.why, made.note, _pieces(made)
    return entry


def _pieces(made: RefundByHand) -> list[Pieces]:
    return [Pieces(item, count) for item, count in made.pieces.items()]
