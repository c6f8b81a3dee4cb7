"""What buyers, the organiser and the provider do in the crash tests, from the order to the last ticket that goes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from booking_templates.ticket import event
from booking_templates.ticket.calling_off import call_off, refund_called_off
from booking_templates.ticket.models import Event, Order, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat

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
