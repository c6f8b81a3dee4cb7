"""Concessions with real services and the stand-in's own ledger, on both databases: bought, changed, given back, and the books add up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, Standin, areas_content, findings, open_sales, seats_content, settle
from tests.mariadb import MariaDB
from tests.needs import need

YOUTH = {"id": "youth", "name": "청소년", "percent": 33, "proof": "학생증 지참"}
GROUP = {"id": "group", "name": "3인 이상", "percent": 10, "at_least": 3}
CHILD = {"id": "child", "name": "36개월 미만", "percent": 100, "at_most": 1}
OFFERED = [YOUTH, GROUP, CHILD]


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.slow), "unpaid areas"])
def booking(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Booking]:
    with ExitStack() as stack:
        more: dict[str, Any] = {}
        if request.param == "mariadb":
            need("mariadb")
            server = stack.enter_context(MariaDB(tmp_path / "mariadb"))
            for service in ("seat", "ticket"):
                server.create(f"clove_{service}")
            more = {"database": server.url}
        is_paid = request.param != "unpaid areas"
        variant = {"numbered": is_paid, "payment": "kakaopay" if is_paid else "none", "environ": {"SAGA_LEASE_S": "8"}}
        with Booking(["seat", "ticket"], tmp_path, **variant, **more) as one:
            content = seats_content(seats=40, limit=4) if is_paid else areas_content(limit=4)
            open_sales(one, content, concessions=OFFERED)
            yield one
            settle(one)
            assert not (violations := findings(one)).total, str(violations)


def hold(booking: Booking, buyer: Buyer, count: int) -> tuple[str, list[str]]:
    """A hold of COUNT places, and their ids."""
    held = buyer.hold(**({"best": count} if booking.payment == "kakaopay" else {"area": count})).json()
    return held["id"], [place["id"] for place in held["places"]]


def finish(booking: Booking, buyer: Buyer, order: dict[str, Any]) -> dict[str, Any]:
    if order["payment"]:
        buyer.come_back(buyer.press(order))
    found = buyer.read(order["id"])
    assert found["status"] == "ISSUED"
    return found


def put(booking: Booking, concessions: list[dict[str, Any]]) -> None:
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    starts = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    body = {"title": "t", "performances": [{"id": "p1", "starts_at": starts}], "concessions": concessions}
    answer = urllib3.request("PUT", f"{booking.url('ticket')}/api/ticket/content", json=body, headers=headers, timeout=30)
    assert answer.status == 200, answer.data


def staff(booking: Booking, path: str, scope: str) -> Any:
    headers = {"Authorization": f"Bearer {booking.staff_token(scope)}"}
    return urllib3.request("GET", f"{booking.url('ticket')}/api/ticket/{path}", headers=headers, timeout=30).json()


def test_what_is_chosen_is_paid_and_given_back_and_the_books_add_up(booking: Booking) -> None:
    buyer = Buyer(booking)
    held, places = hold(booking, buyer, 4)
    chosen = dict.fromkeys(places[:3], "group") | {places[3]: "youth"}
    refused = buyer.order(held, {places[0]: "group"})
    assert (refused.status, refused.json()["code"], refused.json()["at_least"]) == (409, "concession_too_few", 3)
    total = 3 * 135_000 + 100_500
    refused = buyer.order(held, chosen, expected_total_krw=total - 1)
    assert (refused.json()["code"], refused.json()["total_krw"]) == ("price_changed", total)
    made = buyer.order(held, chosen, expected_total_krw=total)
    assert (made.status, made.json()["total_krw"]) == (201, total)
    order = finish(booking, buyer, made.json())
    put(booking, [])
    assert buyer.order(held, chosen, expected_total_krw=total).json()["id"] == order["id"]
    lines = {line["concession"]: line["price_krw"] for line in staff(booking, "tallies", "summary")["rows"]}
    assert lines == {"3인 이상": 405_000, "청소년": 100_500}
    group, youth = [ticket["id"] for ticket in order["tickets"][:3]], order["tickets"][3]["id"]
    path = f"orders/{order['id']}/refunds"
    split = buyer.call("POST", "ticket", path, {"fee_krw": 0, "tickets": group[:1]})
    assert (split.status, split.json()["code"]) == (409, "concession_group")
    assert buyer.call("POST", "ticket", path, {"fee_krw": 0, "tickets": [youth]}).status == 200
    settle(booking)
    is_paid = booking.payment == "kakaopay"
    assert buyer.read(order["id"])["refunded_krw"] == (100_500 if is_paid else 0)
    settled = staff(booking, "settlement", "summary")
    if is_paid:
        assert settled["captured_krw"] == total == sum(line["sold_krw"] for line in settled["lines"])
        assert settled["kept_krw"] == 405_000
    else:
        assert settled["due_krw"] == 405_000


def test_two_tabs_with_other_choices_at_once_end_in_one_order(booking: Booking) -> None:
    """Whichever comes last counts; whoever comes in between is told to try again. Nobody is charged for what was not chosen."""
    buyers = [Buyer(booking) for _ in range(6)]
    held = [hold(booking, buyer, 2) for buyer in buyers]

    def press(at: int) -> int:
        buyer, (one, places) = buyers[at // 4], held[at // 4]
        choice = {places[0]: "youth"} if at % 2 else dict.fromkeys(places[:1], "child")
        return buyer.call("POST", "ticket", "orders", {"hold_id": one, "concessions": choice}).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(press, range(4 * len(buyers))))
    assert set(statuses) <= {200, 201, 409}, statuses
    for buyer, (_one, _places) in zip(buyers, held, strict=True):
        orders = buyer.call("GET", "ticket", "orders").json()["orders"]
        standing = [order for order in orders if order["status"] != "CANCELLED"]
        assert len(standing) <= 1, orders
        if not standing or standing[0]["status"] == "PENDING":
            continue
        order = standing[0] if standing[0]["status"] == "ISSUED" else finish(booking, buyer, standing[0])
        by_choice = {"청소년": 250_500, "36개월 미만": 150_000}
        assert order["total_krw"] == by_choice[order["places"][0]["concession"]]


def test_an_answer_that_is_lost_and_sent_again_is_the_one_order(booking: Booking) -> None:
    buyer = Buyer(booking)
    held, places = hold(booking, buyer, 2)
    is_paid = booking.payment == "kakaopay"
    if is_paid:
        Standin(booking).fault("lost_after", "ready", times=1)
    chosen = {places[0]: "youth"}
    first = buyer.order(held, chosen, expected_total_krw=250_500)
    assert first.status == (503 if is_paid else 201)
    put(booking, [YOUTH | {"percent": 50}])
    again = buyer.order(held, chosen, expected_total_krw=250_500)
    assert (again.status, again.json()["total_krw"]) == (200, 250_500)
    assert finish(booking, buyer, again.json())["places"][0]["list_price_krw"] == 150_000
    assert len(buyer.call("GET", "ticket", "orders").json()["orders"]) == 1
