"""From the provider's page to tickets, or to nothing and no money taken."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from booking_templates.kit.db import clock
from booking_templates.payments.saga import PAY_WITHIN, TID_DEAD_AFTER
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
Recover = Callable[[], None]


@pytest.fixture
def paying(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> tuple[str, str]:
    """An order at the provider's page: its id, and the token the buyer would bring back."""
    order = buyer_client.post("/api/ticket/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()
    return order["id"], provider.authenticate(tid_of(order["id"]))


def back(client: Any, order_id: str, way: str = "approved", **query: str) -> Any:
    return client.get(f"/api/ticket/payments/{order_id}/{way}", query)


def state(order_id: str) -> str:
    return Order.objects.get(pk=order_id).state


def money(order_id: str) -> list[tuple[str, int]]:
    return list(LedgerEntry.objects.filter(order_id=order_id).order_by("pk").values_list("kind", "amount_krw"))


def make_due(order_id: str, *, pay_by_ago: timedelta | None = None) -> None:
    changes: dict[str, Any] = {"next_at": clock() - timedelta(seconds=1)}
    if pay_by_ago is not None:
        changes["pay_by"] = clock() - pay_by_ago
    Order.objects.filter(pk=order_id).update(**changes)


def test_coming_back_issues_tickets_and_sends_the_browser_to_the_order(client: Any, paying: tuple[str, str], seat: FakeSeat) -> None:
    order_id, token = paying
    answer = back(client, order_id, pg_token=token)
    assert (answer.status_code, answer["Location"]) == (303, f"http://phantom.localhost:8080/orders/{order_id}")
    order = Order.objects.get(pk=order_id)
    assert (order.state, order.token, order.next_at) == ("ISSUED", "", None)
    assert money(order_id) == [("capture", 300_000)]
    assert Ticket.objects.filter(order=order, status="LIVE", live_seat__isnull=False).count() == 2
    assert len(seat.sold_to(order_id)) == 2


def test_a_place_with_very_many_words_is_sold_as_well(buy: Callable[..., str], buyer_id: str, seat: FakeSeat) -> None:
    hold = seat.hold(buyer_id, seats=1)
    seat.holds[hold].places[0]["label"] = "2층 " * 100
    ticket = Ticket.objects.get(order_id=buy(hold_id=hold))
    assert ticket.label == ("2층 " * 100)[: Ticket._meta.get_field("label").max_length]


def test_a_replayed_return_changes_nothing(client: Any, paying: tuple[str, str], provider: FakeProvider) -> None:
    order_id, token = paying
    for _ in range(3):
        assert back(client, order_id, pg_token=token).status_code == 303
    for way in ("cancelled", "failed"):
        assert back(client, order_id, way).status_code == 303
    assert provider.calls.count("approve") == 1
    assert (state(order_id), money(order_id), Ticket.objects.count()) == ("ISSUED", [("capture", 300_000)], 2)


@pytest.mark.parametrize("token", ["", "x" * 101])
def test_a_return_without_a_usable_token_asks_nobody(client: Any, paying: tuple[str, str], provider: FakeProvider, token: str) -> None:
    order_id, _ = paying
    assert back(client, order_id, pg_token=token).status_code == 303
    assert (state(order_id), provider.calls) == ("PAYING", ["ready"])


def test_a_forged_token_does_not_keep_the_buyer_from_paying(client: Any, paying: tuple[str, str]) -> None:
    order_id, token = paying
    back(client, order_id, pg_token="forged")
    assert state(order_id) == "PAYING"
    assert Order.objects.get().token == ""
    back(client, order_id, pg_token=token)
    assert state(order_id) == "ISSUED"


@pytest.mark.parametrize("code", [-401, -429])
def test_a_provider_that_refuses_the_key_or_so_many_calls_is_asked_again_and_the_buyers_word_is_kept(
    client: Any, paying: tuple[str, str], provider: FakeProvider, recover: Recover, code: int
) -> None:
    order_id, token = paying
    provider.faults["approve"] = [code]
    back(client, order_id, pg_token=token)
    assert state(order_id) == "APPROVING"
    recover()
    assert (state(order_id), money(order_id)) == ("ISSUED", [("capture", 300_000)])


def test_a_provider_that_hangs_holds_few_of_those_who_come_back(
    client_for: Callable[[str], Any], keys: Any, provider: FakeProvider, seat: FakeSeat, recover: Recover, monkeypatch: pytest.MonkeyPatch
) -> None:
    returns = []
    for _ in range(5):
        buyer = str(uuid.uuid4())
        browser = client_for(keys.buyer_token(buyer))
        order = browser.post("/api/ticket/orders", {"hold_id": seat.hold(buyer)}, content_type=JSON).json()
        returns.append((browser, order["id"], provider.authenticate(tid_of(order["id"]))))
    monkeypatch.setattr(provider, "is_answering", False)
    asked, goes_on, approve = [], threading.Event(), provider.approve

    def hang(**values: Any) -> Any:
        asked.append(values["order_id"])
        goes_on.wait(20)
        return approve(**values)

    monkeypatch.setattr(provider, "approve", hang)
    waiting = [threading.Thread(target=come_back, args=each, daemon=True) for each in returns[:2]]
    for number, thread in enumerate(waiting, 1):
        thread.start()
        for _ in range(500):
            if len(asked) == number:
                break
            thread.join(0.01)
    for each in returns[2:]:
        come_back(*each)
    assert len(asked) == 2
    assert {state(order_id) for _browser, order_id, _token in returns} == {"APPROVING"}
    goes_on.set()
    for thread in waiting:
        thread.join(20)
    recover()
    assert {state(order_id) for _browser, order_id, _token in returns} == {"ISSUED"}


def come_back(browser: Any, order_id: str, token: str) -> None:
    back(browser, order_id, pg_token=token)
    connections.close_all()


def test_an_unknown_order_is_sent_to_its_page_which_says_so(client: Any, provider: FakeProvider, seat: FakeSeat) -> None:
    assert back(client, str(uuid.uuid4()), pg_token="x").status_code == 303
    assert back(client, "none", pg_token="x").status_code == 404
    assert provider.calls == []


@pytest.mark.parametrize("fault", ["lost", -702, -785])
def test_an_approve_whose_answer_is_bad_is_asked_about_and_not_sent_again(
    client: Any, paying: tuple[str, str], provider: FakeProvider, fault: str | int
) -> None:
    order_id, token = paying
    if isinstance(fault, int):
        # It was captured before, as by a request doubled on the way; what arrives is the second's answer.
        provider.approve(tid=tid_of(order_id), order_id=order_id, buyer_id=Order.objects.get().buyer_id, token=token)
        provider.calls.clear()
    provider.faults["approve"] = [fault]
    back(client, order_id, pg_token=token)
    assert provider.calls[-2:] == ["approve", "order"]
    assert (state(order_id), money(order_id)) == ("ISSUED", [("capture", 300_000)])


def test_an_approve_that_never_arrived_is_sent_again_only_after_asking(
    client: Any, paying: tuple[str, str], provider: FakeProvider, recover: Recover
) -> None:
    order_id, token = paying
    provider.faults["approve"] = ["5xx"]
    back(client, order_id, pg_token=token)
    assert (state(order_id), provider.calls[-2:]) == ("APPROVING", ["approve", "order"])
    recover()
    assert (state(order_id), provider.calls[-2:]) == ("ISSUED", ["order", "approve"])


def test_a_silent_provider_leaves_the_order_waiting_and_its_seats_pinned(
    buyer_client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat
) -> None:
    order_id, token = paying
    provider.faults |= {"approve": ["lost"], "order": ["unreached"]}
    back(buyer_client, order_id, pg_token=token)
    shown = buyer_client.get(f"/api/ticket/orders/{order_id}").json()
    assert (shown["status"], shown["is_settling"], shown["payment"]["redirect_url"]) == ("PAYING", True, None)
    assert shown["cancellation"]["reason"] == "payment_in_progress"
    assert buyer_client.post(f"/api/ticket/orders/{order_id}/cancel").json()["code"] == "payment_in_progress"
    assert seat.pinned() == {order_id}


def test_an_approve_in_doubt_closes_only_when_the_tid_is_dead(
    client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat
) -> None:
    from booking_templates.ticket.saga import saga

    order_id, token = paying
    provider.faults["approve"] = ["5xx", "5xx", "5xx"]
    back(client, order_id, pg_token=token)
    make_due(order_id, pay_by_ago=timedelta(seconds=1))
    saga.recover()
    assert state(order_id) == "APPROVING"
    make_due(order_id, pay_by_ago=TID_DEAD_AFTER - PAY_WITHIN + timedelta(seconds=1))
    saga.recover()
    assert (state(order_id), seat.pinned(), money(order_id)) == ("CANCELLED", set(), [])


def test_a_refused_card_closes_the_order_and_the_hold_can_be_ordered_again(
    buyer_client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat
) -> None:
    order_id, token = paying
    provider.payments[tid_of(order_id)].status = "FAIL_PAYMENT"
    provider.faults["approve"] = [-780]
    back(buyer_client, order_id, pg_token=token)
    order = Order.objects.get(pk=order_id)
    assert (order.state, order.reason, seat.pinned()) == ("CANCELLED", "payment_failed", set())
    again = buyer_client.post("/api/ticket/orders", {"hold_id": order.hold_id}, content_type=JSON)
    assert (again.status_code, again.json()["status"]) == (201, "PAYING")
    assert again.json()["id"] != order_id


@pytest.mark.parametrize(("status", "expected"), [("QUIT_PAYMENT", "CANCELLED"), ("FAIL_AUTH_PASSWORD", "CANCELLED"), ("READY", "PAYING")])
@pytest.mark.parametrize("way", ["cancelled", "failed"])
def test_giving_up_at_the_provider_is_believed_when_the_provider_says_so(
    client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat, way: str, status: str, expected: str
) -> None:
    order_id, _token = paying
    provider.payments[tid_of(order_id)].status = status
    assert back(client, order_id, way).status_code == 303
    assert state(order_id) == expected
    assert seat.pinned() == ({order_id} if expected == "PAYING" else set())
    if expected == "PAYING":
        assert Order.objects.get().next_at == Order.objects.get().pay_by


def test_a_look_at_the_cancelled_address_does_not_shorten_the_payment(
    client: Any, paying: tuple[str, str], provider: FakeProvider, recover: Recover
) -> None:
    from booking_templates.ticket.saga import saga

    order_id, token = paying
    provider.faults["order"] = ["unreached"]
    back(client, order_id, "cancelled")
    make_due(order_id)
    saga.recover()
    assert state(order_id) == "PAYING"
    back(client, order_id, pg_token=token)
    assert state(order_id) == "ISSUED"


def test_a_payment_that_nobody_makes_expires_after_the_provider_was_asked(
    client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat
) -> None:
    from booking_templates.ticket.saga import saga

    order_id, token = paying
    provider.faults["order"] = ["unreached"]
    make_due(order_id, pay_by_ago=timedelta(seconds=1))
    saga.recover()
    assert state(order_id) == "PAYING", "nothing is decided while the provider is silent"
    make_due(order_id)
    saga.recover()
    order = Order.objects.get()
    assert (order.state, order.reason, seat.pinned()) == ("CANCELLED", "expired", set())
    back(client, order_id, pg_token=token)
    assert (state(order_id), provider.calls.count("approve")) == ("CANCELLED", 0)


def test_a_payment_does_not_stay_open_because_the_clock_was_put_back(paying: tuple[str, str], provider: FakeProvider) -> None:
    from booking_templates.ticket.saga import saga

    order_id, _token = paying
    tomorrow = clock() + timedelta(days=1)
    Order.objects.filter(pk=order_id).update(pay_by=tomorrow, next_at=tomorrow)
    assert saga.recover() == 1
    order = Order.objects.get(pk=order_id)
    assert order.pay_by is not None
    assert (order.state, order.next_at, order.pay_by <= clock() + PAY_WITHIN) == ("PAYING", order.pay_by, True)
    assert saga.recover() == 0


def test_an_expired_payment_that_was_captured_after_all_is_delivered(paying: tuple[str, str], provider: FakeProvider) -> None:
    from booking_templates.ticket.saga import saga

    order_id, token = paying
    provider.approve(tid=tid_of(order_id), order_id=order_id, buyer_id=Order.objects.get().buyer_id, token=token)
    make_due(order_id, pay_by_ago=timedelta(seconds=1))
    saga.recover()
    assert (state(order_id), money(order_id)) == ("ISSUED", [("capture", 300_000)])


def test_a_buyer_who_cancels_in_another_tab_is_never_charged(
    buyer_client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat
) -> None:
    order_id, token = paying
    assert buyer_client.post(f"/api/ticket/orders/{order_id}/cancel").json()["status"] == "CANCELLED"
    back(buyer_client, order_id, pg_token=token)
    assert (state(order_id), provider.calls, seat.pinned()) == ("CANCELLED", ["ready"], set())


def test_captured_but_lost_seats_are_refunded_whole(
    client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat, recover: Recover
) -> None:
    order_id, token = paying
    seat.lose(Order.objects.get().hold_id)
    back(client, order_id, pg_token=token)
    order = Order.objects.get()
    assert (order.state, order.reason) == ("REFUNDED", "hold_expired")
    assert money(order_id) == [("capture", 300_000), ("refund", 300_000)]
    assert provider.payments[tid_of(order_id)].cancels == [300_000]
    assert not Ticket.objects.exists()
    recover()
    assert seat.calls[-2:] == ["release", "unpin"]


def test_a_seat_that_another_live_ticket_has_is_refunded_by_the_constraint(
    client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat, buy: Callable[..., str], recover: Recover
) -> None:
    other = buy()
    order_id, token = paying
    taken = Ticket.objects.filter(order_id=other).first()
    assert taken is not None
    place = Order.objects.get(pk=order_id).places
    place[1]["seat"] = taken.seat
    Order.objects.filter(pk=order_id).update(places=place)
    back(client, order_id, pg_token=token)
    assert (state(order_id), money(order_id)) == ("REFUNDED", [("capture", 300_000), ("refund", 300_000)])
    assert Ticket.objects.filter(live_seat=taken.seat).count() == 1
    assert not Ticket.objects.filter(order_id=order_id).exists()
    recover()
    assert seat.sold_to(order_id) == []


def test_a_silent_seat_service_delays_the_tickets_and_keeps_the_capture(
    client: Any, paying: tuple[str, str], seat: FakeSeat, recover: Recover
) -> None:
    order_id, token = paying
    seat.faults["confirm"] = ["lost", "unreached"]
    back(client, order_id, pg_token=token)
    assert (state(order_id), money(order_id)) == ("CAPTURED", [("capture", 300_000)])
    recover()
    assert (state(order_id), money(order_id), Ticket.objects.count()) == ("ISSUED", [("capture", 300_000)], 2)


def test_another_amount_than_asked_is_given_back(client: Any, paying: tuple[str, str], provider: FakeProvider) -> None:
    order_id, token = paying
    Order.objects.filter(pk=order_id).update(total_krw=299_999)
    back(client, order_id, pg_token=token)
    assert (state(order_id), money(order_id)) == ("REFUNDED", [("capture", 300_000), ("refund", 300_000)])
    assert Order.objects.get().reason == "amount_differs"


@pytest.mark.parametrize(("amount", "left"), [(100_000, [200_000]), (300_000, [])])
def test_money_that_others_gave_back_before_it_was_delivered_is_booked_as_that(
    client: Any,
    staff_client: Any,
    paying: tuple[str, str],
    provider: FakeProvider,
    seat: FakeSeat,
    recover: Recover,
    amount: int,
    left: list[int],
) -> None:
    order_id, token = paying
    tid = tid_of(order_id)
    provider.approve(tid=tid, order_id=order_id, buyer_id=Order.objects.get().buyer_id, token=token)
    provider.cancel_by_hand(tid, amount)
    make_due(order_id, pay_by_ago=timedelta(seconds=1))
    recover()
    order, refund = Order.objects.get(), OrderRefund.objects.get()
    assert (order.state, order.reason, order.refunded_krw) == ("REFUNDED", "payment_cancelled", 300_000)
    assert money(order_id) == [("capture", 300_000), ("outside", amount), *(("refund", each) for each in left)]
    assert (refund.price_krw, refund.amount_krw, refund.had_before_krw) == (300_000, sum(left), amount)
    assert provider.payments[tid].cancels == [amount, *left]
    assert (Ticket.objects.count(), seat.pinned(), seat.sold_to(order_id)) == (0, set(), [])
    told = staff_client.get("/api/ticket/settlement").json()
    sums = [told[f"{name}_krw"] for name in ("captured", "refunded", "kept", "outside", "uncovered", "returning")]
    assert (sums, [each["amount_krw"] for each in told["outside"]]) == ([300_000, 300_000, 0, amount, 0, 0], [amount])
    assert staff_client.get("/api/ticket/summary").json()["outside_krw"] == amount
    shown = staff_client.get(f"/api/ticket/bookings/{order_id}").json()["history"]
    assert {(each["kind"], each.get("amount_krw", 0)) for each in shown} == {
        ("ordered", 300_000),
        ("paid", 300_000),
        ("outside", amount),
        ("given_back", sum(left)),
    }


@pytest.mark.parametrize("is_seat_done", [True, False])
def test_tickets_that_had_to_wait_are_not_issued_for_money_that_others_gave_back_meanwhile(
    client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat, recover: Recover, is_seat_done: bool
) -> None:
    order_id, token = paying
    seat.faults["confirm"] = ["lost" if is_seat_done else "unreached"]
    back(client, order_id, pg_token=token)
    assert state(order_id) == "CAPTURED"
    provider.cancel_by_hand(tid_of(order_id), 300_000)
    recover()
    assert (state(order_id), Order.objects.get().reason) == ("REFUNDED", "payment_cancelled")
    assert money(order_id) == [("capture", 300_000), ("outside", 300_000)]
    assert (Ticket.objects.count(), seat.pinned(), seat.sold_to(order_id)) == (0, set(), [])


@pytest.mark.parametrize("is_answering", [True, False])
def test_a_silent_provider_does_not_keep_tickets_that_are_paid_for(
    client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat, recover: Recover, is_answering: bool
) -> None:
    order_id, token = paying
    seat.faults["confirm"] = ["unreached"]
    back(client, order_id, pg_token=token)
    provider.is_answering, provider.faults = is_answering, {"order": ["5xx"]}
    recover()
    assert (state(order_id), Ticket.objects.count()) == ("ISSUED", 2)
    assert provider.calls.count("order") == int(is_answering)


def test_a_stalled_start_is_closed_and_its_pin_taken_back_twice(
    buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    from booking_templates.ticket.saga import saga

    hold = seat.hold(buyer_id)
    provider.faults["ready"] = ["unreached"]
    buyer_client.post("/api/ticket/orders", {"hold_id": hold}, content_type=JSON)
    order_id = str(Order.objects.get().pk)
    make_due(order_id)
    saga.recover()
    assert (state(order_id), seat.pinned()) == ("CLOSING", set())
    shown = buyer_client.get(f"/api/ticket/orders/{order_id}").json()
    assert (shown["status"], shown["reason"]) == ("CANCELLED", "stalled")
    # A pin that stood in seat's queue all the while arrives now.
    seat.holds[hold].pinned_by = order_id
    make_due(order_id)
    saga.recover()
    assert (state(order_id), seat.pinned()) == ("CANCELLED", set())


def test_a_hold_whose_order_is_being_closed_can_be_ordered_again_at_once(
    buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    from booking_templates.ticket.saga import saga

    hold = seat.hold(buyer_id)
    provider.faults["ready"] = ["unreached"]
    buyer_client.post("/api/ticket/orders", {"hold_id": hold}, content_type=JSON)
    first = str(Order.objects.get().pk)
    make_due(first)
    saga.recover()
    again = buyer_client.post("/api/ticket/orders", {"hold_id": hold}, content_type=JSON)
    assert (again.status_code, again.json()["status"]) == (201, "PAYING")
    make_due(first)
    saga.recover()
    assert seat.pinned() == {again.json()["id"]}


def test_the_pass_ends_early_when_the_provider_is_silent(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    from booking_templates.ticket.saga import saga

    for _ in range(6):
        order = buyer_client.post("/api/ticket/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()
        make_due(order["id"], pay_by_ago=timedelta(seconds=1))
    provider.faults["order"] = ["lost"] * 6
    provider.calls.clear()
    assert saga.recover() == 3
    assert saga.recover() == 3
    assert provider.calls.count("order") == 6


def test_the_pass_ends_early_when_the_provider_is_slow(
    buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    from booking_templates.payments import saga as saga_module
    from booking_templates.ticket.saga import saga

    for _ in range(4):
        order = buyer_client.post("/api/ticket/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()
        make_due(order["id"], pay_by_ago=timedelta(seconds=1))
    now = [0.0]
    monkeypatch.setattr(saga_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    inquire = provider.inquire

    def slow(tid: str) -> Any:
        now[0] += 9
        return inquire(tid)

    monkeypatch.setattr(provider, "inquire", slow)
    assert [saga.recover() for _ in range(3)] == [2, 2, 0]


def test_two_open_refunds_of_one_payment_cannot_be(buy: Callable[..., str]) -> None:
    from django.db import IntegrityError

    order_id = buy()
    fields = {"order_id": order_id, "price_krw": 1, "amount_krw": 1, "reason": "x", "is_whole": False, "created_at": clock()}
    OrderRefund.objects.create(open_order=order_id, **fields)
    with pytest.raises(IntegrityError):
        OrderRefund.objects.create(open_order=order_id, **fields)


def test_a_clock_that_was_put_back_does_not_keep_an_order_waiting(
    client: Any, paying: tuple[str, str], provider: FakeProvider, seat: FakeSeat
) -> None:
    from booking_templates.ticket.saga import saga

    order_id, token = paying
    provider.faults["approve"] = ["unreached"]
    client.get(f"/api/ticket/payments/{order_id}/approved", {"pg_token": token})
    Order.objects.update(next_at=clock() + timedelta(minutes=5))
    assert saga.recover() == 1
    assert state(order_id) == "ISSUED"


def test_an_order_that_waits_for_its_buyer_is_left_alone_whatever_the_clock(paying: tuple[str, str]) -> None:
    from booking_templates.ticket.saga import saga

    Order.objects.update(next_at=clock() + timedelta(minutes=14))
    assert saga.recover() == 0
