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
from booking_templates.ticket.calling_off import refund_called_off
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
    assert set(closed["after_close"].values()) == {0}

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
        "due_krw": 0,
        "taken_at_door_krw": 0,
        "to_give_back_at_door_krw": 0,
        "sold": 1,
        "given_back": 1,
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
    put()
    buy(seats=2)
    staff_client.post(f"{URL}/performances/p1/cancellation", {}, content_type=JSON)
    refund_called_off()
    recover()
    expected = {"captured": 300_000, "refunded": 300_000, "fees": 0, "kept": 0, "returning": 0, "compensation": 30_000}
    assert money(read(staff_client)) == expected


def order_unpaid(client: Any, hold_id: str) -> str:
    return str(client.post(f"{URL}/orders", {"hold_id": hold_id}, content_type=JSON).json()["id"])


def line(sold: int, given_back: int, price_krw: int = 150_000) -> dict[str, Any]:
    sums = {"sold": sold, "sold_krw": sold * price_krw, "given_back": given_back, "given_back_krw": given_back * price_krw}
    return {"performance_id": "p1", "grade": "R", "concession": "", **sums}


def test_what_is_paid_at_the_door_is_due(
    staff_client: Any, buyer_client: Any, buyer_id: str, seat: FakeSeat, no_provider: None, put: Callable[..., None]
) -> None:
    put()
    order_unpaid(buyer_client, seat.hold(buyer_id))
    statement = read(staff_client)
    assert (statement["due_krw"], statement["captured_krw"], statement["lines"]) == (300_000, 0, [line(2, 0)])


def test_what_was_due_at_the_close_stays_so_and_what_moves_later_is_told_apart(
    staff_client: Any, buyer_client: Any, buyer_id: str, seat: FakeSeat, no_provider: None, put: Callable[..., None]
) -> None:
    put()
    order_id = order_unpaid(buyer_client, seat.hold(buyer_id))
    ticket = Ticket.objects.order_by("pk")[0].pk
    buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 0, "tickets": [ticket]}, content_type=JSON)
    before = clock() - timedelta(hours=1)
    Order.objects.update(issued_at=before)
    Ticket.objects.exclude(withdrawn_at=None).update(withdrawn_at=before)
    put(sales_close_at=(clock() - timedelta(minutes=1)).isoformat())
    closed = read(staff_client)
    assert (closed["is_final"], closed["due_krw"], closed["lines"]) == (True, 150_000, [line(2, 1)])

    buyer_client.post(f"{URL}/orders/{order_id}/cancel")
    later = read(staff_client)
    assert (later["is_final"], later["due_krw"], later["lines"]) == (True, 150_000, [line(2, 1)])
    late = later["after_close"]
    assert (late["due_krw"], late["sold"], late["given_back"], late["refunded_krw"]) == (-150_000, 0, 1, 0)


def test_free_tickets_are_counted_beside_paid_ones(
    staff_client: Any, buyer_client: Any, buyer_id: str, buy: Buy, seat: FakeSeat, put: Callable[..., None]
) -> None:
    put()
    buy(seats=1)
    order_unpaid(buyer_client, seat.hold(buyer_id, seats=2, price_krw=0))
    statement = read(staff_client)
    assert statement["lines"] == [line(3, 0) | {"sold_krw": 150_000}]
    assert (statement["captured_krw"], statement["kept_krw"], statement["returning_krw"], statement["due_krw"]) == (150_000, 150_000, 0, 0)


def test_what_an_earlier_release_took_back_is_not_due(
    staff_client: Any, buyer_client: Any, buyer_id: str, seat: FakeSeat, no_provider: None, put: Callable[..., None]
) -> None:
    put()
    order_id = order_unpaid(buyer_client, seat.hold(buyer_id))
    buyer_client.post(f"{URL}/orders/{order_id}/cancel")
    Ticket.objects.update(withdrawn_at=None)
    statement = read(staff_client)
    assert (statement["due_krw"], statement["lines"]) == (0, [line(2, 2)])


