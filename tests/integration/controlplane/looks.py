"""Looks at booking systems as events and sweeps would take them, until there is nothing more to do."""

from __future__ import annotations

from typing import Any

from controlplane.runtime.objects import of_kind
from controlplane.systems import services
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, Operation, State
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


def look(system: BookingSystem, runtime: SiteRuntime, *, times: int = 1) -> BookingSystem:
    """TIMES looks at SYSTEM, whatever comes of them."""
    for _ in range(times):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system


def applies(runtime: SiteRuntime) -> int:
    return sum(method == "apply" for method, _ in runtime.calls)


def copies(system: BookingSystem, runtime: SiteRuntime) -> set[int]:
    """How many copies its services are to have."""
    return {item["spec"]["replicas"] for item in of_kind(runtime.systems[system.namespace].objects, "Deployment")}


def restores(objects: Any) -> list[Any]:
    """Those of OBJECTS that put a backup back."""
    return [item for item in of_kind(objects, "Job") if "restore" in item["metadata"]["name"]]


def without_data(seller: Any, runtime: SiteRuntime) -> BookingSystem:
    """A system whose namespace somebody deleted, which has been noticed."""
    system = deployed(seller, runtime)
    runtime.delete(system.ref)
    look(system, runtime, times=2)
    assert system.state == State.DATA_GONE, system.state
    return system
