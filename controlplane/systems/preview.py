"""What a requirement would become, for a seller to look at before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from controlplane.lib.reasons import Problem, Reason
from controlplane.metering.estimate import Cost


@dataclass(frozen=True)
class ChosenImage:
    """One image that will run, and why it was chosen."""

    service: str
    name: str
    ref: str
    why: tuple[Reason, ...]


@dataclass(frozen=True)
class NearMiss:
    """An image of a wanted service that was not chosen, and why not."""

    service: str
    name: str
    ref: str
    why_not: tuple[Reason, ...]


@dataclass(frozen=True)
class Preview:
    """`problems` empty: it can be deployed as it is, and the rest is filled in."""

    problems: tuple[Problem, ...] = ()
    chosen: tuple[ChosenImage, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
    """What rendering's `Requirement.summary` says, and slug, public_url, replicas, cpu_m, memory_mib, storage_mib, payment_is_test."""
    cost: Cost | None = None
    changes: tuple[dict[str, Any], ...] = ()
    """With a system: what changes, as rendering.diff has it."""
