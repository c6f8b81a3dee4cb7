"""Seats of a plan as somebody writes them, and back."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from controlplane.portal.requirement_diff import requirement_diff
from controlplane.portal.requirement_form import convert
from controlplane.portal.requirement_form.fields import form_problems
from controlplane.portal.requirement_form.seat_lines import example_of, lines_of, seats_of
from controlplane.portal.requirement_form.state import from_post
from controlplane.rendering.requirement import Requirement, validate
from tests.controlplane import numbered_requirement

SEOUL = ZoneInfo("Asia/Seoul")


def row(name: str, *numbers: str, prefix: str = "") -> dict[str, Any]:
    seats = [
        {"seat_guid": f"{prefix}{name}-{number}", "seat_number": number, "position": {"x": 0, "y": 0}, "category": "R"}
        for number in numbers
    ]
    return {"row_number": name, "position": {"x": 0, "y": 0}, "seats": seats}


def zone(name: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "position": {"x": 0, "y": 0}, "rows": list(rows)}


HALL = {
    "name": "홀",
    "categories": [{"name": "R", "color": "#aa0000"}],
    "zones": [
        zone("1층 가", row("1", *map(str, range(1, 9))), row("2", *map(str, range(1, 9)))),
        zone("2층", row("A", "1", "2", "12-1", prefix="2-"), row("B", "10", "9", "8", prefix="2-")),
    ],
}
GUIDS = [seat["seat_guid"] for part in HALL["zones"] for line in part["rows"] for seat in line["seats"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "seats"),
    [
        ("1층 가, 1, 2-4 8", ["1-2", "1-3", "1-4", "1-8"]),
        ("1층 가 , 2 , 4~3, 1", ["2-3", "2-4", "2-1"]),
        ("2층, B", ["2-B-10", "2-B-9", "2-B-8"]),
        ("2층, B, 10-8", ["2-B-10", "2-B-9", "2-B-8"]),
        ("2층, A, 12-1", ["2-A-12-1"]),
        ("2-A-1", ["2-A-1"]),
        ("1층 가", GUIDS[:16]),
        ("2층, B, 9\n\n 2층, B, 9 ", ["2-B-9"]),
        (unicodedata.normalize("NFD", "2층, A, 1"), ["2-A-1"]),
        ("3층, A, 1", ["3층, A, 1"]),
        ("1층 가, 1, 9 1", ["1층 가, 1, 9", "1-1"]),
        ("nowhere", ["nowhere"]),
        ("", []),
    ],
)
def test_a_line_names_seats_and_what_names_none_stays_as_typed(line: str, seats: list[str]) -> None:
    assert seats_of(line, HALL) == seats


def test_seats_are_written_as_short_as_it_goes() -> None:
    assert lines_of(GUIDS, HALL) == "1층 가\n2층"
    assert lines_of(GUIDS[8:], HALL) == "1층 가, 2\n2층"
    assert lines_of(["1-1", "1-2", "1-4", "1-5", "1-6"], HALL) == "1층 가, 1, 1 2 4-6"
    assert example_of(HALL) == "1층 가, 1, 1-3"


@given(chosen=st.sets(st.sampled_from(GUIDS)))
def test_what_was_written_is_read_again(chosen: set[str]) -> None:
    assert seats_of(lines_of(chosen, HALL), HALL) == [guid for guid in GUIDS if guid in chosen]


@pytest.mark.parametrize(
    "plan",
    [
        {"zones": [zone("", row("1", "1", "2"))]},
        {"zones": [zone("a, b", row("1", "1", "2"))]},
        {"zones": [zone("a", row("", "1", "2"), row("2", "5"))]},
        {"zones": [zone("a", row("1", "1", "2", prefix="x"), row("1", "1", "2", prefix="y"))]},
        {"zones": [zone("a", row("1", "1 b", "2"))]},
    ],
)
def test_seats_that_no_line_can_name_are_written_by_their_ids(plan: dict[str, Any]) -> None:
    first = plan["zones"][0]["rows"][0]["seats"][0]["seat_guid"]
    assert lines_of([first], plan) == first
    assert seats_of(first, plan) == [first]


def test_a_zone_without_seats_is_not_named() -> None:
    plan = {"zones": [zone("stage", row("1")), zone("a", row("1", "1"), row("2"))]}
    assert lines_of([], plan) == ""
    assert lines_of(["1-1"], plan) == "a"


@pytest.mark.parametrize("plan", [None, [], {"zones": 3}, {"zones": [{"rows": [None, {"seats": [7]}]}]}])
def test_what_is_no_plan_has_no_seats(plan: Any) -> None:
    assert seats_of("a, 1, 1", plan) == ["a, 1, 1"]
    assert lines_of(["x"], plan) == ""


def test_a_text_that_says_the_same_over_and_over_is_not_followed_to_its_end() -> None:
    large = {"zones": [zone("a", row("1", *map(str, range(50_000))))]}
    found = seats_of("\n".join(f"a, 1, {first}-49999" for first in range(2_000)) + "\na, 1, " + "-" * 100_000, large)
    assert len(found) == 50_000 + (2_000 - 11) + 1  # each of the first eleven names nearly all: ten times the plan is enough
    assert "a, 1, 1999-49999" in found


def test_the_ids_of_all_seats_of_the_largest_plan_fit_into_the_form() -> None:
    text = "\r\n".join(f"{number:080}" for number in range(50_000))
    post = QueryDict(mutable=True)
    post["blocked"] = text
    assert from_post(post)["blocked"] == text.replace("\r\n", "\n")


def wanted(**marks: list[str]) -> dict[str, Any]:
    return numbered_requirement(seating={"numbered": True, "plan": HALL, **marks})


def test_they_survive_the_form() -> None:
    normal = validate(wanted(wheelchair=["1-8", "1-1"], blocked=["2-A-1"]))
    assert isinstance(normal, Requirement)
    form, plan = convert.from_requirement(normal.to_json(), SEOUL)
    assert (form["wheelchair"], form["obstructed"], form["blocked"]) == ("1층 가, 1, 1 8", "", "2층, A, 1")
    assert validate(convert.to_requirement(form, plan, SEOUL).requirement) == normal


@pytest.fixture
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.mark.usefixtures("english")
def test_a_line_that_names_none_is_told_beside_its_input() -> None:
    form, plan = convert.from_requirement(wanted(), SEOUL)
    form.values["blocked"] = "1층 가, 1, 99"
    converted = convert.to_requirement(form, plan, SEOUL)
    problems = validate(converted.requirement)
    assert isinstance(problems, list)
    (problem,) = form_problems(problems, converted)
    assert (problem.input, problem.message, problem.section) == ("blocked", "The plan has no seat 1층 가, 1, 99.", "seating")


@pytest.mark.usefixtures("english")
def test_a_change_is_told_by_lines() -> None:
    (line,) = requirement_diff(wanted(blocked=["1-1"]), wanted(blocked=["2-B-8"]))
    assert line.label == "Not for sale"
    assert [[value.value for value in side] for side in (line.before, line.after)] == [["1층 가, 1, 1"], ["2층, B, 8"]]
