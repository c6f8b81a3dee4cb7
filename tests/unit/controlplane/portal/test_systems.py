"""A seller's booking systems: who sees and changes them, the list."""

from __future__ import annotations

import pytest

from controlplane.accounts.models import Role
from controlplane.systems import services
from controlplane.systems.models import BookingSystem, State
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import client_of, person, text, url

pytestmark = pytest.mark.django_db

PAGES = ["", "/progress", "/sales", "/attendees", "/history", "/delete", "/qr.svg", "/revisions/1"]


@pytest.mark.parametrize("what", PAGES)
def test_the_owner_and_an_admin_see_every_page(live, browser, what):
    admin = client_of(person("root@example.kr", role=Role.ADMIN))
    expected = {"/attendees": (200, 503)}.get(what, (200,))
    assert browser.get(url(live, what)).status_code in expected
    assert admin.get(url(live, what)).status_code in expected


@pytest.mark.parametrize("what", PAGES)
def test_another_sellers_system_is_not_there(live, other, what):
    assert other.get(url(live, what)).status_code == 404
    assert other.get(f"/systems/999999{what}").status_code == 404


@pytest.mark.parametrize("what", ["/edit", "/retry", "/delete", "/revisions/1/rollback"])
def test_another_seller_changes_nothing(live, other, what):
    assert other.post(url(live, what), {"typed_name": live.title}).status_code == 404
    live.refresh_from_db()
    assert live.generation == 1


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "-1", "1.5", "x"])
def test_an_impossible_number_is_not_there(browser, number):
    assert browser.get(f"/systems/{number}").status_code == 404


def test_the_list_has_ones_own_systems_with_state_and_address(live, browser, other):
    page = text(browser.get("/systems"))
    assert "강변 페스티벌" in page
    assert "Live" in page
    assert live.public_url in page
    assert "강변 페스티벌" not in text(other.get("/systems"))


def test_an_admins_dashboard_holds_their_own_systems_only(live):
    assert "강변 페스티벌" not in text(client_of(person("root@example.kr", role=Role.ADMIN)).get("/systems"))


def test_the_qr_code_leads_to_the_buyer_site(live, browser):
    response = browser.get(url(live, "/qr.svg"))
    assert response["Content-Type"] == "image/svg+xml"
    assert response.content.startswith(b"<?xml")


def test_pages_take_a_bounded_number_of_queries(live, browser, seller, django_assert_max_num_queries):
    for number in range(12):
        services.system_create(requirement=areas_requirement(slug=f"s{number}"), acting_user=seller)
    with django_assert_max_num_queries(9):
        browser.get("/systems")
    with django_assert_max_num_queries(10):
        browser.get(url(live))
    BookingSystem.objects.update(state=State.LIVE, live_revision=live.live_revision)
    with django_assert_max_num_queries(6):
        browser.get("/")


def test_long_lists_are_paged(browser, seller, live):
    for number in range(25):
        services.system_create(requirement=areas_requirement(slug=f"s{number}", title=f"Nr {number}."), acting_user=seller)
    first, second = (text(browser.get("/systems", {"page": page})) for page in ("1", "2"))
    assert ("Nr 24." in first, "Nr 24." in second, "Nr 0." in first, "Nr 0." in second) == (True, False, False, True)
    assert 'href="?page=2"' in first
    assert browser.get("/systems", {"page": "x"}).status_code == 200

    BookingSystem.objects.update(state=State.LIVE, live_revision=live.live_revision)
    events = text(browser.get("/", {"q": "강변"}))
    assert "1 / 2" in events
    assert "26 events found" in events
