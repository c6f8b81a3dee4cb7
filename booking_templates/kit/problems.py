"""Errors as problem+json (RFC 9457). Raise one anywhere below an endpoint.

Problem
├── BadRequest 400      the request cannot be understood
├── Unauthorized 401    who are you
├── Forbidden 403       not yours to do
├── NotFound 404        not there, or not yours to see
├── Conflict 409        the state does not allow it (now)
├── Gone 410            it was there and has ended
├── PreconditionFailed 412   changed since you looked
├── TooLarge 413        more bytes than allowed
├── UnsupportedMediaType 415 the body is of another kind than this takes
├── Unprocessable 422   understood, and wrong; `errors` by field
├── TooMany 429         slow down; `retry_after_s`
└── Unavailable 503     a part that is needed does not answer; `retry_after_s`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext as _


class Problem(Exception):
    """An error that its caller sees. CODE is stable and for programs; DETAIL is for people, in their language, without secrets."""

    status = 500

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        retry_after_s: int | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.extra = extra

    def body(self) -> dict[str, Any]:
        title = TITLES.get(self.status, TITLES[500])
        body: dict[str, Any] = {
            "type": f"urn:clove:problem:{self.code}",
            "title": _(title),
            "status": self.status,
            "detail": self.detail or _(title),
            "code": self.code,
        }
        if self.errors:
            body["errors"] = {field: list(messages) for field, messages in self.errors.items()}
        return body | self.extra

    def response(self) -> HttpResponse:
        response = HttpResponse(msgspec.json.encode(self.body()), content_type="application/problem+json", status=self.status)
        response["Cache-Control"] = "no-store"
        if self.retry_after_s is not None:
            response["Retry-After"] = str(self.retry_after_s)
        if self.status == 401:
            response["WWW-Authenticate"] = "Bearer"
        return response


class BadRequest(Problem):
    status = 400


class Unauthorized(Problem):
    status = 401


class Forbidden(Problem):
    status = 403


class NotFound(Problem):
    status = 404


class MethodNotAllowed(Problem):
    status = 405


class Conflict(Problem):
    status = 409


class Gone(Problem):
    status = 410


class PreconditionFailed(Problem):
    status = 412


class TooLarge(Problem):
    status = 413


class UnsupportedMediaType(Problem):
    status = 415


class Unprocessable(Problem):
    status = 422


class TooMany(Problem):
    status = 429


class Unavailable(Problem):
    status = 503


def _n(text: str) -> str:
    """Marks TEXT for translation; it is translated when the problem is written."""
    return text


TITLES = {
    400: _n("The request could not be understood."),
    401: _n("Please log in."),
    403: _n("You may not do this."),
    404: _n("This does not exist."),
    405: _n("This method is not allowed here."),
    409: _n("This is not possible right now."),
    410: _n("This has ended."),
    412: _n("This has changed since you loaded it."),
    413: _n("This is too large."),
    415: _n("This kind of content is not accepted here."),
    422: _n("Please check what you entered."),
    429: _n("Too many requests. Please wait a moment."),
    500: _n("Something went wrong on our side."),
    503: _n("This part is not answering right now. Please try again."),
}
