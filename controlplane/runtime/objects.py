"""Small readings of rendered Kubernetes objects that every adapter needs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from controlplane.runtime.errors import Rejected
from controlplane.runtime.port import Objects, SystemRef

Object = Mapping[str, Any]

SYSTEM_LABEL = "clove.dev/system"
MANAGED_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "clove"

_NAME = re.compile(r"[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?")


class ObjectKey(NamedTuple):
    """What makes an object the same one between two revisions: API group without version, kind and name."""

    group: str
    kind: str
    name: str


def key_of(item: Object) -> ObjectKey:
    """The identity of ITEM within its namespace."""
    group = item.get("apiVersion", "").rpartition("/")[0]
    return ObjectKey(group, item.get("kind", ""), item.get("metadata", {}).get("name", ""))


def label(item: Object) -> str:
    """`Deployment seat`, for messages."""
    key = key_of(item)
    return f"{key.kind or 'object without a kind'} {key.name}".strip()


def of_kind(objects: Iterable[Object], kind: str) -> list[Object]:
    """The objects of KIND, in their order."""
    return [item for item in objects if item.get("kind") == kind]


def hostnames(objects: Objects) -> list[str]:
    """The host names that the HTTPRoutes of OBJECTS serve, in lower case, first come first, each once."""
    names = (name.lower() for route in of_kind(objects, "HTTPRoute") for name in route.get("spec", {}).get("hostnames") or ())
    return list(dict.fromkeys(names))


def check_identity(system: SystemRef, objects: Objects) -> None:
    """Refuse what belongs elsewhere or stands twice.

    Raises Rejected for an object without a kind or with a name that Kubernetes would not take, for one outside the system's namespace,
    and for two of one identity.
    """
    seen: set[ObjectKey] = set()
    for item in objects:
        key = key_of(item)
        if not key.kind or not _NAME.fullmatch(key.name):
            raise Rejected(f"{label(item)}: a kind is needed, and a name of a-z, 0-9, '-' and '.'.", object_name=label(item))
        where = key.name if key.kind == "Namespace" else item.get("metadata", {}).get("namespace")
        if where != system.namespace:
            raise Rejected(f"{label(item)} is in namespace {where or '(none)'}, not in {system.namespace}.", object_name=label(item))
        if key in seen:
            raise Rejected(f"{label(item)} stands there twice.", object_name=label(item))
        seen.add(key)


def check_whole(system: SystemRef, objects: Objects) -> None:
    """Refuse a bundle that could not be found again or taken down as one.

    Raises Rejected for an object without the labels of its system, for a bundle without its Namespace, and for a Secret with values
    (revisions hold none).
    """
    for item in objects:
        labels = item["metadata"].get("labels") or {}
        if labels.get(SYSTEM_LABEL) != str(system.system_id) or labels.get(MANAGED_LABEL) != MANAGED_BY:
            raise Rejected(
                f"{label(item)} lacks the labels of system {system.system_id}: it would be lost sight of.", object_name=label(item)
            )
    if not of_kind(objects, "Namespace"):
        raise Rejected(f"The namespace {system.namespace} is not among the objects.", object_name=f"Namespace {system.namespace}")
    for item in of_kind(objects, "Secret"):
        raise Rejected(f"{label(item)}: values of secrets travel beside the objects, not among them.", object_name=label(item))
