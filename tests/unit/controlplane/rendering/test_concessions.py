"""Concessions of a requirement: what is refused, under which path, and which id each keeps."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.lib.reasons import Problem
from controlplane.rendering.concessions import MAX_CONCESSIONS, Around, narrowed, read_alone, restored
from controlplane.rendering.parts import Grade
from controlplane.rendering.requirement import Requirement, digest, validate
from tests.controlplane import numbered_requirement
from tests.unit.controlplane.rendering.test_requirement import json_values

NOW = datetime(2026, 11, 21, tzinfo=UTC)
YOUTH = {"id": "youth", "name": "청소년", "percent": 30, "proof": "학생증 지참"}
GROUP = {"id": "group", "name": "3인 이상", "off_krw": 5_000, "grades": ["R"], "performances": ["p1"], "at_least": 3, "at_most": 4}
EARLY = {"id": "early", "name": "조기예매", "percent": 20, "from": "2026-12-01T00:00:00+09:00", "until": "2026-12-31T23:59:00+09:00"}


def document(*concessions: Any, **changes: Any) -> dict[str, Any]:
    return numbered_requirement(concessions=list(concessions), **changes)


def read(document: Any, **options: Any) -> Requirement:
    requirement = validate(document, **options)
    assert isinstance(requirement, Requirement), requirement
    return requirement


def problems_of(*concessions: Any, **changes: Any) -> list[tuple[str, str]]:
    found = validate(document(*concessions, **changes), now=NOW)
    return [] if isinstance(found, Requirement) else [(problem.path, problem.code) for problem in found]


def test_concessions_have_a_normal_form_that_reads_back_equal() -> None:
    once = read(document(YOUTH, GROUP, EARLY))

    assert once.to_json()["concessions"] == [YOUTH, GROUP, EARLY], "what says nothing is left out"
    assert read(json.loads(json.dumps(once.to_json()))) == once
    assert restored(once.to_json()["concessions"]) == once.concessions
    assert once.summary()["concessions"] == [YOUTH, GROUP, EARLY]


def test_without_any_a_requirement_is_what_it_was_before_there_were_concessions() -> None:
    before = read(numbered_requirement())

    assert "concessions" not in before.to_json()
    assert "concessions" not in before.summary()
    assert digest(read(document()).to_json()) == digest(before.to_json())


def test_what_says_nothing_may_stand_there_empty() -> None:
    blank = {"grades": [], "performances": [], "proof": "", "at_least": None, "at_most": None, "from": None, "until": None, "off_krw": None}

    assert read(document(YOUTH | {"proof": ""} | blank)).to_json()["concessions"] == [{"id": "youth", "name": "청소년", "percent": 30}]


@pytest.mark.parametrize("payment", ["kakaopay", "none"])
def test_concessions_are_for_any_way_of_paying(payment: str) -> None:
    assert problems_of(YOUTH, GROUP, EARLY, payment=payment) == []


@pytest.mark.parametrize(
    ("changes", "where", "code"),
    [
        ({"percent": None}, "percent", "one_discount"),
        ({"off_krw": 5}, "percent", "one_discount"),
        ({"percent": 0}, "percent", "out_of_range"),
        ({"percent": 101}, "percent", "out_of_range"),
        ({"percent": 12.5}, "percent", "wrong_type"),
        ({"percent": True}, "percent", "wrong_type"),
        ({"percent": None, "off_krw": 0}, "off_krw", "out_of_range"),
        ({"percent": None, "off_krw": 10_000_001}, "off_krw", "out_of_range"),
        ({"name": None}, "name", "required"),
        ({"name": " "}, "name", "required"),
        ({"name": "\u200b"}, "name", "required"),
        ({"name": "가" * 41}, "name", "too_long"),
        ({"name": "a\nb"}, "name", "control_character"),
        ({"proof": "가" * 201}, "proof", "too_long"),
        ({"id": "Youth"}, "id", "bad_format"),
        ({"id": "a" * 41}, "id", "bad_format"),
        ({"id": 5}, "id", "wrong_type"),
        ({"grades": "R"}, "grades", "wrong_type"),
        ({"grades": ["VIP"]}, "grades[0]", "grade_unknown"),
        ({"grades": ["R", "R"]}, "grades[1]", "duplicate"),
        ({"grades": [5]}, "grades[0]", "wrong_type"),
        ({"grades": ["\ud800"]}, "grades[0]", "control_character"),
        ({"grades": [None]}, "grades[0]", "required"),
        ({"grades": ["R" * 41]}, "grades[0]", "too_long"),
        ({"grades": ["R"] * 51}, "grades", "too_many"),
        ({"performances": ["p1", "p9"]}, "performances[1]", "performance_unknown"),
        ({"performances": {}}, "performances", "wrong_type"),
        ({"at_least": 0}, "at_least", "out_of_range"),
        ({"at_most": 101}, "at_most", "out_of_range"),
        ({"at_least": 3, "at_most": 2}, "at_most", "most_below_least"),
        ({"at_least": 5}, "at_least", "least_over_limit"),
        ({"from": "tomorrow"}, "from", "not_a_time"),
        ({"until": "2026-12-01T00:00:00"}, "until", "naive_time"),
        ({"from": "2026-12-02T00:00:00+09:00", "until": "2026-12-01T16:00:00+00:00"}, "until", ""),
        ({"from": "2026-12-02T00:00:00+09:00", "until": "2026-12-01T15:00:00+00:00"}, "until", "until_before_from"),
        ({"reason": "x"}, "reason", "unknown_key"),
    ],
)
def test_what_is_wrong_with_one_is_named(changes: dict[str, Any], where: str, code: str) -> None:
    found = problems_of(YOUTH | changes)

    assert found == ([(f"concessions[0].{where}", code)] if code else [])


def test_what_takes_off_more_than_any_place_costs_is_refused_and_what_makes_one_free_is_not() -> None:
    two = [{"name": "R", "price_krw": 50_000}, {"name": "S", "price_krw": 4_000}]

    def found(**changes: Any) -> list[tuple[str, str]]:
        return problems_of({"name": "할인"} | changes, grades=two)

    assert found(off_krw=50_000) == found(off_krw=50_000, grades=["R"]) == found(percent=100) == found(off_krw=4_000, grades=["S"]) == []
    assert found(off_krw=50_001) == found(off_krw=4_001, grades=["S"]) == [("concessions[0].off_krw", "off_above_prices")]


def test_names_and_ids_are_unique() -> None:
    assert problems_of(YOUTH, YOUTH | {"id": "other"}) == [("concessions[1].name", "duplicate")]
    assert problems_of(YOUTH, YOUTH | {"id": "other", "name": " 청소년\u200b "}) == [("concessions[1].name", "duplicate")]
    assert problems_of(YOUTH, EARLY | {"id": "youth"}) == [("concessions[1].id", "duplicate")]


def test_there_are_no_more_than_thirty() -> None:
    many = [{"name": f"할인 {number}", "percent": 1} for number in range(MAX_CONCESSIONS + 1)]

    assert problems_of(*many[:-1]) == []
    assert problems_of(*many) == [("concessions", "too_many")]
    assert [code for _path, code in problems_of("youth", None)] == ["wrong_type", "wrong_type"]


def test_one_without_an_id_gets_one_of_its_name_and_keeps_it() -> None:
    first = read(document({"name": "청소년", "percent": 30}, {"name": "★", "percent": 5}, {"name": "Youth!", "percent": 1}), now=NOW)
    assert [each.id for each in first.concessions] == ["cheongsonyeon", "c2", "youth"]

    again = document({"name": "Youth!", "percent": 2}, {"name": "청소년", "percent": 35}, {"name": "청 소년", "percent": 9})
    later = read(again, now=NOW, previous=first)
    assert [(each.id, each.percent) for each in later.concessions] == [("youth", 2), ("cheongsonyeon", 35), ("cheong-sonyeon", 9)]


def test_the_id_of_one_that_is_gone_is_not_given_to_another_at_once() -> None:
    first = read(document({"name": "청소년", "percent": 30}), now=NOW)
    later = read(document({"name": "청소년!", "percent": 30}), now=NOW, previous=first)

    assert [each.id for each in later.concessions] == ["cheongsonyeon-2"]


def test_what_an_update_does_not_say_stays_and_an_empty_list_takes_all_away() -> None:
    first = read(document(YOUTH, GROUP), now=NOW)

    assert read(numbered_requirement(), now=NOW, previous=first).concessions == first.concessions
    assert read(document(), now=NOW, previous=first).concessions == ()


def test_what_stays_must_still_agree_with_grades_and_performances() -> None:
    first = read(document(GROUP), now=NOW)
    update = numbered_requirement(limit_per_buyer=2)
    update["performances"][0]["id"] = "matinee"

    found = validate(update, now=NOW, previous=first)

    assert isinstance(found, list)
    assert {(problem.path, problem.code) for problem in found} == {
        ("concessions[0].performances[0]", "performance_unknown"),
        ("concessions[0].at_least", "least_over_limit"),
    }


def test_a_plan_of_other_grades_keeps_what_is_for_one_of_them_or_for_all() -> None:
    both = YOUTH | {"id": "both", "name": "둘", "grades": ["R", "S"]}
    dear = {"id": "dear", "name": "비쌈", "off_krw": 40_000}
    kept = narrowed(restored([YOUTH, GROUP, both, dear]), [Grade("S", 30_000)])

    assert [(each.id, each.grades) for each in kept] == [("youth", ()), ("both", ("S",))]


def test_alone_they_are_read_by_the_same_rules() -> None:
    around = Around([Grade("R", 50_000)], [], 4)
    found = read_alone([{"name": "청소년", "percent": 30, "grades": ["VIP"]}], (), around)

    assert found == [Problem("grade_unknown", {"grade": "VIP"}, "concessions[0].grades[0]")]
    assert [problem.code for problem in _problems(None)] == ["required"]
    assert [problem.code for problem in _problems({})] == ["wrong_type"]


@given(key=st.sampled_from([*YOUTH, *GROUP, *EARLY, "unknown"]), value=json_values)
def test_no_value_anywhere_breaks_the_reading(key: str, value: Any) -> None:
    found = validate(document(YOUTH, GROUP | {key: value}), now=NOW)

    if isinstance(found, list):
        assert all(problem.message and "%(" not in problem.message for problem in found)
        json.dumps([problem.to_json() for problem in found], ensure_ascii=False).encode()
    else:
        assert read(found.to_json()) == found


@given(value=json_values)
def test_no_list_breaks_the_reading(value: Any) -> None:
    found = validate(numbered_requirement(concessions=value), now=NOW)

    assert isinstance(found, list) or read(found.to_json()) == found


def _problems(value: Any) -> list[Problem]:
    found = read_alone(value, (), Around([], [], None))
    assert isinstance(found, list)
    return found