def test_a_statement_that_was_final_stays_whatever_is_sold_after_all(
    staff_client: Any, buyer_client: Any, buy: Buy, put: Callable[..., None], close_sales: Callable[[], None]
) -> None:
    put()
    order_id = buy(seats=3)
    close_sales()
    closed = read(staff_client)
    assert (closed["is_final"], closed["since"], closed["later"]) == (True, None, [])

    put(sales_close_at=(clock() + timedelta(days=2)).isoformat())
    buy(seats=1)
    give_back_one(buyer_client, order_id)
    now = read(staff_client)
    frozen = ("as_of", "is_final", "sales_close_at", "lines", "captured_krw", "refunded_krw", "kept_krw", "fees_krw")
    assert {name: now[name] for name in frozen} == {name: closed[name] for name in frozen}
    (later,) = now["later"]
    assert (later["since"], later["is_final"], now["after_close"]) == (closed["as_of"], False, None)
    assert (later["lines"], later["captured_krw"], later["refunded_krw"]) == ([line(1, 1)], 150_000, 120_000)
    assert (later["kept_krw"], later["fees_krw"], later["returning_krw"]) == (30_000, 30_000, 0)

    put(sales_close_at=closed["as_of"])
    again = read(staff_client)
    assert {name: again[name] for name in frozen} == {name: closed[name] for name in frozen}
    assert again["later"] == []
    assert (again["after_close"]["sold"], again["after_close"]["given_back"]) == (1, 1)


@pytest.mark.parametrize("edit", ["moved", "another", "no end"])
def test_no_edit_opens_a_statement_that_was_closed(staff_client: Any, buy: Buy, close_sales: Callable[[], None], edit: str) -> None:
    buy(seats=1)
    close_sales()
    closed = read(staff_client)
    starts = (clock() + timedelta(days=30)).isoformat()
    performances = [{"id": "p1", "starts_at": starts}, *([{"id": "p2", "starts_at": starts}] if edit == "another" else [])]
    body = {"title": "t", "performances": performances, "sales_close_at": None}
    assert staff_client.put(f"{URL}/content", body, content_type=JSON).status_code == 200
    now = read(staff_client)
    assert (now["as_of"], now["is_final"], now["lines"]) == (closed["as_of"], True, closed["lines"])
    assert [(each["since"], each["is_final"]) for each in now["later"]] == [(closed["as_of"], False)]


@pytest.fixture
def minutes_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for transactions of the moment at which sales ended."""
    monkeypatch.setattr(settlement, "CLOSING_TAKES", timedelta(0))


@pytest.mark.parametrize("sales_close_at", [None, timedelta(days=3)])
def test_what_is_called_off_is_settled_with_the_last_of_its_refunds(
    staff_client: Any,
    buy: Buy,
    put: Callable[..., None],
    recover: Callable[[], None],
    provider: FakeProvider,
    minutes_ago: None,
    sales_close_at: timedelta | None,
) -> None:
    put(sales_close_at=None if sales_close_at is None else (clock() + sales_close_at).isoformat())
    buy(seats=2)
    provider.faults |= {"cancel": ["unreached"], "order": ["unreached"]}
    staff_client.post(f"{URL}/performances/p1/cancellation", {}, content_type=JSON)
    refund_called_off()
    assert not read(staff_client)["is_final"], "money is on its way"
    recover()
    done = read(staff_client)
    assert (done["is_final"], done["lines"], done["kept_krw"], done["compensation_krw"]) == (True, [line(2, 2)], 0, 30_000)
    assert done["as_of"] == read(staff_client)["as_of"]


def test_a_performance_that_is_still_sold_keeps_the_statement_open(staff_client: Any, put: Callable[..., None], minutes_ago: None) -> None:
    starts = (clock() + timedelta(days=5)).isoformat()
    put(performances=[{"id": "p1", "starts_at": starts}, {"id": "p2", "starts_at": starts}])
    staff_client.post(f"{URL}/performances/p1/cancellation", {}, content_type=JSON)
    assert not read(staff_client)["is_final"]


def test_unpaid_tickets_of_what_is_called_off_are_not_due(
    staff_client: Any, buyer_client: Any, buyer_id: str, seat: FakeSeat, no_provider: None, put: Callable[..., None], minutes_ago: None
) -> None:
    put()
    order_unpaid(buyer_client, seat.hold(buyer_id))
    staff_client.post(f"{URL}/performances/p1/cancellation", {}, content_type=JSON)
    refund_called_off()
    statement = read(staff_client)
    assert (statement["is_final"], statement["due_krw"], statement["lines"]) == (True, 0, [line(2, 2)])
