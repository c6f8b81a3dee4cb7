"""The public list, the language switch, and pages that are not there."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client

from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import deployed

pytestmark = pytest.mark.django_db


def get(path="/", language="en", **query):
    return Client(headers={"Accept-Language": language}).get(path, query)


def test_without_events_the_list_says_so():
    response = get()
    assert response.status_code == 200
    assert "No events on sale yet" in response.content.decode()


def test_a_live_event_is_on_the_list_with_its_own_site(live):
    page = get().content.decode()
    assert "강변 페스티벌" in page
    assert f'href="{live.public_url}/"' in page
    assert "난지공원" in page
    assert "₩66,000" in page
    assert "from ₩66,000" not in page, "there is one price"
    assert "On sale" in page


def test_a_draft_is_on_nobodys_list(seller, browser):
    browser.post("/systems/new", {"source": "blank"})
    assert "No events on sale yet" in get().content.decode()


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ({"q": "강변"}, True),
        ({"q": "페스티벌 난지"}, True),
        ({"q": "오페라"}, False),
        ({"field": "festival"}, True),
        ({"field": "musical"}, False),
        ({"field": "nonsense"}, False),
        ({"q": "%_'\"<script>"}, False),
        ({"q": "x" * 5000}, False),
    ],
)
def test_the_list_is_searched_by_words_and_field(live, query, is_found):
    response = get(**query)
    assert response.status_code == 200
    assert ("강변 페스티벌</a>" in response.content.decode()) == is_found
    assert "<script>" not in response.content.decode().split('value="')[1].split('"')[0]


def test_an_event_says_when_its_sales_are_over(live):
    with time_machine.travel("2090-01-10T18:45:00+09:00", tick=False):
        assert "Sales closed" in get().content.decode()


def test_the_browsers_language_decides_and_the_switch_sticks():
    assert "당신의 자리를 찾아보세요" in get(language="ko-KR,ko;q=0.9,en;q=0.5").content.decode()
    assert "Find your seat" in get(language="en-GB").content.decode()

    client = Client(headers={"Accept-Language": "ko"})
    response = client.post("/language", {"language": "en", "next": "/login?next=/systems"})

    assert response["Location"] == "/login?next=/systems"
    assert "Find your seat" in client.get("/").content.decode()
    assert client.cookies["clove_lang"].value == "en"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_the_switch_leads_nowhere_else(target):
    assert Client().post("/language", {"language": "ko", "next": target})["Location"] == "/"


def test_an_unknown_language_changes_nothing():
    client = Client()
    assert client.post("/language", {"language": "xx", "next": "/"}).status_code == 302
    assert "clove_lang" not in client.cookies


def test_what_is_not_there_is_a_page_of_ours():
    response = get("/no/such/page")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_an_address_that_only_takes_forms_says_so(client):
    response = client.get("/language", headers={"Accept": "text/html", "Accept-Language": "en"})
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert "Nothing was sent" in response.content.decode()

    for answer in (client.head("/language"), client.get("/language", headers={"Accept": "application/json"}), client.put("/language")):
        assert (answer.status_code, answer["Allow"], answer.content) == (405, "POST", b"")


def test_pages_allow_no_inline_script_and_no_frame():
    policy = get()["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_a_form_without_its_token_is_refused_in_words(seller):
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    response = client.post("/login", {"username": "seller@example.kr", "password": "pw"})
    assert response.status_code == 403
    assert "Please try again" in response.content.decode()


def test_what_is_over_stands_behind_what_is_still_to_come(seller, runtime):
    for slug, day in (("early", 10), ("late", 20)):
        performances = [{"id": "p1", "starts_at": f"2090-01-{day}T19:30:00+09:00"}]
        deployed(areas_requirement(slug=slug, title=slug, performances=performances), seller, runtime)

    def order():
        page = get().content.decode()
        return sorted(("early", "late"), key=lambda title: page.index(f"{title}</a>"))

    with time_machine.travel("2090-01-09T12:00:00+09:00", tick=False):
        assert order() == ["early", "late"]
    with time_machine.travel("2090-01-11T12:00:00+09:00", tick=False):
        assert order() == ["late", "early"]
