"""What a hand added to an object of Clove's, beside the fields that Clove applies: a sidecar, a variable, a key, a label.

Such a field is nobody's but the hand's, so no apply would ever take it away. It is given to Clove first, by a patch of the managers alone,
as `kubectl` does when it goes over to server-side apply (csaupgrade); the next apply then drops it, for it does not name it. Who dies in
between leaves an object in which Clove owns more than was noted, which is drift.

Annotations are anybody's, also those of a pod's template (`kubectl rollout restart`), and so is what controllers write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from controlplane.runtime.errors import RuntimeBusy
from controlplane.runtime.kubernetes.api import FIELD_MANAGER, Api
from controlplane.runtime.kubernetes.bundle import Item
from controlplane.runtime.kubernetes.ownership import is_of_clove, owned_fields
from controlplane.runtime.kubernetes.resources import BY_KIND, SECRET, Resource, resource_of
from controlplane.runtime.managers import Hands

Fields = Mapping[str, Any]
"""As in `fieldsV1`: `f:name` is a field, `k:{…}` a member of a list by its keys, `v:…` one by its value; `.` the node itself."""

_DATA = ("f:data", "f:stringData", "f:binaryData")
_LEFT: Mapping[str, tuple[str, ...]] = {
    "Namespace": ("finalizers",),
    "Deployment": ("replicas", "selector"),
    "StatefulSet": ("replicas", "selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"),
    "Job": ("selector", "template", "manualSelector", "completions", "completionMode"),
    "Service": ("clusterIP", "clusterIPs"),
}
"""Fields of `spec` that are not taken: those that nobody can take away again, and a number of copies, which Clove names or leaves to an
autoscaler, and which falls to one when nobody names it."""
_TRIES = 3


def additions(kind: str, item: Mapping[str, Any], hands: Hands) -> Fields:
    """What hands own of ITEM, which is of KIND, that Clove applies no part of. Reads nothing but its metadata."""
    clove = owned_fields(item)
    found: Fields = {}
    for entry in _hands(kind, item, hands):
        found = _union(found, _beyond(_in_scope(kind, entry.get("fieldsV1") or {}), clove))
    return found


def take(api: Api, item: Item) -> None:
    """Give Clove what hands added to ITEM, so that applying ITEM takes it away. Changes no value.

    Raises RuntimeBusy when the object is changed again and again meanwhile.
    """
    resource, metadata = resource_of(item), item["metadata"]
    for attempt in range(_TRIES):
        look = api.look if resource is SECRET else api.get
        found = look(resource, metadata["name"], metadata.get("namespace", ""))
        if found is None or not additions(resource.kind, found, api.hands):
            return
        # Of a field that Clove applies itself a hand is deprived by applying it.
        wanted = additions(resource.kind, api.apply(item, resource, dry_run=True, force=True).item, api.hands)
        if not wanted:
            return
        change = [
            {"op": "replace", "path": "/metadata/managedFields", "value": _given(resource, found, wanted, api.hands)},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": found["metadata"]["resourceVersion"]},
        ]
        try:
            api.patch(resource.path(metadata["name"], metadata.get("namespace", "")), change, name=f"{resource.kind} {metadata['name']}")
        except RuntimeBusy:
            if attempt == _TRIES - 1:
                raise
        else:
            return


def without_additions(api: Api, resource: Resource, after: Item) -> Item:
    """AFTER, as a dry run of applying it left it, as it will be once `take` was asked before: with the server's own defaults."""
    added = additions(resource.kind, after, api.hands)
    if not added:
        return after
    metadata, left = after["metadata"], without(after, added)
    change = [{"op": "add", "path": f"/{name}", "value": left.get(name, {})} for name in ("spec", "data", "binaryData") if name in after]
    change.append({"op": "add", "path": "/metadata/labels", "value": left["metadata"].get("labels", {})})
    path = resource.path(metadata["name"], metadata.get("namespace", ""))
    return api.patch(path, change, name=f"{resource.kind} {metadata['name']}", dry_run=True)


def _hands(kind: str, item: Mapping[str, Any], hands: Hands) -> list[Mapping[str, Any]]:
    """The entries of hands that speak of ITEM in the version in which Clove applies it: others name fields that it does not have."""
    version = BY_KIND[kind].api_version
    return [
        entry
        for entry in item["metadata"].get("managedFields") or ()
        if entry.get("apiVersion") == version and entry.get("subresource") != "status" and hands.have(entry.get("manager", ""))
    ]


