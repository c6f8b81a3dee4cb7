"""The page of the seats that are kept from sale at one performance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.controlplane.pages import text, url
from tests.unit.controlplane.portal.live_answers import TALLIES, TERMS

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/performances/p1/off-sale"
BLOCKED = "/api/seat/performances/p1/blocked"
LINE = "1층, A, {}"


@pytest.fixture
def house(numbered: Any, site: Any) -> Any:
    """Four seats in a row, of which the first is off sale and another sold."""
    counts = {"free": 2, "held": 0, "sold": 1, "blocked": 1, "is_called_off": False}
    site.answers |= {
        ("GET", "/api/ticket/terms"): (200, TERMS),
        ("GET", "/api/ticket/tallies"): (200, TALLIES),
        ("GET", "/api/seat/summary"): (200, {"performances": [{"id": "p1", **counts}, {"id": "p2", **counts}]}),
        ("GET", BLOCKED): (200, {"seats": ["A-1"]}),
        ("GET", BLOCKED.replace("p1", "p2")): (200, {"seats": []}),
        ("PUT", BLOCKED): (200, {"seats": ["A-1", "A-2"]}),
    }
    return numbered


def put(site: Any) -> list[str]:
    """The seats of the last PUT."""
    assert site.calls[-1] == ("PUT", BLOCKED)
    seats: list[str] = json.loads(site.bodies[-1])["seats"]
    return seats


def test_it_is_led_to_from_the_performances_where_seats_have_numbers(house: Any, live: Any, browser: Any) -> None:
    assert f'href="{url(house, PAGE)}"' in text(browser.get(url(house, "/performances")))
    assert "off-sale" not in text(browser.get(url(live, "/performances")))
    assert browser.get(url(live, PAGE)).status_code == 404


def test_it_shows_the_seats_as_lines(house: Any, browser: Any) -> None:
    page = text(browser.get(url(house, PAGE)))
    assert f"\n{LINE.format('1')}</textarea>" in page


def test_what_was_typed_is_off_sale_and_what_others_changed_meanwhile_stays(house: Any, browser: Any, site: Any) -> None:
    shown = LINE.format("1")
    site.answers["GET", BLOCKED] = (200, {"seats": ["A-1", "A-4"]})  # by somebody else, after the page was shown

    response = browser.post(url(house, PAGE), {"shown": shown, "seats": LINE.format("2-3")})

    assert response.status_code == 302
    assert put(site) == ["A-2", "A-3", "A-4"]


class Seats:
    """What is off sale, as the service keeps it: a change that names another version than this one's is refused."""

    def __init__(self, site: Any, *seats: str) -> None:
        self.site, self.seats, self.refused, self.others = site, set(seats), 0, []
        site.answers |= {("GET", BLOCKED): self.read, ("PUT", BLOCKED): self.write}

    @property
    def etag(self) -> str:
        return f'"{"-".join(sorted(self.seats))}"'

    def read(self, _: str) -> Any:
        found = (200, {"seats": sorted(self.seats)}, {"ETag": self.etag})
        if self.others:
            self.seats = self.others.pop(0)(self.seats)  # between this and what is made of it
        return found

    def write(self, _: str) -> Any:
        if self.site.headers[-1].get("If-Match") != self.etag:
            self.refused += 1
            return 412, {"code": "changed_meanwhile", "detail": "Somebody else has changed this meanwhile. Nothing of yours was saved."}
        self.seats = set(json.loads(self.site.bodies[-1])["seats"])
        return 200, {"seats": sorted(self.seats)}, {"ETag": self.etag}


def test_two_who_change_it_in_one_moment_both_have_what_they_wanted(house: Any, browser: Any, site: Any) -> None:
    seats = Seats(site, "A-1")
    seats.others = [lambda now: now, lambda now: now | {"A-4"}, lambda now: now - {"A-1"}]

    response = browser.post(url(house, PAGE), {"shown": "", "seats": LINE.format("2")})

    assert response.status_code == 302
    assert seats.seats == {"A-2", "A-4"}
    assert seats.refused == 2


def test_whoever_never_gets_a_word_in_is_told_why_and_keeps_what_was_typed(house: Any, browser: Any, site: Any) -> None:
    seats = Seats(site)
    seats.others = [lambda now: now ^ {"A-4"}] * 100

    response = browser.post(url(house, PAGE), {"shown": "", "seats": LINE.format("2")})

    assert response.status_code == 422
    assert "Somebody else has changed this meanwhile" in text(response)
    assert LINE.format("2") in text(response)
    assert seats.refused == 5
    assert "A-2" not in seats.seats


def test_an_image_that_has_no_versions_yet_is_changed_as_before(house: Any, browser: Any, site: Any) -> None:
    site.answers["PUT", BLOCKED] = (200, {"seats": ["A-1", "A-2"]})
    assert browser.post(url(house, PAGE), {"shown": "", "seats": LINE.format("2")}).status_code == 302
    assert "If-Match" not in site.headers[-1]


def test_a_seat_that_somebody_has_is_named_and_what_was_typed_stays(house: Any, browser: Any, site: Any) -> None:
    said = "These places are sold or held, and would be lost: row A seat 2 (p1)"
    site.answers["PUT", BLOCKED] = (409, {"code": "would_orphan", "detail": said})

    response = browser.post(url(house, PAGE), {"shown": "", "seats": LINE.format("2")})

    assert response.status_code == 422
    assert said in text(response)
    assert LINE.format("2") in text(response)


def test_a_line_that_names_no_seat_is_told_before_anything_is_asked(house: Any, browser: Any, site: Any) -> None:
    response = browser.post(url(house, PAGE), {"shown": "", "seats": "발코니 <b>, 7"})

    assert response.status_code == 422
    assert "The plan has no “발코니 &lt;b&gt;, 7”." in text(response)
    assert not [call for call in site.calls if call == ("PUT", BLOCKED)]


def test_of_a_performance_that_was_called_off_nothing_is_changed(house: Any, browser: Any, site: Any) -> None:
    response = browser.post(url(house, PAGE.replace("p1", "p2")), {"shown": "", "seats": LINE.format("2")})

    assert "nothing of it is on sale any more" in text(response)
    assert not [call for call in site.calls if call[0] == "PUT" and "blocked" in call[1]]


def test_it_is_its_sellers_alone_and_says_when_seat_is_away(house: Any, browser: Any, other: Any, client: Any, site: Any) -> None:
    assert other.get(url(house, PAGE)).status_code == 404
    assert client.get(url(house, PAGE)).status_code == 302
    assert browser.get(url(house, "/performances/p9/off-sale")).status_code == 404
    site.answers["GET", BLOCKED] = (503, {})
    assert "does not answer right now" in text(browser.get(url(house, PAGE)))
