"""Who sells and how old one must be: what may be said, and what the event service is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.rendering.requirement import Requirement, validate
from controlplane.systems.content import documents_for
from tests.controlplane import areas_requirement

WHOLE = {"name": "극단 은하역", "phone": "02-123-4567", "email": "help@example.com", "registration": "대표 김은하 · 123-45-67890"}


class EveryService:
    def service(self, name: str) -> bool:
        return True


def read(**more: Any) -> Requirement:
    found = validate(areas_requirement(**more))
    assert isinstance(found, Requirement), found
    return found


def told(wanted: Requirement) -> dict[str, Any]:
    return documents_for(wanted, EveryService())["event"]  # type: ignore[arg-type]


@pytest.mark.parametrize("organiser", [WHOLE, {"name": "극단 은하역"}, {"name": "Clove", "phone": "+82 (2) 123-4567"}])
def test_an_organiser_survives_reading_and_reaches_the_event_service(organiser: dict[str, str]) -> None:
    wanted = read(organiser=organiser)

    assert validate(wanted.to_json()) == wanted
    assert told(wanted)["organiser"] == organiser
    assert wanted.summary()["organiser"] == organiser["name"]


@pytest.mark.parametrize("age", [0, 8, 99])
def test_an_age_limit_reaches_the_event_service(age: int) -> None:
    wanted = read(age_limit=age)

    assert validate(wanted.to_json()) == wanted
    assert told(wanted)["age_limit"] == age


def test_what_is_not_said_is_not_told_so_that_an_earlier_image_takes_the_content() -> None:
    wanted = read()

    assert not {"organiser", "age_limit"} & {*wanted.to_json(), *told(wanted)}


@pytest.mark.parametrize(
    ("wrong", "path", "code"),
    [
        ({"organiser": {"phone": "02-123-4567"}}, "organiser.name", "required"),
        ({"organiser": {**WHOLE, "phone": "call me"}}, "organiser.phone", "bad_format"),
        ({"organiser": {**WHOLE, "email": "help@"}}, "organiser.email", "bad_format"),
        ({"organiser": {**WHOLE, "email": "a@example.com?subject=x"}}, "organiser.email", "bad_format"),
        ({"organiser": {**WHOLE, "registration": "x" * 301}}, "organiser.registration", "too_long"),
        ({"organiser": {**WHOLE, "fax": "1"}}, "organiser.fax", "unknown_key"),
        ({"organiser": "극단 은하역"}, "organiser", "wrong_type"),
        ({"age_limit": 100}, "age_limit", "out_of_range"),
        ({"age_limit": -1}, "age_limit", "out_of_range"),
        ({"age_limit": "8"}, "age_limit", "wrong_type"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], path: str, code: str) -> None:
    found = validate(areas_requirement(**wrong))

    assert isinstance(found, list)
    assert (path, code) in [(problem.path, problem.code) for problem in found]
