"""The pages. Each is a shell with what is known of the event; its module fills in what belongs to the visitor."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_safe

from booking_templates.web import content, poster
from booking_templates.web.paths import local_path

ID_MAX = 64
OUTSIDE_PROBLEMS = {
    "outside_expired": gettext_noop("That took too long, or began in another browser. Please try again."),
    "outside_cancelled": gettext_noop("The sign-in was cancelled. Nothing has changed."),
    "outside_refused": gettext_noop("The sign-in could not be checked. Please try again, or log in with your password."),
    "outside_unavailable": gettext_noop("The outside sign-in does not answer right now. Please try again, or log in with your password."),
    "email_taken": gettext_noop("There is an account with this e-mail address already. Log in with its password instead."),
    "joined_elsewhere": gettext_noop("This sign-in belongs to another account here."),
}


def page(pattern: str, view: Callable[..., HttpResponse]) -> URLPattern:
    """Serve VIEW at PATTERN, to GET and HEAD, under that name in metrics and logs."""

    @wraps(view)
    def run(request: HttpRequest, **values: str) -> HttpResponse:
        request.route = pattern or "/"  # type: ignore[attr-defined]
        if any(len(value) > ID_MAX for value in values.values()):
            raise Http404
        return view(request, **values)

    return path(pattern, require_safe(run), name=view.__name__)


def _shell(request: HttpRequest, template: str, **data: Any) -> HttpResponse:
    """TEMPLATE with DATA and all performances, for the template and as JSON for its module."""
    known = content.performances(content.EVENT.get(), content.PERFORMANCES.get())
    return render(request, template, {"performances": known, "offers": msgspec.to_builtins(known), **data})


def event(request: HttpRequest) -> HttpResponse:
    """The event, and a performance to choose."""
    known = content.EVENT.get()
    plan = content.PLAN.get()
    content.PERFORMANCES.get()
    return _shell(
        request,
        "web/event.html",
        grades=sorted(plan.grades, key=lambda grade: -grade.price_krw) if plan else (),
        poster=poster.draw(known.field, known.title) if known else poster.draw("other", ""),
        is_numbered=plan.numbered if plan else True,
        is_seat_down=not content.PERFORMANCES.is_answering,
    )


def performance(request: HttpRequest, performance_id: str) -> HttpResponse:
    """Seats or areas of one performance. Where its id can be checked an unknown one is a 404."""
    known = content.performances(content.EVENT.get(), content.PERFORMANCES.get())
    this = next((item for item in known if item.id == performance_id), None)
    if this is None and content.PERFORMANCES.get():
        raise Http404
    plan = content.PLAN.get()
    # An address with the plan's version may be kept for ever: a second visit does not load it again.
    plan_path = f"/api/seat/plan?v={quote(plan.version)}" if plan and plan.version else "/api/seat/plan"
    return _shell(request, "web/performance.html", performance_id=performance_id, performance=this, plan_path=plan_path)


def checkout(request: HttpRequest, hold_id: str) -> HttpResponse:
    """Buyer, terms and payment of a hold, against its clock."""
    return _shell(request, "web/checkout.html", hold_id=hold_id)


def orders(request: HttpRequest) -> HttpResponse:
    """All that this buyer booked."""
    return _shell(request, "web/orders.html")


def order(request: HttpRequest, order_id: str) -> HttpResponse:
    """One order: how it stands, its tickets, its cancellation."""
    return _shell(request, "web/order.html", order_id=order_id)


def ticket(request: HttpRequest, ticket_id: str) -> HttpResponse:
    """One ticket to show at the door."""
    return _shell(request, "web/ticket.html", ticket_id=ticket_id)


def signup(request: HttpRequest) -> HttpResponse:
    return render(request, "web/signup.html", {"next": local_path(request.GET.get("next"))})


def login(request: HttpRequest) -> HttpResponse:
    """Logging in; `problem` is why an outside sign-in led here."""
    problem = OUTSIDE_PROBLEMS.get(request.GET.get("problem", ""))
    return render(request, "web/login.html", {"next": local_path(request.GET.get("next")), "problem": _(problem) if problem else ""})


def forgot_password(request: HttpRequest) -> HttpResponse:
    return render(request, "web/forgot_password.html")


def reset_password(request: HttpRequest) -> HttpResponse:
    """Where the mail's link leads; its secret is in the fragment and is not seen here."""
    return render(request, "web/reset_password.html")


def account(request: HttpRequest) -> HttpResponse:
    return render(request, "web/account.html")


def shop(request: HttpRequest) -> HttpResponse:
    """Merchandise, in a system that sells it; with `booking`, beside that booking."""
    _only_with_merch()
    booking = request.GET.get("booking", "")
    return render(request, "web/shop.html", {"booking": booking if len(booking) <= ID_MAX else ""})


def shop_order(request: HttpRequest, order_id: str) -> HttpResponse:
    """One order of merchandise."""
    _only_with_merch()
    return render(request, "web/shop_order.html", {"order_id": order_id})


def _only_with_merch() -> None:
    if "merch" not in settings.ENV.peers:
        raise Http404
