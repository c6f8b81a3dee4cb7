"""Holding an update that is being rolled out, letting it go on, giving it up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.accounts.models import Role, User
from controlplane.lib.models import AuditRow
from controlplane.runtime.port import Health
from controlplane.systems import operating, rollouts, services
from controlplane.systems.converge import LONGEST_S, NO_PROGRESS_S, converge
from controlplane.systems.errors import GenerationConflict, Refused
from controlplane.systems.lease import Lease, LeaseLost
from controlplane.systems.models import BookingSystem, Operation, State
from controlplane.systems.settling import LOOK_AGAIN_S
from controlplane.systems.steps import Run
from tests.controlplane import Site, SiteRuntime, numbered_requirement
from tests.integration.controlplane.looks import deployed, settle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def on_a_cluster(settings: Any) -> None:
    settings.RUNTIME, settings.BOOKING_DATABASE = "fake", "mariadb"


@pytest.fixture
def slow(site: Site) -> SiteRuntime:
    """A runtime that is ready at the third look."""
    return SiteRuntime(site, ready_after=3)


@pytest.fixture
def live(seller: User, slow: SiteRuntime) -> BookingSystem:
    return deployed(seller, slow)


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_user("root@example.kr", "pw", role=Role.ADMIN)


@pytest.fixture
def restarting(live: BookingSystem, slow: SiteRuntime, root: User) -> BookingSystem:
    """One whose web service is being replaced."""
    operating.system_restart(system=live, service="web", acting_user=root)
    converge(live.pk, runtime=slow)
    live.refresh_from_db()
    assert newest(live).is_running
    return live


def newest(system: BookingSystem) -> Operation:
    found = system.operations.first()
    assert found
    return found


def pods_held(system: BookingSystem, runtime: SiteRuntime) -> set[bool]:
    seen = runtime.observe(system.ref)
    return {workload.reason == "Paused" for workload in seen.workloads if workload.health is not Health.READY}


def steps_of(operation: Operation) -> dict[str, tuple[str, str]]:
    return {step.name: (step.state, step.message_code) for step in operation.steps.all()}


def test_a_held_rollout_waits_as_long_as_it_takes(restarting: BookingSystem, slow: SiteRuntime, root: User) -> None:
    before = restarting.live_revision_id
    held = rollouts.rollout_pause(system=restarting, acting_user=root)
    for _ in range(5):
        converge(restarting.pk, runtime=slow)
    # However long it takes.
    long_ago = timezone.now() - timedelta(seconds=LONGEST_S + 10)
    Operation.objects.filter(pk=held.pk).update(started_at=long_ago, progress_at=long_ago, paused_at=long_ago)
    for _ in range(5):
        converge(restarting.pk, runtime=slow)

    restarting.refresh_from_db()
    operation = newest(restarting)
    assert (operation.pk, operation.state, operation.is_paused) == (held.pk, "running", True)
    assert (restarting.state, restarting.live_revision_id) == (State.LIVE, before)
    assert pods_held(restarting, slow) == {True}
    steps = steps_of(operation)
    assert steps["pause"] == ("running", "step_paused")
    assert steps["start"] == ("running", "step_held")
    assert restarting.next_check_at
    assert (restarting.next_check_at - timezone.now()).total_seconds() > LOOK_AGAIN_S / 2
    applied = slow.calls.count(("apply", restarting.namespace))
    converge(restarting.pk, runtime=slow)
    assert slow.calls.count(("apply", restarting.namespace)) == applied

    rollouts.rollout_resume(system=restarting, acting_user=root)
    settle(restarting, slow)
    operation.refresh_from_db()
    assert (operation.state, operation.paused_at) == ("succeeded", None)
    assert operation.paused_s >= LONGEST_S
    assert steps_of(operation)["pause"] == ("done", "step_went_on")
    assert restarting.observed_generation == restarting.generation
    assert [row.action for row in AuditRow.objects.filter(action__in=("system.pause", "system.unpause"))] == [
        "system.unpause",
        "system.pause",
    ]


def test_a_new_copy_that_fails_while_held_is_shown_and_decided_by_whoever_holds_it(
    restarting: BookingSystem, slow: SiteRuntime, root: User
) -> None:
    rollouts.rollout_pause(system=restarting, acting_user=root)
    slow.will_fail(restarting.namespace, "seat")
    for _ in range(6):
        converge(restarting.pk, runtime=slow)
    assert newest(restarting).is_paused

    rollouts.rollout_resume(system=restarting, acting_user=root)
    for _ in range(6):
        converge(restarting.pk, runtime=slow)
    assert newest(restarting).reason_code == "workload_failed"
    restarting.refresh_from_db()
    assert restarting.adjustments["services"] == {}
    assert steps_of(newest(restarting))["taken_back"] == ("done", "step_taken_back")


def test_time_held_counts_against_no_deadline_afterwards(restarting: BookingSystem, slow: SiteRuntime, root: User) -> None:
    rollouts.rollout_pause(system=restarting, acting_user=root)
    long_ago = timezone.now() - timedelta(seconds=LONGEST_S + 10)
    Operation.objects.filter(pk=newest(restarting).pk).update(started_at=long_ago, progress_at=long_ago, paused_at=long_ago)
    rollouts.rollout_resume(system=restarting, acting_user=root)
    slow.unavailable_for(2)
    converge(restarting.pk, runtime=slow)
    assert newest(restarting).is_running

    still = timezone.now() - timedelta(seconds=NO_PROGRESS_S + 10)
    Operation.objects.filter(pk=newest(restarting).pk).update(progress_at=still)
    slow.unavailable_for(1)
    converge(restarting.pk, runtime=slow)
    assert newest(restarting).reason_code == "no_progress"


def test_a_hold_before_anything_was_applied_applies_it_held(live: BookingSystem, slow: SiteRuntime, root: User) -> None:
    operating.system_restart(system=live, service="web", acting_user=root)
    rollouts.rollout_pause(system=live, acting_user=root)

    for _ in range(5):
        converge(live.pk, runtime=slow)

    assert pods_held(live, slow) == {True}


def test_what_is_changed_by_hand_while_held_is_put_right_and_stays_held(restarting: BookingSystem, slow: SiteRuntime, root: User) -> None:
    rollouts.rollout_pause(system=restarting, acting_user=root)
    converge(restarting.pk, runtime=slow)
    manifests = newest(restarting).revision.manifests  # type: ignore[union-attr]
    slow.apply(restarting.ref, manifests, {})

    for _ in range(4):
        converge(restarting.pk, runtime=slow)

    assert pods_held(restarting, slow) == {True}


def test_it_is_held_twice_and_the_step_tells_all_of_it(restarting: BookingSystem, slow: SiteRuntime, root: User) -> None:
    for _ in range(2):
        rollouts.rollout_pause(system=restarting, acting_user=root)
        converge(restarting.pk, runtime=slow)
        rollouts.rollout_resume(system=restarting, acting_user=root)
    settle(restarting, slow)

    assert newest(restarting).state == "succeeded"
    assert newest(restarting).steps.filter(name="pause").count() == 1


@pytest.mark.parametrize("is_held", [True, False])
def test_a_rollout_that_is_given_up_leaves_what_was_live(
    restarting: BookingSystem, slow: SiteRuntime, root: User, *, is_held: bool
) -> None:
    before = restarting.live_revision
    assert before
    if is_held:
        rollouts.rollout_pause(system=restarting, acting_user=root)
        converge(restarting.pk, runtime=slow)

    rollouts.rollout_abandon(system=restarting, acting_user=root)
    settle(restarting, slow)

    operation = newest(restarting)
    assert (operation.state, operation.reason_code) == ("failed", "abandoned")
    assert (restarting.state, restarting.live_revision, restarting.reason_code) == (State.LIVE, before, "abandoned")
    assert restarting.adjustments["services"] == {}
    assert slow.observe(restarting.ref).fingerprint == restarting.live_fingerprint
    assert all(state != "running" for state, _ in steps_of(operation).values())
    assert steps_of(operation)["taken_back"] == ("done", "step_taken_back")
    services.system_retry(system=restarting, acting_user=root)
    settle(restarting, slow)
    assert restarting.adjustments["services"]["web"]["restarts"] == 1


def test_a_later_change_takes_the_place_of_a_held_one(restarting: BookingSystem, slow: SiteRuntime, seller: User, root: User) -> None:
    rollouts.rollout_pause(system=restarting, acting_user=root)
    converge(restarting.pk, runtime=slow)

    services.system_update(system=restarting, requirement=numbered_requirement(title="Another"), acting_user=seller)
    settle(restarting, slow)

    assert (restarting.state, restarting.title, newest(restarting).state) == (State.LIVE, "Another", "succeeded")


def test_who_was_just_looking_writes_nothing_more(restarting: BookingSystem, slow: SiteRuntime, root: User) -> None:
    lease = Lease.acquire(restarting.pk)
    assert lease
    run = Run(lease, newest(restarting), slow)

    rollouts.rollout_pause(system=restarting, acting_user=root)

    with pytest.raises(LeaseLost):
        run.done("start", "step_ready", ready=1, wanted=1)
    assert newest(restarting).is_paused


def test_what_makes_no_sense_now_is_refused(live: BookingSystem, slow: SiteRuntime, seller: User, root: User) -> None:
    def code(act: Any) -> str:
        with pytest.raises(Refused) as refused:
            act(system=live, acting_user=root)
        return refused.value.reason.code

    for act in (rollouts.rollout_pause, rollouts.rollout_resume, rollouts.rollout_abandon):
        assert code(act) == "no_rollout"
    operating.system_restart(system=live, service="web", acting_user=root)
    assert code(rollouts.rollout_resume) == "not_paused"
    with pytest.raises(GenerationConflict):
        rollouts.rollout_pause(system=live, acting_user=root, expected_generation=live.generation - 1)
    rollouts.rollout_pause(system=live, acting_user=root)
    assert code(rollouts.rollout_pause) == "is_paused"
    operating.system_suspend(system=live, acting_user=root)
    assert code(rollouts.rollout_pause) == "no_rollout"
    first = services.system_create(requirement=numbered_requirement(slug="first"), acting_user=seller, deploy=True)
    with pytest.raises(Refused):
        rollouts.rollout_pause(system=first, acting_user=root)
