"""The merch service with a fake provider."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from booking_templates.kit.db import clock
from booking_templates.merch.models import Order
from booking_templates.merch.saga import saga
from tests.booking_fakes import FakeProvider, World

JSON = "application/json"
PLAIN = {"description": "", "picture": None, "option_label": "", "options": [], "limit_per_buyer": 10}
PRODUCTS = [
    PLAIN | {"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": 5, "description": "80쪽"},
    PLAIN | {"id": "ost", "name": "OST", "price_krw": 22_000, "stock": 3},
    PLAIN | {"id": "leaflet", "name": "리플릿", "price_krw": 0, "stock": 10},
]
SHIRT = PLAIN | {
    "id": "tee",
    "name": "티셔츠",
    "price_krw": 35_000,
    "stock": None,
    "option_label": "사이즈",
    "options": [
        {"id": "m", "name": "M", "stock": 2, "extra_krw": 0},
        {"id": "xxl", "name": "2XL", "stock": 1, "extra_krw": 2_000},
    ],
}


@pytest.fixture(autouse=True)
def database(transactional_db: None) -> None:
    """Real commits: the saga is about what stands in the rows. No power is cut in these tests, so nothing waits for the disk."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def provider(world: World, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    fake = FakeProvider(world)
    monkeypatch.setattr(saga, "provider", lambda: fake)
    return fake


@pytest.fixture
def no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event without payment: what is ordered is paid at the counter."""
    monkeypatch.setattr(saga, "provider", lambda: None)


@pytest.fixture
def products(staff_client: Any) -> None:
    assert staff_client.put("/api/merch/content", {"products": PRODUCTS}, content_type=JSON).status_code == 200


@pytest.fixture
def order(buyer_client: Any) -> Callable[..., Any]:
    """`order(program=2)` orders; `order(tee_m=1)` an option."""

    def run(*, client: Any = None, key: str = "", **wanted: int) -> Any:
        items = []
        for name, quantity in wanted.items():
            product, _, option = name.partition("_")
            items.append({"product": product, "quantity": quantity} | ({"option": option} if option else {}))
        headers = {"Idempotency-Key": key} if key else {}
        return (client or buyer_client).post("/api/merch/orders", {"items": items}, content_type=JSON, headers=headers)

    return run


@pytest.fixture
def pay(provider: FakeProvider, client: Any) -> Callable[[str], None]:
    """The buyer confirms at the provider and comes back."""

    def run(order_id: str) -> None:
        token = provider.authenticate(str(Order.objects.get(pk=order_id).tid))
        answer = client.get(f"/api/merch/payments/{order_id}/approved", {"pg_token": token})
        assert answer["Location"] == f"http://phantom.localhost:8080/shop/orders/{order_id}"

    return run


@pytest.fixture
def recover() -> Callable[[], None]:
    """Let time pass until nothing is due any more; payments that nobody makes expire."""

    def run() -> None:
        for _ in range(20):
            past = clock() - timedelta(minutes=20)
            Order.objects.filter(next_at__isnull=False).update(next_at=past)
            Order.objects.filter(pay_by__isnull=False).update(pay_by=past)
            if not saga.recover():
                return

    return run
