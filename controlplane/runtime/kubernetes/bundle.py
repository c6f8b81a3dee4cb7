"""All that one apply sends: the rendered objects, and the Secrets made of the values that travel beside them. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from controlplane.runtime.kubernetes.resources import RANK, resource_of
from controlplane.runtime.objects import MANAGED_BY, MANAGED_LABEL, SYSTEM_LABEL, check_identity, check_whole
from controlplane.runtime.port import Objects, Secrets, SystemRef

Item = Mapping[str, Any]


def check(system: SystemRef, objects: Objects) -> None:
    """Refuse what no cluster has to be asked about.

    Raises Rejected for an object out of place, for a bundle without its Namespace and for a Secret with values (revisions hold none),
    Unsupported for a kind that is not known.
    """
    check_identity(system, objects)
    for item in objects:
        resource_of(item)
    check_whole(system, objects)


def in_order(system: SystemRef, objects: Objects, secrets: Secrets) -> list[Item]:
    """OBJECTS and SECRETS, each after what it refers to; within a kind as they came."""
    return sorted(
        (*objects, *(_secret(system, name, files) for name, files in sorted(secrets.items()))), key=lambda item: RANK[item["kind"]]
    )


def _secret(system: SystemRef, name: str, files: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": system.namespace,
            "labels": {MANAGED_LABEL: MANAGED_BY, SYSTEM_LABEL: str(system.system_id), "app.kubernetes.io/instance": system.namespace},
        },
        "type": "Opaque",
        # Not `stringData`, which the server turns into `data` whose manager it is then itself.
        "data": {file: base64.b64encode(text.encode()).decode() for file, text in sorted(files.items())},
    }
