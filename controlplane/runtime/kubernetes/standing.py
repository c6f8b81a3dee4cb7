"""What of an object cannot be taken back once it stands: a server refuses it, and all that comes with it. Pure.

What is applied may well say otherwise: an earlier revision that comes back after a larger one, or after somebody enlarged a volume that was
full, or one that an earlier release rendered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from controlplane.runtime.kubernetes.bundle import Item

CLAIM = "PersistentVolumeClaim"
KINDS = (CLAIM, "StatefulSet")
_DEFAULT_ORDER = "OrderedReady"


def fitted(item: Item, found: Mapping[str, Any] | None) -> Item:
    """ITEM as FOUND, the object as it stands, can become: claims only grow, and a StatefulSet keeps the order that it makes its pods in."""
    if found is None or item["kind"] not in KINDS:
        return item
    return _as_large(item, found) if item["kind"] == CLAIM else _as_ordered(item, found)


def _as_large(item: Item, found: Mapping[str, Any]) -> Item:
    wanted, there = item["spec"]["resources"]["requests"], found["spec"]["resources"]["requests"]
    if parse_quantity(there["storage"]) <= parse_quantity(wanted["storage"]):
        return item
    resources = {**item["spec"]["resources"], "requests": {**wanted, "storage": there["storage"]}}
    return {**item, "spec": {**item["spec"], "resources": resources}}


def _as_ordered(item: Item, found: Mapping[str, Any]) -> Item:
    there = found["spec"].get("podManagementPolicy", _DEFAULT_ORDER)
    is_same = item["spec"].get("podManagementPolicy", _DEFAULT_ORDER) == there
    return item if is_same else {**item, "spec": {**item["spec"], "podManagementPolicy": there}}
