"""A performance that is called off is off in every service, whichever of them was away at that moment and whoever was buying."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, areas_content, call_off, findings, open_sales, seats_content, settle, until
from tests.mariadb import MariaDB
from tests.needs import need
from tests.ports import free_port

PRODUCTS = [{"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": 30}]
OFF = (409, "performance_called_off")


def refusal(answer: urllib3.BaseHTTPResponse) -> tuple[int, str]:
    return answer.status, str(answer.json().get("code", ""))


def performances(booking: Booking) -> dict[str, dict[str, Any]]:
    answer = urllib3.request("GET", f"{booking.url('seat')}/api/seat/performances")
    return {each["id"]: each for each in answer.json()}


def order_program(buyer: Buyer, ticket_order: str) -> dict[str, Any]:
    """A program beside those tickets, not paid yet where a provider is asked."""
    answer = buyer.call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 2}], "ticket_order": ticket_order})
    assert answer.status == 201, answer.data
    made: dict[str, Any] = answer.json()
    return made


def buy_program(buyer: Buyer, ticket_order: str) -> dict[str, Any]:
    made = order_program(buyer, ticket_order)
    if made["payment"]:
        buyer.come_back(buyer.press(made), service="merch")
    return buyer.read(made["id"], service="merch")


def put_content(booking: Booking, service: str, content: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    answer = urllib3.request("PUT", f"{booking.url(service)}/api/{service}/content", json=content, headers=headers, timeout=30)
    assert answer.status == 200, answer.data


def hand_over(booking: Booking, code: str) -> None:
    headers = {"Authorization": f"Bearer {booking.staff_token('attendees')}"}
    answer = urllib3.request("POST", f"{booking.url('merch')}/api/merch/pickups", json={"code": code}, headers=headers)
    assert answer.status == 200, answer.data


@pytest.fixture(params=["paid seats", "unpaid areas"])
def booking(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Booking]:
    is_paid = request.param == "paid seats"
    variant = {"numbered": is_paid, "payment": "kakaopay" if is_paid else "none", "environ": {"SAGA_LEASE_S": "8"}}
    with Booking(["seat", "ticket", "merch"], tmp_path, **variant) as one:
        yield one


def test_it_is_off_everywhere_though_seat_and_merch_were_away(booking: Booking) -> None:
    is_paid = booking.payment == "kakaopay"
    content = seats_content(performances=2) if is_paid else areas_content(performances=2)
    open_sales(booking, content, products=PRODUCTS)
    places = iter([f"1-{number}" for number in range(1, 20)])

    def wish() -> dict[str, Any]:
        return {"seats": [next(places)]} if is_paid else {"area": 1}

    gone, fetched, other, holding, paying = (Buyer(booking) for _ in range(5))
    tickets = {"gone": gone.buy(**wish()), "fetched": fetched.buy(**wish()), "other": other.buy(**wish(), performance="p2")}
    beside = {
        "gone": buy_program(gone, tickets["gone"]["id"]),
        "fetched": buy_program(fetched, tickets["fetched"]["id"]),
        "other": buy_program(other, tickets["other"]["id"]),
    }
    hand_over(booking, beside["fetched"]["pickup_code"])
    held = holding.hold(**wish()).json()
    open_order = paying.order(paying.hold(**wish()).json()["id"]).json()
    unpaid = order_program(gone, tickets["gone"]["id"])

    booking.kill("seat")
    booking.kill("merch")
    assert call_off(booking, "p1")["cancelled_at"]
    booking.restart("seat")
    booking.restart("merch")
    until("seat is told", lambda: performances(booking)["p1"]["is_called_off"], within_s=30)
    assert (performances(booking)["p1"]["free"], performances(booking)["p1"]["on_sale"]) == (0, False)
    assert performances(booking)["p2"]["on_sale"]
    assert refusal(holding.call("GET", "seat", f"holds/{held['id']}")) == OFF
    assert refusal(holding.order(held["id"])) == OFF
    assert refusal(holding.hold(**wish())) == OFF

    put_content(booking, "seat", content | {"limit_per_buyer": 3})
    assert refusal(holding.hold(**wish())) == OFF

    settle(booking)
    ended = "REFUNDED" if is_paid else "CANCELLED"
    for order in (gone.read(tickets["gone"]["id"]), gone.read(beside["gone"]["id"], service="merch")):
        assert (order["status"], order["reason"]) == (ended, "performance_called_off")
        assert order["refunded_krw"] == (order["total_krw"] if is_paid else 0)
    last = gone.read(unpaid["id"], service="merch")
    assert (last["status"], last["refunded_krw"]) == ("CANCELLED", 0)
    assert paying.read(open_order["id"])["status"] == "CANCELLED"
    assert fetched.read(tickets["fetched"]["id"])["status"] == ended
    assert fetched.read(beside["fetched"]["id"], service="merch")["status"] == "ISSUED", "what was picked up stays"
    assert other.read(tickets["other"]["id"])["status"] == other.read(beside["other"]["id"], service="merch")["status"] == "ISSUED"
    assert not (violations := findings(booking, acknowledged={tickets["other"]["id"]})).total, str(violations)


@pytest.fixture
def replicated(tmp_path: Path) -> Iterator[tuple[Booking, str]]:
    """On MariaDB, with a second replica of seat, whose address is given too."""
    need("mariadb")
    with MariaDB(tmp_path / "mariadb") as server:
        for service in ("seat", "ticket", "merch"):
            server.create(f"clove_{service}")
        with Booking(["seat", "ticket", "merch"], tmp_path, database=server.url) as one:
            open_sales(one, seats_content(seats=400, performances=2, limit=40), products=PRODUCTS)
            with replica(one, "seat") as url:
                yield one, url


@contextlib.contextmanager
def replica(booking: Booking, service: str) -> Iterator[str]:
    """Another process of SERVICE, on the same database; its address."""
    port = free_port()
    with (booking.directory(service) / "log-of-replica").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "booking_templates", "serve"],
            cwd=booking.directory(service),
            env=booking.environ(service) | {"PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until("the replica is ready", lambda: answers(f"{url}/readyz"), within_s=30)
        yield url
    finally:
        process.terminate()
        process.wait(25)


def answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def held_by(seat: str, buyer: Buyer, wish: dict[str, Any]) -> urllib3.BaseHTTPResponse:
    """What the process at the address SEAT answers to BUYER's wish."""
    return urllib3.request("POST", f"{seat}/api/seat/performances/p1/holds", json=wish, headers=buyer.headers, timeout=30)


