"""A small house on sale, and callers of the seat service."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from booking_templates.seat import board as board_module
from booking_templates.seat import house, passes
from booking_templates.seat.models import Claim

JSON = "application/json"
API = "/api/seat"
SOON = datetime.now(UTC).replace(microsecond=0)


def seating_plan(rows: int = 3, seats: int = 6) -> dict[str, Any]:
    """`A-1` … : two rows of VIP, the rest R, 20 pixels apart, with a stage above."""
    return {
        "name": "소극장",
        "size": {"width": 400, "height": 300},
        "categories": [{"name": "VIP", "color": "#aa0000"}, {"name": "R", "color": "#0000aa"}],
        "zones": [
            {
                "name": "1층",
                "position": {"x": 100, "y": 100},
                "rows": [
                    {
                        "row_number": chr(65 + row),
                        "position": {"x": 0, "y": row * 25},
                        "seats": [
                            {
                                "seat_guid": f"{chr(65 + row)}-{number}",
                                "seat_number": str(number),
                                "position": {"x": 20 * number, "y": 0},
                                "category": "VIP" if row < 2 else "R",
                            }
                            for number in range(1, seats + 1)
                        ],
                    }
                    for row in range(rows)
                ],
                "areas": [
                    {
                        "shape": "rectangle",
                        "color": "#222222",
                        "position": {"x": 0, "y": -80},
                        "rectangle": {"width": 140, "height": 40},
                        "text": {"text": "STAGE", "position": {"x": 70, "y": 20}},
                    }
                ],
            }
        ],
    }


def numbered_content(**changes: Any) -> dict[str, Any]:
    return {
        "plan": seating_plan(),
        "grades": [{"name": "VIP", "price_krw": 150_000}, {"name": "R", "price_krw": 90_000, "color": "#00aa00"}],
        "performances": [
            {"id": "p1", "starts_at": (SOON + timedelta(days=3)).isoformat()},
            {"id": "p2", "starts_at": (SOON + timedelta(days=4)).isoformat()},
        ],
        "sales": {"opens_at": (SOON - timedelta(days=1)).isoformat(), "closes_at": (SOON + timedelta(days=4)).isoformat()},
        "limit_per_buyer": 4,
        "hold_minutes": 7,
        **changes,
    }


def area_content(**changes: Any) -> dict[str, Any]:
    areas = [
        {"id": "floor", "name": "스탠딩", "capacity": 10, "grade": "GA"},
        {"id": "deck", "name": "데크", "capacity": 3, "grade": "VIP"},
    ]
    content = numbered_content(areas=areas, grades=[{"name": "GA", "price_krw": 50_000}, {"name": "VIP", "price_krw": 99_000}])
    del content["plan"]
    return content | changes


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No memory of the test before, and none within: what is asked is read from the database."""
    monkeypatch.setattr(board_module, "POLL_S", 0.0)
    monkeypatch.setattr(board_module, "COUNT_S", -1.0)
    monkeypatch.setattr(house, "CHECK_EVERY_S", 0.0)
    house.forget()
    passes.forget()
    board_module.board.forget()
    yield
    house.forget()
    passes.forget()
    board_module.board.forget()


class Caller:
    """Somebody with a token, or nobody."""

    def __init__(self, client: Client, identity: str = "") -> None:
        self.client = client
        self.id = identity

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, path if path.startswith("/") else f"{API}/{path}", content, content_type=JSON, headers=headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def hold(self, *seats: str, performance: str = "p1", **wish: Any) -> Any:
        return self.call("POST", f"performances/{performance}/holds", wish or {"seats": list(seats)})

    def held(self, *seats: str, performance: str = "p1", **wish: Any) -> dict[str, Any]:
        answer = self.hold(*seats, performance=performance, **wish)
        assert answer.status_code == 201, answer.content
        return answer.json()


@pytest.fixture
def someone(client: Client) -> Caller:
    """Nobody in particular."""
    return Caller(client)


@pytest.fixture
def new_buyer(client_for: Callable[[str], Client], token_for: Callable[..., str]) -> Callable[[], Caller]:
    def make() -> Caller:
        identity = str(uuid.uuid4())
        return Caller(client_for(token_for("buyer", identity)), identity)

    return make


@pytest.fixture
def buyer(new_buyer: Callable[[], Caller]) -> Caller:
    return new_buyer()


@pytest.fixture
def other(new_buyer: Callable[[], Caller]) -> Caller:
    return new_buyer()


@pytest.fixture
def staff(staff_client: Client) -> Caller:
    return Caller(staff_client)


@pytest.fixture
def ticket(service_client: Callable[[str], Client]) -> Caller:
    """The ticket service."""
    return Caller(service_client("ticket"))


@pytest.fixture
def auth_service(service_client: Callable[[str], Client]) -> Caller:
    return Caller(service_client("auth"))


@pytest.fixture
def on_sale(db: None, staff: Caller) -> dict[str, Any]:
    """Numbered seats are on sale: the content."""
    content = numbered_content()
    answer = staff.call("PUT", "content", content)
    assert answer.status_code == 200, answer.content
    return content


@pytest.fixture
def areas_on_sale(db: None, staff: Caller, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Areas are on sale: the content."""
    monkeypatch.setenv("SEAT_NUMBERED", "no")
    content = area_content()
    answer = staff.call("PUT", "content", content)
    assert answer.status_code == 200, answer.content
    return content


@pytest.fixture
def let_expire() -> Callable[[str], None]:
    """Make a hold's time be over, as if it had passed; nobody has swept it."""

    def expire(hold_id: str) -> None:
        assert Claim.objects.filter(hold=int(hold_id, 16)).update(expires_ms=1)

    return expire


@pytest.fixture
def states(someone: Caller) -> Callable[..., str]:
    """The availability of a performance, a character a seat."""
    return lambda performance="p1": someone.get(f"performances/{performance}/availability").json()["state"]
