"""Members and invitations by the API, and what a member's programs may see."""

from __future__ import annotations

import pytest
from rest_framework.throttling import SimpleRateThrottle

from controlplane.lib.models import AuditRow
from controlplane.systems import inviting, services
from controlplane.systems.models import Invitation, Membership
from tests.controlplane import areas_requirement
from tests.pictures import png
from tests.unit.controlplane.api.conftest import Program
from tests.unit.controlplane.api.test_booking_systems import problem
from tests.unit.controlplane.pages import person

pytestmark = pytest.mark.django_db

NEW = {"email": "Guest@example.kr", "role": "manager"}


@pytest.fixture
def system(seller):
    return services.system_create(requirement=areas_requirement(), acting_user=seller)


@pytest.fixture
def guest(db):
    return person("guest@example.kr", name="손님")


def test_an_invitation_is_made_listed_and_withdrawn(mine, system):
    made = mine.post(f"systems/{system.pk}/invitations", NEW)
    assert made.status_code == 201
    body = made.json()
    assert (body["email"], body["role"], body["is_mailed"]) == ("guest@example.kr", "manager", False)
    assert body["url"].startswith("http://testserver/invitation#")
    [listed] = mine.get(f"systems/{system.pk}/invitations").json()["results"]
    assert listed == {key: value for key, value in body.items() if key not in ("url", "is_mailed")}
    for _ in range(2):
        assert mine.delete(f"systems/{system.pk}/invitations/{body['id']}").status_code == 204
    assert mine.get(f"systems/{system.pk}/invitations").json() == {"results": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [({"email": "x", "role": "viewer"}, "email"), ({"email": "a@example.kr", "role": "owner"}, "role"), ({"role": "viewer"}, "email")],
)
def test_what_cannot_be_used_is_named(mine, system, body, field):
    assert field in problem(mine.post(f"systems/{system.pk}/invitations", body), 422, "invalid")["errors"]


def test_who_is_there_already_is_refused(mine, system, guest):
    problem(mine.post(f"systems/{system.pk}/invitations", {**NEW, "email": "seller@example.kr"}), 409, "invites_owner")
    Membership.objects.create(system=system, user=guest, role="viewer")
    problem(mine.post(f"systems/{system.pk}/invitations", NEW), 409, "is_member")


def test_an_accepted_invitation_is_not_withdrawn(mine, system, guest):
    made = mine.post(f"systems/{system.pk}/invitations", NEW).json()
    inviting.invitation_accept(digest=inviting.digest_in(made["url"]), user=guest)
    problem(mine.delete(f"systems/{system.pk}/invitations/{made['id']}"), 409, "accepted_meanwhile")


def test_invitations_are_counted_with_those_of_pages_and_looking_is_not(mine, system, monkeypatch):
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {**SimpleRateThrottle.THROTTLE_RATES, "invitation": "1/hour"})
    assert mine.post(f"systems/{system.pk}/invitations", NEW).status_code == 201
    problem(mine.post(f"systems/{system.pk}/invitations", NEW), 429, "throttled")
    assert mine.get(f"systems/{system.pk}/invitations").status_code == 200
    assert Invitation.objects.count() == 1


def test_members_are_listed_changed_and_removed(mine, system, guest, seller):
    Membership.objects.create(system=system, user=guest, role="viewer")
    [listed] = mine.get(f"systems/{system.pk}/members").json()["results"]
    assert (listed["user"], listed["email"], listed["name"], listed["role"]) == (guest.pk, "guest@example.kr", "손님", "viewer")
    assert mine.call("PATCH", f"systems/{system.pk}/members/{guest.pk}", {"role": "manager"}).json()["role"] == "manager"
    problem(mine.call("PATCH", f"systems/{system.pk}/members/{guest.pk}", {"role": "owner"}), 422, "invalid")
    assert mine.delete(f"systems/{system.pk}/members/{guest.pk}").status_code == 204
    problem(mine.delete(f"systems/{system.pk}/members/{guest.pk}"), 404, "not_found")
    problem(mine.delete(f"systems/{system.pk}/members/{seller.pk}"), 404, "not_found")
    assert [row.actor for row in AuditRow.objects.filter(action="system.member_remove")] == [seller]


def test_a_member_goes_but_removes_nobody_else(system, guest):
    third = person("third@example.kr")
    for user in (guest, third):
        Membership.objects.create(system=system, user=user, role="manager")
    program = Program(guest)
    problem(program.delete(f"systems/{system.pk}/members/{third.pk}"), 403, "forbidden")
    assert program.delete(f"systems/{system.pk}/members/{guest.pk}").status_code == 204
    problem(program.get(f"systems/{system.pk}"), 404, "not_found")


def test_a_list_has_what_is_shared_and_what_one_is_in_each(system, guest, seller, mine, admin):
    own = services.system_create(requirement=areas_requirement(slug="own"), acting_user=guest)
    services.system_create(requirement=areas_requirement(slug="third"), acting_user=seller)
    Membership.objects.create(system=system, user=guest, role="viewer")
    listed = Program(guest).get("systems").json()
    assert [(row["id"], row["role"], row["seller"]) for row in listed["results"]] == [
        (own.pk, "owner", "guest@example.kr"),
        (system.pk, "viewer", "seller@example.kr"),
    ]
    assert Program(guest).get(f"systems/{system.pk}").json()["role"] == "viewer"
    assert {row["role"] for row in mine.get("systems").json()["results"]} == {"owner"}
    assert {row["role"] for row in admin.get("systems").json()["results"]} == {"admin"}


def test_what_is_made_is_ones_own(mine):
    made = mine.post("systems", {"requirement": areas_requirement(), "deploy": False})
    assert made.json()["role"] == "owner"


def test_a_manager_gives_a_picture_that_the_owners_requirement_can_name(system, guest, seller, other):
    member = Membership.objects.create(system=system, user=guest, role="manager")
    program, image = Program(guest), {"Content-Type": "image/png"}

    def give(who):
        return who.client.post(f"/api/v1/pictures?system={system.pk}", png(), content_type="image/png", headers=image)

    digest = give(program).json()["digest"]
    products = [{"id": "shirt", "name": "Shirt", "price_krw": 1000, "stock": 5, "picture": digest}]
    wanted = areas_requirement(merchandise=True, products=products)
    assert program.put(f"systems/{system.pk}/requirement", {"requirement": wanted}).status_code == 200
    assert seller.pictures.count() == 1
    member.role = "viewer"
    member.save()
    problem(give(program), 403, "forbidden")
    problem(give(other), 404, "not_found")
    problem(program.client.post("/api/v1/pictures?system=x", png(), content_type="image/png"), 404, "not_found")


def test_a_refusal_says_what_it_takes(system, guest):
    Membership.objects.create(system=system, user=guest, role="viewer")
    told = problem(Program(guest).post(f"systems/{system.pk}/deploy"), 403, "forbidden")
    assert told["detail"] == "You can look at this event, but not change it. Ask its owner to make you a manager."
    Membership.objects.update(role="manager")
    told = problem(Program(guest).delete(f"systems/{system.pk}?name=river"), 403, "forbidden")
    assert told["detail"] == "Only the owner of this event can do this."


def test_a_manager_is_told_which_part_is_the_owners(system, guest):
    Membership.objects.create(system=system, user=guest, role="manager")
    body = {"requirement": areas_requirement(payment="none")}
    told = problem(Program(guest).put(f"systems/{system.pk}/requirement", body), 422, "requirement_invalid")
    assert list(told["errors"]) == ["payment"]
