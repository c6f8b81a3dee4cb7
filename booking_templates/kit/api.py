"""Endpoints: a typed function behind a plain Django view, and the OpenAPI document from the same declarations.

class HoldRequest(msgspec.Struct, forbid_unknown_fields=True):
    seats: list[str]

@endpoint(body=HoldRequest, returns={201: Hold}, problems=("seats_taken",), auth=BUYER)
def create_hold(request: Request, body: HoldRequest, performance_id: str) -> Reply:
    '''Hold seats for a few minutes.'''
    return Reply(hold, status=201)

urlpatterns = [route("performances/<str:performance_id>/holds", POST=create_hold)]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from booking_templates.kit import principal as principals
from booking_templates.kit.principal import PUBLIC, Principal, Rule
from booking_templates.kit.problems import BadRequest, MethodNotAllowed, TooLarge, Unprocessable, UnsupportedMediaType

MAX_BODY = 64 * 1024
SWALLOWED_MAX = 4 * 1024 * 1024
CHUNK = 64 * 1024
_encoder = msgspec.json.Encoder()


class Request(HttpRequest):
    """Django's request, with who is calling. For type hints: at run time it is the plain request with `principal` set."""

    principal: Principal


@dataclass(frozen=True)
class Reply:
    """An answer other than `200` with a body alone. BODY is encoded as JSON; bytes are sent as they are."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True)
class Key:
    """A key that a service gives out by itself, and its endpoints look at. HEADER brings it; the OpenAPI document says what it is ABOUT."""

    header: str
    about: str

    @property
    def name(self) -> str:
        """Of the security scheme: `X-Some-Key` is `some_key`."""
        return self.header.lower().removeprefix("x-").replace("-", "_")


@dataclass(frozen=True)
class Endpoint:
    """What an endpoint declares."""

    function: Callable[..., Any]
    auth: Rule
    body: Any
    query: Any
    returns: Mapping[int, Any]
    problems: Sequence[str]
    max_body: int
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    key: Key | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def endpoint(
    *,
    auth: Rule = PUBLIC,
    body: Any = None,
    query: Any = None,
    returns: Mapping[int, Any] | None = None,
    problems: Sequence[str] = (),
    max_body: int = MAX_BODY,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
    key: Key | None = None,
) -> Callable[[Callable[..., Any]], Endpoint]:
    """Declare an endpoint. The function gets the request, then `body` and `query` where declared, then the path's values by name.

    `body=bytes` gives the body as it is, of any media type; a Struct or other type is decoded from JSON, which must say that it is JSON:
    a form of another site cannot send that without being asked for it first.

    `key` names the header by which an endpoint that is public otherwise knows who may call it; the function looks at it.

    It returns a Struct (200), a Reply, or any Django response. `problems` lists the codes of its own errors, for the OpenAPI document, and
    `headers` says of those that it reads what they are.
    """

    def declare(function: Callable[..., Any]) -> Endpoint:
        return Endpoint(function, auth, body, query, returns or {200: None}, problems, max_body, content_type, headers or {}, key)

    return declare


ROUTES: list[tuple[str, Mapping[str, Endpoint]]] = []
"""Every route of this service, for the OpenAPI document."""


def route(pattern: str, **methods: Endpoint) -> URLPattern:
    """Serve METHODS (GET=…, POST=…) at PATTERN; HEAD follows GET; another method is a 405 that names those there are."""
    ROUTES.append((pattern, methods))
    allowed = sorted({*methods, *({"HEAD"} if "GET" in methods else ()), "OPTIONS"})

    def view(request: Request, **values: str) -> HttpResponseBase:
        method = "GET" if request.method == "HEAD" else request.method
        found = methods.get(method or "")
        if found is None:
            if method == "OPTIONS":
                return HttpResponse(status=204, headers={"Allow": ", ".join(allowed)})
            response = MethodNotAllowed("method_not_allowed").response()
            response["Allow"] = ", ".join(allowed)
            return response
        return _run(found, request, values)

    return path(pattern, view)


def _run(found: Endpoint, request: Request, values: dict[str, str]) -> HttpResponseBase:
    request.principal = principals.authenticate(request, found.auth)
    if found.auth is not PUBLIC:
        found.auth.admit(request.principal)
    arguments: list[Any] = []
    if found.body is not None:
        arguments.append(_decode_body(found, request))
    if found.query is not None:
        arguments.append(_decode_query(found, request))
    result = found.function(request, *arguments, **values)
    if isinstance(result, HttpResponseBase):
        return result
    reply = result if isinstance(result, Reply) else Reply(result)
    content = reply.body if isinstance(reply.body, bytes) else b"" if reply.body is None else _encoder.encode(reply.body)
    response = HttpResponse(content, content_type=reply.content_type, status=reply.status)
    for name, value in reply.headers.items():
        response[name] = value
    if "Cache-Control" not in reply.headers:
        response["Cache-Control"] = "no-store"
    return response


def _decode_body(found: Endpoint, request: Request) -> Any:
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise BadRequest("bad_length") from error
    if length > found.max_body:
        _swallow(request, length)
        raise TooLarge("body_too_large", max_bytes=found.max_body)
    raw = request.body
    if len(raw) > found.max_body:
        raise TooLarge("body_too_large", max_bytes=found.max_body)
    if found.body is bytes:
        return raw
    if request.content_type != "application/json":
        raise UnsupportedMediaType("json_expected", _("Send the body as application/json."))
    try:
        return msgspec.json.decode(raw, type=found.body)
    except msgspec.ValidationError as error:
        raise Unprocessable("invalid", errors=_errors_by_field(raw, found.body) or dict([_explain(str(error))])) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("bad_json", _("The body is not valid JSON.")) from error


def _swallow(request: Request, length: int) -> None:
    """Read what is on its way and forget it: a server that stops reading cuts the connection, and the refusal may be lost with it."""
    if length <= SWALLOWED_MAX:
        while request.read(CHUNK):
            pass


def _decode_query(found: Endpoint, request: Request) -> Any:
    try:
        return msgspec.convert(request.GET.dict(), type=found.query, strict=False)
    except msgspec.ValidationError as error:
        raise Unprocessable("invalid", errors=dict([_explain(str(error))])) from error


def _errors_by_field(raw: bytes, kind: Any) -> dict[str, list[str]]:
    """Every field of the Struct KIND that is wrong in RAW, each with its first fault: the decoder stops at the first one of all."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return {}
    try:
        parts = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        # The decoder into KIND stopped at the wrong type before it came to the place that is no JSON.
        raise BadRequest("bad_json", _("The body is not valid JSON.")) from error
    if not isinstance(parts, dict):
        return {}
    errors: dict[str, list[str]] = {}
    fields = {each.encode_name: each for each in msgspec.structs.fields(kind)}
    for name, each in fields.items():
        if name not in parts:
            if each.required:
                errors[name] = [_("This field is required.")]
            continue
        try:
            msgspec.json.decode(msgspec.json.encode(parts[name]), type=each.type)
        except msgspec.ValidationError as error:
            where, said = _explain(str(error), below=name)
            errors[where] = said
    if kind.__struct_config__.forbid_unknown_fields:
        errors |= {name: [_("There is no such field.")] for name in parts.keys() - fields.keys()}
    return errors


