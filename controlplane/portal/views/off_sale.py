"""Seats that are kept from sale at one performance, as lines like those of the requirement."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from controlplane.portal.http import AuthenticatedRequest, asking
from controlplane.portal.requirement_form.seat_lines import all_of, example_of, lines_of, seats_of
from controlplane.systems import off_sale, performances
from controlplane.systems.access import Need
from controlplane.systems.errors import ServiceRefused
from controlplane.systems.models import BookingSystem

TAB = "performances"
NAMED_AT_MOST = 5


@never_cache
@require_http_methods(["GET", "POST"])
@asking(TAB, Need.VIEW, post=Need.MANAGE)
def page(request: AuthenticatedRequest, system: BookingSystem, performance_id: str) -> HttpResponse:
    """A POST changes what was changed in the lines, whatever somebody else has changed besides since they were shown."""
    performance = performances.performance_of(system=system, performance_id=performance_id, user=request.user)
    plan = _plan(system)
    if plan is None:
        raise Http404
    shown = typed = lines_of(off_sale.off_sale(system=system, performance_id=performance_id, user=request.user).seats, plan)
    errors: list[str] = []
    if request.method == "POST" and not performance.is_called_off:
        shown, typed = request.POST.get("shown", ""), request.POST.get("seats", "")
        before, wanted = seats_of(shown, plan), seats_of(typed, plan)
        errors = _unknown(wanted, plan)
        if not errors:
            added, removed = set(wanted).difference(before), set(before).difference(wanted)
            try:
                kept = off_sale.off_sale_change(
                    system=system, performance_id=performance_id, added=added, removed=removed, acting_user=request.user
                )
            except ServiceRefused as error:
                errors = [message for found in error.errors.values() for message in found] or [error.detail]
            else:
                messages.success(request, gettext("Saved. Off sale now: %(count)d.") % {"count": len(kept.seats)})
                return redirect("portal:system-off-sale", system.pk, performance_id)
    context = {
        "system": system,
        "performance": performance,
        "places": off_sale.places(system=system, performance_id=performance_id, user=request.user),
        "shown": shown,
        "typed": typed,
        "errors": errors,
        "example": example_of(plan),
        "tab": TAB,
    }
    return render(request, "portal/systems/off_sale.html", context, status=422 if errors else 200)


def _plan(system: BookingSystem) -> Any:
    """The seating plan that is on sale; None for places without numbers."""
    live = system.live_revision
    return live.requirement.data["seating"].get("plan") if live else None


def _unknown(seats: list[str], plan: Any) -> list[str]:
    known = set(all_of(plan))
    unknown = [seat for seat in seats if seat not in known]
    more = ["…"] if len(unknown) > NAMED_AT_MOST else []
    return [gettext("The plan has no “%(seat)s”.") % {"seat": seat[:100]} for seat in unknown[:NAMED_AT_MOST]] + more
