"""The waiting room of a live event: who waits, how many come in, and stopping it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from controlplane.portal.http import AuthenticatedRequest, asking
from controlplane.portal.speech import say_reason
from controlplane.systems import waiting_room
from controlplane.systems.access import Need
from controlplane.systems.errors import Refused, RequirementInvalid
from controlplane.systems.models import BookingSystem

TAB = "performances"


@never_cache
@require_http_methods(["GET", "POST"])
@asking(TAB, Need.VIEW, post=Need.MANAGE)
def page(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """A POST with `pause` stops it or lets it go on; another says how many come in."""
    typed, errors = None, []
    if request.method == "POST":
        if "pause" in request.POST:
            is_paused = request.POST["pause"] == "yes"
            waiting_room.admission_pause(system=system, is_paused=is_paused, acting_user=request.user)
            messages.success(request, gettext("Nobody is let in now.") if is_paused else gettext("People are let in again."))
            return redirect("portal:system-waiting-room", system.pk)
        typed = request.POST.get("per_minute", "").strip()[:20]
        try:
            waiting_room.admission_edit(system=system, per_minute=_figure(typed), acting_user=request.user)
        except RequirementInvalid as error:
            errors = [say_reason(problem) for problem in error.problems]
        except Refused as error:
            errors = [say_reason(error.reason)]
        else:
            messages.success(request, gettext("Saved. It holds at once, and nobody loses a place."))
            return redirect("portal:system-waiting-room", system.pk)
    room = waiting_room.waiting_room(system=system, user=request.user)
    context = {
        "system": system,
        "room": room,
        "minutes": -(-room.waiting // room.per_minute) if room.per_minute else 0,
        "typed": ("" if room.written is None else str(room.written)) if typed is None else typed,
        "errors": errors,
        "tab": TAB,
    }
    return render(request, "portal/systems/waiting_room.html", context, status=422 if errors else 200)


def _figure(typed: str) -> Any:
    """The number that TYPED is, None for nothing; else as typed, for validation to name."""
    bare = typed.replace(",", "")
    return int(bare) if bare.isascii() and bare.isdecimal() and len(bare) < 10 else typed or None
