"""Check-in: links for the people at the door, and how many are in."""

from __future__ import annotations

import io
from datetime import datetime

import segno
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.portal.http import AuthenticatedRequest, asking
from controlplane.portal.speech import say_reason
from controlplane.portal.templatetags.portal import won
from controlplane.systems import door, door_money, performances
from controlplane.systems.access import Need
from controlplane.systems.door import Scanner
from controlplane.systems.errors import Refused, ServiceRefused
from controlplane.systems.models import BookingSystem

TAB = "door"
Errors = dict[str, list[str]]


@never_cache
@require_http_methods(["GET", "POST"])
@asking(TAB, Need.VIEW, post=Need.MANAGE)
def page(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """A POST makes a link, and shows it this once: no redirect, for its key is kept nowhere."""
    made: Scanner | None = None
    errors: Errors = {}
    typed = until = ""
    if request.method == "POST":
        typed, until = request.POST.get("name", "").strip()[:1_000], request.POST.get("until", "").strip()[:40]
        made, errors = _make(request, system, typed, until)
        if made:
            typed = until = ""
    found = performances.performances(system=system, user=request.user)
    context = {
        "system": system,
        "made": made,
        "made_qr": _qr(made.url) if made else "",
        "errors": errors,
        "typed": typed,
        "until": until,
        "scanners": door.scanners(system=system, user=request.user),
        "performances": [performance for performance in found if performance.tickets and not performance.is_called_off],
        "owed": door_money.owed(system=system, user=request.user),
        "conflicts": door.conflicts(system=system, user=request.user),
        "times": {performance.id: performance.starts_at for performance in found},
        "tab": TAB,
    }
    return render(request, "portal/systems/door.html", context, status=422 if errors else 200)


def _make(request: AuthenticatedRequest, system: BookingSystem, name: str, until: str) -> tuple[Scanner | None, Errors]:
    """A link for NAME, until the moment typed by the venue's clock; or what is wrong, by input."""
    try:
        moment = timezone.make_aware(datetime.fromisoformat(until).replace(tzinfo=None)) if until else None
    except ValueError:
        return None, {"until": [gettext("Choose a date and a time.")]}
    try:
        return door.scanner_create(system=system, name=name, until=moment, acting_user=request.user), {}
    except ServiceRefused as error:
        found = {place: texts for place, texts in error.errors.items() if place in ("name", "until")}
        return None, found or {"name": [message for texts in error.errors.values() for message in texts] or [error.detail]}
    except Refused as error:
        if error.reason.code != "service_older":
            raise
        return None, {"until": [say_reason(error.reason)]}


@require_POST
@asking(TAB, Need.MANAGE)
def revoke(request: AuthenticatedRequest, system: BookingSystem, scanner_id: str) -> HttpResponse:
    door.scanner_revoke(system=system, scanner_id=str(scanner_id), acting_user=request.user)
    messages.success(request, gettext("The link no longer works."))
    return redirect("portal:system-door", system.pk)


@require_POST
@asking(TAB, Need.MANAGE)
def given_back(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """Write down which payments at the door were given back by hand."""
    typed = [
        each for each in request.POST.getlist("payments") if each.isascii() and each.isdecimal() and len(each) <= door_money.LONGEST_ID
    ]
    chosen = list(dict.fromkeys(int(each) for each in typed))[: door_money.AT_MOST]
    if not chosen:
        messages.error(request, gettext("Choose what was given back."))
        return redirect("portal:system-door", system.pk)
    try:
        made = door_money.door_give_back(system=system, payments=chosen, acting_user=request.user)
    except ServiceRefused as error:
        messages.error(request, error.detail)
        return redirect("portal:system-door", system.pk)
    if made.payments:
        messages.success(request, gettext("It is written down that %(amount)s was given back.") % {"amount": won(made.amount_krw)})
    if made.not_owed:
        messages.warning(request, gettext("Some of it was not to be given back any more: the door has put it right meanwhile."))
    return redirect("portal:system-door", system.pk)


def _qr(address: str) -> str:
    """The address as a picture within the page: as a request of its own it would have to carry the key."""
    out = io.BytesIO()
    segno.make(address, error="m").save(out, kind="svg", border=1, xmldecl=False, omitsize=True, dark="#0a3f35", light="#ffffff")
    return mark_safe(out.getvalue().decode())  # noqa: S308 -- drawn by segno of squares
