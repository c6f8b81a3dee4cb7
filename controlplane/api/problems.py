"""Errors as problem+json. RFC 9457.

| status | code | when |
|---|---|---|
| 400 | malformed | the body is no JSON |
| 401 | not_authenticated, token_invalid | no or a bad token |
| 403 | forbidden | a role, or a part in the event that is too small, or a missing CSRF token |
| 404 | not_found | no such thing, or another's |
| 405, 406, 415 | method_not_allowed, not_acceptable, unsupported_media_type | |
| 409 | the refusal's own code | not now; nothing was changed |
| 412 | generation_conflict | `If-Match` names an older generation |
| 413 | too_large | the body is above the limit |
| 422 | invalid, requirement_invalid | `errors` says what is wrong, by the path of the value |
| 429 | throttled | with `Retry-After` |
| 4xx | the service's own code | a service of the booking system says no |
| 503 | service_unavailable | a service of the booking system does not answer |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from controlplane.lib.reasons import Problem
from controlplane.systems.errors import (
    GenerationConflict,
    NotAllowed,
    Refused,
    RequirementInvalid,
    ServiceRefused,
    ServiceUnavailable,
    SystemNotFound,
)

CONTENT_TYPE = "application/problem+json"

_CODES = {
    400: "malformed",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "throttled",
}


class Invalid(exceptions.APIException):
    """422 with messages by the path of the value."""

    status_code = 422
    default_code = "invalid"

    def __init__(self, errors: Mapping[str, list[str]], code: str = "invalid", details: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__(gettext("Some values cannot be used."), code)
        self.code = code
        self.errors = dict(errors)
        self.details = list(details)


def requirement_invalid(problems: Iterable[Problem]) -> Invalid:
    """A requirement's problems; `problems` in the answer has codes and parameters for programs."""
    problems = list(problems)
    errors: dict[str, list[str]] = {}
    for problem in problems:
        errors.setdefault(problem.path, []).append(problem.text(gettext))
    return Invalid(errors, "requirement_invalid", [problem_json(problem) for problem in problems])


def problem_json(problem: Problem) -> dict[str, Any]:
    return {**problem.to_json(), "message": problem.text(gettext)}


def answer(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **extra: Any) -> Response:
    """A problem as a response."""
    body = {"type": f"urn:clove:problem:{code}", "title": _title(status), "status": status, "detail": detail, "code": code, **extra}
    response = Response(body, status=status, headers=dict(headers or {}))
    response.content_type = CONTENT_TYPE
    return response


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Django REST framework's exception handler; None for what is a bug, which becomes a 500."""
    response = _response(error)
    if response is not None:
        set_rollback()
    return response


def _response(error: Exception) -> Response | None:
    match error:
        case SystemNotFound() | Http404():
            return answer(404, "not_found", gettext("There is no such thing here, or it is not yours."))
        case RequirementInvalid():
            return _response(requirement_invalid(error.problems))
        case GenerationConflict():
            return answer(412, error.reason.code, error.reason.text(gettext), **_params(error))
        case Refused():
            return answer(409, error.reason.code, error.reason.text(gettext), **_params(error))
        case ServiceRefused():
            refused: dict[str, Any] = {"errors": error.errors} if error.errors else {}
            return answer(error.status, error.code, error.detail, **refused)
        case ServiceUnavailable():
            return answer(503, "service_unavailable", gettext("A service of the booking system does not answer."))
        case Invalid():
            extra: dict[str, Any] = {"problems": error.details} if error.details else {}
            return answer(422, error.code, str(error.detail), errors=error.errors, **extra)
        case exceptions.ValidationError():
            return answer(422, "invalid", gettext("Some values cannot be used."), errors=_flat(error.detail))
        case NotAllowed():
            return answer(403, "forbidden", error.reason.text(gettext))
        case PermissionDenied():
            return answer(403, "forbidden", gettext("You may not do this."))
        case exceptions.APIException():
            return _framework(error)
    return None


def _framework(error: exceptions.APIException) -> Response:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    code = _CODES.get(error.status_code, "error")
    if error.status_code == 401 and error.get_codes() == "token_invalid":
        code = "token_invalid"
    return answer(error.status_code, code, str(error.detail), headers)


def _params(error: Refused) -> dict[str, Any]:
    return {"params": dict(error.reason.params)} if error.reason.params else {}


def _flat(detail: Any, path: str = "") -> dict[str, list[str]]:
    """A serializer's nested errors by path: `a.b[0]`."""
    if isinstance(detail, dict):
        return {key: value for name, inner in detail.items() for key, value in _flat(inner, _join(path, name)).items()}
    if isinstance(detail, list) and detail and isinstance(detail[0], dict | list):
        return {key: value for number, inner in enumerate(detail) for key, value in _flat(inner, f"{path}[{number}]").items()}
    return {path: [str(message) for message in (detail if isinstance(detail, list) else [detail])]}


def _join(path: str, name: str) -> str:
    if name == "non_field_errors":
        return path
    return f"{path}.{name}" if path else name


def _title(status: int) -> str:
    return HTTPStatus(status).phrase
