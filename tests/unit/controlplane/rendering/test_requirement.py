"""Reading a seller's requirement: what is refused, under which path, and what is kept."""

from __future__ import annotations

import copy
import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.lib.reasons import Problem
from controlplane.rendering.reader import MAX_PROBLEMS
from controlplane.rendering.requirement import Requirement, validate
from tests.controlplane import areas_requirement, numbered_requirement, plan, without

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def problems_of(document: Any, **options: Any) -> list[tuple[str, str]]:
    """(path, code) of each problem; none when it is valid."""
    read = validate(document, **options)
    return [] if isinstance(read, Requirement) else [(problem.path, problem.code) for problem in read]


def read(document: Any, **options: Any) -> Requirement:
    requirement = validate(document, **options)
    assert isinstance(requirement, Requirement), requirement
    return requirement


def changed(path: str, value: Any, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """A valid requirement with VALUE at PATH (`grades.0.price_krw`)."""
    result = copy.deepcopy(document or numbered_requirement())
    *parents, last = path.split(".")
    place: Any = result
    for key in parents:
        place = place[int(key)] if key.isdecimal() else place[key]
    place[int(last) if last.isdecimal() else last] = value
    return result


@pytest.mark.parametrize("document", [areas_requirement(), numbered_requirement()], ids=["areas", "numbered"])
def test_a_valid_requirement_has_a_normal_form_that_reads_back_equal(document: dict[str, Any]) -> None:
    once = read(document)

    assert read(json.loads(json.dumps(once.to_json()))) == once


def test_what_images_are_chosen_by_follows_from_seating_payment_and_merchandise() -> None:
    assert read(numbered_requirement()).facts == {"numbered": "yes", "kakaopay": "yes", "merchandise": "yes"}
    assert read(areas_requirement(payment="none")).facts == {"numbered": "no", "kakaopay": "no", "merchandise": "no"}


@pytest.mark.parametrize(
    "path",
    [
        *("version", "title", "field", "venue", "seating", "grades", "performances", "sales", "limit_per_buyer", "payment", "merchandise"),
        *("venue.name", "seating.numbered", "seating.plan", "sales.opens_at", "sales.closes_at"),
    ],
)
def test_what_is_missing_is_named(path: str) -> None:
    assert (path, "required") in problems_of(without(numbered_requirement(), path))


@pytest.mark.parametrize(
    ("path", "value", "where", "code"),
    [
        ("title", 5, "title", "wrong_type"),
        ("title", " \n ", "title", "control_character"),
        ("title", "   ", "title", "required"),
        ("title", "x" * 201, "title", "too_long"),
        ("title", "x" * 100_000, "title", "too_long"),
        ("title", "a\x00b", "title", "control_character"),
        ("title", "a\x1b[31mb", "title", "control_character"),
        ("title", "a\u202eb", "title", "control_character"),
        ("title", "a\ud800b", "title", "control_character"),
        ("title", {"$ne": 1}, "title", "wrong_type"),
        ("description", "a\x07", "description", "control_character"),
        ("field", "opera", "field", "not_an_option"),
        ("field", ["musical"], "field", "not_an_option"),
        ("version", 2, "version", "unknown_version"),
        ("version", True, "version", "unknown_version"),
        ("venue", "Hall", "venue", "wrong_type"),
        ("venue.floor", 3, "venue.floor", "unknown_key"),
        ("sellers", 1, "sellers", "unknown_key"),
        ("seating", [], "seating", "wrong_type"),
        ("seating.numbered", "yes", "seating.numbered", "wrong_type"),
        ("seating.areas", [{"id": "x"}], "seating", "both_seatings"),
        ("grades", [], "grades", "too_few"),
        ("grades.0.price_krw", -1, "grades[0].price_krw", "out_of_range"),
        ("grades.0.price_krw", 10_000_001, "grades[0].price_krw", "out_of_range"),
        ("grades.0.price_krw", 10**400, "grades[0].price_krw", "out_of_range"),
        ("grades.0.price_krw", 1000.5, "grades[0].price_krw", "wrong_type"),
        ("grades.0.price_krw", math.nan, "grades[0].price_krw", "wrong_type"),
        ("grades.0.price_krw", math.inf, "grades[0].price_krw", "wrong_type"),
        ("grades.0.price_krw", True, "grades[0].price_krw", "wrong_type"),
        ("grades.0.price_krw", "1000", "grades[0].price_krw", "wrong_type"),
        ("grades.0.price_krw", None, "grades[0].price_krw", "required"),
        ("grades.0.color", "red; x", "grades[0].color", "bad_format"),
        ("grades.0.name", "S", "grades", "price_missing"),
        ("performances", [], "performances", "too_few"),
        ("performances", {}, "performances", "wrong_type"),
        ("performances.0.starts_at", "tomorrow", "performances[0].starts_at", "not_a_time"),
        ("performances.0.starts_at", 1_800_000_000, "performances[0].starts_at", "not_a_time"),
        ("performances.0.starts_at", "2090-01-10T19:30:00", "performances[0].starts_at", "naive_time"),
        ("performances.0.starts_at", "9999-12-31T23:59:59+00:00", "performances[0].starts_at", "out_of_range"),
        ("performances.0.starts_at", "0001-01-01T00:00:00+23:59", "performances[0].starts_at", "out_of_range"),
        ("performances.0.id", "P 1", "performances[0].id", "bad_format"),
        ("performances.0.duration_minutes", 0, "performances[0].duration_minutes", "out_of_range"),
        ("sales.opens_at", "2090-01-10T18:30:00+09:00", "sales.closes_at", "sales_reversed"),
        ("sales.closes_at", "2090-01-10T19:30:01+09:00", "sales.closes_at", "sales_after_performances"),
        ("limit_per_buyer", 0, "limit_per_buyer", "out_of_range"),
        ("limit_per_buyer", 5, "limit_per_buyer", "limit_over_capacity"),
        ("hold_minutes", 61, "hold_minutes", "out_of_range"),
        ("payment", "toss", "payment", "not_an_option"),
        ("merchandise", "no", "merchandise", "wrong_type"),
        ("merchandise", False, "products", "products_without_merchandise"),
        ("products.0.stock", -1, "products[0].stock", "out_of_range"),
        ("products.0.id", None, "products[0].id", "required"),
    ],
)
def test_a_bad_value_is_refused_where_it_stands(path: str, value: Any, where: str, code: str) -> None:
    assert (where, code) in problems_of(changed(path, value))


@pytest.mark.parametrize("slug", ["a", "phantom", "x-1", "a" * 40, "9to5"])
def test_a_dns_label_is_an_address(slug: str) -> None:
    assert read(areas_requirement(slug=slug)).slug == slug


@pytest.mark.parametrize(
    ("slug", "code"),
    [
        *((slug, "bad_slug") for slug in ("Phantom", "-a", "a-", "a_b", "a.b", "a" * 41, "xn--abc", "뮤지컬", "a b", "../x")),
        *((slug, "reserved_slug") for slug in ("www", "admin", "api", "localhost")),
        ("a\n", "control_character"),
        (7, "wrong_type"),
    ],
)
def test_an_address_that_is_no_dns_label_or_is_kept_is_refused(slug: Any, code: str) -> None:
    assert problems_of(areas_requirement(slug=slug)) == [("slug", code)]


def test_without_an_address_the_platform_finds_one() -> None:
    assert read(without(areas_requirement(), "slug")).slug is None
    assert read(areas_requirement(slug="")).slug is None


def test_all_problems_are_told_at_once() -> None:
    document = areas_requirement(title="", payment="cash", limit_per_buyer=0)
    document["grades"] = []

    assert {path for path, _ in problems_of(document)} >= {"title", "payment", "limit_per_buyer", "grades"}


def test_problems_are_bounded() -> None:
    seats = plan(5_000)
    for seat in seats["zones"][0]["rows"][0]["seats"]:
        seat["category"] = "?"

    found = validate(numbered_requirement(seating={"numbered": True, "plan": seats}))

    assert isinstance(found, list)
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].code == "more_problems"


