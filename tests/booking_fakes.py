"""The world outside a service that takes payments, as it survives that service's crashes: a provider and the seat service, faked.

Both keep their state and can be told to misbehave; `World.point` lets a test cut the service off before and after each call and write.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import msgspec

from booking_templates.kit.peers import PeerResponse, PeerTimeout, PeerUnavailable
from booking_templates.payments.errors import PaymentRefused, PaymentUnknown, PaymentUnreached
from booking_templates.payments.kakaopay import SAY_NOTHING_OF_IT
from booking_templates.payments.port import Approval, Cancellation, Cancelled, Inquiry, Purchase, Ready

WRITES = ("INSERT", "UPDATE", "DELETE")


class Crash(BaseException):
    """The process is gone at this point. Not an Exception: nothing in the service may catch it."""


class World:
    """Counts the points at which a crash is possible, and crashes at the one that is wanted.

    `moves` are the points before which something new lasts: a commit, or what a call did outside. A crash at any other leaves what one
    at the move before it leaves.
    """

    def __init__(self) -> None:
        self.points: list[str] = []
        self.moves: list[int] = []
        self.crash_at: int | None = None
        self._has_moved = True

    def point(self, name: str) -> None:
        self._has_moved |= name.startswith("after ") and name.removeprefix("after ") not in WRITES
        if self._has_moved:
            self.moves.append(len(self.points))
            self._has_moved = False
        self.points.append(name)
        if self.crash_at is not None and len(self.points) - 1 == self.crash_at:
            self.crash_at = None
            raise Crash(name)

    @contextmanager
    def crashing(self, at: int | None) -> Iterator[None]:
        """Within, the AT-th point crashes (None: none does)."""
        self.points, self.moves, self.crash_at, self._has_moved = [], [], at, True
        try:
            yield
        finally:
            self.crash_at = None

    def write(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """For `connection.execute_wrapper`: a point before and after each statement that writes."""
        verb = sql.split(None, 1)[0].upper()
        if verb not in WRITES:
            return execute(sql, params, many, context)
        self.point(f"before {verb}")
        result = execute(sql, params, many, context)
        self._has_moved |= not context["connection"].in_atomic_block
        self.point(f"after {verb}")
        return result

    @contextmanager
    def watching(self, connection: Any) -> Iterator[None]:
        """Within, each statement of CONNECTION that writes has its points, and its commits are moves."""
        commit = connection.commit

        def committed() -> None:
            commit()
            self._has_moved = True

        with connection.execute_wrapper(self.write), mock.patch.object(connection, "commit", committed):
            yield


@dataclass
class Payment:
    purchase: Purchase
    status: str = "READY"
    token: str = ""
    captured: int = 0
    cancels: list[int] = field(default_factory=list)
    listed: list[Cancelled] = field(default_factory=list)
    captures: int = 0


class FakeProvider:
    """Captures once, refuses what KakaoPay refuses. `faults[operation]` is a list of what happens to the next calls:

    None (all is well), `lost` (done, no answer), `5xx` (not done, no answer), `unreached`, or a number (refused with it, not done).
    """

    name = "kakaopay"
    is_test = True
    is_answering = True
    lists_cancels = True

    def __init__(self, world: World) -> None:
        self.world = world
        self.payments: dict[str, Payment] = {}
        self.faults: dict[str, list[str | int | None]] = {}
        self.calls: list[str] = []

    def authenticate(self, tid: str) -> str:
        """The buyer confirms on the provider's page; the token that the browser brings back."""
        payment = self.payments[tid]
        payment.status, payment.token = "AUTH_PASSWORD", uuid.uuid4().hex[:20]
        return payment.token

    def ready(self, purchase: Purchase) -> Ready:
        def act() -> Ready:
            tid = f"T{uuid.uuid4().hex[:19].upper()}"
            self.payments[tid] = Payment(purchase)
            return Ready(tid, f"http://pay/pc/{tid}", f"http://pay/mobile/{tid}")

        return self._call("ready", act)

    def approve(self, *, tid: str, order_id: str, buyer_id: str, token: str) -> Approval:
        def act() -> Approval:
            payment = self._find("approve", tid)
            if payment.purchase.order_id != order_id:
                raise PaymentRefused("approve", -706)
            if payment.purchase.buyer_id != buyer_id:
                raise PaymentRefused("approve", -707)
            if payment.captured:
                raise PaymentRefused("approve", -702)
            if payment.status != "AUTH_PASSWORD":
                raise PaymentRefused("approve", -701)
            if token != payment.token:
                raise PaymentRefused("approve", -708)
            payment.status, payment.captured = "SUCCESS_PAYMENT", payment.purchase.total_krw
            payment.captures += 1
            return Approval(f"A{tid[1:]}", payment.captured)

        return self._call("approve", act)

    def inquire(self, tid: str) -> Inquiry:
        def act() -> Inquiry:
            payment = self._find("order", tid)
            ended = payment.status in ("QUIT_PAYMENT", "FAIL_PAYMENT", "FAIL_AUTH_PASSWORD")
            cancels = tuple(payment.listed) if self.lists_cancels else ()
            return Inquiry(payment.status, payment.captured, sum(payment.cancels), is_final=ended, cancels=cancels)

        return self._call("order", act)

    def cancel_by_hand(self, tid: str, amount_krw: int, *, at: datetime | None = None) -> None:
        """Somebody gives money back at the provider's own console."""
        payment = self.payments[tid]
        payment.cancels.append(amount_krw)
        payment.listed.append(Cancelled(amount_krw, at=at or datetime.now(UTC) - timedelta(hours=1)))
        payment.status = "CANCEL_PAYMENT" if sum(payment.cancels) == payment.captured else "PART_CANCEL_PAYMENT"

    def cancel(self, *, tid: str, amount_krw: int, available_krw: int, refund_id: str = "") -> Cancellation:
        def act() -> Cancellation:
            payment = self._find("cancel", tid)
            available = payment.captured - sum(payment.cancels)
            if amount_krw <= 0 or amount_krw > available or available_krw != available:
                raise PaymentRefused("cancel", -710)
            payment.cancels.append(amount_krw)
            payment.listed.append(Cancelled(amount_krw, refund_id, datetime.now(UTC)))
            payment.status = "CANCEL_PAYMENT" if amount_krw == available else "PART_CANCEL_PAYMENT"
            return Cancellation(f"C{len(payment.cancels)}{tid[1:]}"[:20], sum(payment.cancels))

        return self._call("cancel", act)

    def _find(self, operation: str, tid: str) -> Payment:
        if tid not in self.payments:
            raise PaymentRefused(operation, -721)
        return self.payments[tid]

    def _call(self, operation: str, act: Callable[[], Any]) -> Any:
        self.calls.append(operation)
        self.world.point(f"before {operation}")
        queue = self.faults.get(operation) or [None]
        fault = queue.pop(0)
        if isinstance(fault, int):
            raise PaymentRefused(operation, fault, is_passing=fault in SAY_NOTHING_OF_IT)
        if fault == "unreached":
            raise PaymentUnreached(operation, "fault")
        if fault == "5xx":
            raise PaymentUnknown(operation, "fault")
        answer = act()
        self.world.point(f"after {operation}")
        if fault == "lost":
            raise PaymentUnknown(operation, "fault")
        return answer


