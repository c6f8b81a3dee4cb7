"""What ticket asks of the seat service: `/internal` calls that are idempotent by the order's id."""

from __future__ import annotations

from typing import Any

import msgspec

from booking_templates.kit import peers
from booking_templates.kit.peers import PeerTimeout
from booking_templates.payments.errors import Undeliverable

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
    """What a hold is for."""

    performance_id: str
    places: list[Place]
    total_krw: int


class SeatService:
    """Each call raises PeerError when nothing is known of its outcome, Undeliverable when seat refused it."""

    def pin(self, *, hold_id: str, order_id: str, buyer_id: str) -> Hold:
        """Keep the hold beyond its time, for this order alone, until it is confirmed or unpinned."""
        return self._hold(f"/internal/holds/{hold_id}/pin", "pin", order_id, {"order_id": order_id, "buyer_id": buyer_id})

    def confirm(self, *, hold_id: str, order_id: str, buyer_id: str) -> Hold:
        """Sell the hold's places to the order."""
        return self._hold(f"/internal/holds/{hold_id}/confirm", "confirm", order_id, {"order_id": order_id, "buyer_id": buyer_id})

    def unpin(self, *, hold_id: str, order_id: str) -> None:
        """The hold is its buyer's again for what is left of its time. An unknown or ended hold is fine."""
        self._call(f"/internal/holds/{hold_id}/unpin", "unpin", order_id, {"order_id": order_id})

    def release(self, *, order_id: str) -> None:
        """Free whatever was sold to the order. Nothing sold is fine."""
        self._call(f"/internal/orders/{order_id}/release", "release", order_id, {})

    def _hold(self, path: str, call: str, order_id: str, body: dict[str, Any]) -> Hold:
        answer = self._call(path, call, order_id, body)
        if answer.status != 200:
            raise Undeliverable(answer.code or "refused")
        try:
            return msgspec.json.decode(answer.content, type=Hold)
        except msgspec.DecodeError as error:
            raise PeerTimeout("seat: answer not understood") from error

    def _call(self, path: str, call: str, order_id: str, body: dict[str, Any]) -> peers.PeerResponse:
        answer = peers.call("seat", "POST", path, json=body, idempotency_key=f"{call}-{order_id}")
        if answer.status >= 400 and answer.status not in REFUSALS:
            raise PeerTimeout(f"seat: {answer.status}")
        return answer
