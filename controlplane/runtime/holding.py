"""Holding a rollout: the same objects, with every Deployment `paused`. Pure.

A held Deployment keeps the pods it has, of whichever revision, until it is applied without the word; so a hold is applied, seen by its
fingerprint and put right like anything else, and no runtime needs a call for it. What serves goes on serving.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controlplane.runtime.port import Objects

REASON = "Paused"
WORDS = "Its rollout is held: the copies stay as they are until it goes on."


def held(objects: Objects) -> list[Mapping[str, Any]]:
    """OBJECTS with every rollout held."""
    return [{**item, "spec": {**item["spec"], "paused": True}} if item.get("kind") == "Deployment" else item for item in objects]


def is_held(deployment: Mapping[str, Any]) -> bool:
    return bool((deployment.get("spec") or {}).get("paused"))
