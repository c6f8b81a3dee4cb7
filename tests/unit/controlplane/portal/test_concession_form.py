"""Concessions in the requirement form, in sentences, and in what differs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import translation

from controlplane.lib.reasons import Problem
from controlplane.portal.concession_words import add_preset, concession_words, presets
from controlplane.portal.requirement_diff import requirement_diff
from controlplane.portal.requirement_form import convert, state
from controlplane.portal.requirement_form.fields import form_problems
from controlplane.portal.requirement_form.page import FormPage
from controlplane.portal.requirement_form.state import FormState
from controlplane.rendering.requirement import Requirement, validate
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import form_data

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
YOUTH = {"id": "youth", "name": "청소년", "percent": 30, "proof": "학생증"}
GROUP = {"id": "group", "name": "3인 이상", "off_krw": 5000, "grades": ["GA"], "performances": ["p1"], "at_least": 3, "at_most": 4}
EARLY = {"id": "early", "name": "조기예매", "percent": 20, "from": "2026-12-01T00:00:00+09:00", "until": "2026-12-31T23:59:00+09:00"}
TYPED = {
    "concessions.a1.name": " 청소년 ",
    "concessions.a1.discount": "30",
    "concessions.a1.unit": "percent",
    "concessions.a1.proof": "학생증",
    "concessions.b2.name": "3인 이상",
    "concessions.b2.discount": "5,000원",
    "concessions.b2.unit": "won",
    "concessions.b2.grades": "GA",
    "concessions.b2.performances": "2090-01-10T19:30",
    "concessions.b2.at_least": "3",
    "concessions.c3.name": "",
    "concessions.c3.unit": "percent",
}


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def typed(**changes: Any) -> FormState:
    query = QueryDict(mutable=True)
    query.update(form_data(**changes))
    return state.from_post(query)


def converted(**changes: Any) -> convert.Converted:
    return convert.to_requirement(typed(**changes), None, SEOUL)


def test_what_was_typed_becomes_concessions_and_a_blank_row_none():
    wanted = converted(**TYPED).requirement

    assert wanted["concessions"] == [
        {"name": "청소년", "percent": 30, "proof": "학생증"},
        {"name": "3인 이상", "off_krw": 5000, "grades": ["GA"], "performances": ["p209001101930"], "at_least": 3},
    ]
    assert wanted["performances"][0]["id"] == "p209001101930", "what is named must have an id"
    assert isinstance(validate(wanted, now=NOW), Requirement)


def test_a_performance_that_nobody_names_is_left_to_validation_and_a_known_one_keeps_its_id():
    assert "id" not in converted().requirement["performances"][0]
    known = TYPED | {"performances.p1.id": "p7"}
    assert converted(**known).requirement["concessions"][1]["performances"] == ["p7"]


def test_a_new_performance_never_gets_the_id_of_one_that_there_is():
    twice = TYPED | {"performances.x.id": "p209001101930", "performances.x.starts_at": "2090-01-09T19:30"}
    wanted = converted(**twice).requirement

    assert [item["id"] for item in wanted["performances"]] == ["p209001101930-2", "p209001101930"]
    assert wanted["concessions"][1]["performances"] == ["p209001101930-2"]


def test_all_that_is_ticked_is_taken():
    query = QueryDict(mutable=True)
    query.update(form_data(**TYPED))
    query.setlist("concessions.b2.grades", ["GA", "VIP, left"])

    assert state.from_post(query).rows["concessions"][1]["grades"] == "GA\nVIP, left"


@pytest.mark.parametrize("concessions", [[], [YOUTH], [YOUTH, GROUP, EARLY]])
def test_concessions_survive_the_form(concessions):
    stored = validate(areas_requirement(concessions=concessions)).to_json()
    form, plan = convert.from_requirement(stored, SEOUL)
    again = convert.to_requirement(state.from_json(form.as_json()), plan, SEOUL).requirement

    assert validate(again).to_json() == stored


def test_each_problem_stands_at_its_input():
    wrong = TYPED | {"concessions.a1.discount": "", "concessions.b2.grades": "VIP", "concessions.b2.at_least": "9"}
    found = converted(**wrong)
    problems = {problem.input: problem for problem in form_problems(validate(found.requirement, now=NOW), found)}

    assert problems.keys() == {"concessions.a1.discount", "concessions.b2.grades", "concessions.b2.at_least"}
    assert problems["concessions.b2.grades"].label == "Concession 2, Only for these grades"
    assert {problem.section for problem in problems.values()} == {"concessions"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("concessions", "concessions"),
        ("concessions[0].off_krw", "concessions.a1.discount"),
        ("concessions[1].performances[0]", "concessions.b2.performances"),
        ("concessions[1].id", "concessions.b2.name"),
        ("concessions[1]", "concessions.b2.name"),
        ("concessions[9].name", "concessions"),
    ],
)
def test_every_path_has_an_input(path, expected):
    assert form_problems([Problem("required", {}, path)], converted(**TYPED))[0].input == expected


def test_the_boxes_are_what_the_form_has_and_what_was_ticked_and_is_gone():
    form = typed(**TYPED, **{"grades.g2.name": "VIP"})
    row = form.rows["concessions"][1]
    assert [(each.of, each.value, each.is_chosen) for each in FormPage(form).choices(row, "grades")] == [
        ("g1", "GA", True),
        ("g2", "VIP", False),
    ]
    form.remove("grades", "g1")
    assert [(each.of, each.value, each.is_chosen) for each in FormPage(form).choices(row, "grades")] == [
        ("g2", "VIP", False),
        ("", "GA", True),
    ]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_usual_one_can_be_deployed_as_it_is(language):
    with translation.override(language):
        form = typed(opens_at="2026-12-01T10:00")
        names = [preset.name for preset in presets()]
        for name in [*names, "nonsense"]:
            add_preset(form, name)
        wanted = convert.to_requirement(form, None, SEOUL).requirement

    found = validate(wanted, now=NOW)
    assert isinstance(found, Requirement), found
    assert len(found.concessions) == len(names) >= 5
    assert {each.name: each.until_at for each in found.concessions}["조기예매" if language == "ko" else "Early bird"] == datetime(
        2026, 12, 15, 10, tzinfo=SEOUL
    )


def test_a_line_says_all_of_it_in_both_languages():
    begins = {"p1": "2090-01-10T19:30:00+09:00"}
    assert concession_words(GROUP, begins) == (
        "₩5,000 off · only grade GA · only on 2090-01-10 19:30 · from 3 tickets of a booking · at most 4 tickets of a booking"
    )
    with translation.override("ko"):
        assert concession_words(YOUTH, {}) == "30% 할인 · 현장 확인: 학생증"
        assert concession_words(EARLY, {}) == "20% 할인 · 2026-12-01 00:00부터 · 2026-12-31 23:59까지"


def test_what_was_typed_wrong_can_be_said_too():
    assert concession_words({"percent": "viel", "at_least": "x", "until": "bald", "performances": ["?"]}, {}) == (
        "viel % off · only on ? · from x tickets of a booking · until bald"
    )


def test_a_change_is_told_by_name():
    before = areas_requirement(concessions=[YOUTH, EARLY])
    after = areas_requirement(concessions=[EARLY, YOUTH | {"percent": 40}, GROUP])

    found = {each.label: ([v.value for v in each.before], [v.value for v in each.after]) for each in requirement_diff(before, after)}

    assert found == {
        "Concession 청소년": (["30 % off · at the door: 학생증"], ["40 % off · at the door: 학생증"]),
        "Concession 3인 이상": ([], [concession_words(GROUP, {"p1": "2090-01-10T19:30:00+09:00"})]),
    }
    gone = requirement_diff(before, areas_requirement())
    assert [(each.label, each.after) for each in gone] == [("Concession 청소년", ()), ("Concession 조기예매", ())]
