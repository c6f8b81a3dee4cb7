"""What differs between two rendered revisions, for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from controlplane.runtime.diff import object_changes
from controlplane.runtime.port import Change, Objects


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
