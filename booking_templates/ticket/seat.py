"""What ticket asks of the seat service: `/internal` calls that are idempotent by the order's id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from booking_templates.kit import peers
from booking_templates.kit.combiner import Combiner
from booking_templates.kit.peers import PeerTimeout
from booking_templates.payments.errors import Undeliverable

D = TypeVar("D")

REFUSALS = frozenset({404, 409, 410, 422})


class Place(msgspec.Struct):
    """A seat, or one place in an area. `id` names it within its order."""

    id: str
    label: str
    grade: str = ""
    price_krw: int = 0
    seat: str = ""
    area: str = ""


class Hold(msgspec.Struct):
    """What a hold is for. `expires_in_s` is what is left of its own time, pinned or not; None once its places are sold."""

    performance_id: str
    places: list[Place]
    total_krw: int
    expires_in_s: float | None = None


class _Ask(msgspec.Struct):
    act: str
    hold_id: str
    order_id: str
    buyer_id: str


class _Answer(msgspec.Struct):
    status: int
    code: str = ""
    hold: Hold | None = None


class _Answers(msgspec.Struct):
    answers: list[_Answer]


class SeatService:
    """What ticket asks. Each call raises PeerError when nothing is known of its outcome, Undeliverable when seat refused it."""

    def __init__(self) -> None:
        self._answer_of: Combiner[_Ask, _Answer] = Combiner(self._ask)

    def pin(self, *, hold_id: str, order_id: str, buyer_id: str) -> Hold:
        """Keep the hold beyond its time, for this order alone, until it is confirmed or unpinned."""
        return self._hold(_Ask("pin", hold_id, order_id, buyer_id))

    def read(self, *, hold_id: str, buyer_id: str) -> Hold:
        """What the hold is for, which stays as it is."""
        answer = peers.call("seat", "GET", f"/internal/holds/{quote(hold_id, safe='')}?buyer={quote(buyer_id, safe='')}")
        if answer.status != 200:
            raise Undeliverable(answer.code or "refused")
        return _decoded(answer, Hold)

    def confirm(self, *, hold_id: str, order_id: str, buyer_id: str) -> Hold:
        """Sell the hold's places to the order."""
        return self._hold(_Ask("confirm", hold_id, order_id, buyer_id))

    def unpin(self, *, hold_id: str, order_id: str) -> None:
        """The hold is its buyer's again for what is left of its time. An unknown or ended hold is fine."""
        self._call(f"/internal/holds/{hold_id}/unpin", {"order_id": order_id}, f"unpin-{order_id}")

    def release(self, *, order_id: str) -> None:
        """Free whatever was sold to the order. Nothing sold is fine."""
        self._call(f"/internal/orders/{order_id}/release", {}, f"release-{order_id}")

    def _hold(self, ask: _Ask) -> Hold:
        answer = self._answer_of(ask)
        if answer.hold is None:
            raise Undeliverable(answer.code or "refused")
        return answer.hold

    def _ask(self, asks: Sequence[_Ask]) -> list[_Answer]:
        if len(asks) > 1:
            answer = self._call("/internal/holds", {"asks": asks})
            if answer.status == 200:
                return _decoded(answer, _Answers).answers
            # A seat service of before this call: it is replaced after this one, or this one is rolled back.
        return [self._ask_one(ask) for ask in asks]

    def _ask_one(self, ask: _Ask) -> _Answer:
        body = {"order_id": ask.order_id, "buyer_id": ask.buyer_id}
        answer = self._call(f"/internal/holds/{ask.hold_id}/{ask.act}", body, f"{ask.act}-{ask.order_id}")
        if answer.status != 200:
            return _Answer(answer.status, answer.code)
        return _Answer(200, hold=_decoded(answer, Hold))

    def _call(self, path: str, body: dict[str, Any], idempotency_key: str = "") -> peers.PeerResponse:
        answer = peers.call("seat", "POST", path, json=body, idempotency_key=idempotency_key, retry=True)
        if answer.status >= 400 and answer.status not in REFUSALS:
            raise PeerTimeout(f"seat: {answer.status}")
        return answer


def _decoded(answer: peers.PeerResponse, kind: type[D]) -> D:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        raise PeerTimeout("seat: answer not understood") from error
