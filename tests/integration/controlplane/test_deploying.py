"""From a seller's wish to a live system and back: the services and converge, with a scripted runtime and services that speak HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from controlplane.lib.models import AuditRow
from controlplane.runtime.errors import Forbidden, QuotaFull, Rejected, RuntimeUnavailable
from controlplane.runtime.port import Health
from controlplane.systems import operating, selectors, services
from controlplane.systems.converge import converge
from controlplane.systems.errors import DeletionRefused, GenerationConflict, Refused
from controlplane.systems.models import BookingSystem, Desired, Operation, State
from tests.controlplane import Site, SiteRuntime, areas_requirement, numbered_requirement

pytestmark = pytest.mark.django_db(transaction=True)


def settle(system: BookingSystem, runtime: SiteRuntime, *, looks: int = 30) -> BookingSystem:
    """Look at SYSTEM until it has nothing more to do, as events and sweeps would; at most LOOKS times."""
    for _ in range(looks):
        converge(system.pk, runtime=runtime)
        system.refresh_from_db()
        if not system.operations.filter(state=Operation.State.RUNNING).exists():
            converge(system.pk, runtime=runtime)
            system.refresh_from_db()
            return system
    raise AssertionError(f"still running: {[str(step) for step in system.operations.first().steps.all()]}")  # type: ignore[union-attr]


def deployed(seller: Any, runtime: SiteRuntime, document: dict[str, Any] | None = None) -> BookingSystem:
    system = services.system_create(requirement=document or numbered_requirement(), acting_user=seller, deploy=True)
    return settle(system, runtime)


def last(system: BookingSystem) -> Operation:
    operation = system.operations.first()
    assert operation
    return operation


def test_a_wish_ends_live_with_every_step_recorded(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    operation = last(system)

    assert (system.state, system.health, operation.state) == (State.LIVE, "ready", Operation.State.SUCCEEDED)
    assert [(step.name, step.state) for step in selectors.operation_steps(operation)] == [
        (name, "done") for name in selectors.STEPS["deploy"]
    ]
    assert system.observed_generation == system.generation == 1
    assert system.live_revision
    assert system.live_revision.number == 1
    assert ("POST", "/api/seat/probe") in site.calls
    assert [event.slug for event in selectors.public_events()] == ["little"]


def test_the_services_are_given_their_content_once(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    settle(system, runtime)

    assert sorted(site.puts()) == ["event", "merch", "seat", "ticket"]
    assert site.content["seat"]["plan"]["zones"][0]["rows"][0]["seats"][0]["seat_guid"] == "A-1"
    assert site.content["event"]["performances"] == [
        {"id": "p1", "starts_at": "2090-01-10T19:30:00+09:00", "ends_at": "2090-01-10T21:30:00+09:00"}
    ]
    assert site.content["event"]["payment_test"] is True
    assert site.content["merch"]["products"][0]["id"] == "program"


def test_a_slow_start_is_waited_for_without_holding_a_worker(seller: Any, site: Site) -> None:
    runtime = SiteRuntime(site, ready_after=3)
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)

    converge(system.pk, runtime=runtime)

    system.refresh_from_db()
    step = last(system).steps.get(name="start")
    assert (system.state, system.lease_owner, step.state) == (State.DEPLOYING, "", "running")
    assert {item["health"] for item in step.progress["workloads"]} == {"progressing"}
    assert system.next_check_at is not None
    assert settle(system, runtime).state == State.LIVE


def test_a_crash_loop_ends_the_deployment_with_its_reason_and_nothing_left_running(seller: Any, runtime: SiteRuntime) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    runtime.will_fail(system.namespace, "seat", message="KeyError: 'SEAT_PIN'")

    settle(system, runtime)

    assert (system.state, system.reason_code) == (State.FAILED, "workload_failed")
    assert system.reason == "The seat service does not start: KeyError: 'SEAT_PIN'"
    assert last(system).steps.get(name="start").state == "failed"
    assert runtime.observe(system.ref).health is Health.ABSENT
    assert selectors.public_events() == []


def test_what_failed_can_be_tried_again(seller: Any, runtime: SiteRuntime) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    runtime.will_fail(system.namespace, "seat")
    settle(system, runtime)
    runtime.recovers(system.namespace, "seat")

    services.system_retry(system=system, acting_user=seller)

    assert settle(system, runtime).state == State.LIVE
    assert system.generation == 2


@pytest.mark.parametrize("error", [Rejected("unknown field"), Forbidden("may not"), QuotaFull("no room")])
@pytest.mark.parametrize("method", ["preview", "apply"])
def test_a_refusal_of_the_runtime_ends_the_operation_at_once(seller: Any, runtime: SiteRuntime, method: str, error: Any) -> None:
    runtime.raises(method, error)

    system = deployed(seller, runtime, areas_requirement())

    assert (system.state, system.reason_code) == (State.FAILED, error.code)
    assert error.reason in system.reason


def test_an_absent_runtime_is_tried_again_with_backoff(seller: Any, runtime: SiteRuntime, sent: list[Any]) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    runtime.unavailable_for(3)

    for _ in range(3):
        converge(system.pk, runtime=runtime)

    assert [delay for _, _, delay in sent] == [0.0, 0.25, 0.5, 1.0]
    assert settle(system, runtime).state == State.LIVE
    assert system.attempts == 0


def test_without_progress_the_operation_ends_with_the_last_reason(seller: Any, runtime: SiteRuntime) -> None:
    with time_machine.travel("2026-11-21T00:00:00Z", tick=False) as clock:
        system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
        runtime.unavailable_for(1_000)
        converge(system.pk, runtime=runtime)
        clock.shift(timedelta(seconds=121))
        converge(system.pk, runtime=runtime)

    system.refresh_from_db()
    assert (system.state, system.reason_code) == (State.FAILED, "no_progress")
    assert "The runtime does not answer" in system.reason


def test_a_start_that_never_ends_is_bounded(seller: Any, site: Site) -> None:
    runtime = SiteRuntime(site, ready_after=10_000)
    with time_machine.travel("2026-11-21T00:00:00Z", tick=False) as clock:
        system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
        converge(system.pk, runtime=runtime)
        clock.shift(timedelta(seconds=121))
        converge(system.pk, runtime=runtime)

    system.refresh_from_db()
    assert (system.state, system.reason_code) == (State.FAILED, "no_progress")
    assert "0 of 5 services are ready" in system.reason


@pytest.mark.parametrize(
    ("call", "answer", "code"),
    [
        (("PUT", "/api/seat/content"), (409, {"code": "would_orphan", "places": ["A-1", "A-2"]}), "would_orphan"),
        (("PUT", "/api/event/content"), (422, {"code": "invalid", "detail": "title"}), "content_refused"),
        (("GET", "/api/auth/jwks.json"), (200, {"keys": []}), "check_keys"),
        (("GET", "/performances/p1"), (500, {}), "check_page"),
        (("POST", "/api/seat/probe"), (409, {"code": "no_place", "detail": "no place"}), "check_probe"),
        (("PUT", "/api/ticket/content"), (500, {"detail": "boom"}), "content_refused"),
    ],
)
def test_a_service_that_refuses_or_answers_wrongly_ends_the_deployment_with_the_reason(
    seller: Any, runtime: SiteRuntime, site: Site, call: tuple[str, str], answer: tuple[int, Any], code: str
) -> None:
    site.answers[call] = answer

    system = deployed(seller, runtime)

    assert (system.state, system.reason_code) == (State.FAILED, code)


def test_a_service_that_fails_once_after_its_start_is_asked_again(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    site.answers["GET", "/performances/p1"] = (503, {})
    system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)
    converge(system.pk, runtime=runtime)
    del site.answers["GET", "/performances/p1"]

    assert settle(system, runtime).state == State.LIVE


def test_an_update_gives_only_what_changed(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    site.calls.clear()

    services.system_update(system=system, requirement=numbered_requirement(grades=[{"name": "R", "price_krw": 99000}]), acting_user=seller)
    settle(system, runtime)

    assert site.puts() == ["seat"]
    assert (system.state, system.live_revision.number) == (State.LIVE, 2)  # type: ignore[union-attr]
    assert last(system).steps.get(name="preview").message == "0 to create, 0 to change, 0 to remove."


def test_an_update_that_would_orphan_a_seat_is_refused_before_anything_is_applied(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    site.answers["PUT", "/api/seat/content"] = (409, {"code": "would_orphan", "places": [{"label": "A-4", "performance": "p1"}]})
    runtime.calls.clear()

    services.system_update(
        system=system, requirement=numbered_requirement(3, limit_per_buyer=3, merchandise=False, products=[]), acting_user=seller
    )
    settle(system, runtime)

    assert (system.state, system.reason_code) == (State.LIVE, "would_orphan")
    assert "A-4 (p1)" in system.reason
    assert ("apply", system.namespace) not in runtime.calls
    assert system.live_revision.number == 1  # type: ignore[union-attr]


AREAS = {"numbered": False, "areas": [{"id": "floor", "name": "스탠딩", "capacity": 300, "grade": "R"}]}
STANDS = {"paid_tickets_for_coming": 2, "open_payments": 1}


@pytest.mark.parametrize(
    ("changes", "path", "answer", "code", "named"),
    [
        (
            {"seating": AREAS},
            "/api/seat/summary",
            {"performances": [{"id": "p1", "held": 1, "sold": 0}]},
            "would_orphan_seats",
            "2090-01-10 19:30 (1)",
        ),
        ({"payment": "none"}, "/api/ticket/open", STANDS, "would_orphan_payments", "1 payments under way, 2 paid tickets"),
        ({"payment": "none"}, "/api/merch/open", {"paid_orders_to_pick_up": 3}, "would_orphan_payments", "3 paid orders of merchandise"),
        ({"merchandise": False, "products": []}, "/api/merch/open", {"open_payments": 4}, "would_orphan_goods", "4 payments are under way"),
    ],
    ids=["seats become areas", "no payment", "no payment for merchandise", "no merchandise"],
)
def test_a_change_of_shape_that_would_orphan_is_refused_before_anything_is_applied(
    changes: dict[str, Any], path: str, answer: dict[str, Any], code: str, named: str, seller: Any, runtime: SiteRuntime, site: Site
) -> None:
    system = deployed(seller, runtime)
    site.answers["GET", path] = (200, answer)
    runtime.calls.clear()
    site.calls.clear()

    services.system_update(system=system, requirement=numbered_requirement(**changes), acting_user=seller)
    settle(system, runtime)

    assert (system.state, system.reason_code) == (State.LIVE, code)
    assert named in system.reason
    assert ("apply", system.namespace) not in runtime.calls
    assert site.puts() == []

    del site.answers["GET", path]
    services.system_retry(system=system, acting_user=seller)
    settle(system, runtime)
    assert (system.state, system.reason_code, last(system).state) == (State.LIVE, "", "succeeded")


def is_closed(site: Site, service: str) -> bool:
    """Whether nothing can be begun at SERVICE with the content that it was given last."""
    given = site.content[service]
    return given["sales"]["closes_at"] < "2001" if service == "seat" else not given["products"]


@pytest.mark.parametrize(
    ("changes", "closed", "path", "answer", "code"),
    [
        ({"payment": "none"}, "seat", "/api/seat/summary", {"performances": [{"id": "p1", "held": 2}]}, "bookings_under_way"),
        ({"payment": "none"}, "seat", "/api/ticket/open", {"open_payments": 1}, "would_orphan_payments"),
        ({"payment": "none"}, "merch", "/api/merch/open", {"open_payments": 1}, "would_orphan_payments"),
        ({"merchandise": False, "products": []}, "merch", "/api/merch/open", {"open_payments": 1}, "would_orphan_goods"),
    ],
    ids=["a hold", "an order", "an order of goods", "an order of goods that go"],
)
def test_what_begins_after_the_services_were_asked_stops_the_change_too(
    changes: dict[str, Any],
    closed: str,
    path: str,
    answer: dict[str, Any],
    code: str,
    seller: Any,
    runtime: SiteRuntime,
    site: Site,
) -> None:
    system = deployed(seller, runtime)
    before = dict(site.content)
    runtime.calls.clear()

    def begin(method: str, asked: str) -> None:
        """The last one to begin anything does so just before the service is closed."""
        if (method, asked) == ("PUT", f"/api/{closed}/content"):
            site.answers["GET", path] = (200, answer)

    site.before_answer = begin
    services.system_update(system=system, requirement=numbered_requirement(**changes), acting_user=seller)
    settle(system, runtime)

    assert (system.state, system.reason_code) == (State.LIVE, code)
    assert ("apply", system.namespace) not in runtime.calls
    # It is open again for everybody else.
    assert site.content == before
    assert system.content_given == system.content_live

    site.before_answer = lambda method, asked: None
    del site.answers["GET", path]
    services.system_retry(system=system, acting_user=seller)
    settle(system, runtime)
    assert (system.state, last(system).state) == (State.LIVE, "succeeded")


@pytest.mark.parametrize(
    ("changes", "closed"),
    [({"payment": "none"}, {"seat", "merch"}), ({"merchandise": False, "products": []}, {"merch"}), ({"title": "Another"}, set())],
    ids=["no payment", "no merchandise", "no change of shape"],
)
def test_while_what_would_be_orphaned_is_taken_away_nothing_can_begin(
    changes: dict[str, Any], closed: set[str], seller: Any, runtime: SiteRuntime, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = deployed(seller, runtime)
    apply, found = runtime.apply, []

    def look_and_apply(*arguments: Any) -> None:
        found.append(({service for service in ("seat", "merch") if is_closed(site, service)}, site.calls[-1][0]))
        apply(*arguments)

    monkeypatch.setattr(runtime, "apply", look_and_apply)
    runtime.raises("preview", RuntimeUnavailable("away"))
    services.system_update(system=system, requirement=numbered_requirement(**changes), acting_user=seller)
    settle(system, runtime)

    assert last(system).state == "succeeded"
    assert [shut for shut, _ in found] == [closed]
    if closed:
        assert found[0][1] == "GET", "asked after it was closed"
    open_ones = {"seat", *({"merch"} if system.live_revision.requirement.data["merchandise"] else ())}  # type: ignore[union-attr]
    assert not any(is_closed(site, service) for service in open_ones)


@pytest.mark.parametrize("error", [RuntimeUnavailable("away"), Rejected("unknown field")])
def test_what_was_closed_for_a_change_that_fails_is_opened_again(seller: Any, runtime: SiteRuntime, site: Site, error: Any) -> None:
    system = deployed(seller, runtime)
    before = dict(site.content)
    site.calls.clear()
    runtime.raises("apply", error)

    services.system_update(system=system, requirement=numbered_requirement(payment="none"), acting_user=seller)
    settle(system, runtime)

    if isinstance(error, Rejected):
        assert (system.state, system.reason_code, site.content) == (State.LIVE, "rejected", before)
    else:
        assert last(system).state == "succeeded"
        assert not is_closed(site, "seat")
    assert site.puts().count("seat") == 2, "closed once, opened once"


def test_while_nobody_says_what_is_sold_the_shape_stays(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    site.answers["GET", "/api/ticket/open"] = (502, {})
    runtime.calls.clear()

    services.system_update(system=system, requirement=numbered_requirement(payment="none"), acting_user=seller)
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    assert ("apply", system.namespace) not in runtime.calls
    del site.answers["GET", "/api/ticket/open"]
    assert settle(system, runtime).state == State.LIVE
    assert last(system).state == "succeeded"


def test_a_system_that_rests_keeps_its_shape(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    operating.system_suspend(system=system, acting_user=seller)
    settle(system, runtime)
    services.system_update(system=system, requirement=numbered_requirement(payment="none"), acting_user=seller)
    settle(system, runtime)

    assert (last(system).state, last(system).reason_code) == ("failed", "shape_while_suspended")
    assert system.live_revision
    assert system.live_revision.requirement.data["payment"] == "kakaopay"


def test_an_update_that_fails_leaves_the_live_revision_and_its_content(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    before = runtime.observe(system.ref).fingerprint
    runtime.will_fail(system.namespace, "merch")

    services.system_update(
        system=system,
        requirement=numbered_requirement(payment="none", limit_per_buyer=2),
        acting_user=seller,
    )
    settle(system, runtime)
    runtime.recovers(system.namespace, "merch")
    settle(system, runtime)

    assert (system.state, system.reason_code, last(system).state) == (State.LIVE, "workload_failed", "failed")
    assert runtime.observe(system.ref).fingerprint == before == system.live_fingerprint
    assert site.content["seat"]["limit_per_buyer"] == 4
    assert site.content["event"]["payment"] == "kakaopay"
    assert [event.slug for event in selectors.public_events()] == ["little"]


def test_content_that_a_failed_update_gave_is_taken_back(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    site.answers["POST", "/api/seat/probe"] = (409, {})

    services.system_update(system=system, requirement=numbered_requirement(limit_per_buyer=2, title="다른 제목"), acting_user=seller)
    settle(system, runtime)
    settle(system, runtime)

    assert (system.state, system.reason_code) == (State.LIVE, "check_probe")
    assert site.content["seat"]["limit_per_buyer"] == 4
    assert site.content["event"]["title"] == "작은 뮤지컬"
    assert system.content_given == system.content_live


def test_a_later_wish_takes_the_place_of_one_that_runs(seller: Any, site: Site) -> None:
    runtime = SiteRuntime(site, ready_after=3)
    system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)
    converge(system.pk, runtime=runtime)

    services.system_update(system=system, requirement=numbered_requirement(title="새 제목"), acting_user=seller)
    settle(system, runtime)

    first, second = system.operations.order_by("id")
    assert (first.state, second.state, system.state) == ("superseded", "succeeded", "live")
    assert site.content["event"]["title"] == "새 제목"
    assert not first.steps.filter(state="running").exists()


def test_a_wish_made_in_the_middle_of_a_look_is_seen_by_it(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)

    def change_once(method: str, path: str) -> None:
        if (method, path) == ("PUT", "/api/event/content") and system.operations.count() == 1:
            services.system_update(
                system=BookingSystem.objects.get(pk=system.pk), requirement=numbered_requirement(title="새 제목"), acting_user=seller
            )

    site.before_answer = change_once
    converge(system.pk, runtime=runtime)
    system.refresh_from_db()

    assert (system.state, system.observed_generation) == (State.LIVE, 2)
    assert site.content["event"]["title"] == "새 제목"


def test_an_update_for_a_form_that_is_out_of_date_is_refused(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)

    with pytest.raises(GenerationConflict):
        services.system_update(system=system, requirement=numbered_requirement(), acting_user=seller, expected_generation=0)

    assert system.operations.count() == 1


def test_a_rollback_runs_the_old_plan_and_keeps_todays_content(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    first = system.live_revision
    assert first
    services.system_update(
        system=system,
        requirement=numbered_requirement(title="새 제목", merchandise=False, products=[]),
        acting_user=seller,
    )
    settle(system, runtime)

    services.system_rollback(system=system, revision=first, acting_user=seller)
    settle(system, runtime)

    assert system.live_revision
    assert (system.state, system.live_revision.number) == (State.LIVE, 3)
    assert system.live_revision.manifests == first.manifests
    assert site.content["event"]["title"] == "새 제목"
    assert selectors.requirement_of(system)["merchandise"] is True
    assert "merch" in {workload.name for workload in runtime.observe(system.ref).workloads}


def test_a_rollback_to_another_systems_revision_is_refused(seller: Any, runtime: SiteRuntime) -> None:
    one = deployed(seller, runtime)
    other = deployed(seller, runtime, areas_requirement())

    with pytest.raises(Refused):
        services.system_rollback(system=one, revision=other.live_revision, acting_user=seller)  # type: ignore[arg-type]


def test_what_somebody_took_away_by_hand_is_put_back(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.delete(system.ref)

    converge(system.pk, runtime=runtime)
    settle(system, runtime)

    assert runtime.observe(system.ref).fingerprint == system.live_fingerprint
    assert AuditRow.objects.filter(action="system.repair", subject_id=str(system.pk)).count() == 1


def test_a_repair_that_does_not_hold_is_tried_ever_more_seldom(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    delays = []
    for _ in range(12):
        runtime.delete(system.ref)
        now = timezone.now()
        converge(system.pk, runtime=runtime)
        system.refresh_from_db()
        assert system.next_check_at
        delays.append((system.next_check_at - now).total_seconds())

    assert delays == sorted(delays)
    assert delays[0] < 2
    assert 200 < delays[-1] < 320


def test_health_is_noted_when_it_changes(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.will_fail(system.namespace, "event", message="OOMKilled")

    settle(system, runtime)

    assert (system.state, system.health) == (State.LIVE, "failed")
    assert "OOMKilled" in system.health_message


def test_deleting_takes_everything_down_and_frees_the_address(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    runtime.deletes_after(system.namespace, looks=2)

    services.system_delete(system=system, typed_name="작은 뮤지컬", acting_user=seller)
    settle(system, runtime)

    assert (system.state, system.slug, system.desired_state) == (State.DELETED, None, Desired.DELETED)
    assert system.archive.state == "complete"
    assert runtime.observe(system.ref).health is Health.ABSENT
    assert not system.secrets.exists()
    assert not selectors.systems_of(seller).exists()
    assert deployed(seller, runtime).slug == "little"


def test_deleting_is_refused_for_another_name(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)

    with pytest.raises(DeletionRefused) as caught:
        services.system_delete(system=system, typed_name="작은 뮤지", acting_user=seller)

    assert caught.value.reason.code == "name_differs"


def test_deleting_is_refused_while_paid_tickets_stand_and_says_how_many(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    site.answers["GET", "/api/ticket/open"] = (200, {"paid_tickets_for_coming": 7, "open_payments": 1})

    with pytest.raises(DeletionRefused) as caught:
        services.system_delete(system=system, typed_name="little", acting_user=seller)

    assert (caught.value.reason.code, caught.value.reason.params) == ("paid_tickets_stand", {"tickets": 7, "payments": 1})
    assert system.operations.count() == 1


def test_deleting_is_refused_when_nobody_knows_what_was_sold_and_an_admin_may_insist(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    site.answers["GET", "/api/ticket/open"] = (503, {})

    with pytest.raises(DeletionRefused) as caught:
        services.system_delete(system=system, typed_name="little", acting_user=seller, force=True)
    assert caught.value.reason.code == "tickets_unknown"

    seller.role = "admin"
    services.system_delete(system=system, typed_name="little", acting_user=seller, force=True)
    assert settle(system, runtime).state == State.DELETED


def test_what_is_sold_between_asking_and_deleting_stops_the_deletion(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    services.system_delete(system=system, typed_name="little", acting_user=seller)
    site.answers["GET", "/api/ticket/open"] = (200, {"paid_tickets_for_coming": 1, "open_payments": 0})

    settle(system, runtime)

    assert (system.state, system.desired_state, system.reason_code) == (State.LIVE, Desired.LIVE, "paid_tickets_stand")
    assert runtime.observe(system.ref).health is Health.READY


def test_a_system_that_never_went_live_is_deleted_without_asking(seller: Any, runtime: SiteRuntime) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    runtime.will_fail(system.namespace, "seat")
    settle(system, runtime)

    services.system_delete(system=system, typed_name="river", acting_user=seller)

    assert settle(system, runtime).state == State.DELETED


def test_a_deletion_the_runtime_refuses_fails_and_can_be_tried_again(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.raises("delete", Forbidden("no verb delete"))
    services.system_delete(system=system, typed_name="little", acting_user=seller)
    settle(system, runtime)
    assert (system.state, system.reason_code) == (State.FAILED, "forbidden")

    services.system_retry(system=system, acting_user=seller)

    assert settle(system, runtime).state == State.DELETED


def test_a_draft_is_deleted_at_once(seller: Any) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller)

    assert services.system_delete(system=system, typed_name="river", acting_user=seller) is None
    system.refresh_from_db()
    assert (system.state, system.slug) == (State.DELETED, None)


def test_no_text_of_a_secret_is_in_a_revision_an_operation_or_the_audit_trail(seller: Any, runtime: SiteRuntime, settings: Any) -> None:
    system = deployed(seller, runtime)
    texts = [text for files in runtime.systems[system.namespace].secrets.values() for text in files.values()]
    revision = system.live_revision
    written = repr(
        [revision.plan, revision.manifests, list(system.operations.values()), list(AuditRow.objects.values())]  # type: ignore[union-attr]
    )

    assert settings.KAKAOPAY_SECRET_KEY in texts
    assert not [text for text in texts if text and text in written]  # a mail server that is not set is an empty text
