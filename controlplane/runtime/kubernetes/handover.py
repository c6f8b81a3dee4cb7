"""Leaves the number of replicas to somebody else without a dip.

Server-Side Apply removes a field that its only manager no longer names, and the API server then sets `replicas` back to 1. So before
the number is dropped from a manifest (an autoscaler takes over), a second manager is given it as it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from controlplane.runtime.kubernetes import foreign
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.bundle import Item
from controlplane.runtime.kubernetes.inventory import Inventory
from controlplane.runtime.kubernetes.ownership import owned_fields
from controlplane.runtime.kubernetes.resources import BY_KIND, resource_of
from controlplane.runtime.objects import ObjectKey
from controlplane.runtime.port import SystemRef

HOLDER = "clove-handover"
AUTOSCALER = BY_KIND["HorizontalPodAutoscaler"]
_SCALED = ("Deployment", "StatefulSet")


def gives_away(item: Item) -> bool:
    """ITEM leaves the number of its replicas to somebody else."""
    return item["kind"] in _SCALED and "replicas" not in item["spec"]


def is_to_keep(item: Item, found: Mapping[str, Any] | None) -> bool:
    """ITEM no longer names its replicas while Clove still owns those of FOUND, which stay as they are then.

    Of none there is nothing to keep: it rested, and no autoscaler wakes what has none. It begins with one, the server's own number.
    """
    if found is None or not gives_away(item):
        return False
    return bool(found["spec"].get("replicas")) and "f:replicas" in owned_fields(found).get("f:spec", {})


def keep_replicas(api: Api, item: Item) -> None:
    """Before ITEM is applied: let HOLDER own the replicas, too, that it no longer names."""
    if not gives_away(item):
        return
    metadata = item["metadata"]
    found = api.get(resource_of(item), metadata["name"], metadata["namespace"])
    if found is None or not is_to_keep(item, found):
        return
    holding = {
        "apiVersion": item["apiVersion"],
        "kind": item["kind"],
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "spec": {"replicas": found["spec"]["replicas"]},
    }
    api.apply(holding, resource_of(item), manager=HOLDER)


def is_taken_back(item: Item, before: Inventory, keys: Collection[ObjectKey]) -> bool:
    """ITEM names its replicas again, and its autoscaler, which was there BEFORE, is not among KEYS any more.

    ITEM is to be applied by force then, for the number is still somebody else's.
    """
    key = _autoscaler_of(item)
    return item["kind"] in _SCALED and "replicas" in item["spec"] and key in before.entries and key not in keys


def end_autoscaling(api: Api, system: SystemRef, item: Item, before: Inventory) -> None:
    """Delete the autoscaler of ITEM, before ITEM is applied; never one of somebody else. May be asked again after a crash."""
    key = _autoscaler_of(item)
    foreign.remove(api, system, key, before.entries[key])


def _autoscaler_of(item: Item) -> ObjectKey:
    return ObjectKey(AUTOSCALER.group, AUTOSCALER.kind, item["metadata"]["name"])
