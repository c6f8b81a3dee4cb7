"""Concessions on the portal's pages: the live edit, the overview, the review."""

from __future__ import annotations

import re
from typing import Any

import pytest

from controlplane.portal import drafts
from controlplane.systems import services
from controlplane.systems.concessions import concessions_edit, concessions_of
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import deployed, text, url
from tests.unit.controlplane.portal.live_answers import EVENT, SETTLEMENT, TALLIES, TERMS
from tests.unit.controlplane.portal.test_bookings import BOOKING, ORDER

pytestmark = pytest.mark.django_db(transaction=True)

YOUTH = {"id": "youth", "name": "청소년 <b>", "percent": 30, "proof": "학생증"}
GROUP = {"id": "group", "name": "단체", "off_krw": 5000, "grades": ["GA"], "performances": ["p1"], "at_least": 3}
ROW = {"concessions.a1.name": "경로", "concessions.a1.discount": "50", "concessions.a1.unit": "percent"}


@pytest.fixture
def live(seller: Any, runtime: Any, site: Any) -> Any:
    site.answers["GET", "/api/event/"] = (200, EVENT)
    return deployed(areas_requirement(concessions=[YOUTH, GROUP]), seller, runtime)


@pytest.fixture
def address(live: Any) -> str:
    return url(live, "/event/concessions")