_AT = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]+)`")


def _explain(message: str, *, below: str = "") -> tuple[str, list[str]]:
    """Msgspec's message as (field, [what is wrong]): `Expected `int`, got `str` - at `$.items[0].quantity``."""
    at = _AT.search(message)
    where = below + (at["path"] if at else "")
    text = message[: at.start()] if at else message
    if missing := _MISSING.search(text):
        where, said = f"{where}.{missing['name']}", _("This field is required.")
    elif unknown := _UNKNOWN.search(text):
        where, said = f"{where}.{unknown['name']}", _("There is no such field.")
    elif "of length" in text:
        said = _("This has too few or too many characters or entries.")
    elif ">=" in text or "<=" in text:
        said = _("This number is out of range.")
    elif "matching regex" in text:
        said = _("This is not in the right form.")
    elif "nvalid enum" in text:
        said = _("This is none of the choices.")
    elif "datetime" in text or "RFC3339" in text or "timezone" in text:
        said = _("Write a time with its offset, such as 2027-01-10T19:30:00+09:00.")
    else:
        said = _("This is of the wrong kind.")
    return where.lstrip(".") or "body", [said]


def not_modified(request: HttpRequest, etag: str) -> bool:
    """Whether the client has the version ETAG (a quoted strong or weak validator) already."""
    sent = request.META.get("HTTP_IF_NONE_MATCH", "")
    return bool(sent) and matches(sent, etag)


def matches(sent: str, etag: str) -> bool:
    """Whether ETAG is among the validators SENT, or those are `*`. Weak ones count: whoever packs answers weakens them."""
    return sent == "*" or etag.removeprefix("W/") in (tag.strip().removeprefix("W/") for tag in sent.split(","))
