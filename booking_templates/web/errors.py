"""Error pages: what happened and where to go from here."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from booking_templates.web import pages


def page(request: HttpRequest, status: int) -> HttpResponse:
    """The error page for STATUS."""

    def build() -> dict[str, Any]:
        if status in (400, 404):
            title, text = _("We could not find this page"), _("The address may be mistyped, or the page is no longer there.")
        elif status == 405:
            title, text = _("This page was not ready yet"), _("Nothing was done with what you typed. Please load the page again.")
        else:
            title, text = _("Something went wrong"), _("It is our fault, not yours. Please try again in a moment.")
        return {"status": status, "title": title, "text": text}

    return pages.respond(request, "web/error.html", {"again": request.get_full_path()}, variant=status, build=build, status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return page(request, 500)