def seen_in(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found
    return found[1]


def posted(page: str) -> dict[str, str]:
    """What a browser would send of the rows in PAGE; boxes that are not ticked left out."""
    rows = page.split("<template", maxsplit=1)[0]
    found = {}
    for tag in re.findall(r"<input[^>]*>", rows):
        named = re.search(r'name="(concessions\.[^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if named and ('type="checkbox"' not in tag or "checked" in tag):
            found[named[1]] = (value[1] if value else "").replace("&lt;", "<").replace("&gt;", ">")
    for name, select in re.findall(r'<select[^>]*?name="(concessions\.[^"]+)"[^>]*>(.*?)</select>', rows, re.S):
        chosen = re.search(r'value="([^"]*)" selected', select)
        assert chosen
        found[name] = chosen[1]
    return found


def test_the_owner_sees_them_another_seller_does_not_and_a_stranger_logs_in(address: str, browser: Any, other: Any, client: Any) -> None:
    page = browser.get(address)
    assert page.status_code == 200
    assert "청소년 &lt;b&gt;" in text(page)
    for method in ("get", "post"):
        assert getattr(other, method)(address).status_code == 404
        assert getattr(client, method)(address).status_code == 302


def test_before_it_ever_went_live_there_is_nothing_to_change(seller: Any, browser: Any) -> None:
    draft = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=False)

    assert browser.get(url(draft, "/event/concessions")).status_code == 409


def test_the_page_sent_as_it_is_changes_nothing(live: Any, address: str, browser: Any) -> None:
    page = text(browser.get(address))

    answer = browser.post(address, {**posted(page), "seen": seen_in(page), "action": "save"})

    assert answer.status_code == 302
    assert concessions_of(live) == [YOUTH, GROUP]


def test_what_is_published_buyers_see_at_once(live: Any, address: str, browser: Any, site: Any) -> None:
    answer = browser.post(address, ROW | {"action": "save", "seen": seen_in(text(browser.get(address)))})

    assert answer.status_code == 302
    assert [each["name"] for each in site.content["ticket"]["concessions"]] == ["경로"]
    assert "Saved. Buyers see it now." in text(browser.get(address))


def test_taking_all_away_is_publishing_none(live: Any, address: str, browser: Any, site: Any) -> None:
    assert browser.post(address, {"action": "save"}).status_code == 302
    assert site.content["ticket"]["concessions"] == []
    assert "None: everybody pays the full price." in text(browser.get(url(live, "/event")))


def test_what_is_wrong_stands_at_its_input_and_stays_typed(live: Any, address: str, browser: Any) -> None:
    answer = browser.post(address, ROW | {"concessions.a1.discount": "150", "concessions.a1.at_least": "9", "action": "save"})

    page = text(answer)
    assert answer.status_code == 422
    assert 'id="concessions.a1.discount-error"' in page
    assert 'id="concessions.a1.at_least-error"' in page
    assert 'value="150"' in page
    assert concessions_of(live) == [YOUTH, GROUP]


def test_what_another_tab_published_is_not_overwritten_unseen(live: Any, address: str, browser: Any, seller: Any) -> None:
    seen = seen_in(text(browser.get(address)))
    concessions_edit(system=live, concessions=[YOUTH], acting_user=seller)

    answer = browser.post(address, ROW | {"action": "save", "seen": seen})

    assert answer.status_code == 422
    assert "It was changed meanwhile" in text(answer)
    assert concessions_of(live) == [YOUTH]
    again = browser.post(address, ROW | {"action": "save", "seen": seen_in(text(answer))})
    assert again.status_code == 302
    assert [each["name"] for each in concessions_of(live)] == ["경로"]


def test_a_refusal_of_the_service_is_told_and_what_was_typed_stays(live: Any, address: str, browser: Any, site: Any) -> None:
    site.answers["PUT", "/api/ticket/content"] = (409, {"code": "busy", "detail": "Not just now."})

    answer = browser.post(address, ROW | {"action": "save"})

    assert answer.status_code == 422
    assert "Not just now." in text(answer)
    assert 'value="경로"' in text(answer)


def test_rows_come_and_go_without_a_script(address: str, browser: Any) -> None:
    def rows(action: str) -> list[str]:
        page = text(browser.post(address, ROW | {"action": action})).split("<template")[0]
        return re.findall(r'id="concessions\.[^.]+\.name"[^>]*value="([^"]*)"', page.replace("\n", " "))

    assert rows("add:concessions") == ["경로", ""]
    assert rows("remove:concessions:a1") == []
    assert rows("preset:youth") == ["경로", "Youth"]
    assert rows("preset:nonsense") == ["경로"]


def test_the_overview_and_the_event_page_show_them(live: Any, browser: Any, seller: Any) -> None:
    for what in ("", "/event"):
        page = text(browser.get(url(live, what)))
        assert "청소년 &lt;b&gt;" in page
        assert "₩5,000 off · only grade GA · only on 2090-01-10 19:30 · from 3 tickets of a booking" in page
    concessions_edit(system=live, concessions=[], acting_user=seller)
    assert "청소년" not in text(browser.get(url(live, "")))


def test_a_draft_adds_rows_and_its_review_shows_them(live: Any, browser: Any, seller: Any) -> None:
    draft = drafts.draft_of_system(user=seller, system=live)
    form = drafts.form_of(draft)
    form.rows["concessions"][0].values["discount"] = "40"
    drafts.draft_save(draft=draft, form=form, version=draft.version)

    page = text(browser.get(f"/drafts/{draft.pk}/review"))

    assert "Concession 청소년 &lt;b&gt;" in page
    assert "30 % off" in page
    assert "40 % off" in page
    assert 'id="concessions"' in text(browser.get(f"/drafts/{draft.pk}"))


def test_a_draft_takes_over_what_was_edited_live_unless_it_was_touched(live: Any, browser: Any, seller: Any) -> None:
    draft = drafts.draft_of_system(user=seller, system=live)
    concessions_edit(system=live, concessions=[YOUTH | {"percent": 10}, GROUP], acting_user=seller)
    followed = drafts.draft_for(seller, draft.pk)
    rows = drafts.form_of(followed).rows["concessions"]
    assert [row["discount"] for row in rows] == ["10", "5000"]

    form = drafts.form_of(followed)
    form.rows["concessions"][0].values["discount"] = "15"
    drafts.draft_save(draft=followed, form=form, version=followed.version)
    concessions_edit(system=live, concessions=[], acting_user=seller)
    assert [row["discount"] for row in drafts.form_of(drafts.draft_for(seller, draft.pk)).rows["concessions"]] == ["15", "5000"]


# --- What was sold ---


def test_the_settlement_has_a_line_for_each_concession_and_none_of_an_older_image(live: Any, browser: Any, site: Any) -> None:
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT)
    assert '<th scope="col">Concession</th>' not in text(browser.get(url(live, "/settlement")))
    assert "Concession" not in text(browser.get(url(live, "/settlement.csv")))

    line = SETTLEMENT["lines"][0] | {"grade": "GA"}
    lines = [
        line | {"concession": ""},
        line | {"concession": "=청소년", "sold_krw": 46_200, "sold": 1, "given_back": 0, "given_back_krw": 0},
    ]
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"lines": lines})
    page, table = text(browser.get(url(live, "/settlement"))), text(browser.get(url(live, "/settlement.csv")))
    assert re.search(r"Full price.*=청소년.*₩46,200", page, re.S)
    assert "Performance,Grade,Concession,Sold" in table
    assert "2090-01-10 19:30,GA,Full price,3,198000,1,66000,2,132000" in table
    assert "2090-01-10 19:30,GA,'=청소년,1,46200,0,0,1,46200" in table


