"""The event's page, edited live: description, poster, notices."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from controlplane.portal.http import AuthenticatedRequest, asking
from controlplane.portal.speech import say_reason
from controlplane.systems import event_page, selectors
from controlplane.systems.access import Need
from controlplane.systems.concessions import concessions_of
from controlplane.systems.errors import Refused, RequirementInvalid, ServiceRefused
from controlplane.systems.models import BookingSystem

TAB = "event"
CHANGED = gettext_lazy(
    "It was changed meanwhile, perhaps in another tab. What you wrote stands here; publishing it now replaces the other."
)
Errors = dict[str, list[str]]


@require_GET
@asking(TAB, Need.VIEW)
def page(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    return _page(request, system)


@require_POST
@asking(TAB, Need.MANAGE)
def description(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    typed = request.POST.get("description", "")
    now = event_page.event_page(system=system, user=request.user).description
    if _is_behind(request, mark(now)) and _lines(typed) != now:
        return _page(request, system, typed=typed, errors={"description": [str(CHANGED)]})
    try:
        event_page.description_edit(system=system, description=typed, acting_user=request.user)
    except RequirementInvalid as error:
        return _page(request, system, typed=typed, errors={"description": [say_reason(problem) for problem in error.problems]})
    except ServiceRefused as error:
        return _page(request, system, typed=typed, errors={"description": _all(error)})
    except Refused as error:
        return _page(request, system, typed=typed, errors={"description": [say_reason(error.reason)]})
    messages.success(request, gettext("Saved. Buyers see it now."))
    return redirect("portal:system-event", system.pk)


@require_POST
@asking(TAB, Need.MANAGE)
def poster(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """Put a picture up, or take it away."""
    if "remove" in request.POST:
        event_page.poster_delete(system=system, acting_user=request.user)
        messages.success(request, gettext("The poster is gone."))
        return redirect("portal:system-event", system.pk)
    file = request.FILES.get("poster")
    if file is None or not file.size:
        return _page(request, system, errors={"poster": [gettext("Choose a picture.")]})
    if file.size > event_page.POSTER_BYTES_MAX:
        limit = event_page.POSTER_BYTES_MAX // 1024 // 1024
        return _page(request, system, errors={"poster": [gettext("The picture is larger than %(limit)d MB.") % {"limit": limit}]})
    try:
        event_page.poster_put(system=system, image=file.read(), acting_user=request.user)
    except ServiceRefused as error:
        return _page(request, system, errors={"poster": _all(error)})
    messages.success(request, gettext("Buyers see the new poster now."))
    return redirect("portal:system-event", system.pk)


@require_GET
@asking(TAB, Need.VIEW)
def poster_image(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """The poster as buyers get it: their site is another origin, which this page's policy does not let it load from."""
    found = event_page.poster_image(system=system, user=request.user)
    if found is None:
        return HttpResponse(status=404)
    media_type, image = found
    headers = {"Cache-Control": "private, max-age=300", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return HttpResponse(image, content_type=media_type, headers=headers)


@require_POST
@asking(TAB, Need.MANAGE)
def notice_add(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    typed = _typed(request)
    try:
        event_page.notice_add(system=system, title=typed["title"], body=typed["body"], is_pinned=typed["pinned"], acting_user=request.user)
    except ServiceRefused as error:
        return _page(request, system, notice=typed, notice_id="new", errors=_by_field(error))
    messages.success(request, gettext("Buyers see the notice now."))
    return redirect("portal:system-event", system.pk)


@require_POST
@asking(TAB, Need.MANAGE)
def notice_change(request: AuthenticatedRequest, system: BookingSystem, notice_id: int) -> HttpResponse:
    """Change a notice, or take it away."""
    if "remove" in request.POST:
        event_page.notice_delete(system=system, notice_id=notice_id, acting_user=request.user)
        messages.success(request, gettext("The notice is gone."))
        return redirect("portal:system-event", system.pk)
    typed = _typed(request)
    now = _notice(request, system, notice_id)
    if now and _is_behind(request, str(now.get("updated_at"))) and any(now.get(name) != value for name, value in typed.items()):
        return _page(request, system, notice=typed, notice_id=str(notice_id), errors={"notice": [str(CHANGED)]})
    try:
        event_page.notice_change(system=system, notice_id=notice_id, changes=typed, acting_user=request.user)
    except ServiceRefused as error:
        if error.status == 404:
            words = gettext("This notice was taken away meanwhile. What you wrote stands here: publish it as a new one, or leave it.")
            return _page(request, system, notice=typed, notice_id="new", errors={"notice": [words]})
        return _page(request, system, notice=typed, notice_id=str(notice_id), errors=_by_field(error))
    messages.success(request, gettext("Saved. Buyers see it now."))
    return redirect("portal:system-event", system.pk)


def _typed(request: AuthenticatedRequest) -> dict[str, Any]:
    return {
        "title": request.POST.get("title", "")[:1_000].strip(),
        "body": _lines(request.POST.get("body", "")[:20_000]),
        "pinned": "pinned" in request.POST,
    }


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def mark(text: str) -> str:
    """By which a form knows again what it was filled in for."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_behind(request: AuthenticatedRequest, now: str) -> bool:
    """Whether the form was filled in for something else than what stands there NOW; whoever does not say it means what stands there."""
    return request.POST.get("seen", now) != now


def _notice(request: AuthenticatedRequest, system: BookingSystem, notice_id: int) -> dict[str, Any] | None:
    found = event_page.event_page(system=system, user=request.user).notices
    return next((each for each in found if str(each.get("id")) == str(notice_id)), None)


def _all(error: ServiceRefused) -> list[str]:
    return [message for found in error.errors.values() for message in found] or [error.detail]


def _by_field(error: ServiceRefused) -> Errors:
    """The service's messages at the inputs of a notice; what belongs to none stands above them."""
    found = {name: list(texts) for name, texts in error.errors.items() if name in ("title", "body")}
    return found or {"notice": _all(error)}


def _page(
    request: AuthenticatedRequest,
    system: BookingSystem,
    *,
    typed: str | None = None,
    notice: dict[str, Any] | None = None,
    notice_id: str = "",
    errors: Errors | None = None,
) -> HttpResponse:
    """The page with what was typed. NOTICE with NOTICE_ID (`new`, or one there is) stands in its form, opened."""
    shown = event_page.event_page(system=system, user=request.user)
    notices = [{**each, **(notice or {}), "is_open": True} if each.get("id") == notice_id else each for each in shown.notices]
    context = {
        "system": system,
        "event": shown,
        "is_heavy": system.poster is not None and not selectors.is_poster_listed(system),
        "listed_kb": selectors.LISTED_POSTER_BYTES_MAX // 1024,
        "notices": notices,
        "description": shown.description if typed is None else typed,
        "seen": mark(shown.description),
        "new": notice if notice_id == "new" else {},
        "new_is_open": notice_id == "new",
        "errors": errors or {},
        "notice_id": notice_id,
        "concessions": concessions_of(system),
        "begins": {item["id"]: item["starts_at"] for item in selectors.performances_of(system)},
        "tab": TAB,
    }
    return render(request, "portal/systems/event.html", context, status=422 if errors else 200)
