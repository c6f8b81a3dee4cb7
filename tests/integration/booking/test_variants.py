"""All eight booking systems that the container pool can make: numbered or not, paid by KakaoPay or not, with merchandise or without.

Each runs as real processes with what its images have baked in, and a buyer walks through it over the public address: account, places,
hold, payment, tickets, giving back, shop, and the account's end.
"""

from __future__ import annotations

import itertools
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from booking_templates import catalog
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import PRICE_KRW, areas_content, findings, seats_content, settle, until
from tests.integration.booking.site import PASSWORD, open_site

TIMEOUT_S = 20
WITHIN_S = 20
NAME = "김변형"
PLACES = 40


class Variant:
    """What was asked for, and the images that the pool has for it."""

    def __init__(self, *, numbered: bool, kakaopay: bool, merchandise: bool) -> None:
        self.is_numbered, self.is_paid, self.has_shop = numbered, kakaopay, merchandise
        asked = {"numbered": _yes(numbered), "kakaopay": _yes(kakaopay)}
        services = ["auth", "event", "seat", "ticket", "web", *(["merch"] if merchandise else [])]
        self.images = {service: _image(service, asked) for service in services}

    def __str__(self) -> str:
        words = (
            "numbered" if self.is_numbered else "areas",
            "kakaopay" if self.is_paid else "unpaid",
            "shop" if self.has_shop else "no shop",
        )
        return ", ".join(words)

    def start(self, directory: Path) -> Booking:
        return Booking(
            list(self.images),
            directory,
            numbered=self.is_numbered,
            payment="kakaopay" if self.is_paid else "none",
            merchandise=self.has_shop,
        )


def _yes(claim: bool) -> str:
    return "yes" if claim else "no"


def _image(service: str, asked: dict[str, str]) -> catalog.Image:
    """The one image of SERVICE that can do what is ASKED, as far as it has a say in it."""
    fits = [
        image
        for image in catalog.IMAGES
        if image.service == service and all(asked[name] == value for name, value in image.capabilities.items())
    ]
    assert len(fits) == 1, (service, asked)
    return fits[0]


def variants() -> list[Any]:
    """All eight. The four in which every two choices meet run always: they have all the images; the rest is in the slow suite."""
    found = []
    for numbered, kakaopay, merchandise in itertools.product((True, False), repeat=3):
        variant = Variant(numbered=numbered, kakaopay=kakaopay, merchandise=merchandise)
        is_always = numbered ^ kakaopay ^ merchandise
        found.append(pytest.param(variant, id=str(variant), marks=() if is_always else pytest.mark.slow))
    return found


class Visitor:
    """A browser's requests to the public address, with its cookies."""

    def __init__(self, booking: Booking) -> None:
        self.base = booking.public_url
        self.session = requests.Session()
        self.session.headers.update({"X-Clove-Request": "1", "Accept-Language": "en"})

    def call(self, method: str, path: str, body: Any = None, *, expected: int = 200, **headers: str) -> Any:
        answer = self.session.request(method, self.base + path, json=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
        assert answer.status_code == expected, (method, path, answer.status_code, answer.text[:300])
        return answer.json() if answer.headers.get("Content-Type", "").startswith("application/json") else answer.text

    def pay(self, order: dict[str, Any]) -> None:
        """Approve at the provider's page, and come back where it says."""
        page = order["payment"]["redirect_url"]
        back = requests.post(page, data={"action": "approve"}, timeout=TIMEOUT_S, allow_redirects=False)
        assert back.status_code == 303, back.text[:300]
        parts = urlsplit(back.headers["Location"])
        self.call("GET", f"{parts.path}?{parts.query}", expected=303)


@pytest.fixture(params=variants())
def variant(request: pytest.FixtureRequest) -> Variant:
    found: Variant = request.param
    return found


@pytest.fixture
def booking(variant: Variant, tmp_path: Path) -> Iterator[Booking]:
    with variant.start(tmp_path) as one:
        yield one


def test_a_buyer_walks_through_it(variant: Variant, booking: Booking) -> None:
    for service, image in variant.images.items():
        assert image.env.items() <= booking.environ(service).items(), f"{image.name} runs as it is built"
    open_site(booking, seats_content(seats=PLACES) if variant.is_numbered else areas_content(capacity=PLACES))

    visitor = Visitor(booking)
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD, "name": NAME, "phone": "01012345678"}
    buyer = visitor.call("POST", "/api/auth/signup", account, expected=201)["buyer"]["id"]
    assert "오페라의 유령" in visitor.call("GET", "/")
    assert visitor.call("GET", "/performances/p1")
    visitor.call("GET", "/shop", expected=200 if variant.has_shop else 404)

    order = book(variant, visitor)
    give_one_back_then_all(variant, visitor, order)
    if variant.has_shop:
        shop(variant, visitor)
    kept = book(variant, visitor)

    settle(booking)
    assert not (violations := findings(booking, acknowledged={kept["id"]})).total, str(violations)
    close_account(booking, visitor, buyer)


