"""Check-in: links for the people at the door, and how many are in."""

from __future__ import annotations

import io

import segno
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.portal.http import AuthenticatedRequest, asking
from controlplane.systems import door, performances
from controlplane.systems.errors import ServiceRefused
from controlplane.systems.models import BookingSystem

TAB = "door"


@never_cache
@require_http_methods(["GET", "POST"])
@asking(TAB)
def page(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """A POST makes a link, and shows it this once: no redirect, for its key is kept nowhere."""
    made, errors, typed = None, [], ""
    if request.method == "POST":
        typed = request.POST.get("name", "").strip()[:1_000]
        try:
            made = door.scanner_create(system=system, name=typed, acting_user=request.user)
            typed = ""
        except ServiceRefused as error:
            errors = [message for found in error.errors.values() for message in found] or [error.detail]
    found = performances.performances(system=system, user=request.user)
    context = {
        "system": system,
        "made": made,
        "made_qr": _qr(made.url) if made else "",
        "errors": errors,
        "typed": typed,
        "scanners": door.scanners(system=system, user=request.user),
        "performances": [performance for performance in found if performance.tickets and not performance.is_called_off],
        "tab": TAB,
    }
    return render(request, "portal/systems/door.html", context, status=422 if errors else 200)


@require_POST
@asking(TAB)
def revoke(request: AuthenticatedRequest, system: BookingSystem, scanner_id: str) -> HttpResponse:
    door.scanner_revoke(system=system, scanner_id=str(scanner_id), acting_user=request.user)
    messages.success(request, gettext("The link no longer works."))
    return redirect("portal:system-door", system.pk)


def _qr(address: str) -> str:
    """The address as a picture within the page: as a request of its own it would have to carry the key."""
    out = io.BytesIO()
    segno.make(address, error="m").save(out, kind="svg", border=1, xmldecl=False, omitsize=True, dark="#0a3f35", light="#ffffff")
    return mark_safe(out.getvalue().decode())  # noqa: S308 -- drawn by segno of squares
