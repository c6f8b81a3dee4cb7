"""What the portal's views share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from controlplane.accounts.models import User
from controlplane.lib.reasons import Reason
from controlplane.portal.speech import say_reason, say_stored
from controlplane.systems import access
from controlplane.systems.access import Need
from controlplane.systems.errors import NotAllowed, Refused, ServiceRefused, ServiceUnavailable, SystemNotFound
from controlplane.systems.models import BookingSystem, State

Route = Callable[..., HttpResponseBase]
GONE = ("not_found", "unknown_performance")
"""What services say of something that is not there, or not any more."""


class AuthenticatedRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User


def open_system(request: AuthenticatedRequest, system_id: Any, need: Need) -> BookingSystem:
    """The system, if the reader may do what NEED says; a 403 with the reason where they may do less, else a 404, be it there or not."""
    try:
        return access.system_for(request.user, system_id, need)
    except SystemNotFound:
        raise Http404 from None
    except NotAllowed as error:
        raise PermissionDenied(say_reason(error.reason)) from None


def require(system: BookingSystem, need: Need) -> None:
    """For a page part of which needs more than the whole: a 403 with the reason where the reader of SYSTEM may do less."""
    assert system.access is not None  # noqa: S101  (it was read for somebody)
    try:
        access.require(system.access, need)
    except NotAllowed as error:
        raise PermissionDenied(say_reason(error.reason)) from None


def asking(tab: str, need: Need, *, post: Need | None = None) -> Callable[[Route], Route]:
    """For views that ask a booking system: hands them the system that the reader may do with what NEED says, and POST for a post.

    Says below TAB when it does not answer, or says no; what was typed stands there to be sent again.
    """

    def wrap(view: Route) -> Route:
        @wraps(view)
        @login_required
        def found(request: AuthenticatedRequest, system_id: int, **arguments: Any) -> HttpResponseBase:
            system = open_system(request, system_id, post if post and request.method == "POST" else need)
            try:
                return view(request, system, **arguments)
            except ServiceUnavailable:
                words = say_reason(Reason("is_suspended")) if system.state == State.SUSPENDED else ""
                if system.state == State.DATA_GONE:
                    words = say_stored(system)
                return _not_now(request, system, tab, words, 503)
            except Refused as error:
                return _not_now(request, system, tab, say_reason(error.reason), 409)
            except ServiceRefused as error:
                if error.status == 404 and error.code in GONE:
                    raise Http404 from None
                return _not_now(request, system, tab, error.detail, error.status)
            except SystemNotFound:
                raise Http404 from None

        return found

    return wrap


def _not_now(request: AuthenticatedRequest, system: BookingSystem, tab: str, words: str, status: int) -> HttpResponse:
    typed = [(name, text) for name, texts in request.POST.lists() if name != "csrfmiddlewaretoken" for text in texts]
    context = {"system": system, "tab": tab, "words": words, "typed": typed}
    return render(request, "portal/systems/not_now.html", context, status=status)
