"""What is looked after while nobody changes anything."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from controlplane.lib.models import AuditRow
from controlplane.systems.converge import converge
from controlplane.systems.models import State
from tests.controlplane import SiteRuntime
from tests.integration.controlplane.looks import deployed, settle

pytestmark = pytest.mark.django_db(transaction=True)


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
