from typing import Any

import pytest

from controlplane.runtime.health import system_health, workload_health
from controlplane.runtime.port import Health, Workload

STEADY: dict[str, Any] = {
    "wanted": 2, "ready": 2, "updated": 2, "ready_updated": 2, "old": 0, "has_failed": False, "was_complete": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("now", "health"),
    [
        ({}, Health.READY),
        ({"wanted": 0, "ready": 0, "updated": 0, "ready_updated": 0}, Health.SUSPENDED),
        ({"wanted": 0}, Health.PROGRESSING),
        ({"ready": 1, "ready_updated": 1, "was_complete": False}, Health.PROGRESSING),
        ({"ready": 1, "ready_updated": 1}, Health.DEGRADED),
        ({"ready": 3, "old": 1}, Health.PROGRESSING),
        ({"ready": 2, "updated": 1, "ready_updated": 0, "old": 2, "has_failed": True, "was_complete": False}, Health.FAILED),
        ({"ready": 1, "ready_updated": 1, "has_failed": True}, Health.DEGRADED),
        ({"ready": 0, "ready_updated": 0, "has_failed": True}, Health.FAILED),
    ],
)
def test_where_a_workload_stands(now: dict[str, Any], health: Health) -> None:
    assert workload_health(**{**STEADY, **now}) is health


def _workload(name: str, health: Health, reason: str = "", message: str = "") -> Workload:
    return Workload(name, "Deployment", health, 1, 1, 1, reason, message)


def test_the_worst_workload_speaks_for_the_system() -> None:
    workloads = [
        _workload("auth", Health.READY),
        _workload("web", Health.PROGRESSING, "Starting"),
        _workload("seat", Health.FAILED, "CrashLoopBackOff", "It ended."),
    ]

    assert system_health(workloads) == (Health.FAILED, "CrashLoopBackOff", "seat: It ended.")
    assert system_health(workloads[:2]) == (Health.PROGRESSING, "Starting", "")
    assert system_health(workloads[:1]) == (Health.READY, "", "")


def test_a_system_is_suspended_only_when_all_of_it_is() -> None:
    suspended = _workload("seat", Health.SUSPENDED)

    assert system_health([suspended])[0] is Health.SUSPENDED
    assert system_health([suspended, _workload("web", Health.READY)])[0] is Health.READY
    assert system_health([])[0] is Health.READY
