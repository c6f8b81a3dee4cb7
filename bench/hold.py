"""Seat holds a second through the public path, on SQLite and MariaDB, beside a bare Django view that does one conditional UPDATE."""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench.load import Load, drive, request
from bench.measure import Row
from bench.seats import DATABASES, arena, bare_view, buyer_tokens, guids, port, seat_service, violations
from tests.integration.booking.harness import Booking

HOLDS = 6_000
WARM_UP = 600
CONNECTIONS = 16
LIMIT = 4
ROUNDS = 3


def run() -> list[Row]:
    """A row a database."""
    return [_measure(kind) for kind in DATABASES]


def _measure(kind: str) -> Row:
    """Medians of rounds taken in turn, so that whatever else the machine does falls on both."""
    content = arena(limit=LIMIT)
    with seat_service(kind, content) as booking:
        bare_url = booking.database_url("seat").replace("/clove_seat", "/bench")
        if kind == "sqlite":
            bare_url = f"sqlite:///{booking.root}/bare.sqlite3"
        with bare_view(bare_url) as bare_port:
            requests, updates = _holds(booking, guids(content)), _updates()
            drive(port(booking), _first(requests, WARM_UP), connections=CONNECTIONS)
            drive(bare_port, _first(updates, WARM_UP), connections=CONNECTIONS)
            pairs = [
                (
                    _rate(drive(bare_port, _first(updates, HOLDS), connections=CONNECTIONS), 200),
                    _rate(drive(port(booking), _first(requests, HOLDS), connections=CONNECTIONS), 201),
                )
                for _round in range(ROUNDS)
            ]
        floor, rate = sorted(pairs, key=lambda pair: pair[1] / pair[0])[len(pairs) // 2]
        return Row(f"seat holds, {kind}", rate, "holds/s", floor, rate / floor, violations(booking, LIMIT))


def _rate(load: Load, status: int) -> float:
    if set(load.statuses) != {status}:
        raise RuntimeError(f"not only {status}: {dict(load.statuses)}")
    return load.per_second(status)


def _first(requests: Iterator[bytes], count: int) -> list[bytes]:
    """Made before the clock starts."""
    return [next(requests) for _ in range(count)]


def _updates() -> Iterator[bytes]:
    rows = list(range(60_000))
    random.Random(1).shuffle(rows)
    return (request("POST", f"/{row}", body={}) for row in rows)


def _holds(booking: Booking, seats: list[str]) -> Iterator[bytes]:
    """One seat each, in no order; a buyer comes LIMIT times."""
    places = [(performance, seat) for performance in ("p1", "p2", "p3", "p4") for seat in seats]
    random.Random(1).shuffle(places)
    turns: dict[str, list[str]] = {}
    for performance, seat in places:
        waiting = turns.setdefault(performance, [])
        if not waiting:
            waiting += buyer_tokens(booking.keys, 250) * LIMIT
        yield request("POST", f"/api/seat/performances/{performance}/holds", token=waiting.pop(), body={"seats": [seat]})
