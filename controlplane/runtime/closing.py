"""What of a system answers or writes, brought to rest: for one whose data are not the ones that it had. Pure.

Its pages would sell from an empty database, and its daily backup would push the good ones out, one a day. But data that go as soon as
nothing uses them are there still: whoever closed the service that has them open would be the one who deletes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controlplane.runtime.errors import DataGone
from controlplane.runtime.port import GOING, Objects

_AT_REST: Mapping[str, Mapping[str, Any]] = {"Deployment": {"replicas": 0}, "CronJob": {"suspend": True}}


def closed(objects: Objects, *, volumes: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Those of OBJECTS that answer or write by themselves, at rest; without those that keep one of VOLUMES from going."""
    going = {claim for claim, volume in volumes.items() if volume == GOING}
    return [
        {**item, "spec": {**item["spec"], **_AT_REST[item["kind"]]}}
        for item in objects
        if item["kind"] in _AT_REST and not (item["kind"] == "Deployment" and going & _claims_in(item))
    ]


def _claims_in(deployment: Mapping[str, Any]) -> set[str]:
    volumes = deployment["spec"]["template"]["spec"].get("volumes") or ()
    return {volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume}


def is_closed(item: Mapping[str, Any]) -> bool:
    """ITEM, as it stands, is at rest."""
    spec = item.get("spec") or {}
    return all(spec.get(name) == value for name, value in _AT_REST[item["kind"]].items())


def check_kept(keeps: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Raises DataGone unless all of KEEPS are among the volumes that were FOUND."""
    for claim, volume in sorted(keeps.items()):
        name = f"PersistentVolumeClaim {claim}"
        if claim not in found:
            raise DataGone(f"{name} is gone.", object_name=name)
        if found[claim] == GOING:
            raise DataGone(f"{name} is being deleted.", object_name=name)
        if found[claim] != volume:
            raise DataGone(f"{name} was replaced.", object_name=name)
