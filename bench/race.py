"""A thousand buyers want one seat at the same moment, a hundred times: one has it, the others are told so."""

from __future__ import annotations

import random
from collections.abc import Sequence

from bench.load import Load, drive, request
from bench.measure import Row
from bench.seats import DATABASES, arena, buyer_tokens, guids, port, seat_service, violations

BUYERS = 1_000
ROUNDS = 100


def run() -> list[Row]:
    """A row a database: rounds with exactly one winner, and how long the slowest buyer waited for an answer in the worst of them."""
    return [row for kind in DATABASES for row in _measure(kind)]


def _measure(kind: str) -> list[Row]:
    content = arena(limit=4, performances=1)
    with seat_service(kind, content) as booking:
        tokens = buyer_tokens(booking.keys, BUYERS)
        seats = guids(content)
        dice = random.Random(1)
        # In another order each time: who connects first often wins, and nobody may win more often than the limit allows.
        loads = [one_seat(port(booking), dice.sample(tokens, BUYERS), "p1", seats[round_ * 7]) for round_ in range(ROUNDS)]
        wrong = sum(load.statuses != {201: 1, 409: BUYERS - 1} for load in loads)
        slowest_ms = max(max(load.latencies_s) for load in loads) * 1000
        broken = violations(booking, 4) + wrong
        return [
            Row(f"rounds with one winner of {BUYERS:,}, {kind}", ROUNDS - wrong, "rounds", violations=broken),
            Row(f"slowest answer to {BUYERS:,} at once, {kind}", slowest_ms, "ms"),
        ]


def one_seat(at: int, tokens: Sequence[str], performance: str, seat: str) -> Load:
    """Every buyer in TOKENS asks for SEAT over a connection of their own, all at the same time."""
    path = f"/api/seat/performances/{performance}/holds"
    return drive(at, [request("POST", path, token=token, body={"seats": [seat]}) for token in tokens], connections=len(tokens))
