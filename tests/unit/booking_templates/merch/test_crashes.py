"""A crash before and after every write and every call of the saga of merchandise, and then recovery: I2–I5 and I7 hold at each point.

As ticket's test of that name: each scenario runs once to find its points, then again with the process gone at one of them, at each before
which something new lasts, or, in `./clove test faults`, at each.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from booking_templates.kit import peers
from booking_templates.kit.db import clock
from booking_templates.kit.peers import PeerResponse
from booking_templates.merch.calling_off import take_back
from booking_templates.merch.models import (
    Choice,
    Item,
    LedgerEntry,
    Notice,
    Order,
    OrderRefund,
    Performance,
    RefundByHand,
    WithdrawnTickets,
)
from booking_templates.merch.saga import saga
from tests.booking_fakes import Crash, FakeProvider, World
from tests.unit.booking_templates.merch.conftest import JSON

pytestmark = pytest.mark.usefixtures("products", "tickets_stand")
URL = "/api/merch"
TICKETS = str(uuid.uuid4())
BY_ORGANISER = ("organiser", "performance_called_off")


@dataclass
class Stage:
    """All that a scenario needs. `returned` is the order that its buyer was told is theirs (I5), `handed_over` the one that was picked up;
    `pending` is what other services go on telling until they are answered, and `repeat` what a person sends again."""

    buyer: Any
    staff: Any
    ticket: Any
    provider: FakeProvider
    returned: str = ""
    handed_over: str = ""
    pending: list[Callable[[], object]] = field(default_factory=list)
    repeat: Callable[[], object] | None = None

    def order(self, *, beside: str = "", **pieces: int) -> str:
        """An order of PIECES, two programmes and a record without; its id. The same again is the same order."""
        wanted = pieces or {"program": 2, "ost": 1}
        body: dict[str, Any] = {"items": [{"product": name, "quantity": count} for name, count in wanted.items()]}
        if beside:
            body["ticket_order"] = beside
        answer = self.buyer.post(f"{URL}/orders", body, content_type=JSON, headers={"Idempotency-Key": "one"})
        assert answer.status_code in (200, 201, 503), answer.content
        return str(Order.objects.get().pk)

    def pay(self, order_id: str) -> None:
        """At the provider's page and back; where there is none, or it is past that, nothing."""
        order = Order.objects.get(pk=order_id)
        payment = self.provider.payments.get(order.tid or "")
        if payment is not None:
            token = payment.token or self.provider.authenticate(str(order.tid))
            self.buyer.get(f"{URL}/payments/{order_id}/approved", {"pg_token": token})
        if self.buyer.get(f"{URL}/orders/{order_id}").json()["status"] == "ISSUED":
            self.returned = order_id

    def buy(self, *, beside: str = "") -> str:
        order_id = self.order(beside=beside)
        self.pay(order_id)
        return order_id

    def cancel(self, order_id: str) -> None:
        self.returned = ""
        self.buyer.post(f"{URL}/orders/{order_id}/cancel")

    def give_one_back(self, order_id: str) -> None:
        item = Item.objects.filter(order_id=order_id, choice__product="program").get()
        body = {"items": [{"item": str(item.pk), "quantity": 1}]}
        self.buyer.post(f"{URL}/orders/{order_id}/refunds", body, content_type=JSON)

    def hand_over(self, order_id: str) -> None:
        code = Order.objects.get(pk=order_id).pickup_code
        if self.staff.post(f"{URL}/pickups", {"code": code}, content_type=JSON).status_code == 200:
            self.handed_over = order_id

    def give_back_by_hand(self, order_id: str, **wanted: Any) -> None:
        headers = {"Idempotency-Key": "by-hand"}
        self.staff.post(f"{URL}/pickups/{order_id}/refunds", {"why": "fault", **wanted}, content_type=JSON, headers=headers)

    def told(self, path: str, body: dict[str, Any]) -> None:
        """Ticket says so, until it is answered."""
        self.returned = ""
        self.pending.append(lambda: self.ticket.post(path, body, content_type=JSON))
        self.pending[-1]()


def purchase(stage: Stage) -> None:
    stage.buy()


def purchase_with_answers_lost(stage: Stage) -> None:
    stage.provider.faults |= {"approve": ["lost"], "ready": ["lost", None]}
    stage.order()
    stage.buy()


