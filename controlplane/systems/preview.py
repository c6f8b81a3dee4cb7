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
from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.port import Objects, Runtime, SystemRef
from controlplane.systems import caps, issuers, owner_only, planning
from controlplane.systems.asks import Ask, adjusted
from controlplane.systems.errors import Refused, RequirementInvalid
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
class Trial:
    """What the runtime said to the objects when it was given them to try; nothing is changed by that.

    `refused` is why it would not take them as things stand, or, with `is_passing`, why it could not tell.
    """

    objects: int
    warnings: tuple[str, ...] = ()
    refused: Reason | None = None
    is_passing: bool = False


@dataclass(frozen=True)
class Preview:
    """`problems` empty: it can be deployed as it is, and the rest is filled in."""

    problems: tuple[Problem, ...] = ()
    chosen: tuple[ChosenImage, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
    """What rendering's `Requirement.summary` says; title, slug, public_url, replicas, cpu_m, memory_mib, storage_mib, payment_is_test."""
    cost: Cost | None = None
    takes: caps.Amounts = field(default_factory=caps.Amounts)
    """What it would count of what the seller may have."""
    changes: tuple[dict[str, Any], ...] = ()
    """With a system that is live: what changes, as `rendering.diff` has it. The runtime's word where it was asked, else the manifests'."""
    trial: Trial | None = None


def requirement_preview(*, requirement: Any, seller: User, system: BookingSystem | None = None, runtime: Runtime | None = None) -> Preview:
    """What deploying REQUIREMENT for SELLER would give, or, with SYSTEM, their updating it. Nothing is written. RUNTIME is asked to try it.

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
    try:
        caps.check(system or BookingSystem(seller=seller), planned.plan, live=planning.live_plan(system) if system else None)
    except Refused as error:
        return Preview(problems=(Problem(error.reason.code, error.reason.params, ""),))
    live, objects = system.live_revision if system else None, render(planned.plan)
    where = system.ref if system else SystemRef(site.system_id, site.namespace, site.seller)
    tried = _tried(runtime, where, objects, instead_of=live) if runtime else None
    return Preview(
        takes=caps.amounts_of(planned.plan),
        chosen=tuple(ChosenImage(item.image.service, item.image.name, item.image.ref, item.why) for item in planned.chosen.choices),
        near_misses=_near_misses(planned.chosen.misses),
        summary=_summary(read, planned),
        cost=estimate(planned.plan),
        changes=tried.changes if tried else _differing(live, objects),
        trial=tried.trial if tried else None,
    )


def _tried(runtime: Runtime, system: SystemRef, objects: Objects, *, instead_of: Revision | None) -> Tried:
    """What applying OBJECTS would change in what is live, and what the runtime says to it."""
    try:
        changes = changes_to_json(runtime.preview(system, objects))
    except RuntimeFailure as failure:
        refused = Reason(failure.code, {"detail": failure.reason})
        return Tried(_differing(instead_of, objects), Trial(len(objects), refused=refused, is_passing=failure.is_passing))
    warnings = dict.fromkeys(change["warning"] for change in changes if change["warning"])
    return Tried(tuple(changes) if instead_of else (), Trial(len(objects), tuple(warnings)))


def _differing(live: Revision | None, objects: Objects) -> tuple[dict[str, Any], ...]:
    return tuple(revision_diff(live.manifests, objects)) if live else ()


@dataclass(frozen=True)
class ChangePreview:
    """What the runtime says a change would do, as `rendering.diff` has it, and the cost of what runs before and after it."""

    changes: tuple[dict[str, Any], ...]
    cost_now: Cost | None
    cost_then: Cost


def ask_preview(*, system: BookingSystem, ask: Ask, runtime: Runtime) -> ChangePreview:
    """What ASK would change, tried on the runtime without changing anything.

    Raises Refused as the ask itself would, also for more than the seller may have, RequirementInvalid when the stored requirement no
    longer holds, NoImageFits, RuntimeFailure.
    """
    adjustments, _ = adjusted(system, ask)
    plan = planning.plan_for(standing(system), planning.site_of(system), system=system, adjustments=adjustments).plan
    return _change_preview(system, plan, render(plan), runtime)


@dataclass(frozen=True)
class Tried:
    """What the runtime said; `changes` are the manifests' where it did not say."""

    changes: tuple[dict[str, Any], ...]
    trial: Trial


def rollback_trial(*, system: BookingSystem, revision: Revision, runtime: Runtime) -> Tried:
    """The same as `rollback_preview`, and what the runtime has against it as a part of the answer."""
    _plan, objects = planning.plan_back(system, revision)
    return _tried(runtime, system.ref, objects, instead_of=system.live_revision)


def rollback_preview(*, system: BookingSystem, revision: Revision, runtime: Runtime) -> ChangePreview:
    """What going back to REVISION would change. Raises Refused for more than the seller may have, RuntimeFailure."""
    return _change_preview(system, *planning.plan_back(system, revision), runtime)


def _change_preview(system: BookingSystem, plan: Plan, objects: Objects, runtime: Runtime) -> ChangePreview:
    live = planning.live_plan(system)
    caps.check(system, plan, live=live)
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
