"""The best seats there are, and any places of an area."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_templates.seat.choose import Wish, any_places, best_seats
from booking_templates.seat.layout import Layout, lay_out
from booking_templates.seat.schemas import SeatContent

from .conftest import area_content, numbered_content, seating_plan


def house(**changes: Any) -> Layout:
    content = msgspec.convert(numbered_content(**changes), SeatContent, strict=False)
    assert content.plan
    guids = [seat.seat_guid for zone in content.plan.zones for row in zone.rows for seat in row.seats]
    return lay_out(content, {guid: i + 1 for i, guid in enumerate(guids)}, language="ko")


HOUSE = house()


def chosen(states: str, quantity: int, *, layout: Layout = HOUSE, **wish: Any) -> list[str] | None:
    found = best_seats(layout, states.replace(" ", "").encode(), Wish(quantity, **wish))
    return None if found is None else [layout.guids[position] for position in found]


@pytest.mark.parametrize(
    ("states", "quantity", "expected"),
    [
        ("000000 000000 000000", 2, ["A-3", "A-4"]),
        ("000000 000000 000000", 6, ["A-1", "A-2", "A-3", "A-4", "A-5", "A-6"]),
        ("111110 000000 000000", 2, ["B-3", "B-4"]),
        ("010110 100001 000000", 4, ["B-2", "B-3", "B-4", "B-5"]),
        ("111111 111111 111110", 1, ["C-6"]),
        ("111111 111111 111111", 1, None),
        ("111111 111111 111110", 2, None),
    ],
    ids=["front middle", "a row", "next row", "neighbours before nearness", "the last one", "sold out", "too few"],
)
def test_the_best_seats_are_together_and_near_the_stage(states: str, quantity: int, expected: list[str] | None) -> None:
    assert chosen(states, quantity) == expected


def test_a_restricted_view_is_the_last_choice_but_better_than_to_be_parted() -> None:
    restricted = house(obstructed=["A-3", "A-4"])
    for quantity in (1, 2, 4):
        assert not {"A-3", "A-4"}.intersection(chosen("000000 000000 000000", quantity, layout=restricted) or ["A-3"])
    assert chosen("110011 111111 111111", 2, layout=restricted) == ["A-3", "A-4"]
    assert chosen("110001 101111 111101", 2, layout=restricted) in (["A-3", "A-4"], ["A-4", "A-5"])


def test_in_boxes_of_one_seat_each_a_restricted_view_is_the_last_choice_too() -> None:
    plan = seating_plan()
    seats = [seat for zone in plan["zones"] for row in zone["rows"] for seat in row["seats"]]
    boxes = [
        {"row_number": str(number), "position": {"x": 0, "y": number * 30}, "seats": [seat | {"position": {"x": 0, "y": 0}}]}
        for number, seat in enumerate(seats)
    ]
    plan["zones"] = [{"name": "F", "position": {"x": 0, "y": 0}, "rows": boxes}]
    guids = [seat["seat_guid"] for seat in seats]
    layout = house(plan=plan, obstructed=guids[:1])
    assert chosen("0" * len(guids), 1, layout=layout) == guids[1:2]


def test_no_single_seat_is_left_alone_where_that_costs_little() -> None:
    # are free. are nearest, and would leave A-2 alone.
    assert chosen("100000 111111 111111", 2) in (["A-2", "A-3"], ["A-4", "A-5"])


def test_without_enough_neighbours_a_party_is_split_into_few_parts_and_nobody_sits_alone() -> None:
    assert chosen("110001 011101 001111", 4) == ["A-3", "A-4", "C-1", "C-2"]
    assert chosen("010101 010101 111111", 3) == ["A-1", "A-3", "A-5"]


def test_a_party_that_is_split_has_a_restricted_view_only_where_there_is_no_other() -> None:
    restricted = house(obstructed=["A-1", "A-2", "A-3", "A-4"])
    assert chosen("000011 000111 111100", 5, layout=restricted) == ["B-1", "B-2", "B-3", "C-5", "C-6"]
    assert {"B-1", "B-2"} < set(chosen("000011 001111 111101", 5, layout=restricted) or [])


def test_a_grade_and_a_part_of_the_house_can_be_asked_for() -> None:
    assert chosen("000000 000000 000000", 2, grade=1) == ["C-3", "C-4"]
    assert chosen("000000 000000 000000", 1, zones=frozenset({7})) is None


def test_wheelchair_places_are_for_those_who_ask_for_them() -> None:
    layout = house(wheelchair=["A-3", "A-4"])

    assert not {"A-3", "A-4"} & set(chosen("0" * 18, 4, layout=layout) or ["A-3"])
    assert chosen("0" * 18, 2, layout=layout, wheelchair=True) == ["A-3", "A-4"]
    assert chosen("0" * 18, 3, layout=layout, wheelchair=True) is None


def test_nobody_sits_together_across_an_aisle() -> None:
    content = numbered_content()
    for row in content["plan"]["zones"][0]["rows"]:
        for seat in row["seats"][3:]:
            seat["position"]["x"] += 40
    layout = house(plan=content["plan"])

    assert chosen("0" * 18, 2, layout=layout) in (["A-2", "A-3"], ["A-4", "A-5"])
    assert chosen("0" * 18, 4, layout=layout) == ["A-2", "A-3", "A-4", "A-5"]  # two and two


@given(st.text("0123", min_size=18, max_size=18), st.integers(1, 6), st.sampled_from([None, 0, 1]))
def test_whatever_is_taken_what_is_chosen_is_free_and_as_asked(states: str, quantity: int, grade: int | None) -> None:
    found = best_seats(HOUSE, states.encode(), Wish(quantity, grade))
    free = [i for i, state in enumerate(states) if state == "0" and grade in (None, HOUSE.grade_of[i])]

    if found is None:
        assert len(free) < quantity
    else:
        assert len(set(found)) == len(found) == quantity
        assert set(found) <= set(free)


@given(st.text("01", min_size=13, max_size=13), st.integers(1, 5), st.sets(st.integers(0, 12)))
def test_places_of_an_area_are_free_ones_of_that_area(states: str, quantity: int, avoid: set[int]) -> None:
    content = msgspec.convert(area_content(), SeatContent, strict=False)
    layout = lay_out(content, {"floor": 1, "deck": 2}, language="ko")
    for area in layout.areas:
        inside = range(area.first, area.first + area.capacity)
        free = {i for i in inside if states[i] == "0"} - avoid
        found = any_places(area, states.encode(), quantity, avoid)
        if found is None:
            assert len(free) < quantity
        else:
            assert len(set(found)) == quantity
            assert set(found) <= free
