"""What others do to a cluster while Clove runs systems there: edit, scale, delete, and the controllers' notes on how things stand."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.resources import RESOURCES, Resource

BOUND_S = 30.0
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"


class Cluster:
    """Raw requests as the cluster's admin."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def create(self, path: str, item: Mapping[str, Any], *, manager: str = "") -> dict[str, Any]:
        query = {"fieldManager": manager} if manager else {}
        return self.api._call("POST", path, query, body=item, content_type="application/json").json()

    def patch(self, path: str, change: Mapping[str, Any], *, manager: str) -> dict[str, Any]:
        return self.api._call("PATCH", path, {"fieldManager": manager}, body=change, content_type=MERGE).json()

    def edit(self, path: str, change: Mapping[str, Any], *, manager: str) -> dict[str, Any]:
        """As `kubectl edit` and `kubectl set` send it: members of lists are found by their names."""
        return self.api._call("PATCH", path, {"fieldManager": manager}, body=change, content_type=STRATEGIC).json()

    def play(self, path: str, status: Mapping[str, Any]) -> dict[str, Any]:
        """Write STATUS as the controller of the object at PATH would."""
        return self.patch(f"{path}/status", {"status": status}, manager="kube-controller-manager")

    def delete(self, path: str) -> None:
        self.api._call("DELETE", path, body={}, content_type="application/json")

    def versions(self, namespace: str) -> dict[str, str]:
        """`Kind/name` -> resourceVersion of everything of a system."""
        found: dict[str, str] = {}
        for resource in RESOURCES:
            if not resource.is_namespaced:
                continue
            for item in self.api.items(resource, namespace, metadata_only=True):
                found[f"{resource.kind}/{item['metadata']['name']}"] = item["metadata"]["resourceVersion"]
        return found

    def names(self, resource: Resource, namespace: str) -> set[str]:
        return {item["metadata"]["name"] for item in self.api.items(resource, namespace, metadata_only=True)}

    def await_kind(self, root: str, kind: str) -> None:
        deadline = time.monotonic() + BOUND_S
        while kind not in json.dumps(self.api.find(root) or {}):
            assert time.monotonic() < deadline, f"{kind} is not served"
            time.sleep(0.05)
