"""Looks at booking systems as events and sweeps would take them, until there is nothing more to do."""

from __future__ import annotations

from typing import Any

from controlplane.systems import services
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, Operation
from tests.controlplane import SiteRuntime, numbered_requirement


def settle(system: BookingSystem, runtime: SiteRuntime, *, looks: int = 30) -> BookingSystem:
    """Look at SYSTEM until it has nothing more to do, as events and sweeps would; at most LOOKS times."""
    for _ in range(looks):
        converge(system.pk, runtime=runtime)
        system.refresh_from_db()
        if not system.operations.filter(state=Operation.State.RUNNING).exists():
            converge(system.pk, runtime=runtime)
            system.refresh_from_db()
            return system
    raise AssertionError(f"still running: {[str(step) for step in system.operations.first().steps.all()]}")  # type: ignore[union-attr]


def deployed(seller: Any, runtime: SiteRuntime, document: dict[str, Any] | None = None) -> BookingSystem:
    system = services.system_create(requirement=document or numbered_requirement(), acting_user=seller, deploy=True)
    return settle(system, runtime)


def last(system: BookingSystem) -> Operation:
    operation = system.operations.first()
    assert operation
    return operation
