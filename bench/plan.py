"""`plan`: a seating plan of 15,000 seats, from the PUT to the plan that buyers get; and a deployment of it through the control plane."""

from __future__ import annotations

import gzip
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import urllib3

from bench.deploy import first_sale
from bench.measure import Row
from bench.seats import DATABASES, arena, guids, put_content, seat_service
from controlplane.rendering.example import load_example
from tests.integration.booking.harness import Booking
from tests.stack import ROOT, running

SEATS = 15_000
LIMIT_S = 2.0


def run() -> list[Row]:
    """Rows by database, and the deployment's."""
    return [*(_loaded(kind) for kind in DATABASES), *_deployed()]


def _loaded(kind: str) -> Row:
    """An empty service that gets its first plan. A violation when it takes longer than LIMIT_S, or shows other seats than it got."""
    content = arena(seats=SEATS)
    with seat_service(kind, None) as booking:
        started = time.perf_counter()
        put_content(booking, content)
        served = _served(booking)
        seconds = time.perf_counter() - started
    is_wrong = served != guids(content)
    return Row(f"plan: {SEATS:,} seats, PUT to served, {kind}", seconds, "s", violations=int(is_wrong) + int(seconds > LIMIT_S))


def _served(booking: Booking) -> list[str]:
    headers = {"Accept-Encoding": "gzip"}
    answer = urllib3.request("GET", booking.url("seat") + "/api/seat/plan", headers=headers, decode_content=False, timeout=60.0)
    plan = json.loads(gzip.decompress(answer.data))
    return [seat[0] for zone in plan["zones"] for row in zone["rows"] for seat in row["seats"]]


def _deployed() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as home, running(Path(home) / "home", "--empty") as stack:
        live_s, sold_s = first_sale(stack, stack.api(), 0, requirement())
    return [
        Row(f"plan: deployment with {SEATS:,} seats, submit to live", live_s, "s"),
        Row(f"plan: deployment with {SEATS:,} seats, submit to first ticket", sold_s, "s"),
    ]


def requirement() -> dict[str, Any]:
    """The example's event in a hall of SEATS seats."""
    content = arena(seats=SEATS)
    example: dict[str, Any] = load_example(ROOT / "examples" / "musical.json", datetime.now(UTC))
    return example | {"seating": {"numbered": True, "plan": content["plan"]}, "grades": content["grades"]}
