"""A crash before and after every write and every call of the saga, and then recovery: I1–I5 hold at each of these points.

Each scenario runs once to count its points, then once for each of them with the process gone there. What the outside keeps (the
provider's captures, the seats) is what it is; the database rolls back what was not committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from booking_templates.kit.db import clock
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Ticket
from tests.booking_fakes import Crash, FakeProvider, FakeSeat, World

JSON = "application/json"


@dataclass
class Stage:
    """All that a scenario needs. `returned` becomes true when the buyer was told of a ticket (I5)."""

    client: Any
    buyer_id: str
    provider: FakeProvider
    seat: FakeSeat
    hold_id: str = ""
    returned: bool = False

    def order(self) -> Any:
        return self.client.post("/api/ticket/orders", {"hold_id": self.hold_id}, content_type=JSON)

    def come_back(self, order_id: str) -> None:
        tid = Order.objects.get(pk=order_id).tid
        token = self.provider.payments[tid].token or self.provider.authenticate(tid)
        self.client.get(f"/api/ticket/payments/{order_id}/approved", {"pg_token": token})
        self.returned = self.client.get(f"/api/ticket/orders/{order_id}").json()["status"] == "ISSUED"

    def cancel(self, order_id: str) -> Any:
        return self.client.post(f"/api/ticket/orders/{order_id}/cancel")


def purchase(stage: Stage) -> None:
    stage.come_back(stage.order().json()["id"])


def purchase_with_answers_lost(stage: Stage) -> None:
    stage.provider.faults |= {"approve": ["lost"], "ready": ["lost", None]}
    stage.order()
    purchase(stage)


def purchase_of_lost_seats(stage: Stage) -> None:
    order_id = stage.order().json()["id"]
    stage.seat.lose(stage.hold_id)
    stage.come_back(order_id)


def purchase_while_seat_is_silent(stage: Stage) -> None:
    stage.seat.faults["confirm"] = ["lost"]
    purchase(stage)


def purchase_and_cancellation(stage: Stage) -> None:
    order_id = stage.order().json()["id"]
    stage.come_back(order_id)
    stage.returned = False
    stage.cancel(order_id)


def purchase_and_cancellation_with_the_answer_lost(stage: Stage) -> None:
    stage.provider.faults["cancel"] = ["lost"]
    purchase_and_cancellation(stage)


def giving_up(stage: Stage) -> None:
    stage.cancel(stage.order().json()["id"])


def failing_at_the_provider(stage: Stage) -> None:
    order_id = stage.order().json()["id"]
    stage.provider.payments[Order.objects.get(pk=order_id).tid].status = "QUIT_PAYMENT"
    stage.client.get(f"/api/ticket/payments/{order_id}/cancelled")


def free_tickets(stage: Stage) -> None:
    for place in stage.seat.holds[stage.hold_id].places:
        place["price_krw"] = 0
    stage.returned = stage.order().json()["status"] == "ISSUED"


PAID = [
    free_tickets,
    purchase,
    purchase_with_answers_lost,
    purchase_of_lost_seats,
    purchase_while_seat_is_silent,
    purchase_and_cancellation,
    purchase_and_cancellation_with_the_answer_lost,
    giving_up,
    failing_at_the_provider,
]


def without_payment(stage: Stage) -> None:
    stage.returned = stage.order().json()["status"] == "ISSUED"


def without_payment_and_cancellation(stage: Stage) -> None:
    stage.cancel(stage.order().json()["id"])


def without_payment_given_up_in_doubt(stage: Stage) -> None:
    stage.seat.faults["confirm"] = ["lost"]
    stage.order()
    stage.cancel(stage.client.get("/api/ticket/orders").json()["orders"][0]["id"])


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
        looked_at = saga.recover()
        outbox.deliver_due()
        if not looked_at and not OutboxMessage.objects.exists():
            return
    raise AssertionError(f"never settles: {list(Order.objects.values_list('state', 'reason', 'attempts'))}")


def violations(stage: Stage) -> list[str]:
    """What I1–I5 forbid, and what must not be left over, after recovery."""
    found = []
    orders = {order.pk: order for order in Order.objects.all()}
    for order in orders.values():
        tickets = list(Ticket.objects.filter(order=order, status="LIVE"))
        captured = sum(LedgerEntry.objects.filter(order=order, kind="capture").values_list("amount_krw", flat=True))
        refunded = sum(LedgerEntry.objects.filter(order=order, kind="refund").values_list("amount_krw", flat=True))
        payments = [payment for payment in stage.provider.payments.values() if payment.purchase.order_id == order.pk]
        at_provider = (sum(payment.captured for payment in payments), sum(sum(payment.cancels) for payment in payments))
        if (captured, refunded) != at_provider:
            found.append(f"ledger {(captured, refunded)} is not the provider's {at_provider}")
        if sum(payment.captures for payment in payments) > 1:
            found.append("captured twice")
        if order.state not in ("ISSUED", "CANCELLED", "REFUNDED") or order.next_at is not None or order.token:
            found.append(f"left in {order.state}")
        if order.state == "ISSUED" and (len(tickets) != len(order.places) or (order.is_paid and captured != order.total_krw)):
            found.append(f"issued with {len(tickets)} tickets and {captured} captured")
        if order.state != "ISSUED" and (tickets or captured != refunded):
            found.append(f"{order.state} with {len(tickets)} tickets, {captured} - {refunded}")
        if order.is_paid and captured - refunded != sum(ticket.price_krw for ticket in tickets):
            found.append("money kept is not the price of live tickets")
        if len(stage.seat.sold_to(order.pk)) != len(tickets):
            found.append(f"{len(stage.seat.sold_to(order.pk))} seats sold for {len(tickets)} tickets")
    if stage.seat.pinned():
        found.append("a hold is pinned for ever")
    if OrderRefund.objects.filter(open_order__isnull=False).exists():
        found.append("a refund is open")
    if stage.returned and not any(order.state == "ISSUED" for order in orders.values()):
        found.append("an acknowledged ticket is gone")
    return found


def wipe() -> None:
    from booking_templates.kit.models import OutboxMessage

    for model in (Ticket, LedgerEntry, OrderRefund, Order, OutboxMessage):
        model.objects.all().delete()  # type: ignore[attr-defined]


def crash_everywhere(
    scenario: Callable[[Stage], None],
    world: World,
    provider: FakeProvider,
    seat: FakeSeat,
    client: Any,
    buyer_id: str,
    *,
    is_repeated: bool,
) -> int:
    """Run SCENARIO with a crash at each of its points; the number of points. IS_REPEATED: the buyer then does it all again."""
    point, names = 0, []
    while True:
        wipe()
        provider.payments.clear()
        provider.faults.clear()
        seat.faults.clear()
        stage = Stage(client, buyer_id, provider, seat, seat.hold(buyer_id))
        with connection.execute_wrapper(world.write), world.crashing(point):
            try:
                scenario(stage)
                crashed = False
            except Crash as crash:
                crashed = True
                names.append(str(crash))
        if not crashed:
            break
        if is_repeated:
            again = stage.order()
            if again.status_code < 300 and again.json()["status"] == "PAYING" and not again.json()["is_settling"]:
                stage.come_back(again.json()["id"])
        recover_all(world)
        assert violations(stage) == [], f"{scenario.__name__}: crash {names[-1]} (point {point})"
        point += 1
    recover_all(world)
    assert violations(stage) == [], f"{scenario.__name__}: no crash"
    return point


@pytest.mark.parametrize("is_repeated", [False, True], ids=["recovered", "repeated"])
@pytest.mark.parametrize("scenario", PAID)
def test_a_crash_anywhere_is_recovered(
    scenario: Callable[[Stage], None],
    is_repeated: bool,
    world: World,
    provider: FakeProvider,
    seat: FakeSeat,
    buyer_client: Any,
    buyer_id: str,
) -> None:
    points = crash_everywhere(scenario, world, provider, seat, buyer_client, buyer_id, is_repeated=is_repeated)
    assert points >= 6


@pytest.mark.parametrize("is_repeated", [False, True], ids=["recovered", "repeated"])
@pytest.mark.parametrize("scenario", [without_payment, without_payment_and_cancellation, without_payment_given_up_in_doubt])
def test_a_crash_anywhere_without_a_payment_is_recovered(
    scenario: Callable[[Stage], None],
    is_repeated: bool,
    world: World,
    provider: FakeProvider,
    seat: FakeSeat,
    buyer_client: Any,
    buyer_id: str,
    no_provider: None,
) -> None:
    assert crash_everywhere(scenario, world, provider, seat, buyer_client, buyer_id, is_repeated=is_repeated) >= 6


@pytest.mark.parametrize("scenario", PAID)
def test_a_crash_of_the_recovery_itself_is_recovered(
    scenario: Callable[[Stage], None], world: World, provider: FakeProvider, seat: FakeSeat, buyer_client: Any, buyer_id: str
) -> None:
    """First crash where it hurts most, right after the outside world has done something; then at each point of the recovery."""
    wipe()
    stage = Stage(buyer_client, buyer_id, provider, seat, seat.hold(buyer_id))
    with world.crashing(None), connection.execute_wrapper(world.write):
        scenario(stage)
        names = list(world.points)
    for first in [index for index, name in enumerate(names) if name in ("after approve", "after cancel", "after confirm", "after pin")]:
        second = 0
        while True:
            wipe()
            provider.payments.clear()
            provider.faults.clear()
            seat.faults.clear()
            stage = Stage(buyer_client, buyer_id, provider, seat, seat.hold(buyer_id))
            with connection.execute_wrapper(world.write):
                with world.crashing(first), pytest.raises(Crash):
                    scenario(stage)
                with world.crashing(second):
                    try:
                        recover_all(world)
                        crashed = False
                    except Crash:
                        crashed = True
            recover_all(world)
            assert violations(stage) == [], f"{scenario.__name__}: crash {names[first]}, then at point {second} of the recovery"
            if not crashed:
                break
            second += 1
