"""A seller's booking systems: the list, one of them, what it is doing, who booked, deleting."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from controlplane.accounts.models import Role
from controlplane.portal.figures import figures
from controlplane.rendering.adjustments import Autoscale
from controlplane.runtime.errors import QuotaFull, Rejected
from controlplane.runtime.port import Backup
from controlplane.systems import operating, rollouts, services
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, Operation, State
from controlplane.systems.selectors import SalesSummary
from tests.controlplane import UNMEASURED, areas_requirement
from tests.unit.controlplane.pages import client_of, person

pytestmark = pytest.mark.django_db

PAGES = ["", "/progress", "/sales", "/attendees", "/history", "/delete", "/qr.svg", "/revisions/1"]


def url(system, what=""):
    return f"/systems/{system.pk}{what}"


def page_of(response):
    return response.content.decode()


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
    page = page_of(browser.get("/systems"))
    assert "강변 페스티벌" in page
    assert "Live" in page
    assert live.public_url in page
    assert "강변 페스티벌" not in page_of(other.get("/systems"))


def test_an_admins_dashboard_holds_their_own_systems_only(live):
    assert "강변 페스티벌" not in page_of(client_of(person("root@example.kr", role=Role.ADMIN)).get("/systems"))


# --- What it is doing ---


def test_a_deployment_is_shown_step_by_step_until_the_address_appears(seller, browser, runtime):
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    before = page_of(browser.get(url(system)))
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
    page = page_of(browser.get(url(failed)))
    assert "The Seats service does not start: It ended with exit code 1." in page
    assert "Try again" in page
    assert f'action="/systems/{failed.pk}/edit"' in page
    assert "The Seats service does not start" in page_of(browser.get("/systems"))
    korean = page_of(browser.get(url(failed), headers={"Accept-Language": "ko"}))
    assert "좌석 서비스가 시작되지 않습니다" in korean


def test_trying_again_starts_one_operation_and_then_there_is_nothing_to_try(failed, browser):
    assert browser.post(url(failed, "/retry"))["Location"] == url(failed)
    assert failed.operations.count() == 2
    response = browser.post(url(failed, "/retry"), follow=True)
    assert "Nothing failed that could be tried again." in page_of(response)
    assert failed.operations.count() == 2


def test_the_qr_code_leads_to_the_buyer_site(live, browser):
    response = browser.get(url(live, "/qr.svg"))
    assert response["Content-Type"] == "image/svg+xml"
    assert response.content.startswith(b"<?xml")


# --- What was sold, who booked ---


def sold(site):
    site.answers["GET", "/api/ticket/summary"] = (
        200,
        {"orders": 2, "tickets": 3, "captured_krw": 198000, "refunded_krw": 66000, "due_krw": 0, "by_performance": []},
    )
    site.answers["GET", "/api/seat/summary"] = (200, {"performances": [{"id": "p1", "free": 295, "held": 2, "sold": 3, "blocked": 0}]})


def test_sales_are_shown_with_performances(live, browser, site):
    sold(site)
    page = page_of(browser.get(url(live, "/sales")))
    assert "₩132,000" in page
    assert "Tue 10 Jan 2090, 19:30" in page
    assert "295" in page
    short = page_of(browser.get(url(live, "/sales") + "?short"))
    assert "300" in short


def test_sales_of_a_system_that_does_not_answer_are_said_to_be_away(live, browser, site):
    site.answers["GET", "/api/ticket/summary"] = (503, {})
    site.answers["GET", "/api/seat/summary"] = (500, {"code": "broken"})
    response = browser.get(url(live, "/sales"))
    assert response.status_code == 200
    assert "Figures are not available right now" in page_of(response)


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
    page = page_of(browser.get(f"{results}&page=2"))
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
    shown = page_of(browser.get(browser.post(url(live, "/attendees"), {"q": "x" * 5000})["Location"]))
    assert f'value="{"x" * 100}"' in shown


def test_a_silent_ticket_service_is_told_and_nothing_breaks(live, browser, site):
    site.answers["GET", "/api/ticket/attendees"] = (503, {})
    response = browser.get(url(live, "/attendees"))
    assert response.status_code == 503
    assert "does not answer just now" in page_of(response)


# --- Deleting ---


def test_deleting_asks_for_the_name(live, browser):
    response = browser.post(url(live, "/delete"), {"typed_name": "another"})
    assert response.status_code == 409
    assert "The name typed is not 강변 페스티벌." in page_of(response)
    assert 'value="another"' in page_of(response)
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
    page = page_of(browser.get("/systems"))
    assert f'href="/systems/{live.pk}"' not in page
    assert f'href="/systems/{live.pk}/archive"' in page
    assert browser.get(url(live)).status_code == 200
    assert browser.get(url(live, "/qr.svg")).status_code == 404


def test_deleting_is_refused_while_paid_tickets_stand(live, browser, site):
    site.answers["GET", "/api/ticket/open"] = (200, {"paid_tickets_for_coming": 3, "open_payments": 1})
    response = browser.post(url(live, "/delete"), {"typed_name": "river"})
    assert response.status_code == 409
    assert "3 paid tickets" in page_of(response)


def test_only_an_admin_may_delete_past_a_silent_ticket_service(live, browser, site):
    site.answers["GET", "/api/ticket/open"] = (503, {})
    refused = browser.post(url(live, "/delete"), {"typed_name": "river", "force": "yes"})
    assert refused.status_code == 409
    assert 'name="force"' not in page_of(refused)

    admin = client_of(person("root@example.kr", role=Role.ADMIN))
    offered = admin.post(url(live, "/delete"), {"typed_name": "river"})
    assert 'name="force"' in page_of(offered)
    assert admin.post(url(live, "/delete"), {"typed_name": "river", "force": "yes"}).status_code == 302


def test_deleting_twice_is_refused_the_second_time(live, browser):
    browser.post(url(live, "/delete"), {"typed_name": "river"})
    response = browser.post(url(live, "/delete"), {"typed_name": "river"})
    assert response.status_code == 409
    assert live.operations.filter(kind="delete").count() == 1


def test_a_draft_system_is_gone_at_once(seller, browser):
    system = services.system_create(requirement=areas_requirement(), acting_user=seller)
    assert browser.post(url(system, "/delete"), {"typed_name": "river"})["Location"] == "/systems"


# --- History ---


def updated(live, seller, runtime):
    services.system_update(system=live, requirement=areas_requirement(payment="none", title="neu"), acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    live.refresh_from_db()
    assert live.live_revision.number == 2


def test_revisions_and_operations_are_listed(live, browser, seller, runtime):
    updated(live, seller, runtime)
    page = page_of(browser.get(url(live, "/history")))
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
        texts = [page_of(browser.get(url(live, page), headers={"Accept-Language": language})) for page in pages]
        return [badges[is_held] in text and badges[not is_held] not in text for text in texts]

    assert shown(False) == [True, True, True]
    rollouts.rollout_pause(system=live, acting_user=seller)
    assert shown(True) == [True, True, True]
    progress = browser.get(url(live, "/progress"), headers={"Accept-Language": language})
    assert held in json.dumps(progress.json(), ensure_ascii=False)
    rollouts.rollout_resume(system=live, acting_user=seller)
    assert shown(False) == [True, True, True]


def test_two_revisions_are_compared_in_a_sellers_words(live, browser, seller, runtime):
    updated(live, seller, runtime)
    page = page_of(browser.get(url(live, "/revisions/2")))
    assert "What changed from revision 1 to 2" in page
    assert "KakaoPay" in page
    assert "No payment" in page
    assert "clove/be-ticket-no-kakao" in page
    backwards = page_of(browser.get(url(live, "/revisions/1") + "?against=2"))
    assert "What changed from revision 2 to 1" in backwards


def test_a_revision_says_what_bringing_it_back_would_change_in_what_runs(live, browser, seller, runtime):
    updated(live, seller, runtime)
    page = page_of(browser.get(url(live, "/revisions/1")))
    assert "Bringing it back" in page
    assert "objects would be taken" in page
    assert "Bringing it back" not in page_of(browser.get(url(live, "/revisions/2")))
    runtime.raises("preview", Rejected("the image is not there"), namespace=live.namespace)
    assert "the image is not there" in page_of(browser.get(url(live, "/revisions/1")))


@pytest.mark.parametrize("against", ["99", "x", "-1", "1" * 30])
def test_comparing_with_nothing_shows_the_revision_itself(live, browser, against):
    page = page_of(browser.get(url(live, "/revisions/1"), {"against": against}))
    assert "What it consists of" in page


def test_a_revision_is_brought_back_by_a_post(live, browser, seller, runtime):
    updated(live, seller, runtime)
    assert browser.get(url(live, "/revisions/1/rollback")).status_code == 405
    assert browser.post(url(live, "/revisions/1/rollback"))["Location"] == url(live)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    live.refresh_from_db()
    assert live.live_revision.number == 3
    assert "Roll back" in page_of(browser.get(url(live, "/history")))


@pytest.mark.parametrize("number", ["9", "0"])
def test_a_revision_that_is_not_there_is_not_brought_back(live, browser, number):
    assert browser.post(url(live, f"/revisions/{number}/rollback")).status_code == 404


def test_an_operation_of_the_past_has_its_steps(live, browser):
    operation = Operation.objects.get()
    page = page_of(browser.get(url(live, f"/operations/{operation.pk}")))
    assert "Try to hold a seat" in page
    assert browser.get(url(live, "/operations/999")).status_code == 404


def test_the_poll_is_small(live, browser):
    assert len(json.dumps(browser.get(url(live, "/progress")).json())) < 20_000


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


def test_a_service_that_fails_later_is_seen_on_the_page(live, browser, runtime):
    assert "Failing" not in page_of(browser.get(url(live)))
    runtime.will_fail(live.namespace, "seat", message="It ended with exit code 137.")
    converge(live.pk, runtime=runtime)
    page = page_of(browser.get(url(live)))
    assert "Failing" in page
    assert "It ended with exit code 137." in page


def test_an_autoscaler_that_does_nothing_is_told_beside_its_service(live, browser, runtime, seller, settings):
    settings.RUNTIME, settings.BOOKING_DATABASE = "fake", "mariadb"
    operating.system_scale(system=live, service="web", autoscale=Autoscale(1, 3, 70), acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    assert "scale by itself" not in page_of(browser.get(url(live)))
    runtime.autoscaler_says(live.namespace, "web", UNMEASURED)
    converge(live.pk, runtime=runtime)

    assert "It does not scale by itself, for nothing measures what it uses (FailedGetResourceMetric)" in page_of(browser.get(url(live)))
    korean = page_of(browser.get(url(live), headers={"Accept-Language": "ko"}))
    assert "자동으로 늘거나 줄지 않습니다. 사용량을 재는 것이 없습니다 (FailedGetResourceMetric)" in korean


def test_long_lists_are_paged(browser, seller, live):
    for number in range(25):
        services.system_create(requirement=areas_requirement(slug=f"s{number}", title=f"Nr {number}."), acting_user=seller)
    first, second = (page_of(browser.get("/systems", {"page": page})) for page in ("1", "2"))
    assert ("Nr 24." in first, "Nr 24." in second, "Nr 0." in first, "Nr 0." in second) == (True, False, False, True)
    assert 'href="?page=2"' in first
    assert browser.get("/systems", {"page": "x"}).status_code == 200

    BookingSystem.objects.update(state=State.LIVE, live_revision=live.live_revision)
    events = page_of(browser.get("/", {"q": "강변"}))
    assert "1 / 2" in events
    assert "26 events found" in events


def test_who_booked_is_told_by_the_times_that_are_live(live, browser, site, seller):
    moved = [{"id": "p1", "starts_at": "2090-02-11T15:00:00+09:00"}]
    services.system_update(system=live, requirement=areas_requirement(performances=moved), acting_user=seller)
    row = {"buyer_name": "김서연", "performance_id": "p1", "price_krw": 66000, "status": "LIVE"}
    site.answers["GET", "/api/ticket/attendees"] = (200, {"attendees": [row], "total": 1, "page": 1, "pages": 1})

    page = page_of(browser.get(url(live, "/attendees")))

    assert "10 Jan 2090" in page
    assert "11 Feb 2090" not in page


def test_beyond_the_last_page_nobody_says_that_nobody_booked(live, browser, site):
    site.answers["GET", "/api/ticket/attendees"] = (200, {"attendees": [], "total": 3, "page": 2, "pages": 1})
    assert "Nobody has booked yet" not in page_of(browser.get(url(live, "/attendees?page=2")))


def test_a_suspended_system_says_so_and_can_be_resumed(live, browser, other, seller, runtime):
    operating.system_suspend(system=live, acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    live.refresh_from_db()
    assert live.state == State.SUSPENDED

    refused = browser.post(url(live, "/delete"), {"typed_name": "river"})
    assert (refused.status_code, "Resume it first" in page_of(refused)) == (409, True)
    assert "Resume" in page_of(browser.get(url(live)))
    assert other.post(url(live, "/resume")).status_code == 404
    assert browser.post(url(live, "/resume"))["Location"] == url(live)
    assert browser.post(url(live, "/resume"), follow=True).status_code == 200
    assert live.operations.filter(kind="resume").count() == 1


@pytest.mark.parametrize("typed", ["작은  밤", "작은 밤", unicodedata.normalize("NFD", "작은 밤")])
def test_the_name_is_typed_as_it_is_read(seller, browser, typed):
    system = services.system_create(requirement=areas_requirement(title="작은  밤"), acting_user=seller)
    assert browser.post(url(system, "/delete"), {"typed_name": typed})["Location"] == "/systems"


def test_who_could_not_be_resumed_is_not_said_to_sell(live, browser, seller, runtime):
    operating.system_suspend(system=live, acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    runtime.raises("preview", QuotaFull("no room"))
    operating.system_resume(system=live, acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)

    page = page_of(browser.get(url(live)))

    assert "no room" in page
    assert "goes on selling" not in page


def test_a_seller_reads_that_the_data_are_gone_and_what_happens_next(live, browser, runtime):
    converge(live.pk, runtime=runtime)
    runtime.delete(live.ref)
    converge(live.pk, runtime=runtime)

    page = page_of(browser.get(url(live)))

    assert "Data gone" in page
    assert "seat-data" in page
    assert "decide how it goes on" in page
    assert "address-card" not in page
    assert "/edit" not in page
    assert "Its data are gone" in json.loads(browser.get(url(live, "/progress")).content)["announcement"]
    attendees = page_of(browser.get(url(live, "/attendees")))
    assert "not there any more" in attendees
    assert "Nothing is lost" not in attendees
    assert browser.post(url(live, "/resume")).status_code == 302
    live.refresh_from_db()
    assert live.state == State.DATA_GONE


def test_a_seller_reads_when_the_last_backup_was_made_and_why_one_failed(live, browser, runtime):
    runtime.backs_up(live.namespace, Backup("2026-11-20T19:00:00Z", "2026-11-21T19:00:30Z", "The volume for the backups is full."))
    converge(live.pk, runtime=runtime)
    page = page_of(browser.get(url(live)))
    assert "The backup of Sun 22 Nov 2026, 04:00 failed." in page
    assert "The volume for the backups is full." in page
    assert "Last backup: Sat 21 Nov 2026, 04:00" in page
    before = browser.get(url(live, "/progress"))["ETag"]

    runtime.backs_up(live.namespace, Backup(timezone.now().isoformat()))
    converge(live.pk, runtime=runtime)

    assert browser.get(url(live, "/progress"))["ETag"] != before
    page = page_of(browser.get(url(live)))
    assert "Last backup: " in page
    assert "failed" not in page.partition("Last backup")[0].rpartition("services-title")[2]
