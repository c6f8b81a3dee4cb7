"""From a seller's wish to a live system: the services and converge, with a scripted runtime and services that speak HTTP."""

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
from controlplane.systems.models import Operation, State
from tests.controlplane import Site, SiteRuntime, areas_requirement, numbered_requirement
from tests.integration.controlplane.looks import deployed, last, settle
from tests.runtime_contract.systems import SECRETS, system_objects

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_runtime_that_says_when_it_may_be_asked_again_is_asked_then_whatever_events_there_are(
    seller: Any, runtime: SiteRuntime, sent: list[Any]
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
        runtime.raises("apply", RuntimeUnavailable("Too many requests.", retry_after_s=7))
        for _ in range(4):
            converge(system.pk, runtime=runtime)
        assert [method for method, _ in runtime.calls].count("apply") == 1
        assert [delay for _, _, delay in sent] == [0.0, 7.0]

        clock.shift(7)
        assert settle(system, runtime).state == State.LIVE


def test_who_asks_for_something_else_waits_for_no_runtime_that_was_to_be_spared(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.raises("apply", RuntimeUnavailable("Too many requests.", retry_after_s=30))
    operating.system_restart(system=system, service="seat", acting_user=seller)
    converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    assert system.not_before

    services.system_delete(system=system, typed_name=system.title, acting_user=seller)

    assert settle(system, runtime).state == State.DELETED


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
        (("PUT", "/api/event/content"), (422, {"code": "invalid", "errors": {"title": ["too long"]}}), "content_refused"),
        (
            ("PUT", "/api/event/content"),
            (422, {"code": "invalid", "errors": {"organiser": ["There is no such field."]}}),
            "content_unknown",
        ),
        (("GET", "/api/auth/jwks.json"), (200, {"keys": []}), "check_keys"),
        (("GET", "/api/auth/jwks.json"), (429, {"code": "too_many_requests"}), "check_page"),
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


def test_no_text_of_a_secret_is_in_a_revision_an_operation_or_the_audit_trail(seller: Any, runtime: SiteRuntime, settings: Any) -> None:
    system = deployed(seller, runtime)
    texts = [text for files in runtime.systems[system.namespace].secrets.values() for text in files.values()]
    revision = system.live_revision
    written = repr(
        [revision.plan, revision.manifests, list(system.operations.values()), list(AuditRow.objects.values())]  # type: ignore[union-attr]
    )

    assert settings.KAKAOPAY_SECRET_KEY in texts
    assert not [text for text in texts if text and text in written]  # a mail server that is not set is an empty text


def test_a_number_that_was_given_out_before_neither_takes_over_nor_clears_away(seller: Any, runtime: SiteRuntime) -> None:
    """The database was restored from before an event opened; the next one is given its number."""
    system = services.system_create(requirement=numbered_requirement(), acting_user=seller)
    runtime.apply(system.ref, system_objects(system.ref), SECRETS)
    runtime.calls.clear()

    services.system_deploy(system=system, acting_user=seller)
    settle(system, runtime)
    assert (system.state, system.reason_code) == (State.FAILED, "owned_by_another")
    services.system_retry(system=system, acting_user=seller)
    settle(system, runtime)
    services.system_delete(system=system, typed_name="little", acting_user=seller)
    assert settle(system, runtime).state == State.DELETED

    assert not {method for method, _ in runtime.calls} & {"apply", "delete"}
    assert system.namespace in runtime.systems


def test_what_was_cleared_away_is_given_its_content_again_when_it_is_tried_again(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    """Its databases went with it, so what the services were given the first time nobody has any more."""
    site.answers["POST", "/api/seat/probe"] = (409, {"code": "no_content"})
    system = deployed(seller, runtime)
    assert (system.state, system.reason_code) == (State.FAILED, "check_probe")
    assert runtime.observe(system.ref).health is Health.ABSENT
    del site.answers["POST", "/api/seat/probe"]
    site.content.clear()

    services.system_retry(system=system, acting_user=seller)

    assert settle(system, runtime).state == State.LIVE
    assert set(site.content) == {"event", "merch", "seat", "ticket"}


def test_what_is_still_being_removed_from_its_place_is_waited_for(seller: Any, runtime: SiteRuntime) -> None:
    system = services.system_create(requirement=numbered_requirement(), acting_user=seller)
    runtime.apply(system.ref, system_objects(system.ref), SECRETS)
    runtime.deletes_after(system.namespace, looks=2)
    runtime.delete(system.ref)

    services.system_deploy(system=system, acting_user=seller)

    assert settle(system, runtime).state == State.LIVE
