"""Merchandise with every service it talks to as a process: pictures, options, bought with tickets, given back in part, picked up."""

from __future__ import annotations

import hashlib
import struct
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, Standin, findings, open_sales, seats_content, settle

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + bytes(100)
DIGEST = hashlib.sha256(PNG).hexdigest()
PRODUCTS = [
    {"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": 30, "picture": DIGEST},
    {
        "id": "tee",
        "name": "티셔츠",
        "price_krw": 35_000,
        "option_label": "사이즈",
        "options": [{"id": "xl", "name": "XL", "stock": 3, "extra_krw": 2_000}],
    },
]


@pytest.fixture(scope="module", params=["kakaopay", "none"])
def booking(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Booking]:
    with Booking(["seat", "ticket", "merch"], tmp_path_factory.mktemp("booking"), payment=request.param) as found:
        picture = staff(found, "PUT", f"pictures/{DIGEST}", body=PNG)
        assert picture.status == 200, picture.data
        open_sales(found, seats_content(), products=PRODUCTS)
        yield found
        settle(found)
        assert not (violations := findings(found)).total, str(violations)


def staff(booking: Booking, method: str, path: str, *, key: str = "", **sent: Any) -> urllib3.BaseHTTPResponse:
    headers = {"Authorization": f"Bearer {booking.staff_token('content', 'attendees', 'summary')}"}
    headers |= {"Idempotency-Key": key} if key else {}
    return urllib3.request(method, f"{booking.url('merch')}/api/merch/{path}", headers=headers, timeout=30, **sent)