def purchase_for_nothing(stage: Stage) -> None:
    order_id = stage.order(leaflet=2)
    stage.pay(order_id)


def giving_up(stage: Stage) -> None:
    stage.cancel(stage.order())


def failing_at_the_provider(stage: Stage) -> None:
    order_id = stage.order()
    stage.provider.payments[str(Order.objects.get().tid)].status = "QUIT_PAYMENT"
    stage.buyer.get(f"{URL}/payments/{order_id}/cancelled")


def cancellation(stage: Stage) -> None:
    stage.cancel(stage.buy())


def cancellation_with_the_answer_lost(stage: Stage) -> None:
    stage.provider.faults |= {"cancel": ["lost"], "order": ["lost"]}
    cancellation(stage)


def refund_of_a_piece(stage: Stage) -> None:
    stage.give_one_back(stage.buy())


def refund_of_a_piece_with_the_answer_lost(stage: Stage) -> None:
    stage.provider.faults |= {"cancel": ["lost"], "order": ["lost"]}
    refund_of_a_piece(stage)


def refund_of_pieces_and_of_the_rest(stage: Stage) -> None:
    order_id = stage.buy()
    stage.give_one_back(order_id)
    stage.give_one_back(order_id)
    stage.cancel(order_id)


def refund_of_a_piece_after_other_hands(stage: Stage) -> None:
    order_id = stage.buy()
    stage.provider.cancel_by_hand(str(Order.objects.get().tid), 5_000)
    stage.give_one_back(order_id)


def handing_over(stage: Stage) -> None:
    stage.hand_over(stage.buy())


def refund_by_hand_of_what_was_handed_over(stage: Stage) -> None:
    order_id = stage.buy()
    stage.hand_over(order_id)
    stage.returned = stage.handed_over = ""
    stage.repeat = lambda: stage.give_back_by_hand(order_id, picked_up=True)
    stage.repeat()


def refund_of_a_piece_by_hand_with_the_answer_lost(stage: Stage) -> None:
    order_id = stage.buy()
    stage.provider.faults |= {"cancel": ["lost"], "order": ["lost"]}
    item = Item.objects.filter(order_id=order_id, choice__product="program").get()
    stage.repeat = lambda: stage.give_back_by_hand(order_id, items=[{"item": str(item.pk), "quantity": 1}])
    stage.repeat()


def tickets_beside_it_called_off(stage: Stage) -> None:
    stage.buy(beside=TICKETS)
    stage.told("/internal/ticket-orders/withdrawn", {"ticket_order": TICKETS})
    take_back()


def tickets_beside_it_called_off_while_it_is_paid_for(stage: Stage) -> None:
    order_id = stage.order(beside=TICKETS)
    stage.told("/internal/ticket-orders/withdrawn", {"ticket_order": TICKETS})
    stage.pay(order_id)
    stage.returned = ""
    stage.provider.faults["cancel"] = ["5xx"]
    take_back()


def everything_called_off(stage: Stage) -> None:
    order_id = stage.buy()
    stage.give_one_back(order_id)
    stage.told("/internal/performances/p1/close", {})
    take_back()


PAID = [
    purchase,
    purchase_with_answers_lost,
    purchase_for_nothing,
    giving_up,
    failing_at_the_provider,
    cancellation,
    cancellation_with_the_answer_lost,
    refund_of_a_piece,
    refund_of_a_piece_with_the_answer_lost,
    refund_of_pieces_and_of_the_rest,
    refund_of_a_piece_after_other_hands,
    handing_over,
    refund_by_hand_of_what_was_handed_over,
    refund_of_a_piece_by_hand_with_the_answer_lost,
    tickets_beside_it_called_off,
    tickets_beside_it_called_off_while_it_is_paid_for,
    everything_called_off,
]
UNPAID = [
    purchase,
    cancellation,
    refund_of_pieces_and_of_the_rest,
    handing_over,
    refund_by_hand_of_what_was_handed_over,
    tickets_beside_it_called_off,
    everything_called_off,
]


