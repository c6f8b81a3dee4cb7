"""`availability`: 1,241 seats that 50 holds a second change. Full answers, deltas and 304s a second, to a house of 10,000 watchers."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from bench.client import Line, Lines
from bench.load import Load, drive_async, request
from bench.measure import Row
from bench.seats import bare_view, buyer_tokens, guids, musical, port, seat_service, violations
from tests.integration.booking.harness import Booking

WATCHERS = 10_000
FOLLOWED = 20
"""Of these watchers the picture is kept and compared with the whole at the end."""
HOLDS_A_SECOND = 50
SECONDS = 8.0
CONNECTIONS = 32
KEPT_S = 3.0
LIMIT = 4
PATH = "/api/seat/performances/p1/availability"


def run() -> list[Row]:
    """On MariaDB. Floors are a bare Django view that sends as many bytes, in turn with what is measured."""
    content = musical(performances=4, limit=LIMIT)
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as name, seat_service("mariadb", content) as booking:
        with bare_view(f"sqlite:///{Path(name)}/bare.sqlite3") as bare_port:
            rows = uvloop.run(_measure(booking, content, bare_port))
        return [*rows, Row("availability: breaches of I1, I6, I7", 0, "", violations=violations(booking, LIMIT))]


async def _measure(booking: Booking, content: dict[str, Any], bare_port: int) -> list[Row]:
    whole = await _one(port(booking), request("GET", PATH))
    async with _Holders(booking, content) as holders:
        floor = await _flood(bare_port, request("GET", f"/body/{len(whole)}"))
        full = await _flood(port(booking), request("GET", PATH))
        watchers = _Watchers(port(booking))
        await watchers.follow(SECONDS)
        small_floor = await _flood(bare_port, request("GET", f"/body/{int(watchers.mean_bytes)}"))
    held = holders.rate
    wrong = await watchers.wrong()
    same = await watchers.ask_again(SECONDS)
    bare_rate, small_rate = floor.per_second(200), small_floor.per_second(200)
    return [
        Row("availability: full answers, 50 holds/s", full.per_second(200), "answers/s", bare_rate, full.per_second(200) / bare_rate),
        Row("availability: holds placed meanwhile", held, "holds/s"),
        Row(
            f"availability: deltas to {WATCHERS:,} watchers, 50 holds/s",
            watchers.rate,
            "answers/s",
            small_rate,
            watchers.rate / small_rate,
            wrong,
        ),
        Row("availability: size of a delta, mean", watchers.mean_bytes, "bytes", float(len(whole)), watchers.mean_bytes / len(whole)),
        Row(f"availability: 304s to {WATCHERS:,} watchers, nothing new", same, "answers/s", small_rate, same / small_rate),
    ]


async def _flood(at: int, raw: bytes) -> Load:
    """RAW again and again for SECONDS. Raises RuntimeError for anything but 200."""
    until = time.perf_counter() + SECONDS

    def again() -> Iterator[bytes]:
        while time.perf_counter() < until:
            yield raw

    load = await drive_async("127.0.0.1", at, again(), connections=CONNECTIONS)
    if set(load.statuses) != {200}:
        raise RuntimeError(f"not only 200: {dict(load.statuses)}")
    return load


async def _one(at: int, raw: bytes) -> bytes:
    line = await Line.to(f"http://127.0.0.1:{at}")
    answer = await line.send(raw)
    line.close()
    return answer.body


class _Holders:
    """HOLDS_A_SECOND at set times, on the performance that is watched, until it is left. Each is given back KEPT_S later."""

    def __init__(self, booking: Booking, content: dict[str, Any]) -> None:
        self._url = booking.url("seat")
        self._tokens = buyer_tokens(booking.keys, 2_000)
        self._seats = guids(content)
        self._count = 0
        self.rate = 0.0

    async def __aenter__(self) -> _Holders:
        self._started = time.perf_counter()
        self._task = asyncio.create_task(self._go())
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if not self._task.cancelled() and (error := self._task.exception()):
            raise error

    async def _go(self) -> None:
        seats, lines = random.Random(1).sample(self._seats, len(self._seats)), Lines()
        async with asyncio.TaskGroup() as group:
            for number in range(len(self._tokens)):
                await asyncio.sleep(self._started + number / HOLDS_A_SECOND - time.perf_counter())
                group.create_task(self._hold(lines, self._tokens[number], seats[number % len(seats)]))

    async def _hold(self, lines: Lines, token: str, seat: str) -> None:
        answer = await lines.send(self._url, request("POST", PATH.replace("availability", "holds"), token=token, body={"seats": [seat]}))
        if answer.status == 201:
            self._count += 1
            self.rate = self._count / (time.perf_counter() - self._started)
            hold = json.loads(answer.body)["id"]
            await asyncio.sleep(KEPT_S)
            await lines.send(self._url, request("DELETE", f"/api/seat/holds/{hold}", token=token))
        elif answer.status != 409:
            raise RuntimeError(f"hold: {answer.status} {answer.body[:200]!r}")


@dataclass
class _Watchers:
    """Each asks for what changed since its own last answer, one after the other, over a few connections as behind a gateway."""

    at: int
    versions: list[str] = field(default_factory=lambda: [""] * WATCHERS)
    tags: list[str] = field(default_factory=lambda: [""] * WATCHERS)
    pictures: list[list[str]] = field(default_factory=lambda: [[] for _ in range(FOLLOWED)])
    rate: float = 0.0
    mean_bytes: float = 0.0

    async def follow(self, seconds: float) -> None:
        """Each watcher once, for a start; then on and on for SECONDS, which are measured."""
        await self._rounds(iter(range(WATCHERS)), Counter())
        told: Counter[str] = Counter()
        until = started = time.perf_counter()
        until += seconds

        def turns() -> Iterator[int]:
            number = 0
            while time.perf_counter() < until:
                yield number % WATCHERS
                number += 1

        await self._rounds(turns(), told)
        self.rate = told["answers"] / (time.perf_counter() - started)
        self.mean_bytes = told["bytes"] / told["answers"]

    async def wrong(self) -> int:
        """How many of the followed pictures are not what is shown to who asks for everything, once both have been asked again."""
        await asyncio.sleep(2)  # longer than any answer may be old
        whole = json.loads(await _one(self.at, request("GET", PATH)))["state"]
        await self._rounds(iter(range(FOLLOWED)), Counter())
        return sum("".join(picture) != whole for picture in self.pictures)

    async def ask_again(self, seconds: float) -> float:
        """304s a second, to watchers who have the newest."""
        await self._rounds(iter(range(WATCHERS)), Counter())
        requests = [self._asking(number) for number in range(WATCHERS)]
        until = time.perf_counter() + seconds

        def again() -> Iterator[bytes]:
            while time.perf_counter() < until:
                yield from requests[:1_000]
                requests.append(requests.pop(0))

        load = await drive_async("127.0.0.1", self.at, again(), connections=CONNECTIONS)
        if load.statuses[304] < load.count * 0.99:
            raise RuntimeError(f"not only 304: {dict(load.statuses)}")
        return load.per_second(304)

    def _asking(self, number: int) -> bytes:
        headers = {"If-None-Match": self.tags[number]} if self.tags[number] else {}
        since = f"?since={self.versions[number]}" if self.versions[number] else ""
        return request("GET", PATH + since, headers=headers)

    async def _rounds(self, turns: Iterator[int], told: Counter[str]) -> None:
        async def ask() -> None:
            line = await Line.to(f"http://127.0.0.1:{self.at}")
            for number in turns:
                answer = await line.send(self._asking(number))
                told["answers"] += 1
                told["bytes"] += len(answer.body)
                if answer.status == 200:
                    self._take(number, answer.body, answer.headers["etag"])
                elif answer.status != 304:
                    raise RuntimeError(f"{answer.status} {answer.body[:200]!r}")
            line.close()

        await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))

    def _take(self, number: int, body: bytes, tag: str) -> None:
        # `{"version":"…",` comes first: to decode each whole answer here would cost more than to make it there.
        self.versions[number] = body[12 : body.index(b'"', 12)].decode()
        self.tags[number] = tag
        if number < FOLLOWED:
            said = json.loads(body)
            if said["full"]:
                self.pictures[number] = list(said["state"])
            for index, state in said.get("changes", ()):
                self.pictures[number][index] = str(state)
