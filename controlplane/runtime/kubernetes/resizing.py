"""Gives running pods another size without ending them, where the cluster can: the `resize` subresource of pods, Kubernetes 1.33 and newer.

A Deployment knows no such change: another template means other pods. So its pods are resized first. Once each of them runs with the new
size, the template may follow without a rollout, if the ReplicaSet's template changes with it: the controller looks for the one ReplicaSet
whose template equals the Deployment's. While the two differ the Deployment is paused, under a manager of its own (MARK), and the controller
is waited for at both ends. Whatever does not work out ends in the rollout that applying the Deployment is anyway.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from controlplane.runtime.diff import field_changes
from controlplane.runtime.errors import Permanent
from controlplane.runtime.holding import is_held
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.bundle import Item
from controlplane.runtime.kubernetes.ownership import selector
from controlplane.runtime.kubernetes.resources import BY_KIND, POD, REPLICA_SET
from controlplane.runtime.kubernetes.workloads import REVISION
from controlplane.runtime.port import Resize, SystemRef

MARK = "clove-resize"
DEPLOYMENT = BY_KIND["Deployment"]
LONGEST_S = 10.0
"""For all waits of one apply; a node resizes within a second or two, or says that it cannot."""
LOOK_EVERY_S = 0.1
_SIZED = ("cpu", "memory")
_SIZE = re.compile(r"spec\.containers\[[^\]]+\]\.resources(\.(requests|limits)(\.(cpu|memory))?)?")

Sizes = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Container -> requests or limits -> resource -> quantity."""


@dataclass(frozen=True)
class Begun:
    """`resize` says what became of another size, if there is one; `is_marked`: `end` is to be called once the item is applied."""

    resize: Resize | None = None
    is_marked: bool = False


def begin(api: Api, system: SystemRef, item: Item, dry_run: Callable[[], Mapping[str, Any]], *, deadline: float) -> Begun:
    """Before ITEM is applied: resize its pods when nothing but their size changes. DRY_RUN is the item as applying it would leave it.

    Waits for the node and the controller, until DEADLINE (by the monotonic clock). May be asked again after a crash at any point.
    """
    if item["kind"] != "Deployment":
        return Begun()
    found = api.get(DEPLOYMENT, item["metadata"]["name"], system.namespace)
    if found is None:
        return Begun()
    is_marked = _is_marked(found)
    wanted = sizes_of(item["spec"]["template"])
    if _same(sizes_of(found["spec"]["template"]), wanted):
        return Begun(is_marked=is_marked)  # marked all the same: a worker died in between
    if is_held(item) or not _is_complete(found, is_marked=is_marked) or not _changes_size_alone(found, dry_run()):
        return Begun(is_marked=is_marked)
    try:
        _resize(api, system, found, wanted, deadline)
    except (Permanent, _NotInPlace) as error:
        # It may have come to nothing after the mark was set, and would stay paused.
        now = api.get(DEPLOYMENT, item["metadata"]["name"], system.namespace)
        return Begun(Resize(is_in_place=False, why=error.reason), is_marked or (now is not None and _is_marked(now)))
    return Begun(Resize(is_in_place=True), is_marked=True)


def end(api: Api, system: SystemRef, item: Item) -> None:
    """After ITEM was applied: its Deployment goes on."""
    api.apply(_marking(item, system, {}), DEPLOYMENT, manager=MARK)


