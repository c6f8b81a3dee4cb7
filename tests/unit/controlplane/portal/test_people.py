"""People of an event: the page, invitations and the way to them, and what pages hide from who may not do it."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.throttling import SimpleRateThrottle

from controlplane.accounts.models import Role, User
from controlplane.lib.models import AuditRow
from controlplane.portal import drafts
from controlplane.portal.models import RequirementDraft
from controlplane.systems import inviting, services
from controlplane.systems.converge import converge
from controlplane.systems.models import Invitation, MemberRole, Membership, Operation
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import PASSWORD, client_of, deployed, form_data, person
from tests.unit.controlplane.portal import live_answers
from tests.unit.controlplane.portal import test_bookings as bookings
from tests.unit.controlplane.portal import test_off_sale as off_sale
from tests.unit.controlplane.portal import test_presale as presale
from tests.unit.controlplane.portal import test_shop_and_archive as test_shop
from tests.unit.controlplane.portal import test_shop_orders as shop_orders
from tests.unit.controlplane.portal import test_waiting_room as waiting

pytestmark = pytest.mark.django_db

SIGN_UP = {"name": "손님", "email": "guest@example.kr", "password": PASSWORD, "phone": ""}


@pytest.fixture(autouse=True)
def uncounted():
    cache.clear()


def page_of(response):
    return response.content.decode()


def link_in(response):
    return re.search(r"http://testserver/invitation#[\w-]{40,}", page_of(response)).group()


def invited(browser, system, email="guest@example.kr", role="manager"):
    """The link that the owner is shown."""
    response = browser.post(f"/systems/{system.pk}/people", {"email": email, "role": role})
    assert response.status_code == 200
    return link_in(response)


def member(system, role, name="손님"):
    user = person(f"{role}@example.kr", name=name)
    Membership.objects.create(system=system, user=user, role=role)
    return client_of(user)


@pytest.fixture
def draft_system(seller):
    return services.system_create(requirement=areas_requirement(), acting_user=seller)


# --- From the invitation to the event ---


def test_an_invitation_leads_an_account_into_the_event(draft_system, browser):
    link = invited(browser, draft_system)
    assert link.partition("#")[2] not in page_of(browser.get(f"/systems/{draft_system.pk}/people"))
    guest = client_of(person("guest@example.kr", name="손님"))

    shown = guest.post("/invitation", {"link": link}, follow=True)
    assert shown.redirect_chain == [("/invitation", 302)]
    for words in ("강변 페스티벌", "판매자 invites you", "Manager", "Accept"):
        assert words in page_of(shown)
    assert not Membership.objects.exists()

    for _ in range(2):
        assert guest.post("/invitation/accept")["Location"] == f"/systems/{draft_system.pk}"
    assert Membership.objects.get().role == MemberRole.MANAGER
    listed = page_of(guest.get("/systems"))
    assert "Shared with you" in listed
    assert "An event of 판매자" in listed
    assert "Open your first event" not in listed
    assert "Edit" in page_of(guest.get(f"/systems/{draft_system.pk}"))


def test_opening_changes_nothing_and_the_key_alone_is_enough_to_paste(draft_system, browser):
    link = invited(browser, draft_system)
    for _ in range(3):
        assert Client().post("/invitation", {"link": link.partition("#")[2]}).status_code == 302
    assert Invitation.objects.get().accepted_by is None


def test_who_has_no_account_signs_up_and_comes_back_to_the_invitation(draft_system, browser):
    link = invited(browser, draft_system)
    anybody = Client(headers={"Accept-Language": "en"})
    shown = page_of(anybody.post("/invitation", {"link": link}, follow=True))
    assert "g…@example.kr" in shown
    assert "guest@example.kr" not in shown
    assert anybody.post("/invitation/accept")["Location"].startswith("/login")
    assert anybody.post("/signup", SIGN_UP)["Location"] == "/invitation"
    assert anybody.post("/invitation/accept")["Location"] == f"/systems/{draft_system.pk}"


def test_who_logs_in_comes_back_to_the_invitation(draft_system, browser):
    person("guest@example.kr")
    anybody = Client(headers={"Accept-Language": "en"})
    anybody.post("/invitation", {"link": invited(browser, draft_system)})
    assert anybody.post("/login", {"username": "guest@example.kr", "password": PASSWORD})["Location"] == "/invitation"
    assert 'action="/invitation/accept"' in page_of(anybody.get("/invitation"))


def test_another_account_is_told_so_and_not_let_in(draft_system, browser, other):
    shown = page_of(other.post("/invitation", {"link": invited(browser, draft_system)}, follow=True))
    assert "It is for an account with another address (g…@example.kr)" in shown
    assert "/invitation/accept" not in shown
    refused = other.post("/invitation/accept", follow=True)
    assert "another e-mail address" in page_of(refused)
    assert not Membership.objects.exists()


@pytest.mark.parametrize("link", ["", "x", "http://testserver/invitation#", "#" + "a" * 43, "\x00", "a" * 100_000])
def test_a_link_that_leads_nowhere_says_so(other, link):
    response = other.post("/invitation", {"link": link})
    assert response.status_code == 404
    assert "This invitation leads nowhere" in page_of(response)
    assert other.post("/invitation/accept").status_code == 404


def test_a_link_that_was_withdrawn_meanwhile_says_so(draft_system, browser):
    guest = client_of(person("guest@example.kr"))
    guest.post("/invitation", {"link": invited(browser, draft_system)})
    where = f"/systems/{draft_system.pk}/people/invitations/{Invitation.objects.get().pk}/withdraw"
    assert "is withdrawn" in page_of(browser.post(where, follow=True))
    assert guest.get("/invitation").status_code == 404
    assert "Open the link of your invitation" in page_of(guest.get("/invitation"))
    guest.post("/invitation", {"link": "x"})
    assert guest.post("/invitation/accept").status_code == 404


def test_the_session_keeps_a_hash_of_the_link_alone(draft_system, browser):
    link, anybody = invited(browser, draft_system), Client()
    anybody.post("/invitation", {"link": link})
    assert anybody.session["invitation"] == inviting.digest_in(link)


# --- The page ---


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"email": "x", "role": "viewer"}, "valid email"),
        ({"email": "a@example.kr", "role": "owner"}, "valid choice"),
        ({"email": "seller@example.kr", "role": "viewer"}, "own"),
        ({}, "required"),
    ],
)
def test_what_cannot_be_invited_is_told_at_its_input(draft_system, browser, typed, words):
    response = browser.post(f"/systems/{draft_system.pk}/people", typed)
    assert response.status_code == 422
    assert words in page_of(response)
    assert typed.get("email", "") in page_of(response)
    assert not Invitation.objects.exists()


def test_invitations_are_counted(draft_system, browser, monkeypatch):
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {**SimpleRateThrottle.THROTTLE_RATES, "invitation": "2/hour"})
    sent = {"email": "guest@example.kr", "role": "viewer"}
    answers = [browser.post(f"/systems/{draft_system.pk}/people", sent) for _ in range(3)]
    assert [response.status_code for response in answers] == [200, 200, 429]
    assert answers[2]["Retry-After"]


def test_the_owner_changes_a_role_and_removes_and_the_trail_says_who(draft_system, browser, seller):
    guest = member(draft_system, "viewer")
    where = f"/systems/{draft_system.pk}/people/{Membership.objects.get().user_id}"
    browser.post(where, {"role": "manager"})
    assert Membership.objects.get().role == MemberRole.MANAGER
    browser.post(where, {"role": "owner"})
    assert Membership.objects.get().role == MemberRole.MANAGER
    assert "Their access has ended" in page_of(browser.post(where, {"remove": "yes"}, follow=True))
    assert browser.post(where, {"remove": "yes"}).status_code == 404
    assert guest.get(f"/systems/{draft_system.pk}").status_code == 404
    assert {row.actor for row in AuditRow.objects.filter(action__startswith="system.member")} == {seller}


def test_a_member_leaves_by_themselves(draft_system):
    guest = member(draft_system, "viewer")
    response = guest.post(f"/systems/{draft_system.pk}/people/leave", follow=True)
    assert "You take part in “강변 페스티벌” no more." in page_of(response)
    assert guest.get(f"/systems/{draft_system.pk}").status_code == 404


def test_members_see_names_and_only_the_owner_sees_addresses(draft_system, browser):
    guest = member(draft_system, "viewer", name="이도윤")
    invited(browser, draft_system, "third@example.kr")
    mine, theirs = page_of(browser.get(f"/systems/{draft_system.pk}/people")), page_of(guest.get(f"/systems/{draft_system.pk}/people"))
    for words in ("이도윤", "viewer@example.kr", "third@example.kr", "Invite somebody"):
        assert words in mine
    assert "이도윤" in theirs
    main = theirs.partition("<main")[2]
    for words in ("seller@example.kr", "viewer@example.kr", "third@example.kr", "Invite somebody", "<select"):
        assert words not in main


# --- What pages hide ---


def doings(browser, system, what):
    """Where the forms of a page post to (`.`: to the page itself) but for a search, and its links to pages that only change something."""
    text = page_of(browser.get(f"/systems/{system.pk}{what}")).partition("<main")[2].partition("</main>")[0]
    forms = [form for form in re.findall(r"<form[^>]*>", text) if 'method="post"' in form and 'role="search"' not in form]
    posts = [found.group(1) if (found := re.search(r'action="([^"]*)"', form)) else "." for form in forms]
    links = [
        where
        for where in re.findall(r'href="(/systems/[^"]*)"', text)
        if re.search(r"/(delete|concessions|cancellation|revisions/1)$", where)
    ]
    return {where.removeprefix(f"/systems/{system.pk}") for where in posts + links}


LIVE_PAGES = {
    "/event": {"/event/description", "/event/notices", "/event/notices/3", "/event/poster", "/event/concessions"},
    "/performances": {"/edit", "/performances/p1/cancellation"},
    "/performances/p1/off-sale": {"."},
    "/waiting-room": {"."},
    "/presale": {"."},
    "/settlement": set(),
    "/door": {"/door", f"/door/{live_answers.SCANNER}/revoke"},
    "/shop": {"/shop/pickups", "/shop/stock", "/shop/pictures"},
    bookings.PAGE: {f"{bookings.PAGE}/refund"},
    shop_orders.PAGE: {f"{shop_orders.PAGE}/refund"},
}
"""Live pages, and what a manager can do on each."""


@pytest.fixture
def house(numbered, site):
    """A live system whose services all have something to say."""
    places = [{"id": name, "free": 2, "held": 0, "sold": 1, "blocked": 1, "is_called_off": False} for name in ("p1", "p2")]
    site.answers |= {
        ("GET", "/api/event/"): (200, live_answers.EVENT),
        ("GET", "/api/ticket/terms"): (200, live_answers.TERMS),
        ("GET", "/api/ticket/tallies"): (200, live_answers.TALLIES),
        ("GET", "/api/ticket/settlement"): (200, live_answers.SETTLEMENT),
        ("GET", "/api/ticket/performances/p2/cancellation"): (200, live_answers.PROGRESS),
        ("GET", "/api/ticket/scanners"): (200, {"scanners": [live_answers.scanner()]}),
        ("GET", "/api/merch/summary"): (200, test_shop.SUMMARY),
        ("GET", "/api/merch/pickups"): (200, {"orders": [test_shop.ORDER], "page": 1, "pages": 1, "total": 1}),
        ("GET", "/api/seat/room"): (200, waiting.STANDS),
        ("GET", presale.CODES): (200, presale.FIGURES),
        ("GET", "/api/seat/summary"): (200, {"performances": places}),
        ("GET", off_sale.BLOCKED): (200, {"seats": ["A-1"]}),
        ("GET", bookings.API): (200, bookings.BOOKING),
        ("GET", shop_orders.API): (200, shop_orders.FOUND),
    }
    return numbered


@pytest.mark.parametrize("what", LIVE_PAGES)
def test_on_live_pages_a_viewer_reads_and_a_manager_acts(house, what):
    viewer, manager = member(house, "viewer"), member(house, "manager")
    assert viewer.get(f"/systems/{house.pk}{what}").status_code == 200
    assert doings(viewer, house, what) <= {"/performances/p2/cancellation"}  # which tells how far its refunds are
    assert doings(manager, house, what) >= LIVE_PAGES[what]


@pytest.mark.parametrize("what", ["", "/history", "/attendees", "/people"])
def test_a_viewers_page_has_nothing_to_do(live, what):
    assert doings(member(live, "viewer"), live, what) <= {"/people/leave"}


def test_a_manager_sees_what_they_may_do_and_not_what_they_may_not(live, browser):
    manager = member(live, "manager")
    assert doings(manager, live, "") == {"/edit"}
    assert doings(browser, live, "") == {"/edit", "/delete"}
    assert doings(manager, live, "/history") == {"/edit", "/revisions/1"}


def test_who_may_not_is_told_what_it_takes(live):
    refused = member(live, "viewer").post(f"/systems/{live.pk}/edit")
    assert refused.status_code == 403
    assert "Ask its owner to make you a manager" in page_of(refused)
    refused = member(live, "manager").get(f"/systems/{live.pk}/delete", headers={"Accept-Language": "ko"})
    assert refused.status_code == 403
    assert "이 행사의 소유자만 할 수 있습니다." in page_of(refused)


def test_the_poll_of_a_page_has_another_tag_when_the_role_is_another(live):
    guest = member(live, "viewer")
    before = guest.get(f"/systems/{live.pk}/progress")
    Membership.objects.update(role=MemberRole.MANAGER)
    after = guest.get(f"/systems/{live.pk}/progress", headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert "/edit" in after.json()["parts"]["actions"]
    assert "/edit" not in before.json()["parts"]["actions"]


def test_what_a_manager_did_is_told_as_theirs(live, seller):
    manager = member(live, "manager", name="이도윤")
    manager.post(f"/systems/{live.pk}/edit")
    draft = RequirementDraft.objects.get()
    sent = form_data(title="neu", version=str(draft.version), action="check")
    assert manager.post(f"/drafts/{draft.pk}", sent)["Location"] == f"/drafts/{draft.pk}/review"
    assert manager.post(f"/drafts/{draft.pk}/deploy")["Location"] == f"/systems/{live.pk}"
    operation = Operation.objects.first()
    assert operation
    assert (operation.kind, operation.created_by.name, operation.system.seller) == ("update", "이도윤", seller)
    assert "이도윤" in page_of(client_of(seller).get(f"/systems/{live.pk}/history"))


def test_a_managers_form_shows_what_is_the_owners_and_sends_none_of_it(live, browser, seller):
    manager = member(live, "manager")
    manager.post(f"/systems/{live.pk}/edit")
    draft = RequirementDraft.objects.get()
    page = page_of(manager.get(f"/drafts/{draft.pk}"))
    assert page.count("Only the owner of the event changes this.") == 3
    assert page.count("disabled>") == 3
    # As a browser sends it without what is switched off, and with a secret slipped in.
    sent = form_data(payment=None, sign_in="yes", oidc_secret="mine", version=str(draft.version), action="save")
    assert manager.post(f"/drafts/{draft.pk}", sent).status_code == 200
    draft.refresh_from_db()
    form = drafts.form_of(draft)
    assert (form["payment"], form["sign_in"], form["oidc_secret_ref"]) == ("kakaopay", "no", "")
    assert not seller.secrets.exists()
    browser.post(f"/systems/{live.pk}/edit")
    own = RequirementDraft.objects.get(seller=seller)
    assert "Only the owner of the event changes this." not in page_of(browser.get(f"/drafts/{own.pk}"))


def test_a_shared_list_takes_no_query_more_for_each_event(seller):
    guest = person("guest@example.kr")
    browser = client_of(guest)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert browser.get("/systems").status_code == 200
        return len(seen)

    for number in range(2):
        Membership.objects.create(
            system=services.system_create(requirement=areas_requirement(slug=f"s{number}"), acting_user=seller), user=guest, role="viewer"
        )
    few = queries()
    for number in range(2, 8):
        Membership.objects.create(
            system=services.system_create(requirement=areas_requirement(slug=f"s{number}"), acting_user=seller), user=guest, role="viewer"
        )
    assert queries() == few


# --- Accounts ---


def test_who_closes_their_account_takes_part_no_more(draft_system, browser):
    guest = client_of(person("guest@example.kr"))
    guest.post("/invitation", {"link": invited(browser, draft_system)})
    guest.post("/invitation/accept")
    assert guest.post("/account/close", {"password": PASSWORD}).status_code == 302
    assert not Membership.objects.exists()
    assert not Invitation.objects.exists()
    left = AuditRow.objects.get(action="system.member_remove")
    assert left.actor_label.startswith("closed-")


def test_an_admin_locks_an_account_out_and_it_takes_part_no_more_when_it_comes_back(draft_system):
    guest = member(draft_system, "manager")
    admin = client_of(person("root@example.kr", role=Role.ADMIN))
    locked = User.objects.get(email="manager@example.kr")
    for action in ("deactivate", "activate"):
        admin.post("/console/accounts/user/", {"action": action, "_selected_action": [locked.pk]})
    locked.refresh_from_db()
    assert locked.is_active
    assert not Membership.objects.exists()
    assert guest.get(f"/systems/{draft_system.pk}").status_code in (302, 404)


def test_the_console_shows_who_takes_part(live):
    member(live, "viewer")
    page = page_of(client_of(person("root@example.kr", role=Role.ADMIN)).get(f"/console/systems/{live.pk}/"))
    assert "viewer@example.kr" in page
    assert "Viewer" in page


def test_an_owner_keeps_what_is_theirs_after_the_event(seller, runtime):
    system = deployed(areas_requirement(), seller, runtime)
    manager = member(system, "manager")
    services.system_delete(system=system, typed_name="river", acting_user=seller)
    assert manager.get(f"/systems/{system.pk}/archive").status_code == 403
    for _ in range(4):
        converge(system.pk, runtime=runtime)
    assert manager.get(f"/systems/{system.pk}").status_code == 404
    assert client_of(seller).get(f"/systems/{system.pk}/archive").status_code == 200
