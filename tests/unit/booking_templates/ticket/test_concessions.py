"""The rules of concessions: what a place costs with one, who may have it, and what may be kept as an offer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_templates.kit.problems import Problem, Unprocessable
from booking_templates.ticket.concessions import Concession, applied, checked, splits_group
from booking_templates.ticket.seat import Place

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACES = [Place("a", "A-1", "R", 150_000), Place("b", "A-2", "R", 150_000), Place("c", "B-1", "S", 99_999)]


def offer(**more: Any) -> Concession:
    return Concession(**({"id": "youth", "name": "청소년", "percent": 30} | more))


def priced(concession: Concession, *places: str, performance: str = "p1") -> list[int]:
    choice = dict.fromkeys(places, concession.id)
    return [each.price_krw for each in applied([concession], PLACES, choice, performance_id=performance, now=NOW)]


@pytest.mark.parametrize(
    ("rule", "price_krw", "left_krw"),
    [
        ({"percent": 30}, 150_000, 105_000),
        ({"percent": 30}, 99_999, 70_000),  # 29,999.7 off is 29,999: rounded down to the won
        ({"percent": 1}, 99, 99),
        ({"percent": 100}, 150_000, 0),
        ({"percent": 50}, 0, 0),
        ({"percent": None, "off_krw": 5_000}, 150_000, 145_000),
        ({"percent": None, "off_krw": 5_000}, 4_999, 0),
    ],
)
def test_what_a_place_costs(rule: dict[str, Any], price_krw: int, left_krw: int) -> None:
    assert offer(**rule).price_of(price_krw) == left_krw


@given(st.integers(0, 2**31 - 1), st.integers(1, 100))
def test_a_percentage_is_never_more_than_it_says(price_krw: int, percent: int) -> None:
    left = offer(percent=percent).price_of(price_krw)
    assert 0 <= left <= price_krw
    assert (price_krw - left) * 100 <= price_krw * percent < (price_krw - left + 1) * 100


def test_the_places_that_are_not_chosen_cost_their_full_price() -> None:
    assert priced(offer(), "a") == [105_000, 150_000, 99_999]
    sold = applied([offer(proof="학생증")], PLACES, {"a": "youth"}, performance_id="p1", now=NOW)
    assert (sold[0].list_price_krw, sold[0].concession, sold[0].proof, sold[0].percent) == (150_000, "청소년", "학생증", 30)
    assert (sold[1].list_price_krw, sold[1].concession) == (None, "")


@pytest.mark.parametrize(
    ("rule", "places", "code"),
    [
        ({"grades": ["S"]}, "a", "concession_not_for_place"),
        ({"grades": ["S"]}, "c", ""),
        ({"performances": ["p2"]}, "a", "concession_not_for_place"),
        ({"performances": ["p2", "p1"]}, "a", ""),
        ({"from_": NOW + HOUR}, "a", "concession_not_yet"),
        ({"from_": NOW}, "a", ""),
        ({"until": NOW}, "a", "concession_over"),
        ({"until": NOW + HOUR}, "a", ""),
        ({"at_least": 3}, "ab", "concession_too_few"),
        ({"at_least": 3}, "abc", ""),
        ({"at_most": 1}, "ab", "concession_too_many"),
        ({"at_most": 2}, "ab", ""),
        ({}, "x", "place_unknown"),
    ],
)
def test_who_may_have_it(rule: dict[str, Any], places: str, code: str) -> None:
    if not code:
        assert sum(priced(offer(**rule), *places)) < 399_999
        return
    with pytest.raises(Problem) as refusal:
        priced(offer(**rule), *places)
    assert refusal.value.code == code


def test_one_that_is_not_offered_is_refused_by_name() -> None:
    with pytest.raises(Problem) as refusal:
        applied([offer()], PLACES, {"b": "group"}, performance_id="p1", now=NOW)
    assert (refusal.value.code, refusal.value.extra) == ("concession_unknown", {"place": "b"})


@pytest.mark.parametrize(
    ("offered", "field"),
    [
        ([offer(), offer(name="경로")], "concessions[0].id"),
        ([offer(), offer(id="senior", name=" 청소년 ")], "concessions[1].name"),
        ([offer(name=" ")], "concessions[0].name"),
        ([offer(off_krw=1)], "concessions[0].percent"),
        ([offer(percent=None)], "concessions[0].percent"),
        ([offer(at_least=4, at_most=3)], "concessions[0].at_most"),
        ([offer(from_=NOW, until=NOW)], "concessions[0].until"),
    ],
)
def test_what_does_not_go_together_is_named(offered: list[Concession], field: str) -> None:
    with pytest.raises(Unprocessable) as refusal:
        checked(offered)
    assert field in (refusal.value.errors or {})


def test_texts_are_kept_on_one_line() -> None:
    kept = checked([offer(name=" 3인\n이상 ", proof="학생증\t지참")])[0]
    assert (kept.name, kept.proof) == ("3인 이상", "학생증 지참")


@pytest.mark.parametrize(
    ("live", "given_up", "splits"),
    [
        ("ggg-", "g", True),
        ("ggg-", "ggg", False),
        ("ggg-", "-", False),
        ("gggg", "g", False),
        ("gggg", "gg", True),
        ("gg-", "-", False),  # the organiser has split it by hand
        ("gg-", "g", True),
        ("gg-", "gg", False),
    ],
)
def test_a_group_of_three_goes_together(live: str, given_up: str, splits: bool) -> None:
    places = [{"concession_id": "g", "at_least": 3}, {"concession_id": "-"}, {"concession_id": ""}, {}]
    assert splits_group(places, list(live), list(given_up)) is splits
