"""A crash before and after every write and every call of the saga, and then recovery: I1–I5 hold at each of these points.

Each scenario runs once to find its points, then again with the process gone at one of them: at each one before which something new lasts,
or, in `./clove test faults`, at each. What the outside keeps (the provider's captures, the seats) is what it is; the database rolls back
what was not committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from booking_templates.kit.db import clock
from booking_templates.ticket import event
from booking_templates.ticket.calling_off import call_off, refund_called_off
from booking_templates.ticket.models import Event, LedgerEntry, Notice, Order, OrderRefund, Performance, RefundByHand, Ticket
from tests.booking_fakes import Crash, FakeProvider, FakeSeat, World

JSON = "application/json"


@dataclass
class Stage:
    """All that a scenario needs. `returned` becomes true when the buyer was told of a ticket (I5); `repeat` sends what was lost again."""

    client: Any
    buyer_id: str
    provider: FakeProvider
    seat: FakeSeat
    hold_id: str = ""
    returned: bool = False
    repeat: Callable[[], None] | None = None
    staff: Any = None
    concession: str = ""

    def order(self) -> Any:
        """With CONCESSION for the first of its places, whatever that gives by now."""
        chosen = {self.seat.holds[self.hold_id].places[0]["id"]: self.concession} if self.concession else {}
        return self.client.post("/api/ticket/orders", {"hold_id": self.hold_id, "concessions": chosen}, content_type=JSON)

    def come_back(self, order_id: str) -> None:
        tid = Order.objects.get(pk=order_id).tid
        token = self.provider.payments[tid].token or self.provider.authenticate(tid)
        self.client.get(f"/api/ticket/payments/{order_id}/approved", {"pg_token": token})
        self.returned = self.client.get(f"/api/ticket/orders/{order_id}").json()["status"] == "ISSUED"

    def cancel(self, order_id: str) -> Any:
        return self.client.post(f"/api/ticket/orders/{order_id}/cancel")

    def give_up_one(self, order_id: str) -> None:
        """Give one ticket of the order back, at the fee that is quoted."""
        ticket = Ticket.objects.filter(order_id=order_id, status="LIVE").order_by("pk").values_list("pk", flat=True)[0]
        fee = self.client.get(f"/api/ticket/orders/{order_id}/cancellation", {"tickets": ticket}).json()["fee_krw"]
        body = {"fee_krw": fee, "tickets": [ticket]}
        self.client.post(f"/api/ticket/orders/{order_id}/refunds", body, content_type=JSON)

    def give_back_by_hand(self, order_id: str, *tickets: str) -> None:
        """The organiser gives tickets of the order back, or all of it, in full."""
        body = {"fee_krw": 0, "why": "illness"} | ({"tickets": list(tickets)} if tickets else {})
        self.staff.post(f"/api/ticket/bookings/{order_id}/refunds", body, content_type=JSON, headers={"Idempotency-Key": "by-hand"})


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


def purchase_with_a_concession(stage: Stage) -> None:
    """It is changed as soon as the order is made: what was agreed to is paid, or nothing."""
    stage.concession = "youth"
    order = stage.order().json()
    Event.objects.update(concessions=[YOUTH | {"percent": 90}])
    event.forget()
    stage.come_back(order["id"])


def purchase_with_another_choice(stage: Stage) -> None:
    stage.concession = "youth"
    stage.order()
    stage.concession = "group"
    purchase(stage)


def purchase_free_by_a_concession(stage: Stage) -> None:
    stage.seat.holds[stage.hold_id].places[:] = stage.seat.holds[stage.hold_id].places[:1]
    stage.concession = "child"
    stage.returned = stage.order().json()["status"] == "ISSUED"


def refund_of_a_part(stage: Stage) -> None:
    order_id = stage.order().json()["id"]
    stage.come_back(order_id)
    Order.objects.filter(pk=order_id).update(refund_policy=FEE)
    stage.give_up_one(order_id)


def refund_of_a_part_with_the_answer_lost(stage: Stage) -> None:
    stage.provider.faults |= {"cancel": ["lost"], "order": ["lost"]}
    refund_of_a_part(stage)


def refunds_of_one_part_after_the_other(stage: Stage) -> None:
    order_id = stage.order().json()["id"]
    stage.come_back(order_id)
    stage.returned = False
    for _ in range(2):
        stage.give_up_one(order_id)


def performance_called_off(stage: Stage) -> None:
    order_id = stage.order().json()["id"]
    stage.come_back(order_id)
    stage.returned = False
    call_off("p1", compensation_percent=10)
    refund_called_off()


def performance_called_off_while_it_is_paid_for(stage: Stage) -> None:
    order_id = stage.order().json()["id"]
    call_off("p1", compensation_percent=10)
    stage.come_back(order_id)
    stage.returned = False
    refund_called_off()


def performance_called_off_after_a_part_was_given_up(stage: Stage) -> None:
    refund_of_a_part(stage)
    stage.returned = False
    call_off("p1", compensation_percent=10)
    stage.provider.faults["cancel"] = ["5xx"]
    refund_called_off()


def refund_by_hand(stage: Stage) -> None:
    order_id = stage.order().json()["id"]
    stage.come_back(order_id)
    stage.returned = False
    stage.repeat = lambda: stage.give_back_by_hand(order_id)
    stage.repeat()


def refund_of_a_part_by_hand_with_the_answer_lost(stage: Stage) -> None:
    order_id = stage.order().json()["id"]
    stage.come_back(order_id)
    stage.provider.faults |= {"cancel": ["lost"], "order": ["lost"]}
    stage.give_back_by_hand(order_id, Ticket.objects.filter(order_id=order_id).order_by("pk").values_list("pk", flat=True)[0])


def refund_of_a_part_after_other_hands(stage: Stage) -> None:
    """The organiser has cancelled less at the provider's own console than is left when the last ticket goes back."""
    order_id = stage.order().json()["id"]
    stage.come_back(order_id)
    stage.provider.cancel_by_hand(str(Order.objects.get(pk=order_id).tid), 10_000)
    stage.returned = False
    for _ in range(2):
        stage.give_up_one(order_id)


