"""A seller's booking systems: the list, one of them with what it is doing, and what can be done to it."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controlplane.portal import drafts, searching
from controlplane.portal.figures import figures
from controlplane.portal.http import AuthenticatedRequest, open_system
from controlplane.portal.progress import Progress, announcement, progress_of
from controlplane.portal.speech import say_reason
from controlplane.systems import access, archives, bookings, caps, operating, selectors, services
from controlplane.systems.access import Need
from controlplane.systems.backups import backups_of
from controlplane.systems.concessions import concessions_of
from controlplane.systems.errors import DeletionRefused, Refused
from controlplane.systems.models import BookingSystem, State

SYSTEMS_A_PAGE = 20
ARCHIVED_SHOWN = 200
SHARED_SHOWN = 200
FOLDED_AFTER = timedelta(minutes=3)


@login_required
@require_GET
def systems(request: AuthenticatedRequest) -> HttpResponse:
    """The dashboard: own booking systems, those that are shared, and drafts that are not sent yet."""
    own = Paginator(access.own_systems(request.user), SYSTEMS_A_PAGE)
    context = {
        "page": own.get_page(request.GET.get("page")),
        "shared": access.shared_with(request.user)[:SHARED_SHOWN],
        "allowance": caps.allowance(request.user),
        "drafts": drafts.drafts_of(request.user),
        "archived": archives.archived_systems(request.user)[:ARCHIVED_SHOWN],
    }
    return render(request, "portal/systems/list.html", context)


@login_required
@never_cache
@require_GET
def system(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """One booking system, live."""
    found = open_system(request, system_id, Need.VIEW)
    concessions = concessions_of(found)
    begins = {item["id"]: item["starts_at"] for item in selectors.performances_of(found)} if concessions else {}
    context = _context(found, progress_of(found)) | {"concessions": concessions, "begins": begins}
    return render(request, "portal/systems/detail.html", context)


@login_required
@require_GET
def progress(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """What changed on that page: small, with an ETag, asked for again and again. The parts are the page's own templates."""
    found = open_system(request, system_id, Need.VIEW)
    now = progress_of(found)
    tag = _etag(found, now, request.LANGUAGE_CODE)
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        context = _context(found, now)
        parts = ("state", "address", "steps", "services", "actions")
        response = JsonResponse(
            {
                "busy": now.is_running,
                "announcement": announcement(found, now),
                "parts": {part: render_to_string(f"portal/systems/part_{part}.html", context, request) for part in parts},
            }
        )
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    return response


def _context(found: BookingSystem, now: Progress) -> dict[str, object]:
    return {
        "system": found,
        "progress": now,
        "operation": now.operation,
        "announcement": announcement(found, now),
        "workloads": now.workloads if now.is_running or not found.health_workloads else found.health_workloads,
        # Who has just watched it wants to go on seeing it.
        "is_old": bool(now.operation and now.operation.ended_at and timezone.now() - now.operation.ended_at > FOLDED_AFTER),
        "is_standing": found.state not in (State.DELETING, State.DELETED),
        "backups": backups_of(found) if found.state in (State.LIVE, State.SUSPENDED, State.DATA_GONE) else None,
        "tab": "overview",
    }


def _etag(found: BookingSystem, now: Progress, language: str) -> str:
    """Changes with whatever the parts show, and not with the clock."""
    operation = now.operation
    seen = [
        (
            found.state,
            found.reason_code,
            found.reason_params,
            found.backup,
            found.health,
            found.health_message,
            found.health_workloads,
            found.slug,
            found.live_revision_id,
            found.generation,
        ),
        (operation.pk, operation.state, operation.reason_code, operation.reason) if operation else (),
        [(line.name, line.state, line.step and (line.step.message, line.step.progress)) for line in now.lines],
        language,
        found.access,
    ]
    return f'"{hashlib.sha256(repr(seen).encode()).hexdigest()[:20]}"'


