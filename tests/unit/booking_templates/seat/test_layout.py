"""Plans as organisers' tools write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_templates.seat.layout import Layout, lay_out
from booking_templates.seat.schemas import SeatContent
from booking_templates.seat.shapes import drawn, stage

from .conftest import numbered_content

CHARLOTTE = json.loads((Path(__file__).resolve().parents[4] / "examples/plans/charlotte.json").read_bytes())


def laid_out(language: str = "ko", **changes: Any) -> Layout:
    content = msgspec.convert(numbered_content(**changes), SeatContent, strict=False)
    assert content.plan
    guids = [seat.seat_guid for zone in content.plan.zones for row in zone.rows for seat in row.seats]
    return lay_out(content, {guid: i + 1 for i, guid in enumerate(guids)}, language=language)


def test_the_examples_house_has_every_seat_once_with_its_name_and_stage() -> None:
    grades = [{"name": name, "price_krw": 1} for name in ("VIP", "R", "S", "A")]
    layout = laid_out(plan=CHARLOTTE, grades=grades)

    assert layout.capacity == len(set(layout.guids)) == len(set(layout.labels)) == 1241
    assert layout.labels[layout.guids.index("1B-5-13")] == "1층 B구역 5열 13번"
    assert [grade.color for grade in layout.grades] == ["#b4236b", "#d9822b", "#2f6fb5", "#3c8d5a"]
    assert layout.stage is not None
    assert layout.stage[1] < min(layout.ys)
    assert {shape["kind"] for shape in layout.plan.shapes} == {"polygon", "text"}
    assert not any(row.breaks for row in layout.rows)
    assert len(layout.zones) == 6


@pytest.mark.parametrize(
    ("row", "language", "label"),
    [
        ({}, "ko", "1층 A열 1번"),
        ({}, "en", "1층 row A seat 1"),
        ({"row_number": None}, "ko", "1층 1번"),
        ({"row_label": "가열", "seat_label": "좌석 %s"}, "ko", "1층 가열 좌석 1"),
        ({"row_label": "Box 3", "row_number": ""}, "en", "1층 Box 3 seat 1"),
    ],
)
def test_a_seat_is_named_as_the_plan_says(row: dict[str, Any], language: str, label: str) -> None:
    content = numbered_content()
    content["plan"]["zones"][0]["rows"][0] |= row

    assert laid_out(language, plan=content["plan"]).labels[0] == label


def test_an_older_plan_without_size_and_positions_is_laid_out() -> None:
    plan = numbered_content()["plan"]
    del plan["size"], plan["name"]
    for row in plan["zones"][0]["rows"]:
        del row["position"]
    layout = laid_out(plan=plan)

    assert layout.plan.size["width"] > max(layout.xs)


def test_the_version_is_of_what_is_shown() -> None:
    assert laid_out().version == laid_out().version
    assert laid_out().version != laid_out(wheelchair=["A-1"]).version
    assert laid_out().version != laid_out(grades=[{"name": "VIP", "price_krw": 1}, {"name": "R", "price_krw": 1}]).version


def test_shapes_are_absolute_and_what_is_turned_is_a_polygon() -> None:
    turned = drawn(
        {"shape": "rectangle", "rotation": 90, "position": {"x": 10, "y": 10}, "rectangle": {"width": 20, "height": 10}}, 100, 100
    )
    circle = drawn({"shape": "circle", "position": {"x": 1, "y": 2}, "circle": {"radius": 5}, "text": {"text": "Bar"}}, 0, 0)

    assert turned
    assert turned["points"] == [(110.0, 110.0), (110.0, 130.0), (100.0, 130.0), (100.0, 110.0)]
    assert circle == {
        "kind": "ellipse",
        "width": 10.0,
        "height": 10.0,
        "x": 1.0,
        "y": 2.0,
        "color": "",
        "text": "Bar",
        "text_x": 1.0,
        "text_y": 2.0,
    }
    older = drawn({"width": 30, "height": 10, "position": {"x": 0, "y": 0}, "text": "무대"}, 0, 0)
    assert older
    assert stage([older]) == (15.0, 5.0)
    assert drawn({"shape": "polygon", "polygon": {"points": [{"x": 1, "y": 1}]}}, 0, 0) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda each: st.lists(each) | st.dictionaries(st.text(), each)
)
KEYS = st.sampled_from(
    [
        "shape",
        "position",
        "rotation",
        "rectangle",
        "circle",
        "ellipse",
        "polygon",
        "text",
        "color",
        "width",
        "height",
        "points",
        "radius",
        "x",
    ]
)


@given(st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON) | st.sampled_from(["polygon", "circle", "ellipse", "rectangle", "text"])))
def test_no_strange_shape_breaks_a_plan(area: dict[str, Any]) -> None:
    found = drawn(area, 10, 20)

    if found is not None:
        json.dumps(found, allow_nan=False)
        stage([found])
