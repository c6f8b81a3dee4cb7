"""What a requirement would become, for a seller to look at before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from controlplane.lib.reasons import Problem, Reason


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
class CostLine:
    """One line of an estimate: `quantity` of `unit` at `price_krw` each, per hour. `code` names the resource (cpu, memory, storage)."""

    code: str
    quantity: Decimal
    unit: str
    price_krw: Decimal
    per_hour_krw: Decimal


@dataclass(frozen=True)
class Cost:
    """An estimate in won, for what is reserved, with 730 hours to a month."""

    lines: tuple[CostLine, ...]
    per_hour_krw: Decimal
    per_month_krw: int


@dataclass(frozen=True)
class Preview:
    """`problems` empty: it can be deployed as it is, and the rest is filled in."""

    problems: tuple[Problem, ...] = ()
    chosen: tuple[ChosenImage, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
    """slug, host, public_url, seats, performances, services, replicas, cpu_m, memory_mib, storage_mib, payment, payment_is_test, merchandise."""
    cost: Cost | None = None
    changes: tuple[dict[str, Any], ...] = ()
    """With a system: what changes, as rendering.diff has it."""