@pytest.mark.parametrize("document", [None, [], "text", 5, math.nan, True])
def test_what_is_no_object_is_refused_whole(document: Any) -> None:
    assert problems_of(document) == [("", "wrong_type")]


def test_performances_that_begin_together_are_refused_whatever_their_offsets() -> None:
    document = areas_requirement(performances=[{"starts_at": "2090-01-10T19:30:00+09:00"}, {"starts_at": "2090-01-10T10:30:00+00:00"}])

    assert problems_of(document) == [("performances[1].starts_at", "duplicate_performance")]


def test_two_performances_of_one_id_are_refused() -> None:
    document = areas_requirement(
        performances=[{"id": "p1", "starts_at": "2090-01-10T19:30:00+09:00"}, {"id": "p1", "starts_at": "2090-01-11T19:30:00+09:00"}]
    )

    assert problems_of(document) == [("performances[1].id", "duplicate")]


def test_performances_without_an_id_get_free_ones() -> None:
    times = [{"starts_at": f"2090-01-1{day}T19:30:00+09:00"} for day in range(3)]
    times[1]["id"] = "p1"

    assert [item.id for item in read(areas_requirement(performances=times)).performances] == ["p2", "p1", "p3"]


def test_an_update_keeps_the_ids_of_performances_that_begin_when_they_did() -> None:
    first = read(areas_requirement(performances=[{"id": "eve", "starts_at": "2090-01-10T19:30:00+09:00"}]))
    document = areas_requirement(performances=[{"starts_at": "2090-01-09T19:30:00+09:00"}, {"starts_at": "2090-01-10T10:30:00Z"}])

    assert [item.id for item in read(document, previous=first).performances] == ["p1", "eve"]


