"""The pages. Each shows what is known of the event; its module fills in what belongs to the visitor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from booking_templates.web import content, errors, pages, poster
from booking_templates.web.paths import local_path
from booking_templates.web.templatetags.clove_web import moment

ID_MAX = 64
OUTSIDE_PROBLEMS = {
    "outside_expired": gettext_noop("That took too long, or began in another browser. Please try again."),
    "outside_cancelled": gettext_noop("The sign-in was cancelled. Nothing has changed."),
    "outside_refused": gettext_noop("The sign-in could not be checked. Please try again, or log in with your password."),
    "outside_unavailable": gettext_noop("The outside sign-in does not answer right now. Please try again, or log in with your password."),
    "email_taken": gettext_noop("There is an account with this e-mail address already. Log in with its password instead."),
    "too_many_sign_ups": gettext_noop(
        "Very many accounts were opened from here just now. Please try again later, or from another network."
    ),
    "joined_elsewhere": gettext_noop("This sign-in belongs to another account here."),
}


def page(pattern: str, view: Callable[..., HttpResponse]) -> URLPattern:
    """Serve VIEW at PATTERN, to GET and HEAD, under that name in metrics and logs.

    A form that is sent before the page's modules have come, on a slow line, is told to be filled in again.
    """

    @wraps(view)
    def run(request: HttpRequest, **values: str) -> HttpResponse:
        request.route = pattern or "/"  # type: ignore[attr-defined]
        if request.method not in ("GET", "HEAD"):
            refusal = errors.page(request, 405)
            refusal["Allow"] = "GET, HEAD"
            return refusal
        if any(len(value) > ID_MAX for value in values.values()):
            raise Http404
        return view(request, **values)

    return path(pattern, run, name=view.__name__)


def _with_performances(request: HttpRequest, template: str, holes: dict[str, str] | None = None) -> HttpResponse:
    """TEMPLATE with all performances, as JSON for its module."""
    return pages.respond(request, template, holes, sources=(content.PERFORMANCES,), build=_offers)


def _offers() -> dict[str, Any]:
    known = content.performances(content.EVENT.last, content.PERFORMANCES.last)
    return {"performances": known, "offers": msgspec.to_builtins(known)}


def event(request: HttpRequest) -> HttpResponse:
    """The event, and a performance to choose."""

    def build() -> dict[str, Any]:
        known, plan = content.EVENT.last, content.PLAN.last
        grades = plan.grades if plan else ()
        return {
            **_offers(),
            "grades": sorted(grades, key=lambda grade: -grade.price_krw),
            "poster": poster.draw(known.field, known.title) if known else poster.draw("other", ""),
            "is_numbered": plan.numbered if plan else True,
            "is_free": bool(grades) and not any(grade.price_krw for grade in grades),
            "is_seat_down": not content.PERFORMANCES.is_answering,
        }

    return pages.respond(request, "web/event.html", sources=(content.PERFORMANCES, content.PLAN), build=build)


def performance(request: HttpRequest, performance_id: str) -> HttpResponse:
    """Seats or areas of one performance, or that it was called off. Where its id can be checked an unknown one is a 404."""
    on_sale, known = content.PERFORMANCES.get(), content.EVENT.get()
    told = on_sale or (known.performances if known else ())
    this = next((item for item in told if item.id == performance_id), None)
    if on_sale and this is None:
        raise Http404
    # As holes: an event may have hundreds of performances, and all have the same page.
    holes = {
        "performance_id": performance_id,
        "starts_at": timezone.localtime(this.starts_at).isoformat() if this else "",
        "when": _when(this.starts_at, translation.get_language()) if this else "",
    }

    def build() -> dict[str, Any]:
        plan = content.PLAN.last
        # An address with the plan's version may be kept for ever: a second visit does not load it again.
        plan_path = f"/api/seat/plan?v={quote(plan.version)}" if plan and plan.version else "/api/seat/plan"
        return {**_offers(), "plan_path": plan_path}

    return pages.respond(
        request,
        "web/called_off.html" if this and this.is_called_off else "web/performance.html",
        holes,
        sources=(content.PERFORMANCES, content.PLAN),
        build=build,
    )


@lru_cache(maxsize=1024)
def _when(starts_at: datetime, _language: str | None) -> str:
    """Kept, for it is put together of a dozen words and the same for everybody who opens the page."""
    return moment(starts_at)


def checkout(request: HttpRequest, hold_id: str) -> HttpResponse:
    """Buyer, terms and payment of a hold, against its clock."""
    return _with_performances(request, "web/checkout.html", {"hold_id": hold_id})


def orders(request: HttpRequest) -> HttpResponse:
    """All that this buyer booked."""
    return _with_performances(request, "web/orders.html")


def order(request: HttpRequest, order_id: str) -> HttpResponse:
    """One order: how it stands, its tickets, its cancellation."""
    return _with_performances(request, "web/order.html", {"order_id": order_id})


def ticket(request: HttpRequest, ticket_id: str) -> HttpResponse:
    """One ticket to show at the door."""
    return _with_performances(request, "web/ticket.html", {"ticket_id": ticket_id})


def signup(request: HttpRequest) -> HttpResponse:
    return pages.respond(request, "web/signup.html", _leading_on(request))


def login(request: HttpRequest) -> HttpResponse:
    """Logging in; `problem` is why an outside sign-in led here."""
    problem = OUTSIDE_PROBLEMS.get(request.GET.get("problem", ""), "")
    return pages.respond(
        request,
        "web/login.html",
        _leading_on(request),
        variant=problem,
        build=lambda: {"problem": _(problem) if problem else ""},
    )


def _leading_on(request: HttpRequest) -> dict[str, str]:
    """Where one goes once logged in; and quoted, for the link between the two ways of coming in."""
    path = local_path(request.GET.get("next"))
    return {"next": path, "next_quoted": quote(path, safe="")}


def forgot_password(request: HttpRequest) -> HttpResponse:
    return pages.respond(request, "web/forgot_password.html")


def reset_password(request: HttpRequest) -> HttpResponse:
    """Where the mail's link leads; its secret is in the fragment and is not seen here."""
    return pages.respond(request, "web/reset_password.html")


def account(request: HttpRequest) -> HttpResponse:
    return pages.respond(request, "web/account.html")


def shop(request: HttpRequest) -> HttpResponse:
    """Merchandise, in a system that sells it; with `booking`, beside that booking."""
    _only_with_merch()
    booking = request.GET.get("booking", "")
    return pages.respond(request, "web/shop.html", {"booking": booking if len(booking) <= ID_MAX else ""})


def shop_order(request: HttpRequest, order_id: str) -> HttpResponse:
    """One order of merchandise."""
    _only_with_merch()
    return pages.respond(request, "web/shop_order.html", {"order_id": order_id})


def _only_with_merch() -> None:
    if "merch" not in settings.ENV.peers:
        raise Http404
