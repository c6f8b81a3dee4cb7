"""The admin console: who enters, what is shown, what its actions do."""

from __future__ import annotations

import pytest
from django.test import Client

from controlplane.accounts.models import Role, User
from controlplane.lib.models import AuditRow
from controlplane.pool.models import Image
from controlplane.systems import services
from controlplane.systems.archive_models import Archive
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, Operation, Revision
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import PASSWORD, client_of, deployed, person, without_static_files

pytestmark = pytest.mark.django_db

PLACES = [
    "overview/",
    "systems/bookingsystem/",
    "systems/operation/",
    "systems/revision/",
    "systems/archive/",
    "pool/image/",
    "accounts/user/",
    "lib/auditrow/",
]


@pytest.fixture(autouse=True)
def quiet(settings):
    without_static_files(settings)


@pytest.fixture
def root(db):
    return person("root@example.kr", role=Role.ADMIN)


@pytest.fixture
def admin(root):
    return client_of(root)


@pytest.fixture
def live(seller, runtime):
    return deployed(areas_requirement(), seller, runtime)


def test_what_is_live_and_not_well_stands_first_with_its_reason(admin, live):
    assert "Live, and not well" not in admin.get("/console/overview/").content.decode()
    message = "Container seat was killed by signal 9, 3 times in a row"
    BookingSystem.objects.filter(pk=live.pk).update(health="failed", health_message=message)

    page = admin.get("/console/overview/").content.decode()

    assert page.index("Live, and not well") < page.index(f"/console/systems/{live.pk}/") < page.index(message) < page.index("Running")
    assert "?state__exact=live&amp;health=failed" in page
    listed = admin.get("/console/systems/bookingsystem/?state__exact=live&health=failed").content.decode()
    assert f"/console/systems/{live.pk}/" in listed


