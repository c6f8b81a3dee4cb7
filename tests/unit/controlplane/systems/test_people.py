"""Who runs an event together: inviting, accepting, what they may change, and how a part ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from controlplane.accounts.models import Role, User
from controlplane.accounts.services import digest_of, user_close
from controlplane.jobs import tasks
from controlplane.lib.models import AuditRow
from controlplane.portal import drafts
from controlplane.portal.models import RequirementDraft
from controlplane.systems import access, door, forgetting, inviting, people, services
from controlplane.systems.access import Need
from controlplane.systems.converge import converge
from controlplane.systems.errors import InvitationOver, NotAllowed, Refused, RequirementInvalid, SystemNotFound
from controlplane.systems.models import BookingSystem, DoorLinkToEnd, Invitation, MemberRole, Membership, State
from tests.controlplane import Site, SiteRuntime, areas_requirement
from tests.unit.controlplane.pages import deployed, person

pytestmark = pytest.mark.django_db

PAGE = "http://localhost:8000/invitation"
MANAGER, VIEWER = MemberRole.MANAGER, MemberRole.VIEWER
SIGN_IN = {"issuer": "https://id.example.kr", "client_id": "clove"}


@pytest.fixture
def system(seller: User) -> BookingSystem:
    return services.system_create(requirement=areas_requirement(), acting_user=seller)


@pytest.fixture
def guest(db: None) -> User:
    return person("guest@example.kr", name="손님")


def key_of(invited: inviting.Invited) -> str:
    return inviting.digest_in(invited.url)


def invite(system: BookingSystem, email: str = "guest@example.kr", role: str = MANAGER) -> inviting.Invited:
    return inviting.invite(system=system, email=email, role=role, page=PAGE, acting_user=system.seller)


def member(system: BookingSystem, user: User, role: str = MANAGER) -> User:
    Membership.objects.create(system=system, user=user, role=role)
    return user


def refusal(ask: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as error:
        ask()
    return error.value.reason.code


# --- Inviting ---


def test_a_link_is_kept_as_a_hash_and_stands_behind_the_mark_that_nobody_sends(system: BookingSystem) -> None:
    made = invite(system, " Guest@Example.kr ")
    address, mark, key = made.url.partition("#")
    row = Invitation.objects.get()
    assert (address, mark, len(key) > 40) == (PAGE, "#", True)
    assert (row.email, row.role, row.digest) == ("guest@example.kr", MANAGER, digest_of(key))
    assert key not in str(Invitation.objects.values().get())
    assert key not in str(list(AuditRow.objects.values()))
    assert "guest" not in str(list(AuditRow.objects.filter(action="system.invite").values()))
    assert timedelta(days=6, hours=23) < row.expires_at - timezone.now() <= timedelta(days=7)


@pytest.mark.parametrize("email", ["", "x", "a b@example.kr", "a@example.kr\nBcc: all@example.kr"])
def test_what_is_no_address_is_not_invited(system: BookingSystem, email: str) -> None:
    assert refusal(lambda: invite(system, email)) == "bad_address"


def test_who_is_there_already_is_not_invited(system: BookingSystem, guest: User) -> None:
    assert refusal(lambda: invite(system, "SELLER@example.kr")) == "invites_owner"
    member(system, guest)
    assert refusal(lambda: invite(system)) == "is_member"


def test_an_event_has_so_many_people_and_those_who_did_not_come_do_not_count(
    system: BookingSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inviting, "PEOPLE_AT_MOST", 2)
    for email in ("a@example.kr", "b@example.kr", "b@example.kr"):
        invite(system, email)
    assert refusal(lambda: invite(system)) == "too_many_people"
    Invitation.objects.filter(email="a@example.kr").update(expires_at=timezone.now())
    invite(system)


def test_whoever_is_invited_again_gets_another_link_and_the_first_leads_nowhere(system: BookingSystem, guest: User) -> None:
    first, second = invite(system, role=MANAGER), invite(system, role=VIEWER)
    with pytest.raises(InvitationOver):
        inviting.invitation_accept(digest=key_of(first), user=guest)
    inviting.invitation_accept(digest=key_of(second), user=guest)
    assert Membership.objects.get().role == VIEWER


def test_an_invitation_is_mailed_where_there_is_a_mail_server(system: BookingSystem, settings: Any) -> None:
    assert not invite(system).is_mailed
    settings.MAIL_URL = "smtp://mail.example.kr"
    system.title = "Zwei\nZeilen"
    made = invite(system)
    assert made.is_mailed
    [letter] = mail.outbox
    assert letter.to == ["guest@example.kr"]
    assert made.url in letter.body
    assert "\n" not in letter.subject


def test_a_mail_server_that_is_away_stops_nobody(system: BookingSystem, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.MAIL_URL = "smtp://127.0.0.1"
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 1
    made = invite(system)
    assert not made.is_mailed
    assert "was not sent" in caplog.text
    assert "guest" not in caplog.text
    assert made.url.partition("#")[2] not in caplog.text


# --- Accepting ---


def test_who_accepts_may_do_what_the_invitation_says_and_the_trail_names_them(system: BookingSystem, guest: User) -> None:
    made = invite(system)
    with pytest.raises(SystemNotFound):
        access.system_for(guest, system.pk, Need.VIEW)
    assert inviting.invitation_accept(digest=key_of(made), user=guest) == system
    assert access.system_for(guest, system.pk, Need.MANAGE).access == access.Access(MANAGER)
    with pytest.raises(NotAllowed):
        access.system_for(guest, system.pk, Need.OWN)
    assert AuditRow.objects.get(action="system.member_join").actor == guest
    assert not inviting.open_invitations(system).exists()


def test_accepting_again_is_fine_until_one_was_removed(system: BookingSystem, guest: User, seller: User) -> None:
    made = invite(system)
    for _ in range(2):
        inviting.invitation_accept(digest=key_of(made), user=guest)
    assert AuditRow.objects.filter(action="system.member_join").count() == 1
    people.member_remove(system=system, user_id=guest.pk, acting_user=seller)
    with pytest.raises(InvitationOver):
        inviting.invitation_accept(digest=key_of(made), user=guest)
    assert not Membership.objects.exists()


def test_a_forwarded_link_lets_nobody_else_in(system: BookingSystem, guest: User) -> None:
    made = invite(system)
    stranger, admin = person("stranger@example.kr"), person("root@example.kr", role=Role.ADMIN)
    for other in (stranger, admin, system.seller):
        assert refusal(lambda other=other: inviting.invitation_accept(digest=key_of(made), user=other)) == "other_address"
    inviting.invitation_accept(digest=key_of(made), user=guest)


def test_a_link_that_ran_out_was_withdrawn_or_is_of_a_gone_event_leads_nowhere(system: BookingSystem, guest: User, seller: User) -> None:
    made = invite(system)
    Invitation.objects.update(expires_at=timezone.now())
    with pytest.raises(InvitationOver):
        inviting.invitation_accept(digest=key_of(made), user=guest)

    made = invite(system)
    for _ in range(2):
        inviting.invitation_withdraw(system=system, invitation_id=made.invitation.pk, acting_user=seller)
    with pytest.raises(InvitationOver):
        inviting.invitation_accept(digest=key_of(made), user=guest)
    assert AuditRow.objects.filter(action="system.invite_withdraw").count() == 1

    made = invite(system)
    services.system_delete(system=system, typed_name="river", acting_user=seller)
    with pytest.raises(InvitationOver):
        inviting.invitation_accept(digest=key_of(made), user=guest)
    assert refusal(lambda: invite(system)) == "being_deleted"


def test_what_was_accepted_cannot_be_withdrawn(system: BookingSystem, guest: User, seller: User) -> None:
    made = invite(system)
    inviting.invitation_accept(digest=key_of(made), user=guest)
    withdraw = {"system": system, "invitation_id": made.invitation.pk, "acting_user": seller}
    assert refusal(lambda: inviting.invitation_withdraw(**withdraw)) == "accepted_meanwhile"
    assert Membership.objects.exists()


def test_another_events_invitation_is_not_withdrawn(system: BookingSystem, seller: User) -> None:
    other = services.system_create(requirement=areas_requirement(slug="other"), acting_user=seller)
    made = invite(system)
    inviting.invitation_withdraw(system=other, invitation_id=made.invitation.pk, acting_user=seller)
    assert inviting.open_invitations(system).exists()


def test_a_locked_account_accepts_nothing(system: BookingSystem, guest: User) -> None:
    made = invite(system)
    User.objects.filter(pk=guest.pk).update(is_active=False)
    assert refusal(lambda: inviting.invitation_accept(digest=key_of(made), user=guest)) == "account_closed"


@pytest.mark.django_db(transaction=True)
def test_the_owner_is_told_who_came(seller: User, settings: Any) -> None:
    system, guest = services.system_create(requirement=areas_requirement(), acting_user=seller), person("guest@example.kr", name="손님")
    settings.MAIL_URL = "smtp://mail.example.kr"
    made = invite(system)
    mail.outbox.clear()
    for _ in range(2):
        inviting.invitation_accept(digest=key_of(made), user=guest)
    [letter] = mail.outbox
    assert letter.to == ["seller@example.kr"]
    assert "guest@example.kr" in letter.body


def test_addresses_are_forgotten_when_their_time_is_over(system: BookingSystem) -> None:
    invite(system, "a@example.kr")
    invite(system, "b@example.kr")
    Invitation.objects.filter(email="a@example.kr").update(expires_at=timezone.now())
    tasks.forget_unnamed()
    assert [row.email for row in Invitation.objects.all()] == ["b@example.kr"]


@pytest.mark.parametrize(("email", "seen"), [("guest@example.kr", "g…@example.kr"), ("a@b.kr", "a…@b.kr")])
def test_an_address_is_veiled(email: str, seen: str) -> None:
    assert inviting.veiled(email) == seen


# --- What they may change ---


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"payment": "none"}, "payment"),
        ({"organiser": {"name": "Somebody else"}}, "organiser"),
        ({"sign_in": SIGN_IN}, "sign_in"),
    ],
)
def test_a_manager_changes_all_but_what_is_the_owners(
    system: BookingSystem, guest: User, seller: User, changes: dict[str, Any], part: str
) -> None:
    member(system, guest)
    services.system_update(system=system, requirement=areas_requirement(title="neu"), acting_user=guest)
    wanted = areas_requirement(title="neu", **changes)
    with pytest.raises(RequirementInvalid) as error:
        services.system_update(system=system, requirement=wanted, acting_user=guest)
    assert [(problem.path, problem.code) for problem in error.value.problems] == [(part, "owners_part")]
    seen = services.requirement_preview(requirement=wanted, seller=guest, system=system)
    assert [problem.path for problem in seen.problems] == [part]
    if part != "sign_in":  # whose provider would be asked
        services.system_update(system=system, requirement=wanted, acting_user=seller)
        services.system_update(system=system, requirement=wanted | {"title": "neuer"}, acting_user=guest)


def test_a_manager_brings_no_revision_back_that_differs_in_what_is_the_owners(seller: User, runtime: SiteRuntime, guest: User) -> None:
    system = deployed(areas_requirement(), seller, runtime)
    member(system, guest)
    first = system.revisions.get()
    for changes in ({"title": "neu"}, {"title": "neu", "payment": "none"}):
        services.system_update(system=system, requirement=areas_requirement(**changes), acting_user=seller)
        for _ in range(3):
            converge(system.pk, runtime=runtime)
        system.refresh_from_db()
    assert refusal(lambda: services.system_rollback(system=system, revision=first, acting_user=guest)) == "owners_revision"
    services.system_rollback(system=system, revision=first, acting_user=seller)


def test_a_managers_draft_has_the_owners_parts_as_they_are_now(system: BookingSystem, guest: User, seller: User) -> None:
    member(system, guest)
    draft = drafts.draft_of_system(user=guest, system=system)
    services.system_update(system=system, requirement=areas_requirement(payment="none"), acting_user=seller)
    form = drafts.form_of(draft)
    form.values |= {"title": "neu", "payment": "kakaopay", "sign_in": "yes", "oidc_secret_ref": "x" * 32, "organiser_name": "Jemand"}
    draft = drafts.draft_save(draft=draft, form=form, version=draft.version)
    assert drafts.form_of(draft)["sign_in"] == "no"
    drafts.draft_deploy(draft=draft, user=guest, seen_generation=system.generation)
    wanted = BookingSystem.objects.get().requirement
    assert wanted
    assert (wanted.data["title"], wanted.data["payment"], "sign_in" in wanted.data, "organiser" in wanted.data) == (
        "neu",
        "none",
        False,
        False,
    )
    assert wanted.created_by == guest


def test_a_failed_deletion_is_tried_again_by_its_owner_alone(seller: User, runtime: SiteRuntime, guest: User) -> None:
    system = deployed(areas_requirement(), seller, runtime)
    member(system, guest)
    operation = services.system_delete(system=system, typed_name="river", acting_user=seller)
    assert operation
    operation.state = operation.State.FAILED
    operation.save()
    assert refusal(lambda: services.system_retry(system=system, acting_user=guest)) == "needs_owner"
    services.system_retry(system=system, acting_user=seller)


# --- How a part ends ---


def test_a_role_is_changed_and_the_same_again_is_nothing(system: BookingSystem, guest: User, seller: User) -> None:
    member(system, guest)
    drafts.draft_of_system(user=guest, system=system)
    for _ in range(2):
        people.member_set(system=system, user_id=guest.pk, role=VIEWER, acting_user=seller)
    assert AuditRow.objects.get(action="system.member").details == {"member": guest.pk, "role": VIEWER}
    assert not RequirementDraft.objects.exists()


def test_who_takes_no_part_is_not_found(system: BookingSystem, guest: User, seller: User) -> None:
    for change in (people.member_remove, people.member_set):
        extra = {"role": VIEWER} if change is people.member_set else {}
        with pytest.raises(SystemNotFound):
            change(system=system, user_id=guest.pk, acting_user=seller, **extra)


def test_an_account_that_is_closed_takes_part_in_nothing(system: BookingSystem, guest: User) -> None:
    member(system, guest)
    own = services.system_create(requirement=areas_requirement(slug="own"), acting_user=guest)
    invite(own, "friend@example.kr")
    invite(services.system_create(requirement=areas_requirement(slug="third"), acting_user=system.seller))
    people.leave_all(user=guest, acting_user=guest)
    user_close(user=guest, standing=[])
    assert not Membership.objects.exists()
    assert not Invitation.objects.exists()
    assert "guest@example.kr" not in str(list(AuditRow.objects.values()))


def test_when_the_event_is_gone_it_is_its_sellers_alone(seller: User, runtime: SiteRuntime, guest: User) -> None:
    system = deployed(areas_requirement(), seller, runtime)
    member(system, guest)
    invite(system, "another@example.kr")
    services.system_delete(system=system, typed_name="river", acting_user=seller)
    assert access.system_for(guest, system.pk, Need.VIEW)
    for _ in range(4):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    assert system.state == State.DELETED
    with pytest.raises(SystemNotFound):
        access.system_for(guest, system.pk, Need.VIEW)
    assert access.system_for(seller, system.pk, Need.OWN)
    assert not Membership.objects.exists()
    assert not Invitation.objects.exists()


def link_made(site: Site, scanner: str) -> None:
    site.answers["POST", "/api/ticket/scanners"] = (
        201,
        {"id": scanner, "name": "Door", "key": "k", "expires_at": "2090-01-11T01:30:00+09:00"},
    )
    site.answers["DELETE", f"/api/ticket/scanners/{scanner}"] = (204, None)


def ended(site: Site) -> list[str]:
    return [path.rpartition("/")[2] for method, path in site.calls if method == "DELETE"]


def test_links_for_the_door_end_with_the_part_of_who_made_them(
    seller: User, runtime: SiteRuntime, site: Site, guest: User, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    system = deployed(areas_requirement(), seller, runtime)
    member(system, guest)
    for scanner, maker in (("one", guest), ("two", guest), ("mine", seller)):
        link_made(site, scanner)
        door.scanner_create(system=system, name="Door", acting_user=maker)
    door.scanner_revoke(system=system, scanner_id="two", acting_user=seller)
    site.calls.clear()
    with django_capture_on_commit_callbacks(execute=True):
        people.member_remove(system=system, user_id=guest.pk, acting_user=seller)
    assert (door.END_LINKS, {"system_id": system.pk}) in [(task, arguments) for task, arguments, _delay in sent]

    site.answers["DELETE", "/api/ticket/scanners/one"] = (503, {})
    tasks.end_door_links(system.pk)
    assert [row.scanner for row in DoorLinkToEnd.objects.all()] == ["one"]
    link_made(site, "one")
    tasks.end_door_links()
    tasks.end_door_links()
    assert ended(site) == ["one", "one"]
    assert not DoorLinkToEnd.objects.exists()
    last = AuditRow.objects.filter(action=door.REVOKED).first()
    assert last
    assert (last.actor, last.details) == (seller, {"scanner": "one"})


def test_a_link_that_is_gone_already_is_ended(seller: User, runtime: SiteRuntime, site: Site, guest: User) -> None:
    system = deployed(areas_requirement(), seller, runtime)
    DoorLinkToEnd.objects.create(system=system, scanner="old", ended_by=guest)
    site.answers["DELETE", "/api/ticket/scanners/old"] = (404, {"code": "not_found", "detail": "none"})
    tasks.end_door_links()
    assert not DoorLinkToEnd.objects.exists()


def test_a_link_that_is_made_while_its_maker_is_removed_ends(seller: User, runtime: SiteRuntime, site: Site, guest: User) -> None:
    system = deployed(areas_requirement(), seller, runtime)
    member(system, guest)
    link_made(site, "late")
    stale = access.system_for(guest, system.pk, Need.MANAGE)
    people.member_remove(system=system, user_id=guest.pk, acting_user=seller)
    with pytest.raises(SystemNotFound):
        door.scanner_create(system=stale, name="Door", acting_user=guest)
    assert [row.scanner for row in DoorLinkToEnd.objects.all()] == ["late"]
    tasks.end_door_links()
    assert ended(site) == ["late"]


# --- Races ---


def at_once(*asked: Callable[[], Any]) -> list[str]:
    """What became of calls in threads of their own: `done`, or the exception's name."""
    start, told = threading.Barrier(len(asked)), [""] * len(asked)

    def run(number: int) -> None:
        start.wait()
        try:
            asked[number]()
            told[number] = "done"
        except Exception as error:
            told[number] = type(error).__name__
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_membership(seller: User) -> None:
    system, guest = services.system_create(requirement=areas_requirement(), acting_user=seller), person("guest@example.kr")
    for _ in range(8):
        digest = key_of(invite(system))
        accept = [lambda digest=digest: inviting.invitation_accept(digest=digest, user=guest)] * 3
        assert at_once(*accept) == ["done"] * 3
        assert Membership.objects.count() == 1
        people.member_remove(system=system, user_id=guest.pk, acting_user=seller)
    assert AuditRow.objects.filter(action="system.member_join").count() == 8


