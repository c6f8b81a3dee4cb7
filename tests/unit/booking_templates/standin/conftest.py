"""Callers of the stand-in: a shop with its secret key, a buyer's browser, a test with the admin key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from booking_templates.standin.faults import faults
from tests.booking_keys import KAKAOPAY_SECRET_KEY

ADMIN_KEY = "admin-key-of-the-tests"
SHOP = "http://phantom.localhost:8080/api/ticket/payments/o-1"


@pytest.fixture(autouse=True)
def stand(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STANDIN_ADMIN_KEY", ADMIN_KEY)
    faults.clear()
    yield
    faults.clear()


class Shop:
    """Speaks the API as its documents say: POST, JSON, `Authorization: SECRET_KEY …`."""

    def __init__(self, key: str = KAKAOPAY_SECRET_KEY) -> None:
        self._client = Client(headers={"Authorization": f"SECRET_KEY {key}"}, raise_request_exception=False)

    def raw(self, operation: str, body: Any) -> Any:
        return self._client.post(f"/online/v1/payment/{operation}", body, content_type="application/json")

    def ready(self, **changes: Any) -> Any:
        body = {
            "cid": "TC0ONETIME",
            "partner_order_id": "o-1",
            "partner_user_id": "u-1",
            "item_name": "오페라의 유령 R석",
            "quantity": 2,
            "total_amount": 300_000,
            "tax_free_amount": 0,
            "approval_url": f"{SHOP}/approved",
            "cancel_url": f"{SHOP}/cancelled",
            "fail_url": f"{SHOP}/failed",
        }
        return self.raw("ready", {**body, **changes})

    def approve(self, tid: str, token: str, **changes: Any) -> Any:
        body = {"cid": "TC0ONETIME", "tid": tid, "partner_order_id": "o-1", "partner_user_id": "u-1", "pg_token": token}
        return self.raw("approve", body | changes)

    def order(self, tid: str, **changes: Any) -> Any:
        return self.raw("order", {"cid": "TC0ONETIME", "tid": tid} | changes)

    def cancel(self, tid: str, amount: int, **changes: Any) -> Any:
        return self.raw("cancel", {"cid": "TC0ONETIME", "tid": tid, "cancel_amount": amount, "cancel_tax_free_amount": 0} | changes)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def browser() -> Callable[..., Any]:
    """`browser(ready_answer, "approve")` presses a button of the payment's page."""
    client = Client(headers={"Accept-Language": "en"}, raise_request_exception=False)

    def press(ready: Any, action: str, device: str = "mobile") -> Any:
        return client.post(urlsplit(ready[f"next_redirect_{device}_url"]).path, {"action": action})

    return press


@pytest.fixture
def authenticated(shop: Shop, browser: Callable[..., Any]) -> tuple[str, str]:
    """A payment that its buyer has confirmed: tid and pg_token."""
    ready = shop.ready().json()
    return ready["tid"], token_of(browser(ready, "approve"))


def token_of(answer: Any) -> str:
    return parse_qs(urlsplit(answer["Location"]).query)["pg_token"][0]


@pytest.fixture
def captured(shop: Shop, authenticated: tuple[str, str]) -> str:
    """A payment of 300,000 won that was captured: its tid."""
    assert shop.approve(*authenticated).status_code == 200
    return authenticated[0]


@pytest.fixture
def admin() -> Client:
    return Client(headers={"X-Admin-Key": ADMIN_KEY}, raise_request_exception=False)
