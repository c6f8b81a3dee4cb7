"""Seating plans in pretix's format, and areas."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from controlplane.rendering.requirement import Requirement, validate
from controlplane.rendering.seating import MAX_SEATS
from tests.controlplane import areas_requirement, numbered_requirement, plan

SEAT = "seating.plan.zones[0].rows[0].seats[0]"


def problems_of(plan: Any) -> list[tuple[str, str]]:
    read = validate(numbered_requirement(seating={"numbered": True, "plan": plan}))
    return [] if isinstance(read, Requirement) else [(problem.path, problem.code) for problem in read]


def seat_with(**changes: Any) -> dict[str, Any]:
    changed = copy.deepcopy(plan())
    changed["zones"][0]["rows"][0]["seats"][0] |= changes
    return changed


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"seat_guid": "A-2"}, ("seating.plan.zones[0].rows[0].seats[1].seat_guid", "duplicate_seat")),
        ({"seat_guid": None}, (f"{SEAT}.seat_guid", "required")),
        ({"seat_guid": 7}, (f"{SEAT}.seat_guid", "wrong_type")),
        ({"seat_number": "x" * 41}, (f"{SEAT}.seat_number", "too_long")),
        ({"category": "S"}, (f"{SEAT}.category", "category_unknown")),
        ({"position": None}, (f"{SEAT}.position", "required")),
        ({"position": [1, 2]}, (f"{SEAT}.position", "wrong_type")),
        ({"position": {"x": math.nan, "y": 0}}, (f"{SEAT}.position.x", "wrong_type")),
        ({"position": {"x": 0, "y": math.inf}}, (f"{SEAT}.position.y", "wrong_type")),
        ({"position": {"x": True, "y": 0}}, (f"{SEAT}.position.x", "wrong_type")),
        ({"position": {"x": 10**300, "y": 0}}, (f"{SEAT}.position.x", "wrong_type")),
    ],
)
def test_a_bad_seat_is_refused_where_it_stands(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problem in problems_of(seat_with(**changes))


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ("text", ("seating.plan", "wrong_type")),
        ({}, ("seating.plan.zones", "required")),
        (plan() | {"zones": "x"}, ("seating.plan.zones", "wrong_type")),
        (plan() | {"zones": []}, ("seating.plan.zones", "no_seats")),
        (plan() | {"zones": [{"rows": [{"seats": []}]}]}, ("seating.plan.zones", "no_seats")),
        (plan() | {"zones": [5]}, ("seating.plan.zones[0]", "wrong_type")),
        (plan() | {"zones": [{"rows": {"a": 1}}]}, ("seating.plan.zones[0].rows", "wrong_type")),
        (plan() | {"categories": []}, ("seating.plan.categories", "too_few")),
        (plan() | {"categories": [{"name": "R"}, {"name": "R"}]}, ("seating.plan.categories[1].name", "duplicate")),
        (plan() | {"size": {"width": 0, "height": 1}}, ("seating.plan.size.width", "out_of_range")),
        (plan() | {"script": "x"}, ("seating.plan.script", "unknown_key")),
    ],
)
def test_a_malformed_plan_is_refused_where_it_is_malformed(broken: Any, problem: tuple[str, str]) -> None:
    assert problem in problems_of(broken)


def test_two_hundred_thousand_seats_are_refused_by_count_alone() -> None:
    row = plan(1)["zones"][0]["rows"][0]
    big = plan() | {"zones": [{"rows": [{**row, "seats": row["seats"] * 200_000}]}]}

    assert problems_of(big) == [("seating.plan.zones", "too_many_seats")]


def test_the_largest_plan_is_taken_whole() -> None:
    read = validate(numbered_requirement(MAX_SEATS))

    assert isinstance(read, Requirement)
    assert read.seating.capacity == MAX_SEATS


def test_shapes_are_kept_and_foreign_entries_of_zones_and_seats_are_not() -> None:
    drawn = seat_with(radius=5, note="x")
    stage = {
        "shape": "rectangle",
        "position": {"x": 0, "y": 0},
        "rectangle": {"width": 9, "height": 3},
        "text": {"text": "무대", "size": 12},
    }
    drawn["zones"][0] |= {"zone_id": "z", "uuid": "u", "areas": [stage | {"onclick": "x"}]}

    read = validate(numbered_requirement(seating={"numbered": True, "plan": drawn}))

    assert isinstance(read, Requirement)
    zone = read.to_json()["seating"]["plan"]["zones"][0]
    assert zone["areas"] == [stage]
    assert set(zone) == {"name", "position", "rows", "areas"}
    assert set(zone["rows"][0]["seats"][0]) == {"seat_guid", "seat_number", "position", "category"}


@pytest.mark.parametrize("shape", [5, {"polygon": {"points": [{"x": math.nan, "y": 0}]}}, {"text": "a\x00"}, {"polygon": [[[[[[[0]]]]]]]}])
def test_a_shape_that_is_no_plain_small_thing_is_refused(shape: Any) -> None:
    drawn = plan()
    drawn["zones"][0]["areas"] = [shape]

    assert problems_of(drawn)[0][0] == "seating.plan.zones[0].areas[0]"


@pytest.mark.parametrize(
    ("area", "problem"),
    [
        ({"capacity": 0}, ("seating.areas[0].capacity", "out_of_range")),
        ({"capacity": 200_001}, ("seating.areas[0].capacity", "out_of_range")),
        ({"capacity": 1.5}, ("seating.areas[0].capacity", "wrong_type")),
        ({"grade": None}, ("seating.areas[0].grade", "required")),
        ({"grade": "VIP"}, ("grades", "price_missing")),
        ({"name": ""}, ("seating.areas[0].name", "required")),
        ({"x": 1}, ("seating.areas[0].x", "unknown_key")),
    ],
)
def test_a_bad_area_is_refused_where_it_stands(area: dict[str, Any], problem: tuple[str, str]) -> None:
    document = areas_requirement()
    document["seating"]["areas"][0] |= area
    read = validate(document)

    assert isinstance(read, list)
    assert problem in [(found.path, found.code) for found in read]


def test_two_areas_of_one_id_are_refused() -> None:
    document = areas_requirement()
    document["seating"]["areas"] *= 2
    read = validate(document)

    assert isinstance(read, list)
    assert [(found.path, found.code) for found in read] == [("seating.areas[1].id", "duplicate")]


def test_seats_are_marked_by_their_ids_in_the_order_of_the_plan() -> None:
    read = validate(numbered_requirement(seating={"numbered": True, "plan": plan(), "wheelchair": ["A-3", "A-1", "A-3"], "blocked": []}))
    assert isinstance(read, Requirement)
    assert read.to_json()["seating"] == {"numbered": True, "plan": read.to_json()["seating"]["plan"], "wheelchair": ["A-1", "A-3"]}
    assert validate(read.to_json()) == read


@pytest.mark.parametrize(
    ("marks", "problem"),
    [
        ({"blocked": ["A-1", "Z-9"]}, ("seating.blocked[1]", "seat_unknown")),
        ({"wheelchair": [None]}, ("seating.wheelchair[0]", "seat_unknown")),
        ({"obstructed": "A-1"}, ("seating.obstructed", "wrong_type")),
        ({"broken": ["A-1"]}, ("seating.broken", "unknown_key")),
    ],
)
def test_a_mark_of_a_seat_that_is_not_there_is_named(marks: dict[str, Any], problem: tuple[str, str]) -> None:
    read = validate(numbered_requirement(seating={"numbered": True, "plan": plan(), **marks}))
    assert not isinstance(read, Requirement)
    assert [(each.path, each.code) for each in read] == [problem]


def test_areas_have_no_seats_to_mark() -> None:
    seating = areas_requirement()["seating"] | {"blocked": ["floor"]}
    read = validate(areas_requirement(seating=seating))
    assert not isinstance(read, Requirement)
    assert [(each.path, each.code) for each in read] == [("seating.blocked", "unknown_key")]
