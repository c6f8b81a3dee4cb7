"""The one middleware of a service: what is hidden from outside, language, errors, security headers, metrics, log line, request id."""

from __future__ import annotations

import contextlib
import logging
import random
import re
import time
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import BadRequest as DjangoBadRequest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import UnreadablePostError
from django.utils import translation
from django.utils.translation import trans_real

from booking_templates.kit import metrics
from booking_templates.kit.logs import request_id
from booking_templates.kit.problems import BadRequest, Forbidden, NotFound, Problem, TooLarge, Unavailable, Unprocessable

log = logging.getLogger("clove.request")

INSIDE = ("/internal/", "/metrics")
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
SLOW_S = 1.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def is_inside(path: str) -> bool:
    """Whether PATH is for callers inside the namespace. What they did is in the line of the request that made them call."""
    return path.startswith(INSIDE)


def outermost(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    given_to_all = SECURITY_HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if settings.ENV.is_https else {})
    fixed = {name.lower(): (name, value) for name, value in given_to_all.items()}

    def middleware(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        given = request.META.get("HTTP_X_REQUEST_ID", "")  # META: `headers` is made anew of all there are
        # A name, no secret. Asking the system for it would hand the interpreter to another thread.
        token = request_id.set(given if _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}")
        translation.activate(
            _language(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""), request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
        )
        path = request.path_info
        if is_inside(path) and "HTTP_X_FORWARDED_FOR" in request.META:
            # The router or gateway adds this header to whatever comes from outside, and a caller cannot take it away.
            response: HttpResponseBase = NotFound("not_found").response()
        else:
            response = get_response(request)
        for key, header in fixed.items():
            response.headers._store.setdefault(key, header)  # type: ignore[attr-defined]  # what `setdefault` does, less its checks
        response["X-Request-Id"] = request_id.get()
        elapsed = time.perf_counter() - started
        if path not in QUIET:
            route = _route(request)
            metrics.observe(route, request.method or "", response.status_code, elapsed)
            if response.status_code >= 500 or elapsed > SLOW_S or (request.method not in ("GET", "HEAD") and not is_inside(path)):
                fields = {"route": route, "method": request.method, "status": response.status_code, "ms": round(elapsed * 1000, 1)}
                log.log(logging.ERROR if response.status_code >= 500 else logging.INFO, "request", extra={"fields": fields})
        request_id.reset(token)
        return response

    return middleware


@lru_cache(maxsize=1024)
def _language(chosen: str, accepted: str) -> str:
    """The language CHOSEN by cookie, or the best of those ACCEPTED that we speak. Kept, for browsers send few different headers."""
    if chosen in dict(settings.LANGUAGES):
        return chosen
    for language, _quality in trans_real.parse_accept_lang_header(accepted[:200].lower()):
        with contextlib.suppress(LookupError):
            return translation.get_supported_language_variant(language)
    return str(settings.LANGUAGE_CODE)


def _route(request: HttpRequest) -> str:
    """The pattern that matched, never the path: labels and logs name no order and no buyer."""
    return request.resolver_match.route if request.resolver_match else "unmatched"


DJANGOS: dict[type[Exception], Problem] = {
    Http404: NotFound("not_found"),
    PermissionDenied: Forbidden("forbidden"),
    SuspiciousOperation: BadRequest("bad_request"),
    DjangoBadRequest: BadRequest("bad_request"),
}
"""What Django and its shortcuts raise to say the same."""


class ProblemMiddleware:
    """Turns a Problem raised in a view into its answer; anything else into a 500 that tells nothing, with the trace in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Problem):
            return error.response()
        if isinstance(error, RequestDataTooBig):
            return TooLarge("body_too_large").response()
        for kind, problem in DJANGOS.items():
            if isinstance(error, kind):
                return problem.response()
        if isinstance(error, UnreadablePostError):
            return BadRequest("body_cut_off").response()
        if isinstance(error, OverflowError):
            # A time or a number of the request that Python or the database cannot hold; the transaction it came to was rolled back.
            log.warning("out of range", extra={"fields": {"route": _route(request)}}, exc_info=error)
            return Unprocessable("out_of_range").response()
        if isinstance(error, OperationalError | InterfaceError):
            # The database is away or overrun. Django drops this connection when the request ends.
            log.error("database", extra={"fields": {"route": _route(request), "error": type(error).__name__}}, exc_info=error)
            return Unavailable("database_unreachable", retry_after_s=1).response()
        log.exception("unhandled", extra={"fields": {"route": _route(request)}})
        return Problem("internal_error").response()
