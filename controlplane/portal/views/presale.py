"""The presale of a live event: when it opens, how many codes were given out and used, more of them, and taking one back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from controlplane.portal import drafts
from controlplane.portal.http import AuthenticatedRequest, asking
from controlplane.portal.requirement_form import convert
from controlplane.portal.requirement_form.convert import Converted
from controlplane.portal.requirement_form.fields import form_problems
from controlplane.portal.speech import say_reason
from controlplane.portal.views.papers import CSV, download_headers
from controlplane.systems import presale
from controlplane.systems.access import Need
from controlplane.systems.errors import Refused, RequirementInvalid, ServiceRefused
from controlplane.systems.models import BookingSystem
from controlplane.systems.presale import BATCH_AT_MOST, PresaleNow

TAB = "performances"
PAGE = "portal:system-presale"


@dataclass
class _Typed:
    """What was typed and what is wrong with it, by the input's name."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@asking(TAB, Need.VIEW, post=Need.MANAGE)
def page(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """A POST's `action` says what it does: `presale` publishes name and opening, `codes` makes more of them, `withdraw` takes one back."""
    typed = _Typed()
    act = {"presale": _publish, "codes": _make, "withdraw": _withdraw}.get(request.POST.get("action", ""))
    if request.method == "POST" and act is not None:
        typed = act(request, system)
        if not typed.errors:
            return redirect(PAGE, system.pk)
    now = presale.presale_now(system=system, user=request.user)
    context = {
        "system": system,
        "now": now,
        "unused": max(0, now.codes.given - now.codes.used - now.codes.withdrawn),
        "batches": _batches(now.codes.given),
        "values": _values(now) | typed.values,
        "errors": typed.errors,
        "tab": TAB,
    }
    return render(request, "portal/systems/presale.html", context, status=422 if typed.errors else 200)


def _publish(request: AuthenticatedRequest, system: BookingSystem) -> _Typed:
    values = {name: request.POST.get(name, "")[:200] for name in ("presale_name", "presale_opens_at")}
    entry = convert.presale_entry(values["presale_name"], values["presale_opens_at"], drafts.zone())
    try:
        presale.presale_edit(system=system, presale=entry, acting_user=request.user)
    except RequirementInvalid as error:
        errors: dict[str, list[str]] = {}
        for problem in form_problems(error.problems, Converted({}, {}, {})):
            errors.setdefault(problem.input or "presale_name", []).append(problem.message)
        return _Typed(values, errors)
    except ServiceRefused as error:
        return _Typed(values, {"presale_name": [message for texts in error.errors.values() for message in texts] or [error.detail]})
    except Refused as error:
        return _Typed(values, {"presale_name": [say_reason(error.reason)]})
    messages.success(request, gettext("Saved. Buyers see it now.") if entry else gettext("Saved. There is no presale any more."))
    return _Typed()


def _make(request: AuthenticatedRequest, system: BookingSystem) -> _Typed:
    typed = request.POST.get("count", "").strip()[:20]
    try:
        count = _figure(typed)
        presale.codes_give_out(system=system, count=count, acting_user=request.user, after=_figure_or_none(request.POST.get("given", "")))
    except RequirementInvalid as error:
        return _Typed({"count": typed}, {"count": [say_reason(problem) for problem in error.problems]})
    except ServiceRefused as error:
        return _Typed({"count": typed}, {"count": [message for texts in error.errors.values() for message in texts] or [error.detail]})
    messages.success(request, gettext("The codes were made. Download them below."))
    return _Typed()


def _withdraw(request: AuthenticatedRequest, system: BookingSystem) -> _Typed:
    typed = request.POST.get("code", "").strip()[:60]
    if not typed:
        return _Typed({}, {"code": [gettext("This is needed.")]})
    try:
        was_used = presale.code_withdraw(system=system, code=typed, acting_user=request.user)
    except ServiceRefused as error:
        return _Typed({"code": typed}, {"code": [error.detail]})
    if was_used:
        messages.success(
            request, gettext("The code was taken back. The account that had used it cannot book early any more; what it has stays.")
        )
    else:
        messages.success(request, gettext("The code was taken back. Nobody had used it."))
    return _Typed()


@never_cache
@require_GET
@asking(TAB, Need.MANAGE)
def codes_csv(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """The codes of `count` numbers from `first` on."""
    first, count = (_figure_or_none(request.GET.get(name, default)) for name, default in (("first", "1"), ("count", str(BATCH_AT_MOST))))
    if not first or not count or count > BATCH_AT_MOST:
        raise Http404
    found = presale.codes_listed(system=system, user=request.user, first=first, count=count)
    name = f"presale-codes-{system.slug}-{first}.csv"
    return HttpResponse(presale.as_csv(found), content_type=CSV, headers=download_headers(name))


def _batches(given: int) -> list[tuple[int, int, int]]:
    """First number, last one and how many, of each file that has all codes together."""
    starts = range(1, given + 1, BATCH_AT_MOST)
    return [(first, last := min(given, first + BATCH_AT_MOST - 1), last - first + 1) for first in starts]


def _values(now: PresaleNow) -> dict[str, str]:
    entry = now.presale.to_json() if now.presale else None
    return convert.presale_typed(entry, drafts.zone()) | {"count": "", "code": ""}


def _figure(typed: str) -> Any:
    """The number that TYPED is, else as typed, for validation to name."""
    bare = typed.replace(",", "")
    return int(bare) if bare.isascii() and bare.isdecimal() and len(bare) < 10 else typed


def _figure_or_none(typed: str) -> int | None:
    found = _figure(typed.strip())
    return found if isinstance(found, int) else None
