"""The cluster's machines, with what pods may use of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.resources import NODE
from controlplane.runtime.port import Node


def nodes(api: Api) -> list[Node]:
    """In the order of their names."""
    return sorted((_node(item) for item in api.items(NODE)), key=lambda node: node.name)


def _node(item: Mapping[str, Any]) -> Node:
    status = item.get("status") or {}
    room = status.get("allocatable") or {}
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}
    return Node(
        name=item["metadata"]["name"],
        is_ready=conditions.get("Ready") == "True" and not item["spec"].get("unschedulable"),
        cpu_m=int(parse_quantity(room.get("cpu", 0)) * 1000),
        memory_bytes=int(parse_quantity(room.get("memory", 0))),
        labels=item["metadata"].get("labels") or {},
    )
