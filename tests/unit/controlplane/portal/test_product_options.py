"""Options of products in the requirement form: a line each."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from controlplane.lib.reasons import Problem
from controlplane.portal.requirement_diff import requirement_diff
from controlplane.portal.requirement_form import convert, state
from controlplane.portal.requirement_form.fields import input_of
from controlplane.rendering.requirement import Requirement, validate
from tests.controlplane import numbered_requirement
from tests.unit.controlplane.pages import form_data
from tests.unit.controlplane.rendering.test_products import TEE

SEOUL = ZoneInfo("Asia/Seoul")


def converted(options, **more):
    query = QueryDict(mutable=True)
    typed = {"products.t1.name": "티셔츠", "products.t1.price_krw": "35000", "products.t1.options": options, **more}
    query.update(form_data(merchandise="yes", **typed))
    return convert.to_requirement(state.from_post(query), None, SEOUL)


def test_each_line_is_an_option():
    product = converted("M, 100\r\n\r\n검정 / 2XL, 20, +2000\r\n").requirement["products"][0]

    assert product["options"] == [
        {"id": "m", "name": "M", "stock": 100},
        {"id": product["options"][1]["id"], "name": "검정 / 2XL", "stock": 20, "extra_krw": 2000},
    ]
    assert "stock" not in product


@pytest.mark.parametrize("typed", ["M", "M, viel", "M, 1, 2, 3", ", 5"])
def test_what_cannot_be_read_is_refused_beside_the_field(typed):
    found = converted(typed)
    problems = validate(found.requirement)

    assert isinstance(problems, list)
    assert {input_of(problem.path, found.origins) for problem in problems} == {"products.t1.options"}


def test_an_option_keeps_its_id_through_the_form():
    normal = validate(numbered_requirement(products=[TEE | {"options": [{"id": "X9", "name": "엠", "stock": 1}]}]))
    assert isinstance(normal, Requirement)

    form, plan = convert.from_requirement(normal.to_json(), SEOUL)

    assert validate(convert.to_requirement(form, plan, SEOUL).requirement) == normal


def test_what_one_buyer_may_have_goes_through_the_form():
    assert "limit_per_buyer" not in converted("M, 1").requirement["products"][0]
    assert converted("M, 1", **{"products.t1.limit_per_buyer": "3"}).requirement["products"][0]["limit_per_buyer"] == 3
    normal = validate(numbered_requirement(products=[TEE | {"limit_per_buyer": 3}]))
    form, plan = convert.from_requirement(normal.to_json(), SEOUL)
    assert validate(convert.to_requirement(form, plan, SEOUL).requirement) == normal
    found = converted("M, 1", **{"products.t1.limit_per_buyer": "0"})
    assert {input_of(problem.path, found.origins) for problem in validate(found.requirement)} == {"products.t1.limit_per_buyer"}


def test_two_options_of_one_name_get_two_ids():
    ids = [option["id"] for option in converted("M, 1\nM, 2").requirement["products"][0]["options"]]
    assert len(set(ids)) == 2


def test_a_problem_of_an_option_stands_at_the_options():
    problem = Problem("required", {}, "products[0].options[1].stock")
    assert input_of(problem.path, converted("M, 1").origins) == "products.t1.options"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"description": "mit Autogramm"}, "mit Autogramm"),
        ({"option_label": "Farbe"}, "Farbe"),
        ({"limit_per_buyer": 3}, 3),
        ({"options": [{"id": "X9", "name": "엠", "stock": 1, "extra_krw": 5000}]}, "엠 1 (+5,000)"),
    ],
)
def test_a_review_tells_all_that_changes_of_a_product(changed, words):
    before = TEE | {"options": [{"id": "X9", "name": "엠", "stock": 1, "extra_krw": 3000}]}
    old, new = (numbered_requirement(products=[product]) for product in (before, before | changed))

    (line,) = requirement_diff(old, new)

    assert words in [value.value for value in line.after]
    assert words not in [value.value for value in line.before]
