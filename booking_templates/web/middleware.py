"""Content Security Policy, caching rules and error pages of everything that is a page."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

from booking_templates.kit.problems import Problem
from booking_templates.web import errors

log = logging.getLogger("clove.web")

# Nothing is inline, neither script nor style, so there is no nonce to hand out: colours that a seller chose reach the page as SVG
# attributes or through the style object. JSON in a `<script type="application/json">` is data and is not subject to script-src.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class PageMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response["Content-Security-Policy"] = POLICY
            response.headers.setdefault("Cache-Control", "private, no-cache")
            patch_vary_headers(response, ("Cookie", "Accept-Language"))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """An error page for a page; an API path's error is the kit's to answer."""
        if request.path_info.startswith("/api/"):
            return None
        if isinstance(error, Http404):
            return errors.page(request, 404)
        if isinstance(error, SuspiciousOperation | BadRequest):
            return errors.page(request, 400)
        if isinstance(error, Problem):
            return errors.page(request, error.status)
        log.exception("unhandled", extra={"fields": {"route": getattr(request, "route", "unmatched")}})
        return errors.page(request, 500)
