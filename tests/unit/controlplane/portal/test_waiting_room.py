"""The waiting room of a live event: its page, its API, and the requirement that stays in step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.rendering.requirement import Requirement, validate
from controlplane.systems import content, live_edits
from controlplane.systems.models import Operation
from tests.controlplane import numbered_requirement
from tests.unit.controlplane.pages import text, url
from tests.unit.controlplane.portal.live_answers import TALLIES, TERMS

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/waiting-room"
ROOM = "/api/seat/room"
STANDS = {"is_on": True, "needs_turn": True, "is_paused": False, "per_minute": 3_000, "given": 12_400, "admitted": 5_150, "at": ""}


@pytest.fixture
def house(live: Any, site: Any) -> Any:
    """Live, with many who wait."""
    site.answers |= {
        ("GET", ROOM): (200, STANDS),
        ("PUT", ROOM): (200, STANDS),
        ("GET", "/api/ticket/terms"): (200, TERMS),
        ("GET", "/api/ticket/tallies"): (200, TALLIES),
    }
    return live


def wanted(system: Any) -> Any:
    system.refresh_from_db()
    return system.requirement.data.get("admit_per_minute")


def given(site: Any) -> Any:
    """The rate of the last content that seat was given."""
    bodies = [body for (method, path), body in zip(site.calls, site.bodies, strict=True) if (method, path) == ("PUT", "/api/seat/content")]
    return json.loads(bodies[-1]).get("admit_per_minute")


def test_it_is_led_to_and_tells_who_waits(house: Any, browser: Any) -> None:
    assert f'href="{url(house, PAGE)}"' in text(browser.get(url(house, "/performances")))
    page = text(browser.get(url(house, PAGE)))
    for figure in ("7,250", "5,150", "3,000", "3 min"):
        assert figure in page


def test_another_rate_is_given_to_seat_at_once_and_kept_in_the_requirement(house: Any, browser: Any, site: Any) -> None:
    response = browser.post(url(house, PAGE), {"per_minute": "6,000"})

    assert response.status_code == 302
    assert (wanted(house), given(site)) == (6_000, 6_000)
    operation = house.operations.order_by("-generation").first()
    assert (operation.kind, operation.state) == (Operation.Kind.EDIT, Operation.State.SUCCEEDED)
    assert operation.result == {"patch": {"admit_per_minute": 6_000}, "before": {"admit_per_minute": None}}
    assert live_edits.live_requirement(house).admit_per_minute == 6_000
    assert 'value="6000"' in text(browser.get(url(house, PAGE)))


def test_zero_is_no_room_and_nothing_is_what_is_usual(house: Any, browser: Any, site: Any) -> None:
    browser.post(url(house, PAGE), {"per_minute": "0"})
    assert (wanted(house), given(site)) == (0, 0)
    browser.post(url(house, PAGE), {"per_minute": ""})
    assert (wanted(house), given(site)) == (None, None)


@pytest.mark.parametrize("typed", ["many", "-1", "1.5", "1000001"])
def test_what_is_no_rate_is_said_beside_the_field_and_kept(house: Any, browser: Any, site: Any, typed: str) -> None:
    response = browser.post(url(house, PAGE), {"per_minute": typed})

    assert response.status_code == 422
    assert f'value="{typed}"' in text(response)
    assert 'id="per_minute-error"' in text(response)
    assert wanted(house) is None


def test_it_is_stopped_and_goes_on_without_a_change_of_the_requirement(house: Any, browser: Any, site: Any) -> None:
    generation = house.generation
    for pause, expected in (("yes", True), ("no", False)):
        assert browser.post(url(house, PAGE), {"pause": pause}).status_code == 302
        assert (site.calls[-1], json.loads(site.bodies[-1])) == (("PUT", ROOM), {"is_paused": expected})
    house.refresh_from_db()
    assert house.generation == generation

    site.answers["GET", ROOM] = (200, STANDS | {"is_paused": True})
    assert 'value="no"' in text(browser.get(url(house, PAGE)))


def test_an_image_without_one_is_told_from_a_service_that_is_away(house: Any, browser: Any, site: Any) -> None:
    site.answers["GET", ROOM] = (404, {"code": "not_found"})
    assert "runs an older version of" in text(browser.get(url(house, PAGE)))
    site.answers["GET", ROOM] = (503, {})
    assert browser.get(url(house, PAGE)).status_code == 503


def test_an_older_image_that_knows_no_rate_keeps_the_requirement_as_it_was(house: Any, browser: Any, site: Any) -> None:
    unknown = {"code": "invalid", "errors": {"admit_per_minute": ["There is no such field."]}}
    site.answers["PUT", "/api/seat/content"] = (422, unknown)

    response = browser.post(url(house, PAGE), {"per_minute": "60"})

    assert "runs an older version of" in text(response)
    assert wanted(house) is None


def test_who_waits_is_among_the_figures(house: Any, browser: Any, site: Any) -> None:
    site.answers["GET", "/api/seat/summary"] = (200, {"performances": [], "room": STANDS})
    site.answers["GET", "/api/ticket/summary"] = (200, {"tickets": 1, "orders": 1, "captured_krw": 0, "refunded_krw": 0, "due_krw": 0})
    assert "7,250" in text(browser.get(url(house, "/sales")))
    site.answers["GET", "/api/seat/summary"] = (200, {"performances": []})
    assert "7,250" not in text(browser.get(url(house, "/sales")))


def test_somebody_elses_is_not_there(house: Any, other: Any, client: Any) -> None:
    assert other.get(url(house, PAGE)).status_code == 404
    assert other.post(url(house, PAGE), {"pause": "yes"}).status_code == 404
    assert client.get(url(house, PAGE)).status_code == 302


def test_the_requirement_says_it_only_where_it_was_said() -> None:
    plain = validate(numbered_requirement())
    assert isinstance(plain, Requirement)
    assert "admit_per_minute" not in plain.to_json()
    assert "admit_per_minute" not in content._seat(plain)
    for rate in (0, 60):
        said = validate(numbered_requirement(admit_per_minute=rate))
        assert isinstance(said, Requirement)
        assert (said.to_json()["admit_per_minute"], content._seat(said)["admit_per_minute"]) == (rate, rate)
        assert validate(said.to_json()) == said


@pytest.mark.parametrize("rate", [-1, True, "60", 1_000_001, 1.5])
def test_a_rate_that_is_none_is_named(rate: object) -> None:
    problems = validate(numbered_requirement(admit_per_minute=rate))
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == ["admit_per_minute"]
