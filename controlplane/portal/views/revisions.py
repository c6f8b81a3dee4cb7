"""The history of a booking system: revisions, what differs between them, going back, and operations."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from controlplane import bootstrap
from controlplane.portal.http import AuthenticatedRequest, open_system
from controlplane.portal.progress import Progress, lines_of
from controlplane.portal.requirement_diff import Difference, requirement_diff
from controlplane.portal.speech import say_reason
from controlplane.rendering.diff import revision_diff
from controlplane.systems import selectors, services
from controlplane.systems.access import Need
from controlplane.systems.errors import Refused, SystemNotFound
from controlplane.systems.models import BookingSystem, Operation, Revision, State
from controlplane.systems.preview import Tried, rollback_trial


@login_required
@require_GET
def revisions(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    found = open_system(request, system_id, Need.VIEW)
    context = {
        "system": found,
        "revisions": selectors.revisions_of(found)[:100],
        "operations": selectors.operations_of(found)[:50],
        "tab": "history",
    }
    return render(request, "portal/systems/history.html", context)


@login_required
@require_GET
def revision(request: AuthenticatedRequest, system_id: int, number: int) -> HttpResponse:
    """One revision beside another: `against` names it, else the one before."""
    found = open_system(request, system_id, Need.MANAGE)
    shown = _revision(found, number)
    against = request.GET.get("against", "")
    number_before = int(against) if against.isdecimal() and len(against) < 9 else number - 1
    before = found.revisions.filter(number=number_before).select_related("requirement").first()
    context = {
        "system": found,
        "revision": shown,
        "before": before,
        "differences": requirement_diff(before.requirement.data, shown.requirement.data) if before else [],
        "changes": revision_diff(before.manifests if before else [], shown.manifests),
        "back": _going_back(found, shown),
        "others": [other for other in selectors.revisions_of(found)[:100] if other.number != number],
        "tab": "history",
    }
    return render(request, "portal/systems/revision.html", context)


@login_required
@require_POST
def rollback(request: AuthenticatedRequest, system_id: int, number: int) -> HttpResponse:
    found = open_system(request, system_id, Need.MANAGE)
    try:
        services.system_rollback(system=found, revision=_revision(found, number), acting_user=request.user)
    except Refused as error:
        messages.error(request, say_reason(error.reason))
        return redirect("portal:revision", found.pk, number)
    return redirect("portal:system", found.pk)


@login_required
@require_GET
def operation(request: AuthenticatedRequest, system_id: int, operation_id: int) -> HttpResponse:
    """One operation of the past (or the running one) with its steps."""
    found = open_system(request, system_id, Need.VIEW)
    try:
        shown = selectors.operation_for(found, operation_id)
    except SystemNotFound:
        raise Http404 from None
    context = {
        "system": found,
        "operation": shown,
        "progress": Progress(shown, lines_of(shown)),
        "differences": _edited(found, shown),
        "tab": "history",
    }
    return render(request, "portal/systems/operation.html", context)


def _going_back(found: BookingSystem, shown: Revision) -> Tried | None:
    """What bringing SHOWN back would change in what runs; None where that is not on offer."""
    if not found.live_revision_id or shown.pk == found.live_revision_id or found.state in (State.DELETING, State.DELETED):
        return None
    return rollback_trial(system=found, revision=shown, runtime=bootstrap.runtime())


def _edited(found: BookingSystem, shown: Operation) -> list[Difference]:
    """What a live edit has changed, as far as it stands in the form in the same way."""
    known = {"performances": selectors.performances_of(found)}
    before, patch = shown.result.get("before"), shown.result.get("patch")
    return requirement_diff(known | before, known | patch) if isinstance(before, dict) and isinstance(patch, dict) else []


def _revision(found: BookingSystem, number: int) -> Revision:
    shown = found.revisions.filter(number=number).select_related("created_by", "requirement").first()
    if shown is None:
        raise Http404
    return shown
