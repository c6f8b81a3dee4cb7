"""Limits that are asked for all at once, against real processes, on SQLite and MariaDB: to the one, whoever comes first.

Those of seats and presale codes are in test_seat_races.py and test_presale_races.py.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from bench.load import drive, request
from bench.seats import buyer_tokens
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import findings, open_sales, seats_content, settle
from tests.mariadb import MariaDB
from tests.needs import need

AT_ONCE = 48
PASSWORD = "correct horse battery"
ADDRESS = "203.0.113.7"
STOCK, LIMIT = 30, 4
PRODUCTS = [
    {"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": STOCK, "limit_per_buyer": LIMIT},
    {
        "id": "tee",
        "name": "티셔츠",
        "price_krw": 35_000,
        "option_label": "사이즈",
        "limit_per_buyer": LIMIT,
        "options": [{"id": size, "name": size, "stock": 100, "extra_krw": 0} for size in ("m", "l")],
    },
]


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB | None]:
    if request.param == "sqlite":
        yield None
        return
    need("mariadb")
    with MariaDB(tmp_path_factory.mktemp("mariadb") / "server") as server:
        yield server


@pytest.fixture(scope="module")
def booking(database: MariaDB | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    services = ["auth", "seat", "ticket", "merch"]
    for service in services if database else []:
        assert database
        database.create(f"clove_{service}")
    where = database.url if database else "sqlite"
    with Booking(services, tmp_path_factory.mktemp("limits"), database=where, payment="none") as one:
        open_sales(one, seats_content(seats=20), products=PRODUCTS)
        yield one
        settle(one)
        violations = findings(one)
        assert not violations.total, str(violations)


def at_once(booking: Booking, service: str, asks: list[bytes]) -> Counter[tuple[int, str]]:
    """Each over a connection of its own; how often each answer was given."""
    told: Counter[tuple[int, str]] = Counter()
    port = int(booking.url(service).rsplit(":", 1)[1])
    drive(port, asks, connections=len(asks), seen=lambda status, body: told.update([(status, json.loads(body).get("code", ""))]))
    return told


def auth(path: str, body: dict[str, Any], address: str = ADDRESS) -> bytes:
    return request("POST", f"/api/auth/{path}", body=body, headers={"X-Clove-Request": "1", "X-Forwarded-For": address})


def sign_up(number: object, address: str = ADDRESS) -> bytes:
    return auth("signup", {"email": f"pupil-{number}@example.com", "password": PASSWORD, "name": "Pupil"}, address)


def guess(email: str, number: int, address: str = ADDRESS) -> bytes:
    return auth("login", {"email": email, "password": f"guess {number}"}, address)


def order(token: str, product: str, option: str = "") -> bytes:
    item = {"product": product, "quantity": 1, **({"option": option} if option else {})}
    return request("POST", "/api/merch/orders", token=token, body={"items": [item]})


def test_of_many_guesses_from_one_place_five_are_looked_at(booking: Booking) -> None:
    assert at_once(booking, "auth", [sign_up("place", "198.51.100.1")]) == {(201, ""): 1}
    told = at_once(booking, "auth", [guess("pupil-place@example.com", number) for number in range(AT_ONCE)])
    assert told == {(401, "wrong_credentials"): 5, (429, "too_many_attempts"): AT_ONCE - 5}


def test_of_many_guesses_from_many_places_at_one_account_twenty_five_are_looked_at(booking: Booking) -> None:
    asks = [guess("nobody@example.com", number, f"198.51.100.{number}") for number in range(AT_ONCE)]
    assert at_once(booking, "auth", asks) == {(401, "wrong_credentials"): 25, (429, "too_many_attempts"): AT_ONCE - 25}


def test_of_many_who_sign_up_from_one_address_a_hundred_get_an_account(booking: Booking) -> None:
    told: Counter[tuple[int, str]] = Counter()
    for first in range(0, 10 * AT_ONCE, AT_ONCE):
        told += at_once(booking, "auth", [sign_up(number) for number in range(first, first + AT_ONCE)])
        if told[429, "too_many_sign_ups"]:
            break
    assert told[201, ""] == 100
    # On a machine that is busy some wait too long for a password to be hashed.
    assert set(told) <= {(201, ""), (429, "too_many_sign_ups"), (503, "busy")}


def test_the_last_pieces_go_to_as_many_as_there_are(booking: Booking) -> None:
    asks = [order(token, "program") for token in buyer_tokens(booking.keys, AT_ONCE)]
    assert at_once(booking, "merch", asks) == {(201, ""): STOCK, (409, "sold_out"): AT_ONCE - STOCK}
    products = urllib3.request("GET", f"{booking.url('merch')}/api/merch/products").json()["products"]
    assert [product["left"] for product in products if product["id"] == "program"] == [0]


def test_one_buyer_has_as_many_of_a_product_as_one_may_whatever_its_options(booking: Booking) -> None:
    token = buyer_tokens(booking.keys, 1)[0]
    told = at_once(booking, "merch", [order(token, "tee", "ml"[number % 2]) for number in range(AT_ONCE)])
    assert told == {(201, ""): LIMIT, (422, "limit_exceeded"): AT_ONCE - LIMIT}
