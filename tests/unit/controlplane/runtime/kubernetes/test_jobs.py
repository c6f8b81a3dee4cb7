"""A Job is done when its pods are: its own status says so seconds later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane.runtime.kubernetes.podstate import read_pod
from controlplane.runtime.kubernetes.workloads import Seen, job
from controlplane.runtime.port import Health

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENDED_WELL = {"terminated": {"exitCode": 0, "reason": "Completed"}}
ENDED_BADLY = {"terminated": {"exitCode": 1, "reason": "Error"}}
RUNNING: dict[str, Any] = {"running": {}}
FAILED = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}]}


def a_job(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"image": "tiny"}]}}
    return {"metadata": {"name": "setup", "uid": "job-1"}, "spec": {"template": template, **spec}, "status": status or {}}


def pod(*states: dict[str, Any], init: tuple[dict[str, Any], ...] = (), owner: str = "job-1", name: str = "setup-a") -> dict[str, Any]:
    """A pod whose containers are in STATES."""

    def told(states: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
        return [{"name": "setup", "image": "tiny", "ready": False, "restartCount": 0, "state": state} for state in states]

    return {
        "metadata": {"name": name, "creationTimestamp": "2026-11-21T12:00:00Z", "ownerReferences": [{"uid": owner, "controller": True}]},
        "spec": {},
        "status": {"phase": "Running", "containerStatuses": told(states), "initContainerStatuses": told(init)},
    }


def seen(item: dict[str, Any], *pods: dict[str, Any]) -> Seen:
    return job(item, [read_pod(one, NOW) for one in pods])


def test_a_pod_that_ended_well_is_enough_before_the_job_says_so() -> None:
    workload = seen(a_job(), pod(ENDED_WELL)).workload

    assert (workload.health, workload.ready, workload.reason) == (Health.READY, 1, "")


@pytest.mark.parametrize(
    "one",
    [
        pod(RUNNING),
        pod(ENDED_BADLY),
        pod(ENDED_WELL, RUNNING),
        pod(ENDED_WELL, ENDED_BADLY),
        pod(RUNNING, init=(ENDED_WELL,)),
        pod({}, init=(ENDED_WELL,)),
        pod(),
        pod(ENDED_WELL, owner="another job"),
    ],
    ids=["runs", "ended badly", "one runs", "one ended badly", "after its beginning", "before its start", "not begun", "not its own"],
)
def test_whatever_has_not_ended_well_in_all_its_containers_does_not_count(one: dict[str, Any]) -> None:
    workload = seen(a_job(), one).workload

    assert (workload.health, workload.ready) == (Health.PROGRESSING, 0)


def test_each_completion_needs_a_pod_of_its_own() -> None:
    twice = a_job(completions=2)

    assert seen(twice, pod(ENDED_WELL)).workload.health is Health.PROGRESSING
    assert seen(twice, pod(ENDED_WELL), pod(ENDED_WELL, name="setup-b")).workload.health is Health.READY


def test_one_that_failed_before_it_ended_well_is_done() -> None:
    assert seen(a_job(), pod(ENDED_BADLY), pod(ENDED_WELL, name="setup-b")).workload.health is Health.READY


def test_a_job_that_failed_says_how_its_pod_ended() -> None:
    workload = seen(a_job(FAILED), pod(ENDED_BADLY)).workload

    assert workload.health is Health.FAILED
    assert "exit code 1" in workload.message


def test_a_job_whose_pods_are_gone_is_known_by_its_own_status() -> None:
    assert seen(a_job({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]})).workload.health is Health.READY
    assert seen(a_job()).workload.health is Health.PROGRESSING