def cancellation_after_other_hands_with_answers_lost(stage: Stage) -> None:
    """The first request was refused, the second done: what it did must not be taken for other hands'."""
    order_id = stage.order().json()["id"]
    stage.come_back(order_id)
    stage.provider.cancel_by_hand(str(Order.objects.get(pk=order_id).tid), 10_000)
    stage.returned = False
    stage.provider.faults |= {"cancel": [None, "lost"], "order": [None, "lost"]}
    stage.cancel(order_id)


def refund_of_a_part_after_other_hands_gave_all(stage: Stage) -> None:
    order_id = stage.order().json()["id"]
    stage.come_back(order_id)
    stage.provider.cancel_by_hand(str(Order.objects.get(pk=order_id).tid), 300_000)
    stage.give_up_one(order_id)


YOUTH = {"id": "youth", "name": "청소년", "percent": 30}
OFFERED = [YOUTH, {"id": "group", "name": "모임", "off_krw": 10_000}, {"id": "child", "name": "유아", "percent": 100}]
FEE = {"tiers": [{"days_before": 0, "percent": 30}]}

GIVEN_BACK = [
    refund_of_a_part_with_the_answer_lost,
    refunds_of_one_part_after_the_other,
    performance_called_off,
    performance_called_off_while_it_is_paid_for,
    performance_called_off_after_a_part_was_given_up,
    refund_by_hand,
    refund_of_a_part_by_hand_with_the_answer_lost,
    refund_of_a_part_after_other_hands,
    cancellation_after_other_hands_with_answers_lost,
    refund_of_a_part_after_other_hands_gave_all,
]

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
    purchase_with_a_concession,
    purchase_with_another_choice,
    purchase_free_by_a_concession,
]


ONCE_AND_REPEATED = [
    *(pytest.param(scenario, False, id=f"{scenario.__name__}-recovered") for scenario in PAID + GIVEN_BACK),
    *(pytest.param(scenario, True, id=f"{scenario.__name__}-repeated") for scenario in [*PAID, refund_by_hand]),
]


def without_payment(stage: Stage) -> None:
    stage.returned = stage.order().json()["status"] == "ISSUED"


def without_payment_with_a_concession(stage: Stage) -> None:
    stage.concession = "youth"
    without_payment(stage)
    Event.objects.update(concessions=[YOUTH | {"percent": 90}])
    event.forget()


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


AFTER_THE_WORLD_MOVED = ("after approve", "after cancel", "after confirm", "after pin", "after release")


def wipe() -> None:
    from booking_templates.kit.models import OutboxMessage

    with connection.cursor() as cursor:
        for model in (Notice, RefundByHand, Ticket, LedgerEntry, OrderRefund, Order, OutboxMessage, Performance):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # type: ignore[attr-defined]
    starts = clock() + timedelta(days=5)
    Performance.objects.create(pk="p1", starts_at=starts)
    Event.objects.update_or_create(pk=Event.ONLY, defaults={"concessions": OFFERED})
    event.forget()


@pytest.fixture(params=["after every move", pytest.param("everywhere", marks=pytest.mark.slow)])
def is_everywhere(request: pytest.FixtureRequest) -> bool:
    """Whether the process is gone at all points, or at those alone at which it leaves what it has not left before."""
    return bool(request.param == "everywhere")


