"""While much is being paid a new order is asked to come again, and who comes back from paying is let in."""

from __future__ import annotations

from typing import Any

import pytest

from booking_templates.payments.admission import GATE
from booking_templates.ticket.models import Order
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
URL = "/api/ticket/orders"


@pytest.fixture
def is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GATE, "_at_once", 0)


def test_a_new_order_is_asked_to_come_again_and_leaves_nothing_behind(
    buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, is_full: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = {"hold_id": seat.hold(buyer_id)}
    headers = {"Idempotency-Key": "the-same"}
    refused = buyer_client.post(URL, sent, content_type=JSON, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")
    assert int(refused["Retry-After"]) >= 1
    assert (Order.objects.count(), provider.calls, seat.pinned()) == (0, [], set())
    monkeypatch.setattr(GATE, "_at_once", 1)
    assert buyer_client.post(URL, sent, content_type=JSON, headers=headers).status_code == 201


def test_who_comes_back_from_paying_is_never_refused(
    client: Any, buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = buyer_client.post(URL, {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    token = provider.authenticate(tid_of(order))
    monkeypatch.setattr(GATE, "_at_once", 0)
    assert client.get(f"/api/ticket/payments/{order}/approved", {"pg_token": token}).status_code == 303
    assert buyer_client.get(f"{URL}/{order}").json()["status"] == "ISSUED"


def test_the_document_names_the_refusal(client: Any) -> None:
    assert "429" in client.get("/api/ticket/openapi.json").json()["paths"][URL]["post"]["responses"]
