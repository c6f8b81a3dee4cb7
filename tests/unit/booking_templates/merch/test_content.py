"""The seller puts products; what was sold stays sold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from booking_templates.merch.models import Choice, Product
from tests.unit.booking_templates.merch.conftest import JSON, PRODUCTS

URL = "/api/merch/content"


def put(client: Any, products: list[dict[str, Any]]) -> Any:
    return client.put(URL, {"products": products}, content_type=JSON)


def test_products_are_put_twice_and_read(staff_client: Any) -> None:
    for _ in range(2):
        assert put(staff_client, PRODUCTS).json() == {"products": PRODUCTS}
    assert staff_client.get(URL).json() == {"products": PRODUCTS}


def test_putting_again_keeps_what_was_sold(staff_client: Any, client: Any, order: Callable[..., Any], no_provider: None) -> None:
    put(staff_client, PRODUCTS)
    order(program=3)
    assert put(staff_client, [PRODUCTS[0] | {"stock": 10, "price_krw": 18_000}, *PRODUCTS[1:]]).status_code == 200
    first = client.get("/api/merch/products").json()["products"][0]
    assert (first["left"], first["price_krw"]) == (7, 18_000)


def test_stock_below_what_was_sold_is_refused_by_name_and_nothing_changes(
    staff_client: Any, order: Callable[..., Any], no_provider: None
) -> None:
    put(staff_client, PRODUCTS)
    order(program=3)
    answer = put(staff_client, [PRODUCTS[1] | {"name": "새 이름"}, PRODUCTS[0] | {"stock": 2}])
    assert (answer.status_code, answer.json()["code"], answer.json()["products"]) == (409, "stock_below_sold", ["program"])
    assert staff_client.get(URL).json() == {"products": PRODUCTS}
    assert put(staff_client, [PRODUCTS[0] | {"stock": 3}]).status_code == 200


def test_a_product_that_is_left_out_is_offered_no_more_and_comes_back_with_its_count(
    staff_client: Any, client: Any, order: Callable[..., Any], no_provider: None
) -> None:
    put(staff_client, PRODUCTS)
    order(program=2)
    put(staff_client, PRODUCTS[1:])
    assert [each["id"] for each in client.get("/api/merch/products").json()["products"]] == ["ost", "leaflet"]
    assert order(program=1).json()["code"] == "unknown_product"
    put(staff_client, PRODUCTS)
    assert Choice.objects.get(product="program").sold == 2


@pytest.mark.parametrize(
    "change", [{"stock": -1}, {"price_krw": 10_000_001}, {"price_krw": "1"}, {"name": ""}, {"id": "a b"}, {"id": ""}, {"name": None}]
)
def test_bad_products_are_refused(staff_client: Any, change: dict[str, Any]) -> None:
    answer = put(staff_client, [PRODUCTS[0] | change])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert not Product.objects.exists()


def test_an_id_that_comes_twice_is_refused(staff_client: Any) -> None:
    assert put(staff_client, [PRODUCTS[0], PRODUCTS[0]]).json()["errors"]["products"]


def test_the_summary_names_products(staff_client: Any, order: Callable[..., Any], no_provider: None) -> None:
    put(staff_client, PRODUCTS)
    order(program=2)
    summary = staff_client.get("/api/merch/summary").json()
    assert (summary["orders"], summary["due_krw"], summary["picked_up"]) == (1, 30_000, 0)
    assert summary["by_product"][0] == {
        "product": "program",
        "name": "프로그램북",
        "stock": 5,
        "sold": 2,
        "is_offered": True,
        "options": [],
    }


@pytest.mark.parametrize("path", ["content", "summary", "open"])
def test_staff_need_their_scope(client: Any, buyer_client: Any, client_for: Callable[[str], Any], keys: Any, path: str) -> None:
    assert client.get(f"/api/merch/{path}").status_code == 401
    assert buyer_client.get(f"/api/merch/{path}").status_code == 403
    assert client_for(keys.staff_token("probe")).get(f"/api/merch/{path}").json()["code"] == "scope_missing"


def test_a_field_that_is_not_known_is_refused_by_name(staff_client: Any) -> None:
    put(staff_client, PRODUCTS)
    option = {"id": "m", "name": "M", "stock": 3, "colour": "red"}
    shirt = {"id": "shirt", "name": "티셔츠", "price_krw": 30_000, "options": [option]}
    for body, field in (
        ({"products": PRODUCTS, "currency": "KRW"}, "currency"),
        ({"products": [PRODUCTS[0] | {"weight_g": 3}]}, "products[0].weight_g"),
        ({"products": [shirt]}, "products[0].options[0].colour"),
    ):
        answer = staff_client.put(URL, body, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert list(answer.json()["errors"]) == [field]
    assert staff_client.get(URL).json() == {"products": PRODUCTS}


def test_the_openapi_document_says_what_content_and_an_order_take(client: Any) -> None:
    document = client.get("/api/merch/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert [schemas[name]["additionalProperties"] for name in ("Content", "ProductContent", "OptionContent")] == [False] * 3
    headers = [each for each in document["paths"]["/api/merch/orders"]["post"]["parameters"] if each["in"] == "header"]
    assert [(each["name"], each["required"], each["schema"]["maxLength"]) for each in headers] == [("Idempotency-Key", False, 100)]
