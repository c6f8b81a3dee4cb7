"""`rush`: 3,000 buyers in the shop at once, for a house of 1,241 seats. Each ends with a ticket or is told that it is sold out."""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench.bots.crowd import Crowd, arrivals, send
from bench.bots.report import percentile, text, write_html
from bench.bots.shop import Shop
from bench.client import Lines
from bench.load import request
from bench.measure import Row
from bench.seats import bare_view, buyer_tokens, guids, musical
from bench.selling import FACES, selling
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import findings, settle

CROWD = Crowd(rush=3_000, rush_within_s=2.0, think_s=5.0, processes=2)
"""All come within two seconds, and take five on average to choose, to go on and to pay."""
LIMIT_P99_MS = 1_000
REPORT = Path("var/bench/rush.html")


def run() -> list[Row]:
    """On MariaDB, through pages, seats and tickets. Floor: a bare Django view with one UPDATE, to which as many come in the same way."""
    content = musical(performances=1)
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as name, selling(Path(name), content) as booking:
        with bare_view(f"sqlite:///{name}/bare.sqlite3") as port:
            floor_ms = percentile(uvloop.run(_bare(port)), 99) * 1000
        shop = Shop(addresses={service: booking.url(service) for service in FACES}, standin=booking.url("standin"), performance="p1")
        tokens = buyer_tokens(booking.keys, CROWD.arrivals_max)
        used = _cpu_s(booking)
        told = send(CROWD, shop, tokens)
        print(text(told))
        print(_told_of_cpu(used, _cpu_s(booking), told.seconds))
        settle(booking)
        found = findings(booking, acknowledged=told.orders)
        if found.total:
            print(found)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    write_html(told, REPORT, title=f"{CROWD.rush:,} buyers at once")
    p99_ms = percentile([record.latency_s for record in told.records], 99) * 1000
    seats = len(guids(content))
    unsold = abs(seats - told.outcomes["ticket"])
    return [
        Row(
            f"rush: of {CROWD.rush:,} come within {CROWD.rush_within_s:.0f} s, left with a ticket",
            told.outcomes["ticket"],
            "tickets",
            violations=found.total + unsold,
        ),
        Row("rush: who were told that it is sold out", told.outcomes["sold out"], "buyers", violations=told.failures),
        Row("rush: request p99", p99_ms, "ms", floor_ms, p99_ms / floor_ms, violations=int(p99_ms > LIMIT_P99_MS)),
        Row("rush: order p99, with having been asked to wait", percentile(told.order_waits_s, 99) * 1000, "ms"),
        Row("rush: in the waiting room, p50", percentile(told.room_waits_s, 50), "s"),
        Row("rush: in the waiting room, p99", percentile(told.room_waits_s, 99), "s"),
        Row("rush: requests answered with 5xx or not at all", told.server_errors, "requests", violations=told.server_errors),
        Row("rush: requests a second over the whole of it", len(told.records) / told.seconds, "requests/s"),
    ]


def _cpu_s(booking: Booking) -> dict[str, float]:
    """CPU time so far, in seconds, of each service and of the bots that have gone."""
    bots = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {**{name: booking.cpu_s(name) for name in (*FACES, "standin")}, "bots": bots.ru_utime + bots.ru_stime}


def _told_of_cpu(before: dict[str, float], after: dict[str, float], seconds: float) -> str:
    """Where the machine's time went; the rest is the database's, and of others who work on it."""
    used = ", ".join(f"{name} {after[name] - before[name]:.1f} s" for name in after)
    return f"CPU: {used}, in {seconds:.1f} s; load average {os.getloadavg()[0]:.1f}"


async def _bare(port: int) -> Sequence[float]:
    """Seconds from when each request was due to its answer."""
    lines, loop = Lines(), asyncio.get_running_loop()
    begin = loop.time()

    async def come(at_s: float, row: int) -> float:
        await asyncio.sleep(begin + at_s - loop.time())
        await lines.send(f"http://127.0.0.1:{port}", request("POST", f"/{row}", body={}))
        return loop.time() - begin - at_s

    waited = await asyncio.gather(*(come(each.at_s, each.number) for each in arrivals(CROWD)))
    lines.close()
    return waited
