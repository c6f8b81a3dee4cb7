"""The performances of a live event: sales by grade, and calling one off."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from controlplane.portal.http import AuthenticatedRequest, asking, require
from controlplane.portal.speech import say_reason
from controlplane.systems import performances
from controlplane.systems.access import Need
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem

TAB = "performances"


@never_cache
@require_GET
@asking(TAB, Need.VIEW)
def all_of(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    found = performances.performances(system=system, user=request.user)
    context = {
        "system": system,
        "performances": found,
        "tickets": sum(performance.tickets for performance in found),
        "price_krw": sum(performance.price_krw for performance in found),
        "arrived": sum(performance.arrived for performance in found),
        "due_krw": sum(performance.due_krw for performance in found),
        "taken_at_door_krw": sum(performance.taken_at_door_krw for performance in found),
        "has_seats": system.live_revision is not None and system.live_revision.requirement.summary["numbered"],
        "tab": TAB,
    }
    return render(request, "portal/systems/performances.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@asking(TAB, Need.VIEW, post=Need.MANAGE)
def call_off(request: AuthenticatedRequest, system: BookingSystem, performance_id: str) -> HttpResponse:
    """Asks for the performance's name before, and shows how far the refunds are after."""
    performance = performances.performance_of(system=system, performance_id=performance_id, user=request.user)
    context = {"system": system, "performance": performance, "percent": performances.DEFAULT_COMPENSATION_PERCENT, "tab": TAB}
    if request.method == "POST" and not performance.is_called_off:
        typed = request.POST.get("typed_name", "")[:100]
        try:
            performances.performance_call_off(system=system, performance_id=performance_id, typed_name=typed, acting_user=request.user)
        except Refused as error:
            refusal = {"typed": typed, "refusal": say_reason(error.reason)}
            return render(request, "portal/systems/call_off.html", context | refusal, status=409)
        return redirect("portal:system-call-off", system.pk, performance_id)
    if performance.is_called_off:
        progress = performances.calling_off(system=system, performance_id=performance_id, user=request.user)
        return render(request, "portal/systems/called_off.html", context | {"progress": progress})
    require(system, Need.MANAGE)
    return render(request, "portal/systems/call_off.html", context)


@never_cache
@require_GET
@asking(TAB, Need.VIEW)
def call_off_progress(request: AuthenticatedRequest, system: BookingSystem, performance_id: str) -> HttpResponse:
    """The figures of that page alone, asked for again and again; `X-Over` says when that is enough."""
    progress = performances.calling_off(system=system, performance_id=performance_id, user=request.user)
    response = render(request, "portal/systems/part_refunds.html", {"progress": progress})
    response["X-Over"] = "yes" if progress.is_over else "no"
    return response
