"""An organiser calls a performance off: all get the whole price back, and are owed a compensation."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from booking_templates.kit import outbox
from booking_templates.kit.db import clock
from booking_templates.kit.models import OutboxMessage
from booking_templates.ticket import calling_off, event, orders
from booking_templates.ticket.calling_off import refund_called_off
from booking_templates.ticket.models import Order, OrderRefund, Performance, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
URL = "/api/ticket"
Buy = Callable[..., str]


@pytest.fixture(autouse=True)
def performances(staff_client: Any) -> None:
    starts = [{"id": f"p{number}", "starts_at": (clock() + timedelta(days=1)).isoformat()} for number in (1, 2)]
    body = {"title": "t", "performances": starts, "refund_policy": "consumer_standard"}
    assert staff_client.put(f"{URL}/content", body, content_type=JSON).status_code == 200


def call_off(client: Any, performance: str = "p1", **body: Any) -> Any:
    return client.post(f"{URL}/performances/{performance}/cancellation", body, content_type=JSON)


def test_everybody_is_refunded_whole_and_owed_a_tenth(
    staff_client: Any, buyer_client: Any, buyer_id: str, buy: Buy, provider: FakeProvider, seat: FakeSeat, recover: Callable[[], None]
) -> None:
    mine = [buy(seats=2), buy(seats=1)]
    other = buy(hold_id=seat.hold(buyer_id, performance_id="p2"))
    answer = call_off(staff_client).json()
    assert (answer["orders_left"], answer["compensation_percent"]) == (2, 10)
    assert call_off(staff_client, compensation_percent=50).json()["compensation_percent"] == 10, "the first word stands"
    assert refund_called_off() == 2
    recover()
    for order_id, price in zip(mine, (300_000, 150_000), strict=True):
        shown = buyer_client.get(f"{URL}/orders/{order_id}").json()
        assert (shown["status"], shown["refunded_krw"], shown["compensation_krw"]) == ("REFUNDED", price, price // 10)
        assert shown["reason"] == "performance_called_off"
        assert provider.payments[tid_of(order_id)].cancels == [price]
        assert seat.sold_to(order_id) == []
    assert Order.objects.get(pk=other).state == "ISSUED"
    done = staff_client.get(f"{URL}/performances/p1/cancellation").json()
    assert (done["orders_left"], done["refunds_open"], done["refunded_krw"], done["compensation_krw"]) == (0, 0, 450_000, 45_000)
    assert refund_called_off() == 0


def test_seat_is_told_once_however_often_it_is_called_off(staff_client: Any, seat: FakeSeat) -> None:
    call_off(staff_client)
    call_off(staff_client)
    assert seat.calls == [], "after the transaction, not in it"
    outbox.deliver_due()
    assert (seat.closed, seat.told_event, OutboxMessage.objects.count()) == (["p1"], ["p1"], 0)


def test_seat_is_told_when_it_answers_again(staff_client: Any, seat: FakeSeat, recover: Callable[[], None]) -> None:
    seat.faults["close"] = ["unreached", "lost"]
    call_off(staff_client)
    outbox.deliver_due()
    assert (seat.closed, OutboxMessage.objects.count()) == ([], 1)
    recover()
    assert (seat.closed, OutboxMessage.objects.count()) == (["p1", "p1"], 0), "an answer that was lost is asked for again"


def test_the_mark_and_the_message_stand_together_or_not_at_all(staff_client: Any, seat: FakeSeat, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(outbox, "put", fail)
    assert call_off(staff_client).status_code == 500
    assert Performance.objects.get(pk="p1").cancelled_at is None
    assert not OutboxMessage.objects.exists()


def test_a_hold_that_seat_has_ended_for_it_cannot_be_ordered(
    staff_client: Any, buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    hold_id = seat.hold(buyer_id)
    call_off(staff_client)
    outbox.deliver_due()
    answer = buyer_client.post(f"{URL}/orders", {"hold_id": hold_id}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "performance_called_off")
    assert (Order.objects.get().state, Order.objects.get().reason, provider.calls) == ("CANCELLED", "performance_called_off", [])


def test_left_out_of_the_content_and_put_back_it_stays_called_off(
    staff_client: Any, client: Any, buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    order_id = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    token = provider.authenticate(tid_of(order_id))
    call_off(staff_client)
    both = staff_client.get(f"{URL}/content").json()
    less = both | {"performances": [each for each in both["performances"] if each["id"] == "p2"]}
    assert staff_client.put(f"{URL}/content", less, content_type=JSON).status_code == 200
    client.get(f"{URL}/payments/{order_id}/approved", {"pg_token": token})
    assert Order.objects.get().state == "REFUNDED", "refunds go on"

    assert staff_client.put(f"{URL}/content", both, content_type=JSON).status_code == 200
    told = {each["id"]: each["is_called_off"] for each in client.get(f"{URL}/terms").json()["performances"]}
    assert told == {"p1": True, "p2": False}


def test_merch_is_told_of_each_order_that_ends_by_it(
    staff_client: Any, buyer_client: Any, buyer_id: str, buy: Buy, seat: FakeSeat, recover: Callable[[], None]
) -> None:
    bought = buy(seats=2)
    waiting = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    other = buy(hold_id=seat.hold(buyer_id, performance_id="p2"))
    call_off(staff_client)
    refund_called_off()
    recover()
    assert sorted(seat.told_shop) == sorted([bought, waiting])
    assert other not in seat.told_shop
    assert seat.closed_shop == ["p1"], "and once that the performance is off"


def test_a_payment_that_is_captured_meanwhile_takes_merchandise_along(
    staff_client: Any, client: Any, buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, recover: Callable[[], None]
) -> None:
    order_id = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    token = provider.authenticate(tid_of(order_id))
    call_off(staff_client)
    client.get(f"{URL}/payments/{order_id}/approved", {"pg_token": token})
    recover()
    assert (Order.objects.get().state, seat.told_shop) == ("REFUNDED", [order_id])


@pytest.mark.parametrize("seats", [1, 2], ids=["all of it", "a part"])
def test_merch_is_not_told_of_what_a_buyer_gives_back(
    buyer_client: Any, buy: Buy, seat: FakeSeat, recover: Callable[[], None], seats: int
) -> None:
    order_id = buy(seats=seats)
    ticket = Ticket.objects.order_by("pk")[0].pk
    fee = buyer_client.get(f"{URL}/orders/{order_id}/cancellation", {"tickets": ticket}).json()["fee_krw"]
    body = {"fee_krw": fee, "tickets": [ticket]}
    assert buyer_client.post(f"{URL}/orders/{order_id}/refunds", body, content_type=JSON).status_code == 200
    recover()
    assert seat.told_shop == []


def test_used_tickets_are_refunded_too(staff_client: Any, buy: Buy) -> None:
    order_id = buy(seats=1)
    Ticket.objects.update(used_at=clock())
    call_off(staff_client)
    refund_called_off()
    assert Order.objects.get(pk=order_id).state == "REFUNDED"


@pytest.mark.parametrize("seats", [1, 2], ids=["all of it", "a part"])
def test_a_buyer_who_cancels_at_this_moment_is_not_given_the_lesser(
    staff_client: Any, buyer_client: Any, buy: Buy, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, seats: int
) -> None:
    order_id = buy(seats=seats)
    Order.objects.update(issued_at=clock() - timedelta(days=30))
    ticket = Ticket.objects.order_by("pk")[0].pk
    plain = orders.quote

    def called_off_meanwhile(*args: Any) -> Any:
        offered = plain(*args)
        call_off(staff_client)
        return offered

    monkeypatch.setattr(orders, "quote", called_off_meanwhile)
    answer = buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 45_000, "tickets": [ticket]}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "refund_in_progress")
    refund_called_off()
    assert provider.payments[tid_of(order_id)].cancels == [150_000 * seats]
    assert Order.objects.get().compensation_krw == 15_000 * seats


def test_nobody_can_order_it_any_more(staff_client: Any, buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    call_off(staff_client)
    answer = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "performance_called_off")
    assert (seat.pinned(), provider.calls) == (set(), [])


def test_an_order_that_waits_for_its_payment_is_closed_without_a_charge(
    staff_client: Any, client: Any, buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    order_id = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    token = provider.authenticate(tid_of(order_id))
    call_off(staff_client)
    refund_called_off()
    client.get(f"{URL}/payments/{order_id}/approved", {"pg_token": token})
    assert (Order.objects.get().state, provider.calls, seat.pinned()) == ("CANCELLED", ["ready"], set())


def test_a_payment_that_is_captured_meanwhile_goes_back(
    staff_client: Any, client: Any, buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, recover: Callable[[], None]
) -> None:
    order_id = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    token = provider.authenticate(tid_of(order_id))
    call_off(staff_client)
    client.get(f"{URL}/payments/{order_id}/approved", {"pg_token": token})
    assert Order.objects.get().state == "REFUNDED"
    recover()
    assert seat.sold_to(order_id) == []


def test_a_part_that_was_refunded_before_is_not_refunded_again(
    staff_client: Any, buyer_client: Any, buy: Buy, provider: FakeProvider
) -> None:
    order_id = buy(seats=3)
    Order.objects.update(issued_at=clock() - timedelta(days=30))
    ticket = Ticket.objects.order_by("pk")[0].pk
    buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 45_000, "tickets": [ticket]}, content_type=JSON)
    call_off(staff_client)
    refund_called_off()
    assert provider.payments[tid_of(order_id)].cancels == [105_000, 300_000]
    assert Order.objects.get().compensation_krw == 30_000


def test_an_open_refund_is_waited_for(
    staff_client: Any, buyer_client: Any, buy: Buy, provider: FakeProvider, recover: Callable[[], None]
) -> None:
    order_id = buy(seats=2)
    provider.faults |= {"cancel": ["5xx"], "order": ["unreached"]}
    Order.objects.update(issued_at=clock())
    ticket = Ticket.objects.order_by("pk")[0].pk
    fee = buyer_client.get(f"{URL}/orders/{order_id}/cancellation", {"tickets": ticket}).json()["fee_krw"]
    buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": fee, "tickets": [ticket]}, content_type=JSON)
    call_off(staff_client)
    assert refund_called_off() == 0
    recover()
    assert refund_called_off() == 1
    assert Order.objects.get().state == "REFUNDED"
    assert not OrderRefund.objects.filter(open_order__isnull=False).exists()


def test_unpaid_orders_are_cancelled_and_nothing_is_owed(
    staff_client: Any, buyer_client: Any, buyer_id: str, no_provider: None, seat: FakeSeat
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()
    call_off(staff_client)
    refund_called_off()
    shown = buyer_client.get(f"{URL}/orders/{order['id']}").json()
    assert (shown["status"], shown["reason"], shown["compensation_krw"]) == ("CANCELLED", "performance_called_off", 0)


def test_it_needs_staff_and_a_performance_that_there_is(
    staff_client: Any, buyer_client: Any, client_for: Callable[[str], Any], keys: Any
) -> None:
    assert call_off(staff_client, "p9").status_code == 404
    assert call_off(buyer_client).status_code == 403
    assert call_off(client_for(keys.staff_token("attendees"))).json()["code"] == "scope_missing"
    assert call_off(staff_client, compensation_percent=101).status_code == 422
    assert staff_client.get(f"{URL}/performances/p1/cancellation").json()["cancelled_at"] is None


def test_every_order_is_reached_however_many_there_are(
    staff_client: Any, client_for: Callable[[str], Any], keys: Any, buy: Buy, seat: FakeSeat
) -> None:
    for _ in range(25):
        buyer = str(uuid.uuid4())
        buy(client=client_for(keys.buyer_token(buyer)), hold_id=seat.hold(buyer, seats=1))
    call_off(staff_client)
    assert [refund_called_off() for _ in range(2)] == [25, 0]
    assert set(Order.objects.values_list("state", flat=True)) == {"REFUNDED"}


def test_who_gives_up_before_the_refund_comes_is_charged_no_fee(
    staff_client: Any, buyer_client: Any, buy: Buy, recover: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = buy(seats=2)
    fee = buyer_client.get(f"{URL}/orders/{order_id}/cancellation").json()["fee_krw"]
    assert fee > 0
    known = event.current()
    call_off(staff_client)
    monkeypatch.setattr(event, "_kept", (time.monotonic(), known))  # another replica, which has not looked since
    answer = buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": fee}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "refund_in_progress")
    assert not buyer_client.get(f"{URL}/orders/{order_id}/cancellation").json()["allowed"]
    refund_called_off()
    recover()
    shown = buyer_client.get(f"{URL}/orders/{order_id}").json()
    assert (shown["status"], shown["refunded_krw"], shown["compensation_krw"]) == ("REFUNDED", 300_000, 30_000)


def test_a_provider_that_hangs_does_not_hold_the_worker_for_minutes(
    staff_client: Any,
    client_for: Callable[[str], Any],
    keys: Any,
    buy: Buy,
    seat: FakeSeat,
    provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(4):
        buyer = str(uuid.uuid4())
        buy(client=client_for(keys.buyer_token(buyer)), hold_id=seat.hold(buyer, seats=1))
    call_off(staff_client)
    now = [0.0]
    monkeypatch.setattr(calling_off, "time", SimpleNamespace(monotonic=lambda: now[0]))
    cancel = provider.cancel

    def hang(**values: Any) -> Any:
        now[0] += 10
        return cancel(**values)

    monkeypatch.setattr(provider, "cancel", hang)
    assert [refund_called_off() for _ in range(5)] == [1, 1, 1, 1, 0]
