"""What is looked after while nobody changes anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography.fernet import InvalidToken
from django.utils import timezone

from controlplane.lib.models import AuditRow
from controlplane.runtime.errors import Forbidden, RuntimeUnavailable
from controlplane.systems import operating, settling
from controlplane.systems.converge import converge
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem, State
from controlplane.systems.outcomes import LONGEST_DELAY_S
from tests.controlplane import Site, SiteRuntime
from tests.integration.controlplane.looks import applies, deployed, settle

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_somebody_took_away_by_hand_is_put_back(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.loses_object(system.namespace, "Deployment", "seat")

    converge(system.pk, runtime=runtime)
    settle(system, runtime)

    assert runtime.observe(system.ref).fingerprint == system.live_fingerprint
    assert AuditRow.objects.filter(action="system.repair", subject_id=str(system.pk)).count() == 1


def edit(system: BookingSystem, runtime: SiteRuntime) -> BookingSystem:
    """Somebody changes it by hand; the events of that, and of what comes of it, ask for looks."""
    runtime.changed_by("kubectl-edit", system.namespace, "Deployment", "seat", "spec.replicas", 0)
    for _ in range(2):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system


def test_a_repair_that_does_not_hold_is_made_ever_more_seldom_however_many_events_there_are(seller: Any, runtime: SiteRuntime) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        system = deployed(seller, runtime)
        before, pauses = applies(runtime), list[float]()
        for repaired in range(1, 13):
            for _ in range(5):
                edit(system, runtime)
            assert applies(runtime) - before == repaired
            assert system.next_check_at
            assert system.not_before
            assert system.next_check_at == min(system.not_before, timezone.now() + timedelta(seconds=settling.LOOK_AGAIN_S))
            pauses.append((system.not_before - timezone.now()).total_seconds())
            clock.shift(pauses[-1] + 0.001)

    assert pauses == sorted(pauses)
    assert (pauses[0] < 2, pauses[-1]) == (True, settling.LONGEST_REPAIR_DELAY_S)


def test_what_waits_for_its_repair_is_told_and_repaired_when_its_time_has_come(seller: Any, runtime: SiteRuntime) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        system = deployed(seller, runtime)
        edit(system, runtime)
        assert not runtime.observe(system.ref).drift
        edit(system, runtime)
        assert runtime.observe(system.ref).drift
        assert system.health_message == "Deployment seat was changed by kubectl-edit."

        clock.shift(2)
        converge(system.pk, runtime=runtime)
        assert not runtime.observe(system.ref).drift
        clock.shift(2)
        assert settle(system, runtime).health_message == ""


def test_after_some_quiet_minutes_a_repair_is_the_first_again(seller: Any, runtime: SiteRuntime) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        system = deployed(seller, runtime)
        for _ in range(6):
            edit(system, runtime)
            clock.shift(60)
        assert system.repairs == 6

        clock.shift(settling.LONGEST_REPAIR_DELAY_S + 10)
        assert (settle(system, runtime).repairs, system.not_before) == (0, None)
        edit(system, runtime)
        assert not runtime.observe(system.ref).drift


def test_what_an_admin_asks_for_waits_for_no_repair(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    for _ in range(3):
        edit(system, runtime)
    assert runtime.observe(system.ref).drift
    operating.system_restart(system=system, service="event", acting_user=seller)

    settle(system, runtime)

    assert not runtime.observe(system.ref).drift
    edit(system, runtime)
    assert not runtime.observe(system.ref).drift, "and what is changed by hand after it is put right at once"


def test_to_put_right_what_was_left_is_not_held_up_by_repairs_before(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    edit(system, runtime)
    operating.drift_leave(system=system, leaves=True, acting_user=seller)
    edit(system, runtime)

    operating.drift_leave(system=system, leaves=False, acting_user=seller)
    settle(system, runtime)

    assert not runtime.observe(system.ref).drift


def test_a_repair_that_is_refused_is_not_asked_for_by_every_event_and_why_stays_told(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.changed_by("their-operator", system.namespace, "Deployment", "seat", "spec.replicas", 3)
    before = applies(runtime)

    for _ in range(5):
        converge(system.pk, runtime=runtime)

    system.refresh_from_db()
    assert applies(runtime) - before == 1
    assert "Deployment seat: .spec.replicas is managed by their-operator." in system.health_message


def test_a_repair_that_the_runtime_was_not_there_for_is_tried_again_within_seconds(seller: Any, runtime: SiteRuntime) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        system = deployed(seller, runtime)
        runtime.changed_by("kubectl-edit", system.namespace, "Deployment", "seat", "spec.replicas", 0)
        runtime.raises("apply", RuntimeUnavailable("The runtime does not answer."), times=20)
        for _ in range(20):
            converge(system.pk, runtime=runtime)
            clock.shift(LONGEST_DELAY_S + 1)

        converge(system.pk, runtime=runtime)

    assert not runtime.observe(system.ref).drift


def test_a_runtime_that_says_when_it_may_be_asked_again_is_asked_to_repair_then(seller: Any, runtime: SiteRuntime) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        system = deployed(seller, runtime)
        runtime.changed_by("kubectl-edit", system.namespace, "Deployment", "seat", "spec.replicas", 0)
        runtime.raises("apply", RuntimeUnavailable("Too many requests.", retry_after_s=25))
        before = applies(runtime)
        for _ in range(3):
            converge(system.pk, runtime=runtime)
        system.refresh_from_db()
        assert applies(runtime) - before == 1
        assert system.next_check_at == timezone.now() + timedelta(seconds=25)

        clock.shift(25)
        converge(system.pk, runtime=runtime)
    assert not runtime.observe(system.ref).drift


def test_a_runtime_that_says_when_it_may_be_asked_again_is_looked_at_then(seller: Any, runtime: SiteRuntime) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        system, now = deployed(seller, runtime), timezone.now()
        runtime.raises("observe", RuntimeUnavailable("Too many requests.", retry_after_s=25))
        converge(system.pk, runtime=runtime)
        system.refresh_from_db()

    assert system.next_check_at == now + timedelta(seconds=25)


def test_what_fails_for_days_is_looked_at_all_the_same() -> None:
    assert settling._delay_s(5000) == settling.LONGEST_REPAIR_DELAY_S


def test_health_is_noted_when_it_changes(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.will_fail(system.namespace, "event", message="OOMKilled")

    settle(system, runtime)

    assert (system.state, system.health) == (State.LIVE, "failed")
    assert "OOMKilled" in system.health_message


def test_a_secret_of_the_platform_that_changed_reaches_what_is_live(seller: Any, runtime: SiteRuntime, settings: Any) -> None:
    system = deployed(seller, runtime)
    # Settings are read at the start of a process, so another value means another process.
    settings.PLATFORM_SECRETS = settings.PLATFORM_SECRETS | {"kakaopay": "the new key"}
    settling._verified.clear()

    settle(system, runtime)

    assert runtime.systems[system.namespace].secrets["ticket-secrets"]["kakaopay-secret-key"] == "the new key"
    assert system.live_fingerprint == runtime.observe(system.ref).fingerprint


def test_where_it_is_reached_is_found_out_again(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    BookingSystem.objects.filter(pk=system.pk).update(connect_url="http://198.51.100.7:80")

    settle(system, runtime)

    assert system.connect_url == site.url


def test_when_nobody_can_tell_how_it_is_that_is_said_until_somebody_can(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.raises("observe", Forbidden("The cluster does not accept Clove's credentials."), times=settling.UNSEEN_AFTER + 1)
    for _ in range(settling.UNSEEN_AFTER):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    assert system.health == "ready"

    converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    assert (system.state, system.health, system.health_message) == (
        State.LIVE,
        "unknown",
        "The cluster does not accept Clove's credentials.",
    )

    settle(system, runtime)
    assert (system.health, system.health_message) == ("ready", "")


def test_what_somebody_changed_is_told_in_the_audit_trail_when_it_is_put_right(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.changed_by("kubectl-edit", system.namespace, "Deployment", "seat", "spec.replicas", 0)

    converge(system.pk, runtime=runtime)

    row = AuditRow.objects.get(action="system.repair", subject_id=str(system.pk))
    assert row.details["message"] == "Deployment seat was changed by kubectl-edit."


def test_a_repair_that_is_refused_says_why(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.changed_by("their-operator", system.namespace, "Deployment", "seat", "spec.replicas", 3)

    converge(system.pk, runtime=runtime)

    system.refresh_from_db()
    assert "Deployment seat: .spec.replicas is managed by their-operator." in system.health_message


def test_what_a_controller_took_is_taken_back_once_when_the_admin_says_so(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    with pytest.raises(Refused) as refused:
        operating.conflict_take(system=system, acting_user=seller)
    assert refused.value.reason.code == "no_conflict"
    runtime.changed_by("their-operator", system.namespace, "Deployment", "seat", "spec.replicas", 3)
    converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    assert system.conflict["owner"] == "their-operator"

    operating.drift_leave(system=system, leaves=True, acting_user=seller)
    operating.conflict_take(system=system, acting_user=seller)
    converge(system.pk, runtime=runtime)

    assert not runtime.observe(system.ref).drift
    system.refresh_from_db()
    assert system.conflict is None
    row = AuditRow.objects.get(action="system.take_back", subject_id=str(system.pk))
    assert row.details == {"object": "Deployment seat", "owner": "their-operator"}

    operating.drift_leave(system=system, leaves=False, acting_user=seller)
    runtime.changed_by("their-operator", system.namespace, "Deployment", "seat", "spec.replicas", 4)
    BookingSystem.objects.filter(pk=system.pk).update(not_before=None)
    converge(system.pk, runtime=runtime)
    assert runtime.observe(system.ref).drift
    system.refresh_from_db()
    assert not system.conflict.get("is_taken")


def test_a_change_that_failed_over_somebody_else_is_tried_again_once_they_are_overruled(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.changed_by("their-operator", system.namespace, "Deployment", "seat", "spec.replicas", 3)
    failed = operating.system_restart(system=system, service="seat", acting_user=seller)
    settle(system, runtime)
    failed.refresh_from_db()
    assert (failed.state, failed.reason_code) == ("failed", "owned_by_another")

    operating.conflict_take(system=system, acting_user=seller)
    settle(system, runtime)

    last = system.operations.first()
    assert (last.kind, last.state) == ("restart", "succeeded")
    system.refresh_from_db()
    assert system.conflict is None


def test_what_somebody_changed_is_left_if_the_admin_says_so_and_only_shown(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    operating.drift_leave(system=system, leaves=True, acting_user=seller)
    runtime.changed_by("kubectl-edit", system.namespace, "Deployment", "seat", "spec.replicas", 2)

    settle(system, runtime)
    assert runtime.observe(system.ref).drift
    assert (system.health, system.health_message) == ("ready", "Deployment seat was changed by kubectl-edit.")

    operating.drift_leave(system=system, leaves=False, acting_user=seller)
    settle(system, runtime)
    assert not runtime.observe(system.ref).drift
    settle(system, runtime)
    assert system.health_message == ""


def test_what_somebody_added_by_hand_is_taken_away(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.changed_by("kubectl-edit", system.namespace, "Deployment", "seat", "spec.template.spec.nodeSelector", {"disk": "ssd"})

    settle(system, runtime)

    row = AuditRow.objects.get(action="system.repair", subject_id=str(system.pk))
    assert row.details["message"] == "Deployment seat was changed by kubectl-edit."
    assert not runtime.observe(system.ref).drift


@pytest.mark.parametrize("leaves", [False, True])
def test_what_stands_beside_a_system_is_told_and_nothing_is_applied_for_it(seller: Any, runtime: SiteRuntime, leaves: bool) -> None:
    system = deployed(seller, runtime)
    operating.drift_leave(system=system, leaves=leaves, acting_user=seller)
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "allow-all"}}
    runtime.made_by("kubectl-create", system.namespace, policy)
    before = runtime.calls.count(("apply", system.namespace))

    for _ in range(2):
        settle(system, runtime)

    assert (system.health, system.health_message) == ("ready", "Not Clove's: NetworkPolicy allow-all.")
    assert runtime.calls.count(("apply", system.namespace)) == before
    assert not AuditRow.objects.filter(action="system.repair", subject_id=str(system.pk)).exists()


def test_with_hands_left_alone_a_change_that_came_to_nothing_is_taken_back_all_the_same(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    operating.drift_leave(system=system, leaves=True, acting_user=seller)
    runtime.will_fail(system.namespace, "seat")
    operating.system_restart(system=system, service="seat", acting_user=seller)
    settle(system, runtime)
    runtime.recovers(system.namespace, "seat")

    settle(system, runtime)

    assert runtime.observe(system.ref).fingerprint == system.live_fingerprint


def test_what_goes_wrong_unexpectedly_is_logged_and_the_next_look_is_free_to_come(
    seller: Any, runtime: SiteRuntime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    system = deployed(seller, runtime)

    def broken(*_: Any) -> None:
        raise InvalidToken

    monkeypatch.setattr(settling, "secrets_for", broken)
    runtime.loses_object(system.namespace, "Deployment", "seat")
    converge(system.pk, runtime=runtime)

    system.refresh_from_db()
    assert "looking after it" in caplog.text
    assert (system.lease_owner, system.next_check_at is not None) == ("", True)
