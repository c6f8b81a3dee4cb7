"""The settlement statement: to the won at any moment, closed by the end of sales."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from booking_templates.kit.db import clock
from booking_templates.ticket import settlement
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat

JSON = "application/json"
URL = "/api/ticket"
Buy = Callable[..., str]


@pytest.fixture
def put(staff_client: Any) -> Callable[..., None]:
    def run(**more: Any) -> None:
        starts = (clock() + timedelta(days=5)).isoformat()
        body = {"title": "t", "performances": [{"id": "p1", "starts_at": starts}], "refund_policy": "consumer_standard", **more}
        assert staff_client.put(f"{URL}/content", body, content_type=JSON).status_code == 200

    return run


@pytest.fixture
def close_sales(put: Callable[..., None]) -> Callable[[], None]:
    """Sales ended a minute ago, and all that stands in the ledger was booked before that."""

    def run() -> None:
        before = clock() - timedelta(hours=1)
        LedgerEntry.objects.update(at=before)
        OrderRefund.objects.filter(done_at__isnull=False).update(done_at=before)
        put(sales_close_at=(clock() - timedelta(minutes=1)).isoformat())

    return run


def money(statement: dict[str, Any]) -> dict[str, int]:
    return {name: statement[f"{name}_krw"] for name in ("captured", "refunded", "fees", "kept", "returning", "compensation")}


def give_back_one(client: Any, order_id: str) -> None:
    Order.objects.update(issued_at=clock() - timedelta(days=30))
    ticket = Ticket.objects.filter(order_id=order_id, status="LIVE").order_by("pk")[0].pk
    answer = client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 30_000, "tickets": [ticket]}, content_type=JSON)
    assert answer.status_code == 200, answer.content


def read(client: Any) -> dict[str, Any]:
    return dict(client.get(f"{URL}/settlement").json())


def test_it_is_to_the_won_while_sales_run(staff_client: Any, buyer_client: Any, buy: Buy, put: Callable[..., None]) -> None:
    put()
    give_back_one(buyer_client, buy(seats=3))
    statement = read(staff_client)
    assert not statement["is_final"]
    assert statement["after_close"] is None
    assert statement["lines"] == [
        {"performance_id": "p1", "grade": "R", "concession": "", "sold": 3, "sold_krw": 450_000, "given_back": 1, "given_back_krw": 150_000}
    ]
    expected = {"captured": 450_000, "refunded": 120_000, "fees": 30_000, "kept": 330_000, "returning": 0, "compensation": 0}
    assert money(statement) == expected


def test_what_is_booked_while_it_is_read_is_in_all_of_it_or_in_none(
    staff_client: Any, buy: Buy, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    buy(seats=1)
    sum_up, waiting = settlement._money, [1]

    def sell() -> None:
        buy(seats=2)
        LedgerEntry.objects.update(at=clock() - timedelta(seconds=5))  # stamped before the cut, and committed only now
        connections.close_all()

    def between(*spans: Any) -> Any:
        if waiting.pop() if waiting else 0:
            other = threading.Thread(target=sell, daemon=True)
            other.start()
            other.join(20)
        return sum_up(*spans)

    monkeypatch.setattr(settlement, "_money", between)
    meanwhile, afterwards = read(staff_client), read(staff_client)
    seen = [(each["lines"][0]["sold_krw"], each["captured_krw"], each["returning_krw"]) for each in (meanwhile, afterwards)]
    assert seen == [(150_000, 150_000, 0), (450_000, 450_000, 0)]


def test_it_is_final_when_sales_have_ended_whatever_moves_later(
    staff_client: Any, buyer_client: Any, buyer_id: str, buy: Buy, seat: FakeSeat, put: Callable[..., None], close_sales: Callable[[], None]
) -> None:
    put()
    order_id = buy(seats=3)
    give_back_one(buyer_client, order_id)
    before = read(staff_client)
    close_sales()
    closed = read(staff_client)
    assert closed["is_final"]
    assert (closed["lines"], money(closed)) == (before["lines"], money(before))
    assert closed["after_close"] == dict.fromkeys(
        ("captured_krw", "refunded_krw", "fees_krw", "compensation_krw", "by_organiser_krw", "outside_krw"), 0
    )

    give_back_one(buyer_client, order_id)
    buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON)
    buy(seats=1)
    later = read(staff_client)
    assert later["is_final"]
    assert (later["as_of"], later["lines"], money(later)) == (closed["as_of"], closed["lines"], money(closed))
    late = {
        "captured_krw": 150_000,
        "refunded_krw": 120_000,
        "fees_krw": 30_000,
        "compensation_krw": 0,
        "by_organiser_krw": 0,
        "outside_krw": 0,
    }
    assert later["after_close"] == late
    assert later["open_payments"] == 1


def test_it_is_not_final_while_money_that_was_taken_waits_for_its_tickets(
    staff_client: Any, buy: Buy, seat: FakeSeat, put: Callable[..., None], close_sales: Callable[[], None], recover: Callable[[], None]
) -> None:
    put()
    seat.faults["confirm"] = ["unreached"]
    buy(seats=1)
    close_sales()
    waiting = read(staff_client)
    assert (waiting["is_final"], waiting["returning_krw"], waiting["lines"]) == (False, 150_000, [])
    recover()
    done = read(staff_client)
    assert (done["is_final"], done["returning_krw"], done["lines"][0]["sold"]) == (True, 0, 1)


def test_a_compensation_is_owed_apart(
    staff_client: Any, buy: Buy, put: Callable[..., None], recover: Callable[[], None], provider: FakeProvider
) -> None:
    from booking_templates.ticket.calling_off import refund_called_off

    put()
    buy(seats=2)
    staff_client.post(f"{URL}/performances/p1/cancellation", {}, content_type=JSON)
    refund_called_off()
    recover()
    expected = {"captured": 300_000, "refunded": 300_000, "fees": 0, "kept": 0, "returning": 0, "compensation": 30_000}
    assert money(read(staff_client)) == expected


def test_what_is_paid_at_the_door_is_due(
    staff_client: Any, buyer_client: Any, buyer_id: str, seat: FakeSeat, no_provider: None, put: Callable[..., None]
) -> None:
    put()
    buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON)
    statement = read(staff_client)
    assert (statement["due_krw"], statement["captured_krw"], statement["lines"]) == (300_000, 0, [])
