"""What an object says, without what the server notes about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NOTES = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")


def said(item: Mapping[str, Any]) -> dict[str, Any]:
    """ITEM without its status and without what changes when nothing was changed."""
    metadata = {name: value for name, value in item["metadata"].items() if name not in _NOTES}
    return {name: value for name, value in item.items() if name not in ("status", "metadata")} | {"metadata": metadata}
