"""Brings live booking systems to the platform's settings of today: a plan keeps the addresses that it was made with."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from controlplane.lib import audit
from controlplane.rendering.choose import NoImageFits
from controlplane.rendering.plan import Plan
from controlplane.systems.errors import RequirementInvalid
from controlplane.systems.models import BookingSystem, Desired, Operation
from controlplane.systems.planning import live_plan, plan_for, read_stored, site_of
from controlplane.systems.standing import KEEPS, standing_row
from controlplane.systems.wishes import Kind, lock_to_wish, wish


def systems_refresh() -> tuple[list[BookingSystem], list[BookingSystem]]:
    """Update every live system whose plan has other addresses than one of today would have; those that are updated.

    And those that are left as they are, for a change of theirs failed or goes on: an update would ask for that again.
    """
    updated, left = [], []
    for pk in BookingSystem.objects.filter(desired_state=Desired.LIVE, live_revision__isnull=False).values_list("pk", flat=True):
        system = BookingSystem.objects.get(pk=pk)
        if not is_outdated(system):
            continue
        with transaction.atomic():
            lock_to_wish(system)
            if system.desired_state != Desired.LIVE:
                continue
            if system.reason_code or system.operations.filter(state=Operation.State.RUNNING).exists():
                left.append(system)
                continue
            audit.record("system.refresh", system)
            kept = standing_row(system, None)
            wish(system, Kind.UPDATE, None, requirement=kept, result={} if kept.pk == system.requirement_id else {KEEPS: True})
            updated.append(system)
    return updated, left


def is_outdated(system: BookingSystem) -> bool:
    """Whether what SYSTEM runs was given other addresses or settings than it would be given now."""
    live, revision = live_plan(system), system.live_revision
    if live is None or revision is None:
        return False
    try:
        today = plan_for(read_stored(revision.requirement), site_of(system), system=system, adjustments=live.adjustments).plan
    except (NoImageFits, RequirementInvalid):
        return False
    return _given(today) != _given(live)


def _given(plan: Plan) -> tuple[Any, ...]:
    services = {service.name: (service.env, service.ways_outside) for service in plan.services}
    return plan.host, plan.public_url, plan.gateway_namespace, plan.gateway_name, plan.dns, plan.config, services
