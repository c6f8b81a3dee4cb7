"""What somebody changed or deleted since it was applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.inventory import Inventory, entry_of
from controlplane.runtime.kubernetes.ownership import other_managers, selector
from controlplane.runtime.kubernetes.resources import BY_KIND
from controlplane.runtime.objects import ObjectKey
from controlplane.runtime.port import SystemRef


def drift(
    api: Api, system: SystemRef, applied: Inventory, namespace: Mapping[str, Any], known: Mapping[str, Sequence[Mapping[str, Any]]]
) -> str:
    """In words, what is not as APPLIED says; an empty text when all is. KNOWN has the objects by kind that were listed already.

    An apply that is under way (or died) has no fingerprint, and nothing is said of it here.
    """
    if not applied.fingerprint:
        return ""
    found: dict[tuple[str, str], Mapping[str, Any]] = {("Namespace", system.namespace): namespace}
    for kind in {key.kind for key in applied.entries} - {"Namespace"}:
        items = known.get(kind)
        if items is None:
            items = api.items(BY_KIND[kind], system.namespace, selector=selector(system), metadata_only=True)
        found |= {(kind, item["metadata"]["name"]): item for item in items}
    return " ".join(filter(None, (_of(key, applied, found.get((key.kind, key.name))) for key in applied.entries)))


def _of(key: ObjectKey, applied: Inventory, item: Mapping[str, Any] | None) -> str:
    entry, name = applied.entries[key], f"{key.kind} {key.name}"
    if item is None or item["metadata"].get("deletionTimestamp"):
        return f"{name} is gone."
    now = entry_of(item)
    if now.uid != entry.uid:
        return f"{name} was replaced."
    if now.ownership != entry.ownership:
        others = other_managers(item)
        return f"{name} was changed by {others[0]}." if others else f"{name} was changed."
    return ""
