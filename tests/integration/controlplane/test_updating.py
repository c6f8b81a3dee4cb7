"""What becomes of a live system that is changed or rolled back: its revisions, and its content."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from controlplane.systems import selectors, services
from controlplane.systems.converge import converge
from controlplane.systems.errors import GenerationConflict, Refused, RequirementInvalid
from controlplane.systems.models import BookingSystem, State
from tests.controlplane import Site, SiteRuntime, areas_requirement, numbered_requirement
from tests.integration.controlplane.looks import deployed, last, settle

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_performance_that_a_change_in_vain_left_out_can_be_named_again_when_it_has_begun(
    seller: Any, runtime: SiteRuntime, site: Site
) -> None:
    tonight, later = ({"id": name, "starts_at": f"2090-01-{day}T19:30:00+09:00"} for name, day in (("p1", 10), ("p2", 20)))
    sales = {"opens_at": "2020-01-01T00:00:00+09:00", "closes_at": "2090-01-20T18:30:00+09:00"}
    system = deployed(seller, runtime, numbered_requirement(performances=[tonight, later], sales=sales))
    site.answers["PUT", "/api/ticket/content"] = (409, {"code": "would_orphan", "performances": ["p1"]})
    services.system_update(system=system, requirement=numbered_requirement(performances=[later], sales=sales), acting_user=seller)
    settle(system, runtime)
    assert last(system).reason_code == "would_orphan"
    del site.answers["PUT", "/api/ticket/content"]

    with time_machine.travel("2090-01-11T00:00:00+09:00", tick=True):
        again = [{"starts_at": tonight["starts_at"]}, later]
        services.system_update(
            system=system, requirement=numbered_requirement(title="Another", performances=again, sales=sales), acting_user=seller
        )
        with pytest.raises(RequirementInvalid):  # one that never was is still refused
            services.system_update(
                system=system,
                requirement=numbered_requirement(performances=[{"starts_at": "2090-01-09T19:30:00+09:00"}, later], sales=sales),
                acting_user=seller,
            )
    assert system.requirement
    assert [each["id"] for each in system.requirement.data["performances"]] == ["p1", "p2"]
