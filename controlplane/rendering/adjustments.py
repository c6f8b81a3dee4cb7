"""What is asked of a running system beyond its requirement: how many, how large, on which node, restarted, suspended. Pure.

They are kept with the system and go into every plan made for it, so each change of them is a revision like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from controlplane.rendering.images import ResourcesPlan

MAX_REPLICAS = 20


@dataclass(frozen=True)
class Autoscale:
    """Between LOWEST and HIGHEST replicas, so that CPU use stays near CPU_PERCENT of what is requested."""

    lowest: int
    highest: int
    cpu_percent: int


@dataclass(frozen=True)
class ServiceAdjustment:
    """None and empty: as the plan has it by itself."""

    replicas: int | None = None
    autoscale: Autoscale | None = None
    resources: ResourcesPlan | None = None
    node: str = ""
    restarts: int = 0

    @property
    def most_replicas(self) -> int:
        """How many there may be."""
        return self.autoscale.highest if self.autoscale else 1 if self.replicas is None else self.replicas


@dataclass(frozen=True)
class Adjustments:
    services: dict[str, ServiceAdjustment] = field(default_factory=dict)
    is_suspended: bool = False

    def of(self, service: str) -> ServiceAdjustment:
        return self.services.get(service, ServiceAdjustment())

    def changed(self, service: str, **values: Any) -> Adjustments:
        """These with VALUES for SERVICE."""
        return replace(self, services=dict(sorted({**self.services, service: replace(self.of(service), **values)}.items())))

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document


def read(document: Mapping[str, Any]) -> Adjustments:
    """What `to_json` wrote; an empty document means none. Raises msgspec.ValidationError."""
    return msgspec.convert(document, Adjustments)