class _NotInPlace(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _resize(api: Api, system: SystemRef, found: Item, wanted: Sizes, deadline: float) -> None:
    """Resize the pods of FOUND, then let its ReplicaSet's template follow. Raises _NotInPlace and RuntimeFailure."""
    name = found["metadata"]["name"]
    newest = _newest(api, system, found)
    pods = [pod for pod in api.items(POD, system.namespace, selector=selector(system)) if newest and _is_owned(pod, newest)]
    if newest is None or len(pods) != found["spec"].get("replicas", 1):
        raise _NotInPlace("Its copies are being replaced just now.")
    for pod in pods:
        if not _same(_limited(sizes_of(pod), wanted), wanted):
            path = f"{POD.path(pod['metadata']['name'], system.namespace)}/resize"
            api.merge(path, {"spec": {"containers": _as_containers(wanted)}}, name=f"Pod {pod['metadata']['name']}")
    for pod in pods:
        _await_size(api, system, pod["metadata"]["name"], wanted, deadline)
    api.apply(_marking(found, system, {"paused": True}), DEPLOYMENT, manager=MARK)
    _await(lambda: _is_observed(api.get(DEPLOYMENT, name, system.namespace)), deadline)
    replica_set = newest["metadata"]["name"]
    change = {"spec": {"template": {"spec": {"containers": _as_containers(wanted)}}}}
    api.merge(REPLICA_SET.path(replica_set, system.namespace), change, name=f"ReplicaSet {replica_set}")
    # Both controllers read one cache: what the ReplicaSet's has seen, the Deployment's has.
    _await(lambda: _is_observed(api.get(REPLICA_SET, replica_set, system.namespace)), deadline)


def _await_size(api: Api, system: SystemRef, name: str, wanted: Sizes, deadline: float) -> None:
    """Until the node gave the pod its size. Raises _NotInPlace when it says that it cannot, or says nothing."""
    last = "no answer"

    def has_it() -> bool:
        nonlocal last
        pod = api.get(POD, name, system.namespace) or {}
        status = pod.get("status") or {}
        pending = [one for one in status.get("conditions") or () if one["type"].startswith("PodResize") and one["status"] == "True"]
        for one in pending:
            last = one.get("message") or one.get("reason") or last
            if one.get("reason") == "Infeasible":
                raise _NotInPlace(f"The node cannot give {name} that size: {last}")
        given = {one["name"]: one.get("resources") or {} for one in status.get("containerStatuses") or ()}
        return not pending and _same(_limited(given, wanted), wanted)

    if not _holds_in_time(has_it, deadline):
        raise _NotInPlace(f"The node did not give {name} that size in time: {last}")


def _await(holds: Callable[[], bool], deadline: float) -> None:
    if not _holds_in_time(holds, deadline):
        raise _NotInPlace("The cluster's controllers did not follow in time.")


def _holds_in_time(holds: Callable[[], bool], deadline: float) -> bool:
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


def sizes_of(owner: Mapping[str, Any]) -> Sizes:
    """CPU and memory of each container of OWNER, a pod or its template."""
    return {container["name"]: _sized(container.get("resources") or {}) for container in owner["spec"]["containers"]}


def _sized(resources: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {kind: {name: value for name, value in (resources.get(kind) or {}).items() if name in _SIZED} for kind in ("requests", "limits")}


def _limited(sizes: Mapping[str, Mapping[str, Any]], to: Sizes) -> Sizes:
    return {name: _sized(resources) for name, resources in sizes.items() if name in to}


def _same(one: Sizes, other: Sizes) -> bool:
    return _parsed(one) == _parsed(other)


def _parsed(sizes: Sizes) -> Any:
    return {
        name: {kind: {key: parse_quantity(value) for key, value in values.items()} for kind, values in kinds.items()}
        for name, kinds in sizes.items()
    }


def _as_containers(sizes: Sizes) -> list[dict[str, Any]]:
    """For a strategic merge patch, which finds a container by its name."""
    return [{"name": name, "resources": kinds} for name, kinds in sizes.items()]


def _changes_size_alone(found: Item, after: Mapping[str, Any]) -> bool:
    changes = list(field_changes(found["spec"]["template"], after["spec"]["template"]))
    return bool(changes) and all(_SIZE.fullmatch(change.path) for change in changes)


def _is_complete(found: Item, *, is_marked: bool) -> bool:
    """All of its copies are of the newest template: there is no rollout that a resize would run into."""
    spec, status = found["spec"], found.get("status") or {}
    wanted = spec.get("replicas", 1)
    counts = {status.get("replicas", 0), status.get("updatedReplicas", 0), status.get("readyReplicas", 0)}
    return bool(wanted) and _is_observed(found) and counts == {wanted} and (is_marked or not spec.get("paused"))


def _is_observed(item: Mapping[str, Any] | None) -> bool:
    return item is not None and (item.get("status") or {}).get("observedGeneration", 0) >= item["metadata"].get("generation", 0)


def _is_marked(found: Item) -> bool:
    return any(entry.get("manager") == MARK for entry in found["metadata"].get("managedFields") or ())


def _marking(item: Item, system: SystemRef, spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": item["metadata"]["name"], "namespace": system.namespace}
    return {"apiVersion": DEPLOYMENT.api_version, "kind": DEPLOYMENT.kind, "metadata": metadata, **({"spec": spec} if spec else {})}


def _newest(api: Api, system: SystemRef, found: Item) -> Mapping[str, Any] | None:
    sets: Sequence[Mapping[str, Any]] = api.items(REPLICA_SET, system.namespace, selector=selector(system))
    own = [one for one in sets if _is_owned(one, found)]
    return next((one for one in own if _revision(one) == _revision(found)), None)


def _revision(item: Mapping[str, Any]) -> str:
    return (item["metadata"].get("annotations") or {}).get(REVISION, "")


def _is_owned(item: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    metadata = item["metadata"]
    return not metadata.get("deletionTimestamp") and any(
        reference["uid"] == owner["metadata"]["uid"] for reference in metadata.get("ownerReferences") or ()
    )
