"""Products with options, as a requirement has them and as the merch service takes them."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.rendering.parts import Option, Product
from controlplane.rendering.requirement import Requirement, validate
from tests.controlplane import numbered_requirement

TEE = {
    "id": "tee",
    "name": "티셔츠",
    "price_krw": 35_000,
    "option_label": "사이즈",
    "options": [{"id": "m", "name": "M", "stock": 100}, {"id": "xxl", "name": "2XL", "stock": 20, "extra_krw": 2_000}],
}


def with_product(**changes: Any) -> Any:
    product = {key: value for key, value in (TEE | changes).items() if value is not ...}
    return validate(numbered_requirement(products=[product]))


def test_options_are_read_and_survive() -> None:
    found = with_product()

    assert isinstance(found, Requirement)
    assert found.products == (
        Product("tee", "티셔츠", 35_000, None, "", "사이즈", (Option("m", "M", 100), Option("xxl", "2XL", 20, 2_000))),
    )
    assert validate(found.to_json()) == found
    assert "stock" not in found.to_json()["products"][0]


def test_a_product_without_options_is_written_as_before() -> None:
    found = with_product(options=..., option_label="사이즈", stock=5)

    assert isinstance(found, Requirement)
    assert found.to_json()["products"] == [{"id": "tee", "name": "티셔츠", "price_krw": 35_000, "description": "", "stock": 5}]
    assert validate(found.to_json()) == found


def test_a_limit_per_buyer_is_kept_and_the_usual_one_is_not_written() -> None:
    found, usual = with_product(limit_per_buyer=4), with_product(limit_per_buyer=10)

    assert isinstance(found, Requirement)
    assert isinstance(usual, Requirement)
    assert (found.products[0].limit_per_buyer, found.to_json()["products"][0]["limit_per_buyer"]) == (4, 4)
    assert validate(found.to_json()) == found
    assert usual == with_product()
    assert "limit_per_buyer" not in usual.to_json()["products"][0], "an image that is older does not know it"


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"stock": 5}, "products[0].stock", "stock_and_options"),
        ({"limit_per_buyer": 0}, "products[0].limit_per_buyer", "out_of_range"),
        ({"limit_per_buyer": 101}, "products[0].limit_per_buyer", "out_of_range"),
        ({"limit_per_buyer": "viele"}, "products[0].limit_per_buyer", "wrong_type"),
        ({"options": ...}, "products[0].stock", "required"),
        ({"options": []}, "products[0].stock", "required"),
        ({"options": 5}, "products[0].options", "wrong_type"),
        ({"options": [{"id": "m", "name": "M"}]}, "products[0].options[0].stock", "required"),
        ({"options": [{"id": "m m", "name": "M", "stock": 1}]}, "products[0].options[0].id", "bad_format"),
        ({"options": [{"id": "m", "name": "M", "stock": 1}] * 2}, "products[0].options[1].id", "duplicate"),
        ({"options": [{"id": f"o{n}", "name": "M", "stock": 1} for n in range(51)]}, "products[0].options", "too_many"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(changes: dict[str, Any], path: str, code: str) -> None:
    found = with_product(**changes)

    assert isinstance(found, list)
    assert (path, code) in {(problem.path, problem.code) for problem in found}
