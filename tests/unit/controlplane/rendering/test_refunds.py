"""What a requirement says of cancelling, and that the ticket service means the same by it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from booking_templates.ticket import policy as ticket
from controlplane.rendering.refunds import USUAL, CutOff, Free, RefundRules, Tier, policy_json
from controlplane.rendering.requirement import Requirement, validate
from tests.controlplane import areas_requirement

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OWN = {
    "tiers": [{"days_before": 3, "percent": 20}, {"days_before": 10, "flat_krw": 2_000, "flat_max_percent": 0}],
    "free": {"within_hours": 24},
    "cut_off": {"days_before": 1, "at": "17:00"},
}


def read(**changes: Any) -> Requirement:
    found = validate(areas_requirement(**changes), now=NOW)
    assert isinstance(found, Requirement), found
    return found


def problems(policy: Any) -> set[tuple[str, str]]:
    found = validate(areas_requirement(refund_policy=policy), now=NOW)
    assert isinstance(found, list)
    return {(problem.path, problem.code) for problem in found}


def test_the_usual_policies_are_those_of_the_ticket_service() -> None:
    assert {name: msgspec.to_builtins(rules) for name, rules in ticket.PRESETS.items()} == {
        name: rules.to_json() for name, rules in USUAL.items()
    }


@pytest.mark.parametrize("policy", [*USUAL, OWN, {}])
def test_the_ticket_service_takes_what_is_written(policy: Any) -> None:
    msgspec.convert(policy_json(read(refund_policy=policy).refund_policy), ticket.Policy | ticket.Preset)


def test_rules_of_ones_own_are_read_and_survive() -> None:
    found = read(refund_policy=OWN)

    assert found.refund_policy == RefundRules((Tier(10, 0, 2_000, 0), Tier(3, 20)), Free(24), CutOff(1, "17:00"))
    assert validate(found.to_json()) == found


def test_what_is_new_gets_the_usual_policy_and_what_was_there_keeps_its_own() -> None:
    assert read().refund_policy == "market"
    assert validate(areas_requirement()).refund_policy == "full"  # type: ignore[union-attr]  # stored before there were policies
    previous = read(refund_policy="consumer_standard")
    assert validate(areas_requirement(), now=NOW, previous=previous).refund_policy == "consumer_standard"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("policy", "path", "code"),
    [
        ("generous", "refund_policy", "not_an_option"),
        (5, "refund_policy", "wrong_type"),
        ([], "refund_policy", "wrong_type"),
        ({"tiers": 5}, "refund_policy.tiers", "wrong_type"),
        ({"tiers": [{"percent": 5}]}, "refund_policy.tiers[0].days_before", "required"),
        ({"tiers": [{"days_before": 1, "percent": 101}]}, "refund_policy.tiers[0].percent", "out_of_range"),
        ({"tiers": [{"days_before": 1}, {"days_before": 1}]}, "refund_policy.tiers[1].days_before", "duplicate"),
        ({"tiers": [{"days_before": number} for number in range(21)]}, "refund_policy.tiers", "too_many"),
        ({"free": {"within_hours": 0}}, "refund_policy.free.within_hours", "out_of_range"),
        ({"free": {}}, "refund_policy.free.within_hours", "required"),
        ({"cut_off": {"days_before": 1, "at": "25:00"}}, "refund_policy.cut_off.at", "bad_format"),
        ({"cut_off": {"days_before": 1}}, "refund_policy.cut_off.at", "required"),
        ({"surprise": 1}, "refund_policy.surprise", "unknown_key"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(policy: Any, path: str, code: str) -> None:
    assert (path, code) in problems(policy)
