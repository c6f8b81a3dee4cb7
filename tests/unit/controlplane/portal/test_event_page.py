"""The event page of a live booking system: description, poster, notices."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from controlplane.systems import services
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import text, url
from tests.unit.controlplane.portal.live_answers import EVENT

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_notice_that_another_tab_took_away_leaves_what_was_written(answering: Any, browser: Any, site: Any) -> None:
    site.answers["PATCH", "/api/event/notices/7"] = (404, {"code": "not_found", "detail": "This does not exist."})

    response = browser.post(url(answering, "/event/notices/7"), {"title": "Spät", "body": "lang geschrieben"})

    assert response.status_code == 422
    assert "was taken away meanwhile" in text(response)
    assert "lang geschrieben" in text(response)


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
