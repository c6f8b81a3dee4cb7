"""`pages`: what a buyers' page costs the process that serves it, in CPU time: other work of the machine does not count."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path

from bench.load import Load, drive, request
from bench.measure import Row
from bench.seats import musical
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import open_sales

PAGES = 3_000
CONNECTIONS = 16
GZIP = {"Accept-Encoding": "gzip", "Accept-Language": "ko"}
SEATS = "/performances/p1"


def run() -> list[Row]:
    """Logged-in buyers, each with a token of their own that is seen for the first time; then visitors without one."""
    with (
        tempfile.TemporaryDirectory(prefix="clove-bench-") as name,
        Booking(("web", "seat", "ticket"), Path(name), payment="none") as booking,
    ):
        open_sales(booking, musical(performances=1))
        drive(_port(booking), [request("GET", SEATS, headers=GZIP)] * 50, connections=CONNECTIONS)
        tokens = [booking.buyer_token() for _ in range(PAGES)]
        return [
            _row(booking, "seat page of a buyer", [request("GET", SEATS, token=token, headers=GZIP) for token in tokens]),
            _row(booking, "seat page of a visitor", [request("GET", SEATS, headers=GZIP)] * PAGES),
            _row(booking, "checkout page of a buyer", [_checkout(token) for token in tokens]),
        ]


def _checkout(token: str) -> bytes:
    return request("GET", f"/checkout/{uuid.uuid4()}", token=token, headers=GZIP)


def _port(booking: Booking) -> int:
    return int(booking.url("web").rsplit(":", 1)[1])


def _row(booking: Booking, what: str, requests: list[bytes]) -> Row:
    before_s = booking.cpu_s("web")
    load: Load = drive(_port(booking), requests, connections=CONNECTIONS)
    cpu_ms = (booking.cpu_s("web") - before_s) * 1000 / len(requests)
    print(f"{what}: {load.per_second():.0f} /s, p99 {load.percentile_ms(99):.0f} ms, {load.bytes_received / load.count:.0f} bytes")
    return Row(f"pages: CPU of a {what}", cpu_ms, "ms", violations=load.count - load.statuses[200])
