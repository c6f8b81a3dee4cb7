"""Recovery after a crash, and what I1–I5 forbid once it is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from booking_templates.kit.db import clock
from booking_templates.ticket.calling_off import refund_called_off
from booking_templates.ticket.models import LedgerEntry, Notice, Order, OrderRefund, Performance, RefundByHand, Ticket
from tests.booking_fakes import World
from tests.unit.booking_templates.ticket.crash_scenarios import Stage


def recover_all(world: World) -> None:
    """A new process, and time: every wait is over, payments that nobody makes have expired."""
    from booking_templates.kit import outbox
    from booking_templates.kit.models import OutboxMessage
    from booking_templates.ticket.saga import saga

    for _ in range(30):
        past = clock() - timedelta(minutes=20)
        Order.objects.filter(next_at__isnull=False).update(next_at=past)
        Order.objects.filter(pay_by__isnull=False).update(pay_by=past)
        OutboxMessage.objects.update(next_at=past)
        looked_at = saga.recover() + refund_called_off()
        outbox.deliver_due()
        if not looked_at and not OutboxMessage.objects.exists():
            return
    raise AssertionError(f"never settles: {list(Order.objects.values_list('state', 'reason', 'attempts'))}")


AT_FIRST: dict[str, Callable[[int], int]] = {
    "": lambda price: price,
    "youth": lambda price: price * 7 // 10,
    "group": lambda price: price - 10_000,
    "child": lambda price: 0,
}
"""What a place costs with each concession when the order is made."""


def violations(stage: Stage) -> list[str]:
    """What I1–I5 forbid, and what must not be left over, after recovery."""
    found = []
    orders = {order.pk: order for order in Order.objects.all()}
    for order in orders.values():
        tickets = list(Ticket.objects.filter(order=order, status="LIVE"))
        captured = sum(LedgerEntry.objects.filter(order=order, kind="capture").values_list("amount_krw", flat=True))
        refunded = sum(LedgerEntry.objects.filter(order=order, kind="refund").values_list("amount_krw", flat=True))
        outside = sum(LedgerEntry.objects.filter(order=order, kind="outside").values_list("amount_krw", flat=True))
        payments = [payment for payment in stage.provider.payments.values() if payment.purchase.order_id == order.pk]
        at_provider = (sum(payment.captured for payment in payments), sum(sum(payment.cancels) for payment in payments))
        refunds = list(OrderRefund.objects.filter(order=order))
        # What other hands gave back is found out by a refund, and not before there is one.
        unknown = 0 if refunds else sum(each.amount_krw for payment in payments for each in payment.listed if not each.refund_id)
        if (captured, refunded + outside + unknown) != at_provider or order.refunded_krw != refunded + outside:
            found.append(f"ledger {(captured, refunded, outside)}, order {order.refunded_krw} is not the provider's {at_provider}")
        if sum(payment.captures for payment in payments) > 1:
            found.append("captured twice")
        if order.state not in ("ISSUED", "CANCELLED", "REFUNDED") or order.next_at is not None or order.token:
            found.append(f"left in {order.state}")
        fees = sum(refund.fee_krw for refund in refunds)
        short = sum(refund.had_before_krw for refund in refunds)
        if not 0 <= short <= outside:
            found.append(f"{short} was not refunded, other hands gave {outside} back")
        given_up = Ticket.objects.filter(order=order, status="CANCELLED").count()
        if order.state == "ISSUED" and (len(tickets) + given_up != len(order.places) or not tickets):
            found.append(f"issued with {len(tickets)} tickets, {given_up} were given up")
        if order.state == "ISSUED" and order.is_paid and captured != order.total_krw:
            found.append(f"issued with {captured} captured")
        if order.state != "ISSUED" and (tickets or captured != refunded + fees + short):
            found.append(f"{order.state} with {len(tickets)} tickets, {captured} - {refunded}, fees {fees}")
        if order.is_paid and captured - refunded != sum(ticket.price_krw for ticket in tickets) + fees + short:
            found.append("money kept is not the price of live tickets and the fees")
        by_hand = RefundByHand.objects.filter(order=order).values_list("refund_id", flat=True)
        if sorted(by_hand) != sorted(refund.pk for refund in refunds if refund.reason == "organiser"):
            found.append("a refund by hand without who made it, or the other way round")
        notices = list(Notice.objects.filter(order_id=order.pk))
        if sum(notice.kind == "confirmed" for notice in notices) != (order.issued_at is not None):
            found.append("confirmed to its buyer without being issued, or the other way round")
        if sorted(notice.refund_id for notice in notices if notice.refund_id) != sorted(refund.pk for refund in refunds):
            found.append("a refund of which its buyer is not told, or twice")
        if given_up and not refunds and not any(notice.kind in ("given_back", "called_off") for notice in notices):
            found.append("tickets taken back without a word")
        if order.state == "ISSUED" and sum(place["price_krw"] for place in order.places) != order.total_krw:
            found.append("the total is not that of the places")
        for ticket in tickets:
            if ticket.price_krw != AT_FIRST[ticket.concession_id](ticket.list_price_krw):
                found.append(f"{ticket.price_krw} with {ticket.concession_id or 'no concession'} of {ticket.list_price_krw}")
        if order.compensation_krw != sum(refund.compensation_krw for refund in refunds):
            found.append("the compensation is not that of the refunds")
        if Performance.objects.filter(cancelled_at__isnull=False).exists() and order.state == "ISSUED":
            found.append("issued for a performance that was called off")
        if len(stage.seat.sold_to(order.pk)) != len(tickets):
            found.append(f"{len(stage.seat.sold_to(order.pk))} seats sold for {len(tickets)} tickets")
    if stage.seat.pinned():
        found.append("a hold is pinned for ever")
    if OrderRefund.objects.filter(open_order__isnull=False).exists():
        found.append("a refund is open")
    if stage.returned and not any(order.state == "ISSUED" for order in orders.values()):
        found.append("an acknowledged ticket is gone")
    return found
