"""Leaves the number of replicas to somebody else without a dip.

Server-Side Apply removes a field that its only manager no longer names, and the API server then sets `replicas` back to 1. So before
the number is dropped from a manifest (an autoscaler takes over), a second manager is given it as it stands.
"""

from __future__ import annotations

from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.bundle import Item
from controlplane.runtime.kubernetes.ownership import owned_fields
from controlplane.runtime.kubernetes.resources import resource_of

HOLDER = "clove-handover"
_SCALED = ("Deployment", "StatefulSet")


def keep_replicas(api: Api, item: Item) -> None:
    """Before ITEM is applied: when it no longer names its replicas while Clove still owns them, let HOLDER own them too."""
    if item["kind"] not in _SCALED or "replicas" in item["spec"]:
        return
    metadata = item["metadata"]
    found = api.get(resource_of(item), metadata["name"], metadata["namespace"])
    if found is None or "f:replicas" not in owned_fields(found).get("f:spec", {}):
        return
    holding = {
        "apiVersion": item["apiVersion"],
        "kind": item["kind"],
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "spec": {"replicas": found["spec"]["replicas"]},
    }
    api.apply(holding, resource_of(item), manager=HOLDER)
