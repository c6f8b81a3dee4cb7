"""What keeps a namespace from ending, as its own conditions tell. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from controlplane.runtime.kubernetes.podstate import parse_time

_BLOCKING = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
)


def what_blocks(namespace: Mapping[str, Any], *, now: datetime) -> str:
    """In words, how long NAMESPACE has been ending and what is left in it; an empty text when nothing is known of it."""
    conditions = {condition["type"]: condition for condition in (namespace.get("status") or {}).get("conditions") or ()}
    told = [conditions[kind]["message"] for kind in _BLOCKING if conditions.get(kind, {}).get("status") == "True"]
    if not told:
        return ""
    ending_s = (now - parse_time(namespace["metadata"]["deletionTimestamp"])).total_seconds()
    return f"Ending for {max(0, int(ending_s))} s. {' '.join(told)}"
