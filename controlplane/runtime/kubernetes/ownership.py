"""Whose is what: namespaces by their label, fields by the API server's own record of managers.

Drift needs no comparison of values: whoever changes a field of ours becomes its manager, and ours loses it (Server-Side Apply).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from controlplane.runtime.errors import OwnedByAnother
from controlplane.runtime.fingerprint import canonical
from controlplane.runtime.kubernetes.api import FIELD_MANAGER
from controlplane.runtime.managers import Hands
from controlplane.runtime.objects import MANAGED_BY, MANAGED_LABEL, SYSTEM_LABEL
from controlplane.runtime.port import Objects, SystemRef

PLATFORM_LABEL = "clove.dev/platform"


def selector(system: SystemRef) -> str:
    """Label selector of everything that belongs to SYSTEM."""
    return f"{SYSTEM_LABEL}={system.system_id},{MANAGED_LABEL}={MANAGED_BY}"


def is_ours(namespace: Mapping[str, Any], system: SystemRef) -> bool:
    """NAMESPACE was made for SYSTEM, by this platform; one from before platforms were told apart is anybody's."""
    labels = namespace["metadata"].get("labels") or {}
    platform = labels.get(PLATFORM_LABEL) or system.platform
    return is_labelled(namespace, system) and (platform == system.platform or not system.platform)


def is_labelled(item: Mapping[str, Any], system: SystemRef) -> bool:
    """ITEM carries the labels of SYSTEM, as everything does that Clove applies for it."""
    labels = item["metadata"].get("labels") or {}
    return labels.get(SYSTEM_LABEL) == str(system.system_id) and labels.get(MANAGED_LABEL) == MANAGED_BY


def marked(system: SystemRef, objects: Objects) -> list[Mapping[str, Any]]:
    """OBJECTS, and on the Namespace whose it is: revisions are the same wherever they are applied."""
    if not system.platform:
        return list(objects)
    return [_with_label(item, PLATFORM_LABEL, system.platform) if item["kind"] == "Namespace" else item for item in objects]


def _with_label(item: Mapping[str, Any], name: str, value: str) -> Mapping[str, Any]:
    metadata = item["metadata"]
    return {**item, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), name: value}}}


def check_ours(namespace: Mapping[str, Any], system: SystemRef) -> None:
    """Raises OwnedByAnother when NAMESPACE was not made for SYSTEM."""
    if is_ours(namespace, system):
        return
    labels = namespace["metadata"].get("labels") or {}
    other, manager = labels.get(SYSTEM_LABEL), labels.get(MANAGED_LABEL)
    owner = f"system {other}" if other and manager == MANAGED_BY else manager or "somebody else"
    if other == str(system.system_id) and manager == MANAGED_BY:
        owner = "another Clove on this cluster"
    raise OwnedByAnother(f"Namespace {system.namespace} belongs to {owner}.", owner=owner, object_name=f"Namespace {system.namespace}")


def is_of_clove(entry: Mapping[str, Any]) -> bool:
    """ENTRY of an object's managers tells what Clove applied."""
    return entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource")


def has_applied(item: Mapping[str, Any]) -> bool:
    """Clove is among the managers of ITEM."""
    return any(is_of_clove(entry) for entry in item["metadata"].get("managedFields") or ())


def owned_fields(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of ITEM that Clove applied and nobody changed since, in the form of `fieldsV1`."""
    entries = item["metadata"].get("managedFields") or ()
    return next((entry.get("fieldsV1") or {} for entry in entries if is_of_clove(entry)), {})


def ownership(item: Mapping[str, Any]) -> str:
    """Changes when somebody takes a field of ITEM from Clove, or gives it one."""
    return hashlib.sha256(canonical(owned_fields(item))).hexdigest()[:16]


def other_managers(item: Mapping[str, Any], hands: Hands) -> list[str]:
    """Who else writes to ITEM, status apart: hands first, for controllers follow what a hand did; of each the latest first."""
    entries = [
        entry
        for entry in item["metadata"].get("managedFields") or ()
        if entry.get("manager") != FIELD_MANAGER and entry.get("subresource") != "status"
    ]
    entries.sort(key=lambda entry: entry.get("time", ""), reverse=True)
    entries.sort(key=lambda entry: not hands.have(entry["manager"]))
    return list(dict.fromkeys(entry["manager"] for entry in entries))
