"""What a seller may have running: counted under one lock, refused when it is asked for and when it is carried out, and freed again."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from controlplane.accounts.models import User
from controlplane.lib.models import AuditRow
from controlplane.rendering.adjustments import Autoscale
from controlplane.rendering.images import ResourcesPlan
from controlplane.runtime.port import Node
from controlplane.systems import caps, operating, rollouts, services
from controlplane.systems.asks import Scale
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem, SellerCaps, State
from controlplane.systems.preview import ask_preview, requirement_preview
from tests.controlplane import Site, SiteRuntime, areas_requirement
from tests.integration.controlplane.looks import deployed, last, settle

pytestmark = pytest.mark.django_db(transaction=True)
HUGE = ResourcesPlan(64_000, 64_000, 262_144, 262_144, 65_536)


@pytest.fixture(autouse=True)
def on_a_cluster(settings: Any) -> None:
    settings.RUNTIME, settings.BOOKING_DATABASE = "fake", "mariadb"


@pytest.fixture
def nodes(site: Site) -> SiteRuntime:
    return SiteRuntime(site, nodes=(Node("n1", True, cpu_m=4000, memory_bytes=8 << 30),))


def event(number: int) -> dict[str, Any]:
    return areas_requirement(slug=f"event-{number}", title=f"Event {number}")


def let(seller: User, **values: int) -> None:
    SellerCaps.objects.update_or_create(pk=seller.pk, defaults=values)


def used(seller: User) -> tuple[int, float, float]:
    now = caps.allowance(seller).used
    return now.systems, now.cores, now.memory_gib


def quota_of(system: BookingSystem, runtime: SiteRuntime) -> dict[str, str]:
    objects = runtime.systems[system.namespace].objects
    hard: dict[str, str] = next(item for item in objects if item["kind"] == "ResourceQuota")["spec"]["hard"]
    return hard


def test_what_is_counted_is_what_its_quota_allows(seller: User, nodes: SiteRuntime) -> None:
    system = deployed(seller, nodes, event(1))
    hard = quota_of(system, nodes)

    counted = caps.allowance(seller).used
    assert (f"{counted.cpu_m}m", f"{counted.memory_mib}Mi") == (hard["limits.cpu"], hard["limits.memory"])
    assert counted.systems == 1


def test_dozens_of_events_are_within_what_everybody_may_have(seller: User) -> None:
    for number in range(50):
        services.system_create(requirement=event(number), acting_user=seller, deploy=True)

    assert used(seller)[0] == 50


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        ({"service": "web", "replicas": 20}, "too_many_copies"),
        ({"service": "web", "autoscale": Autoscale(1, 11, 70)}, "too_many_copies"),
        ({"service": "web", "resources": HUGE}, "too_much_cpu_for_one"),
        ({"service": "web", "resources": ResourcesPlan(1000, 1000, 262_144, 262_144, 64)}, "too_much_memory_for_one"),
    ],
)
def test_one_system_has_no_more_than_its_share(seller: User, nodes: SiteRuntime, admin: User, ask: dict[str, Any], code: str) -> None:
    system = deployed(seller, nodes, event(1))
    generation, before = system.generation, used(seller)

    for who in (seller, admin):
        with pytest.raises(Refused) as refused:
            operating.system_scale(system=system, acting_user=who, **ask)
        assert refused.value.reason.code == code
        assert {"asked", "used", "allowed"} <= refused.value.reason.params.keys()
    with pytest.raises(Refused) as shown:
        ask_preview(system=system, ask=Scale(**ask), runtime=nodes)
    assert shown.value.reason.code == code
    system.refresh_from_db()
    assert (system.generation, used(seller)) == (generation, before)


def test_all_systems_of_a_seller_share_what_they_may_have(seller: User, nodes: SiteRuntime) -> None:
    one, other = deployed(seller, nodes, event(1)), deployed(seller, nodes, event(2))
    let(seller, cpu=int(used(seller)[1]) + 3)

    operating.system_scale(system=one, service="web", replicas=4, acting_user=seller)
    settle(one, nodes)
    with pytest.raises(Refused) as refused:
        operating.system_scale(system=other, service="web", replicas=2, acting_user=seller)
    assert refused.value.reason.code == "too_much_cpu"

    operating.system_scale(system=one, service="web", replicas=3, acting_user=seller)
    settle(one, nodes)
    operating.system_scale(system=other, service="web", replicas=2, acting_user=seller)
    assert settle(other, nodes).state == State.LIVE


def test_suspended_and_deleted_ones_make_room_and_resuming_asks_again(seller: User, nodes: SiteRuntime) -> None:
    one = deployed(seller, nodes, event(1))
    let(seller, systems=1)
    assert [problem.code for problem in requirement_preview(requirement=event(2), seller=seller).problems] == ["too_many_systems"]
    with pytest.raises(Refused) as refused:
        services.system_create(requirement=event(2), acting_user=seller, deploy=True)
    assert (refused.value.reason.code, dict(refused.value.reason.params)) == ("too_many_systems", {"asked": 1, "used": 1, "allowed": 1})
    draft = services.system_create(requirement=event(2), acting_user=seller)

    operating.system_suspend(system=one, acting_user=seller)
    settle(one, nodes)
    assert used(seller)[0] == 0
    assert used(seller)[1] == 4  # its database stands, with room for a setup and a backup
    services.system_deploy(system=draft, acting_user=seller)
    settle(draft, nodes)
    with pytest.raises(Refused) as refused:
        operating.system_resume(system=one, acting_user=seller)
    assert refused.value.reason.code == "too_many_systems"

    services.system_delete(system=draft, typed_name=draft.title, acting_user=seller)
    settle(draft, nodes)
    operating.system_resume(system=one, acting_user=seller)
    assert settle(one, nodes).state == State.LIVE
    assert used(seller)[0] == 1


def test_lower_limits_leave_what_runs_and_let_it_be_made_smaller(seller: User, nodes: SiteRuntime) -> None:
    system = deployed(seller, nodes, event(1))
    operating.system_scale(system=system, service="web", replicas=4, acting_user=seller)
    settle(system, nodes)
    let(seller, systems=0, cpu=1, memory_gib=1, system_cpu=1, system_memory_gib=1, copies=1)

    operating.system_restart(system=system, service="web", acting_user=seller)
    settle(system, nodes)
    services.system_update(system=system, requirement=event(1) | {"title": "Another"}, acting_user=seller)
    settle(system, nodes)
    operating.system_scale(system=system, service="web", replicas=3, acting_user=seller)
    settle(system, nodes)
    assert last(system).state == "succeeded"
    with pytest.raises(Refused):
        operating.system_scale(system=system, service="web", replicas=4, acting_user=seller)


def test_what_came_to_nothing_counts_no_more(seller: User, nodes: SiteRuntime) -> None:
    system = deployed(seller, nodes, event(1))
    before = used(seller)
    operating.system_scale(system=system, service="web", replicas=9, acting_user=seller)
    assert used(seller)[1] == before[1] + 8
    rollouts.rollout_abandon(system=system, acting_user=seller)
    assert used(seller) == before

    live = system.live_revision
    assert live
    operating.system_scale(system=system, service="web", replicas=9, acting_user=seller)
    settle(system, nodes)
    services.system_rollback(system=system, revision=live, acting_user=seller)
    assert used(seller)[1] == before[1] + 8  # until it is through
    settle(system, nodes)
    assert used(seller) == before


def test_it_is_counted_once_more_where_it_is_carried_out(seller: User, nodes: SiteRuntime) -> None:
    system = services.system_create(requirement=event(1), acting_user=seller, deploy=True)
    # As when an older version took the wish.
    BookingSystem.objects.filter(pk=system.pk).update(used_systems=None, used_cpu_m=None, used_memory_mib=None)
    let(seller, cpu=1)
    settle(system, nodes)

    assert (system.state, system.reason_code) == (State.FAILED, "too_much_cpu")
    assert system.namespace not in nodes.systems


def test_rows_of_an_older_version_are_counted_by_their_plans(seller: User, nodes: SiteRuntime) -> None:
    system = deployed(seller, nodes, event(1))
    counted = used(seller)
    BookingSystem.objects.filter(pk=system.pk).update(used_systems=None, used_cpu_m=None, used_memory_mib=None)

    assert used(seller) == counted
    system.refresh_from_db()
    assert system.used_systems == 1


def test_two_asks_at_the_same_moment_do_not_pass_together(seller: User, nodes: SiteRuntime) -> None:
    systems = [deployed(seller, nodes, event(number)) for number in range(4)]
    let(seller, cpu=int(used(seller)[1]) + 1)
    together, answers = threading.Barrier(len(systems)), []

    def ask(system: BookingSystem) -> None:
        try:
            together.wait(20)
            operating.system_scale(system=system, service="web", replicas=2, acting_user=seller)
            answers.append("passed")
        except Refused as refused:
            answers.append(refused.reason.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask, args=[system]) for system in systems]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(answers) == ["passed", "too_much_cpu", "too_much_cpu", "too_much_cpu"]


def test_an_admin_changes_a_sellers_limits_and_it_is_told(seller: User, admin: User, nodes: SiteRuntime) -> None:
    system = deployed(seller, nodes, event(1))
    caps.caps_set(seller=seller, acting_user=admin, values={"copies": 20, "cpu": None})
    caps.caps_set(seller=seller, acting_user=admin, values={"copies": 20})

    operating.system_scale(system=system, service="web", replicas=20, acting_user=seller)
    row = AuditRow.objects.get(action="user.caps")
    assert (row.actor, row.subject_id, row.details) == (admin, str(seller.pk), {"before": {"copies": None}, "after": {"copies": 20}})
