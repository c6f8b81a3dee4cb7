"""An organiser gives money back by hand, with real services and the stand-in's own ledger: once, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import (
    Buyer,
    Standin,
    areas_content,
    call_off,
    findings,
    open_sales,
    seats_content,
    settle,
    until,
)
from tests.mariadb import MariaDB
from tests.needs import need


def staff(booking: Booking, method: str, path: str, body: Any = None, *, key: str = "", scope: str = "content") -> urllib3.BaseHTTPResponse:
    """What the ticket service answers to those who work for the organiser."""
    headers = {"Authorization": f"Bearer {booking.staff_token(scope)}"} | ({"Idempotency-Key": key} if key else {})
    url = f"{booking.url('ticket')}/api/ticket/bookings/{path}"
    return urllib3.request(method, url, headers=headers, timeout=40, **({} if body is None else {"json": body}))


def refund(booking: Booking, order: str, *tickets: str, key: str = "", **wanted: Any) -> urllib3.BaseHTTPResponse:
    body = {"fee_krw": 0, "why": "illness", **wanted} | ({"tickets": list(tickets)} if tickets else {})
    return staff(booking, "POST", f"{order}/refunds", body, key=key)


@pytest.fixture(params=["paid seats", "unpaid areas"])
def booking(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Booking]:
    is_paid = request.param == "paid seats"
    variant = {"numbered": is_paid, "payment": "kakaopay" if is_paid else "none", "environ": {"SAGA_LEASE_S": "8"}}
    with Booking(["seat", "ticket"], tmp_path, **variant) as one:
        yield one


def test_places_given_back_by_hand_are_free_for_others_and_the_books_add_up(booking: Booking) -> None:
    is_paid = booking.payment == "kakaopay"
    open_sales(booking, seats_content(seats=3) if is_paid else areas_content(capacity=3))
    buyer, other = Buyer(booking), Buyer(booking)
    order = buyer.buy(**({"seats": ["1-1", "1-2", "1-3"]} if is_paid else {"area": 3}))
    first, second = (ticket["id"] for ticket in order["tickets"][:2])
    assert other.hold(**({"seats": ["1-1"]} if is_paid else {"area": 1})).status == 409
    if is_paid:
        Standin(booking).fault("lost_after", "cancel", partner_order_id=order["id"], times=1)
    made = refund(booking, order["id"], first, second, key="k")
    assert made.status == 201, made.data
    assert made.json()["refund_krw"] == (300_000 if is_paid else 0)
    assert refund(booking, order["id"], first, second, key="k").status == 200
    settle(booking)
    seen = staff(booking, "GET", order["id"], scope="attendees").json()
    assert (seen["status"], seen["refunded_krw"], seen["is_settling"]) == ("ISSUED", 300_000 if is_paid else 0, False)
    wish = {"best": 2} if is_paid else {"area": 2}
    until("the places are free", lambda: other.hold(**wish).status == 201, within_s=30)
    assert refund(booking, order["id"], key="rest").status == 201
    settle(booking)
    ended = buyer.read(order["id"])
    assert (ended["status"], ended["reason"]) == ("REFUNDED" if is_paid else "CANCELLED", "organiser")
    assert sorted(len(each["tickets"]) for each in ended["by_organiser"]) == [1, 2]
    assert not (violations := findings(booking)).total, str(violations)


@pytest.fixture
def on_mariadb(tmp_path: Path) -> Iterator[Booking]:
    need("mariadb")
    with MariaDB(tmp_path / "mariadb") as server:
        for service in ("seat", "ticket"):
            server.create(f"clove_{service}")
        with Booking(["seat", "ticket"], tmp_path, database=server.url, environ={"SAGA_LEASE_S": "8"}) as one:
            open_sales(one, seats_content(seats=100, performances=2, limit=4))
            yield one


def test_staff_buyers_and_a_calling_off_at_once_give_each_ticket_back_once(on_mariadb: Booking) -> None:
    """Two of the staff and the buyer go for the same tickets, answers of the provider are lost, and one performance is called off."""
    booking = on_mariadb
    buyers = [Buyer(booking) for _ in range(8)]
    orders = [buyer.buy(best=3, performance="p1" if number % 2 else "p2") for number, buyer in enumerate(buyers)]
    for number, order in enumerate(orders):
        if number % 3 == 0:
            Standin(booking).fault("lost_after", "cancel", partner_order_id=order["id"], times=1)
    started = threading.Barrier(len(orders) * 3 + 1)

    def by_staff(number: int, who: str) -> list[int]:
        order = orders[number]
        started.wait(30)
        keys = [(ticket["id"], f"{who}-{ticket['id']}") for ticket in order["tickets"]]
        return [refund(booking, order["id"], ticket, key=key).status for ticket, key in (keys if who == "one" else keys[::-1])]

    def by_buyer(number: int) -> int:
        started.wait(30)
        return buyers[number].cancel(orders[number]["id"]).status

    with ThreadPoolExecutor(len(orders) * 3) as pool:
        asked = [pool.submit(by_staff, number, who) for number in range(len(orders)) for who in ("one", "other")]
        told = [pool.submit(by_buyer, number) for number in range(len(orders))]
        started.wait(30)
        call_off(booking, "p1")
        statuses = {status for each in asked for status in each.result(120)} | {each.result(120) for each in told}
    assert statuses <= {200, 201, 409}, statuses
    settle(booking)
    assert not (violations := findings(booking)).total, str(violations)
    for buyer, order in zip(buyers, orders, strict=True):
        now = buyer.read(order["id"])
        live = [ticket for ticket in now["tickets"] if ticket["status"] == "LIVE"]
        assert now["refunded_krw"] == 150_000 * (3 - len(live)), now
        given = [ticket for each in now["by_organiser"] for ticket in each["tickets"]]
        assert len(given) == len(set(given)) <= 3 - len(live)
        if order["performance_id"] == "p1":
            assert not live