@login_required
@require_GET
def sales(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """A fragment with what was sold; asked for after the page is there, since the services may be slow or away."""
    found = open_system(request, system_id, Need.VIEW)
    shown = figures(selectors.sales_summary(found, user=request.user), selectors.performances_of(found))
    template = "numbers" if "short" in request.GET else "sales"
    return render(request, f"portal/systems/{template}.html", {"system": found, "figures": shown})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def attendees(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """Who booked, with a search."""
    found = open_system(request, system_id, Need.VIEW)
    if request.method == "POST":
        return searching.to_results(request, "performance")
    query = searching.searched_for(request)
    performance = request.GET.get("performance", "")[:40]
    number = request.GET.get("page", "")
    page = selectors.attendees(
        found,
        user=request.user,
        query=query,
        performance=performance,
        page=max(int(number), 1) if number.isdecimal() and len(number) < 7 else 1,
    )
    if page.is_available and not page.rows and (order_id := bookings.booking_by_number(system=found, typed=query, user=request.user)):
        return redirect("portal:system-booking", found.pk, order_id)
    performances = selectors.performances_of(found)
    context = {
        "system": found,
        "page": page,
        "query": query,
        "sealed": searching.sealed(query),
        "performance": performance,
        "performances": performances,
        "times": {item["id"]: item["starts_at"] for item in performances},
        "tab": "attendees",
    }
    return render(request, "portal/systems/attendees.html", context, status=200 if page.is_available else 503)


@login_required
@require_POST
def edit(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """Open the form filled in as things are, or the draft begun earlier."""
    found = open_system(request, system_id, Need.MANAGE)
    try:
        draft = drafts.draft_of_system(user=request.user, system=found)
    except Refused as error:
        messages.error(request, say_reason(error.reason))
        return redirect("portal:system", found.pk)
    return redirect("portal:draft", draft.pk)


@login_required
@require_POST
def retry(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    found = open_system(request, system_id, Need.MANAGE)
    try:
        services.system_retry(system=found, acting_user=request.user)
    except Refused as error:
        messages.error(request, say_reason(error.reason))
    return redirect("portal:system", found.pk)


@login_required
@require_POST
def resume(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """Let a suspended booking system run again."""
    found = open_system(request, system_id, Need.MANAGE)
    try:
        operating.system_resume(system=found, acting_user=request.user)
    except Refused as error:
        messages.error(request, say_reason(error.reason))
    return redirect("portal:system", found.pk)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """Deleting asks for the name, and shows why it is refused."""
    found = open_system(request, system_id, Need.OWN)
    context = {"system": found, "refusal": "", "typed": "", "tab": ""}
    if request.method == "GET":
        return render(request, "portal/systems/delete.html", context)
    typed = request.POST.get("typed_name", "")[:300].strip()
    try:
        operation = services.system_delete(
            system=found, typed_name=typed, acting_user=request.user, force=request.user.is_admin and "force" in request.POST
        )
    except DeletionRefused as error:
        refusal = {"refusal": say_reason(error.reason), "code": error.reason.code, "typed": typed}
        return render(request, "portal/systems/delete.html", {**context, **refusal}, status=409)
    except Refused as error:
        return render(request, "portal/systems/delete.html", {**context, "refusal": say_reason(error.reason), "typed": typed}, status=409)
    if operation is None:
        messages.success(request, gettext("Deleted."))
        return redirect("portal:systems")
    return redirect("portal:system", found.pk)


@login_required
@require_GET
def qr(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """The buyer site's address as a QR code."""
    found = open_system(request, system_id, Need.VIEW)
    if not found.public_url:
        raise Http404
    out = io.BytesIO()
    segno.make(found.public_url, error="m").save(out, kind="svg", scale=4, border=1, dark="#0a3f35", light="#ffffff")
    return HttpResponse(out.getvalue(), content_type="image/svg+xml", headers={"Cache-Control": "private, max-age=3600"})
