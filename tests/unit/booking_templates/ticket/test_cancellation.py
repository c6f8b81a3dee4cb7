"""Buyers cancel issued orders, whole, until the performance starts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from booking_templates.kit.db import clock
from booking_templates.kit.models import OutboxMessage
from booking_templates.ticket import event, orders
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Performance, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
Buy = Callable[..., str]


def cancel(client: Any, order_id: str) -> Any:
    return client.post(f"/api/ticket/orders/{order_id}/cancel")


def starts_in(delta: timedelta, *, performance_id: str = "p1") -> None:
    Performance.objects.update_or_create(pk=performance_id, defaults={"starts_at": clock() + delta})
    event.forget()


def test_an_issued_order_is_refunded_whole_and_its_seats_are_free(
    buyer_client: Any, buy: Buy, provider: FakeProvider, seat: FakeSeat, recover: Callable[[], None]
) -> None:
    starts_in(timedelta(days=1))
    order_id = buy()
    offered = buyer_client.get(f"/api/ticket/orders/{order_id}").json()["cancellation"]
    assert (offered["allowed"], offered["refund_krw"], offered["fee_krw"]) == (True, 300_000, 0)
    answer = cancel(buyer_client, order_id).json()
    assert (answer["status"], answer["refunded_krw"]) == ("REFUNDED", 300_000)
    assert {(ticket["status"], ticket["code"]) for ticket in answer["tickets"]} == {("CANCELLED", None)}
    assert list(LedgerEntry.objects.order_by("pk").values_list("kind", "amount_krw")) == [("capture", 300_000), ("refund", 300_000)]
    recover()
    assert seat.sold_to(order_id) == []
    refund = OrderRefund.objects.get()
    assert (refund.reason, refund.fee_krw, refund.open_order, refund.done_at is None) == ("buyer", 0, None, False)


def test_cancelling_twice_refunds_once(buyer_client: Any, buy: Buy, provider: FakeProvider) -> None:
    order_id = buy()
    assert [cancel(buyer_client, order_id).json()["status"] for _ in range(3)] == ["REFUNDED"] * 3
    assert provider.payments[tid_of(order_id)].cancels == [300_000]


def test_cancelling_in_many_tabs_at_once_refunds_once(
    client_for: Callable[[str], Any], buyer_id: str, keys: Any, buy: Buy, provider: FakeProvider
) -> None:
    order_id = buy()
    token, statuses = keys.buyer_token(buyer_id), []
    gate = threading.Barrier(6)

    def tab() -> None:
        gate.wait()
        statuses.append(cancel(client_for(token), order_id).status_code)
        connections.close_all()

    tabs = [threading.Thread(target=tab) for _ in range(6)]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join()
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert provider.payments[tid_of(order_id)].cancels == [300_000]
    assert Order.objects.get().state == "REFUNDED"


def test_an_order_that_another_tab_cancelled_after_it_was_read_is_cancelled(buyer_client: Any, buyer_id: str, buy: Buy) -> None:
    order_id = buy()
    read_before = orders.own(buyer_id, order_id)
    cancel(buyer_client, order_id)
    orders.cancel(read_before)
    assert read_before.state == "REFUNDED"


@pytest.mark.parametrize("fault", ["lost", "5xx", "unreached", -785, -500])
def test_a_refund_without_an_answer_is_asked_about_and_finished(
    buyer_client: Any, buy: Buy, provider: FakeProvider, recover: Callable[[], None], fault: str | int
) -> None:
    order_id = buy()
    provider.faults["cancel"] = [fault]
    answer = cancel(buyer_client, order_id).json()
    assert answer["status"] in ("REFUNDING", "REFUNDED")
    assert {ticket["status"] for ticket in answer["tickets"]} == {"CANCELLED"}
    recover()
    assert Order.objects.get().state == "REFUNDED"
    assert provider.payments[tid_of(order_id)].cancels == [300_000]
    assert LedgerEntry.objects.filter(kind="refund").count() == 1


def test_a_provider_that_is_away_delays_the_refund_and_loses_nothing(
    buyer_client: Any, buy: Buy, provider: FakeProvider, recover: Callable[[], None]
) -> None:
    order_id = buy()
    provider.faults |= {"cancel": ["lost", None], "order": ["5xx", "unreached", None]}
    answer = cancel(buyer_client, order_id).json()
    assert (answer["status"], answer["is_settling"], answer["refunded_krw"]) == ("REFUNDING", True, 0)
    recover()
    assert provider.payments[tid_of(order_id)].cancels == [300_000]
    assert Order.objects.get().state == "REFUNDED"


def test_after_the_start_it_is_too_late(buyer_client: Any, buy: Buy, provider: FakeProvider) -> None:
    order_id = buy()
    starts_in(timedelta(seconds=-1))
    offered = buyer_client.get(f"/api/ticket/orders/{order_id}").json()["cancellation"]
    assert (offered["allowed"], offered["reason"]) == (False, "too_late_to_cancel")
    answer = cancel(buyer_client, order_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_late_to_cancel")
    assert (Order.objects.get().state, provider.payments[tid_of(order_id)].cancels) == ("ISSUED", [])


def test_the_sellers_limit_is_kept(buyer_client: Any, buy: Buy, staff_client: Any) -> None:
    order_id = buy()
    starts = (clock() + timedelta(days=9)).isoformat()
    content = {
        "title": "t",
        "performances": [{"id": "p1", "starts_at": starts}],
        "cancel_until": (clock() - timedelta(hours=1)).isoformat(),
    }
    assert staff_client.put("/api/ticket/content", content, content_type=JSON).status_code == 200
    assert cancel(buyer_client, order_id).json()["code"] == "too_late_to_cancel"


def test_free_orders_are_cancelled_without_a_refund(
    buyer_client: Any, buyer_id: str, no_provider: None, seat: FakeSeat, recover: Callable[[], None]
) -> None:
    order = buyer_client.post("/api/ticket/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()
    answer = cancel(buyer_client, order["id"]).json()
    assert (answer["status"], answer["reason"]) == ("CANCELLED", "buyer")
    assert not Ticket.objects.filter(status="LIVE").exists()
    recover()
    assert seat.sold == {}
    assert not LedgerEntry.objects.exists()


def test_a_seat_that_was_given_back_can_be_sold_again(
    buyer_client: Any, buyer_id: str, buy: Buy, seat: FakeSeat, recover: Callable[[], None]
) -> None:
    order_id = buy(seats=1)
    places = Order.objects.get().places
    cancel(buyer_client, order_id)
    recover()
    again = seat.hold(buyer_id, seats=1)
    seat.holds[again].places = places
    second = buy(hold_id=again)
    assert Ticket.objects.filter(live_seat=places[0]["seat"]).get().order_id == second
    assert Ticket.objects.filter(seat=places[0]["seat"]).count() == 2


def test_what_seat_has_to_free_is_written_with_the_cancellation(buyer_client: Any, buy: Buy) -> None:
    order_id = buy()
    cancel(buyer_client, order_id)
    message = OutboxMessage.objects.get()
    assert (message.peer, message.path, message.payload) == ("seat", f"/internal/orders/{order_id}/release", {})