@dataclass
class Rounds:
    """One scenario from its beginning, as often as is needed."""

    scenario: Callable[[Stage], None]
    world: World
    provider: FakeProvider
    seat: FakeSeat
    client: Any
    buyer_id: str
    is_everywhere: bool
    staff: Any = None

    def run(self, crash_at: int | None) -> Stage:
        """Play it from an empty database, up to point CRASH_AT or to its end."""
        wipe()
        self.provider.payments.clear()
        self.provider.faults.clear()
        self.seat.faults.clear()
        stage = Stage(self.client, self.buyer_id, self.provider, self.seat, self.seat.hold(self.buyer_id), staff=self.staff)
        self.until(crash_at, lambda: self.scenario(stage))
        return stage

    def until(self, crash_at: int | None, go: Callable[[], object]) -> None:
        with self.world.watching(connection), self.world.crashing(crash_at):
            if crash_at is None:
                go()
            else:
                with pytest.raises(Crash):
                    go()

    @property
    def points(self) -> list[int]:
        """Where what was just run to its end is to crash."""
        return list(range(len(self.world.points))) if self.is_everywhere else list(self.world.moves)

    def settles(self, stage: Stage, where: str) -> None:
        recover_all(self.world)
        assert violations(stage) == [], f"{self.scenario.__name__}: {where}"


def crash_everywhere(rounds: Rounds, *, is_repeated: bool) -> int:
    """A crash at each of the scenario's points; how many points it has. IS_REPEATED: the buyer then does it all again."""
    stage = rounds.run(None)
    names, points = list(rounds.world.points), rounds.points
    rounds.settles(stage, "no crash")
    for point in points:
        stage = rounds.run(point)
        if is_repeated and stage.repeat is not None:
            stage.repeat()
        elif is_repeated:
            again = stage.order()
            if again.status_code < 300 and again.json()["status"] == "PAYING" and not again.json()["is_settling"]:
                stage.come_back(again.json()["id"])
        rounds.settles(stage, f"crash {names[point]} (point {point})")
    return len(names)


@pytest.mark.parametrize(("scenario", "is_repeated"), ONCE_AND_REPEATED)
def test_a_crash_anywhere_is_recovered(
    scenario: Callable[[Stage], None],
    is_repeated: bool,
    is_everywhere: bool,
    world: World,
    provider: FakeProvider,
    seat: FakeSeat,
    buyer_client: Any,
    staff_client: Any,
    buyer_id: str,
) -> None:
    rounds = Rounds(scenario, world, provider, seat, buyer_client, buyer_id, is_everywhere, staff=staff_client)
    assert crash_everywhere(rounds, is_repeated=is_repeated) >= 6


@pytest.mark.parametrize("is_repeated", [False, True], ids=["recovered", "repeated"])
@pytest.mark.parametrize(
    "scenario",
    [without_payment, without_payment_with_a_concession, without_payment_and_cancellation, without_payment_given_up_in_doubt],
)
def test_a_crash_anywhere_without_a_payment_is_recovered(
    scenario: Callable[[Stage], None],
    is_repeated: bool,
    is_everywhere: bool,
    world: World,
    provider: FakeProvider,
    seat: FakeSeat,
    buyer_client: Any,
    buyer_id: str,
    no_provider: None,
) -> None:
    rounds = Rounds(scenario, world, provider, seat, buyer_client, buyer_id, is_everywhere)
    assert crash_everywhere(rounds, is_repeated=is_repeated) >= 6


@pytest.mark.parametrize("scenario", [*PAID, refund_of_a_part_with_the_answer_lost, performance_called_off_while_it_is_paid_for])
def test_a_crash_of_the_recovery_itself_is_recovered(
    scenario: Callable[[Stage], None],
    is_everywhere: bool,
    world: World,
    provider: FakeProvider,
    seat: FakeSeat,
    buyer_client: Any,
    buyer_id: str,
) -> None:
    """First crash where it hurts most, right after the outside world has done something; then at each point of the recovery."""
    rounds = Rounds(scenario, world, provider, seat, buyer_client, buyer_id, is_everywhere)
    rounds.run(None)
    names = list(world.points)
    for first in [index for index, name in enumerate(names) if name in AFTER_THE_WORLD_MOVED]:
        stage = rounds.run(first)
        rounds.until(None, lambda: recover_all(world))
        seconds = rounds.points
        rounds.settles(stage, f"crash {names[first]}")
        for second in seconds:
            stage = rounds.run(first)
            rounds.until(second, lambda: recover_all(world))
            rounds.settles(stage, f"crash {names[first]}, then at point {second} of the recovery")
