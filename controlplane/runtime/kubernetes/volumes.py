"""The volumes of a system: which they are, by the uids of their claims, and how none takes the place of one that is gone.

A claim that waits for its volume, or whose volume cannot be reached (Pending, Lost), is the same claim; only one that is not there, or was
made anew under its name, is another. Of one that is being deleted the data go as soon as no pod uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from controlplane.runtime.closing import check_kept, closed, is_closed
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.bundle import Item
from controlplane.runtime.kubernetes.ownership import is_ours
from controlplane.runtime.kubernetes.resources import BY_KIND, NAMESPACE, resource_of
from controlplane.runtime.port import GOING, Objects, SystemRef

CLAIM = BY_KIND["PersistentVolumeClaim"]


def claims(api: Api, system: SystemRef) -> list[dict[str, Any]]:
    """Those of SYSTEM, by their metadata; also one whose labels somebody took off."""
    return api.items(CLAIM, system.namespace, metadata_only=True)


def volumes_of(found: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """`Observation.volumes`, of the claims that were FOUND."""
    told = [item["metadata"] for item in found]
    return {metadata["name"]: GOING if metadata.get("deletionTimestamp") else metadata["uid"] for metadata in told}


def check(api: Api, system: SystemRef, namespace: Mapping[str, Any] | None, keeps: Mapping[str, str]) -> None:
    """Before anything is applied: raises DataGone unless all that KEEPS names are in NAMESPACE, which is None when there is none."""
    if keeps:
        check_kept(keeps, volumes_of(claims(api, system)) if namespace is not None else {})


def tied(item: Item, uid: str) -> Item:
    """ITEM as an apply that the server refuses (409) unless the very object with UID is there: one that goes in this moment is not made
    anew."""
    return {**item, "metadata": {**item["metadata"], "uid": uid}}


def close(api: Api, system: SystemRef, objects: Objects) -> None:
    """See `Runtime.close`."""
    namespace = api.get(NAMESPACE, system.namespace)
    if namespace is None or not is_ours(namespace, system) or namespace["metadata"].get("deletionTimestamp"):
        return
    for item in closed(objects, volumes=volumes_of(claims(api, system))):
        resource = resource_of(item)
        found = api.get(resource, item["metadata"]["name"], system.namespace)
        if found is not None and not is_closed(found):
            api.apply(tied(item, found["metadata"]["uid"]), resource, force=True)
