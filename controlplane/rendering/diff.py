"""What differs between two rendered revisions, for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from controlplane.runtime.diff import object_changes
from controlplane.runtime.port import Change, ChangeKind, Objects

_SIGNS = {ChangeKind.CREATE: "+", ChangeKind.UPDATE: "~", ChangeKind.DELETE: "-"}


def revision_diff(before: Objects, after: Objects) -> list[dict[str, Any]]:
    """The changes from BEFORE to AFTER as JSON: `{"change", "kind", "name", "fields": [{"path", "before", "after"}], "warning"}`."""
    return changes_to_json(object_changes(before, after))


def changes_to_json(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """A runtime's preview, or a diff, as JSON."""
    return [
        {
            "change": change.kind.value,
            "kind": change.object_kind,
            "name": change.name,
            "fields": [{"path": field.path, "before": field.before, "after": field.after} for field in change.fields],
            "warning": change.warning,
        }
        for change in changes
    ]


def to_text(changes: Sequence[dict[str, Any]]) -> str:
    """The changes as lines, one object each with its fields below; empty when nothing changes."""
    lines = []
    for change in changes:
        lines.append(f"{_SIGNS[ChangeKind(change['change'])]} {change['kind']} {change['name']}")
        lines += [f"    {field['path']}: {_short(field['before'])} -> {_short(field['after'])}" for field in change["fields"]]
        if change["warning"]:
            lines.append(f"    ! {change['warning']}")
    return "\n".join(lines)


def _short(value: Any) -> str:
    text = "(none)" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."
