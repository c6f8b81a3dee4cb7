"""One buyer may have so many pieces of a product, however many requests they come in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from booking_templates.merch.models import Choice, Order
from tests.unit.booking_templates.merch.conftest import JSON, PLAIN, PRODUCTS, SHIRT

POSTER = PLAIN | {"id": "poster", "name": "포스터", "price_krw": 5_000, "stock": 300, "limit_per_buyer": 4}
TEE = SHIRT | {"limit_per_buyer": 3, "options": [each | {"stock": 50} for each in SHIRT["options"]]}  # type: ignore[attr-defined]
URL = "/api/merch/content"

pytestmark = pytest.mark.usefixtures("no_provider")


@pytest.fixture(autouse=True)
def on_sale(staff_client: Any) -> None:
    assert staff_client.put(URL, {"products": [POSTER, TEE, *PRODUCTS]}, content_type=JSON).status_code == 200


def sold(product: str) -> int:
    return sum(Choice.objects.filter(product=product).values_list("sold", flat=True))


def test_more_than_the_limit_is_refused_in_one_order(order: Callable[..., Any]) -> None:
    refused = order(poster=5)
    assert (refused.status_code, refused.json()["code"], refused.json()["limit"]) == (422, "limit_exceeded", 4)
    assert "포스터" in refused.json()["detail"]
    assert sold("poster") == 0
    assert order(poster=4).status_code == 201


def test_unpaid_orders_count_though_nobody_pays_them(order: Callable[..., Any], other_buyer_client: Any) -> None:
    assert [order(poster=2).status_code for _ in range(3)] == [201, 201, 422]
    told = order(poster=1).json()
    assert (told["taken"], told["limit"], sold("poster")) == (4, 4, 4)
    assert order(client=other_buyer_client, poster=4).status_code == 201


def test_options_of_a_product_count_together(order: Callable[..., Any]) -> None:
    assert order(tee_m=2, tee_xxl=2).json()["code"] == "limit_exceeded"
    assert order(tee_m=2).status_code == 201
    assert order(tee_xxl=2).json()["taken"] == 2
    assert order(tee_xxl=1, poster=4).status_code == 201


def test_what_was_given_back_may_be_had_again(order: Callable[..., Any], buyer_client: Any) -> None:
    made = order(poster=4).json()
    item = made["items"][0]["id"]
    part = buyer_client.post(f"/api/merch/orders/{made['id']}/refunds", {"items": [{"item": item, "quantity": 1}]}, content_type=JSON)
    assert part.status_code == 200
    assert [order(poster=2).status_code, order(poster=1).status_code] == [422, 201]
    assert buyer_client.post(f"/api/merch/orders/{made['id']}/cancel").status_code == 200
    assert [order(poster=4).status_code, order(poster=3).status_code] == [422, 201]


def test_the_same_request_again_is_the_same_order(order: Callable[..., Any]) -> None:
    assert [order(poster=4, key="once").status_code for _ in range(2)] == [201, 200]


def test_requests_at_once_do_not_pass_it_together(order: Callable[..., Any], buyer_client: Any) -> None:
    """The limit: three shirts. Eight requests at the same moment, of either size."""
    clients = [Client(**buyer_client.defaults) for _ in range(8)]
    statuses: list[int] = []
    together = threading.Barrier(len(clients))

    def ask(number: int) -> None:
        together.wait()
        statuses.append(order(client=clients[number], **{("tee_m", "tee_xxl")[number % 2]: 1}).status_code)
        connections.close_all()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(statuses), sold("tee")) == ([201] * 3 + [422] * 5, 3)


def test_it_is_shown_and_content_of_before_it_keeps_working(staff_client: Any, client: Any, order: Callable[..., Any]) -> None:
    before = {name: value for name, value in PRODUCTS[2].items() if name != "limit_per_buyer"} | {"stock": 100}
    assert staff_client.put(URL, {"products": [before, POSTER]}, content_type=JSON).json()["products"][0]["limit_per_buyer"] == 10
    shown = client.get("/api/merch/products").json()["products"]
    assert [each["limit_per_buyer"] for each in shown] == [10, 4]
    assert [order(leaflet=11).status_code, order(leaflet=10).status_code] == [422, 201]
    assert Order.objects.count() == 1


@pytest.mark.parametrize("limit", [0, -1, 101, "4", None])
def test_a_limit_that_is_none_is_refused(staff_client: Any, limit: Any) -> None:
    assert staff_client.put(URL, {"products": [POSTER | {"limit_per_buyer": limit}]}, content_type=JSON).status_code == 422