def act(client, place, action, *rows):
    return client.post(f"/console/{place}", {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_opens_for_an_admin(admin, live, place):
    assert admin.get(f"/console/{place}").status_code == 200


@pytest.mark.parametrize("place", ["", *PLACES, "systems/bookingsystem/1/change/"])
def test_nobody_else_enters(seller, place):
    seller_browser = client_of(seller)
    assert seller_browser.get(f"/console/{place}", follow=True).status_code == 403
    led_away = Client().get(f"/console/{place}", follow=True)
    assert led_away.redirect_chain[-1][0].startswith("/login?next=")


def test_a_superuser_without_the_role_does_not_enter(db):
    user = person("odd@example.kr", is_superuser=True)
    assert client_of(user).get("/console/overview/", follow=True).status_code == 403


def test_there_is_no_second_login_page(db):
    assert Client().get("/console/login/?next=/console/pool/image/")["Location"] == "/login?next=%2Fconsole%2Fpool%2Fimage%2F"
    assert Client().get("/console/login/?next=https://elsewhere.example/")["Location"] == "/login?next=%2Fconsole%2F"


def test_an_admin_who_logs_in_comes_to_where_it_began(db):
    person("root@example.kr", role="admin")
    browser = Client()
    login = browser.get("/console/pool/image/", follow=True).redirect_chain[-1][0]
    landed = browser.post(login, {"username": "root@example.kr", "password": PASSWORD}, follow=True)
    assert landed.status_code == 200
    assert landed.redirect_chain[-1][0] == "/console/pool/image/"


@pytest.mark.parametrize(
    ("place", "model"),
    [
        ("systems/bookingsystem", BookingSystem),
        ("systems/operation", Operation),
        ("systems/revision", Revision),
        ("pool/image", Image),
        ("accounts/user", User),
        ("lib/auditrow", AuditRow),
    ],
)
def test_rows_are_read_only(admin, live, place, model):
    row = model.objects.first()
    assert admin.get(f"/console/{place}/{row.pk}/change/").status_code == 200
    assert admin.post(f"/console/{place}/{row.pk}/change/", {"title": "x", "role": "admin"}).status_code == 403
    assert admin.get(f"/console/{place}/add/").status_code == 403
    assert admin.get(f"/console/{place}/{row.pk}/delete/").status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


def test_a_revisions_manifests_are_shown_as_yaml(admin, live):
    page = admin.get(f"/console/systems/revision/{live.live_revision_id}/change/").content.decode()
    assert "kind: Namespace" in page
    assert f"name: {live.namespace}" in page
    assert "DEV_CLOVE_STANDIN_KEY" not in page


def test_a_list_of_revisions_reads_no_manifest(admin, live, django_assert_max_num_queries):
    with django_assert_max_num_queries(12) as captured:
        admin.get("/console/systems/revision/")
    assert not any('"manifests"' in query["sql"] for query in captured.captured_queries)


def test_systems_are_found_across_sellers(admin, live, runtime):
    other = person("other@example.kr")
    services.system_create(requirement=areas_requirement(title="다른 축제", slug="another"), acting_user=other)
    page = admin.get("/console/systems/bookingsystem/?q=other@example.kr").content.decode()
    assert "다른 축제" in page
    assert "강변 페스티벌" not in page
    page = admin.get("/console/systems/bookingsystem/?state__exact=live").content.decode()
    assert '<span class="state state--ready">Healthy</span>' in page
    assert "강변 페스티벌" in page
    assert "다른 축제" not in page


def test_a_failure_is_on_the_operations_page_and_can_be_tried_again(admin, seller, runtime):
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    assert "강변 페스티벌" in admin.get("/console/overview/").content.decode()
    runtime.will_fail(system.namespace, "seat", message="out of luck")
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    assert "out of luck" in admin.get("/console/overview/").content.decode()

    assert "trying again" in act(admin, "systems/bookingsystem/", "retry", system).content.decode()
    assert "Nothing failed that could be tried again." in act(admin, "systems/bookingsystem/", "retry", system).content.decode()
    assert system.operations.count() == 2


def test_a_system_is_suspended_and_resumed_and_what_makes_no_sense_is_said(admin, live, runtime):
    assert "not suspended" in act(admin, "systems/bookingsystem/", "resume", live).content.decode()
    assert "suspending" in act(admin, "systems/bookingsystem/", "suspend", live).content.decode()
    assert "Resume it first" in act(admin, "systems/bookingsystem/", "suspend", live).content.decode()
    assert "resuming" in act(admin, "systems/bookingsystem/", "resume", live).content.decode()
    assert [operation.kind for operation in live.operations.all()[:2]] == ["resume", "suspend"]


def test_images_are_switched_off_and_on_with_a_trace(admin, seller, root):
    image = Image.objects.get(name="be-auth")
    assert "1 image changed." in act(admin, "pool/image/", "disable", image).content.decode()
    assert "0 images changed." in act(admin, "pool/image/", "disable", image).content.decode()
    image.refresh_from_db()
    assert not image.enabled
    act(admin, "pool/image/", "enable", image)
    image.refresh_from_db()
    assert image.enabled
    assert [row.action for row in AuditRow.objects.filter(actor=root)] == ["image.enable", "image.disable"]


def test_a_user_is_locked_out_and_let_in_again(admin, seller):
    browser = client_of(seller)
    act(admin, "accounts/user/", "deactivate", seller)
    assert browser.get("/systems").status_code == 302
    act(admin, "accounts/user/", "activate", seller)
    seller.refresh_from_db()
    assert seller.is_active


def test_an_admin_does_not_take_their_own_way_in(admin, root):
    page = act(admin, "accounts/user/", "make_seller", root).content.decode()
    assert "changed by another admin" in page
    root.refresh_from_db()
    assert root.is_admin


def test_a_sellers_post_to_an_action_does_nothing(seller):
    browser = client_of(seller)
    assert act(browser, "accounts/user/", "make_admin", seller).status_code == 403
    seller.refresh_from_db()
    assert not seller.is_admin


def test_the_audit_trail_leads_from_a_system(admin, live):
    page = admin.get(f"/console/lib/auditrow/?subject=systems.bookingsystem&subject_id={live.pk}").content.decode()
    assert "system.create" in page


def test_archives_are_found_across_sellers_and_a_look_is_written_down(admin, live, root):
    operation = Operation.objects.create(system=live, kind=Operation.Kind.DELETE, generation=99)
    archive = Archive.objects.create(
        system=live,
        operation=operation,
        state=Archive.State.COMPLETE,
        completed_at=live.live_at,
        kept_until=live.live_at,
        counts={"ticket/orders": 1},
        summaries={"ticket": {"orders": 7, "captured_krw": 462000, "refunded_krw": 66000}},
        settlement={"lines": []},
    )
    listed = admin.get(f"/console/systems/archive/?q={live.seller.email}").content.decode()
    shown = admin.get(f"/console/systems/archive/{archive.pk}/change/").content.decode()

    for page in (listed, shown):
        assert "₩462,000" in page
        assert "₩66,000" in page
    assert f"/systems/{live.pk}/archive/ticket/orders.xlsx" in shown
    assert [row.action for row in AuditRow.objects.filter(actor=root, subject_id=str(live.pk))] == ["archive.look"]
    assert admin.post(f"/console/systems/archive/{archive.pk}/delete/", {"post": "yes"}).status_code == 403
    archive.state = Archive.State.RUNNING
    archive.save()
    assert "₩462,000" not in admin.get("/console/systems/archive/").content.decode()
