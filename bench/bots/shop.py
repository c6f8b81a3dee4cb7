"""A booking system as a buyer's browser meets it: what is asked, in which order, and what comes of it."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bench.client import Answer, Lines
from bench.load import request

HEADERS = {"Accept-Encoding": "gzip", "Accept-Language": "ko"}
FORM = "action=approve"
PATIENCE = 200
"""How many seats one tries for."""
FASTEST_S, SLOWEST_S, PAUSED_S = 3.0, 180.0, 10.0
OUTSIDE = frozenset({"waiting_room", "turn_taken", "turn_over"})
SOLD_OUT = frozenset({"area_full", "not_enough_seats"})


class Record(NamedTuple):
    """One request: what for, when it was due (seconds after the start), how long after that it was answered, and with what (0: not)."""

    step: str
    due_s: float
    latency_s: float
    status: int


@dataclass(frozen=True)
class Shop:
    """Where to buy. ADDRESSES by service, or one for all under "" with the HOST to name; STANDIN where it is not what the order says."""

    addresses: Mapping[str, str]
    host: str = "bots"
    standin: str = ""
    performance: str = ""

    @property
    def sells_products(self) -> bool:
        """Whether products can be asked for at all."""
        return bool({"", "merch"} & self.addresses.keys())

    def address_of(self, path: str) -> str:
        """`/api/<service>/…` is that service's, everything else the pages'."""
        parts = path.split("/")
        service = parts[2] if len(parts) > 2 and parts[1] == "api" else "web"
        return self.addresses.get(service) or self.addresses[""]


@dataclass
class Visit:
    """One bot's visit. Each request is due a moment of thought after the answer before it; what it waits from then on is the shop's."""

    shop: Shop
    lines: Lines
    start: float
    due: float
    dice: random.Random
    think_s: float
    token: str = ""
    records: list[Record] = field(default_factory=list)
    order_ids: list[str] = field(default_factory=list)
    """What it was told is issued: of tickets, of merchandise."""
    order_wait_s: float | None = None
    """From when the order was due until it was there, whatever was asked of the bot in between."""
    turn: str = ""
    room_wait_s: float | None = None
    """How long it was in the waiting room; 0 when it was let in at once, None where there is none."""

    async def buy(self, *, with_product: bool = False) -> str:
        """From the first page to the ticket, and WITH_PRODUCT to one of the event's products beside it, where there are any left.

        `ticket`, `ticket and product`, `sold out`, or where it ended instead.
        """
        try:
            outcome = await self._buy(pays=True)
            if outcome == "ticket" and with_product and await self._buy_product(beside=self.order_ids[0]) == "product":
                return "ticket and product"
            return outcome
        except Ended as ended:
            return ended.why

    async def buy_product(self) -> str:
        """One of the event's products alone; `product`, `no product left`, or where it ended instead. A ticket where there are none."""
        try:
            if not self.token:
                await self._sign_up()
            return await self._buy_product() or await self._buy(pays=True)
        except Ended as ended:
            return ended.why

    async def scalp(self) -> str:
        """Take a place and never pay for it; `held`, `sold out`, or where it ended instead."""
        try:
            return await self._buy(pays=False)
        except Ended as ended:
            return ended.why

    async def _buy(self, *, pays: bool) -> str:
        if not self.token:
            await self._sign_up()
        performance = self.shop.performance or await self._first_performance()
        await self._ask("page", "GET", f"/performances/{performance}", {200})
        await self._enter()
        hold = await self._hold(performance, _plan(await self._ask("plan", "GET", "/api/seat/plan", {200})))
        if hold is None:
            return "sold out"
        if not pays:
            return "held"
        await self._ask("page", "GET", f"/checkout/{hold}", {200})
        await self._ask("hold read", "GET", f"/api/seat/holds/{hold}", {200})
        self._think()
        made = await self._order(hold)
        if made["payment"]:
            await self._pay(made)
        await self._ask("page", "GET", f"/orders/{made['id']}", {200})
        await self._read(made["id"])
        return "ticket"

    async def _buy_product(self, *, beside: str = "") -> str:
        """One piece, BESIDE an order of tickets; `product`, `no product left`, or nothing where the event has no shop that sells."""
        if not self.shop.sells_products:
            return ""
        await self._ask("shop page", "GET", "/shop", {200, 404})
        wanted: dict[str, Any] = {"ticket_order": beside} if beside else {}
        key = {"Idempotency-Key": uuid.UUID(int=self.dice.getrandbits(128)).hex}
        for _try in range(PATIENCE):
            answer = await self._ask("products", "GET", "/api/merch/products", {200, 404}, plain=True)
            told = json.loads(answer.body) if answer.status == 200 else {"on_sale": False, "products": []}
            if not told["on_sale"] or not told["products"]:
                return ""
            if not (pieces := _pieces(told["products"])):
                return "no product left"
            self._think()
            wanted["items"] = [self.dice.choice(pieces)]
            answer = await self._ask("product order", "POST", "/api/merch/orders", {201, 409, 429}, body=wanted, headers=key)
            if answer.status == 201:
                made = json.loads(answer.body)
                if made["payment"]:
                    await self._pay(made, "product ")
                await self._ask("shop page", "GET", f"/shop/orders/{made['id']}", {200})
                await self._read(made["id"], "product ", "merch")
                return "product"
            if answer.status == 429:
                self.due += int(answer.headers["retry-after"]) + self.dice.random()
            elif (code := json.loads(answer.body)["code"]) != "sold_out":
                raise Ended(f"product order {code}")
        raise Ended("product: no luck")

    async def _read(self, order: str, of: str = "", service: str = "ticket") -> None:
        """The order of SERVICE, which must be issued by now. OF is what its step begins with."""
        read = json.loads((await self._ask(f"{of}read", "GET", f"/api/{service}/orders/{order}", {200})).body)
        if read["status"] != "ISSUED":
            raise Ended(f"{of}order {read['status']}")
        self.order_ids.append(str(read["id"]))

    async def _enter(self) -> None:
        """Through the waiting room, as the page does: a place in the queue, and asking how it stands after half of what is left."""
        wanted = self.due
        while True:
            answer = await self._ask("turn", "POST", "/api/seat/room/turns", {200, 201, 404, 429}, body={"turn": self.turn}, plain=True)
            if answer.status != 429:
                break
            self.due += int(answer.headers["retry-after"]) + self.dice.random()
        told = json.loads(answer.body)
        if answer.status == 404 or told["turn"] is None:
            return
        self.turn, room = told["turn"], told["room"]
        while room["is_on"] and (left := told["number"] - room["admitted"]) > 0:
            wait_s = PAUSED_S if room["is_paused"] else left * 60 / room["per_minute"]
            self.due += min(wait_s + self.dice.random(), min(SLOWEST_S, max(FASTEST_S, wait_s / 2)) * self.dice.uniform(0.85, 1.15))
            room = json.loads((await self._ask("room", "GET", "/api/seat/room", {200}, plain=True)).body)
        self.room_wait_s = (self.room_wait_s or 0.0) + self.due - wanted

    async def _hold(self, performance: str, plan: dict[str, Any]) -> str | None:
        """The id of a hold on one place, or None when there is none left."""
        path = f"/api/seat/performances/{performance}"
        seats = [seat[0] for zone in plan["zones"] for row in zone["rows"] for seat in row["seats"]]
        areas = [area["id"] for area in plan["areas"]]
        self._think()
        for _try in range(PATIENCE):
            now = json.loads((await self._ask("availability", "GET", f"{path}/availability", {200}, plain=True)).body)
            free: list[Any]
            if plan["numbered"]:
                free = [seat for seat, state in zip(seats, now["state"], strict=True) if state == "0"]
            else:
                free = [area for area in areas if now["areas"][area]["free"]]
            if not free:
                return None
            # Everybody would rather sit in front, and so they meet there.
            choice = free[int(len(free) * self.dice.random() ** 2)]
            wish: dict[str, Any] = {"seats": [choice]} if plan["numbered"] else {"areas": [{"area": choice, "quantity": 1}]}
            turn = {"X-Clove-Turn": self.turn} if self.turn else {}
            answer = await self._ask("hold", "POST", f"{path}/holds", {201, 403, 409}, body=wish, headers=turn)
            said = json.loads(answer.body)
            if said.get("code") in OUTSIDE:
                self.turn = self.turn if said["code"] == "waiting_room" else ""
                await self._enter()
                continue
            if answer.status == 201:
                return str(said["id"])
            if said["code"] not in SOLD_OUT | {"seats_taken"}:
                raise Ended(f"hold {said['code']}")
        raise Ended("hold: no luck")

    async def _order(self, hold: str) -> dict[str, Any]:
        """The order of HOLD. Who is asked to come again does as the page would; how long that took in all is kept as well."""
        key = {"Idempotency-Key": uuid.UUID(int=self.dice.getrandbits(128)).hex}
        wanted = self.due
        while True:
            answer = await self._ask("order", "POST", "/api/ticket/orders", {201, 429}, body={"hold_id": hold}, headers=key)
            if answer.status == 201:
                self.order_wait_s = self.due - wanted
                made: dict[str, Any] = json.loads(answer.body)
                return made
            self.due += int(answer.headers["retry-after"]) + self.dice.random()

    async def _pay(self, order: dict[str, Any], of: str = "") -> None:
        """At the provider's page, which must be the stand-in's, and back. OF is what its steps begin with."""
        if not order["payment"]["test"]:
            raise Ended("a real payment, which bots do not make")
        self._think()
        page = urlsplit(order["payment"]["redirect_url"])
        raw = (
            f"POST {page.path} HTTP/1.1\r\nHost: {page.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(FORM)}\r\n\r\n{FORM}"
        )
        answer = await self._send(f"{of}pay", self.shop.standin or f"{page.scheme}://{page.netloc}", raw.encode(), {303})
        back = urlsplit(answer.headers["location"])
        await self._ask(f"{of}back", "GET", f"{back.path}?{back.query}", {303})

    async def _first_performance(self) -> str:
        answer = json.loads((await self._ask("performances", "GET", "/api/seat/performances", {200}, plain=True)).body)
        on_sale = [item["id"] for item in answer if item["on_sale"]]
        if not on_sale:
            raise Ended("nothing is on sale")
        return str(on_sale[0])

    async def _sign_up(self) -> None:
        name = uuid.UUID(int=self.dice.getrandbits(128)).hex
        body = {"email": f"bot-{name}@example.com", "password": f"pw-{name}", "name": "봇"}
        self.token = json.loads((await self._ask("sign up", "POST", "/api/auth/signup", {201}, body=body)).body)["access_token"]

    def _think(self) -> None:
        self.due += self.dice.expovariate(1 / self.think_s) if self.think_s else 0.0

    async def _ask(
        self,
        step: str,
        method: str,
        path: str,
        fine: set[int],
        *,
        body: object = None,
        headers: dict[str, str] | None = None,
        plain: bool = False,
    ) -> Answer:
        """PLAIN: without compression, for what is read here and not only fetched."""
        sent = {**HEADERS, **(headers or {})}
        if plain:
            del sent["Accept-Encoding"]
        raw = request(method, path, token=self.token, body=body, headers=sent, host=self.shop.host)
        return await self._send(step, self.shop.address_of(path), raw, fine)

    async def _send(self, step: str, address: str, raw: bytes, fine: set[int]) -> Answer:
        loop = asyncio.get_running_loop()
        if (early := self.due - loop.time()) > 0:
            await asyncio.sleep(early)
        try:
            answer = await self.lines.send(address, raw)
        except (OSError, TimeoutError) as error:
            self._note(step, 0)
            raise Ended(f"{step} {type(error).__name__}") from error
        self._note(step, answer.status)
        if answer.status not in fine:
            raise Ended(f"{step} {answer.status}")
        return answer

    def _note(self, step: str, status: int) -> None:
        now = asyncio.get_running_loop().time()
        self.records.append(Record(step, self.due - self.start, now - self.due, status))
        self.due = now


def _pieces(products: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One piece of each that is left, by its option where it comes in options."""
    found = []
    for product in products:
        one = {"product": product["id"], "quantity": 1}
        if product["options"]:
            found += [one | {"option": option["id"]} for option in product["options"] if option["left"]]
        elif product["left"]:
            found.append(one)
    return found


_plans: dict[str, dict[str, Any]] = {}


def _plan(answer: Answer) -> dict[str, Any]:
    """The plan in ANSWER. Each bot fetches it, but to read 1,241 seats again and again would cost more than the shop's part."""
    version = answer.headers["etag"]
    if version not in _plans:
        packed = answer.headers.get("content-encoding") == "gzip"
        _plans[version] = json.loads(gzip.decompress(answer.body) if packed else answer.body)
    return _plans[version]


class Ended(Exception):
    """The visit is over before its time; WHY in a word or two."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
