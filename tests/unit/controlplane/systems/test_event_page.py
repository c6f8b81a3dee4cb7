"""Editing a live event: the service gets it at once, the requirement stays in step, and nothing later undoes it."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.accounts.models import User
from controlplane.lib.models import AuditRow
from controlplane.systems import event_page, services
from controlplane.systems.converge import converge
from controlplane.systems.errors import Refused, RequirementInvalid, ServiceRefused, ServiceUnavailable
from controlplane.systems.lease import Lease
from controlplane.systems.models import BookingSystem, Operation, State
from tests.controlplane import Site, SiteRuntime, areas_requirement

pytestmark = pytest.mark.django_db(transaction=True)

EVENT_CONTENT = ("PUT", "/api/event/content")


@pytest.fixture
def system(seller: User, runtime: SiteRuntime) -> BookingSystem:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    return look(system, runtime)


def look(system: BookingSystem, runtime: SiteRuntime) -> BookingSystem:
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system


def describe(system: BookingSystem, seller: User, text: Any) -> Operation:
    return event_page.description_edit(system=system, description=text, acting_user=seller)


def test_a_new_description_reaches_the_service_and_the_requirement_in_one_step(system: BookingSystem, seller: User, site: Site) -> None:
    operation = describe(system, seller, " 우천 시에도\r\n합니다 ")

    system.refresh_from_db()
    assert site.content["event"]["description"] == "우천 시에도\n합니다"
    assert system.requirement is not None
    assert system.requirement.data["description"] == "우천 시에도\n합니다"
    assert (operation.kind, operation.state) == ("edit", "succeeded")
    assert (system.generation, system.observed_generation, system.state) == (2, 2, State.LIVE)
    assert AuditRow.objects.filter(action="system.edit", details__fields=["description"]).exists()


def test_a_later_update_does_not_undo_it(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    describe(system, seller, "고친 글")
    wanted = services.stored_requirement(system)
    assert wanted is not None
    services.system_update(system=system, requirement=wanted.to_json() | {"title": "새 이름"}, acting_user=seller)
    look(system, runtime)

    assert (site.content["event"]["title"], site.content["event"]["description"]) == ("새 이름", "고친 글")


def test_what_a_failed_update_gave_is_taken_back_to_the_edited_text(
    system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime
) -> None:
    describe(system, seller, "고친 글")
    site.answers["POST", "/api/seat/probe"] = (409, {"code": "broken"})
    services.system_update(system=system, requirement=areas_requirement(title="neu", description="verworfen"), acting_user=seller)
    for _ in range(12):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()

    assert system.operations.first().state == "failed"  # type: ignore[union-attr]
    assert (site.content["event"]["title"], site.content["event"]["description"]) == ("강변 페스티벌", "고친 글")


def test_a_rollback_keeps_it(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    first = system.revisions.get()
    describe(system, seller, "고친 글")
    services.system_rollback(system=system, revision=first, acting_user=seller)
    look(system, runtime)

    assert system.is_live
    assert site.content["event"]["description"] == "고친 글"


def test_two_edits_come_one_after_the_other(system: BookingSystem, seller: User, site: Site) -> None:
    describe(system, seller, "하나")
    describe(system, seller, "둘")

    assert site.content["event"]["description"] == "둘"
    assert [operation.generation for operation in system.operations.filter(kind="edit")] == [3, 2]


def test_a_text_that_cannot_be_is_refused_by_its_path_and_nobody_is_asked(system: BookingSystem, seller: User, site: Site) -> None:
    before = len(site.calls)
    for text in ("x" * 10_001, "a\x00b", 5, ["x"]):
        with pytest.raises(RequirementInvalid) as refusal:
            describe(system, seller, text)
        assert refusal.value.problems[0].path == "description"
    assert len(site.calls) == before


def test_a_refusal_of_the_service_changes_nothing(system: BookingSystem, seller: User, site: Site) -> None:
    site.answers[EVENT_CONTENT] = (422, {"code": "invalid", "detail": "no", "errors": {"description": ["too long"]}})

    with pytest.raises(ServiceRefused) as refusal:
        describe(system, seller, "고친 글")

    system.refresh_from_db()
    assert refusal.value.errors == {"description": ["too long"]}
    assert (system.generation, system.content_given == system.content_live) == (1, True)


def test_after_an_answer_that_never_came_the_service_is_given_what_it_had(
    system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime
) -> None:
    site.answers[EVENT_CONTENT] = (502, {})
    with pytest.raises(ServiceUnavailable):
        describe(system, seller, "고친 글")
    site.content["event"]["description"] = "고친 글"  # it had come through after all
    del site.answers[EVENT_CONTENT]
    look(system, runtime)

    assert site.content["event"]["description"] == "이틀\n하늘 아래"
    assert system.content_given == system.content_live


def test_while_a_change_is_carried_out_it_is_refused(system: BookingSystem, seller: User) -> None:
    services.system_update(system=system, requirement=areas_requirement(title="neu"), acting_user=seller)

    with pytest.raises(Refused) as refusal:
        describe(system, seller, "고친 글")
    assert refusal.value.reason.code == "being_changed"


def test_while_somebody_looks_at_the_system_it_waits_and_then_gives_up(
    system: BookingSystem, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controlplane.systems.live_edits.LEASE_EVERY_S", 0.0)
    assert Lease.acquire(system.pk)

    with pytest.raises(Refused) as refusal:
        describe(system, seller, "고친 글")
    assert refusal.value.reason.code == "being_changed"


def test_a_draft_has_nothing_to_edit(seller: User) -> None:
    draft = services.system_create(requirement=areas_requirement(slug="other"), acting_user=seller)

    with pytest.raises(Refused) as refusal:
        describe(draft, seller, "고친 글")
    assert refusal.value.reason.code == "not_deployed"


def test_the_edit_is_nothing_that_could_be_tried_again(system: BookingSystem, seller: User) -> None:
    describe(system, seller, "고친 글")

    with pytest.raises(Refused) as refusal:
        services.system_retry(system=system, acting_user=seller)
    assert refusal.value.reason.code == "nothing_failed"


def test_notices_and_poster_go_straight_to_the_service(system: BookingSystem, seller: User, site: Site) -> None:
    site.answers["POST", "/api/event/notices"] = (201, {"id": "7", "title": "안내"})

    added = event_page.notice_add(system=system, title="안내", body="", is_pinned=True, acting_user=seller)
    event_page.notice_change(system=system, notice_id=7, changes={"pinned": False}, acting_user=seller)
    event_page.notice_delete(system=system, notice_id=7, acting_user=seller)
    event_page.poster_put(system=system, image=b"picture", acting_user=seller)
    event_page.poster_delete(system=system, acting_user=seller)

    assert added["id"] == "7"
    assert site.calls[-5:] == [
        ("POST", "/api/event/notices"),
        ("PATCH", "/api/event/notices/7"),
        ("DELETE", "/api/event/notices/7"),
        ("PUT", "/api/event/poster"),
        ("DELETE", "/api/event/poster"),
    ]
    assert site.bodies[-2] == b"picture"


@pytest.mark.parametrize(("status", "code"), [(401, "token_invalid"), (500, "internal"), (404, "")])
def test_what_the_reader_cannot_mend_is_told_as_a_service_that_does_not_answer(
    system: BookingSystem, seller: User, site: Site, status: int, code: str
) -> None:
    site.answers["GET", "/api/event/"] = (status, {"code": code} if code else {})

    with pytest.raises(ServiceUnavailable):
        event_page.event_page(system=system, user=seller)
