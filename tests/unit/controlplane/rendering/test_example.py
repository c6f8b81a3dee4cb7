"""The examples that ship with Clove, and how their days are counted."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from controlplane.rendering.example import load_example, with_times
from controlplane.rendering.requirement import Requirement, validate

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize("now", [NOW, datetime(2031, 2, 28, 23, 59, tzinfo=UTC), datetime(2028, 12, 31, 15, 30, tzinfo=UTC)])
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_example_is_a_valid_requirement_that_sells_now_whenever_it_is_loaded(path: Path, now: datetime) -> None:
    requirement = validate(load_example(path, now), now=now)

    assert isinstance(requirement, Requirement), requirement
    assert requirement.sales_open_at < now < requirement.sales_close_at


def test_the_musical_seats_1241_people_in_four_grades() -> None:
    requirement = validate(load_example(EXAMPLES / "musical.json", NOW))

    assert isinstance(requirement, Requirement)
    assert requirement.seating.capacity == 1241
    assert requirement.seating.grades == {"VIP", "R", "S", "A"}


def test_the_musicals_early_birds_end_a_week_after_it_was_opened() -> None:
    requirement = validate(load_example(EXAMPLES / "musical.json", NOW))

    assert isinstance(requirement, Requirement)
    assert [each.percent for each in requirement.concessions] == [50, 30, 20]
    assert requirement.concessions[-1].until_at == datetime(2026, 11, 28, 23, 59, tzinfo=ZoneInfo("Asia/Seoul"))


def test_a_day_is_counted_at_the_venue_and_not_in_utc() -> None:
    late = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)  # 1 a.m. of the 22nd in Seoul

    assert with_times({"starts_at": "+1d 19:30"}, late) == {"starts_at": "2026-11-23T19:30:00+09:00"}


def test_an_offset_is_that_of_the_day_itself() -> None:
    summer_begins_between = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)

    resolved = with_times({"starts_at": "+14d19:30"}, summer_begins_between, ZoneInfo("Europe/Berlin"))

    assert resolved == {"starts_at": "2026-04-03T19:30:00+02:00"}


def test_absolute_times_and_other_texts_stay_as_they_are() -> None:
    document = {"title": "+1d 10:00", "sales": {"opens_at": "2027-01-01T10:00:00+09:00"}, "performances": [{"starts_at": "soon"}]}

    assert with_times(document, NOW) == document


def test_the_plan_of_the_example_is_what_its_script_writes() -> None:
    spec = importlib.util.spec_from_file_location("make_charlotte", EXAMPLES / "plans/make_charlotte.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    assert script.plan() == json.loads((EXAMPLES / "plans/charlotte.json").read_bytes())
