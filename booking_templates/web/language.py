"""Switching the language: a cookie that every service of the system reads."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseRedirect

from booking_templates.web.paths import local_path


def switch(request: HttpRequest, code: str) -> HttpResponseRedirect:
    """Remember the language CODE and go back to the page at `next`."""
    request.route = "lang/<str:code>"  # type: ignore[attr-defined]
    if code not in dict(settings.LANGUAGES):
        raise Http404
    response = HttpResponseRedirect(local_path(request.GET.get("next")))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, code, max_age=settings.LANGUAGE_COOKIE_AGE, samesite="Lax", secure=settings.ENV.is_https
    )
    return response
