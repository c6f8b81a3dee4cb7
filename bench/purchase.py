"""Complete purchases a second: hold, order, the provider's page, back, tickets; `kakaopay` code against the stand-in, on this machine.

The floor is `bench.bare_shop`: as many requests among as many processes, with as many commits. One machine's two cores are not another's
(docs/decisions/0050), so `bench.machine`'s UPDATEs of the same run stand beside them.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from bench import machine
from bench.client import Line
from bench.load import request
from bench.measure import Row
from bench.seats import DATABASES, arena, bare_view, buyer_tokens, guids
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import findings, open_sales, settle
from tests.mariadb import MariaDB

PURCHASES = 3_000
ROUNDS = 3
WARM_UP = 300
BUYERS = 24
"""How many buy at the same time."""
FORM = b"action=approve"
BARE = "bench.bare_shop"


def run() -> list[Row]:
    """A row a database, medians of rounds taken in turn; and how many of them this machine does in the time of a thousand UPDATEs."""
    return [row for kind in DATABASES for row in _measure(kind)]


def _measure(kind: str) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as name:
        directory = Path(name)
        if kind == "sqlite":
            return [_on(kind, "sqlite", directory)[0]]
        with MariaDB(directory / "mariadb") as server:
            for schema in ("clove_seat", "clove_ticket", "bench_seat", "bench_ticket", "bench"):
                server.create(schema)
            with bare_view(f"{server.url}/bench") as updates:
                purchases, to_updates = _on(kind, server.url, directory, updates)
                return [purchases, Row("purchases in the time of a thousand UPDATEs", to_updates, "purchases")]


def _on(kind: str, url: str, directory: Path, updates: int | None = None) -> tuple[Row, float]:
    """The row, and purchases to a thousand UPDATEs of the view at port UPDATES."""
    content = arena(limit=4)
    with _bare_shop(kind, url, directory) as ports, Booking(["seat", "ticket"], directory / "booking", database=url) as booking:
        open_sales(booking, content)
        wishes, numbers, issued = _wishes(booking, content), itertools.count(), set[str]()

        def sales(count: int) -> float:
            made = uvloop.run(purchases(booking, list(islice(wishes, count)), buyers=BUYERS))
            if len(made.issued) != count:
                raise RuntimeError(f"not every purchase came through: {dict(made.statuses)}")
            issued.update(made.issued)
            return count / made.seconds

        def bare(count: int) -> float:
            started = time.perf_counter()
            uvloop.run(_bare_purchases(ports, list(islice(numbers, count))))
            return count / (time.perf_counter() - started)

        sales(WARM_UP)
        bare(WARM_UP)
        rounds = []
        for each in range(ROUNDS):
            per_s = machine.updates_per_s(updates, each / ROUNDS, directory) if updates else 0.0
            rounds.append((bare(PURCHASES // ROUNDS), sales(PURCHASES // ROUNDS), per_s))
        settle(booking)
        found = findings(booking, acknowledged=issued)
        if found.total:
            print(found)
        floor, rate, _per_s = sorted(rounds, key=lambda each: each[1] / each[0])[ROUNDS // 2]
        to_updates = sorted(1_000 * rate / per_s for _floor, rate, per_s in rounds)[ROUNDS // 2] if updates else 0.0
        return Row(f"complete purchases, {kind}", rate, "purchases/s", floor, rate / floor, found.total), to_updates


@contextmanager
def _bare_shop(kind: str, url: str, directory: Path) -> Iterator[dict[str, int]]:
    """The ports of the three parts of `bench.bare_shop`."""

    def database(name: str) -> str:
        return f"{url}/bench_{name}" if kind == "mariadb" and name != "provider" else f"sqlite:///{directory}/bench-{name}.sqlite3"

    with (
        bare_view(database("seat"), BARE) as seat,
        bare_view(database("provider"), BARE) as provider,
        bare_view(database("ticket"), BARE, BENCH_SEAT=_at(seat), BENCH_PROVIDER=_at(provider)) as ticket,
    ):
        yield {"seat": seat, "provider": provider, "ticket": ticket}


def _at(port: int) -> str:
    return f"http://127.0.0.1:{port}"


async def _bare_purchases(ports: dict[str, int], numbers: list[int]) -> None:
    left = iter(numbers)
    steps = (("seat", "begin/{}"), ("ticket", "order/{}"), ("provider", "move/{}/2"), ("ticket", "back/{}"), ("ticket", "read/{}"))

    async def buyer() -> None:
        shop = {name: await Line.to(_at(port)) for name, port in ports.items()}
        for number in left:
            for name, step in steps:
                status, _headers, body = await shop[name].send(request("POST", "/" + step.format(number)))
                if status != 200:
                    raise RuntimeError(f"{step}: {status}")
            if body != b"4":
                raise RuntimeError("a bare purchase did not come through")
        for line in shop.values():
            line.close()

    await asyncio.gather(*(buyer() for _ in range(BUYERS)))


@dataclass
class Sales:
    """What came of it: orders that are issued, answers by step and status, seconds of each whole purchase."""

    issued: set[str] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Wish:
    """One seat, and the token of who wants it."""

    performance: str
    seat: str
    token: str


def _wishes(booking: Booking, content: dict[str, Any]) -> Iterator[Wish]:
    places = [(item["id"], seat) for item in content["performances"] for seat in guids(content)]
    random.Random(1).shuffle(places)
    tokens = buyer_tokens(booking.keys, PURCHASES + WARM_UP)
    return (Wish(performance, seat, token) for (performance, seat), token in zip(places, tokens, strict=False))


async def purchases(booking: Booking, wishes: list[Wish], *, buyers: int) -> Sales:
    """WISHES come true, BUYERS at a time."""
    sales, queue = Sales(), list(reversed(wishes))

    async def buyer() -> None:
        shop = {service: await Line.to(booking.url(service)) for service in ("seat", "ticket", "standin")}
        while queue:
            started = time.perf_counter()
            await _purchase(shop, queue.pop(), sales)
            sales.latencies_s.append(time.perf_counter() - started)
        for line in shop.values():
            line.close()

    started = time.perf_counter()
    await asyncio.gather(*(buyer() for _ in range(buyers)))
    sales.seconds = time.perf_counter() - started
    return sales


async def _purchase(shop: dict[str, Line], wish: Wish, sales: Sales) -> None:
    hold = request("POST", f"/api/seat/performances/{wish.performance}/holds", token=wish.token, body={"seats": [wish.seat]})
    status, _headers, body = await shop["seat"].send(hold)
    sales.statuses[f"hold {status}"] += 1
    if status != 201:
        return
    order = {"hold_id": json.loads(body)["id"]}
    status, _headers, body = await shop["ticket"].send(request("POST", "/api/ticket/orders", token=wish.token, body=order))
    sales.statuses[f"order {status}"] += 1
    if status != 201:
        return
    made = json.loads(body)
    page = urlsplit(made["payment"]["redirect_url"]).path
    head = f"POST {page} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(FORM)}\r\n\r\n"
    status, headers, _body = await shop["standin"].send(head.encode() + FORM)
    sales.statuses[f"page {status}"] += 1
    if status != 303:
        return
    parts = urlsplit(headers["location"])
    status, _headers, _body = await shop["ticket"].send(request("GET", f"{parts.path}?{parts.query}"))
    sales.statuses[f"back {status}"] += 1
    status, _headers, body = await shop["ticket"].send(request("GET", f"/api/ticket/orders/{made['id']}", token=wish.token))
    read = json.loads(body)
    sales.statuses[f"read {status} {read.get('status')}"] += 1
    if read.get("status") == "ISSUED":
        sales.issued.add(made["id"])