def recover_all(stage: Stage) -> None:
    """A new process, and time: every wait is over, payments that nobody makes have expired, and what others had to say has come."""
    for tell in stage.pending:
        tell()
    for _ in range(30):
        past = clock() - timedelta(minutes=20)
        Order.objects.filter(next_at__isnull=False).update(next_at=past)
        Order.objects.filter(pay_by__isnull=False).update(pay_by=past)
        if not saga.recover() + take_back():
            return
    raise AssertionError(f"never settles: {list(Order.objects.values_list('state', 'reason', 'attempts'))}")


def violations(stage: Stage) -> list[str]:
    """What I2–I5 and I7 forbid, and what must not be left over, after recovery."""
    found: list[str] = []
    taken: Counter[int] = Counter()
    orders = {order.pk: order for order in Order.objects.all()}
    for order in orders.values():
        items = list(Item.objects.filter(order=order))
        if order.state == "ISSUED":
            taken.update({item.choice_id: item.left for item in items})
        found += _money(stage, order, items) + _told(order)
        if order.state not in ("ISSUED", "CANCELLED", "REFUNDED") or order.next_at is not None or order.token:
            found.append(f"left in {order.state}")
        if order.state != "ISSUED" and any(item.left for item in items):
            found.append(f"{order.state}, and pieces of it are its buyer's")
        if order.state == "ISSUED" and not any(item.left for item in items):
            found.append("issued, and its buyer has nothing of it")
    for choice in Choice.objects.all():
        if choice.sold != taken[choice.pk]:
            found.append(f"{choice}: {choice.sold} counted as sold, orders have {taken[choice.pk]}")
    if any(payment.captured and payment.purchase.order_id not in orders for payment in stage.provider.payments.values()):
        found.append("captured for an order that is not there")
    if OrderRefund.objects.filter(open_order__isnull=False).exists():
        found.append("a refund is open")
    for what, acknowledged in (("told", stage.returned), ("handed over", stage.handed_over)):
        if acknowledged and (acknowledged not in orders or orders[acknowledged].state != "ISSUED"):
            found.append(f"what was {what} is gone")
    if stage.handed_over and orders[stage.handed_over].picked_up_at is None:
        found.append("what was handed over can be handed over again")
    return found


def _money(stage: Stage, order: Order, items: list[Item]) -> list[str]:
    """ORDER's ledger against the provider's, its pieces and its refunds."""
    found = []
    booked = Counter[str]()
    for entry in LedgerEntry.objects.filter(order=order):
        booked[entry.kind] += entry.amount_krw
    captured, refunded, outside = booked["capture"], booked["refund"], booked["outside"]
    payments = [payment for payment in stage.provider.payments.values() if payment.purchase.order_id == order.pk]
    at_provider = (sum(payment.captured for payment in payments), sum(sum(payment.cancels) for payment in payments))
    refunds = list(OrderRefund.objects.filter(order=order))
    # What other hands gave back is found out by a refund, and not before there is one.
    unknown = 0 if refunds else sum(each.amount_krw for payment in payments for each in payment.listed if not each.refund_id)
    if (captured, refunded + outside + unknown) != at_provider or order.refunded_krw != refunded + outside:
        found.append(f"ledger {(captured, refunded, outside)}, order {order.refunded_krw} is not the provider's {at_provider}")
    if sum(payment.captures for payment in payments) > 1:
        found.append("captured twice")
    short = sum(refund.had_before_krw for refund in refunds)
    if not 0 <= short <= outside:
        found.append(f"{short} was not refunded, other hands gave {outside} back")
    standing = sum(item.price_krw * item.left for item in items) if order.state == "ISSUED" else 0
    if captured - refunded != (standing + short if order.is_paid else 0):
        found.append(f"{captured} - {refunded} is not {standing} of pieces that stand and {short}")
    by_hand = RefundByHand.objects.filter(order=order).values_list("refund_id", flat=True)
    if order.is_paid and sorted(by_hand) != sorted(refund.pk for refund in refunds if refund.reason == "organiser"):
        found.append("a refund by hand without who made it, or the other way round")
    return found


def _told(order: Order) -> list[str]:
    found = []
    notices = list(Notice.objects.filter(order_id=order.pk))
    if sum(notice.kind == "confirmed" for notice in notices) != (order.issued_at is not None):
        found.append("confirmed to its buyer without being issued, or the other way round")
    refunds = OrderRefund.objects.filter(order=order).values_list("pk", flat=True)
    if sorted(notice.refund_id for notice in notices if notice.refund_id) != sorted(refunds):
        found.append("a refund of which its buyer is not told, or twice")
    return found


