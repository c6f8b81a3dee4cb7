"""Who may call what: every page and every endpoint that takes a booking system, by what somebody is in the event.

A new address is missing in the tables below until somebody has decided who may call it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from rest_framework.throttling import SimpleRateThrottle

from controlplane.accounts.models import Role, User
from controlplane.accounts.services import token_create
from controlplane.api import urls as api_urls
from controlplane.portal import drafts
from controlplane.portal import urls as portal_urls
from controlplane.rendering.render import render
from controlplane.systems import people, planning, services
from controlplane.systems.models import BookingSystem, Invitation, MemberRole, Membership, Operation, Revision, State
from tests.controlplane import numbered_requirement
from tests.ports import free_port
from tests.unit.controlplane.pages import client_of, person, without_static_files

pytestmark = pytest.mark.django_db

VIEWER, MANAGER, OWNER, ADMIN = "viewer", "manager", "owner", "admin"
ORDER = (VIEWER, MANAGER, OWNER, ADMIN)
ID = uuid.UUID(int=7)

# Its services do not answer here, so a page that was let through to them says 503; what needs no service says what it says.
AWAY = 503
Row = tuple[str, int]
"""From whom on it is allowed, and what the owner is answered."""

PAGES: dict[str, dict[str, Row]] = {
    "system": {"GET": (VIEWER, 200)},
    "system-progress": {"GET": (VIEWER, 200)},
    "system-sales": {"GET": (VIEWER, 200)},
    "system-attendees": {"GET": (VIEWER, AWAY), "POST": (VIEWER, 302)},
    "system-attendees-file": {"GET": (VIEWER, AWAY)},
    "system-booking": {"GET": (VIEWER, AWAY)},
    "system-booking-progress": {"GET": (VIEWER, AWAY)},
    "system-booking-refund": {"GET": (MANAGER, 302), "POST": (MANAGER, AWAY)},
    "system-event": {"GET": (VIEWER, AWAY)},
    "system-description": {"POST": (MANAGER, AWAY)},
    "system-poster": {"POST": (MANAGER, AWAY)},
    "system-poster-image": {"GET": (VIEWER, AWAY)},
    "system-notices": {"POST": (MANAGER, AWAY)},
    "system-notice": {"POST": (MANAGER, AWAY)},
    "system-concessions": {"GET": (MANAGER, 200), "POST": (MANAGER, AWAY)},
    "system-performances": {"GET": (VIEWER, AWAY)},
    "system-waiting-room": {"GET": (VIEWER, AWAY), "POST": (MANAGER, AWAY)},
    "system-presale": {"GET": (VIEWER, AWAY), "POST": (MANAGER, AWAY)},
    "system-presale-codes": {"GET": (MANAGER, AWAY)},
    "system-call-off": {"GET": (VIEWER, AWAY), "POST": (MANAGER, AWAY)},
    "system-call-off-progress": {"GET": (VIEWER, AWAY)},
    "system-off-sale": {"GET": (VIEWER, AWAY), "POST": (MANAGER, AWAY)},
    "system-settlement": {"GET": (VIEWER, AWAY)},
    "system-settlement-file": {"GET": (VIEWER, AWAY)},
    "system-archive": {"GET": (OWNER, 404)},
    "system-archive-settlement": {"GET": (OWNER, 404)},
    "system-archive-table": {"GET": (OWNER, 404)},
    "system-archive-file": {"GET": (OWNER, 404)},
    "system-door": {"GET": (VIEWER, AWAY), "POST": (MANAGER, AWAY)},
    "system-door-given-back": {"POST": (MANAGER, 302)},
    "system-scanner-revoke": {"POST": (MANAGER, AWAY)},
    "system-shop": {"GET": (VIEWER, AWAY), "POST": (VIEWER, 302)},
    "system-hand-over": {"POST": (MANAGER, AWAY)},
    "system-shop-order": {"GET": (VIEWER, AWAY)},
    "system-shop-order-progress": {"GET": (VIEWER, AWAY)},
    "system-shop-order-refund": {"GET": (MANAGER, 302), "POST": (MANAGER, AWAY)},
    "system-stock": {"POST": (MANAGER, AWAY)},
    "system-picture": {"POST": (MANAGER, AWAY)},
    "system-picture-image": {"GET": (VIEWER, 404)},
    "system-people": {"GET": (VIEWER, 200), "POST": (OWNER, 422)},
    "system-member": {"POST": (OWNER, 302)},
    "system-invitation-withdraw": {"POST": (OWNER, 302)},
    "system-leave": {"POST": (VIEWER, 404)},
    "system-edit": {"POST": (MANAGER, 302)},
    "system-retry": {"POST": (MANAGER, 302)},
    "system-resume": {"POST": (MANAGER, 302)},
    "system-delete": {"GET": (OWNER, 200), "POST": (OWNER, 409)},
    "system-qr": {"GET": (VIEWER, 200)},
    "system-history": {"GET": (VIEWER, 200)},
    "revision": {"GET": (MANAGER, 200)},
    "rollback": {"POST": (MANAGER, 302)},
    "operation": {"GET": (VIEWER, 200)},
}

ENDPOINTS: dict[str, dict[str, Row]] = {
    "system": {"GET": (VIEWER, 200), "DELETE": (OWNER, 422)},
    "requirement": {"GET": (MANAGER, 200), "PUT": (MANAGER, 422)},
    "deploy": {"POST": (MANAGER, 409)},
    "retry": {"POST": (MANAGER, 409)},
    "rollback": {"POST": (MANAGER, 422)},
    "rotate-keys": {"POST": (ADMIN, 403)},
    "restore": {"POST": (ADMIN, 403)},
    "suspend": {"POST": (MANAGER, 202)},
    "resume": {"POST": (MANAGER, 409)},
    "rollout-pause": {"POST": (ADMIN, 403)},
    "rollout-resume": {"POST": (ADMIN, 403)},
    "rollout-abandon": {"POST": (ADMIN, 403)},
    "scale": {"POST": (OWNER, 422)},
    "move": {"POST": (ADMIN, 403)},
    "restart": {"POST": (MANAGER, 202)},
    "attendees": {"GET": (VIEWER, AWAY), "POST": (VIEWER, AWAY)},
    "sales": {"GET": (VIEWER, 200)},
    "attendees-file": {"GET": (VIEWER, AWAY), "POST": (VIEWER, AWAY)},
    "booking": {"GET": (VIEWER, AWAY)},
    "booking-quote": {"GET": (MANAGER, AWAY)},
    "booking-refunds": {"POST": (MANAGER, 422)},
    "event-page": {"GET": (VIEWER, AWAY), "PATCH": (MANAGER, 422)},
    "poster": {"PUT": (MANAGER, AWAY), "DELETE": (MANAGER, AWAY)},
    "notices": {"POST": (MANAGER, 422)},
    "notice": {"PATCH": (MANAGER, AWAY), "DELETE": (MANAGER, AWAY)},
    "concessions": {"GET": (VIEWER, 200), "PUT": (MANAGER, 422)},
    "performances": {"GET": (VIEWER, AWAY)},
    "waiting-room": {"GET": (VIEWER, AWAY), "PATCH": (MANAGER, AWAY)},
    "presale": {"GET": (VIEWER, AWAY), "PUT": (MANAGER, 422)},
    "presale-codes": {"GET": (MANAGER, AWAY), "POST": (MANAGER, 422)},
    "presale-withdrawals": {"POST": (MANAGER, 422)},
    "off-sale": {"GET": (VIEWER, AWAY), "PUT": (MANAGER, 422)},
    "calling-off": {"GET": (VIEWER, AWAY), "POST": (MANAGER, 422)},
    "settlement": {"GET": (VIEWER, AWAY)},
    "settlement-file": {"GET": (VIEWER, AWAY)},
    "scanners": {"GET": (VIEWER, AWAY), "POST": (MANAGER, 422)},
    "scanner": {"DELETE": (MANAGER, AWAY)},
    "door-owed": {"GET": (VIEWER, AWAY)},
    "door-given-back": {"POST": (MANAGER, 422)},
    "pickups": {"GET": (VIEWER, AWAY), "POST": (MANAGER, 422)},
    "pickups-search": {"POST": (VIEWER, AWAY)},
    "pickup": {"GET": (VIEWER, AWAY)},
    "pickup-refunds": {"POST": (MANAGER, 422)},
    "stock": {"PATCH": (MANAGER, 422)},
    "product-picture": {"PUT": (MANAGER, 422), "DELETE": (MANAGER, AWAY)},
    "members": {"GET": (OWNER, 200)},
    "member": {"PATCH": (OWNER, 422), "DELETE": (OWNER, 204)},
    "invitations": {"GET": (OWNER, 200), "POST": (OWNER, 422)},
    "invitation": {"DELETE": (OWNER, 204)},
    "archive": {"GET": (OWNER, 404)},
    "archive-table": {"GET": (OWNER, 404)},
    "operations": {"GET": (VIEWER, 200)},
    "operation": {"GET": (VIEWER, 200)},
    "revisions": {"GET": (VIEWER, 200)},
    "revision": {"GET": (MANAGER, 200)},
    "revision-diff": {"GET": (MANAGER, 200)},
    "export": {"GET": (MANAGER, 200)},
    "revision-export": {"GET": (MANAGER, 200)},
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def of_a_system(patterns: Any) -> dict[str, Any]:
    """The addresses that take a booking system, by name."""
    return {pattern.name: pattern for pattern in patterns if "<int:system_id>" in str(pattern.pattern)}


def cells(table: dict[str, dict[str, Row]]) -> list[tuple[str, str, str, int]]:
    return [(name, method, need, status) for name, methods in table.items() for method, (need, status) in methods.items()]


@pytest.fixture(autouse=True)
def quiet(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    without_static_files(settings)
    cache.clear()  # what the throttles have counted
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES, "100000/min"))


@pytest.fixture
def system(seller: User) -> BookingSystem:
    """A live one, without the work of a deployment, whose services do not answer."""
    system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)
    assert system.requirement
    plan = planning.plan_for(planning.read_stored(system.requirement), planning.site_of(system)).plan
    revision = Revision.objects.create(system=system, number=1, requirement=system.requirement, plan=plan.to_json(), manifests=render(plan))
    Operation.objects.update(state=Operation.State.SUCCEEDED, revision=revision)
    system.state, system.live_revision = State.LIVE, revision
    system.connect_url, system.connect_host = f"http://127.0.0.1:{free_port()}", "little.localhost"
    system.save()
    return system


@pytest.fixture
def everybody(seller: User, system: BookingSystem) -> dict[str, User | None]:
    members = {role: person(f"{role}@example.kr", name=role) for role in (VIEWER, MANAGER)}
    for role, user in members.items():
        Membership.objects.create(system=system, user=user, role=role)
    admin, stranger = person("root@example.kr", role=Role.ADMIN), person("stranger@example.kr")
    # Who takes part in something else, and owns something, is a stranger here.
    other = services.system_create(requirement=numbered_requirement(slug="another"), acting_user=stranger)
    Membership.objects.create(system=other, user=members[VIEWER], role=MemberRole.MANAGER)
    return {**members, OWNER: seller, ADMIN: admin, "stranger": stranger, "anybody": None}


def address(space: str, name: str, pattern: Any, system: BookingSystem, other: User) -> str:
    """The address NAME of SYSTEM, with something that may stand in it."""
    values = {
        "system_id": system.pk,
        "order_id": ID,
        "scanner_id": ID,
        "notice_id": 1,
        "performance_id": "p1",
        "kind": "csv",
        "service": "ticket",
        "table": "orders",
        "digest": "a" * 64,
        "number": 1,
        "against": 1,
        "operation_id": system.operations.get().pk,
        "user_id": other.pk,
        "invitation_id": 1,
        "product": "program",
    }
    return reverse(f"{space}:{name}", kwargs={key: values[key] for key in pattern.pattern.converters})


@pytest.fixture
def undone() -> Callable[[Callable[[], HttpResponse]], int]:
    """Calls, and takes back what the call has done."""

    def call(ask: Callable[[], HttpResponse]) -> int:
        with transaction.atomic():
            status = ask().status_code
            transaction.set_rollback(True)
        return status

    return call


def expected(who: str, need: str, status: int, *, anybody: int, hides: bool = True) -> int:
    if who == "anybody":
        return anybody
    if who == "stranger":
        return 404 if hides else 403
    if ORDER.index(who) < ORDER.index(need):
        return 403
    return status


def test_every_page_of_a_booking_system_is_in_the_table() -> None:
    assert set(of_a_system(portal_urls.urlpatterns)) == set(PAGES)


def test_every_endpoint_of_a_booking_system_is_in_the_table_with_its_methods() -> None:
    found = {
        name: {method for method in METHODS if hasattr(pattern.callback.view_class, method.lower())}
        for name, pattern in of_a_system(api_urls.endpoints).items()
    }
    assert found == {name: set(methods) for name, methods in ENDPOINTS.items()}


@pytest.mark.parametrize(("name", "method", "need", "status"), cells(PAGES))
def test_a_page_is_for_whom_the_table_says(
    name: str, method: str, need: str, status: int, system: BookingSystem, everybody: dict[str, User | None], undone: Any
) -> None:
    member = everybody[VIEWER]
    assert member
    where = address("portal", name, of_a_system(portal_urls.urlpatterns)[name], system, member)
    answers = {}
    for who, user in everybody.items():
        browser = client_of(user) if user else Client()
        answers[who] = undone(lambda browser=browser: browser.generic(method, where))
    wanted = {who: expected(who, need, status, anybody=302) for who in everybody}
    if name == "system-leave":  # who has no membership has nothing to leave
        wanted |= {VIEWER: 302, MANAGER: 302}
    assert answers == wanted


@pytest.mark.parametrize("name", PAGES)
def test_a_page_takes_no_other_method(name: str, system: BookingSystem, everybody: dict[str, User | None]) -> None:
    owner, member = everybody[OWNER], everybody[VIEWER]
    assert owner
    assert member
    where, browser = address("portal", name, of_a_system(portal_urls.urlpatterns)[name], system, member), client_of(owner)
    for method in set(METHODS) - set(PAGES[name]):
        assert browser.generic(method, where).status_code == 405, method


@pytest.mark.parametrize(("name", "method", "need", "status"), cells(ENDPOINTS))
def test_an_endpoint_is_for_whom_the_table_says(
    name: str, method: str, need: str, status: int, system: BookingSystem, everybody: dict[str, User | None], undone: Any
) -> None:
    member = everybody[VIEWER]
    assert member
    where = address("api", name, of_a_system(api_urls.endpoints)[name], system, member)
    answers = {}
    for who, user in everybody.items():
        token = {"Authorization": f"Bearer {token_create(user=user, name='test')[1]}"} if user else {}
        program = Client(headers=token)
        body = json.dumps({}) if method in ("POST", "PUT", "PATCH") else ""
        answers[who] = undone(lambda program=program, body=body: program.generic(method, where, body, content_type="application/json"))
    wanted = {who: expected(who, need, status, anybody=401, hides=need != ADMIN) for who in everybody}
    if need == ADMIN:
        wanted |= {OWNER: 403, ADMIN: answers[ADMIN]}
        assert answers[ADMIN] not in (403, 404)
    if (name, method) == ("member", "DELETE"):  # here it is the viewer who is removed: everybody may go
        wanted[VIEWER] = 204
    assert answers == wanted


def test_a_preview_of_a_change_is_for_who_may_change(system: BookingSystem, everybody: dict[str, User | None]) -> None:
    answers = {}
    for who in (VIEWER, MANAGER, OWNER, ADMIN, "stranger"):
        user = everybody[who]
        assert user
        program = Client(headers={"Authorization": f"Bearer {token_create(user=user, name='test')[1]}"})
        body = json.dumps({"requirement": numbered_requirement(), "system": system.pk})
        answers[who] = program.post("/api/v1/preview", body, content_type="application/json").status_code
    assert answers == {VIEWER: 403, MANAGER: 200, OWNER: 200, ADMIN: 200, "stranger": 404}


@pytest.mark.parametrize(("who", "status"), [(VIEWER, 403), (MANAGER, 302), (OWNER, 302), ("stranger", 404)])
def test_an_event_is_copied_by_who_may_read_all_of_it(
    who: str, status: int, system: BookingSystem, everybody: dict[str, User | None]
) -> None:
    user = everybody[who]
    assert user
    assert client_of(user).post("/systems/new", {"source": f"system:{system.pk}"}).status_code == status


def test_a_draft_of_changes_is_its_managers_until_they_may_change_nothing(
    system: BookingSystem, everybody: dict[str, User | None], seller: User
) -> None:
    manager, stranger = everybody[MANAGER], everybody["stranger"]
    assert manager
    assert stranger
    draft = drafts.draft_of_system(user=manager, system=system)
    places = ["", "/review", "/plan.svg"]
    assert [client_of(manager).get(f"/drafts/{draft.pk}{place}").status_code for place in places] == [200, 200, 200]
    for who in (seller, stranger):
        assert {client_of(who).get(f"/drafts/{draft.pk}{place}").status_code for place in places} == {404}

    Membership.objects.filter(user=manager).update(role=MemberRole.VIEWER)
    assert {client_of(manager).get(f"/drafts/{draft.pk}{place}").status_code for place in places} == {404}
    assert client_of(manager).post(f"/drafts/{draft.pk}/deploy").status_code == 404

    Membership.objects.filter(user=manager).update(role=MemberRole.MANAGER)
    people.member_remove(system=system, user_id=manager.pk, acting_user=seller)
    assert client_of(manager).get(f"/drafts/{draft.pk}").status_code == 404


def test_an_access_ends_with_the_next_request(system: BookingSystem, everybody: dict[str, User | None], seller: User) -> None:
    manager = everybody[MANAGER]
    assert manager
    browser, program = client_of(manager), Client(headers={"Authorization": f"Bearer {token_create(user=manager, name='x')[1]}"})
    asked = [lambda: browser.get(f"/systems/{system.pk}/progress"), lambda: program.get(f"/api/v1/systems/{system.pk}")]
    assert [ask().status_code for ask in asked] == [200, 200]
    people.member_remove(system=system, user_id=manager.pk, acting_user=seller)
    assert [ask().status_code for ask in asked] == [404, 404]
    assert "작은 뮤지컬" not in browser.get("/systems").content.decode()
    assert not Invitation.objects.exists()
