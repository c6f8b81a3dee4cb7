"""What somebody changed, added or deleted since it was applied, and what stands beside it that is not Clove's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controlplane.lib import together
from controlplane.runtime.errors import Forbidden
from controlplane.runtime.kubernetes import foreign
from controlplane.runtime.kubernetes.additions import additions
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.inventory import Inventory, entry_of
from controlplane.runtime.kubernetes.ownership import other_managers
from controlplane.runtime.kubernetes.resources import BY_KIND, DAEMON_SET, POD, SECRET, Resource
from controlplane.runtime.managers import Hands
from controlplane.runtime.objects import ObjectKey
from controlplane.runtime.port import SystemRef

BESIDE = (*(BY_KIND[kind] for kind in ("NetworkPolicy", "Deployment", "StatefulSet", "Job", "CronJob")), DAEMON_SET, POD)
"""What is told of when it is not Clove's: it runs on the system's quota, or lets in what Clove keeps out."""


@dataclass(frozen=True)
class Drift:
    """In words: `changed` is put right by applying again, `beside` stays until somebody removes it; empty when there is none."""

    changed: str = ""
    beside: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.changed, self.beside)))


def drift(
    api: Api, system: SystemRef, applied: Inventory, namespace: Mapping[str, Any], known: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Drift:
    """What is not as APPLIED says. KNOWN has all objects of a kind in the namespace, of those kinds that were listed already.

    An apply that is under way (or died) has no fingerprint, and nothing is said of it here.
    """
    if not applied.fingerprint:
        return Drift()
    wanted = {BY_KIND[key.kind] for key in applied.entries if key.kind != "Namespace"} | set(BESIDE)
    missing = sorted((resource for resource in wanted if resource.kind not in known), key=lambda resource: resource.kind)
    listed = together.each(lambda resource: _listed(api, resource, system, applied), missing)
    by_kind = {**known, **{resource.kind: items for resource, items in zip(missing, listed, strict=True) if items is not None}}
    found = {(kind, item["metadata"]["name"]): item for kind, items in by_kind.items() for item in items}
    found["Namespace", system.namespace] = namespace
    seen = (key for key in applied.entries if key.kind in by_kind or key.kind == "Namespace")
    changed = filter(None, (_of(key, applied, found.get((key.kind, key.name)), api.hands) for key in seen))
    own = {(key.kind, key.name) for key in applied.entries}
    names = [
        f"{kind} {name}"
        for kind in (resource.kind for resource in BESIDE)
        for name in sorted(item["metadata"]["name"] for item in by_kind[kind] if foreign.is_anybodys(item))
        if (kind, name) not in own
    ]
    return Drift(" ".join(changed), f"Not Clove's: {', '.join(names)}." if names else "")


def _listed(api: Api, resource: Resource, system: SystemRef, applied: Inventory) -> list[dict[str, Any]] | None:
    """All of a kind; of Secrets, which no account of Clove's may list, those of APPLIED. None for those that who looks may not ask for."""
    try:
        return foreign.metadata_of(api, system, resource, [key.name for key in applied.entries if key.kind == resource.kind])
    except Forbidden:
        if resource is DAEMON_SET:  # which Clove applies none of: an account with the rights of an earlier release goes on
            return []
        if resource is not SECRET:
            raise
        return None  # the portal's account; the workers' may, and put right what they find


def _of(key: ObjectKey, applied: Inventory, item: Mapping[str, Any] | None, hands: Hands) -> str:
    entry, name = applied.entries[key], f"{key.kind} {key.name}"
    if item is None or item["metadata"].get("deletionTimestamp"):
        return f"{name} is gone."
    now = entry_of(item)
    if now.uid != entry.uid:
        return f"{name} was replaced."
    if now.ownership != entry.ownership or additions(key.kind, item, hands):
        others = other_managers(item, hands)
        return f"{name} was changed by {others[0]}." if others else f"{name} was changed."
    return ""
