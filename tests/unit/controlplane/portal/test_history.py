"""The revisions and operations of a booking system: compared, brought back."""

from __future__ import annotations

import json

import pytest

from controlplane.runtime.errors import Rejected
from controlplane.systems import rollouts, services
from controlplane.systems.converge import converge
from controlplane.systems.models import Operation
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import text, url

pytestmark = pytest.mark.django_db


def updated(live, seller, runtime):
    services.system_update(system=live, requirement=areas_requirement(payment="none", title="neu"), acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    live.refresh_from_db()
    assert live.live_revision.number == 2


def test_revisions_and_operations_are_listed(live, browser, seller, runtime):
    updated(live, seller, runtime)
    page = text(browser.get(url(live, "/history")))
    assert "Revision 2" in page
    assert "Bring back" in page
    assert "Update" in page
    assert "Succeeded" in page


@pytest.mark.parametrize(("language", "held", "running"), [("en", "Held", "Running"), ("ko", "멈춤", "진행 중")])
def test_a_change_that_is_held_is_called_so_wherever_it_is_shown(live, browser, seller, language, held, running):
    operation = services.system_update(system=live, requirement=areas_requirement(title="Another"), acting_user=seller)
    pages = ["/history", f"/operations/{operation.pk}", ""]
    badges = {True: f'<span class="badge badge--warn">{held}</span>', False: f'<span class="badge badge--work">{running}</span>'}

    def shown(is_held):
        texts = [text(browser.get(url(live, page), headers={"Accept-Language": language})) for page in pages]
        return [badges[is_held] in shown and badges[not is_held] not in shown for shown in texts]

    assert shown(False) == [True, True, True]
    rollouts.rollout_pause(system=live, acting_user=seller)
    assert shown(True) == [True, True, True]
    progress = browser.get(url(live, "/progress"), headers={"Accept-Language": language})
    assert held in json.dumps(progress.json(), ensure_ascii=False)
    rollouts.rollout_resume(system=live, acting_user=seller)
    assert shown(False) == [True, True, True]


def test_two_revisions_are_compared_in_a_sellers_words(live, browser, seller, runtime):
    updated(live, seller, runtime)
    page = text(browser.get(url(live, "/revisions/2")))
    assert "What changed from revision 1 to 2" in page
    assert "KakaoPay" in page
    assert "No payment" in page
    assert "clove/be-ticket-no-kakao" in page
    backwards = text(browser.get(url(live, "/revisions/1") + "?against=2"))
    assert "What changed from revision 2 to 1" in backwards


def test_a_revision_says_what_bringing_it_back_would_change_in_what_runs(live, browser, seller, runtime):
    updated(live, seller, runtime)
    page = text(browser.get(url(live, "/revisions/1")))
    assert "Bringing it back" in page
    assert "objects would be taken" in page
    assert "Bringing it back" not in text(browser.get(url(live, "/revisions/2")))
    runtime.raises("preview", Rejected("the image is not there"), namespace=live.namespace)
    assert "the image is not there" in text(browser.get(url(live, "/revisions/1")))


@pytest.mark.parametrize("against", ["99", "x", "-1", "1" * 30])
def test_comparing_with_nothing_shows_the_revision_itself(live, browser, against):
    page = text(browser.get(url(live, "/revisions/1"), {"against": against}))
    assert "What it consists of" in page


def test_a_revision_is_brought_back_by_a_post(live, browser, seller, runtime):
    updated(live, seller, runtime)
    assert browser.get(url(live, "/revisions/1/rollback")).status_code == 405
    assert browser.post(url(live, "/revisions/1/rollback"))["Location"] == url(live)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    live.refresh_from_db()
    assert live.live_revision.number == 3
    assert "Roll back" in text(browser.get(url(live, "/history")))


@pytest.mark.parametrize("number", ["9", "0"])
def test_a_revision_that_is_not_there_is_not_brought_back(live, browser, number):
    assert browser.post(url(live, f"/revisions/{number}/rollback")).status_code == 404


def test_an_operation_of_the_past_has_its_steps(live, browser):
    operation = Operation.objects.get()
    page = text(browser.get(url(live, f"/operations/{operation.pk}")))
    assert "Try to hold a seat" in page
    assert browser.get(url(live, "/operations/999")).status_code == 404