def wipe() -> None:
    with connection.cursor() as cursor:
        for model in (Notice, RefundByHand, Item, LedgerEntry, OrderRefund, Order, WithdrawnTickets, Performance):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # type: ignore[attr-defined]
    Choice.objects.update(sold=0)
    Performance.objects.create(pk="p1", starts_at=clock() + timedelta(days=5))


@pytest.fixture
def tickets_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ticket service says of every order that it stands."""
    monkeypatch.setattr(peers, "call", lambda *_, **__: PeerResponse(200, b'{"status": "ISSUED"}'))


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
    clients: tuple[Any, Any, Any]
    is_everywhere: bool

    def run(self, crash_at: int | None) -> Stage:
        """Play it from an empty shop, up to point CRASH_AT or to its end."""
        wipe()
        self.provider.payments.clear()
        self.provider.faults.clear()
        stage = Stage(*self.clients, self.provider)
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
        recover_all(stage)
        assert violations(stage) == [], f"{self.scenario.__name__}: {where}"

    def crash_everywhere(self, *, is_repeated: bool) -> int:
        """A crash at each of the scenario's points; how many it has. IS_REPEATED: what was lost is then sent again."""
        stage = self.run(None)
        names, points = list(self.world.points), self.points
        self.settles(stage, "no crash")
        for point in points:
            stage = self.run(point)
            if is_repeated and stage.repeat is not None:
                stage.repeat()
            elif is_repeated:
                stage.buy(beside=Order.objects.values_list("ticket_order", flat=True).first() or "")
            self.settles(stage, f"crash {names[point]} (point {point})")
        return len(names)

    def crash_in_recovery(self) -> None:
        """First a crash where it hurts most, right after the provider has done something; then at each point of the recovery."""
        self.run(None)
        names = list(self.world.points)
        for first in [index for index, name in enumerate(names) if name in ("after approve", "after cancel")]:
            stage = self.run(first)
            self.until(None, lambda stage=stage: recover_all(stage))  # type: ignore[misc]
            seconds = self.points
            self.settles(stage, f"crash {names[first]}")
            for second in seconds:
                stage = self.run(first)
                self.until(second, lambda stage=stage: recover_all(stage))  # type: ignore[misc]
                self.settles(stage, f"crash {names[first]}, then at point {second} of the recovery")


@pytest.fixture
def rounds(
    world: World, provider: FakeProvider, buyer_client: Any, staff_client: Any, service_client: Callable[[str], Any], is_everywhere: bool
) -> Callable[[Callable[[Stage], None]], Rounds]:
    clients = (buyer_client, staff_client, service_client("ticket"))
    return lambda scenario: Rounds(scenario, world, provider, clients, is_everywhere)


RoundsOf = Callable[[Callable[[Stage], None]], Rounds]
REPEATED = [purchase, purchase_with_answers_lost, refund_by_hand_of_what_was_handed_over, refund_of_a_piece_by_hand_with_the_answer_lost]


@pytest.mark.parametrize("scenario", PAID)
def test_a_crash_anywhere_is_recovered(rounds: RoundsOf, scenario: Callable[[Stage], None]) -> None:
    assert rounds(scenario).crash_everywhere(is_repeated=False) >= 6


@pytest.mark.parametrize("scenario", REPEATED)
def test_a_crash_anywhere_is_recovered_though_all_is_sent_again(rounds: RoundsOf, scenario: Callable[[Stage], None]) -> None:
    assert rounds(scenario).crash_everywhere(is_repeated=True) >= 6


@pytest.mark.parametrize("scenario", UNPAID)
def test_a_crash_anywhere_without_a_payment_is_recovered(rounds: RoundsOf, scenario: Callable[[Stage], None], no_provider: None) -> None:
    assert rounds(scenario).crash_everywhere(is_repeated=False) >= 6


@pytest.mark.parametrize("scenario", PAID)
def test_a_crash_of_the_recovery_itself_is_recovered(rounds: RoundsOf, scenario: Callable[[Stage], None]) -> None:
    rounds(scenario).crash_in_recovery()
