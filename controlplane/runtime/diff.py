"""What differs between two sets of rendered objects, field by field. Pure; shared by the adapters that diff by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from controlplane.runtime.objects import key_of
from controlplane.runtime.port import Change, ChangeKind, FieldChange, Objects

_ABSENT = object()


def object_changes(before: Objects, after: Objects) -> list[Change]:
    """The changes that lead from BEFORE to AFTER: created and updated objects in the order of AFTER, then deleted ones."""
    old = {key_of(item): item for item in before}
    new = {key_of(item): item for item in after}
    changes = []
    for key, item in new.items():
        if key not in old:
            changes.append(Change(ChangeKind.CREATE, key.kind, key.name))
        elif fields := tuple(field_changes(old[key], item)):
            changes.append(Change(ChangeKind.UPDATE, key.kind, key.name, fields))
    changes += [Change(ChangeKind.DELETE, key.kind, key.name) for key in old if key not in new]
    return changes


def field_changes(before: Any, after: Any, path: str = "") -> Iterator[FieldChange]:
    """The fields that differ, depth first, `metadata.labels.tier` or `containers[seat].image` as their paths.

    Lists whose members all have a distinct `name` are compared by it, as Kubernetes merges them; other lists by position.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            inner = f"{path}.{key}" if path else str(key)
            yield from field_changes(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list):
        old, new = _members(before, after)
        for key in dict.fromkeys((*old, *new)):
            yield from field_changes(old.get(key, _ABSENT), new.get(key, _ABSENT), f"{path}[{key}]")
    elif before is _ABSENT or after is _ABSENT or type(before) is not type(after) or before != after:
        yield FieldChange(path, None if before is _ABSENT else before, None if after is _ABSENT else after)


def _members(before: list[Any], after: list[Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    old, new = _by_name(before), _by_name(after)
    if old is None or new is None:
        return dict(enumerate(before)), dict(enumerate(after))
    return old, new


def _by_name(items: list[Any]) -> dict[Any, Any] | None:
    named = {item["name"]: item for item in items if isinstance(item, Mapping) and isinstance(item.get("name"), str)}
    return named if len(named) == len(items) else None
