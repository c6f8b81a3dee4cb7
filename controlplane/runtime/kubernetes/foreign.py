"""What stands in a system's namespace and is somebody else's: it is not taken over under Clove's name, and never removed.

An object is Clove's when the inventory has its uid, or when it carries the system's labels and Clove's own entry among its managers: so is
what an apply made that died before it could note the uid. A name alone proves nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controlplane.lib import together
from controlplane.runtime.errors import OwnedByAnother, RuntimeBusy
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.inventory import Entry, Inventory
from controlplane.runtime.kubernetes.ownership import has_applied, is_labelled, other_managers
from controlplane.runtime.kubernetes.resources import BY_KIND, SECRET, Resource
from controlplane.runtime.kubernetes.volumes import CLAIM
from controlplane.runtime.managers import Hands, is_taken, managers_of
from controlplane.runtime.objects import ObjectKey
from controlplane.runtime.port import SystemRef, Takes

Found = Mapping[tuple[str, str], Mapping[str, Any]]
"""(kind, name) -> the metadata of what stands there."""


def standing(api: Api, system: SystemRef, keys: Iterable[ObjectKey]) -> Found:
    """What of KEYS is in the namespace of SYSTEM, whoever made it, and of their kinds whatever else is listed with it."""
    names: dict[str, list[str]] = {}
    for key in keys:
        if key.kind != "Namespace":
            names.setdefault(key.kind, []).append(key.name)
    wanted = sorted(names)
    found = together.each(lambda kind: metadata_of(api, system, BY_KIND[kind], names[kind]), wanted)
    return {(kind, item["metadata"]["name"]): item for kind, items in zip(wanted, found, strict=True) for item in items}


def metadata_of(api: Api, system: SystemRef, resource: Resource, names: Sequence[str]) -> list[dict[str, Any]]:
    """The metadata of all objects of a kind; of Secrets, which no account of Clove's may list, of those that have NAMES."""
    if resource is SECRET:
        return [item for item in together.each(lambda name: api.look(SECRET, name, system.namespace), list(names)) if item]
    return api.items(resource, system.namespace, metadata_only=True)


def check(system: SystemRef, keys: Iterable[ObjectKey], found: Found, before: Inventory, hands: Hands, takes: Takes) -> None:
    """Raises OwnedByAnother when one of KEYS is FOUND there as somebody else's, who is named; unless TAKES names them."""
    for key in keys:
        item = found.get((key.kind, key.name))
        if item is not None and not _may_apply(system, key, item, before.entries.get(key, Entry()), hands):
            name, owner = f"{key.kind} {key.name}", ", ".join(other_managers(item, hands)) or "somebody else"
            if is_taken(takes, name, managers_of(owner)):
                continue
            raise OwnedByAnother(f"{name} belongs to {owner}.", owner=owner, object_name=name)


def _may_apply(system: SystemRef, key: ObjectKey, item: Mapping[str, Any], entry: Entry, hands: Hands) -> bool:
    if key.kind in ("Namespace", CLAIM.kind):
        # A namespace is judged by its label; a claim that somebody restored is to be used, and none is ever pruned.
        return True
    if item["metadata"]["uid"] == entry.uid or is_applied(item, system):
        return True
    # What a hand put in the place of an object of Clove's is a change by hand like any other.
    others = other_managers(item, hands)
    return bool(entry.uid and others) and all(map(hands.have, others))


def is_applied(item: Mapping[str, Any], system: SystemRef) -> bool:
    """Clove applied ITEM for SYSTEM, whether or not that was noted."""
    return is_labelled(item, system) and has_applied(item)


def is_anybodys(item: Mapping[str, Any]) -> bool:
    """ITEM stands for itself, and Clove did not make it: a backup that somebody asks of the CronJob is the CronJob's."""
    metadata = item["metadata"]
    return not (metadata.get("ownerReferences") or has_applied(item) or metadata.get("deletionTimestamp"))


def uid_to_remove(api: Api, system: SystemRef, key: ObjectKey, entry: Entry) -> str:
    """The uid of the object that ENTRY stands for; empty when it was never noted and nothing of its name is Clove's."""
    if entry.uid:
        return entry.uid
    resource = BY_KIND[key.kind]
    item = (api.look if resource is SECRET else api.get)(resource, key.name, system.namespace)
    return item["metadata"]["uid"] if item is not None and is_applied(item, system) else ""


def remove(api: Api, system: SystemRef, key: ObjectKey, entry: Entry) -> None:
    """Delete what ENTRY stands for, and nothing else that has its name."""
    uid = uid_to_remove(api, system, key, entry)
    if uid:
        with contextlib.suppress(RuntimeBusy):  # another object of that name since
            api.delete(BY_KIND[key.kind], key.name, system.namespace, uid=uid)
