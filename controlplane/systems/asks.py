"""What can be asked of a running booking system beyond its requirement, and when. Nothing here writes: operating.py does, preview.py shows.

Each ask leads to other adjustments (rendering/adjustments.py), and those to a plan, so that it can be looked at before it is done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import msgspec
from django.conf import settings

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.lib.reasons import declare, gettext_noop
from controlplane.rendering.adjustments import MAX_REPLICAS, Adjustments, Autoscale
from controlplane.rendering.images import ResourcesPlan
from controlplane.rendering.plan import Plan, ServicePlan
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem, Desired, Operation
from controlplane.systems.planning import adjustments_of, live_plan
from controlplane.systems.wishes import Kind, refuse_deleted, refuse_while_restoring

declare(
    {
        "bad_replicas": gettext_noop("Between %(low)s and %(high)s, please."),
        "bad_range": gettext_noop("The lowest number is above the highest."),
        "bad_resources": gettext_noop("What is requested must be more than nothing and at most the limit."),
        "needs_database": gettext_noop("The %(service)s service keeps its data in a file, which one copy at a time can use."),
        "needs_kubernetes": gettext_noop("This needs a cluster; here is one machine."),
        "no_such_node": gettext_noop("There is no node %(node)s that is ready."),
        "is_suspended": gettext_noop("It is suspended. Resume it first."),
        "not_suspended": gettext_noop("It is not suspended."),
        "step_trusting": gettext_noop("The new keys are on their way to every service; they are used in about %(seconds)s seconds."),
        "step_trusted": gettext_noop("Every service knows the new keys."),
    }
)


@dataclass(frozen=True)
class Scale:
    """Run SERVICE as REPLICAS copies, or as many as AUTOSCALE decides, each with RESOURCES; what is None stays as it is."""

    kind: ClassVar[Kind] = Kind.SCALE
    service: str
    replicas: int | None = None
    autoscale: Autoscale | None = None
    resources: ResourcesPlan | None = None


@dataclass(frozen=True)
class Move:
    """Run SERVICE on NODE, or with an empty one wherever there is room. Whether the node is there is not asked here."""

    kind: ClassVar[Kind] = Kind.MOVE
    service: str
    node: str


@dataclass(frozen=True)
class Restart:
    """Replace every copy of SERVICE."""

    kind: ClassVar[Kind] = Kind.RESTART
    service: str


@dataclass(frozen=True)
class RotateKeys:
    """Put new signing keys in the place of those that sign, and replace every copy of every service; see rotating.py."""

    kind: ClassVar[Kind] = Kind.ROTATE


@dataclass(frozen=True)
class Suspend:
    kind: ClassVar[Kind] = Kind.SUSPEND


@dataclass(frozen=True)
class Resume:
    kind: ClassVar[Kind] = Kind.RESUME


Ask = Scale | Move | Restart | RotateKeys | Suspend | Resume


def adjusted(system: BookingSystem, ask: Ask) -> tuple[Adjustments, dict[str, Any]]:
    """What SYSTEM's adjustments are with ASK, and the changed values for the record.

    Raises Refused (`not_deployed`, `being_deleted`, `is_suspended`, `not_suspended`, `no_such_service`, `bad_replicas`, `bad_range`,
    `bad_resources`, `needs_database`, `needs_kubernetes`, `being_changed`, `restoring`).
    """
    if isinstance(ask, Scale):
        _check_sizes(ask)
    if settings.RUNTIME == "local" and (isinstance(ask, Move) or (isinstance(ask, Scale) and ask.autoscale)):
        raise Refused("needs_kubernetes")
    plan, asked = _live(system), adjustments_of(system)
    if isinstance(ask, Suspend | Resume):
        is_suspended = isinstance(ask, Suspend)
        if asked.is_suspended == is_suspended:
            raise Refused("is_suspended" if is_suspended else "not_suspended")
        return replace(asked, is_suspended=is_suspended), {}
    if asked.is_suspended:
        raise Refused("is_suspended")
    if isinstance(ask, RotateKeys):
        if system.operations.filter(state=Operation.State.RUNNING).exists():
            raise Refused("being_changed")
        for each in plan.services:
            asked = asked.changed(each.name, restarts=asked.of(each.name).restarts + 1)
        return asked, {}
    service = plan.service(ask.service)
    if service is None:
        raise Refused("no_such_service", service=ask.service)
    values = _values(ask, service, asked)
    return asked.changed(ask.service, **values), {"service": ask.service, **msgspec.to_builtins(values)}


def _values(ask: Scale | Move | Restart, service: ServicePlan, asked: Adjustments) -> dict[str, Any]:
    is_tied = bool(service.storage_mib)
    match ask:
        case Restart():
            return {"restarts": asked.of(ask.service).restarts + 1}
        case Move():
            if is_tied:
                raise Refused("needs_database", service=ask.service)
            return {"node": ask.node}
        case Scale():
            if is_tied and (ask.autoscale or (ask.replicas or 0) > 1):
                raise Refused("needs_database", service=ask.service)
            values: dict[str, Any] = {}
            if ask.replicas is not None:
                values |= {"replicas": ask.replicas, "autoscale": None}
            if ask.autoscale:
                values |= {"autoscale": ask.autoscale}
            if ask.resources:
                values |= {"resources": ask.resources}
            return values


def _live(system: BookingSystem) -> Plan:
    refuse_deleted(system)
    refuse_while_restoring(system)
    plan = live_plan(system)
    if plan is None or system.desired_state == Desired.DRAFT:
        raise Refused("not_deployed")
    return plan


def _check_sizes(ask: Scale) -> None:
    scaler, resources = ask.autoscale, ask.resources
    counts = [] if ask.replicas is None else [ask.replicas]
    if scaler:
        counts += [scaler.lowest, scaler.highest]
    if any(not 1 <= count <= MAX_REPLICAS for count in counts):
        raise Refused("bad_replicas", low=1, high=MAX_REPLICAS)
    if scaler and not 1 <= scaler.cpu_percent <= 100:
        raise Refused("bad_replicas", low=1, high=100)
    if scaler and scaler.lowest > scaler.highest:
        raise Refused("bad_range")
    if resources and not (
        0 < resources.cpu_request_m <= resources.cpu_limit_m <= 64_000
        and 0 < resources.memory_request_mib <= resources.memory_limit_mib <= 262_144
        and 0 < resources.scratch_mib <= 65_536
    ):
        raise Refused("bad_resources")