@pytest.mark.django_db(transaction=True)
def test_an_invitation_is_withdrawn_or_accepted_and_never_both(seller: User) -> None:
    system, guest = services.system_create(requirement=areas_requirement(), acting_user=seller), person("guest@example.kr")
    seen = set()
    for _ in range(12):
        made = invite(system)
        told = at_once(
            lambda made=made: inviting.invitation_accept(digest=key_of(made), user=guest),
            lambda made=made: inviting.invitation_withdraw(system=system, invitation_id=made.invitation.pk, acting_user=seller),
        )
        is_member = Membership.objects.exists()
        assert told == (["done", "Refused"] if is_member else ["InvitationOver", "done"])
        seen.add(is_member)
        if is_member:
            people.member_remove(system=system, user_id=guest.pk, acting_user=seller)
    assert seen


@pytest.mark.django_db(transaction=True)
def test_who_closes_their_account_while_they_accept_takes_part_in_nothing(seller: User) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller)
    for number in range(6):
        guest = person(f"guest{number}@example.kr")
        made = invite(system, guest.email)

        def close(guest: User = guest) -> None:
            with transaction.atomic():
                User.objects.select_for_update().get(pk=guest.pk)
                people.leave_all(user=guest, acting_user=guest)
                user_close(user=guest, standing=[])

        told = at_once(lambda made=made, guest=guest: inviting.invitation_accept(digest=key_of(made), user=guest), close)
        assert told[1] == "done"
        assert told[0] in ("done", "InvitationOver", "Refused")
        assert not Membership.objects.exists()
        assert not Invitation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_invitations_at_once_are_no_more_than_there_may_be(seller: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inviting, "PEOPLE_AT_MOST", 2)
    system = services.system_create(requirement=areas_requirement(), acting_user=seller)
    told = at_once(*[lambda number=number: invite(system, f"a{number}@example.kr") for number in range(5)])
    assert sorted(told) == ["Refused"] * 3 + ["done"] * 2
    assert Invitation.objects.count() == 2


def test_forgetting_a_draft_of_a_system_forgets_its_people(system: BookingSystem, guest: User, seller: User) -> None:
    member(system, guest)
    forgetting.forget_typed_for(system)
    assert not Membership.objects.exists()