def test_whoever_is_buying_meanwhile_ends_with_nothing_and_without_a_charge(replicated: tuple[Booking, str]) -> None:
    """Buyers hold, pay and buy merchandise while it happens; half of them ask a replica that is not the one that was told."""
    booking, other_seat = replicated
    watched = f"{other_seat}/api/seat/performances/p1/availability"
    before = urllib3.request("GET", watched)
    assert "0" in before.json()["state"]
    seats = iter([f"{row}-{number}" for row in range(1, 21) for number in range(1, 21)])
    kept = Buyer(booking).buy(seats=["1-1"], performance="p2")
    enough, refusals = threading.Semaphore(0), []

    def shop(number: int) -> None:
        """Buy until it is refused."""
        buyer = Buyer(booking)
        while True:
            wish = {"seats": [next(seats)]}
            held = held_by(other_seat if number % 2 else booking.url("seat"), buyer, wish)
            if held.status != 201:
                refusals.append(refusal(held))
                return
            made = buyer.order(held.json()["id"])
            if made.status != 201:
                refusals.append(refusal(made))
                return
            answer = buyer.press(made.json(), "approve")
            buyer.come_back(answer)
            bought = buyer.read(made.json()["id"])
            if bought["status"] == "ISSUED" and number % 3 == 0:
                body = {"items": [{"product": "program", "quantity": 1}], "ticket_order": bought["id"]}
                buyer.call("POST", "merch", "orders", body)
            enough.release()

    with ThreadPoolExecutor(4) as pool:
        shopping = [pool.submit(shop, number) for number in range(4)]
        for _ in range(8):
            assert enough.acquire(timeout=60)
        call_off(booking, "p1")
        for each in shopping:
            each.result(timeout=60)
    assert set(refusals) == {OFF}, "told why, wherever they stood"

    until("seat is told", lambda: performances(booking)["p1"]["is_called_off"], within_s=30)
    assert refusal(held_by(other_seat, Buyer(booking), {"best": {"quantity": 1}})) == OFF, "at once: the database says so"
    until("the replica has looked", lambda: "is_called_off" in urllib3.request("GET", watched).json(), within_s=30)
    told = urllib3.request("GET", f"{watched}?since={before.json()['version']}", headers={"If-None-Match": before.headers["ETag"]})
    assert (told.status, told.json()["is_called_off"], set(told.json()["state"])) == (200, True, {"3"})
    settle(booking)
    assert not (violations := findings(booking, acknowledged={kept["id"]})).total, str(violations)
    summary = performances(booking)
    assert (summary["p1"]["free"], summary["p2"]["free"]) == (0, 399)


def test_what_was_bought_alone_goes_back_once_nothing_is_left_of_the_event(booking: Booking) -> None:
    is_paid = booking.payment == "kakaopay"
    open_sales(booking, seats_content(performances=2) if is_paid else areas_content(performances=2), products=PRODUCTS)
    buyer, other = Buyer(booking), Buyer(booking)
    made = buyer.call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 2}]}).json()
    if is_paid:
        buyer.come_back(buyer.press(made), service="merch")
    assert buyer.read(made["id"], service="merch")["status"] == "ISSUED"
    call_off(booking, "p1")
    booking.kill("merch")
    call_off(booking, "p2")
    booking.restart("merch")
    until("it is taken back", lambda: buyer.read(made["id"], service="merch")["status"] in ("REFUNDED", "CANCELLED"), within_s=30)
    assert buyer.read(made["id"], service="merch")["refunded_krw"] == (made["total_krw"] if is_paid else 0)
    refused = other.call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 1}]})
    assert (refused.status, refused.json()["code"]) == (409, "not_on_sale")
    settle(booking)
    assert not (violations := findings(booking)).total, str(violations)
