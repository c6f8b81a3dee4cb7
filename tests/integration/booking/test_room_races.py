"""Thousands come at once to two processes of the seat service, on SQLite and MariaDB: each gets a number of their own, without a gap, and
nobody is in before a lower number."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3

from bench.load import Load, drive, request
from bench.seats import arena, guids, port, put_content
from tests.integration.booking.harness import Booking
from tests.mariadb import MariaDB
from tests.ports import free_port

COMERS = 1_000
"""To each of two processes."""
TURNS = "/api/seat/room/turns"
LIMIT = 4


@pytest.fixture
def content() -> dict[str, Any]:
    """Sixteen come in at once, and then as many in ten seconds."""
    return arena(limit=LIMIT, performances=1, seats=500) | {"admit_per_minute": 96}


@pytest.fixture
def booking(database: MariaDB | None, tmp_path: Path, content: dict[str, Any]) -> Iterator[Booking]:
    if database:
        database.create("clove_seat")
    with Booking(["seat"], tmp_path, database=database.url if database else "sqlite") as one:
        put_content(one, content)
        yield one


@pytest.fixture
def second(booking: Booking) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Another process of the same service, on the same data, and its port."""
    at = free_port()
    environ = booking.environ("seat") | {"PORT": str(at)}
    with (booking.root / "seat/log-2").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "booking_templates", "serve"], env=environ, stdout=log, stderr=log)
    try:
        eventually(lambda: is_ready(at), "the second process serves")
        yield process, at
    finally:
        process.terminate()
        process.wait(25)


def is_ready(at: int) -> bool:
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        return urllib3.request("GET", f"http://127.0.0.1:{at}/readyz", retries=False, timeout=2).status == 200
    return False


def eventually(check: Any, what: str) -> None:
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def room(at: int) -> dict[str, Any]:
    found: dict[str, Any] = urllib3.request("GET", f"http://127.0.0.1:{at}/api/seat/room", retries=False, timeout=10).json()
    return found


class Comers:
    """What those who came were told."""

    def __init__(self) -> None:
        self.turns: dict[int, str] = {}
        self.numbers: list[int] = []
        self.were_in: set[int] = set()
        self._lock = threading.Lock()

    def seen(self, status: int, body: bytes) -> None:
        assert status == 201, body
        told = json.loads(body)
        with self._lock:
            self.numbers.append(told["number"])
            self.turns[told["number"]] = told["turn"]
            if told["number"] <= told["room"]["admitted"]:
                self.were_in.add(told["number"])

    def come(self, at: int, count: int = COMERS) -> Load:
        return drive(at, [request("POST", TURNS, body={})] * count, connections=48, seen=self.seen)


def come_until_it_dies(comers: Comers, at: int) -> None:
    with contextlib.suppress(Exception):
        comers.come(at, 20_000)


def pause(booking: Booking, ports: list[int]) -> None:
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    urllib3.request("PUT", booking.url("seat") + "/api/seat/room", json={"is_paused": True}, headers=headers, timeout=10)
    eventually(lambda: all(room(at)["is_paused"] for at in ports), "both processes know that it is paused")


def test_each_gets_the_next_number_and_the_lowest_are_in(booking: Booking, second: tuple[Any, int], content: dict[str, Any]) -> None:
    ports, comers = [port(booking), second[1]], Comers()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(comers.come, ports))

    assert sorted(comers.numbers) == list(range(1, 2 * COMERS + 1)), "a number is missing, or was given out twice"
    pause(booking, ports)
    admitted = room(ports[0])["admitted"]
    assert room(ports[1])["admitted"] == admitted
    assert 16 <= admitted < 400
    assert all(number <= admitted for number in comers.were_in)

    # Everybody up to some way behind tries to book, at either process, those behind first: exactly those are let in whose turn it is.
    tried = list(range(1, admitted + 61))
    seats = iter(guids(content))
    holds = [
        (
            number,
            request(
                "POST",
                "/api/seat/performances/p1/holds",
                token=booking.buyer_token(),
                body={"seats": [next(seats)]},
                headers={"X-Clove-Turn": comers.turns[number]},
            ),
        )
        for number in reversed(tried)
    ]
    let_in, turned_away = set(), set()
    for index, (number, raw) in enumerate(holds):
        load = drive(ports[index % 2], [raw], connections=1)
        (let_in if load.statuses[201] else turned_away).add(number)
        assert set(load.statuses) <= {201, 403}
    assert (let_in, turned_away) == (set(range(1, admitted + 1)), set(range(admitted + 1, admitted + 61)))


def test_a_crash_gives_no_number_twice_and_takes_nobodys_place(booking: Booking, second: tuple[Any, int]) -> None:
    process, at = second
    comers = Comers()
    dying = threading.Thread(target=come_until_it_dies, args=(comers, at), daemon=True)
    dying.start()
    eventually(lambda: len(comers.numbers) > 200, "some have come")
    process.kill()
    process.wait(10)
    comers.come(port(booking), 300)
    dying.join(60)

    told = comers.numbers
    assert len(set(told)) == len(told), "a number was given out twice"
    mine = max(told)
    booking.kill("seat")
    booking.restart("seat")
    again = urllib3.request("POST", booking.url("seat") + TURNS, json={"turn": comers.turns[mine]}, timeout=10).json()
    assert (again["turn"], again["number"]) == (comers.turns[mine], mine)
    assert room(port(booking))["given"] >= mine
    next_ = urllib3.request("POST", booking.url("seat") + TURNS, json={}, timeout=10).json()
    assert next_["number"] > mine