def book(variant: Variant, visitor: Visitor) -> dict[str, Any]:
    """Two places from the hold to the tickets, when none is taken; the order."""
    plan = visitor.call("GET", "/api/seat/plan")
    assert plan["numbered"] is variant.is_numbered
    wish = {"best": {"quantity": 2}} if variant.is_numbered else {"areas": [{"area": "floor", "quantity": 2}]}
    held = visitor.call("POST", "/api/seat/performances/p1/holds", wish, expected=201)
    assert held["total_krw"] == 2 * PRICE_KRW
    headers = {"Idempotency-Key": held["id"]}
    order = visitor.call("POST", "/api/ticket/orders", {"hold_id": held["id"]}, expected=201, **headers)
    assert bool(order["payment"]) is variant.is_paid
    if variant.is_paid:
        assert order["status"] == "PAYING"
        visitor.pay(order)
    order = visitor.call("GET", f"/api/ticket/orders/{order['id']}")
    assert (order["status"], [ticket["status"] for ticket in order["tickets"]]) == ("ISSUED", ["LIVE", "LIVE"])
    assert "<svg" in visitor.call("GET", f"/api/ticket/tickets/{order['tickets'][0]['id']}/qr.svg")
    until("the places are taken", lambda: visitor.call("GET", "/api/seat/performances")[0]["free"] == PLACES - 2, within_s=WITHIN_S)
    return dict(order)


def give_one_back_then_all(variant: Variant, visitor: Visitor, order: dict[str, Any]) -> None:
    path = f"/api/ticket/orders/{order['id']}"
    one = order["tickets"][0]["id"]
    quote = visitor.call("GET", f"{path}/cancellation?tickets={one}")
    assert (quote["fee_krw"], quote["refund_krw"]) == (0, PRICE_KRW if variant.is_paid else 0)
    visitor.call("POST", f"{path}/refunds", {"tickets": [one], "fee_krw": 0})
    until("one is given back", lambda: not visitor.call("GET", path)["is_settling"], within_s=WITHIN_S)
    visitor.call("POST", f"{path}/cancel")
    ended = "REFUNDED" if variant.is_paid else "CANCELLED"
    until("all is given back", lambda: visitor.call("GET", path)["status"] == ended, within_s=WITHIN_S)
    assert visitor.call("GET", path)["refunded_krw"] == (2 * PRICE_KRW if variant.is_paid else 0)


def shop(variant: Variant, visitor: Visitor) -> None:
    """A product bought alone, its pick-up code, and its money back."""
    wish = {"items": [{"product": "program", "quantity": 2}]}
    order = visitor.call("POST", "/api/merch/orders", wish, expected=201, **{"Idempotency-Key": uuid.uuid4().hex})
    if variant.is_paid:
        visitor.pay(order)
    path = f"/api/merch/orders/{order['id']}"
    order = visitor.call("GET", path)
    assert (order["status"], bool(order["pickup_code"])) == ("ISSUED", True)
    visitor.call("POST", f"{path}/cancel")
    until("the shop's order is given back", lambda: visitor.call("GET", path)["status"] in ("REFUNDED", "CANCELLED"), within_s=WITHIN_S)
    assert visitor.call("GET", path)["refunded_krw"] == (30_000 if variant.is_paid else 0)


def close_account(booking: Booking, visitor: Visitor, buyer: str) -> None:
    """The account ends everywhere: nobody's name is left, the sale is."""
    visitor.call("DELETE", "/api/auth/me", {"password": PASSWORD}, expected=204)
    visitor.call("GET", "/api/auth/me", expected=401)

    def names(service: str, table: str) -> set[str]:
        with sqlite3.connect(f"file:{booking.database_path(service)}?mode=ro", uri=True) as database:
            return {str(value) for row in database.execute(f"SELECT * FROM {table}") for value in row}

    places = [("ticket", "ticket_order"), *([("merch", "merch_order")] if "merch" in booking.services else [])]
    for service, table in places:
        until(f"{service} has forgotten", lambda s=service, t=table: not {NAME, "01012345678", buyer} & names(s, t))  # type: ignore[misc]
