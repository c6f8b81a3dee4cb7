"""What a requirement would become, for a seller to look at before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.lib.reasons import Problem, Reason
from controlplane.metering.estimate import Cost, estimate
from controlplane.rendering import requirement as documents
from controlplane.rendering.choose import Miss, NoImageFits
from controlplane.rendering.diff import changes_to_json, revision_diff
from controlplane.rendering.plan import Plan
from controlplane.rendering.render import render
from controlplane.runtime.port import Objects, Runtime
from controlplane.systems import issuers, owner_only, planning
from controlplane.systems.asks import Ask, adjusted
from controlplane.systems.errors import RequirementInvalid
from controlplane.systems.models import BookingSystem, Revision
from controlplane.systems.standing import standing


@dataclass(frozen=True)
class ChosenImage:
    """One image that will run, and why it was chosen."""

    service: str
    name: str
    ref: str
    why: tuple[Reason, ...]


@dataclass(frozen=True)
class NearMiss:
    """An image that was not chosen, and why not."""

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
    """What rendering's `Requirement.summary` says; title, slug, public_url, replicas, cpu_m, memory_mib, storage_mib, payment_is_test."""
    cost: Cost | None = None
    changes: tuple[dict[str, Any], ...] = ()
    """With a system that is live: what changes, as `rendering.diff` has it."""


def requirement_preview(*, requirement: Any, seller: User, system: BookingSystem | None = None) -> Preview:
    """What deploying REQUIREMENT for SELLER would give, or, with SYSTEM, their updating it. Nothing is written.

    Never raises for bad input: `Preview.problems` has it all, and where no image fits, `near_misses` says why. A provider to sign in with
    that is new is asked who it is, which may take seconds.
    """
    try:
        read = planning.read_requirement(requirement, owner=system.seller if system else seller, now=timezone.now(), system=system)
    except RequirementInvalid as error:
        misses = error.__cause__.misses if isinstance(error.__cause__, NoImageFits) else ()
        return Preview(problems=tuple(error.problems), near_misses=_near_misses(misses))
    if system and (problems := owner_only.problems_with(read, system=system, user=seller)):
        return Preview(problems=tuple(problems))
    if problem := _problem_with_issuer(read, system):
        return Preview(problems=(problem,))
    site = planning.site_of(system) if system else planning.draft_site(read.slug or "")
    planned = planning.plan_for(read, site, system=system)
    live = system.live_revision if system else None
    return Preview(
        chosen=tuple(ChosenImage(item.image.service, item.image.name, item.image.ref, item.why) for item in planned.chosen.choices),
        near_misses=_near_misses(planned.chosen.misses),
        summary=_summary(read, planned),
        cost=estimate(planned.plan),
        changes=tuple(revision_diff(live.manifests, render(planned.plan))) if live else (),
    )


@dataclass(frozen=True)
class ChangePreview:
    """What the runtime says a change would do, as `rendering.diff` has it, and the cost of what runs before and after it."""

    changes: tuple[dict[str, Any], ...]
    cost_now: Cost | None
    cost_then: Cost


def ask_preview(*, system: BookingSystem, ask: Ask, runtime: Runtime) -> ChangePreview:
    """What ASK would change, tried on the runtime without changing anything.

    Raises Refused as the ask itself would, RequirementInvalid when the stored requirement no longer holds, NoImageFits, RuntimeFailure.
    """
    adjustments, _ = adjusted(system, ask)
    plan = planning.plan_for(standing(system), planning.site_of(system), system=system, adjustments=adjustments).plan
    return _change_preview(system, plan, render(plan), runtime)


def rollback_preview(*, system: BookingSystem, revision: Revision, runtime: Runtime) -> ChangePreview:
    """What going back to REVISION would change. Raises RuntimeFailure."""
    return _change_preview(system, *planning.plan_back(system, revision), runtime)


def _change_preview(system: BookingSystem, plan: Plan, objects: Objects, runtime: Runtime) -> ChangePreview:
    live = planning.live_plan(system)
    changes = changes_to_json(runtime.preview(system.ref, objects))
    return ChangePreview(tuple(changes), estimate(live) if live else None, estimate(plan))


def _problem_with_issuer(read: documents.Requirement, system: BookingSystem | None) -> Problem | None:
    """A provider that is used already is not asked: its being away for a moment must not stop another change."""
    before = planning.stored_requirement(system) if system else None
    known = before.sign_in.issuer if before and before.sign_in else None
    return issuers.problem_with(read.sign_in.issuer) if read.sign_in and read.sign_in.issuer != known else None


def _near_misses(misses: tuple[Miss, ...]) -> tuple[NearMiss, ...]:
    return tuple(NearMiss(miss.image.service, miss.image.name, miss.image.ref, miss.why_not) for miss in misses)


def _summary(read: documents.Requirement, planned: planning.Planned) -> dict[str, Any]:
    total = planned.plan.total(surge=False)
    return read.summary() | {
        "title": read.title,
        "slug": read.slug,
        "public_url": planned.plan.public_url if read.slug else None,
        "replicas": {service.name: service.replicas for service in planned.plan.services},
        "cpu_m": total["cpu_request_m"],
        "memory_mib": total["memory_request_mib"],
        "storage_mib": total["storage_mib"],
        "payment_is_test": read.payment != "none" and settings.PAYMENT_IS_TEST,
    }
