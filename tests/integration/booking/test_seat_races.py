"""Many buyers at the same places at the same time, against real processes, on SQLite and MariaDB.

Each test states its invariant: I1 a seat has one holder, I5 what was acknowledged survives, I6 nobody is over the limit, I7 no area is
over its capacity.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from bench.load import drive, request
from bench.race import one_seat
from bench.seats import arena, buyer_tokens, festival, guids, port, put_content, query, violations
from tests.integration.booking.harness import Booking
from tests.mariadb import MariaDB

LIMIT = 4
HOLDS = "/api/seat/performances/p1/holds"


def service(database: MariaDB | None, directory: Path, content: dict[str, Any], *, numbered: bool = True) -> Booking:
    if database:
        database.create("clove_seat")
    booking = Booking(["seat"], directory, database=database.url if database else "sqlite", numbered=numbered)
    booking.start()
    put_content(booking, content)
    return booking


@pytest.fixture
def content() -> dict[str, Any]:
    return arena(limit=LIMIT, performances=1, seats=500)


@pytest.fixture
def booking(database: MariaDB | None, tmp_path: Path, content: dict[str, Any]) -> Iterator[Booking]:
    found = service(database, tmp_path, content)
    try:
        yield found
        assert violations(found, LIMIT) == 0
    finally:
        found.stop()


def call(booking: Booking, method: str, path: str, token: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return urllib3.request(method, booking.url("seat") + path, json=body, headers=headers, timeout=30, retries=False)


def availability(booking: Booking, since: str = "") -> dict[str, Any]:
    path = "/api/seat/performances/p1/availability" + (f"?since={since}" if since else "")
    answer: dict[str, Any] = urllib3.request("GET", booking.url("seat") + path).json()
    return answer


def expected_states(booking: Booking, content: dict[str, Any]) -> str:
    """What the database says is shown."""
    numbers = dict(query(booking, "SELECT number, guid FROM seat_seat"))
    states = {numbers[place]: "2" if state == 2 else "1" for place, state in query(booking, "SELECT place, state FROM seat_claim")}
    return "".join(states.get(guid, "0") for guid in guids(content))


def eventually(check: Any, what: str) -> None:
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_of_a_thousand_who_want_one_seat_one_has_it(booking: Booking, content: dict[str, Any]) -> None:
    tokens = buyer_tokens(booking.keys, 1_000)

    for seat in guids(content)[:3]:
        assert one_seat(port(booking), tokens, "p1", seat).statuses == {201: 1, 409: 999}

    assert query(booking, "SELECT COUNT(*) FROM seat_claim") == [(3,)]


def test_overlapping_parties_get_all_their_seats_or_none(booking: Booking, content: dict[str, Any]) -> None:
    dice = random.Random(4)
    seats = guids(content)[:12]
    wishes = [dice.sample(seats, dice.randint(2, 4)) for _ in range(400)]
    tokens = buyer_tokens(booking.keys, 400)
    given: list[dict[str, Any]] = []

    load = drive(
        port(booking),
        [request("POST", HOLDS, token=token, body={"seats": wish}) for token, wish in zip(tokens, wishes, strict=True)],
        connections=64,
        seen=lambda status, body: given.append(json.loads(body)) if status == 201 else None,
    )

    assert set(load.statuses) == {201, 409}
    held = Counter(place["seat"] for hold in given for place in hold["places"])
    assert set(held.values()) == {1}
    assert query(booking, "SELECT COUNT(*), COUNT(DISTINCT hold) FROM seat_claim") == [(len(held), len(given))]
    free = set(seats) - set(held)
    assert not any(set(wish) <= free for wish in wishes), "a party was refused though all its seats were free in the end"
    eventually(lambda: availability(booking)["state"] == expected_states(booking, content), "availability never came to what is")


def test_a_buyer_with_a_hundred_tabs_stays_within_the_limit(booking: Booking, content: dict[str, Any]) -> None:
    token = buyer_tokens(booking.keys, 1)[0]
    requests = [request("POST", HOLDS, token=token, body={"seats": [seat]}) for seat in guids(content)[:100]]

    load = drive(port(booking), requests, connections=100)

    assert load.statuses == {201: LIMIT, 422: 96}
    assert sorted(query(booking, "SELECT slot FROM seat_claim")) == [(slot,) for slot in range(1, LIMIT + 1)]


def test_seats_whose_hold_has_expired_go_to_one_of_those_who_want_them(booking: Booking, content: dict[str, Any]) -> None:
    """The pass that sweeps may be quicker than any of them, or slower: it makes no difference."""
    first, *others = buyer_tokens(booking.keys, 301)
    for seat in guids(content)[:5]:
        assert call(booking, "POST", HOLDS, first, {"seats": [seat]}).status == 201
        _let_expire(booking)
        load = one_seat(port(booking), others, "p1", seat)
        assert load.statuses == {201: 1, 409: 299}
    assert {slot for (slot,) in query(booking, "SELECT slot FROM seat_claim")} <= set(range(1, LIMIT + 1))


def _let_expire(booking: Booking) -> None:
    execute(booking, "UPDATE seat_claim SET expires_ms = 1 WHERE state = 1")


def execute(booking: Booking, sql: str) -> None:
    url = booking.database_url("seat")
    if url.startswith("sqlite"):
        import sqlite3

        connection = sqlite3.connect(booking.database_path("seat"), timeout=20, isolation_level=None)
        connection.execute(sql)
        connection.close()
        return
    import MySQLdb

    parts = urllib3.util.parse_url(url)
    user, _, password = (parts.auth or "").partition(":")
    mysql = MySQLdb.connect(
        host=parts.host, port=parts.port, user=user, passwd=password, db=(parts.path or "").lstrip("/"), autocommit=True
    )
    mysql.cursor().execute(sql)
    mysql.close()


def test_who_follows_deltas_sees_what_who_reads_everything_sees(booking: Booking, content: dict[str, Any]) -> None:
    """Holds, releases, payments and refunds for some seconds' worth of requests, watched throughout."""
    tokens = buyer_tokens(booking.keys, 40)
    stop = threading.Event()
    problems: list[str] = []
    watched = {"states": "", "version": "", "answers": 0}

    def watch() -> None:
        while not stop.is_set():
            _follow(booking, watched)
            time.sleep(0.02)

    def shop(number: int) -> None:
        dice = random.Random(number)
        for turn in range(15):
            seats = dice.sample(guids(content)[:120], dice.randint(1, 2))
            token = tokens[dice.randrange(len(tokens))]
            answer = call(booking, "POST", HOLDS, token, {"seats": seats})
            if answer.status not in (201, 409, 422):
                problems.append(f"hold: {answer.status} {answer.data!r}")
            if answer.status != 201:
                continue
            hold, order = answer.json()["id"], f"order-{number}-{turn}"
            inside = booking.service_token("ticket", "seat")
            if dice.random() < 0.4:
                answers = [call(booking, "DELETE", f"/api/seat/holds/{hold}", token)]
            else:
                answers = [call(booking, "POST", f"/internal/holds/{hold}/confirm", inside, {"order_id": order}) for _twice in range(2)]
                if dice.random() < 0.4:
                    answers.append(call(booking, "POST", f"/internal/orders/{order}/release", inside, {}))
            problems.extend(f"{each.status} {each.data!r}" for each in answers if each.status not in (200, 204))

    watcher = threading.Thread(target=watch, daemon=True)
    shoppers = [threading.Thread(target=shop, args=(number,), daemon=True) for number in range(8)]
    for thread in (watcher, *shoppers):
        thread.start()
    for thread in shoppers:
        thread.join()
    stop.set()
    watcher.join()

    assert problems == []

    def has_caught_up() -> bool:
        _follow(booking, watched)
        return watched["states"] == availability(booking)["state"] == expected_states(booking, content)

    eventually(has_caught_up, "deltas led somewhere else")
    assert watched["answers"] > 10