def shop(buyer: Buyer, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Order and pay; the order as it is afterwards."""
    answer = buyer.call("POST", "merch", "orders", {"items": list(items), **more})
    assert answer.status == 201, answer.data
    made: dict[str, Any] = answer.json()
    if made["payment"]:
        buyer.come_back(buyer.press(made), service="merch")
    return buyer.read(made["id"], service="merch")


def test_a_products_picture_is_there(booking: Booking) -> None:
    url = urllib3.request("GET", f"{booking.url('merch')}/api/merch/products").json()["products"][0]["picture"]["url"]
    assert urllib3.request("GET", booking.public_url + url).data == PNG


def test_products_are_bought_with_tickets_each_with_its_own_payment(booking: Booking) -> None:
    buyer = Buyer(booking)
    tickets = buyer.buy(seats=["1-1"])
    order = shop(buyer, {"product": "tee", "option": "xl", "quantity": 1}, ticket_order=tickets["id"])
    assert (order["status"], order["total_krw"], order["ticket_order"]) == ("ISSUED", 37_000, tickets["id"])
    body = {"items": [{"product": "program", "quantity": 1}], "ticket_order": tickets["id"]}
    stranger = Buyer(booking).call("POST", "merch", "orders", body)
    assert (stranger.status, stranger.json()["code"]) == (404, "unknown_ticket_order")
    nowhere = buyer.call("POST", "merch", "orders", body | {"ticket_order": str(uuid.uuid4())})
    assert nowhere.status == 404


def test_a_part_is_given_back_and_the_rest_picked_up(booking: Booking) -> None:
    buyer = Buyer(booking)
    order = shop(buyer, {"product": "program", "quantity": 3})
    item = order["items"][0]["id"]
    part = buyer.call("POST", "merch", f"orders/{order['id']}/refunds", {"items": [{"item": item, "quantity": 2}]}).json()
    is_paid = booking.payment == "kakaopay"
    assert (part["status"], part["refunded_krw"], part["due_krw"]) == ("ISSUED", 30_000 if is_paid else 0, 0 if is_paid else 15_000)
    handed = staff(booking, "POST", "pickups", json={"code": order["pickup_code"]}).json()
    assert (handed["items"][0]["quantity"] - handed["items"][0]["given_back"], handed["due_krw"]) == (1, part["due_krw"])
    assert buyer.cancel(order["id"], service="merch").json()["code"] == "already_picked_up"


def test_without_the_ticket_service_products_are_sold_alone(booking: Booking) -> None:
    buyer = Buyer(booking)
    tickets = buyer.buy(seats=["2-1"])
    booking.kill("ticket")
    try:
        body = {"items": [{"product": "program", "quantity": 1}], "ticket_order": tickets["id"]}
        silent = buyer.call("POST", "merch", "orders", body)
        assert (silent.status, silent.json()["code"]) == (503, "ticket_unavailable")
        assert shop(buyer, {"product": "program", "quantity": 1})["status"] == "ISSUED"
    finally:
        booking.restart("ticket")


def test_what_is_counted_after_everything_was_taken_off_sale_is_all_that_is_ever_ordered(tmp_path: Path) -> None:
    """As the control plane does before it takes merchandise away: no payment may begin after the last look."""
    badge = {"id": "badge", "name": "배지", "price_krw": 3_000, "stock": 100_000}
    statuses: list[int] = []
    until = time.monotonic() + 30
    with Booking(["merch"], tmp_path) as booking:
        assert staff(booking, "PUT", "content", json={"products": [badge]}).status == 200

        def order() -> None:
            body = {"items": [{"product": "badge", "quantity": 1}]}
            while 404 not in statuses and time.monotonic() < until:
                headers = {"Authorization": f"Bearer {booking.buyer_token()}"}
                url = f"{booking.url('merch')}/api/merch/orders"
                statuses.append(urllib3.request("POST", url, json=body, headers=headers, timeout=30).status)

        with ThreadPoolExecutor(8) as buyers:
            loops = [buyers.submit(order) for _ in range(8)]
            while statuses.count(201) < 30 and time.monotonic() < until:
                time.sleep(0.01)
            assert staff(booking, "PUT", "content", json={"products": []}).status == 200
            counted = staff(booking, "GET", "open").json()["open_payments"]
        for loop in loops:
            loop.result()

        assert set(statuses) == {201, 404}
        assert counted == staff(booking, "GET", "open").json()["open_payments"] == statuses.count(201)


def test_what_the_organiser_gives_back_is_counted_once_and_the_books_add_up(booking: Booking) -> None:
    is_paid = booking.payment == "kakaopay"
    buyer = Buyer(booking)
    order = shop(buyer, {"product": "program", "quantity": 2})
    (item,) = order["items"]
    where = f"pickups/{order['id']}"
    wish = {"items": [{"item": item["id"], "quantity": 1}], "why": "fault"}
    if is_paid:
        Standin(booking).fault("lost_after", "cancel", partner_order_id=order["id"], times=1)
    made = staff(booking, "POST", f"{where}/refunds", json=wish, key="k")
    assert made.status == 201, made.data
    assert made.json()["refund_krw"] == (item["price_krw"] if is_paid else 0)
    assert staff(booking, "POST", f"{where}/refunds", json=wish, key="k").status == 200
    settle(booking)
    code = buyer.read(order["id"], service="merch")["pickup_code"]
    assert staff(booking, "POST", "pickups", json={"code": code}).status == 200
    assert staff(booking, "POST", f"{where}/refunds", json={"why": "fault"}).status == 409
    assert staff(booking, "POST", f"{where}/refunds", json={"why": "fault", "picked_up": True}).status == 201
    settle(booking)
    ended = buyer.read(order["id"], service="merch")
    assert (ended["status"], ended["reason"]) == ("REFUNDED" if is_paid else "CANCELLED", "organiser")
    assert [sum(each["pieces"].values()) for each in ended["by_organiser"]] == [1, 1]
    told = [entry["kind"] for entry in staff(booking, "GET", where).json()["history"]]
    assert told == ["ordered", *(["paid"] if is_paid else []), "given_back", "picked_up", "given_back"]
    assert not (violations := findings(booking)).total, str(violations)
