"""The refund policy in the requirement form, and in sentences."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import translation

from controlplane.lib.reasons import Problem
from controlplane.portal.refund_words import refund_lines
from controlplane.portal.requirement_form import convert, state
from controlplane.portal.requirement_form.fields import form_problems
from controlplane.rendering.requirement import Requirement, validate
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import form_data

SEOUL = ZoneInfo("Asia/Seoul")
OWN = {
    "refund": "own",
    "refund_tiers.a1.days_before": "10",
    "refund_tiers.a1.percent": "",
    "refund_tiers.a1.flat_krw": "4,000",
    "refund_tiers.a1.flat_max_percent": "10",
    "refund_tiers.b2.days_before": "0",
    "refund_tiers.b2.percent": "90",
    "refund_free_hours": "48",
    "refund_free_days": "3",
    "refund_cut_off_days": "1",
    "refund_cut_off_at": "17:00",
}


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def converted(**changes):
    query = QueryDict(mutable=True)
    query.update(form_data(**changes))
    return convert.to_requirement(state.from_post(query), None, SEOUL)


def test_a_new_form_has_the_usual_policy():
    assert converted().requirement["refund_policy"] == "market"


def test_rules_that_were_typed_become_the_policy():
    assert converted(**OWN).requirement["refund_policy"] == {
        "tiers": [{"days_before": 10, "flat_krw": 4000, "flat_max_percent": 10}, {"days_before": 0, "percent": 90}],
        "free": {"within_hours": 48, "min_days_before": 3},
        "cut_off": {"days_before": 1, "at": "17:00"},
    }


@pytest.mark.parametrize("policy", ["market", "consumer_standard", "full", converted(**OWN).requirement["refund_policy"], {}])
def test_a_policy_survives_the_form(policy):
    normal = validate(areas_requirement(refund_policy=policy))
    assert isinstance(normal, Requirement)
    form, plan = convert.from_requirement(normal.to_json(), SEOUL)
    assert validate(convert.to_requirement(form, plan, SEOUL).requirement) == normal


def test_a_problem_stands_at_its_input():
    found = form_problems(
        [
            Problem("out_of_range", {"low": 0, "high": 100}, "refund_policy.tiers[1].percent"),
            Problem("required", {}, "refund_policy.free.within_hours"),
            Problem("bad_format", {"example": "17:00"}, "refund_policy.cut_off.at"),
        ],
        converted(**OWN),
    )
    assert [problem.input for problem in found] == ["refund_tiers.b2.percent", "refund_free_hours", "refund_cut_off_at"]
    assert {problem.section for problem in found} == {"refunds"}
    assert found[0].label == "Fee 2, Percent of the price"


def test_the_market_policy_in_sentences():
    assert refund_lines("market") == [
        "Free within 7 days of booking, if at least 10 days are left",
        "Until 10 days before: ₩4,000, at most 10 % of the price",
        "9 to 7 days before: 10 % of the price",
        "6 to 3 days before: 20 % of the price",
        "2 to 1 days before: 30 % of the price",
        "On the day itself: 90 % of the price",
        "Cancelling ends at 17:00, 1 day before",
    ]


def test_where_nothing_is_paid_only_the_last_moment_holds():
    assert refund_lines("market", is_paid=False) == ["Free of charge", "Cancelling ends at 17:00, 1 day before"]
    assert refund_lines({"tiers": [{"days_before": 0, "percent": 90}]}, is_paid=False) == refund_lines("full")


@pytest.mark.parametrize(
    ("policy", "lines"),
    [
        ("full", ["Free of charge", "Cancelling ends when the performance begins"]),
        ({"tiers": [{"days_before": 3, "percent": 5, "flat_krw": 100}]}, ["At any time: 5 % of the price, at least ₩100"]),
        ({"tiers": [{"days_before": 3}, {"days_before": 2, "percent": 1}]}, ["Until 3 days before: free of charge", "2 days before and later: 1 % of the price"]),  # noqa: E501
        ("generous", ["generous"]),
        (None, []),
        (5, []),
    ],
)  # fmt: skip
def test_other_policies_in_sentences(policy, lines):
    assert refund_lines(policy)[: len(lines)] == lines