def _follow(booking: Booking, watched: dict[str, Any]) -> None:
    answer = availability(booking, watched["version"])
    if answer["full"]:
        watched["states"] = answer["state"]
    for index, state in answer.get("changes", ()):
        watched["states"] = watched["states"][:index] + str(state) + watched["states"][index + 1 :]
    watched["version"] = answer["version"]
    watched["answers"] += 1


def test_every_acknowledged_hold_survives_a_kill(booking: Booking, content: dict[str, Any]) -> None:
    """I5, five kills in the middle of holds: whoever was told 201 has the seat after the restart."""
    acknowledged: set[str] = set()
    seats = iter(guids(content))
    for _kill in range(5):
        enough = threading.Semaphore(0)

        def shop(token: str, seat: str, enough: threading.Semaphore = enough) -> None:
            try:
                answer = call(booking, "POST", HOLDS, token, {"seats": [seat]})
            except urllib3.exceptions.HTTPError:
                return
            if answer.status == 201:
                acknowledged.add(answer.json()["places"][0]["seat"])
                enough.release()

        threads = [threading.Thread(target=shop, args=(token, next(seats)), daemon=True) for token in buyer_tokens(booking.keys, 60)]
        for thread in threads:
            thread.start()
        for _some in range(5):
            assert enough.acquire(timeout=20), "nobody could hold anything"
        booking.kill("seat")
        for thread in threads:
            thread.join()
        booking.restart("seat")
    shown = dict(zip(guids(content), availability(booking)["state"], strict=True))
    assert len(acknowledged) >= 25
    assert {seat: shown[seat] for seat in acknowledged} == dict.fromkeys(acknowledged, "1")


