"""Concessions of a live event, changed without a deployment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from controlplane.portal import drafts
from controlplane.portal.concession_words import UNITS, add_preset, presets
from controlplane.portal.http import AuthenticatedRequest, asking
from controlplane.portal.requirement_form import convert
from controlplane.portal.requirement_form.convert import Converted
from controlplane.portal.requirement_form.fields import FormProblem, form_problems
from controlplane.portal.requirement_form.page import FormPage
from controlplane.portal.requirement_form.state import FormState, from_post
from controlplane.portal.speech import say_reason
from controlplane.portal.views.event_page import CHANGED, mark
from controlplane.systems.access import Need
from controlplane.systems.concessions import concessions_edit, concessions_of
from controlplane.systems.errors import Refused, RequirementInvalid, ServiceRefused
from controlplane.systems.models import BookingSystem
from controlplane.systems.selectors import grades_of, performances_of

TAB = "event"
ROWS = "concessions"


@never_cache
@require_http_methods(["GET", "POST"])
@asking(TAB, Need.MANAGE)
def page(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """The rows. A POST does what its button says: adds or takes out a row, or publishes them all."""
    if not system.live_revision_id:
        raise Refused("not_deployed")
    begins = convert.begins_of(performances_of(system), drafts.zone())
    now = concessions_of(system)
    if request.method == "GET":
        form = FormState()
        convert.add_concessions(form, now, begins, drafts.zone())
        return _page(request, system, form, begins, seen=_mark(now))
    form = from_post(request.POST)
    action, _, rest = request.POST.get("action", "save").partition(":")
    seen = request.POST.get("seen", "")[:40]
    if action == "save":
        return _publish(request, system, form, begins, now=now)
    if action == "add":
        form.add(ROWS)
    elif action == "remove":
        form.remove(ROWS, rest.partition(":")[2])
    elif action == "preset":
        add_preset(form, rest)
    return _page(request, system, form, begins, seen=seen)


def _publish(
    request: AuthenticatedRequest, system: BookingSystem, form: FormState, begins: Mapping[str, str], *, now: Sequence[Mapping[str, Any]]
) -> HttpResponse:
    rows = convert.filled_concessions(form.rows[ROWS])
    entries = convert.concession_entries(rows, {start: id for id, start in begins.items()}, drafts.zone())
    seen = _mark(now)
    if request.POST.get("seen", seen) != seen and entries != now:
        return _page(request, system, form, begins, seen=seen, problems=[FormProblem(ROWS, str(CHANGED))])
    try:
        concessions_edit(system=system, concessions=entries, acting_user=request.user)
    except RequirementInvalid as error:
        converted = Converted({ROWS: entries}, {ROWS: (ROWS, [row.key for row in rows])}, {})
        return _page(request, system, form, begins, seen=seen, problems=form_problems(error.problems, converted))
    except ServiceRefused as error:
        found = [message for texts in error.errors.values() for message in texts] or [error.detail]
        return _page(request, system, form, begins, seen=seen, problems=[FormProblem(ROWS, message) for message in found])
    except Refused as error:
        return _page(request, system, form, begins, seen=seen, problems=[FormProblem(ROWS, say_reason(error.reason))])
    messages.success(request, gettext("Saved. Buyers see it now."))
    return redirect("portal:system-concessions", system.pk)


def _page(
    request: AuthenticatedRequest,
    system: BookingSystem,
    form: FormState,
    begins: Mapping[str, str],
    *,
    seen: str,
    problems: Sequence[FormProblem] = (),
) -> HttpResponse:
    offered = {"grades": [str(grade["name"]) for grade in grades_of(system)], "performances": list(begins.values())}
    context = {
        "system": system,
        "page": FormPage(form, problems, offered),
        "presets": presets(),
        "discount_units": UNITS,
        "seen": seen,
        "tab": TAB,
    }
    return render(request, "portal/systems/concessions.html", context, status=422 if problems else 200)


def _mark(concessions: Sequence[Mapping[str, Any]]) -> str:
    return mark(json.dumps(concessions, sort_keys=True))
