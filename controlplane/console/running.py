"""The page of one booking system: how each of its services runs now, what can be done with it, and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from controlplane import bootstrap
from controlplane.console.base import stored_words
from controlplane.console.words import health_words, service_words, step_words
from controlplane.lib.models import AuditRow
from controlplane.rendering.plan import Plan, ServicePlan
from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.port import Observation
from controlplane.systems import conflicts, people, selectors
from controlplane.systems.backups import backups_of
from controlplane.systems.data_loss import has_backups
from controlplane.systems.models import Archive, BookingSystem, Operation, OperationStep, State
from controlplane.systems.orphans import HANDED_OVER
from controlplane.systems.planning import live_plan
from controlplane.systems.rollouts import ROLLED_OUT
from controlplane.systems.runtime_words import say_drift, say_runtime
from controlplane.systems.steps import workload_json

SHOWN = 20
"""Rows of each list; the whole lists are a click away."""


@dataclass(frozen=True)
class ServiceRow:
    """One workload as it runs, beside the plan it runs by; `plan` is None for what is no service of the plan, such as a database."""

    workload: dict[str, Any]
    plan: ServicePlan | None
    newest: int | None
    """Number of the revision that was handed to the runtime last."""

    @property
    def name(self) -> str:
        return str(self.workload["name"])

    @property
    def words(self) -> str:
        return service_words(self.name)

    @property
    def health(self) -> str:
        return health_words(self.workload["health"])

    @property
    def message(self) -> str:
        """What the runtime says of it."""
        return say_runtime(self.workload["message"])

    @property
    def copies(self) -> str:
        return f"{self.workload['ready']}/{self.workload['wanted']}"

    @property
    def scaling(self) -> str:
        """Who decides how many there are, where it is the autoscaler."""
        scaler = self.plan.autoscale if self.plan else None
        if scaler is None:
            return ""
        return gettext("%(lowest)s to %(highest)s at %(cpu_percent)s %% of the processor") % vars(scaler)

    @property
    def idle_autoscaler(self) -> str:
        """Why that autoscaler does nothing."""
        return say_runtime(self.workload.get("idle_autoscaler"))

    @property
    def resources(self) -> list[str]:
        if self.plan is None:
            return []
        size = self.plan.resources
        return [
            gettext("CPU %(request)s to %(limit)s m") % {"request": size.cpu_request_m, "limit": size.cpu_limit_m},
            gettext("memory %(request)s to %(limit)s MiB") % {"request": size.memory_request_mib, "limit": size.memory_limit_mib},
        ]

    @property
    def nodes(self) -> str:
        return ", ".join(self.workload.get("nodes", ()))

    @property
    def wanted_node(self) -> str:
        return self.plan.node if self.plan else ""

    @property
    def revision(self) -> str:
        """Which one it runs; with how many copies, while not all of them do."""
        if self.newest is None:
            return ""
        updated, wanted = self.workload["updated"], self.workload["wanted"]
        return f"{self.newest}: {updated}/{wanted}" if updated != wanted else str(self.newest)

    @property
    def image(self) -> str:
        return self.plan.image.rpartition("/")[2].partition("@")[0] if self.plan else ""


def system_page(request: HttpRequest, system_id: int) -> HttpResponse:
    system = find(system_id)
    plan = live_plan(system)
    running = selectors.running_operation(system)
    seen, trouble = _look(system)
    workloads = [workload_json(workload) for workload in seen.workloads] if seen else list(system.health_workloads) if trouble else []
    context = {
        **admin.site.each_context(request),
        "title": system.title,
        "system": system,
        "why": stored_words(system),
        "health": health_words(system.health),
        "trouble": trouble,
        "drift": say_drift(seen.drift) if seen else "",
        "conflict": say_runtime(system.conflict[conflicts.REASON]) if system.conflict and not conflicts.is_taken(system) else "",
        "lost": _what_is_left(system, seen) if system.state == State.DATA_GONE else None,
        "backups": (backups := backups_of(system)),
        "backup_why": say_runtime(backups.why) if backups else "",
        "can_restore": _can_restore(plan),
        "services": _rows(plan, workloads, _newest(system, running)),
        "running": running,
        "steps": _steps(running) if running else [],
        "is_rollout": bool(running and plan and running.kind in ROLLED_OUT),
        "can_change": bool(plan) and system.state in (State.LIVE, State.SUSPENDED),
        "has_failed": _has_failed(system),
        "members": people.members_of(system),
        "revisions": selectors.revisions_of(system)[:SHOWN],
        "operations": [(operation, stored_words(operation)) for operation in selectors.operations_of(system)[:SHOWN]],
        "audit": AuditRow.objects.filter(subject="systems.bookingsystem", subject_id=str(system.pk)).order_by("-pk")[:SHOWN],
    }
    return render(request, "console/system.html", context)


def find(system_id: int) -> BookingSystem:
    """The system; any is an admin's to see. Raises Http404."""
    found = BookingSystem.objects.select_related("seller", "live_revision", "requirement").filter(pk=system_id).first()
    if found is None:
        raise Http404
    return found


def _steps(operation: Operation) -> list[tuple[OperationStep, str, str]]:
    """Its steps so far, with their names and words."""
    return [(step, step_words(step.name), stored_words(step, "message")) for step in selectors.operation_steps(operation)]


def _has_failed(system: BookingSystem) -> bool:
    last = system.operations.exclude(kind=Operation.Kind.EDIT).first()
    return last is not None and last.state == Operation.State.FAILED and system.state != State.DELETED


def _look(system: BookingSystem) -> tuple[Observation | None, str]:
    """How it stands now; None with the reason when nobody can tell, and without one when there is nothing to look at."""
    if system.state in (State.DRAFT, State.DELETED):
        return None, ""
    try:
        return bootstrap.runtime().observe(system.ref), ""
    except RuntimeFailure as failure:
        return None, failure.reason


@dataclass(frozen=True)
class Left:
    """What there is still of a system whose data are gone."""

    can_restore: bool
    has_backups: bool | None
    records: int
    """Of its sales, that were archived while it ran."""


def _can_restore(plan: Plan | None) -> bool:
    return bool(plan and plan.database and plan.database.server)


def _what_is_left(system: BookingSystem, seen: Observation | None) -> Left:
    plan, archive = live_plan(system), Archive.objects.filter(system=system).first()
    return Left(
        can_restore=_can_restore(plan),
        has_backups=has_backups(system, seen) if seen else None,
        records=sum(archive.counts.values()) if archive else 0,
    )


def _newest(system: BookingSystem, running: Operation | None) -> int | None:
    revision = running.revision if running and running.result.get(HANDED_OVER) else system.live_revision
    return revision.number if revision else None


def _rows(plan: Plan | None, workloads: list[dict[str, Any]], newest: int | None) -> list[ServiceRow]:
    found = [(workload, plan.service(workload["name"]) if plan else None) for workload in workloads]
    return [ServiceRow(workload, service, newest if service else None) for workload, service in found]
