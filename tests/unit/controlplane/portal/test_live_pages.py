"""What all pages that ask a live booking system have in common: who sees them, and what a service that is away costs."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.systems import services
from controlplane.systems.models import Desired
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import text, url
from tests.unit.controlplane.portal.live_answers import SCANNER

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = [
    "/event",
    "/performances",
    "/performances/p1/cancellation",
    "/performances/p2/cancellation",
    "/settlement",
    "/settlement.csv",
    "/door",
]


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


@pytest.mark.parametrize("what", ["/event/description", "/event/poster", "/event/notices", f"/door/{SCANNER}/revoke"])
def test_what_changes_something_takes_no_get(answering: Any, browser: Any, what: str) -> None:
    assert browser.get(url(answering, what)).status_code == 405


def test_a_deleted_system_is_asked_nothing(answering: Any, browser: Any, site: Any) -> None:
    type(answering).objects.filter(pk=answering.pk).update(desired_state=Desired.DELETED, state="deleted", slug=None)
    before = len(site.calls)

    assert browser.get(url(answering, "/event")).status_code == 409
    assert len(site.calls) == before


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


@pytest.mark.parametrize("what", ["/event", "/performances", "/settlement", "/door"])
def test_a_service_that_has_nothing_yet_is_told_and_nothing_breaks(answering: Any, browser: Any, site: Any, what: str) -> None:
    for method, path in list(site.answers):
        site.answers[method, path] = (404, {"code": "no_content", "detail": "Nothing has been published here yet."})

    response = browser.get(url(answering, what))

    assert (response.status_code, "Nothing has been published here yet." in text(response)) == (404, True)
