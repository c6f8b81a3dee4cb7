"""What ticket asks of seat at the same moment goes as one call."""

from __future__ import annotations

import threading
import time
from typing import Any

import msgspec
import pytest

from booking_templates.kit import peers
from booking_templates.kit.peers import PeerResponse, PeerTimeout
from booking_templates.payments.errors import Undeliverable
from booking_templates.ticket.seat import Hold, SeatService

BOUND_S = 10.0


class Seat:
    """Grants every hold but `lost`. The first call waits until `go_on` is set."""

    def __init__(self, knows_many: bool = True) -> None:
        self.paths: list[str] = []
        self.go_on = threading.Event()
        self.knows_many = knows_many
        self.is_garbled = False

    def call(self, peer: str, method: str, path: str, *, json: Any, **_: Any) -> PeerResponse:
        self.paths.append(path)
        if len(self.paths) == 1:
            assert self.go_on.wait(BOUND_S)
        if path != "/internal/holds":
            answer = self._answer(path.split("/")[3])
            return PeerResponse(answer["status"], msgspec.json.encode(answer.get("hold", answer)))
        if not self.knows_many:
            return PeerResponse(404, b'{"code": "not_found"}')
        asks = msgspec.to_builtins(json)["asks"]
        return PeerResponse(
            200, b"[" if self.is_garbled else msgspec.json.encode({"answers": [self._answer(each["hold_id"]) for each in asks]})
        )

    def _answer(self, hold_id: str) -> dict[str, Any]:
        if hold_id == "lost":
            return {"status": 409, "code": "hold_lost"}
        return {"status": 200, "hold": {"performance_id": hold_id, "places": [], "total_krw": 1}}


@pytest.fixture
def seat(monkeypatch: pytest.MonkeyPatch) -> Seat:
    fake = Seat()
    monkeypatch.setattr(peers, "call", fake.call)
    return fake


def asked_at_once(seat: Seat, *holds: str) -> dict[str, Hold | Exception]:
    """One hold is being pinned, HOLDS come meanwhile: what became of these."""
    service = SeatService()
    service._answer_of._patience_s = BOUND_S
    found: dict[str, Hold | Exception] = {}

    def pin(hold_id: str) -> None:
        try:
            found[hold_id] = service.pin(hold_id=hold_id, order_id=f"o-{hold_id}", buyer_id="b")
        except Exception as error:
            found[hold_id] = error

    threads = []
    for number, hold_id in enumerate(["first", *holds]):
        threads.append(threading.Thread(target=pin, args=[hold_id], daemon=True))
        threads[-1].start()
        deadline = time.monotonic() + BOUND_S
        while not seat.paths or len(service._answer_of._waiting) < number:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    seat.go_on.set()
    for thread in threads:
        thread.join(BOUND_S)
    assert isinstance(found.pop("first"), Hold)
    return found


def test_one_alone_has_its_own_call_and_those_that_come_meanwhile_share_one(seat: Seat) -> None:
    found = asked_at_once(seat, "a", "lost", "b")
    assert seat.paths == ["/internal/holds/first/pin", "/internal/holds"]
    assert [found[name] for name in "ab"] == [Hold("a", [], 1), Hold("b", [], 1)]
    assert isinstance(found["lost"], Undeliverable)
    assert found["lost"].reason == "hold_lost"


def test_a_seat_service_of_before_that_call_is_asked_one_by_one(seat: Seat) -> None:
    seat.knows_many = False
    found = asked_at_once(seat, "a", "b")
    assert seat.paths == ["/internal/holds/first/pin", "/internal/holds", "/internal/holds/a/pin", "/internal/holds/b/pin"]
    assert all(isinstance(each, Hold) for each in found.values())


def test_an_answer_that_is_not_understood_decides_nothing(seat: Seat) -> None:
    seat.is_garbled = True
    assert {type(each) for each in asked_at_once(seat, "a", "b").values()} == {PeerTimeout}
