"""The service's OpenAPI 3.1 document, made from the declarations of its endpoints.

Every status that an endpoint answers with is named: those of its own problems, and those that follow from who may call it, its body, its
query and its path. What a code's status is stands in `statuses.py` of the package that raises it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import msgspec
from django.conf import settings

from booking_templates import catalog
from booking_templates.kit import api
from booking_templates.kit.api import Endpoint, Reply, Request, endpoint
from booking_templates.kit.principal import ACCESS_COOKIE, CSRF_HEADER, SAFE_METHODS
from booking_templates.kit.problems import TITLES

_VARIABLE = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_KINDS = {"int": {"type": "integer", "minimum": 0}, "uuid": {"type": "string", "format": "uuid"}}
_KEY = {"type": "string", "maxLength": 100}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
}


def document() -> dict[str, Any]:
    """All endpoints of this service's public routes; `/internal` is not published."""
    env = settings.ENV
    declared = [
        (pattern, {method: found for method, found in methods.items() if found.auth.kinds != frozenset({"service"})})
        for pattern, methods in api.ROUTES
    ]
    types = [kind for _pattern, methods in declared for found in methods.values() for kind in _types(found)]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    by_type = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    keys = {found.key for _pattern, methods in declared for found in methods.values() if found.key is not None}
    paths: dict[str, Any] = {}
    for pattern, methods in declared:
        if not methods:
            continue
        operations = {method.lower(): _operation(pattern, method, found, by_type, components) for method, found in methods.items()}
        paths[_VARIABLE.sub(r"{\g<name>}", f"/api/{env.service}/{pattern}")] = operations
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Clove {env.service}", "version": catalog.VERSION},
        "servers": [{"url": env.public_url}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": ACCESS_COOKIE,
                    "description": f"A buyer's login. A request that changes something needs `{CSRF_HEADER}: 1` beside it.",
                },
                **{key.name: {"type": "apiKey", "in": "header", "name": key.header, "description": key.about} for key in keys},
            },
        },
    }


@cache
def _statuses() -> Mapping[str, int]:
    """Problem code -> status, of this service and of all that it is made of."""
    known: dict[str, int] = {}
    for package in ("kit", "payments", settings.ENV.service):
        name = f"booking_templates.{package}.statuses"
        if find_spec(name):
            known |= import_module(name).STATUS
    return known


def refusals(pattern: str, method: str, found: Endpoint) -> dict[int, list[str]]:
    """Status -> codes of all problems that METHOD of PATTERN answers with, in order. Raises KeyError for a code without a status."""
    by_status: dict[int, list[str]] = {}
    statuses = _statuses()
    for code in dict.fromkeys((*found.problems, *_of_any(pattern, method, found))):
        by_status.setdefault(statuses[code], []).append(code)
    return dict(sorted(by_status.items()))


def _of_any(pattern: str, method: str, found: Endpoint) -> Iterator[str]:
    """The codes that follow from the declaration alone; whatever is asked of a database may find it away."""
    kinds = found.auth.kinds
    if found.auth is not api.PUBLIC:
        yield from ("token_invalid", "token_expired")
        if "anonymous" not in kinds:
            yield "login_required"
        yield "wrong_role"
        if found.auth.scope:
            yield "scope_missing"
        if found.auth.callers:
            yield from ("caller_not_allowed", "not_found")  # another door is none to who is no service
        if method not in SAFE_METHODS:
            yield "csrf"
    variables = [match["kind"] for match in _VARIABLE.finditer(pattern)]
    if variables:
        yield "not_found"
    if "int" in variables:
        yield "out_of_range"
    if found.query is not None:
        yield from ("bad_request", "invalid")
    if found.body is not None:
        yield from ("bad_length", "body_cut_off", "body_too_large")
        if found.body is not bytes:
            yield from ("bad_json", "json_expected", "invalid")
    if getattr(found.function, "takes_idempotency_key", False):
        yield from ("idempotency_key_in_use", "idempotency_key_too_long", "idempotency_key_reused")
    if found is not openapi:
        yield "database_unreachable"


def _types(found: Endpoint) -> list[Any]:
    return [kind for kind in (found.body, found.query, *found.returns.values()) if kind not in (None, bytes)]


def _operation(pattern: str, method: str, found: Endpoint, by_type: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    lines = (found.function.__doc__ or found.function.__name__).strip().splitlines()
    parameters: list[dict[str, Any]] = [
        {"name": match["name"], "in": "path", "required": True, "schema": _KINDS.get(match["kind"] or "str", {"type": "string"})}
        for match in _VARIABLE.finditer(pattern)
    ]
    if found.query is not None:
        schema = components[by_type[id(found.query)]["$ref"].rsplit("/", 1)[-1]]
        required = schema.get("required", [])
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": kind} for name, kind in schema["properties"].items()
        ]
    is_recorded = getattr(found.function, "takes_idempotency_key", False)
    # An endpoint that keeps the key with what it makes, for as long as that stands, says so by its problems.
    if is_recorded or "idempotency_key_too_long" in found.problems:
        about = f"The same request with the same key changes something once and is answered alike{', for a day' if is_recorded else ''}."
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": False, "description": about, "schema": _KEY})
    parameters += [
        {"name": name, "in": "header", "required": False, "description": about, "schema": {"type": "string"}}
        for name, about in found.headers.items()
    ]
    responses: dict[str, Any] = {}
    for status, kind in found.returns.items():
        responses[str(status)] = {"description": "OK" if status < 300 else "See Location"}
        if kind is not None:
            responses[str(status)]["content"] = {found.content_type: {"schema": by_type[id(kind)] if kind is not bytes else {}}}
    for status, codes in refusals(pattern, method, found).items():
        responses[str(status)] = {
            "description": f"{TITLES[status]} Codes: {', '.join(codes)}",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    operation: dict[str, Any] = {
        "operationId": f"{found.function.__name__}",
        "summary": lines[0],
        "description": "\n".join(line.strip() for line in lines[1:]).strip(),
        "parameters": parameters,
        "responses": responses,
    }
    if found.body is not None:
        content = {"*/*": {}} if found.body is bytes else {"application/json": {"schema": by_type[id(found.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    if found.key is not None:
        operation["security"] = [{found.key.name: []}]
    if found.auth is not api.PUBLIC:
        cookie: list[dict[str, list[str]]] = [{"cookie": []}] if "buyer" in found.auth.kinds else []
        operation["security"] = [{"bearer": []}, *cookie, *([{}] if "anonymous" in found.auth.kinds else [])]
    return operation


@endpoint()
def openapi(request: Request) -> Reply:
    """This document."""
    return Reply(document(), headers={"Cache-Control": "public, max-age=300"})