def test_performances_show_what_was_sold_at_which(live: Any, browser: Any, site: Any) -> None:
    site.answers["GET", "/api/ticket/terms"] = (200, TERMS)
    site.answers["GET", "/api/ticket/tallies"] = (200, TALLIES)
    assert "Full price" not in text(browser.get(url(live, "/performances")))

    row = TALLIES["rows"][0]
    site.answers["GET", "/api/ticket/tallies"] = (
        200,
        {"rows": [row | {"concession": ""}, row | {"concession": "청소년 <b>", "tickets": 7}]},
    )
    page = text(browser.get(url(live, "/performances")))
    assert re.search(r"Full price.*1,200.*청소년 &lt;b&gt;.*7.*1,207", page, re.S)


def test_who_booked_and_the_booking_say_at_which_concession_and_what_is_shown_for_it(live: Any, browser: Any, site: Any) -> None:
    ticket = {"concession": "청소년 <b>", "list_price_krw": 66_000, "price_krw": 46_200}
    attendee = {"order_id": ORDER, "order_number": "T-1", "performance_id": "p1", "label": "1", "grade": "GA", "status": "LIVE"}
    rows = [attendee | ticket, attendee | {"price_krw": 66_000}]
    site.answers["GET", "/api/ticket/attendees"] = (200, {"attendees": rows, "total": 2, "page": 1, "pages": 1})
    listed = text(browser.get(url(live, "/attendees")))
    assert (listed.count("청소년 &lt;b&gt;"), "<b>" in listed) == (1, False)

    tickets = [BOOKING["tickets"][0] | ticket | {"proof": "학생증 <i>"}, BOOKING["tickets"][1]]
    site.answers["GET", f"/api/ticket/bookings/{ORDER}"] = (200, BOOKING | {"tickets": tickets})
    page = text(browser.get(url(live, f"/bookings/{ORDER}")))
    assert "청소년 &lt;b&gt;" in page
    assert "학생증 &lt;i&gt;" in page
    assert re.search(r"<s [^>]*>.*₩66,000</s>\s*<span class=\"num\">₩46,200", page, re.S)
    assert page.count("<s ") == 1, "an older image says nothing of it"


def test_an_edit_in_the_history_tells_what_changed(live: Any, browser: Any, seller: Any) -> None:
    operation = concessions_edit(system=live, concessions=[YOUTH | {"percent": 45}, GROUP], acting_user=seller)

    page = text(browser.get(url(live, f"/operations/{operation.pk}")))

    assert "Concession 청소년 &lt;b&gt;" in page
    assert "30 % off" in page
    assert "45 % off" in page
    assert "단체" not in page
