"""The door of a live booking system: links for scanners, who is in, what was taken there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.lib.models import AuditRow
from tests.unit.controlplane.pages import text, url
from tests.unit.controlplane.portal.live_answers import SCANNER, TALLIES, scanner

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_link_is_made_and_shown_once(answering: Any, browser: Any, site: Any) -> None:
    site.answers["POST", "/api/ticket/scanners"] = (201, scanner(key="geheim"))

    made = text(browser.post(url(answering, "/door"), {"name": "정문"}))
    later = text(browser.get(url(answering, "/door")))

    assert f"{answering.public_url}/api/ticket/scan#key=geheim" in made
    assert "<svg" in made
    assert "geheim" not in later
    assert "정문" in later


def test_a_link_without_a_name_is_refused_beside_the_field(answering: Any, browser: Any, site: Any) -> None:
    site.answers["POST", "/api/ticket/scanners"] = (422, {"code": "invalid", "errors": {"name": ["Too short."]}})

    response = browser.post(url(answering, "/door"), {"name": ""})

    assert response.status_code == 422
    assert "Too short." in text(response)


def test_a_link_is_good_until_the_time_chosen_by_the_venues_clock(answering: Any, browser: Any, site: Any) -> None:
    site.answers["POST", "/api/ticket/scanners"] = (201, scanner(key="geheim"))

    assert browser.post(url(answering, "/door"), {"name": "정문", "until": "2090-01-12T02:00"}).status_code == 200
    sent = dict(zip(site.calls, site.bodies, strict=True))["POST", "/api/ticket/scanners"]
    assert json.loads(sent) == {"name": "정문", "until": "2090-01-12T02:00:00+09:00"}

    response = browser.post(url(answering, "/door"), {"name": "정문", "until": "morgen"})
    assert (response.status_code, "Choose a date and a time." in text(response), 'value="정문"' in text(response)) == (422, True, True)


def test_an_older_service_that_lets_nobody_choose_says_so(answering: Any, browser: Any, site: Any) -> None:
    site.answers["POST", "/api/ticket/scanners"] = (422, {"code": "invalid", "errors": {"until": ["There is no such field."]}})
    site.answers["GET", "/api/ticket/openapi.json"] = (200, {"components": {"schemas": {"NewScanner": {"properties": {"name": {}}}}}})

    response = browser.post(url(answering, "/door"), {"name": "정문", "until": "2090-01-12T02:00"})

    assert (response.status_code, "older version of" in text(response)) == (422, True)


def test_a_link_is_taken_back(answering: Any, browser: Any, other: Any, site: Any) -> None:
    assert other.post(url(answering, f"/door/{SCANNER}/revoke")).status_code == 404
    assert browser.post(url(answering, f"/door/{SCANNER}/revoke")).status_code == 302
    assert site.calls[-1] == ("DELETE", f"/api/ticket/scanners/{SCANNER}")


def test_the_door_shows_who_is_in(answering: Any, browser: Any) -> None:
    assert "300 / 1,210" in text(browser.get(url(answering, "/door")))


CONFLICT = {
    "kind": "used",
    "at": "2026-11-20T19:12:00+09:00",
    "scanner": "<i>후문</i>",
    "first_at": "2026-11-20T19:02:00+09:00",
    "first_with": "정문",
    "ticket_id": SCANNER,
    "label": "스탠딩 7번",
    "grade": "GA",
    "performance_id": "p1",
    "order_id": SCANNER,
    "order_number": "CL-77",
}


def test_the_door_shows_who_was_let_in_against_the_list(answering: Any, browser: Any, site: Any) -> None:
    heading = "Let in against the list"
    for silent in ((404, {"code": "not_found", "detail": "none"}), (200, {"conflicts": [], "total": 0})):
        site.answers["GET", "/api/ticket/door/conflicts"] = silent
        response = browser.get(url(answering, "/door"))
        assert response.status_code == 200
        assert heading not in text(response), "an older image keeps none"
    unused = CONFLICT | {"kind": "cancelled", "label": "스탠딩 8번", "first_at": None, "first_with": "", "decided": True}
    site.answers["GET", "/api/ticket/door/conflicts"] = (200, {"conflicts": [CONFLICT, unused], "total": 1_201})
    shown = text(browser.get(url(answering, "/door")))
    for told in (
        heading,
        "1,201",
        "스탠딩 7번",
        "used before",
        "&lt;i&gt;후문&lt;/i&gt;",
        "정문",
        "CL-77",
        f"/bookings/{SCANNER}",
        "스탠딩 8번",
    ):
        assert told in shown, told
    assert shown.count("sold after the scanner's list: whoever scanned decided") == 1


OWED = {
    "id": 4_711,
    "why": "twice",
    "amount_krw": 77_000,
    "at": "2026-11-20T19:12:00+09:00",
    "scanner": "<i>후문</i>",
    "first_at": "2026-11-20T19:02:00+09:00",
    "first_with": "정문",
    "ticket_id": SCANNER,
    "label": "스탠딩 7번",
    "grade": "GA",
    "performance_id": "p1",
    "order_id": SCANNER,
    "order_number": "CL-77",
}


def test_the_door_lists_what_is_to_be_given_back(answering: Any, browser: Any, site: Any) -> None:
    heading = "Money to give back"
    for silent in ((404, {"code": "not_found", "detail": "none"}), (200, {"payments": [], "total": 0, "total_krw": 0})):
        site.answers["GET", "/api/ticket/door/owed"] = silent
        response = browser.get(url(answering, "/door"))
        assert (response.status_code, heading in text(response)) == (200, False), "an older image does not know"
    others = [OWED | {"id": 5, "why": why, "first_at": None, "first_with": ""} for why in ("cancelled", "called_off")]
    site.answers["GET", "/api/ticket/door/owed"] = (200, {"payments": [OWED, *others], "total": 1_201, "total_krw": 92_477_000})
    shown = text(browser.get(url(answering, "/door")))
    for told in (heading, "₩92,477,000", "₩77,000", "paid twice", "&lt;i&gt;후문&lt;/i&gt;", "정문", "CL-77", f"/bookings/{SCANNER}"):
        assert told in shown, told
    for told in ("paid before Fri 20 Nov", "cancelled", "performance called off", "The last 3 of 1,201."):
        assert told in shown, told


def test_what_was_given_back_is_written_down(answering: Any, browser: Any, seller: Any, site: Any) -> None:
    results = [{"id": 4_711, "result": "given_back", "amount_krw": 77_000}, {"id": 5, "result": "not_owed", "amount_krw": 0}]
    site.answers["POST", "/api/ticket/door/given-back"] = (200, {"payments": results})
    answer = browser.post(url(answering, "/door/given-back"), {"payments": ["4711", "5", "4711", "x", "9" * 40]}, follow=True)
    sent = dict(zip(site.calls, site.bodies, strict=True))["POST", "/api/ticket/door/given-back"]
    assert json.loads(sent) == {"payments": [4_711, 5]}
    assert "₩77,000 was given back" in text(answer)
    assert "not to be given back any more" in text(answer)
    row = AuditRow.objects.get(action="system.door_give_back")
    assert (row.actor, row.details) == (seller, {"payments": [4_711], "amount_krw": 77_000})


def test_nothing_chosen_is_given_back(answering: Any, browser: Any, site: Any) -> None:
    asked = len(site.calls)
    answer = browser.post(url(answering, "/door/given-back"), {"payments": ["-1", ""]}, follow=True)
    assert "Choose what was given back." in text(answer)
    assert ("POST", "/api/ticket/door/given-back") not in site.calls[asked:]


def test_what_is_due_and_what_was_taken_at_the_door_is_shown_where_there_is_any(answering: Any, browser: Any, site: Any) -> None:
    pages = ("/door", "/performances")
    assert all("Taken at the door" not in text(browser.get(url(answering, page))) for page in pages), "an older image says nothing of it"
    rows = [row | {"due_krw": 120_000, "taken_at_door_krw": 77_000} for row in TALLIES["rows"]]
    site.answers["GET", "/api/ticket/tallies"] = (200, {"rows": rows})
    for page in pages:
        shown = text(browser.get(url(answering, page)))
        assert "Taken at the door" in shown
        assert "154,000" in shown
        assert "240,000" in shown
