"""Seating plans: summed up, drawn, taken and refused."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.portal import plan_drawing, plans
from tests.controlplane import plan


def upload(content: bytes) -> plans.LoadedPlan:
    return plans.uploaded_plan(io.BytesIO(content), "hall.json")


def test_a_plan_is_summed_up_by_its_categories():
    assert plan_drawing.summary(plan(4)).as_json() == {
        "name": "작은 홀",
        "seats": 4,
        "categories": [{"name": "R", "color": "#aa0000", "seats": 4}],
    }


def test_seats_without_a_category_are_counted_and_a_category_nobody_declared_too():
    drawn = plan(3)
    seats = drawn["zones"][0]["rows"][0]["seats"]
    seats[0]["category"] = ""
    seats[1]["category"] = "S"
    found = {category.name: category.seats for category in plan_drawing.summary(drawn).categories}
    assert found == {"R": 1, "S": 1, "": 1}


def test_a_plan_is_drawn_with_a_stroke_a_seat_in_its_category_colour():
    root = ElementTree.fromstring(plan_drawing.drawing(plan(4)))
    path = root.find("{http://www.w3.org/2000/svg}path")
    assert path is not None
    assert path.get("stroke") == "#aa0000"
    assert path.get("d", "").count("h0") == 4


def test_shapes_and_their_texts_are_drawn_and_hostile_text_stays_text():
    drawn = plan(2)
    drawn["zones"][0]["areas"] = [
        {
            "shape": "rectangle",
            "position": {"x": 0, "y": -50},
            "rectangle": {"width": 90, "height": 30},
            "text": {"text": "</svg><script>x"},
        },
        {"shape": "circle", "position": {"x": 5, "y": 5}, "circle": {"radius": 3}, "color": 'red" onload="x'},
        {"shape": "ellipse", "position": {"x": 5, "y": 5}, "ellipse": {"radius": {"x": 3, "y": 4}}, "rotation": 30},
        {"shape": "polygon", "position": {"x": 5, "y": 5}, "polygon": {"points": [{"x": 0, "y": 0}, {"x": 9, "y": 0}, {"x": 9, "y": 9}]}},
        {"shape": "star"},
    ]
    svg = plan_drawing.drawing(drawn)
    tags = [element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()]
    assert {"rect", "circle", "ellipse", "polygon", "text"} <= set(tags)
    assert "script" not in tags
    assert "onload" not in svg


def test_a_drawing_of_15000_seats_stays_small():
    big = plan(1)
    big["zones"][0]["rows"] = [
        {
            "row_number": str(row),
            "position": {"x": 0, "y": row * 10},
            "seats": [
                {"seat_guid": f"{row}-{seat}", "seat_number": str(seat), "position": {"x": seat * 10, "y": 0}, "category": "R"}
                for seat in range(150)
            ],
        }
        for row in range(100)
    ]
    assert plan_drawing.summary(big).seats == 15_000
    assert len(plan_drawing.drawing(big)) < 250_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["zones", "rows", "seats", "areas", "position", "x", "y", "category", "categories", "name", "color", "shape", "text"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(json_values)
@settings(max_examples=200)
def test_any_json_is_drawn_or_refused_but_never_breaks(value):
    try:
        plan_drawing.summary(value)
    except plan_drawing.NotAPlan:
        return
    ElementTree.fromstring(plan_drawing.drawing(value).encode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "plan_file_missing"),
        (b"{]", "plan_not_json"),
        (b"\xff\xfe", "plan_not_json"),
        (b"[" * 100_000, "plan_not_json"),
        (b"[]", "plan_not_an_object"),
        (b"{}", "plan_without_zones"),
        (b'{"zones": []}', "plan_without_seats"),
        (json.dumps(plan(1) | {"name": "\ud800"}).encode(), "plan_not_json"),
    ],
)
def test_what_is_no_plan_is_refused_with_the_reason(content, code):
    with pytest.raises(plans.PlanRefused) as refused:
        upload(content)
    assert refused.value.reason.code == code


def test_a_file_above_the_limit_is_refused_and_not_read_whole(monkeypatch):
    monkeypatch.setattr(plans, "UPLOAD_BYTES_AT_MOST", 100)
    file = io.BytesIO(b"x" * 1000)
    with pytest.raises(plans.PlanRefused) as refused:
        plans.uploaded_plan(file)
    assert refused.value.reason.code == "plan_too_large"
    assert file.tell() == 101


def test_an_upload_is_kept_with_its_name_and_digest():
    loaded = upload(json.dumps(plan(3)).encode())
    assert json.loads(loaded.text) == plan(3)
    assert (loaded.summary["seats"], loaded.summary["file_name"], loaded.summary["source"]) == (3, "hall.json", "")
    assert loaded.summary["digest"] == upload(json.dumps(plan(3)).encode()).summary["digest"]


def test_the_bundled_plans_are_listed_and_can_be_taken():
    [charlotte] = [found for found in plans.bundled_plans() if found.file_name == "charlotte.json"]
    assert charlotte.seats == 1241
    assert plans.bundled_plan("charlotte.json").summary["source"] == "charlotte.json"


@pytest.mark.parametrize("name", ["", "nowhere.json", "../musical.json", "/etc/passwd", "charlotte.json\x00"])
def test_only_what_is_listed_can_be_taken(name):
    with pytest.raises(plans.PlanRefused):
        plans.bundled_plan(name)
