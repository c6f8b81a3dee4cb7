"""The performances of a live booking system: what is sold, and calling one off."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from tests.unit.controlplane.pages import text, url
from tests.unit.controlplane.portal.live_answers import PROGRESS

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_performance_can_be_called_off_for_a_day_after_it_began(answering: Any, browser: Any) -> None:
    link = f"/systems/{answering.pk}/performances/p1/cancellation"
    shown = {}
    for moment in ("2090-01-10T19:00", "2090-01-10T21:00", "2090-01-11T20:00"):
        with time_machine.travel(f"{moment}:00+09:00", tick=False):
            browser.force_login(answering.seller, backend="django.contrib.auth.backends.ModelBackend")
            page = text(browser.get(url(answering, "/performances")))
            shown[moment[:13]] = (link in page, "has begun" in page)
    assert shown == {"2090-01-10T19": (True, False), "2090-01-10T21": (True, True), "2090-01-11T20": (False, False)}
