"""Room for a rollout to something smaller. Pure.

A quota is that of what is wanted, with one more copy of each service. While copies of before still run, which were larger, the first of the
new ones would not fit into it: so it stays as large as it was until all of them are new, and is made smaller then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from controlplane.runtime.kubernetes.bundle import Item

QUOTA = "ResourceQuota"


def with_room(item: Item, found: Mapping[str, Any] | None) -> Item:
    """ITEM with each amount that FOUND, the quota as it stands, has more of. Half of either is what runs, so both then fit at once."""
    had: Mapping[str, str] = (found or {}).get("spec", {}).get("hard") or {}
    wanted = item["spec"]["hard"]
    hard = {
        name: had[name] if name in had and parse_quantity(had[name]) > parse_quantity(value) else value for name, value in wanted.items()
    }
    return item if hard == wanted else {**item, "spec": {**item["spec"], "hard": hard}}
