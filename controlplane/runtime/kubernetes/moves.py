"""Which changes of an object are worth a look at its system. Pure.

A pod that starts is written six times and its Deployment nearly as often; a look after each would say the same as the one before, and take
from the pod the processor that it starts on. Whatever is not told here is found by the looks that come all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Item = Mapping[str, Any]

_QUIET_WAITS = ("ContainerCreating", "PodInitializing")
_TELLING_PROGRESS = ("NewReplicaSetAvailable", "ProgressDeadlineExceeded")
_COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")


def standing(item: Item) -> object:
    """What a look at ITEM would tell: while this stays equal, nothing has happened. Of a kind not known here, its version."""
    match item.get("kind"):
        case "Pod":
            return _pod(item)
        case "Deployment" | "StatefulSet":
            return _workload(item)
        case "PersistentVolumeClaim":
            return _is_leaving(item)
        case _:
            return item["metadata"].get("resourceVersion")


def _pod(item: Item) -> object:
    """Whether it is ready its workload's counts tell, and a moment later: a look before would have to be made again."""
    status = item.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    conditions = [
        (one["type"], one["status"], one.get("reason"))
        for one in status.get("conditions") or ()
        if one["type"].startswith("PodResize") or (one["type"] == "PodScheduled" and one["status"] == "False")
    ]
    ended = status.get("phase") if status.get("phase") in ("Succeeded", "Failed") else None
    return _is_leaving(item), ended, conditions, [said for one in containers if any((said := tuple(_container(one)))[1:])]


def _container(status: Item) -> Iterator[object]:
    state = status.get("state") or {}
    waits = (state.get("waiting") or {}).get("reason")
    yield status.get("name")
    yield status.get("restartCount") or 0
    yield None if waits in _QUIET_WAITS else waits
    yield (state.get("terminated") or {}).get("reason")


def _workload(item: Item) -> object:
    metadata, status = item["metadata"], item.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    progress = conditions.get("Progressing", {}).get("reason")
    return (
        _is_leaving(item),
        metadata.get("generation"),
        status.get("observedGeneration", 0) >= metadata.get("generation", 0),
        # By hand they may be changed without a new generation.
        (metadata.get("labels"), metadata.get("annotations")),
        [status.get(name) or 0 for name in _COUNTS],
        status.get("currentRevision") == status.get("updateRevision"),
        progress if progress in _TELLING_PROGRESS else None,
        conditions.get("ReplicaFailure", {}).get("status"),
    )


def _is_leaving(item: Item) -> bool:
    return bool(item["metadata"].get("deletionTimestamp"))
