"""What is typed, what it means, and where a problem belongs."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from controlplane.lib.reasons import Problem
from controlplane.portal.requirement_form import convert, state
from controlplane.portal.requirement_form.fields import form_problems, input_of
from controlplane.portal.requirement_form.many import CannotAdd, add_many
from controlplane.portal.requirement_form.state import ROWS, SCALARS, FormState
from controlplane.rendering.requirement import Requirement, validate
from tests.controlplane import areas_requirement, numbered_requirement
from tests.unit.controlplane.pages import form_data

SEOUL = ZoneInfo("Asia/Seoul")


def posted(**changes):
    query = QueryDict(mutable=True)
    query.update(form_data(**changes))
    return state.from_post(query)


def requirement_of(**changes):
    return convert.to_requirement(posted(**changes), None, SEOUL).requirement


@pytest.mark.parametrize("make", [areas_requirement, numbered_requirement])
def test_a_requirement_survives_the_form(make):
    normal = validate(make(description="a\nb", hold_minutes=9))
    assert isinstance(normal, Requirement)

    form, plan = convert.from_requirement(normal.to_json(), SEOUL)
    back = validate(convert.to_requirement(form, plan, SEOUL).requirement)

    assert back == normal


def test_organiser_and_age_limit_survive_the_form():
    organiser = {"name": "극단 은하역", "phone": "02-123-4567", "email": "help@example.com", "registration": "대표 김은하"}
    normal = validate(areas_requirement(organiser=organiser, age_limit=0))
    assert isinstance(normal, Requirement)

    form, plan = convert.from_requirement(normal.to_json(), SEOUL)

    assert validate(convert.to_requirement(form, plan, SEOUL).requirement) == normal


def test_a_contact_without_a_name_is_missed_at_the_name():
    problems = validate(requirement_of(organiser_phone="02-123-4567"))

    assert [problem.path for problem in problems] == ["organiser.name"]
    assert input_of("organiser.name", {}) == "organiser_name"


def test_what_no_form_would_say_survives_it_too():
    performances = [
        {"id": "p1", "starts_at": "2090-01-10T19:30:05+09:00", "duration_minutes": 120},
        {"id": "p2", "starts_at": "2090-01-11T19:30:00.250000+09:00", "duration_minutes": 120},
        {"id": "p3", "starts_at": "2090-01-12T19:30:00+09:00"},
    ]
    sales = {"opens_at": "2020-01-01T00:00:00+09:00", "closes_at": "2090-01-10T18:59:59+09:00"}
    normal = validate(areas_requirement(performances=performances, sales=sales))
    assert isinstance(normal, Requirement)

    form, _plan = convert.from_requirement(normal.to_json(), SEOUL)

    assert validate(convert.to_requirement(form, None, SEOUL).requirement) == normal


@pytest.mark.parametrize("column", ["description", "options", "picture"])
def test_a_product_that_has_no_name_yet_is_missed(column):
    product = {f"products.x1.{column}": "M, 5"}
    assert len(requirement_of(merchandise="yes", **product)["products"]) == 1


def test_a_form_as_posted_makes_a_valid_requirement():
    assert isinstance(validate(requirement_of()), Requirement)
    assert requirement_of()["grades"] == [{"name": "GA", "price_krw": 66000, "color": "#aa0000"}]
    assert requirement_of()["performances"] == [{"starts_at": "2090-01-10T19:30:00+09:00", "duration_minutes": 120}]


@pytest.mark.parametrize("typed", ["66,000", "66000원", "₩66 000", " 66000 "])
def test_amounts_may_be_written_as_people_write_them(typed):
    assert requirement_of(**{"grades.g1.price_krw": typed})["grades"][0]["price_krw"] == 66000


@pytest.mark.parametrize("typed", ["free", "6.5", "1e9", "٣", "9" * 40])
def test_what_is_no_number_is_passed_on_as_typed(typed):
    assert requirement_of(**{"grades.g1.price_krw": typed})["grades"][0]["price_krw"] == typed


def test_an_impossible_date_is_passed_on_as_typed():
    assert requirement_of(opens_at="2027-02-30T10:00")["sales"]["opens_at"] == "2027-02-30T10:00"


def test_blank_rows_are_left_out_and_columns_of_the_other_seating_too():
    requirement = requirement_of(**{"areas.a2.name": "", "areas.a2.capacity": " ", "plan_grades.x.name": "VIP", "products.y.name": "LP"})

    assert len(requirement["seating"]["areas"]) == 1
    assert [grade["name"] for grade in requirement["grades"]] == ["GA"]
    assert "products" not in requirement


def test_rows_without_an_id_get_one_of_their_name_that_is_unique():
    requirement = requirement_of(
        **{
            "merchandise": "yes",
            "products.a.name": "프로그램북",
            "products.b.name": "프로그램북",
            "products.c.name": "★",
            "products.d.id": "peurogeuraembuk-2",
            "products.d.name": "티셔츠",
        }
    )
    ids = [product["id"] for product in requirement["products"]]
    assert ids == ["peurogeuraembuk", "peurogeuraembuk-3", "product", "peurogeuraembuk-2"]


def test_a_row_without_a_length_takes_the_common_one():
    requirement = requirement_of(
        **{"performances.p2.starts_at": "2090-01-11T19:30", "performances.p2.duration_minutes": "90", "running_minutes": "120"}
    )
    assert [item["duration_minutes"] for item in requirement["performances"]] == [120, 90]


def test_a_copy_has_no_address_and_no_ids_of_performances():
    form, _plan = convert.from_requirement(validate(areas_requirement()).to_json(), SEOUL)
    copied = convert.copied(form)
    assert copied["slug"] == ""
    assert [row["id"] for row in copied.rows["performances"]] == [""]


def test_the_grades_of_a_plan_keep_the_prices_typed_for_their_names():
    form = FormState()
    form.add("plan_grades", name="R", price_krw="100", color="#111111")
    form.add("plan_grades", name="gone", price_krw="5")

    form.sync_plan_grades([{"name": "VIP", "color": "#222222"}, {"name": "R", "color": "#333333"}, {"name": "", "color": "#444444"}])

    assert [(row["name"], row["price_krw"], row["color"]) for row in form.rows["plan_grades"]] == [
        ("VIP", "", "#222222"),
        ("R", "100", "#111111"),
    ]


names = st.sampled_from(
    [*SCALARS, "areas.a.name", "areas..name", "areas.a.b.c", "nowhere.a.name", "products.a.values", "csrfmiddlewaretoken"]
)


@given(st.lists(st.tuples(names, st.text(max_size=50))))
def test_whatever_is_posted_can_be_stored_and_read_back(pairs):
    query = QueryDict(mutable=True)
    for name, value in pairs:
        query.appendlist(name, value)
    form = state.from_post(query)

    stored = json.loads(json.dumps(form.as_json()))

    assert state.from_json(stored).as_json() == form.as_json()
    convert.to_requirement(form, None, SEOUL)


def test_a_form_has_bounds():
    query = QueryDict(mutable=True)
    query["title"] = "x" * 100_000
    for number in range(1_500):
        query[f"products.k{number}.name"] = "p"
    form = state.from_post(query)
    assert len(form["title"]) == state.TEXT_AT_MOST
    assert len(form.rows["products"]) == state.ROWS_AT_MOST


# --- Where problems belong ---


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("title", "title"),
        ("venue.name", "venue_name"),
        ("seating.plan", "plan"),
        ("seating.plan.zones[0].rows[3].seats[1].seat_guid", "plan"),
        ("seating.areas[0].capacity", "areas.a1.capacity"),
        ("seating.areas[0].id", "areas.a1.name"),
        ("seating.areas[9].capacity", "areas"),
        ("grades", "grades"),
        ("grades[0].price_krw", "grades.g1.price_krw"),
        ("grades[0].color", "grades.g1.name"),
        ("performances[0]", "performances.p1.starts_at"),
        ("sales.closes_at", "closes_at"),
        ("limit_per_buyer", "limit_per_buyer"),
        ("", ""),
        ("version", ""),
    ],
)
def test_a_problem_stands_at_its_input(path, name):
    assert input_of(path, convert.to_requirement(posted(), None, SEOUL).origins) == name


def test_every_path_that_validation_names_has_an_input():
    form = posted(
        title="",
        slug="-",
        field="x",
        venue_name="",
        opens_at="x",
        closes_at="",
        limit_per_buyer="0",
        hold_minutes="99",
        payment="gold",
        **{"areas.a1.capacity": "many", "grades.g1.price_krw": "-1", "performances.p1.starts_at": "soon", "running_minutes": "long"},
    )
    converted = convert.to_requirement(form, None, SEOUL)
    with translation.override("en"):
        problems = form_problems(validate(converted.requirement), converted)

    inputs = {problem.input for problem in problems}
    assert {
        "title", "slug", "field", "venue_name", "areas.a1.capacity", "grades.g1.price_krw", "performances.p1.starts_at", "running_minutes",
        "opens_at", "closes_at", "limit_per_buyer", "hold_minutes", "payment",
    } <= inputs  # fmt: skip
    assert all(problem.section for problem in problems)
    assert "Write a whole number in digits." in {problem.message for problem in problems}
    assert all(problem.label for problem in problems)


def test_the_same_problem_is_told_once():
    converted = convert.to_requirement(posted(**{"running_minutes": "long", "performances.p2.starts_at": "2090-01-11T10:00"}), None, SEOUL)
    with translation.override("en"):
        found = form_problems(validate(converted.requirement), converted)
    assert [problem.input for problem in found].count("running_minutes") == 1


def test_problems_are_told_in_korean_too():
    converted = convert.to_requirement(posted(), None, SEOUL)
    with translation.override("ko"):
        assert form_problems([Problem("required", {}, "title")], converted)[0].message == "필수 항목입니다."


# --- Many performances at once ---


def many(form=None, **changes):
    form = form or FormState()
    chosen = {"first": "2027-01-01", "last": "2027-01-10", "weekdays": {"4", "5"}, "times": "14:00, 19:30", **changes}
    return form, add_many(form, **chosen)


def test_chosen_weekdays_between_two_dates_get_a_performance_at_each_time():
    form, added = many()
    assert added == 8
    assert [row["starts_at"] for row in form.rows["performances"]][:3] == ["2027-01-01T14:00", "2027-01-01T19:30", "2027-01-02T14:00"]


def test_adding_the_same_again_adds_nothing_and_blank_rows_go():
    form = FormState()
    form.add("performances")
    many(form)
    assert many(form)[1] == 0
    assert len(form.rows["performances"]) == 8


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"first": ""}, "many_first"),
        ({"last": "2026-12-31"}, "many_last"),
        ({"last": "2029-01-01"}, "many_last"),
        ({"weekdays": set()}, "many_weekdays"),
        ({"weekdays": {"0"}, "last": "2027-01-02"}, "many_weekdays"),
        ({"times": "noon"}, "many_times"),
        ({"times": "25:00"}, "many_times"),
        ({"times": ""}, "many_times"),
        ({"last": "2027-12-31", "weekdays": set("0123456")}, "many_last"),
    ],
)
def test_what_cannot_be_added_is_said_beside_its_field(changes, field):
    with pytest.raises(CannotAdd) as refused:
        many(**changes)
    assert refused.value.field == field


def test_every_row_has_the_columns_that_the_form_reads():
    for rows, columns in ROWS.items():
        row = FormState().add(rows)
        assert set(row.values) == set(columns)
