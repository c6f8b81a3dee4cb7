"""Reasons: codes with words."""

from __future__ import annotations

import pytest

import controlplane.rendering.messages
import controlplane.systems.messages  # noqa: F401
from controlplane.lib import reasons
from controlplane.lib.reasons import Problem, Reason, words


def test_a_reason_says_its_words_with_its_parameters() -> None:
    assert Reason("no_image", {"service": "seat"}).message == "The container pool has no image of the seat service."


def test_words_can_be_translated() -> None:
    assert Reason("required").text(lambda text: {"This is needed.": "필요합니다."}[text]) == "필요합니다."


def test_an_unknown_code_or_a_missing_parameter_is_still_said() -> None:
    assert words("from_a_newer_version", {}, otherwise="what was stored") == "what was stored"
    assert words("from_a_newer_version", {}) == "from_a_newer_version"
    assert words("no_image", {}, otherwise="no image of seat") == "no image of seat"


def test_a_code_is_declared_once() -> None:
    with pytest.raises(ValueError, match="required"):
        reasons.declare({"required": "again"})


def test_every_template_can_be_filled_in() -> None:
    for code, template in reasons._TEMPLATES.items():
        names = {part.split(")")[0] for part in template.split("%(")[1:]}
        # A number fills a %(count)d as well as a %(name)s.
        assert "%(" not in template % dict.fromkeys(names, 1), code


def test_a_problem_has_its_path_in_json() -> None:
    assert Problem("required", {}, "venue.name").to_json() == {
        "path": "venue.name",
        "code": "required",
        "message": "This is needed.",
        "params": {},
    }


def test_long_numbers_are_read_in_groups_and_short_ones_stay_as_they_are():
    assert Reason("out_of_range", {"low": 0, "high": 10_000_000}).message == "This must be between 0 and 10,000,000."
    assert Reason("out_of_range", {"low": 1, "high": 65535}).message == "This must be between 1 and 65535."
