"""Scaling, moving, restarting, suspending and resuming a live system: each a revision with its steps, and each can be taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controlplane.accounts.models import User
from controlplane.lib.models import AuditRow
from controlplane.rendering.adjustments import Autoscale
from controlplane.rendering.images import ResourcesPlan
from controlplane.runtime.errors import QuotaFull, RuntimeUnavailable
from controlplane.runtime.port import Node, Observation, Resize, SystemRef
from controlplane.systems import event_page, operating, services
from controlplane.systems.asks import Scale
from controlplane.systems.converge import converge
from controlplane.systems.errors import GenerationConflict, Refused
from controlplane.systems.models import BookingSystem, Operation, State
from controlplane.systems.preview import ask_preview
from tests.controlplane import UNMEASURED, Site, SiteRuntime, numbered_requirement
from tests.integration.controlplane.looks import deployed, last, settle

pytestmark = pytest.mark.django_db(transaction=True)
SMALL = ResourcesPlan(cpu_request_m=30, cpu_limit_m=500, memory_request_mib=90, memory_limit_mib=200, scratch_mib=64)


@pytest.fixture(autouse=True)
def on_a_cluster(settings: Any) -> None:
    settings.RUNTIME, settings.BOOKING_DATABASE = "fake", "mariadb"


@pytest.fixture
def nodes(site: Site) -> SiteRuntime:
    """A runtime of three nodes, the last of which is down."""
    ready = [Node(name, name != "n3", cpu_m=4000, memory_bytes=8 << 30) for name in ("n1", "n2", "n3")]
    return SiteRuntime(site, nodes=tuple(ready))


@pytest.fixture
def live(seller: User, nodes: SiteRuntime) -> BookingSystem:
    return deployed(seller, nodes)


def running(system: BookingSystem, runtime: SiteRuntime, kind: str, name: str) -> dict[str, Any] | None:
    objects = runtime.systems[system.namespace].objects
    return next((item for item in objects if (item["kind"], item["metadata"]["name"]) == (kind, name)), None)


def spec_of(system: BookingSystem, runtime: SiteRuntime, name: str) -> dict[str, Any]:
    found = running(system, runtime, "Deployment", name)
    assert found
    spec: dict[str, Any] = found["spec"]
    return spec


def test_scaling_is_a_revision_of_its_own_that_a_rollback_takes_back(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    before = live.live_revision
    assert before

    operation = operating.system_scale(system=live, service="seat", replicas=3, resources=SMALL, acting_user=seller)
    settle(live, nodes)

    operation.refresh_from_db()
    assert (operation.kind, operation.state, live.state) == ("scale", "succeeded", State.LIVE)
    assert live.live_revision != before
    seat = spec_of(live, nodes, "seat")
    assert seat["replicas"] == 3
    assert seat["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] == "200Mi"
    assert running(live, nodes, "PodDisruptionBudget", "seat")
    changes = {(change["kind"], change["name"]) for change in operation.result["changes"]}
    assert {("Deployment", "seat"), ("PodDisruptionBudget", "seat")} <= changes
    assert AuditRow.objects.filter(action="system.scale").exists()

    services.system_rollback(system=live, revision=before, acting_user=seller)
    settle(live, nodes)
    assert spec_of(live, nodes, "seat")["replicas"] == 1
    services.system_update(system=live, requirement=numbered_requirement(title="Another"), acting_user=seller)
    settle(live, nodes)
    assert spec_of(live, nodes, "seat")["replicas"] == 1


@pytest.mark.parametrize(
    ("resize", "code", "words"),
    [
        (Resize(is_in_place=True), "step_resized", "Resized without a restart: seat."),
        (Resize(is_in_place=False, why="No room on n1."), "step_resized_anew", "new copies for its new size: No room on n1."),
    ],
)
def test_the_step_says_how_a_new_size_was_given(
    live: BookingSystem, nodes: SiteRuntime, seller: User, monkeypatch: pytest.MonkeyPatch, resize: Resize, code: str, words: str
) -> None:
    observe = nodes.observe

    def with_resize(system: SystemRef) -> Observation:
        seen = observe(system)
        return replace(seen, workloads=tuple(replace(one, resize=resize) if one.name == "seat" else one for one in seen.workloads))

    monkeypatch.setattr(nodes, "observe", with_resize)
    operating.system_scale(system=live, service="seat", resources=SMALL, acting_user=seller)
    settle(live, nodes)

    step = last(live).steps.get(name="start")
    assert (step.state, step.message_code) == ("done", code)
    assert words in step.message


def test_what_was_scaled_stays_so_through_an_update(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    operating.system_scale(system=live, service="web", replicas=2, acting_user=seller)
    services.system_update(system=live, requirement=numbered_requirement(title="Another"), acting_user=seller)
    settle(live, nodes)

    assert spec_of(live, nodes, "web")["replicas"] == 2


def test_an_autoscaler_decides_the_replicas_until_a_number_is_given_again(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    operating.system_scale(system=live, service="web", autoscale=Autoscale(2, 6, 70), acting_user=seller)
    settle(live, nodes)
    scaler = running(live, nodes, "HorizontalPodAutoscaler", "web")
    assert scaler
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (2, 6)
    assert "replicas" not in spec_of(live, nodes, "web")

    operating.system_scale(system=live, service="web", replicas=2, acting_user=seller)
    settle(live, nodes)
    assert running(live, nodes, "HorizontalPodAutoscaler", "web") is None
    assert spec_of(live, nodes, "web")["replicas"] == 2


def test_an_autoscaler_that_does_nothing_is_told_of_its_service_and_holds_nothing_up(
    live: BookingSystem, nodes: SiteRuntime, seller: User
) -> None:
    operating.system_scale(system=live, service="web", autoscale=Autoscale(2, 6, 70), acting_user=seller)
    settle(live, nodes)
    nodes.autoscaler_says(live.namespace, "web", UNMEASURED)
    operating.system_restart(system=live, service="web", acting_user=seller)
    settle(live, nodes)

    assert (last(live).state, live.state, live.health, live.health_message) == (Operation.State.SUCCEEDED, State.LIVE, "ready", "")
    told = {workload["name"]: workload["idle_autoscaler"] for workload in live.health_workloads}
    assert {name for name, words in told.items() if words} == {"web"}
    assert "(FailedGetResourceMetric)" in told["web"]

    nodes.autoscaler_says(live.namespace, "web")
    settle(live, nodes)
    assert not any(workload["idle_autoscaler"] for workload in live.health_workloads)


def test_a_move_names_the_node_and_surges(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    operating.system_move(system=live, service="seat", node="n2", runtime=nodes, acting_user=seller)
    settle(live, nodes)

    spec = spec_of(live, nodes, "seat")
    terms = spec["template"]["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms == [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]}]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}

    operating.system_move(system=live, service="seat", node="", runtime=nodes, acting_user=seller)
    settle(live, nodes)
    assert "affinity" not in spec_of(live, nodes, "seat")["template"]["spec"]


def test_a_restart_replaces_the_pods_each_time(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    templates = [spec_of(live, nodes, "web")["template"]]
    for _ in range(2):
        operating.system_restart(system=live, service="web", acting_user=seller)
        settle(live, nodes)
        templates.append(spec_of(live, nodes, "web")["template"])

    assert templates[0] != templates[1] != templates[2]
    assert last(live).kind == "restart"


def test_a_suspended_system_runs_nothing_but_its_database_and_comes_back_as_it_was(
    live: BookingSystem, nodes: SiteRuntime, seller: User, site: Site
) -> None:
    operating.system_scale(system=live, service="web", replicas=2, acting_user=seller)
    settle(live, nodes)
    asked = len(site.calls)

    operating.system_suspend(system=live, acting_user=seller)
    settle(live, nodes)

    assert (live.state, live.health, last(live).state) == (State.SUSPENDED, "suspended", "succeeded")
    assert {item["spec"]["replicas"] for item in nodes.systems[live.namespace].objects if item["kind"] == "Deployment"} == {0}
    assert running(live, nodes, "StatefulSet", "mariadb")["spec"]["replicas"] == 1  # type: ignore[index]
    assert len(site.calls) == asked
    converge(live.pk, runtime=nodes)
    live.refresh_from_db()
    assert (live.state, live.attempts) == (State.SUSPENDED, 0)

    operating.system_resume(system=live, acting_user=seller)
    settle(live, nodes)
    assert live.state == State.LIVE
    assert spec_of(live, nodes, "web")["replicas"] == 2
    assert spec_of(live, nodes, "seat")["replicas"] == 1


def test_an_update_of_a_suspended_system_leaves_it_suspended(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    operating.system_suspend(system=live, acting_user=seller)
    settle(live, nodes)
    services.system_update(system=live, requirement=numbered_requirement(title="Another"), acting_user=seller)
    settle(live, nodes)

    assert (live.state, live.title) == (State.SUSPENDED, "Another")
    assert spec_of(live, nodes, "web")["replicas"] == 0


def test_a_change_that_fails_leaves_the_live_revision_as_it_is(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    nodes.will_fail(live.namespace, "seat", reason="Unschedulable", message="It fits on no node.")
    operating.system_move(system=live, service="seat", node="n2", runtime=nodes, acting_user=seller)
    for _ in range(30):
        converge(live.pk, runtime=nodes)
        live.refresh_from_db()
        if not live.operations.filter(state=Operation.State.RUNNING).exists():
            break
    nodes.recovers(live.namespace, "seat")
    converge(live.pk, runtime=nodes)
    live.refresh_from_db()

    assert (live.state, live.reason_code) == (State.LIVE, "workload_failed")
    assert "affinity" not in spec_of(live, nodes, "seat")["template"]["spec"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"service": "nothing", "replicas": 2}, "no_such_service"),
        ({"service": "seat", "replicas": 0}, "bad_replicas"),
        ({"service": "seat", "replicas": 21}, "bad_replicas"),
        ({"service": "seat", "autoscale": Autoscale(3, 2, 70)}, "bad_range"),
        ({"service": "seat", "autoscale": Autoscale(1, 2, 0)}, "bad_replicas"),
        ({"service": "seat", "resources": ResourcesPlan(600, 500, 90, 200, 64)}, "bad_resources"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(live: BookingSystem, seller: User, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        operating.system_scale(system=live, acting_user=seller, **asked)

    assert refused.value.reason.code == code
    live.refresh_from_db()
    assert live.adjustments == {}


def test_a_node_that_is_not_ready_or_not_known_is_refused(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    for node in ("n3", "nowhere"):
        with pytest.raises(Refused) as refused:
            operating.system_move(system=live, service="seat", node=node, runtime=nodes, acting_user=seller)
        assert refused.value.reason.code == "no_such_node"
    nodes.unavailable_for(1)
    with pytest.raises(RuntimeUnavailable):
        operating.system_move(system=live, service="seat", node="n1", runtime=nodes, acting_user=seller)


def test_each_state_allows_what_makes_sense_in_it(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    def code(act: Any, **arguments: Any) -> str:
        with pytest.raises(Refused) as refused:
            act(system=live, acting_user=seller, **arguments)
        return refused.value.reason.code

    assert code(operating.system_resume) == "not_suspended"
    operating.system_suspend(system=live, acting_user=seller)
    assert code(operating.system_suspend) == "is_suspended"
    assert code(operating.system_scale, service="seat", replicas=2) == "is_suspended"
    assert code(operating.system_restart, service="seat") == "is_suspended"
    draft = services.system_create(requirement=numbered_requirement(slug="other"), acting_user=seller)
    with pytest.raises(Refused) as refused:
        operating.system_suspend(system=draft, acting_user=seller)
    assert refused.value.reason.code == "not_deployed"


def test_a_service_with_its_data_in_a_file_is_neither_doubled_nor_moved(seller: User, nodes: SiteRuntime, settings: Any) -> None:
    settings.BOOKING_DATABASE = "sqlite"
    system = deployed(seller, nodes)

    for act, arguments in (
        (operating.system_scale, {"replicas": 2}),
        (operating.system_scale, {"autoscale": Autoscale(1, 3, 70)}),
        (operating.system_move, {"node": "n2", "runtime": nodes}),
    ):
        with pytest.raises(Refused) as refused:
            act(system=system, service="seat", acting_user=seller, **arguments)  # type: ignore[operator]
        assert refused.value.reason.code == "needs_database"
    operating.system_scale(system=system, service="web", replicas=2, acting_user=seller)
    settle(system, nodes)
    assert spec_of(system, nodes, "web")["replicas"] == 2


def test_one_machine_neither_moves_nor_autoscales(live: BookingSystem, nodes: SiteRuntime, seller: User, settings: Any) -> None:
    settings.RUNTIME = "local"

    for act, arguments in (
        (operating.system_scale, {"autoscale": Autoscale(1, 2, 50)}),
        (operating.system_move, {"node": "", "runtime": nodes}),
    ):
        with pytest.raises(Refused) as refused:
            act(system=live, service="web", acting_user=seller, **arguments)  # type: ignore[operator]
        assert refused.value.reason.code == "needs_kubernetes"


def test_a_preview_tells_what_would_change_and_what_it_costs_and_changes_nothing(
    live: BookingSystem, nodes: SiteRuntime, seller: User
) -> None:
    shown = ask_preview(system=live, ask=Scale("seat", replicas=3), runtime=nodes)

    fields = {field["path"]: (field["before"], field["after"]) for change in shown.changes for field in change["fields"]}
    assert fields["spec.replicas"] == (1, 3)
    assert shown.cost_now
    assert shown.cost_then.per_month_krw > shown.cost_now.per_month_krw
    live.refresh_from_db()
    assert (live.adjustments, live.operations.count()) == ({}, 1)
    with pytest.raises(Refused):
        ask_preview(system=live, ask=Scale("seat", replicas=99), runtime=nodes)


def test_what_was_decided_about_an_older_state_is_refused(live: BookingSystem, seller: User) -> None:
    decided = live.generation
    operating.system_restart(system=live, service="web", acting_user=seller)

    with pytest.raises(GenerationConflict):
        operating.system_ask(system=live, ask=Scale("web", replicas=2), acting_user=seller, expected_generation=decided)
    with pytest.raises(GenerationConflict):
        services.system_rollback(system=live, revision=live.live_revision, acting_user=seller, expected_generation=decided)


def failing(system: BookingSystem, runtime: SiteRuntime, act: Any, seller: User, **arguments: Any) -> Operation:
    """ACT, which comes to nothing; the runtime is well again afterwards."""
    runtime.raises("preview", QuotaFull("no room"))
    act(system=system, acting_user=seller, **arguments)
    settle(system, runtime)
    operation = last(system)
    assert (operation.state, operation.reason_code) == ("failed", "quota_full")
    return operation


def test_what_failed_is_not_repeated_by_the_next_change(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    operating.system_scale(system=live, service="web", replicas=2, acting_user=seller)
    settle(live, nodes)

    failed = failing(live, nodes, operating.system_scale, seller, service="seat", replicas=9)

    told = failed.steps.get(name="taken_back")
    assert (told.state, told.message_code, told.message_params) == ("done", "step_taken_back", {"number": live.live_revision.number})  # type: ignore[union-attr]
    services.system_update(system=live, requirement=numbered_requirement(title="Another"), acting_user=seller)
    settle(live, nodes)
    assert last(live).state == "succeeded"
    assert (spec_of(live, nodes, "seat")["replicas"], spec_of(live, nodes, "web")["replicas"]) == (1, 2)


def test_what_failed_is_tried_again_as_it_was_asked_for(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    failing(live, nodes, operating.system_scale, seller, service="seat", replicas=3)

    services.system_retry(system=live, acting_user=seller)
    settle(live, nodes)

    assert (last(live).kind, last(live).state, spec_of(live, nodes, "seat")["replicas"]) == ("scale", "succeeded", 3)
    assert live.adjustments["services"]["seat"]["replicas"] == 3


def test_what_could_not_be_suspended_or_resumed_can_be_asked_again(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    failing(live, nodes, operating.system_suspend, seller)
    assert live.state == State.LIVE
    operating.system_scale(system=live, service="web", replicas=2, acting_user=seller)
    settle(live, nodes)
    assert (live.state, last(live).state) == (State.LIVE, "succeeded")

    operating.system_suspend(system=live, acting_user=seller)
    settle(live, nodes)
    failing(live, nodes, operating.system_resume, seller)
    assert live.state == State.SUSPENDED
    operating.system_resume(system=live, acting_user=seller)
    settle(live, nodes)
    assert (live.state, spec_of(live, nodes, "web")["replicas"]) == (State.LIVE, 2)


def test_an_update_that_fails_takes_back_also_the_wish_that_it_took_the_place_of(
    live: BookingSystem, nodes: SiteRuntime, seller: User
) -> None:
    operating.system_scale(system=live, service="web", replicas=5, acting_user=seller)

    failing(live, nodes, services.system_update, seller, requirement=numbered_requirement(title="Another"))

    assert live.adjustments["services"] == {}
    assert spec_of(live, nodes, "web")["replicas"] == 1


def test_a_rollback_to_a_suspended_revision_can_be_resumed(live: BookingSystem, nodes: SiteRuntime, seller: User) -> None:
    operating.system_suspend(system=live, acting_user=seller)
    settle(live, nodes)
    rested = live.live_revision
    assert rested
    operating.system_resume(system=live, acting_user=seller)
    settle(live, nodes)

    services.system_rollback(system=live, revision=rested, acting_user=seller)
    settle(live, nodes)
    assert live.state == State.SUSPENDED
    operating.system_resume(system=live, acting_user=seller)
    settle(live, nodes)
    assert live.state == State.LIVE


ORPHANS = {"code": "would_orphan", "places": [{"label": "A-4", "performance": "p1"}]}


def test_a_requirement_that_came_to_nothing_is_not_brought_along_by_what_is_asked_besides(
    live: BookingSystem, nodes: SiteRuntime, seller: User, site: Site
) -> None:
    failing(live, nodes, services.system_update, seller, requirement=numbered_requirement(title="Another"))
    event_page.description_edit(system=live, description="edited live", acting_user=seller)

    operating.system_scale(system=live, service="web", replicas=2, acting_user=seller)
    settle(live, nodes)
    operating.system_restart(system=live, service="seat", acting_user=seller)
    settle(live, nodes)

    assert (last(live).kind, last(live).state) == ("restart", "succeeded")
    told = {service: site.content[service]["title"] for service in ("event", "ticket")}
    assert (told, site.content["event"]["description"]) == (dict.fromkeys(told, "작은 뮤지컬"), "edited live")
    # It stays for the form, with what was edited since.
    assert live.requirement
    assert (live.requirement.data["title"], live.requirement.data["description"]) == ("Another", "edited live")
    event_page.description_edit(system=live, description="once more", acting_user=seller)
    assert (site.content["event"]["title"], site.content["event"]["description"]) == ("작은 뮤지컬", "once more")


def test_what_a_service_refused_keeps_nothing_from_being_scaled_or_coming_back(
    live: BookingSystem, nodes: SiteRuntime, seller: User, site: Site
) -> None:
    site.answers["PUT", "/api/seat/content"] = (409, ORPHANS)
    services.system_update(system=live, requirement=numbered_requirement(seats=5), acting_user=seller)
    settle(live, nodes)
    assert (last(live).state, last(live).reason_code) == ("failed", "would_orphan")

    operating.system_scale(system=live, service="web", replicas=2, acting_user=seller)
    settle(live, nodes)
    assert (last(live).state, spec_of(live, nodes, "web")["replicas"]) == ("succeeded", 2)
    operating.system_suspend(system=live, acting_user=seller)
    settle(live, nodes)
    operating.system_resume(system=live, acting_user=seller)
    settle(live, nodes)

    assert (last(live).state, live.state) == ("succeeded", State.LIVE)


def test_what_is_tried_again_does_not_bring_it_along_either(live: BookingSystem, nodes: SiteRuntime, seller: User, site: Site) -> None:
    failing(live, nodes, services.system_update, seller, requirement=numbered_requirement(title="Another"))
    failing(live, nodes, operating.system_scale, seller, service="web", replicas=2)

    services.system_retry(system=live, acting_user=seller)
    settle(live, nodes)

    assert (last(live).kind, last(live).state, site.content["event"]["title"]) == ("scale", "succeeded", "작은 뮤지컬")


def test_going_back_after_a_change_that_came_to_nothing_leaves_it_behind(
    live: BookingSystem, nodes: SiteRuntime, seller: User, site: Site
) -> None:
    site.answers["PUT", "/api/seat/content"] = (409, ORPHANS)
    services.system_update(system=live, requirement=numbered_requirement(seats=5, title="Another"), acting_user=seller)
    settle(live, nodes)

    assert live.live_revision
    services.system_rollback(system=live, revision=live.live_revision, acting_user=seller)
    settle(live, nodes)

    assert (last(live).kind, last(live).state, last(live).reason_code) == ("rollback", "succeeded", "")
    assert live.requirement
    assert live.requirement.data["title"] == site.content["event"]["title"] == "작은 뮤지컬"


def test_what_is_asked_while_a_change_runs_takes_its_place_and_its_requirement(
    live: BookingSystem, nodes: SiteRuntime, seller: User, site: Site
) -> None:
    failing(live, nodes, services.system_update, seller, requirement=numbered_requirement(title="In vain"))
    services.system_update(system=live, requirement=numbered_requirement(title="Another"), acting_user=seller)
    operating.system_scale(system=live, service="web", replicas=2, acting_user=seller)
    settle(live, nodes)

    assert (site.content["event"]["title"], spec_of(live, nodes, "web")["replicas"]) == ("Another", 2)
