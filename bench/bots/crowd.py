"""Many bots in several processes. Who comes when is drawn beforehand and does not depend on how fast the shop is."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import uvloop

from bench.bots.shop import Record, Shop, Visit
from bench.client import Lines

Kind = Literal["buyer", "scalper"]
Errand = Literal["ticket", "both", "product"]
LEAD_S = 1.0
"""From the start of the processes to the first arrival."""
EXPECTED = frozenset({"ticket", "ticket and product", "product", "sold out", "no product left", "held"})
TICKETS = ("ticket", "ticket and product")
PRODUCTS = ("product", "ticket and product")
"""The outcomes with the one and with the other."""


@dataclass(frozen=True)
class Crowd:
    """RATE buyers a second for SECONDS as a Poisson process; RUSH more at RUSH_AT_S, spread over RUSH_WITHIN_S; SCALPERS all along.

    WITH_PRODUCT is the part of the buyers who want a product beside their ticket, PRODUCT_ALONE of those who want nothing else.
    """

    rate: float = 0.0
    seconds: float = 10.0
    rush: int = 0
    rush_at_s: float = 0.0
    rush_within_s: float = 0.0
    scalpers: int = 0
    think_s: float = 1.0
    processes: int = 1
    seed: int = 1
    with_product: float = 0.0
    product_alone: float = 0.0

    @property
    def arrivals_max(self) -> int:
        """More will not come: the mean and six standard deviations."""
        mean = self.rate * self.seconds
        return self.rush + self.scalpers + math.ceil(mean + 6 * math.sqrt(mean))


class Arrival(NamedTuple):
    """Somebody comes AT_S seconds after the start. ERRAND is what a buyer comes for."""

    at_s: float
    kind: Kind
    number: int
    errand: Errand = "ticket"


def arrivals(crowd: Crowd) -> list[Arrival]:
    """Everybody who comes, in order of time."""
    dice = random.Random(crowd.seed)
    moments: list[tuple[float, Kind]] = []
    at = dice.expovariate(crowd.rate) if crowd.rate else math.inf
    while at < crowd.seconds and len(moments) < crowd.arrivals_max - crowd.rush - crowd.scalpers:
        moments.append((at, "buyer"))
        at += dice.expovariate(crowd.rate)
    moments += [(crowd.rush_at_s + dice.uniform(0, crowd.rush_within_s), "buyer") for _ in range(crowd.rush)]
    moments += [(dice.uniform(0, crowd.seconds), "scalper") for _ in range(crowd.scalpers)]
    errands = random.Random(f"errands {crowd.seed}")
    return [Arrival(at, kind, number, _errand(crowd, errands.random())) for number, (at, kind) in enumerate(sorted(moments))]


def _errand(crowd: Crowd, drawn: float) -> Errand:
    if drawn < crowd.product_alone:
        return "product"
    return "both" if drawn < crowd.product_alone + crowd.with_product else "ticket"


@dataclass
class Told:
    """What came of it. ORDERS are those that were said to be issued, ORDER_WAITS_S is how long each took to be made, waits included,
    ROOM_WAITS_S how long each bot was in the waiting room."""

    records: list[Record] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    orders: set[str] = field(default_factory=set)
    order_waits_s: list[float] = field(default_factory=list)
    room_waits_s: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failures(self) -> int:
        """Bots that ended in another way than with a ticket or a product, told that it is sold out, or with a hold and no more wishes."""
        return sum(count for outcome, count in self.outcomes.items() if outcome not in EXPECTED)

    @property
    def tickets(self) -> int:
        return sum(self.outcomes[outcome] for outcome in TICKETS)

    @property
    def products(self) -> int:
        return sum(self.outcomes[outcome] for outcome in PRODUCTS)

    @property
    def server_errors(self) -> int:
        """Requests that were answered with 5xx, or not at all."""
        return sum(record.status >= 500 or record.status == 0 for record in self.records)


def send(crowd: Crowd, shop: Shop, tokens: Sequence[str] = ()) -> Told:
    """Let CROWD loose on SHOP; returns when the last of them is done. With TOKENS each bot has an account already, else it signs up."""
    everybody = arrivals(crowd)
    context = multiprocessing.get_context("spawn")
    told = Told()
    with ProcessPoolExecutor(crowd.processes, mp_context=context) as pool:
        # Started and imported before the clock runs: CLOCK_MONOTONIC is the same for all processes.
        for started in [pool.submit(_awake) for _ in range(crowd.processes)]:
            started.result()
        start = time.monotonic() + LEAD_S
        shares = [everybody[index :: crowd.processes] for index in range(crowd.processes)]
        futures = [
            pool.submit(_visit_all, crowd, shop, share, [tokens[each.number] if tokens else "" for each in share], start)
            for share in shares
        ]
        for future in futures:
            part = future.result()
            told.records += part.records
            told.outcomes += part.outcomes
            told.orders |= part.orders
            told.order_waits_s += part.order_waits_s
            told.room_waits_s += part.room_waits_s
    told.seconds = max((record.due_s + record.latency_s for record in told.records), default=0.0)
    return told


def _awake() -> None:
    """A moment, so that each process gets one of these and imports what is here."""
    time.sleep(0.5)


def _visit_all(crowd: Crowd, shop: Shop, share: list[Arrival], tokens: list[str], start: float) -> Told:
    return uvloop.run(_visits(crowd, shop, share, tokens, start))


async def _visits(crowd: Crowd, shop: Shop, share: list[Arrival], tokens: list[str], start: float) -> Told:
    told, lines, loop = Told(), Lines(), asyncio.get_running_loop()
    # The loop's clock is the monotonic one, but counts from elsewhere in some builds.
    begin = loop.time() + start - time.monotonic()

    async def visit(arrival: Arrival, token: str) -> None:
        due = begin + arrival.at_s
        one = Visit(shop, lines, begin, due, random.Random(crowd.seed * 1_000_003 + arrival.number), crowd.think_s, token)
        outcome = await _visit(one, arrival)
        told.outcomes[outcome] += 1
        told.records += one.records
        if one.order_wait_s is not None:
            told.order_waits_s.append(one.order_wait_s)
        if one.room_wait_s is not None:
            told.room_waits_s.append(one.room_wait_s)
        told.orders.update(one.order_ids)

    await asyncio.gather(*(visit(arrival, token) for arrival, token in zip(share, tokens, strict=True)))
    lines.close()
    return told


async def _visit(one: Visit, arrival: Arrival) -> str:
    if arrival.kind == "scalper":
        return await one.scalp()
    return await (one.buy_product() if arrival.errand == "product" else one.buy(with_product=arrival.errand == "both"))
