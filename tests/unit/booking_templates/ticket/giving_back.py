"""An organiser gives back by hand: the requests that the tests of it make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.booking_fakes import FakeProvider
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
URL = "/api/ticket"
STANDARD = "consumer_standard"
Buy = Callable[..., str]
Three = tuple[str, list[str]]


def refund(client: Any, order_id: str, *tickets: str, fee_krw: int = 0, key: str = "", **wanted: Any) -> Any:
    body = {"fee_krw": fee_krw, "why": "illness", **wanted} | ({"tickets": list(tickets)} if tickets else {})
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"{URL}/bookings/{order_id}/refunds", body, content_type=JSON, headers=headers)


def quote(client: Any, order_id: str, *tickets: str, **query: Any) -> dict[str, Any]:
    asked = {"tickets": ",".join(tickets)} if tickets else {}
    return dict(client.get(f"{URL}/bookings/{order_id}/quote", asked | query).json())


def booking(client: Any, order_id: str) -> dict[str, Any]:
    return dict(client.get(f"{URL}/bookings/{order_id}").json())


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def cancels(provider: FakeProvider, order_id: str) -> list[int]:
    return provider.payments[tid_of(order_id)].cancels
