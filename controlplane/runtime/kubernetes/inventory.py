"""What Clove applied to a namespace, kept there itself: what to prune, what drifted, and which revision it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.ownership import ownership
from controlplane.runtime.kubernetes.podstate import parse_time
from controlplane.runtime.kubernetes.resources import CONFIG_MAP
from controlplane.runtime.objects import MANAGED_BY, MANAGED_LABEL, SYSTEM_LABEL, ObjectKey, key_of
from controlplane.runtime.port import Resize, SystemRef

NAME = "clove-inventory"


class Entry(NamedTuple):
    """The very object (`uid`) and who owned its fields when it was applied; both empty while that is under way."""

    uid: str = ""
    ownership: str = ""


@dataclass(frozen=True)
class Inventory:
    """`fingerprint` is empty while an apply is under way: then nobody knows what runs."""

    fingerprint: str = ""
    entries: Mapping[ObjectKey, Entry] = field(default_factory=dict)
    host: str = ""
    resizes: Mapping[str, Resize] = field(default_factory=dict)
    """Deployment -> what became of another size that this apply gave its pods."""
    is_roomy: bool = False
    """The quota is larger than what is wanted, for a rollout that goes on: it is to be applied once more after that."""
    written_at: datetime | None = None
    """By the API server's clock."""
    routing: str | None = None
    """The mark of the routing that it was applied by; None for what was written before that was noted."""

    def beginning(self, keys: Iterable[ObjectKey]) -> Inventory:
        """This one while KEYS are being applied: what was and what comes, so that a crash in between leaves nothing forgotten."""
        return replace(self, fingerprint="", resizes={}, entries=dict.fromkeys(keys, Entry()) | dict(self.entries))


def entry_of(item: Mapping[str, Any]) -> Entry:
    """The entry of ITEM as the API server answered it."""
    return Entry(item["metadata"]["uid"], ownership(item))


def read(api: Api, system: SystemRef) -> Inventory:
    """The inventory of SYSTEM; an empty one when there is none, or one that cannot be read."""
    item = api.get(CONFIG_MAP, NAME, system.namespace)
    stored = (item or {}).get("data") or {}
    try:
        rows = json.loads(stored.get("objects") or "[]")
        entries = {ObjectKey(group, kind, name): Entry(uid, owned) for group, kind, name, uid, owned in rows}
        resizes = {name: Resize(*told) for name, told in json.loads(stored.get("resizes") or "{}").items()}
    except (ValueError, TypeError, AttributeError):  # changed by hand: the next apply writes it anew
        return Inventory()
    times = [managed["time"] for managed in (item or {}).get("metadata", {}).get("managedFields") or () if managed.get("time")]
    written_at = max(map(parse_time, times), default=None)
    is_roomy, routing = "roomy" in stored, stored.get("routing")
    return Inventory(stored.get("fingerprint", ""), entries, stored.get("host", ""), resizes, is_roomy, written_at, routing)


def write(api: Api, system: SystemRef, inventory: Inventory) -> None:
    """Store INVENTORY; it is nobody else's, so it is taken whoever wrote to it."""
    rows = sorted((*key, *entry) for key, entry in inventory.entries.items())
    data = {"fingerprint": inventory.fingerprint, "host": inventory.host, "objects": json.dumps(rows)}
    if inventory.resizes:
        data["resizes"] = json.dumps({name: (told.is_in_place, told.why) for name, told in sorted(inventory.resizes.items())})
    if inventory.is_roomy:
        data["roomy"] = "yes"
    if inventory.routing is not None:
        data["routing"] = inventory.routing
    item = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": NAME,
            "namespace": system.namespace,
            "labels": {MANAGED_LABEL: MANAGED_BY, SYSTEM_LABEL: str(system.system_id), "app.kubernetes.io/component": "inventory"},
        },
        "data": data,
    }
    api.apply(item, CONFIG_MAP, force=True)


def keys_of(objects: Iterable[Mapping[str, Any]]) -> list[ObjectKey]:
    """The identities of OBJECTS, in their order."""
    return [key_of(item) for item in objects]