def test_a_new_performance_never_takes_the_id_of_one_that_was_removed() -> None:
    first = read(areas_requirement())
    document = areas_requirement(performances=[{"starts_at": "2090-02-10T19:30:00+09:00"}])

    assert [item.id for item in read(document, previous=first).performances] == ["p2"]


def test_what_has_begun_is_refused_unless_it_was_there_before() -> None:
    document = areas_requirement(performances=[{"starts_at": "2026-11-20T19:30:00+09:00"}, {"starts_at": "2090-01-10T19:30:00+09:00"}])

    assert problems_of(document, now=NOW) == [("performances[0].starts_at", "performance_past")]
    assert problems_of(document, now=NOW, previous=read(document)) == []


def test_a_sales_period_that_is_over_is_refused_unless_it_was_so_before() -> None:
    document = changed("sales.closes_at", "2021-01-01T00:00:00+09:00")

    assert problems_of(document, now=NOW) == [("sales.closes_at", "sales_past")]
    assert problems_of(document, now=NOW, previous=read(document)) == []


def test_payment_without_anything_to_pay_is_refused() -> None:
    free = areas_requirement(grades=[{"name": "GA", "price_krw": 0}])

    assert problems_of(free) == [("payment", "nothing_to_pay")]
    assert problems_of(free | {"payment": "none"}) == []


def test_a_grade_without_a_price_is_named_once_for_each_grade() -> None:
    document = areas_requirement()
    document["seating"]["areas"] += [{"id": "deck", "name": "데크", "capacity": 3, "grade": "VIP"}]

    found = validate(document)

    assert found == [Problem("price_missing", {"grade": "VIP"}, "grades")]


def test_decomposed_hangul_is_composed() -> None:
    assert read(areas_requirement(title="\u1112\u1161\u11ab 공연")).title == "한 공연"


def test_a_title_made_of_yaml_is_the_text_it_is() -> None:
    title = '"}}\n'.strip() + " kind: Secret # {{ x }} &a *a !!python/object:os.system ---"

    assert read(areas_requirement(title=title)).title == title


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
PATHS = [
    *("title", "slug", "field", "venue", "venue.name", "seating", "seating.plan", "seating.plan.zones", "seating.plan.zones.0.rows"),
    *("seating.plan.zones.0.rows.0.seats", "seating.plan.zones.0.rows.0.seats.0", "seating.plan.zones.0.position"),
    *("seating.plan.categories", "seating.plan.zones.0.rows.0.seats.0.position.x", "grades", "grades.0", "grades.0.price_krw"),
    *("performances", "performances.0", "performances.0.starts_at", "sales", "sales.opens_at", "limit_per_buyer", "products", "products.0"),
]


@given(path=st.sampled_from(PATHS), value=json_values)
def test_no_value_anywhere_breaks_the_reading(path: str, value: Any) -> None:
    found = validate(changed(path, value), now=NOW)

    if isinstance(found, list):
        assert found
        assert all(problem.message and "%(" not in problem.message for problem in found)
    else:
        assert read(found.to_json()) == found


@given(document=json_values)
def test_any_json_at_all_is_refused_with_reasons(document: Any) -> None:
    assert problems_of(document)
