"""The pages that ask a live booking system: its event page, performances, settlement and door."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from controlplane.systems import services
from controlplane.systems.models import Desired
from tests.controlplane import areas_requirement

pytestmark = pytest.mark.django_db(transaction=True)

SCANNER = "0190b3a4-0000-7000-8000-000000000001"
EVENT = {
    "title": "강변 페스티벌",
    "description": "이틀 <b>",
    "poster": {"url": "/api/event/poster/abc", "width": 600, "height": 800},
    "notices": [
        {"id": "3", "title": "주차 안내", "body": "없음", "pinned": True, "created_at": "2026-11-20T10:00:00+09:00", "updated_at": ""}
    ],
    "updated_at": "2026-11-20T10:00:00+09:00",
}
TERMS = {
    "policy": {},
    "performances": [
        {"id": "p1", "starts_at": "2090-01-10T19:30:00+09:00", "until": "2090-01-10T19:30:00+09:00", "is_called_off": False},
        {"id": "p2", "starts_at": "2090-01-11T19:30:00+09:00", "until": "2090-01-11T19:30:00+09:00", "is_called_off": True},
    ],
}
TALLIES = {
    "rows": [
        {"performance_id": "p1", "grade": "GA", "tickets": 1200, "price_krw": 79_200_000, "arrived": 300},
        {"performance_id": "p1", "grade": "VIP", "tickets": 10, "price_krw": 1_000_000, "arrived": 0},
    ]
}
PROGRESS = {
    "performance_id": "p2",
    "cancelled_at": "2026-11-20T10:00:00+09:00",
    "compensation_percent": 10,
    "orders_left": 2,
    "refunds_open": 1,
    "refunded_krw": 132_000,
    "compensation_krw": 13_200,
}
SETTLEMENT = {
    "as_of": "2026-11-20T10:00:00+09:00",
    "sales_close_at": "2090-01-10T18:30:00+09:00",
    "is_final": False,
    "lines": [{"performance_id": "p1", "grade": "=GA", "sold": 3, "sold_krw": 198_000, "given_back": 1, "given_back_krw": 66_000}],
    "captured_krw": 198_000,
    "refunded_krw": 59_400,
    "fees_krw": 6_600,
    "kept_krw": 138_600,
    "compensation_krw": 0,
}
PAGES = [
    "/event",
    "/performances",
    "/performances/p1/cancellation",
    "/performances/p2/cancellation",
    "/settlement",
    "/settlement.csv",
    "/door",
]


@pytest.fixture
def answering(live: Any, site: Any) -> Any:
    """A live system whose services have something to say."""
    site.answers |= {
        ("GET", "/api/event/"): (200, EVENT),
        ("GET", "/api/ticket/terms"): (200, TERMS),
        ("GET", "/api/ticket/tallies"): (200, TALLIES),
        ("GET", "/api/ticket/settlement"): (200, SETTLEMENT),
        ("GET", "/api/ticket/performances/p2/cancellation"): (200, PROGRESS),
        ("GET", "/api/ticket/scanners"): (200, {"scanners": [_scanner()]}),
        ("GET", "/api/ticket/door/conflicts"): (200, {"conflicts": [], "total": 0}),
    }
    return live


def _scanner(**more: str) -> dict[str, str]:
    return {"id": SCANNER, "name": "정문", "expires_at": "2026-11-22T10:00:00+09:00", **more}


def url(system: Any, what: str) -> str:
    return f"/systems/{system.pk}{what}"


def text(response: Any) -> str:
    return response.content.decode()


@pytest.mark.parametrize("what", PAGES)
def test_the_owner_sees_it_another_seller_does_not_and_a_stranger_logs_in(
    answering: Any, browser: Any, other: Any, client: Any, what: str
) -> None:
    assert browser.get(url(answering, what)).status_code == 200
    assert other.get(url(answering, what)).status_code == 404
    assert client.get(url(answering, what)).status_code == 302


@pytest.mark.parametrize("what", PAGES)
def test_a_service_that_does_not_answer_is_told_and_nothing_breaks(answering: Any, browser: Any, site: Any, what: str) -> None:
    for key in list(site.answers):
        site.answers[key] = (503, {})

    response = browser.get(url(answering, what))

    assert response.status_code == 503
    assert "does not answer right now" in text(response)


@pytest.mark.parametrize("what", PAGES)
def test_before_it_ever_went_live_there_is_nobody_to_ask(seller: Any, browser: Any, what: str) -> None:
    draft = services.system_create(requirement=areas_requirement(), acting_user=seller)

    response = browser.get(url(draft, what))

    assert response.status_code == 409
    assert "It was never deployed." in text(response)


# --- The event page ---


def test_the_event_page_shows_what_buyers_see(answering: Any, browser: Any) -> None:
    page = text(browser.get(url(answering, "/event")))

    assert "이틀 &lt;b&gt;" in page
    assert "주차 안내" in page
    assert f"/systems/{answering.pk}/event/poster/image" in page


def test_a_description_is_published_at_once(answering: Any, browser: Any, site: Any) -> None:
    response = browser.post(url(answering, "/event/description"), {"description": "우천 시에도"})

    assert response.status_code == 302
    assert site.content["event"]["description"] == "우천 시에도"


def test_a_bad_description_stays_typed_with_the_reason_beside_it(answering: Any, browser: Any) -> None:
    response = browser.post(url(answering, "/event/description"), {"description": "x" * 10_001})

    assert response.status_code == 422
    assert "At most 10000 characters" in text(response)
    assert "x" * 10_001 in text(response)


def test_an_edit_while_a_change_runs_keeps_what_was_typed(answering: Any, browser: Any, seller: Any) -> None:
    services.system_update(system=answering, requirement=areas_requirement(title="neu"), acting_user=seller)

    response = browser.post(url(answering, "/event/description"), {"description": "우천 시에도"})

    assert response.status_code == 422
    assert "It is being changed just now." in text(response)
    assert "우천 시에도" in text(response)


def test_a_poster_goes_up_and_comes_as_buyers_get_it(answering: Any, browser: Any, site: Any) -> None:
    site.answers["PUT", "/api/event/poster"] = (200, {"url": "/api/event/poster/abc", "width": 1, "height": 1})
    site.answers["GET", "/api/event/poster/abc"] = (200, b"picture")

    response = browser.post(url(answering, "/event/poster"), {"poster": SimpleUploadedFile("p.png", b"picture")})
    image = browser.get(url(answering, "/event/poster/image"))

    assert response.status_code == 302
    assert b"picture" in site.bodies
    assert (image.status_code, image.content) == (200, b"picture")
    assert "sandbox" in image["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("file", "words"),
    [(None, "Choose a picture."), (b"", "Choose a picture."), (b"x" * (4 * 1024 * 1024 + 1), "larger than 4 MB"), (b"text", "no picture")],
)
def test_a_bad_poster_is_refused_beside_the_field(answering: Any, browser: Any, site: Any, file: bytes | None, words: str) -> None:
    site.answers["PUT", "/api/event/poster"] = (422, {"code": "not_a_picture", "errors": {"body": ["This is no picture."]}})
    data = {} if file is None else {"poster": SimpleUploadedFile("p.png", file)}

    response = browser.post(url(answering, "/event/poster"), data)

    assert response.status_code == 422
    assert words in text(response)


def test_the_public_list_shows_the_poster_from_the_events_own_site(answering: Any, browser: Any, site: Any) -> None:
    site.answers["PUT", "/api/event/poster"] = (200, {"url": "/api/event/poster/abc", "width": 600, "height": 800})
    browser.post(url(answering, "/event/poster"), {"poster": SimpleUploadedFile("p.png", b"picture")})

    listed = Client().get("/")

    assert f'src="{answering.public_url}/api/event/poster/abc"' in text(listed)
    assert 'width="600"' in text(listed)
    assert 'loading="lazy"' in text(listed)
    policy = dict(directive.split(" ", 1) for directive in listed["Content-Security-Policy"].split("; "))
    assert policy["img-src"].rstrip(";").split() == ["'self'", "data:", answering.public_url]

    browser.post(url(answering, "/event/poster"), {"remove": "yes"})
    assert "<img" not in text(Client().get("/"))
    assert answering.public_url not in Client().get("/")["Content-Security-Policy"]


def test_a_poster_that_was_put_past_the_control_plane_is_listed_once_it_is_seen(answering: Any, browser: Any, site: Any) -> None:
    site.answers["GET", "/api/event/poster/abc"] = (200, b"picture")
    assert "<img" not in text(Client().get("/"))

    browser.get(url(answering, "/event/poster/image"))
    assert "/api/event/poster/abc" in text(Client().get("/"))

    site.answers["GET", "/api/event/"] = (200, EVENT | {"poster": None})
    browser.get(url(answering, "/event"))
    assert "<img" not in text(Client().get("/"))


def test_a_heavy_poster_is_not_listed_and_the_organiser_is_told(answering: Any, browser: Any, site: Any) -> None:
    site.answers["PUT", "/api/event/poster"] = (200, {"url": "/api/event/poster/abc", "width": 600, "height": 800})
    browser.post(url(answering, "/event/poster"), {"poster": SimpleUploadedFile("p.png", b"x" * 512_001)})

    assert "<img" not in text(Client().get("/"))
    assert "larger than 500 KB" in text(browser.get(url(answering, "/event")))


def test_a_poster_is_taken_away(answering: Any, browser: Any, site: Any) -> None:
    assert browser.post(url(answering, "/event/poster"), {"remove": "yes"}).status_code == 302
    assert ("DELETE", "/api/event/poster") in site.calls


def test_notices_are_added_changed_and_removed(answering: Any, browser: Any, site: Any) -> None:
    typed = {"title": "안내", "body": "둘째 줄\r\n", "pinned": "yes"}

    assert browser.post(url(answering, "/event/notices"), typed).status_code == 302
    assert browser.post(url(answering, "/event/notices/3"), typed).status_code == 302
    assert browser.post(url(answering, "/event/notices/3"), {"remove": "yes"}).status_code == 302

    written = [call for call in site.calls if call[0] != "GET" and "notices" in call[1]]
    assert written == [("POST", "/api/event/notices"), ("PATCH", "/api/event/notices/3"), ("DELETE", "/api/event/notices/3")]


@pytest.mark.parametrize(("method", "what"), [("POST", "/event/notices"), ("PATCH", "/event/notices/3")])
def test_a_bad_notice_keeps_what_was_typed(answering: Any, browser: Any, site: Any, method: str, what: str) -> None:
    site.answers[method, f"/api{what}"] = (422, {"code": "invalid", "errors": {"title": ["This field is required."]}})

    response = browser.post(url(answering, what), {"title": "", "body": "bleibt"})

    assert response.status_code == 422
    assert "This field is required." in text(response)
    assert "bleibt" in text(response)


# --- Performances ---


def test_sales_are_shown_by_performance_and_grade(answering: Any, browser: Any) -> None:
    page = text(browser.get(url(answering, "/performances")))

    assert "1,210" in page
    assert "₩79,200,000" in page
    assert "called off" in page
    # After the redirect browsers keep the fragment: the draft opens where performances are.
    assert f'action="{url(answering, "/edit")}#performances"' in page


def test_calling_off_shows_how_many_tickets_and_how_much_money(answering: Any, browser: Any) -> None:
    page = text(browser.get(url(answering, "/performances/p1/cancellation")))

    assert "1,210" in page
    assert "₩80,200,000" in page
    assert "2090-01-10 19:30" in page


def test_without_the_exact_name_nothing_is_called_off(answering: Any, browser: Any, site: Any) -> None:
    for typed in ("", "2090-01-10", "2090-01-11 19:30", "p1"):
        response = browser.post(url(answering, "/performances/p1/cancellation"), {"typed_name": typed})
        assert response.status_code == 409
        assert "nothing was called off" in text(response)
    assert not [call for call in site.calls if call[0] == "POST" and "cancellation" in call[1]]


def test_with_the_name_it_is_called_off(answering: Any, browser: Any, site: Any) -> None:
    site.answers["POST", "/api/ticket/performances/p1/cancellation"] = (200, PROGRESS | {"performance_id": "p1"})

    response = browser.post(url(answering, "/performances/p1/cancellation"), {"typed_name": " 2090-01-10  19:30 "})

    assert response.status_code == 302
    assert site.calls[-1] == ("POST", "/api/ticket/performances/p1/cancellation")


def test_the_refunds_are_followed_until_everybody_has_their_money(answering: Any, browser: Any, site: Any) -> None:
    first = browser.get(url(answering, "/performances/p2/cancellation/progress"))
    site.answers["GET", "/api/ticket/performances/p2/cancellation"] = (200, PROGRESS | {"orders_left": 0, "refunds_open": 0})
    second = browser.get(url(answering, "/performances/p2/cancellation/progress"))

    assert (first["X-Over"], second["X-Over"]) == ("no", "yes")
    assert "Everybody has their money back" in text(second)
    assert "Everybody has their money back" in text(browser.get(url(answering, "/performances/p2/cancellation")))


def test_an_unknown_performance_is_not_there(answering: Any, browser: Any) -> None:
    assert browser.get(url(answering, "/performances/p9/cancellation")).status_code == 404


# --- Papers ---


def test_the_settlement_is_marked_until_it_is_final(answering: Any, browser: Any, site: Any) -> None:
    before = text(browser.get(url(answering, "/settlement")))
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"is_final": True})
    after = text(browser.get(url(answering, "/settlement")))

    assert "provisional" in before
    assert "₩138,600" in before
    assert "provisional" not in after
    assert "final" in after


def test_the_settlement_names_who_sells(answering: Any, browser: Any) -> None:
    assert f"Organiser: {answering.seller.name}" in text(browser.get(url(answering, "/settlement")))
    wanted = answering.requirement
    wanted.data["organiser"] = {"name": "강변문화재단", "registration": "123-45-67890"}
    type(wanted).objects.filter(pk=wanted.pk).update(data=wanted.data)
    assert "Organiser: 강변문화재단 · 123-45-67890" in text(browser.get(url(answering, "/settlement")))


def test_what_moves_after_the_close_is_told_apart_from_the_statement(answering: Any, browser: Any, site: Any) -> None:
    late = {"captured_krw": 0, "refunded_krw": 66_000, "fees_krw": 0, "compensation_krw": 0}
    assert "After sales closed" not in text(browser.get(url(answering, "/settlement")))

    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"is_final": True, "after_close": late})

    assert "After sales closed" in text(browser.get(url(answering, "/settlement")))
    table = text(browser.get(url(answering, "/settlement.csv")))
    assert table.splitlines()[-2:] == ["After sales closed", "Refunded,66000"]


def test_the_settlement_as_a_table_holds_no_formula(answering: Any, browser: Any) -> None:
    response = browser.get(url(answering, "/settlement.csv"))

    assert response["Content-Disposition"] == 'attachment; filename="settlement-river.csv"'
    rows = text(response).removeprefix("\ufeff").splitlines()
    assert "2090-01-10 19:30,'=GA,3,198000,1,66000,2,132000" in rows
    assert "Kept,138600" in rows


def test_the_settlement_has_the_venues_clock_whichever_zone_was_typed(answering: Any, browser: Any) -> None:
    wanted = answering.requirement
    wanted.data["performances"][0]["starts_at"] = "2090-01-10T10:30:00+00:00"
    type(wanted).objects.filter(pk=wanted.pk).update(data=wanted.data)

    assert "Tue 10 Jan 2090, 19:30" in text(browser.get(url(answering, "/settlement")))
    assert "2090-01-10 19:30,'=GA" in text(browser.get(url(answering, "/settlement.csv")))


def test_the_settlement_says_that_merchandise_is_not_in_it(answering: Any, browser: Any) -> None:
    assert "on its own page" not in text(browser.get(url(answering, "/settlement")))
    wanted = answering.requirement
    type(wanted).objects.filter(pk=wanted.pk).update(summary=wanted.summary | {"merchandise": True})
    assert f'<a href="/systems/{answering.pk}/shop">on its own page</a>' in text(browser.get(url(answering, "/settlement")))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_attendees_are_passed_on_as_the_service_writes_them(answering: Any, browser: Any, site: Any, kind: str) -> None:
    site.answers["GET", f"/api/ticket/attendees.{kind}"] = (200, b"rows")

    response = browser.get(url(answering, f"/attendees.{kind}"))

    assert b"".join(response.streaming_content) == b"rows"
    assert response["Content-Disposition"] == f'attachment; filename="attendees-river.{kind}"'
    assert browser.get(url(answering, "/attendees.pdf")).status_code == 404


# --- The door ---


def test_a_link_is_made_and_shown_once(answering: Any, browser: Any, site: Any) -> None:
    site.answers["POST", "/api/ticket/scanners"] = (201, _scanner(key="geheim"))

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
    site.answers["POST", "/api/ticket/scanners"] = (201, _scanner(key="geheim"))

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
    unused = CONFLICT | {"kind": "cancelled", "label": "스탠딩 8번", "first_at": None, "first_with": ""}
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


@pytest.mark.parametrize("what", ["/event/description", "/event/poster", "/event/notices", f"/door/{SCANNER}/revoke"])
def test_what_changes_something_takes_no_get(answering: Any, browser: Any, what: str) -> None:
    assert browser.get(url(answering, what)).status_code == 405


def test_a_deleted_system_is_asked_nothing(answering: Any, browser: Any, site: Any) -> None:
    type(answering).objects.filter(pk=answering.pk).update(desired_state=Desired.DELETED, state="deleted", slug=None)
    before = len(site.calls)

    assert browser.get(url(answering, "/event")).status_code == 409
    assert len(site.calls) == before


# --- What was typed stays ---


@pytest.mark.parametrize(
    ("what", "silent", "typed"),
    [
        ("/event/description", ("PUT", "/api/event/content"), {"description": "우천 시에도 열립니다. " * 5}),
        ("/event/notices", ("POST", "/api/event/notices"), {"title": "안내", "body": "주차장은 저녁에 닫힙니다. " * 5, "pinned": "yes"}),
        ("/door", ("POST", "/api/ticket/scanners"), {"name": "정문 두 번째 줄"}),
    ],
)
def test_what_was_typed_for_a_service_that_does_not_answer_can_be_sent_again(
    answering: Any, browser: Any, site: Any, what: str, silent: tuple[str, str], typed: dict[str, str]
) -> None:
    site.answers[silent] = (503, {})

    response = browser.post(url(answering, what), typed)

    assert response.status_code == 503
    assert [text for text in typed.values() if text not in response.content.decode()] == []
    assert "csrfmiddlewaretoken" in text(response)


def test_a_notice_that_another_tab_took_away_leaves_what_was_written(answering: Any, browser: Any, site: Any) -> None:
    site.answers["PATCH", "/api/event/notices/7"] = (404, {"code": "not_found", "detail": "This does not exist."})

    response = browser.post(url(answering, "/event/notices/7"), {"title": "Spät", "body": "lang geschrieben"})

    assert response.status_code == 422
    assert "was taken away meanwhile" in text(response)
    assert "lang geschrieben" in text(response)


@pytest.mark.parametrize("what", ["/event", "/performances", "/settlement", "/door"])
def test_a_service_that_has_nothing_yet_is_told_and_nothing_breaks(answering: Any, browser: Any, site: Any, what: str) -> None:
    for method, path in list(site.answers):
        site.answers[method, path] = (404, {"code": "no_content", "detail": "Nothing has been published here yet."})

    response = browser.get(url(answering, what))

    assert (response.status_code, "Nothing has been published here yet." in text(response)) == (404, True)


def test_a_performance_can_be_called_off_for_a_day_after_it_began(answering: Any, browser: Any) -> None:
    link = f"/systems/{answering.pk}/performances/p1/cancellation"
    shown = {}
    for moment in ("2090-01-10T19:00", "2090-01-10T21:00", "2090-01-11T20:00"):
        with time_machine.travel(f"{moment}:00+09:00", tick=False):
            browser.force_login(answering.seller, backend="django.contrib.auth.backends.ModelBackend")
            page = text(browser.get(url(answering, "/performances")))
            shown[moment[:13]] = (link in page, "has begun" in page)
    assert shown == {"2090-01-10T19": (True, False), "2090-01-10T21": (True, True), "2090-01-11T20": (False, False)}


def seen_on(page: str, form: str) -> str:
    """What the form that is sent to FORM says that it was filled in for."""
    found = re.search(f'action="[^"]*{form}".*?name="seen" value="([^"]*)"', page, re.DOTALL)
    assert found
    return found[1]


def test_two_tabs_do_not_replace_each_others_description_unseen(answering: Any, browser: Any, site: Any) -> None:
    seen = seen_on(text(browser.get(url(answering, "/event"))), "/event/description")
    site.answers["GET", "/api/event/"] = (200, EVENT | {"description": "aus dem anderen Tab"})

    refused = browser.post(url(answering, "/event/description"), {"description": "우천 시에도", "seen": seen})

    assert (refused.status_code, "perhaps in another tab" in text(refused), "우천 시에도" in text(refused)) == (422, True, True)
    assert site.content["event"]["description"] != "우천 시에도"
    again = {"description": "우천 시에도", "seen": seen_on(text(refused), "/event/description")}
    assert browser.post(url(answering, "/event/description"), again).status_code == 302
    assert site.content["event"]["description"] == "우천 시에도"


def test_two_tabs_do_not_replace_each_others_notice_unseen(answering: Any, browser: Any, site: Any) -> None:
    typed = {"title": "안내", "body": "둘째 줄", "seen": seen_on(text(browser.get(url(answering, "/event"))), "/event/notices/3")}
    changed = EVENT["notices"][0] | {"body": "aus dem anderen Tab", "updated_at": "2026-11-20T11:00:00+09:00"}  # type: ignore[index]
    site.answers["GET", "/api/event/"] = (200, EVENT | {"notices": [changed]})

    refused = browser.post(url(answering, "/event/notices/3"), typed)

    assert (refused.status_code, "perhaps in another tab" in text(refused), "둘째 줄" in text(refused)) == (422, True, True)
    assert ("PATCH", "/api/event/notices/3") not in site.calls
    again = typed | {"seen": seen_on(text(refused), "/event/notices/3")}
    assert browser.post(url(answering, "/event/notices/3"), again).status_code == 302


def test_money_that_is_on_its_way_back_is_told_apart_from_what_is_kept(answering: Any, browser: Any, site: Any) -> None:
    assert "on its way back" not in text(browser.get(url(answering, "/settlement")))
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"returning_krw": 45_670})

    for what in ("/settlement", "/settlement.csv"):
        page = text(browser.get(url(answering, what)))
        assert "of which on its way back to buyers" in page
        assert "45,670" in page or "45670" in page


def test_what_was_cancelled_at_the_payment_provider_is_told_with_its_booking(answering: Any, browser: Any, site: Any) -> None:
    order = "0198a3c0-0000-7000-8000-000000000001"
    outside = [{"order_id": order, "number": "T7K3MQ2", "amount_krw": 12_345, "at": "2026-11-20T10:00:00+09:00"}]
    told = {"outside_krw": 12_345, "uncovered_krw": 2_345, "outside": outside}
    assert "not here" not in text(browser.get(url(answering, "/settlement")))
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | told)

    page = text(browser.get(url(answering, "/settlement")))
    assert "of which cancelled at the payment provider, not here" in page
    assert f'<a href="{url(answering, f"/bookings/{order}")}">T7K3MQ2</a>' in page
    assert "of that for tickets still valid,2345" in text(browser.get(url(answering, "/settlement.csv")))


def test_an_event_without_payment_has_a_statement_too(answering: Any, browser: Any, site: Any) -> None:
    none = dict.fromkeys(("captured_krw", "refunded_krw", "fees_krw", "kept_krw"), 0)
    late = {"captured_krw": 0, "refunded_krw": 0, "fees_krw": 0, "compensation_krw": 0, "due_krw": -66_000, "given_back": 1}
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | none | {"is_final": True, "due_krw": 132_000, "after_close": late})
    page = text(browser.get(url(answering, "/settlement")))
    assert "Nothing was booked" not in page
    assert "₩132,000" in page
    assert "₩-66,000" in page
    assert "Tickets returned" in page


def test_sales_after_a_final_statement_are_told_apart(answering: Any, browser: Any, site: Any) -> None:
    assert "Sales after that" not in text(browser.get(url(answering, "/settlement")))
    later = SETTLEMENT | {"since": SETTLEMENT["as_of"], "lines": [], "captured_krw": 12_345}
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"is_final": True, "later": [later]})
    page = text(browser.get(url(answering, "/settlement")))
    before, after = page.split("Sales after that")
    assert ("final" in before, "provisional" in before, "provisional" in after) == (True, False, True)
    assert ("₩12,345" in before, "₩12,345" in after) == (False, True)