@dataclass
class HeldPlaces:
    buyer_id: str
    performance_id: str
    places: list[dict[str, Any]]
    pinned_by: str = ""
    sold_to: str = ""
    has_ended: bool = False
    is_overdue: bool = False
    """Its own time is over: it lasts as long as it is pinned."""


class _Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class FakeSeat:
    """The seat service's internal API behind `kit.peers.call`: patch that with `call`.

    `faults[call]` is a list of what happens to the next calls: None, `lost` (done, no answer), `unreached`, or (status, code): refused.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.holds: dict[str, HeldPlaces] = {}
        self.sold: dict[tuple[str, str], str] = {}
        self.faults: dict[str, list[str | tuple[int, str] | None]] = {}
        self.calls: list[str] = []
        self.closed: list[str] = []
        self.told_event: list[str] = []
        self.told_shop: list[str] = []
        self.closed_shop: list[str] = []
        """Ids of orders: what ticket told merch."""
        self._numbers = itertools.count(1)

    def hold(self, buyer_id: str, *, seats: int = 2, price_krw: int = 150_000, area: str = "", performance_id: str = "p1") -> str:
        """A buyer holds that many new places; the hold's id."""
        places = []
        for _ in range(seats):
            number = next(self._numbers)
            where = {"area": area, "label": f"{area} {number}"} if area else {"seat": f"seat-{number}", "label": f"A-{number}"}
            places.append({"id": where.get("seat") or f"{area}-{number}", **where, "grade": "R", "price_krw": price_krw})
        hold_id = str(uuid.uuid4())
        self.holds[hold_id] = HeldPlaces(buyer_id, performance_id, places)
        return hold_id

    def lose(self, hold_id: str) -> None:
        """The hold ends and its places become somebody else's."""
        self.holds[hold_id].has_ended = True
        self.holds[hold_id].pinned_by = ""

    def pinned(self) -> set[str]:
        """Orders that keep a hold pinned."""
        return {hold.pinned_by for hold in self.holds.values() if hold.pinned_by}

    def sold_to(self, order_id: str) -> list[tuple[str, str]]:
        return [place for place, owner in self.sold.items() if owner == order_id]

    def call(self, peer: str, method: str, path: str, *, json: Any = None, idempotency_key: str = "", **_: Any) -> PeerResponse:
        """In the place of `kit.peers.call`."""
        if method == "GET":
            return self._read_hold(peer, path)
        assert method == "POST"
        assert idempotency_key
        if peer == "merch" and path.endswith("/close"):
            self.closed_shop.append(path.split("/")[3])
            return PeerResponse(204, b"")
        if peer == "merch":
            assert path == "/internal/ticket-orders/withdrawn"
            self.told_shop.append(json["ticket_order"])
            return PeerResponse(204, b"")
        if peer == "event":
            assert path.endswith("/close")
            self.told_event.append(path.split("/")[3])
            return PeerResponse(204, b"")
        assert peer == "seat"
        _, internal, kind, identity, name = path.split("/")
        assert internal == "internal"
        acts = {
            ("holds", "pin"): self._pin,
            ("holds", "confirm"): self._confirm,
            ("holds", "unpin"): self._unpin,
            ("orders", "release"): self._release,
            ("performances", "close"): self._close,
        }
        self.calls.append(name)
        self.world.point(f"before {name}")
        queue = self.faults.get(name) or [None]
        fault = queue.pop(0)
        if fault == "unreached":
            raise PeerUnavailable("seat: fault")
        try:
            if isinstance(fault, tuple):
                raise _Refused(*fault)
            answer = PeerResponse(200, msgspec.json.encode(acts[kind, name](identity, json)))
        except _Refused as refusal:
            answer = PeerResponse(refusal.status, msgspec.json.encode({"code": refusal.code}))
        self.world.point(f"after {name}")
        if fault == "lost":
            raise PeerTimeout("seat: fault")
        return answer

    def _read_hold(self, peer: str, path: str) -> PeerResponse:
        parts = urlsplit(path)
        hold_id = parts.path.removeprefix("/internal/holds/")
        assert (peer, parts.path) == ("seat", f"/internal/holds/{hold_id}")
        self.calls.append("read")
        self.world.point("before read")
        fault = (self.faults.get("read") or [None]).pop(0)
        if fault is not None:
            raise PeerUnavailable("seat: fault")
        try:
            hold = self._own(hold_id, parse_qs(parts.query)["buyer"][0])
            if hold.has_ended and not hold.sold_to:
                raise _Refused(410, "hold_expired")
        except _Refused as refusal:
            return PeerResponse(refusal.status, msgspec.json.encode({"code": refusal.code}))
        return PeerResponse(200, msgspec.json.encode(self._shown(hold_id, hold)))

    def _pin(self, hold_id: str, body: dict[str, Any]) -> dict[str, Any]:
        hold = self._own(hold_id, body["buyer_id"])
        if hold.sold_to != body["order_id"]:
            self._open(hold, body["order_id"])
            hold.pinned_by = body["order_id"]
        return self._shown(hold_id, hold)

    def _confirm(self, hold_id: str, body: dict[str, Any]) -> dict[str, Any]:
        hold = self._own(hold_id, body["buyer_id"])
        if hold.sold_to != body["order_id"]:
            self._open(hold, body["order_id"])
            hold.sold_to, hold.pinned_by, hold.has_ended = body["order_id"], "", True
            for place in hold.places:
                self.sold[hold.performance_id, place["label"]] = body["order_id"]
        return self._shown(hold_id, hold)

    def _unpin(self, hold_id: str, body: dict[str, Any]) -> dict[str, Any]:
        hold = self.holds.get(hold_id)
        if hold and hold.pinned_by == body["order_id"]:
            hold.pinned_by, hold.has_ended = "", hold.has_ended or hold.is_overdue
        return {}

    def _release(self, order_id: str, body: dict[str, Any]) -> dict[str, Any]:
        wanted = body.get("places")
        labels = {place["label"] for hold in self.holds.values() for place in hold.places if wanted is None or place["id"] in wanted}
        for key in self.sold_to(order_id):
            if key[1] in labels:
                del self.sold[key]
        return {}

    def _close(self, performance_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ends open holds; one that is being paid for is its order's to end."""
        self.closed.append(performance_id)
        for hold in self.holds.values():
            if hold.performance_id == performance_id and not hold.sold_to and not hold.pinned_by:
                hold.has_ended = True
        return {}

    def _open(self, hold: HeldPlaces, order_id: str) -> None:
        if hold.performance_id in self.closed and hold.has_ended and not hold.sold_to:
            raise _Refused(409, "performance_called_off")
        if hold.has_ended or hold.sold_to:
            raise _Refused(410, "hold_expired")
        if hold.pinned_by not in ("", order_id):
            raise _Refused(409, "hold_pinned")

    def _own(self, hold_id: str, buyer_id: str) -> HeldPlaces:
        hold = self.holds.get(hold_id)
        if hold is None or hold.buyer_id != buyer_id:
            raise _Refused(404, "hold_unknown")
        return hold

    def _shown(self, hold_id: str, hold: HeldPlaces) -> dict[str, Any]:
        return {
            "id": hold_id,
            "performance_id": hold.performance_id,
            "expires_at": "2027-01-01T00:00:00+09:00",
            "server_time": "2027-01-01T00:00:00+09:00",
            "expires_in_s": 0 if hold.is_overdue else 420,
            "places": hold.places,
            "total_krw": sum(place["price_krw"] for place in hold.places),
        }
