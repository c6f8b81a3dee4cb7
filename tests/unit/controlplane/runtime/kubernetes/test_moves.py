"""What of a start is worth a look: the events of a Deployment and its pod as a real cluster wrote them, shortened."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.runtime.kubernetes.moves import standing

AVAILABLE = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}


def deployment(generation: int = 1, annotations: dict[str, str] | None = None, **status: Any) -> dict[str, Any]:
    metadata = {"name": "seat", "generation": generation, "labels": {"app": "seat"}, "annotations": annotations or {}}
    return {"kind": "Deployment", "metadata": metadata, "status": {"observedGeneration": 1, **status}}


def pod(phase: str = "Pending", conditions: Any = (), *, leaves: bool = False, **container: Any) -> dict[str, Any]:
    status = {"phase": phase, "conditions": list(conditions), "containerStatuses": [{"name": "seat", "restartCount": 0, **container}]}
    return {"kind": "Pod", "metadata": {"name": "seat-1", **({"deletionTimestamp": "t"} if leaves else {})}, "status": status}


def test_a_pod_that_starts_is_no_news_on_its_way() -> None:
    way = [
        {"kind": "Pod", "metadata": {"name": "seat-1"}, "status": {"phase": "Pending"}},
        pod(conditions=[{"type": "PodScheduled", "status": "True"}], state={"waiting": {"reason": "ContainerCreating"}}),
        pod("Running", state={"running": {"startedAt": "t"}}, started=False, ready=False),
        pod("Running", [{"type": "Ready", "status": "True"}], state={"running": {"startedAt": "t"}}, started=True, ready=True),
    ]
    assert all(standing(each) == standing(way[0]) for each in way)


@pytest.mark.parametrize(
    "then",
    [
        pod(conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]),
        pod(state={"waiting": {"reason": "ImagePullBackOff"}}),
        pod("Running", state={"terminated": {"reason": "OOMKilled"}}),
        pod("Running", state={"running": {}}, restartCount=1),
        pod("Succeeded"),
        pod("Failed"),
        pod("Running", leaves=True),
        pod("Running", [{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]),
    ],
    ids=["fits nowhere", "no image", "killed", "restarted", "done", "evicted", "leaves", "cannot grow"],
)
def test_what_a_look_would_tell_of_a_pod_is_news(then: dict[str, Any]) -> None:
    assert standing(then) != standing(pod("Running", state={"running": {}}))


def test_a_deployment_is_news_when_its_counts_move_and_not_for_the_words_in_between() -> None:
    begun = deployment(
        replicas=1, updatedReplicas=1, conditions=[{"type": "Progressing", "status": "True", "reason": "NewReplicaSetCreated"}]
    )
    said = deployment(replicas=1, updatedReplicas=1, conditions=[{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}])
    ready = deployment(replicas=1, updatedReplicas=1, readyReplicas=1, availableReplicas=1, conditions=[AVAILABLE])

    assert standing(begun) == standing(said)
    assert standing(ready) != standing(said)


@pytest.mark.parametrize(
    "then",
    [
        deployment(generation=2),
        deployment(annotations={"by": "hand"}),
        deployment(conditions=[{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}]),
        deployment(conditions=[{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]),
    ],
    ids=["another spec", "an annotation by hand", "a full quota", "given up"],
)
def test_what_a_look_would_tell_of_a_deployment_is_news(then: dict[str, Any]) -> None:
    assert standing(then) != standing(deployment())


def test_of_a_claim_only_its_deletion_is_news() -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"resourceVersion": "1"}, "status": {"phase": "Pending"}}
    bound = {**claim, "metadata": {"resourceVersion": "2"}, "status": {"phase": "Bound"}}
    going = {**claim, "metadata": {"resourceVersion": "3", "deletionTimestamp": "2026-11-22T00:00:00Z"}}

    assert standing(claim) == standing(bound)
    assert standing(going) != standing(bound)


def test_of_another_kind_every_version_is_news() -> None:
    first, second = ({"kind": "Thing", "metadata": {"resourceVersion": version}} for version in ("1", "2"))
    assert standing(first) != standing(second)
