"""What can be asked of a running booking system beyond its requirement: scale, move, restart, suspend, resume.

Each is a wish like any other (services.py): a new revision, previewed and applied by a worker, with its steps; a rollback takes it back.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.lib.reasons import declare, gettext_noop
from controlplane.rendering.adjustments import MAX_REPLICAS, Autoscale
from controlplane.rendering.images import ResourcesPlan
from controlplane.rendering.plan import Plan, ServicePlan
from controlplane.runtime.port import Runtime
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem, Desired, Operation
from controlplane.systems.planning import adjustments_of, live_plan
from controlplane.systems.wishes import Kind, lock, refuse_deleted, wish

declare(
    {
        "bad_replicas": gettext_noop("Between %(low)s and %(high)s, please."),
        "bad_resources": gettext_noop("What is requested must be more than nothing and at most the limit."),
        "needs_database": gettext_noop("The %(service)s service keeps its data in a file, which one copy at a time can use."),
        "needs_kubernetes": gettext_noop("This needs a cluster; here is one machine."),
        "no_such_node": gettext_noop("There is no node %(node)s that is ready."),
        "is_suspended": gettext_noop("It is suspended. Resume it first."),
        "not_suspended": gettext_noop("It is not suspended."),
        "step_stopped": gettext_noop("%(ready)s of %(wanted)s services rest or keep the data."),
        "step_suspended": gettext_noop("Suspended: nothing runs but what keeps its data"),
    }
)


def system_scale(
    *,
    system: BookingSystem,
    service: str,
    acting_user: User,
    replicas: int | None = None,
    autoscale: Autoscale | None = None,
    resources: ResourcesPlan | None = None,
) -> Operation:
    """Run SERVICE as REPLICAS copies, or as many as AUTOSCALE decides, each with RESOURCES; what is None stays as it is.

    Raises Refused (`not_deployed`, `being_deleted`, `is_suspended`, `no_such_service`, `bad_replicas`, `bad_resources`,
    `needs_database`, `needs_kubernetes`).
    """
    _check_sizes(replicas, autoscale, resources)
    if autoscale and settings.RUNTIME == "local":
        raise Refused("needs_kubernetes")
    wanted: dict[str, Any] = {}
    if replicas is not None:
        wanted |= {"replicas": replicas, "autoscale": None}
    if autoscale:
        wanted |= {"autoscale": autoscale}
    if resources:
        wanted |= {"resources": resources}

    def check(found: ServicePlan) -> None:
        if found.storage_mib and (autoscale or (replicas or 0) > 1):
            raise Refused("needs_database", service=service)

    return _adjust(system, Kind.SCALE, acting_user, service, check, wanted)


def system_move(*, system: BookingSystem, service: str, node: str, runtime: Runtime, acting_user: User) -> Operation:
    """Run SERVICE on NODE, or with an empty one wherever there is room: the new copies are ready there before the old ones end here.

    Asks the runtime for its nodes. Raises Refused as `system_scale`, and `no_such_node`; RuntimeFailure when the runtime does not answer.
    """
    if settings.RUNTIME == "local":
        raise Refused("needs_kubernetes")
    if node and not any(found.name == node and found.is_ready for found in runtime.nodes()):
        raise Refused("no_such_node", node=node)

    def check(found: ServicePlan) -> None:
        if found.storage_mib:
            raise Refused("needs_database", service=service)

    return _adjust(system, Kind.MOVE, acting_user, service, check, {"node": node})


def system_restart(*, system: BookingSystem, service: str, acting_user: User) -> Operation:
    """Replace every copy of SERVICE, as an update does: without a failed request. Raises Refused as `system_scale`."""
    with transaction.atomic():
        lock(system)
        restarts = adjustments_of(system).of(service).restarts + 1
        return _adjust(system, Kind.RESTART, acting_user, service, lambda found: None, {"restarts": restarts})


def system_suspend(*, system: BookingSystem, acting_user: User) -> Operation:
    """Let nothing of it run but its database, until it is resumed. Raises Refused (`not_deployed`, `being_deleted`, `is_suspended`)."""
    return _suspend(system, acting_user, Kind.SUSPEND, is_suspended=True)


def system_resume(*, system: BookingSystem, acting_user: User) -> Operation:
    """Let it run again as it did. Raises Refused (`not_deployed`, `being_deleted`, `not_suspended`)."""
    return _suspend(system, acting_user, Kind.RESUME, is_suspended=False)


def _suspend(system: BookingSystem, acting_user: User, kind: Operation.Kind, *, is_suspended: bool) -> Operation:
    with transaction.atomic():
        lock(system)
        _live(system)
        asked = adjustments_of(system)
        if asked.is_suspended == is_suspended:
            raise Refused("is_suspended" if is_suspended else "not_suspended")
        system.adjustments = asked.to_json() | {"is_suspended": is_suspended}
        audit.record(f"system.{kind.value}", system, acting_user=acting_user)
        return wish(system, kind, acting_user)


def _adjust(system: BookingSystem, kind: Operation.Kind, acting_user: User, service: str, check: Any, values: dict[str, Any]) -> Operation:
    with transaction.atomic():
        lock(system)
        found = _live(system).service(service)
        asked = adjustments_of(system)
        if asked.is_suspended:
            raise Refused("is_suspended")
        if found is None:
            raise Refused("no_such_service", service=service)
        check(found)
        system.adjustments = asked.changed(service, **values).to_json()
        audit.record(f"system.{kind.value}", system, acting_user=acting_user, service=service, **_told(system.adjustments, service, values))
        return wish(system, kind, acting_user)


def _told(adjustments: dict[str, Any], service: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: adjustments["services"][service][name] for name in values}


def _live(system: BookingSystem) -> Plan:
    refuse_deleted(system)
    plan = live_plan(system)
    if plan is None or system.desired_state == Desired.DRAFT:
        raise Refused("not_deployed")
    return plan


def _check_sizes(replicas: int | None, autoscale: Autoscale | None, resources: ResourcesPlan | None) -> None:
    counts = [] if replicas is None else [replicas]
    if autoscale:
        counts += [autoscale.lowest, autoscale.highest]
    if any(not 1 <= count <= MAX_REPLICAS for count in counts) or (autoscale and autoscale.lowest > autoscale.highest):
        raise Refused("bad_replicas", low=1, high=MAX_REPLICAS)
    if autoscale and not 1 <= autoscale.cpu_percent <= 100:
        raise Refused("bad_replicas", low=1, high=100)
    if resources and not (
        0 < resources.cpu_request_m <= resources.cpu_limit_m <= 64_000
        and 0 < resources.memory_request_mib <= resources.memory_limit_mib <= 262_144
        and 0 < resources.scratch_mib <= 65_536
    ):
        raise Refused("bad_resources")