def _in_scope(kind: str, fields: Fields) -> dict[str, Any]:
    labels = (fields.get("f:metadata") or {}).get("f:labels")
    found: dict[str, Any] = {"f:metadata": {"f:labels": labels}} if labels else {}
    found |= {name: fields[name] for name in _DATA if name in fields}
    # Of a claim nearly nothing can be taken away again; one that a hand enlarged stays as large.
    if kind != "PersistentVolumeClaim" and (spec := fields.get("f:spec")):
        left = {f"f:{name}" for name in _LEFT.get(kind, ())}
        if taken := _labels_alone({name: inner for name, inner in spec.items() if name not in left}):
            found["f:spec"] = taken
    return found


def _labels_alone(fields: Fields) -> dict[str, Any]:
    """FIELDS of a spec, of the metadata in it (that of pods) nothing but the labels."""
    found: dict[str, Any] = {}
    for name, inner in fields.items():
        if name == "f:metadata":
            if inner.get("f:labels"):
                found[name] = {"f:labels": inner["f:labels"]}
        elif not inner or (rest := _labels_alone(inner)):
            found[name] = rest if inner else {}
    return found


def _beyond(fields: Fields, owned: Fields) -> dict[str, Any]:
    """What of FIELDS is not OWNED; what is owned in part is itself owned."""
    found: dict[str, Any] = {}
    for name, inner in fields.items():
        if name == ".":
            continue
        if name not in owned:
            found[name] = inner
        elif rest := _beyond(inner, owned[name]):
            found[name] = rest
    return found


def _union(one: Fields, other: Fields) -> dict[str, Any]:
    """Both; a node that either has as a whole and the other in part is written as the node with its parts."""
    found = dict(one)
    for name, inner in other.items():
        if name not in found or found[name] == inner:
            found[name] = inner
        else:
            whole: dict[str, Any] = {} if found[name] and inner else {".": {}}
            found[name] = whole | _union(found[name], inner)
    return found


def _less(fields: Fields, taken: Fields) -> dict[str, Any]:
    """FIELDS without those TAKEN, and without nodes that are empty then."""
    found: dict[str, Any] = {}
    for name, inner in fields.items():
        if name not in taken:
            found[name] = inner
        elif inner and (rest := _less(inner, taken[name])):
            found[name] = rest
    return found


def _given(resource: Resource, item: Mapping[str, Any], taken: Fields, hands: Hands) -> list[dict[str, Any]]:
    """The managers of ITEM once Clove has been given what was TAKEN."""
    of_hands = _hands(resource.kind, item, hands)
    found: list[dict[str, Any]] = [
        {"manager": FIELD_MANAGER, "operation": "Apply", "apiVersion": resource.api_version, "fieldsType": "FieldsV1"}
    ]
    for entry in item["metadata"]["managedFields"]:
        if is_of_clove(entry):
            found[0] = entry
        elif any(entry is hand for hand in of_hands):
            if rest := _less(entry.get("fieldsV1") or {}, taken):
                found.append({**entry, "fieldsV1": rest})
        else:
            found.append(entry)
    return [{**found[0], "fieldsV1": _union(found[0].get("fieldsV1") or {}, taken)}, *found[1:]]


def without(value: Any, fields: Fields) -> Any:
    """VALUE without FIELDS."""
    if isinstance(value, Mapping):
        return _map_without(value, fields)
    if not isinstance(value, list):
        return value
    kept = []
    for member in value:
        own = next((inner for name, inner in fields.items() if _names(name, member)), None)
        if own is None:
            kept.append(member)
        elif own and "." not in own:
            kept.append(without(member, own))
    return kept


def _map_without(value: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    kept = dict(value)
    for name, inner in fields.items():
        key = name.removeprefix("f:")
        if key not in kept or not name.startswith("f:"):
            continue
        rest = without(kept[key], inner) if inner and "." not in inner else None
        if rest:
            kept[key] = rest
        else:
            del kept[key]
    return kept


def _names(name: str, member: Any) -> bool:
    """The path element NAME is that of MEMBER of a list."""
    kind, _, text = name.partition(":")
    if kind == "v":
        return bool(json.loads(text) == member)
    return kind == "k" and isinstance(member, Mapping) and all(member.get(key) == value for key, value in json.loads(text).items())
