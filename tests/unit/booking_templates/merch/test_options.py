"""Products that come in options: each is counted by itself and may cost more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from booking_templates.merch.models import Choice, Order
from tests.booking_fakes import FakeProvider
from tests.unit.booking_templates.merch.conftest import JSON, PLAIN, PRODUCTS, SHIRT

URL = "/api/merch"


def put(client: Any, *products: dict[str, Any]) -> Any:
    return client.put(f"{URL}/content", {"products": list(products)}, content_type=JSON)


def sold() -> dict[str, int]:
    return {str(choice): choice.sold for choice in Choice.objects.order_by("pk")}


@pytest.fixture(autouse=True)
def shirt(staff_client: Any) -> None:
    assert put(staff_client, PRODUCTS[0], SHIRT).status_code == 200


def test_options_are_put_twice_and_read(staff_client: Any) -> None:
    for _ in range(2):
        assert put(staff_client, PRODUCTS[0], SHIRT).json() == {"products": [PRODUCTS[0], SHIRT]}


def test_buyers_see_what_each_option_costs_and_how_many_are_left(client: Any) -> None:
    shown = client.get(f"{URL}/products").json()["products"][1]
    assert (shown["left"], shown["option_label"]) == (3, "사이즈")
    assert shown["options"] == [
        {"id": "m", "name": "M", "extra_krw": 0, "price_krw": 35_000, "left": 2},
        {"id": "xxl", "name": "2XL", "extra_krw": 2_000, "price_krw": 37_000, "left": 1},
    ]


def test_options_are_ordered_at_their_price_from_their_stock(order: Callable[..., Any], provider: FakeProvider) -> None:
    made = order(tee_m=1, tee_xxl=1, program=1).json()
    assert made["total_krw"] == 35_000 + 37_000 + 15_000
    assert [(item["product"], item["option"], item["option_name"], item["price_krw"]) for item in made["items"]] == [
        ("program", None, "", 15_000),
        ("tee", "m", "M", 35_000),
        ("tee", "xxl", "2XL", 37_000),
    ]
    assert sold() == {"program": 1, "tee/m": 1, "tee/xxl": 1}


def test_the_last_of_one_option_leaves_the_others(order: Callable[..., Any], provider: FakeProvider) -> None:
    order(tee_xxl=1)
    refused = order(tee_xxl=1, tee_m=1)
    assert (refused.status_code, refused.json()["code"], refused.json()["left"]) == (409, "sold_out", {"tee/xxl": 0})
    assert order(tee_m=1).status_code == 201


def test_an_option_has_to_be_named_and_has_to_be_there(order: Callable[..., Any], provider: FakeProvider) -> None:
    unnamed = order(tee=1)
    assert (unnamed.status_code, unnamed.json()["code"], unnamed.json()["products"]) == (422, "option_required", ["tee"])
    for unknown, name in (({"tee_zz": 1}, "tee/zz"), ({"program_m": 1}, "program/m")):
        answer = order(**unknown)
        assert (answer.status_code, answer.json()["code"], answer.json()["products"]) == (404, "unknown_product", [name])
    assert Order.objects.count() == 0
    assert set(sold().values()) == {0}


def test_another_option_under_the_same_key_is_another_order(order: Callable[..., Any], provider: FakeProvider) -> None:
    assert order(key="k", tee_m=1).status_code == 201
    assert order(key="k", tee_m=1).status_code == 200
    assert order(key="k", tee_xxl=1).json()["code"] == "idempotency_key_reused"


def test_less_stock_of_an_option_than_was_sold_is_refused_by_name(staff_client: Any, order: Callable[..., Any], no_provider: None) -> None:
    order(tee_m=2)
    fewer = SHIRT | {"options": [SHIRT["options"][0] | {"stock": 1}, SHIRT["options"][1]]}
    answer = put(staff_client, PRODUCTS[0], fewer)
    assert (answer.status_code, answer.json()["code"]) == (409, "stock_below_sold")
    assert (answer.json()["products"], answer.json()["options"]) == ([], ["tee/m"])


def test_an_option_that_is_left_out_is_offered_no_more_and_its_orders_stand(
    staff_client: Any, client: Any, order: Callable[..., Any], no_provider: None
) -> None:
    made = order(tee_m=1).json()
    put(staff_client, SHIRT | {"options": SHIRT["options"][1:]})
    assert [each["id"] for each in client.get(f"{URL}/products").json()["products"][0]["options"]] == ["xxl"]
    assert order(tee_m=1).json()["code"] == "unknown_product"
    assert Order.objects.get(pk=made["id"]).state == "ISSUED"
    sales = staff_client.get(f"{URL}/summary").json()["by_product"][0]
    assert [(each["id"], each["sold"], each["is_offered"]) for each in sales["options"]] == [("m", 1, False), ("xxl", 0, True)]


def test_a_product_may_change_between_options_and_none(staff_client: Any, order: Callable[..., Any], no_provider: None) -> None:
    order(tee_m=1)
    put(staff_client, SHIRT | {"options": [], "stock": 4})
    assert order(tee=1).status_code == 201
    put(staff_client, SHIRT)
    assert order(tee_m=1).status_code == 201
    assert order(tee_m=1).json()["code"] == "sold_out"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stock": 3}, "products[0].stock"),
        ({"options": []}, "products[0].stock"),
        ({"options": [SHIRT["options"][0], SHIRT["options"][0] | {"id": "M"}]}, "products[0].options"),
        ({"options": [SHIRT["options"][0] | {"stock": -1}]}, "products[0].options[0].stock"),
        ({"options": [SHIRT["options"][0] | {"extra_krw": -1}]}, "products[0].options[0].extra_krw"),
        ({"options": [{"id": "m"}]}, "products[0].options[0].name"),
        ({"picture": "x"}, "products[0].picture"),
    ],
)
def test_what_does_not_fit_together_is_refused_at_its_field(staff_client: Any, change: dict[str, Any], field: str) -> None:
    answer = put(staff_client, SHIRT | change)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert Choice.objects.filter(product="tee", is_offered=True).count() == 2


def test_ids_that_differ_in_case_alone_are_the_same(staff_client: Any) -> None:
    answer = put(staff_client, PRODUCTS[0], PLAIN | {"id": "PROGRAM", "name": "x", "price_krw": 1, "stock": 1})
    assert answer.json()["errors"]["products"]
