"""What was sold, and who booked."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from controlplane.portal.figures import figures
from controlplane.systems import services
from controlplane.systems.selectors import SalesSummary
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import text, url

pytestmark = pytest.mark.django_db


def sold(site):
    site.answers["GET", "/api/ticket/summary"] = (
        200,
        {"orders": 2, "tickets": 3, "captured_krw": 198000, "refunded_krw": 66000, "due_krw": 0, "by_performance": []},
    )
    site.answers["GET", "/api/seat/summary"] = (200, {"performances": [{"id": "p1", "free": 295, "held": 2, "sold": 3, "blocked": 0}]})


def test_sales_are_shown_with_performances(live, browser, site):
    sold(site)
    page = text(browser.get(url(live, "/sales")))
    assert "₩132,000" in page
    assert "Tue 10 Jan 2090, 19:30" in page
    assert "295" in page
    short = text(browser.get(url(live, "/sales") + "?short"))
    assert "300" in short


def test_sales_of_a_system_that_does_not_answer_are_said_to_be_away(live, browser, site):
    site.answers["GET", "/api/ticket/summary"] = (503, {})
    site.answers["GET", "/api/seat/summary"] = (500, {"code": "broken"})
    response = browser.get(url(live, "/sales"))
    assert response.status_code == 200
    assert "Figures are not available right now" in text(response)


def test_figures_bear_answers_of_any_shape():
    shown = figures(SalesSummary(ticket={"tickets": "x"}, seat={"performances": [{"id": "gone", "sold": None}]}), [])
    assert (shown.tickets, shown.performances[0].percent, shown.performances[0].starts_at) == (0, 0, "gone")


BOOKED = {
    "attendees": [
        {
            "ticket_id": "t1",
            "order_number": "CL-1",
            "buyer_name": "<b>김서연</b>",
            "buyer_phone": "010-1234-5678",
            "performance_id": "p1",
            "label": "스탠딩 12번",
            "grade": "GA",
            "price_krw": 66000,
            "status": "LIVE",
            "due_krw": 66000,
        },
        {"ticket_id": "t2", "order_number": "CL-2", "buyer_name": "이도윤", "performance_id": "gone", "status": "CANCELLED"},
    ],
    "total": 120,
    "page": 2,
    "pages": 3,
}


def test_who_booked_is_listed_searched_and_paged(live, browser, site):
    site.answers["GET", "/api/ticket/attendees"] = (200, BOOKED)
    results = browser.post(url(live, "/attendees"), {"q": " 김 ", "performance": "p1"})["Location"]
    page = text(browser.get(f"{results}&page=2"))
    assert "&lt;b&gt;김서연&lt;/b&gt;" in page
    assert "CL-1" in page
    assert "cancelled" in page
    assert "due at the door" in page
    assert "2 / 3" in page
    assert "page=3" in page
    assert 'value="김"' in page


def test_no_address_has_what_was_searched_for(live, browser, site):
    site.answers["GET", "/api/ticket/attendees"] = (200, BOOKED)
    results = browser.post(url(live, "/attendees"), {"q": "01012345678"})["Location"]
    shown = browser.get(results).content.decode()
    assert 'value="01012345678"' in shown
    assert not [address for address in (results, *re.findall(r'href="([^"]*)"', shown)) if "01012345678" in address]


def test_the_list_as_a_file_is_of_what_was_searched_for(live, browser, site):
    site.answers["GET", "/api/ticket/attendees"] = (200, BOOKED)
    site.answers["GET", "/api/ticket/attendees.csv"] = lambda address: (200, parse_qs(urlsplit(address).query))
    shown = browser.get(browser.post(url(live, "/attendees"), {"q": "김", "performance": "p1"})["Location"]).content.decode()
    (file,) = re.findall(r'href="([^"]*attendees\.csv[^"]*)"', shown)
    assert json.loads(b"".join(browser.get(html.unescape(file)).streaming_content)) == {"q": ["김"], "performance": ["p1"]}


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"page": "9" * 30}, {"s": "x" * 5000}, {"s": "김"}, {"performance": "'"}])
def test_odd_searches_are_no_error(live, browser, site, query):
    site.answers["GET", "/api/ticket/attendees"] = (200, {"attendees": [], "total": 0, "page": 1, "pages": 1})
    response = browser.get(url(live, "/attendees"), query)
    assert response.status_code == 200


def test_more_is_not_searched_for_than_the_field_takes(live, browser, site):
    site.answers["GET", "/api/ticket/attendees"] = (200, {"attendees": [], "total": 0, "page": 1, "pages": 1})
    shown = text(browser.get(browser.post(url(live, "/attendees"), {"q": "x" * 5000})["Location"]))
    assert f'value="{"x" * 100}"' in shown


def test_a_silent_ticket_service_is_told_and_nothing_breaks(live, browser, site):
    site.answers["GET", "/api/ticket/attendees"] = (503, {})
    response = browser.get(url(live, "/attendees"))
    assert response.status_code == 503
    assert "does not answer just now" in text(response)


def test_who_booked_is_told_by_the_times_that_are_live(live, browser, site, seller):
    moved = [{"id": "p1", "starts_at": "2090-02-11T15:00:00+09:00"}]
    services.system_update(system=live, requirement=areas_requirement(performances=moved), acting_user=seller)
    row = {"buyer_name": "김서연", "performance_id": "p1", "price_krw": 66000, "status": "LIVE"}
    site.answers["GET", "/api/ticket/attendees"] = (200, {"attendees": [row], "total": 1, "page": 1, "pages": 1})

    page = text(browser.get(url(live, "/attendees")))

    assert "10 Jan 2090" in page
    assert "11 Feb 2090" not in page


def test_beyond_the_last_page_nobody_says_that_nobody_booked(live, browser, site):
    site.answers["GET", "/api/ticket/attendees"] = (200, {"attendees": [], "total": 3, "page": 2, "pages": 1})
    assert "Nobody has booked yet" not in text(browser.get(url(live, "/attendees?page=2")))
