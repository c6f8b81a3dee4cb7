"""Room for a rollout to something smaller. Pure.

A quota is that of what is wanted, with two more copies of each service. While copies of before still run, which were larger, the first of
the new ones would not fit into it: so it stays as large as it was until all of them are new, and is made smaller then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from controlplane.runtime.kubernetes.bundle import Item

QUOTA = "ResourceQuota"


def with_room(item: Item, found: Mapping[str, Any] | None) -> Item:
    """ITEM with each amount that FOUND, the quota as it stands, has more of: the copies of before fit, and so do the new ones.

    While some services grow and others shrink, not all of both: then a new copy waits for an old one of another service to end.
    """
    had: Mapping[str, str] = (found or {}).get("spec", {}).get("hard") or {}
    wanted = item["spec"]["hard"]
    hard = {
        name: had[name] if name in had and parse_quantity(had[name]) > parse_quantity(value) else value for name, value in wanted.items()
    }
    return item if hard == wanted else {**item, "spec": {**item["spec"], "hard": hard}}
