"""A crowd of buyers who go on buying, paying and giving back while services die around them; and the checker's word at the end.

Each buyer does what a person at a browser does: tries again when a page does not come, gives up at the end, changes their mind.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import urllib3

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, findings, settle

RECOVERED_S = 60.0
"""What a crash left is decided within this."""
TRY_FOR_S = 40.0
PRODUCTS = [
    {"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": 100_000},
    {"id": "rare", "name": "사인 포스터", "price_krw": 50_000, "stock": 5},
    {"id": "tee", "name": "티셔츠", "price_krw": 35_000, "options": [{"id": "m", "name": "M", "stock": 50, "extra_krw": 1_000}]},
]
CONCESSIONS = [
    {"id": "youth", "name": "청소년", "percent": 33, "proof": "학생증"},
    {"id": "group", "name": "2인 이상", "off_krw": 20_000, "at_least": 2},
    {"id": "child", "name": "36개월 미만", "percent": 100, "at_most": 1},
]
ITEMS = [{"product": "program"}, {"product": "program"}, {"product": "rare"}, {"product": "tee", "option": "m"}]


class GaveUp(Exception):
    """No answer for as long as a buyer is patient."""


class Crowd:
    """So many BUYERS at BOOKING, from entering the block until leaving it. SEATS are the guids there are, or none for the area."""

    def __init__(self, booking: Booking, *, buyers: int, seats: list[str], seed: int) -> None:
        self.booking = booking
        self.seats = seats
        self.seed = seed
        self.did: Counter[str] = Counter()
        self.acknowledged: set[str] = set()
        self.errors: list[str] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._live, args=(number,), daemon=True) for number in range(buyers)]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(TRY_FOR_S + 60)

    def until(self, what: str, count: int, *, within_s: float) -> None:
        """Wait until the crowd did WHAT so many times in all."""
        deadline = time.monotonic() + within_s
        while self.did[what] < count:
            assert time.monotonic() < deadline, f"only {self.did[what]} {what} within {within_s:.0f} s: {dict(self.did)} {self.errors[:3]}"
            time.sleep(0.05)

    def _live(self, number: int) -> None:
        chance = random.Random(self.seed * 1000 + number)
        mine: list[tuple[Buyer, str]] = []
        while not self._stop.is_set():
            try:
                buyer = Buyer(self.booking)
                if "merch" in self.booking.services and chance.random() < 0.25:
                    self._shop(buyer, chance)
                elif order := self._buy(buyer, chance):
                    mine.append((buyer, order))
                while len(mine) > 2 or (mine and chance.random() < 0.3):
                    self._give_back(*mine.pop(0), chance)
            except GaveUp as error:
                self._count(f"gave up: {error}")
            except Exception as error:
                self._count("error")
                self.errors.append(repr(error)[:300])
                return

    # What a buyer does

    def _buy(self, buyer: Buyer, chance: random.Random) -> str:
        """The id of an order that the buyer was told is issued; empty when it came to nothing."""
        wish: dict[str, Any] = {"area": chance.randint(1, 3)}
        if self.seats:
            start = chance.randrange(len(self.seats))
            wish = {"seats": self.seats[start : start + chance.randint(1, 3)]}
        held = self._again("hold", lambda: buyer.hold(**wish), (201, 409, 422))
        if held.status != 201:
            self._count("seats taken")
            return ""
        hold, places = held.json()["id"], [place["id"] for place in held.json()["places"]]
        wish = chance.choice(
            [{}, {}, {places[0]: "youth"}, {places[0]: "child"}, dict.fromkeys(places, "group" if places[1:] else "youth")]
        )
        if chance.random() < 0.1:  # and chooses otherwise before it is paid for
            self._again("order", lambda: buyer.call("POST", "ticket", "orders", {"hold_id": hold}), (200, 201, 404, 409, 410))
        made = self._again("order", lambda: buyer.order(hold, wish), (200, 201, 404, 409, 410))
        if made.status >= 400:
            self._count(f"refused: {made.json()['code']}")
            return ""
        return self._pay(buyer, made.json(), "ticket", chance)

    def _shop(self, buyer: Buyer, chance: random.Random) -> None:
        body = {"items": [chance.choice(ITEMS) | {"quantity": chance.randint(1, 3)}]}
        key = {"Idempotency-Key": buyer.id}
        made = self._again("merch", lambda: buyer.call("POST", "merch", "orders", body, **key), (200, 201, 409))
        if made.status >= 400:
            self._count(f"refused: {made.json()['code']}")
            return
        order = self._pay(buyer, made.json(), "merch", chance)
        if order and chance.random() < 0.3:
            with self._lock:
                self.acknowledged.discard(order)  # it may be the only piece
            item = self._again("read", lambda: buyer.call("GET", "merch", f"orders/{order}"), (200,)).json()["items"][0]["id"]
            self._once("piece", buyer, "merch", f"orders/{order}/refunds", {"items": [{"item": item, "quantity": 1}]})
        if order and chance.random() < 0.6:
            with self._lock:
                self.acknowledged.discard(order)
            self._cancel(buyer, order, "merch")

    def _pay(self, buyer: Buyer, order: dict[str, Any], service: str, chance: random.Random) -> str:
        if order["status"] == "PAYING" and order["payment"]["redirect_url"]:
            choice = chance.random()
            if choice < 0.005:
                self._count("left unpaid")
                return ""
            path = self._again("page", lambda: _pressed(buyer, order, "cancel" if choice < 0.06 else "approve"), ())
            self._again("return", lambda: buyer.come_back(path, service=service), (303,))
            if choice > 0.9:  # two tabs, or the back button
                self._again("return", lambda: buyer.come_back(path, service=service), (303,))
        found = self._again("read", lambda: buyer.call("GET", service, f"orders/{order['id']}"), (200,)).json()
        self._count(f"{service} {found['status']}")
        if found["status"] != "ISSUED":
            return ""
        if service == "ticket":
            assert len(found["tickets"]) == len(found["places"]), found
        with self._lock:
            self.acknowledged.add(found["id"])
        return str(found["id"])

    def _give_back(self, buyer: Buyer, order: str, chance: random.Random) -> None:
        tickets = self._again("read", lambda: buyer.call("GET", "ticket", f"orders/{order}"), (200,)).json()["tickets"]
        live = [ticket["id"] for ticket in tickets if ticket["status"] == "LIVE"]
        if len(live) > 1 and chance.random() < 0.4:
            self._once("part", buyer, "ticket", f"orders/{order}/refunds", {"tickets": live[:1], "fee_krw": 0})
            return
        with self._lock:
            self.acknowledged.discard(order)
        self._cancel(buyer, order, "ticket")

    def _once(self, what: str, buyer: Buyer, service: str, path: str, body: Any) -> None:
        """Sent once: what gives a part back would give another one back when it is sent again after a lost answer."""
        try:
            self._count(f"{what} {buyer.call('POST', service, path, body).status}")
        except urllib3.exceptions.HTTPError:
            self._count(f"{what} unknown")

    def _cancel(self, buyer: Buyer, order: str, service: str) -> None:
        answer = self._again("cancel", lambda: buyer.cancel(order, service=service), (200, 409))
        self._count(f"cancel {answer.status}")

    def _again(self, what: str, act: Callable[[], Any], fine: tuple[int, ...]) -> Any:
        """ACT until its answer is one of FINE (empty: until it answers). Raises GaveUp when the buyer's patience ends."""
        deadline = time.monotonic() + TRY_FOR_S
        while True:
            status = 0
            try:
                answer = act()
                status = 0 if isinstance(answer, str) else answer.status
                if not fine or (status in fine and not _is_busy(answer)):
                    return answer
            except urllib3.exceptions.HTTPError:
                pass
            if status and status not in (429, 503, *fine):
                self.errors.append(f"{what}: {status} {answer.data[:200]!r}")
                self._count("error")
                raise GaveUp(what)
            if time.monotonic() > deadline or (self._stop.is_set() and what == "hold"):
                raise GaveUp(what)
            self._stop.wait(0.1)
            time.sleep(0.1)

    def _count(self, what: str) -> None:
        with self._lock:
            self.did[what] += 1


def _pressed(buyer: Buyer, order: dict[str, Any], action: str) -> str:
    """Press the button on the provider's page. Pressing it again after a lost answer leads to the same address."""
    try:
        return buyer.press(order, action)
    except AssertionError as error:
        raise urllib3.exceptions.HTTPError(str(error)) from error


def _is_busy(answer: Any) -> bool:
    """Whether the answer says: in a moment."""
    return answer.status == 409 and answer.json()["code"] in ("payment_in_progress", "refund_in_progress", "order_changed", "order_busy")


def assert_nothing_is_violated(crowd: Crowd) -> None:
    """All services are up again: within a minute nothing is under way any more, and the checker of I1–I7 finds nothing."""
    assert not crowd.errors, f"{len(crowd.errors)} answers that no buyer should see: {crowd.errors[:5]}"
    settle(crowd.booking, within_s=RECOVERED_S)
    found = findings(crowd.booking, acknowledged=crowd.acknowledged)
    assert found.total == 0, f"{found}\n{dict(crowd.did)}"
