"""Concessions of a booking system: what ticket is told of them, by a deployment and by a live edit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.accounts.models import User
from controlplane.lib.models import AuditRow
from controlplane.systems import event_page, services
from controlplane.systems.concessions import concessions_edit, concessions_of
from controlplane.systems.converge import converge
from controlplane.systems.errors import GenerationConflict, Refused, RequirementInvalid, ServiceRefused
from controlplane.systems.models import BookingSystem, State
from tests.controlplane import Site, SiteRuntime, areas_requirement, numbered_requirement

pytestmark = pytest.mark.django_db(transaction=True)

YOUTH = {"id": "youth", "name": "청소년", "percent": 30, "proof": "학생증"}
EARLY = {"id": "early", "name": "조기예매", "percent": 20, "until": "2090-01-01T00:00:00+09:00"}
TICKET = ("PUT", "/api/ticket/content")
UNKNOWN = (422, {"code": "invalid", "detail": "no", "errors": {"concessions": ["There is no such field."]}})


def look(system: BookingSystem, runtime: SiteRuntime, times: int = 3) -> BookingSystem:
    for _ in range(times):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system


@pytest.fixture
def plain(seller: User, runtime: SiteRuntime) -> BookingSystem:
    """Live, and it never had any."""
    return look(services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True), runtime)


@pytest.fixture
def system(seller: User, runtime: SiteRuntime) -> BookingSystem:
    wanted = areas_requirement(concessions=[YOUTH])
    return look(services.system_create(requirement=wanted, acting_user=seller, deploy=True), runtime)


def edit(system: BookingSystem, seller: User, *concessions: Any, **options: Any) -> Any:
    return concessions_edit(system=system, concessions=list(concessions), acting_user=seller, **options)


def update(system: BookingSystem, seller: User, runtime: SiteRuntime, *, looks: int = 3, **changes: Any) -> BookingSystem:
    services.system_update(system=system, requirement=areas_requirement(**changes), acting_user=seller)
    return look(system, runtime, looks)


def old_image(body: Any) -> Any:
    """A ticket service that knows no concessions."""
    return UNKNOWN if b"concessions" in body else (200, {"ok": True})


@pytest.fixture
def older(site: Site) -> list[bytes]:
    """Makes the ticket service one that knows no concessions; what it was sent."""
    sent: list[bytes] = []

    def answer(_address: str) -> Any:
        sent.append(site.bodies[-1])
        return old_image(site.bodies[-1])

    site.answers[TICKET] = answer
    return sent


def test_a_deployment_brings_them_to_ticket_and_one_without_says_nothing_of_them(system: BookingSystem, site: Site) -> None:
    assert system.is_live
    assert site.content["ticket"]["concessions"] == [YOUTH]
    assert concessions_of(system) == [YOUTH]


def test_a_deployment_without_any_is_what_an_older_image_takes(older: list[bytes], plain: BookingSystem) -> None:
    assert plain.is_live
    assert len(older) == 1
    assert concessions_of(plain) == []


def test_an_image_that_is_too_old_for_them_is_named(
    older: list[bytes], plain: BookingSystem, seller: User, runtime: SiteRuntime, site: Site
) -> None:
    update(plain, seller, runtime, concessions=[YOUTH])

    last = plain.operations.first()
    assert last is not None
    assert (last.state, last.reason_code, last.reason_params) == (
        "failed",
        "content_unknown",
        {"service": "ticket", "fields": "concessions"},
    )
    assert look(plain, runtime).state == State.LIVE
    assert concessions_of(plain) == []
    # What was wanted had some. That there are none any more is nothing that an older image has to know.
    update(plain, seller, runtime, concessions=[], title="neu")
    assert plain.operations.first().state == "succeeded"  # type: ignore[union-attr]
    assert json.loads(older[-1])["title"] == "neu"


def test_a_live_edit_reaches_ticket_and_the_requirement_in_one_step(system: BookingSystem, seller: User, site: Site) -> None:
    operation = edit(system, seller, EARLY, YOUTH | {"percent": 40})

    system.refresh_from_db()
    now = [EARLY, YOUTH | {"percent": 40}]
    assert site.content["ticket"]["concessions"] == now == concessions_of(system)
    assert system.requirement is not None
    assert system.requirement.data["concessions"] == now
    assert (operation.kind, operation.result["before"]) == ("edit", {"concessions": [YOUTH]})
    assert AuditRow.objects.filter(action="system.edit", details__fields=["concessions"], details__service="ticket").exists()


def test_the_last_one_can_be_taken_away_live_and_ticket_is_told(system: BookingSystem, seller: User, site: Site) -> None:
    edit(system, seller)

    assert site.content["ticket"]["concessions"] == [] == concessions_of(system)


def test_one_without_an_id_keeps_that_of_the_one_with_its_name(system: BookingSystem, seller: User) -> None:
    edit(system, seller, {"name": "청소년", "percent": 25}, {"name": "경로", "percent": 50})

    assert [(each["id"], each["percent"]) for each in concessions_of(system)] == [("youth", 25), ("gyeongro", 50)]


def test_an_update_that_says_nothing_of_them_keeps_what_was_edited(
    system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime
) -> None:
    edit(system, seller, EARLY)
    update(system, seller, runtime, title="neu")

    assert (site.content["ticket"]["title"], site.content["ticket"]["concessions"]) == ("neu", [EARLY])
    assert concessions_of(system) == [EARLY]


def test_a_rollback_keeps_what_was_edited(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    first = system.revisions.get()
    edit(system, seller, EARLY)
    services.system_rollback(system=system, revision=first, acting_user=seller)
    look(system, runtime)

    assert system.is_live
    assert site.content["ticket"]["concessions"] == [EARLY] == concessions_of(system)


def test_a_rollback_to_other_grades_keeps_what_is_for_all(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    first = system.revisions.get()
    for_one = EARLY | {"grades": ["R"]}
    wanted = numbered_requirement(slug="river", concessions=[YOUTH, for_one], merchandise=False, products=[])
    services.system_update(system=system, requirement=wanted, acting_user=seller)
    look(system, runtime, 6)
    assert site.content["ticket"]["concessions"] == [YOUTH, for_one]

    services.system_rollback(system=system, revision=first, acting_user=seller)
    look(system, runtime, 6)

    assert system.operations.first().state == "succeeded"  # type: ignore[union-attr]
    assert site.content["ticket"]["concessions"] == [YOUTH] == concessions_of(system), "there is no R any more: it is not for all instead"


def test_what_a_failed_update_gave_is_taken_back(plain: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    site.answers["POST", "/api/seat/probe"] = (409, {"code": "broken"})
    update(plain, seller, runtime, looks=12, concessions=[YOUTH])

    assert plain.operations.first().state == "failed"  # type: ignore[union-attr]
    assert site.content["ticket"]["concessions"] == [], "left out, it would keep those of the change that failed"
    assert concessions_of(plain) == []
    assert plain.content_given == plain.content_live


def test_a_first_deployment_that_failed_leaves_none_behind(seller: User, site: Site, runtime: SiteRuntime) -> None:
    site.answers["PUT", "/api/seat/content"] = (422, {"code": "invalid", "detail": "no"})
    wanted = areas_requirement(concessions=[YOUTH])
    system = look(services.system_create(requirement=wanted, acting_user=seller, deploy=True), runtime)
    assert site.content["ticket"]["concessions"] == [YOUTH]
    del site.answers["PUT", "/api/seat/content"]

    update(system, seller, runtime, concessions=[])

    assert system.is_live
    assert site.content["ticket"]["concessions"] == []


@pytest.mark.parametrize(
    ("concessions", "path"),
    [
        ([{"name": "x"}], "concessions[0].percent"),
        ([YOUTH, YOUTH], "concessions[1].name"),
        ([YOUTH | {"grades": ["VIP"]}], "concessions[0].grades[0]"),
        ([YOUTH | {"performances": ["p9"]}], "concessions[0].performances[0]"),
        ([YOUTH | {"at_least": 5}], "concessions[0].at_least"),
        ("alle", "concessions"),
        (None, "concessions"),
    ],
)
def test_what_cannot_be_is_refused_by_its_path_and_nobody_is_asked(
    system: BookingSystem, seller: User, site: Site, concessions: Any, path: str
) -> None:
    before = len(site.calls)
    with pytest.raises(RequirementInvalid) as refusal:
        concessions_edit(system=system, concessions=concessions, acting_user=seller)

    assert path in [problem.path for problem in refusal.value.problems]
    assert len(site.calls) == before


def test_what_a_change_that_failed_wants_must_hold_with_them_too(
    system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime
) -> None:
    site.answers["POST", "/api/seat/probe"] = (409, {"code": "broken"})
    update(system, seller, runtime, looks=12, limit_per_buyer=2)

    with pytest.raises(RequirementInvalid):
        edit(system, seller, YOUTH | {"at_least": 3})
    edit(system, seller, YOUTH | {"at_least": 2})
    assert services.stored_requirement(system) is not None


def test_a_refusal_of_the_service_changes_nothing(system: BookingSystem, seller: User, site: Site) -> None:
    site.answers[TICKET] = (422, {"code": "invalid", "detail": "no", "errors": {"concessions[0].name": ["too odd"]}})
    with pytest.raises(ServiceRefused):
        edit(system, seller, EARLY)

    system.refresh_from_db()
    assert (concessions_of(system), system.content_given == system.content_live) == ([YOUTH], True)


def test_an_older_image_is_told_from_a_refusal(plain: BookingSystem, seller: User, site: Site) -> None:
    site.answers[TICKET] = UNKNOWN
    site.answers["GET", "/api/ticket/openapi.json"] = (200, {"components": {"schemas": {"Content": {"properties": {"title": {}}}}}})
    with pytest.raises(Refused) as refusal:
        edit(plain, seller, YOUTH)
    assert refusal.value.reason.code == "service_older"

    site.answers["GET", "/api/ticket/openapi.json"] = (200, {"components": {"schemas": {"Content": {"properties": {"concessions": {}}}}}})
    with pytest.raises(ServiceRefused):
        edit(plain, seller, YOUTH)


def test_an_edit_for_another_state_than_was_read_is_refused(system: BookingSystem, seller: User, site: Site) -> None:
    event_page.description_edit(system=system, description="neu", acting_user=seller)

    with pytest.raises(GenerationConflict):
        edit(system, seller, EARLY, expected_generation=1)
    edit(system, seller, EARLY, expected_generation=2)
    assert concessions_of(system) == [EARLY]


def test_what_was_never_live_has_nothing_to_edit(seller: User) -> None:
    draft = services.system_create(requirement=areas_requirement(concessions=[YOUTH]), acting_user=seller, deploy=False)

    with pytest.raises(Refused):
        edit(draft, seller, EARLY)
    assert concessions_of(draft) == [YOUTH]
