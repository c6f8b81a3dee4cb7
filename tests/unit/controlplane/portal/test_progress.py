"""What a seller's booking system is doing, and how it is: steps, failures, services, data and backups."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from controlplane.rendering.adjustments import Autoscale
from controlplane.runtime.errors import QuotaFull
from controlplane.runtime.port import Backup
from controlplane.systems import operating, services
from controlplane.systems.converge import converge
from controlplane.systems.models import State
from tests.controlplane import UNMEASURED, areas_requirement
from tests.unit.controlplane.pages import text, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(seller, runtime):
    """A booking system whose seat service never starts."""
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    runtime.will_fail(system.namespace, "seat", message="It ended with exit code 1.")
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    assert system.state == State.FAILED
    return system


def test_a_deployment_is_shown_step_by_step_until_the_address_appears(seller, browser, runtime):
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    before = text(browser.get(url(system)))
    assert "Choose service images" in before
    assert "step--waiting" in before
    assert "Your ticketing site is open at" not in before
    assert browser.get(url(system, "/progress")).json()["busy"]

    for _ in range(3):
        converge(system.pk, runtime=runtime)

    answer = browser.get(url(system, "/progress")).json()
    assert not answer["busy"]
    assert system.public_url in answer["parts"]["address"]
    assert "step--waiting" not in answer["parts"]["steps"]
    assert answer["announcement"] == "강변 페스티벌 is open for buyers."
    assert "Healthy" in answer["parts"]["services"]


def test_progress_that_has_not_moved_costs_an_empty_answer(live, browser):
    first = browser.get(url(live, "/progress"))
    again = browser.get(url(live, "/progress"), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]


def test_progress_has_another_tag_in_another_language_and_after_a_move(live, browser, seller):
    tags = {browser.get(url(live, "/progress"), headers={"Accept-Language": language})["ETag"] for language in ("en", "ko")}
    services.system_update(system=live, requirement=areas_requirement(title="neu"), acting_user=seller)
    tags.add(browser.get(url(live, "/progress"))["ETag"])
    assert len(tags) == 3


def test_a_failure_is_told_in_plain_words_with_what_to_do(failed, browser):
    page = text(browser.get(url(failed)))
    assert "The Seats service does not start: It ended with exit code 1." in page
    assert "Try again" in page
    assert f'action="/systems/{failed.pk}/edit"' in page
    assert "The Seats service does not start" in text(browser.get("/systems"))
    korean = text(browser.get(url(failed), headers={"Accept-Language": "ko"}))
    assert "좌석 서비스가 시작되지 않습니다" in korean


def test_trying_again_starts_one_operation_and_then_there_is_nothing_to_try(failed, browser):
    assert browser.post(url(failed, "/retry"))["Location"] == url(failed)
    assert failed.operations.count() == 2
    response = browser.post(url(failed, "/retry"), follow=True)
    assert "Nothing failed that could be tried again." in text(response)
    assert failed.operations.count() == 2


def test_the_poll_is_small(live, browser):
    assert len(json.dumps(browser.get(url(live, "/progress")).json())) < 20_000


def test_a_service_that_fails_later_is_seen_on_the_page(live, browser, runtime):
    assert "Failing" not in text(browser.get(url(live)))
    runtime.will_fail(live.namespace, "seat", message="It ended with exit code 137.")
    converge(live.pk, runtime=runtime)
    page = text(browser.get(url(live)))
    assert "Failing" in page
    assert "It ended with exit code 137." in page


def test_an_autoscaler_that_does_nothing_is_told_beside_its_service(live, browser, runtime, seller, settings):
    settings.RUNTIME, settings.BOOKING_DATABASE = "fake", "mariadb"
    operating.system_scale(system=live, service="web", autoscale=Autoscale(1, 3, 70), acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    assert "scale by itself" not in text(browser.get(url(live)))
    runtime.autoscaler_says(live.namespace, "web", UNMEASURED)
    converge(live.pk, runtime=runtime)

    assert "It does not scale by itself, for nothing measures what it uses (FailedGetResourceMetric)" in text(browser.get(url(live)))
    korean = text(browser.get(url(live), headers={"Accept-Language": "ko"}))
    assert "자동으로 늘거나 줄지 않습니다. 사용량을 재는 것이 없습니다 (FailedGetResourceMetric)" in korean


def test_who_could_not_be_resumed_is_not_said_to_sell(live, browser, seller, runtime):
    operating.system_suspend(system=live, acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    runtime.raises("preview", QuotaFull("no room"))
    operating.system_resume(system=live, acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)

    page = text(browser.get(url(live)))

    assert "no room" in page
    assert "goes on selling" not in page


def test_a_seller_reads_that_the_data_are_gone_and_what_happens_next(live, browser, runtime):
    converge(live.pk, runtime=runtime)
    runtime.delete(live.ref)
    converge(live.pk, runtime=runtime)

    page = text(browser.get(url(live)))

    assert "Data gone" in page
    assert "seat-data" in page
    assert "decide how it goes on" in page
    assert "address-card" not in page
    assert "/edit" not in page
    assert "Its data are gone" in json.loads(browser.get(url(live, "/progress")).content)["announcement"]
    attendees = text(browser.get(url(live, "/attendees")))
    assert "not there any more" in attendees
    assert "Nothing is lost" not in attendees
    assert browser.post(url(live, "/resume")).status_code == 302
    live.refresh_from_db()
    assert live.state == State.DATA_GONE


def test_a_seller_reads_when_the_last_backup_was_made_and_why_one_failed(live, browser, runtime):
    runtime.backs_up(live.namespace, Backup("2026-11-20T19:00:00Z", "2026-11-21T19:00:30Z", "The volume for the backups is full."))
    converge(live.pk, runtime=runtime)
    page = text(browser.get(url(live)))
    assert "The backup of Sun 22 Nov 2026, 04:00 failed." in page
    assert "The volume for the backups is full." in page
    assert "Last backup: Sat 21 Nov 2026, 04:00" in page
    before = browser.get(url(live, "/progress"))["ETag"]

    runtime.backs_up(live.namespace, Backup(timezone.now().isoformat()))
    converge(live.pk, runtime=runtime)

    assert browser.get(url(live, "/progress"))["ETag"] != before
    page = text(browser.get(url(live)))
    assert "Last backup: " in page
    assert "failed" not in page.partition("Last backup")[0].rpartition("services-title")[2]
