"""Tells what a cluster lacks before anything is applied to it."""

from __future__ import annotations

from controlplane.runtime.errors import Unsupported
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.resources import resource_of
from controlplane.runtime.objects import label
from controlplane.runtime.port import Objects


def check_extensions(api: Api, objects: Objects) -> None:
    """Raises Unsupported for the first of OBJECTS whose kind a CRD defines that this cluster does not have."""
    served: dict[str, set[str]] = {}
    for item in objects:
        resource = resource_of(item)
        if not resource.is_extension:
            continue
        if resource.root not in served:
            known = api.find(resource.root) or {}
            served[resource.root] = {entry["kind"] for entry in known.get("resources") or ()}
        if resource.kind not in served[resource.root]:
            raise Unsupported(
                f"{label(item)}: the cluster has no {resource.kind} ({resource.api_version}). Install its CRDs, or choose another ROUTING.",
                object_name=label(item),
            )