def test_an_area_is_filled_to_the_last_place_and_no_further(database: MariaDB | None, tmp_path: Path) -> None:
    content = festival(performances=1, limit=3)
    content["areas"] = [{"id": "field", "name": "잔디", "capacity": 150, "grade": content["grades"][0]["name"]}]
    booking = service(database, tmp_path, content, numbered=False)
    try:
        dice = random.Random(7)
        tokens = buyer_tokens(booking.keys, 250)
        wishes = [{"areas": [{"area": "field", "quantity": dice.randint(1, 3)}]} for _ in tokens]
        requests = [request("POST", HOLDS, token=token, body=wish) for token, wish in zip(tokens, wishes, strict=True)]
        # Whoever wanted three and was refused leaves one or two places for others: they come again for one.
        requests += [request("POST", HOLDS, token=token, body={"areas": [{"area": "field", "quantity": 1}]}) for token in tokens]

        codes: Counter[str] = Counter()
        drive(port(booking), requests, connections=64, seen=lambda _status, body: codes.update([json.loads(body).get("code", "held")]))

        assert {"held", "area_full"} <= set(codes) <= {"held", "area_full", "limit_exceeded"}
        assert query(booking, "SELECT COUNT(*) FROM seat_claim") == [(150,)]
        assert violations(booking, 3) == 0
        eventually(lambda: availability(booking)["areas"]["field"]["free"] == 0, "availability never came to what is")
    finally:
        booking.stop()


def test_what_is_counted_after_sales_were_closed_is_all_that_is_ever_held(booking: Booking, content: dict[str, Any]) -> None:
    tokens = buyer_tokens(booking.keys, 500)
    wishes = [request("POST", HOLDS, token=token, body={"seats": [seat]}) for token, seat in zip(tokens, guids(content), strict=True)]
    some_hold = threading.Event()
    statuses: list[int] = []

    def seen(status: int, _body: Any) -> None:
        statuses.append(status)
        if len(statuses) == 50:
            some_hold.set()

    buyers = threading.Thread(target=lambda: drive(port(booking), wishes, connections=8, seen=seen), daemon=True)
    buyers.start()
    assert some_hold.wait(60)

    put_content(booking, content | {"sales": {"opens_at": "2000-01-01T00:00:00+00:00", "closes_at": "2000-01-02T00:00:00+00:00"}})
    counted = call(booking, "GET", "/api/seat/summary", booking.staff_token("summary")).json()["performances"][0]["held"]
    buyers.join(60)

    assert set(statuses) == {201, 409}
    assert len(statuses) == 500
    assert [(counted,)] == query(booking, "SELECT COUNT(*) FROM seat_claim")
    assert counted == statuses.count(201)
