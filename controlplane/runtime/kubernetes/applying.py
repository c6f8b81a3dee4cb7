"""Makes a bundle the desired state of a namespace: applies it in order, kind after kind, then prunes what fell out.

It may die at any point. Before the first change the inventory names all that was and all that comes and loses its fingerprint;
only after the last one it names what is. So whoever looks in between sees an unfinished apply, and the next one finishes it.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Collection, Mapping

from controlplane.lib import together
from controlplane.runtime.errors import OwnedByAnother, RuntimeBusy
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.kubernetes import additions, bundle, foreign, handover, inventory, quotas, resizing, standing, volumes
from controlplane.runtime.kubernetes.api import Api, Applied
from controlplane.runtime.kubernetes.bundle import Item
from controlplane.runtime.kubernetes.extensions import check_extensions
from controlplane.runtime.kubernetes.inventory import Entry, Inventory
from controlplane.runtime.kubernetes.notes import said
from controlplane.runtime.kubernetes.ownership import check_ours
from controlplane.runtime.kubernetes.resources import BY_KIND, NAMESPACE, RANK, resource_of
from controlplane.runtime.managers import is_taken, managers_of
from controlplane.runtime.objects import ObjectKey, hostnames, key_of, label
from controlplane.runtime.port import Objects, Secrets, SystemRef, Takes

KEPT = standing.CLAIM
"""A service that leaves a system keeps its data; they go with the namespace."""
_NOTHING: Item = {"metadata": {}}


def apply(
    api: Api,
    system: SystemRef,
    objects: Objects,
    secrets: Secrets,
    *,
    routed: Objects,
    routing: str,
    keeps: Mapping[str, str],
    takes: Takes = (),
) -> None:
    """Apply ROUTED, which is OBJECTS as this cluster routes them (ROUTING marks how), with SECRETS. The fingerprint is that of OBJECTS.

    See `Runtime.apply` for KEEPS and TAKES.
    """
    bundle.check(system, routed)
    check_extensions(api, routed)
    items = bundle.in_order(system, routed, secrets)
    namespace, rest = items[0], items[1:]
    found = api.get(NAMESPACE, system.namespace)
    if found is not None:
        check_ours(found, system)
        if found["metadata"].get("deletionTimestamp"):
            raise RuntimeBusy(f"Namespace {system.namespace} is still being deleted.", object_name=f"Namespace {system.namespace}")
    volumes.check(api, system, found, keeps)
    if keeps and found is not None:
        namespace = volumes.tied(namespace, found["metadata"]["uid"])
    before = inventory.read(api, system) if found is not None else Inventory()
    keys = inventory.keys_of(items)
    there = foreign.standing(api, system, keys) if found is not None else {}
    foreign.check(system, keys, there, before, api.hands, takes)
    if found is not None and additions.additions("Namespace", found, api.hands):
        additions.take(api, namespace)
    entries: dict[ObjectKey, Entry] = {key_of(namespace): inventory.entry_of(apply_fairly(api, namespace, takes=takes).item)}
    after_fingerprint = fingerprint(objects, secrets)
    if before.fingerprint != after_fingerprint or not before.entries.keys() >= set(keys):
        inventory.write(api, system, before.beginning(keys))
    resizes = dict(before.resizes) if before.fingerprint == after_fingerprint else {}
    deadline = time.monotonic() + resizing.LONGEST_S
    roomy: list[Item] = []

    def one(item: Item) -> None:
        if item["kind"] == standing.CLAIM and (uid := keeps.get(item["metadata"]["name"])):
            item = volumes.tied(item, uid)
        if item["kind"] == quotas.QUOTA and before.fingerprint != after_fingerprint:
            item, plain = quotas.with_room(item, api.get(resource_of(item), item["metadata"]["name"], system.namespace)), item
            roomy.extend([] if item is plain else [item])
        if additions.additions(item["kind"], there.get((item["kind"], item["metadata"]["name"]), _NOTHING), api.hands):
            additions.take(api, _fitted(api, item)[0])
        handover.keep_replicas(api, item)
        if is_taken_back := handover.is_taken_back(item, before, keys):
            handover.end_autoscaling(api, system, item, before)
        begun = resizing.begin(
            api, system, item, functools.partial(_tried, api, item, is_forced=is_taken_back, takes=takes), deadline=deadline
        )
        applied = api.apply(item, resource_of(item), force=True).item if is_taken_back else _apply(api, item, takes)
        if begun.is_marked:
            resizing.end(api, system, item)
        if begun.resize:
            resizes[item["metadata"]["name"]] = begun.resize
        entries[key_of(item)] = inventory.entry_of(applied)

    for _, same in itertools.groupby(rest, key=lambda item: item["kind"]):
        together.each(one, list(same))
    _prune(api, system, before, keep=entries.keys())
    hosts = hostnames(objects)
    host = hosts[0] if hosts else ""
    inventory.write(api, system, Inventory(after_fingerprint, entries, host, resizes, is_roomy=bool(roomy), routing=routing))


def _tried(api: Api, item: Item, *, is_forced: bool, takes: Takes) -> Item:
    """ITEM as applying it would leave it."""
    if is_forced:
        return api.apply(item, resource_of(item), dry_run=True, force=True).item
    return apply_fairly(api, item, dry_run=True, takes=takes).item


def _apply(api: Api, item: Item, takes: Takes) -> Item:
    """ITEM as it stands afterwards. The API server rewrites a claim the first time it is applied again, even without a change (seen with
    1.36), so a claim is only applied when a dry run says that it would differ."""
    if item["kind"] not in standing.KINDS:
        return apply_fairly(api, item, takes=takes).item
    item, found = _fitted(api, item)
    if found and item["kind"] == standing.CLAIM and said(found) == said(apply_fairly(api, item, dry_run=True, takes=takes).item):
        return found
    return apply_fairly(api, item, takes=takes).item


def _fitted(api: Api, item: Item) -> tuple[Item, Item | None]:
    """ITEM as what stands there can become, and that."""
    found = api.get(resource_of(item), item["metadata"]["name"], item["metadata"]["namespace"])
    return standing.fitted(item, found), found


def apply_fairly(api: Api, item: Item, *, dry_run: bool = False, takes: Takes = ()) -> Applied:
    """Apply ITEM; take back fields that somebody changed by hand, or that TAKES names, and leave those that another controller manages.

    Raises OwnedByAnother with that controller's name. Where a hand changed fields as well, the conflict is the hand's and the controller is
    overruled with it, this once: a past note of its own is gone then, and one that insists writes again and is told of at the next look.
    """
    resource = resource_of(item)
    try:
        return api.apply(item, resource, dry_run=dry_run)
    except OwnedByAnother as conflict:
        managers = managers_of(conflict.owner)
        if not any(map(api.hands.have, managers)) and not is_taken(takes, label(item), managers):
            raise
    # Forcing takes exactly the fields of this conflict, unless another one arose this very moment: then it is drift at the next look.
    return api.apply(item, resource, dry_run=dry_run, force=True)


def _prune(api: Api, system: SystemRef, before: Inventory, *, keep: Collection[ObjectKey]) -> None:
    fallen = [key for key in before.entries if key not in keep and key.kind in BY_KIND and key.kind not in (KEPT, "Namespace")]
    for key in sorted(fallen, key=lambda key: RANK[key.kind], reverse=True):
        foreign.remove(api, system, key, before.entries[key])
