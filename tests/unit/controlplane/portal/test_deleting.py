"""Deleting a booking system, and resuming one that rests."""

from __future__ import annotations

import unicodedata

import pytest

from controlplane.accounts.models import Role
from controlplane.systems import operating, services
from controlplane.systems.converge import converge
from controlplane.systems.models import State
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import client_of, person, text, url

pytestmark = pytest.mark.django_db


def test_deleting_asks_for_the_name(live, browser):
    response = browser.post(url(live, "/delete"), {"typed_name": "another"})
    assert response.status_code == 409
    assert "The name typed is not 강변 페스티벌." in text(response)
    assert 'value="another"' in text(response)
    live.refresh_from_db()
    assert live.state == State.LIVE


@pytest.mark.parametrize("typed", ["강변 페스티벌", "river", "  river "])
def test_the_title_or_the_address_is_the_name(live, browser, runtime, typed):
    assert browser.post(url(live, "/delete"), {"typed_name": typed})["Location"] == url(live)
    assert browser.get(url(live, "/progress")).json()["busy"]
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    live.refresh_from_db()
    assert live.state == State.DELETED
    page = text(browser.get("/systems"))
    assert f'href="/systems/{live.pk}"' not in page
    assert f'href="/systems/{live.pk}/archive"' in page
    assert browser.get(url(live)).status_code == 200
    assert browser.get(url(live, "/qr.svg")).status_code == 404


def test_deleting_is_refused_while_paid_tickets_stand(live, browser, site):
    site.answers["GET", "/api/ticket/open"] = (200, {"paid_tickets_for_coming": 3, "open_payments": 1})
    response = browser.post(url(live, "/delete"), {"typed_name": "river"})
    assert response.status_code == 409
    assert "3 paid tickets" in text(response)


def test_only_an_admin_may_delete_past_a_silent_ticket_service(live, browser, site):
    site.answers["GET", "/api/ticket/open"] = (503, {})
    refused = browser.post(url(live, "/delete"), {"typed_name": "river", "force": "yes"})
    assert refused.status_code == 409
    assert 'name="force"' not in text(refused)

    admin = client_of(person("root@example.kr", role=Role.ADMIN))
    offered = admin.post(url(live, "/delete"), {"typed_name": "river"})
    assert 'name="force"' in text(offered)
    assert admin.post(url(live, "/delete"), {"typed_name": "river", "force": "yes"}).status_code == 302


def test_deleting_twice_is_refused_the_second_time(live, browser):
    browser.post(url(live, "/delete"), {"typed_name": "river"})
    response = browser.post(url(live, "/delete"), {"typed_name": "river"})
    assert response.status_code == 409
    assert live.operations.filter(kind="delete").count() == 1


def test_a_draft_system_is_gone_at_once(seller, browser):
    system = services.system_create(requirement=areas_requirement(), acting_user=seller)
    assert browser.post(url(system, "/delete"), {"typed_name": "river"})["Location"] == "/systems"


def test_a_suspended_system_says_so_and_can_be_resumed(live, browser, other, seller, runtime):
    operating.system_suspend(system=live, acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    live.refresh_from_db()
    assert live.state == State.SUSPENDED

    refused = browser.post(url(live, "/delete"), {"typed_name": "river"})
    assert (refused.status_code, "Resume it first" in text(refused)) == (409, True)
    assert "Resume" in text(browser.get(url(live)))
    assert other.post(url(live, "/resume")).status_code == 404
    assert browser.post(url(live, "/resume"))["Location"] == url(live)
    assert browser.post(url(live, "/resume"), follow=True).status_code == 200
    assert live.operations.filter(kind="resume").count() == 1


@pytest.mark.parametrize("typed", ["작은  밤", "작은 밤", unicodedata.normalize("NFD", "작은 밤")])
def test_the_name_is_typed_as_it_is_read(seller, browser, typed):
    system = services.system_create(requirement=areas_requirement(title="작은  밤"), acting_user=seller)
    assert browser.post(url(system, "/delete"), {"typed_name": typed})["Location"] == "/systems"
