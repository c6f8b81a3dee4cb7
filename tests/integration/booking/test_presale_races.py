"""Many accounts use one presale code at the same moment, and one account many, on SQLite and MariaDB: a code is one account's for good.

What was acknowledged survives a crash, and codes are the same at every process.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3

from bench.load import drive, request
from bench.seats import arena, buyer_tokens, guids, port, put_content, query
from tests.integration.booking.harness import Booking
from tests.mariadb import MariaDB

ACCOUNTS = 50
PRESALE = "/api/seat/presale"
HOLDS = "/api/seat/performances/p1/holds"


@pytest.fixture
def content() -> dict[str, Any]:
    """A presale that is open, a day before the sale, and no waiting room in the way."""
    now = datetime.now(UTC)
    made = arena(limit=4, performances=1, seats=500)
    sales = made["sales"] | {"opens_at": (now + timedelta(hours=1)).isoformat()}
    presale = {"name": "선예매", "opens_at": (now - timedelta(hours=1)).isoformat()}
    return made | {"sales": sales, "presale": presale, "admit_per_minute": 0}


@pytest.fixture
def booking(database: MariaDB | None, tmp_path: Path, content: dict[str, Any]) -> Iterator[Booking]:
    if database:
        database.create("clove_seat")
    with Booking(["seat"], tmp_path, database=database.url if database else "sqlite") as one:
        put_content(one, content)
        yield one


def staff(booking: Booking, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {booking.staff_token('content', 'summary')}"}
    answer = urllib3.request(method, booking.url("seat") + PRESALE + path, json=body, headers=headers, timeout=30, retries=False)
    assert answer.status in (200, 201), answer.data
    return answer.json()


def codes(booking: Booking, count: int) -> list[str]:
    staff(booking, "POST", "/codes", {"count": count})
    return [each["code"] for each in staff(booking, "GET", f"/codes/list?count={count}")["codes"]]


def use(booking: Booking, tokens: list[str], texts: list[str]) -> Counter[tuple[int, str]]:
    """Everybody uses theirs at the same moment, over a connection of their own; how often each answer was given."""
    told: Counter[tuple[int, str]] = Counter()
    asks = [request("POST", PRESALE, token=token, body={"code": text}) for token, text in zip(tokens, texts, strict=True)]
    drive(port(booking), asks, connections=len(asks), seen=lambda status, body: told.update([(status, json.loads(body).get("code", ""))]))
    return told


def test_of_fifty_accounts_one_has_the_code_and_may_hold(booking: Booking, content: dict[str, Any]) -> None:
    crowds = [buyer_tokens(booking.keys, ACCOUNTS) for _ in range(5)]

    for tokens, text in zip(crowds, codes(booking, 5), strict=True):
        assert use(booking, tokens, [text] * ACCOUNTS) == {(200, ""): 1, (409, "code_taken"): ACCOUNTS - 1}

    assert query(booking, "SELECT COUNT(*), COUNT(DISTINCT buyer) FROM seat_code") == [(5, 5)]
    seats = iter(guids(content))
    asks = [request("POST", HOLDS, token=token, body={"seats": [next(seats)]}) for tokens in crowds for token in tokens]
    assert drive(port(booking), asks, connections=16).statuses == {201: 5, 409: 5 * ACCOUNTS - 5}


def test_one_account_that_uses_fifty_codes_at_once_has_one(booking: Booking) -> None:
    token = buyer_tokens(booking.keys, 1)[0]

    assert use(booking, [token] * ACCOUNTS, codes(booking, ACCOUNTS)) == {(200, ""): ACCOUNTS}

    assert query(booking, "SELECT COUNT(*), COUNT(DISTINCT buyer) FROM seat_code") == [(1, 1)]


def test_a_code_that_is_used_while_it_is_withdrawn_lets_nobody_in(booking: Booking, content: dict[str, Any]) -> None:
    texts = codes(booking, 20)
    tokens = buyer_tokens(booking.keys, len(texts))

    with ThreadPoolExecutor(8) as pool:
        taking = [pool.submit(staff, booking, "POST", "/withdrawals", {"code": text}) for text in texts]
        told = use(booking, tokens, texts)
        were_used = sum(each.result()["was_used"] for each in taking)

    assert set(told) <= {(200, ""), (409, "code_withdrawn")}
    assert told[200, ""] == were_used
    assert staff(booking, "GET", "/codes") == {"given": 20, "used": 0, "withdrawn": 20}
    seats = guids(content)
    load = drive(port(booking), [request("POST", HOLDS, token=token, body={"seats": [seats[0]]}) for token in tokens], connections=4)
    assert load.statuses == {409: len(texts)}


def test_two_who_make_codes_at_once_give_none_out_twice(booking: Booking) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: staff(booking, "POST", "/codes", {"count": 10}), range(20)))

    assert staff(booking, "GET", "/codes")["given"] == 200


def test_a_code_that_was_acknowledged_is_the_accounts_after_a_crash(booking: Booking) -> None:
    texts = codes(booking, 3)
    first, second = buyer_tokens(booking.keys, 2)
    assert use(booking, [first], texts[:1]) == {(200, ""): 1}

    booking.kill("seat")
    booking.restart("seat")

    assert use(booking, [second], texts[:1]) == {(409, "code_taken"): 1}
    assert codes(booking, 1)[:1] == texts[:1]
    assert use(booking, [second], texts[1:2]) == {(200, ""): 1}
