"""The example event, as staff send it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from booking_templates.event.content import published as published_copy

CONTENT: dict[str, Any] = {
    "title": "오페라의 유령",
    "field": "musical",
    "description": "샤롯데씨어터, 2027년 1월.",
    "venue": {"name": "샤롯데씨어터", "address": "서울 송파구 올림픽로 240"},
    "running_minutes": 150,
    "age_limit": 8,
    "performances": [
        {"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00", "ends_at": "2027-01-10T22:00:00+09:00"},
        {"id": "p2", "starts_at": "2027-01-11T05:00:00Z"},
    ],
    "sales": {"opens_at": "2026-12-01T10:00:00+09:00", "closes_at": "2027-01-10T18:30:00+09:00"},
    "payment": "kakaopay",
    "payment_test": True,
    "merchandise": True,
    "organiser": {"name": "극단 은하역", "phone": "02-123-4567", "email": "help@example.com", "registration": "대표 김은하"},
}


@pytest.fixture(autouse=True)
def _fresh_copy() -> None:
    """What another test published is undone, and the copy of it with it."""
    published_copy.cache_clear()


@pytest.fixture
def content() -> dict[str, Any]:
    return copy.deepcopy(CONTENT)


@pytest.fixture
def put(staff_client: Any) -> Any:
    """Send content as staff; `put(body, **headers)`."""

    def send(body: Any, **headers: str) -> Any:
        return staff_client.put("/api/event/content", body, content_type="application/json", headers=headers)

    return send


@pytest.fixture
def published(put: Any, content: dict[str, Any], db: None) -> dict[str, Any]:
    """The example event, published."""
    assert put(content).status_code == 200
    return content
