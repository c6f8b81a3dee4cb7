"""Bad input for every endpoint of a service, from what the endpoints declare: nothing may become a 500, and nothing may change.

A service's test imports `check_endpoint` and `endpoints`, so that a new endpoint is checked by being there.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from tests.booking_keys import Keyring

JSON = "application/json"
NASTY_BODIES = [
    b"",
    b"null",
    b"[]",
    b"1",
    b'"x"',
    b"{",
    b"{}",
    b'{"a":',
    b"\xff\xfe",
    b'{"a":"\\ud800"}',
    b"[" * 5_000,
    b'{"a":' * 5_000,
    b'{"\\u0000":"\\u0000"}',
]
NASTY_VALUES: list[Any] = [None, True, -1, 1.5, 10**30, "", "x" * 10_000, "\x00", "'; --", [], [None], {}, {"a": 1}]
NASTY_VALUES += ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", ["x"] * 1_000, "\ud83d\ude00"]
EXAMPLES = ["p1", "1", "17:00", "0" * 64, "00000000-0000-7000-8000-000000000000"]
LOOK_EVERY = 25
NASTY_IDS = [str(uuid.uuid4()), "0", "-1", "x" * 500, "%00", "..%2f..%2f", "%ED%A0%80", "%F0%9F%98%80", "a%20b", "'--"]
PARAMETER = re.compile(r"<(?P<kind>\w+):(?P<name>\w+)>")


def endpoints() -> list[tuple[str, str]]:
    """Each pattern and method of the service that is set up, for `parametrize`."""
    from django.urls import get_resolver

    from booking_templates.kit.api import ROUTES

    get_resolver().url_patterns  # noqa: B018 - reading it imports the routes
    return [(pattern, method) for pattern, methods in ROUTES for method in methods if pattern != "openapi.json"]


ANYTHING_GOES = (("payments/", "GET"), ("buyers/", "POST"), ("scanners/", "DELETE"))
"""Endpoints that answer alike whether there is such a thing or not, to tell nobody, or because it is gone already."""


def check_endpoint(
    pattern: str, method: str, *, service: str, keys: Keyring, client_for: Callable[[str], Any], own: Mapping[str, str]
) -> int:
    """Send everything bad to one endpoint; how much of it was accepted. OWN has ids that exist and are the caller's, by parameter name.

    Of the requests one is good but for being the schema's own example, so a caller can tell that the bad ones came as far as the rules.
    """
    from booking_templates.kit.api import ROUTES

    found = next(methods[method] for each, methods in ROUTES if each == pattern and method in methods)
    rule = found.auth
    prefix = "/internal/" if "service" in rule.kinds and "anonymous" not in rule.kinds else f"/api/{service}/"
    buyer = own.get("buyer_id", str(uuid.uuid4()))
    good = _token(keys, rule, service, buyer)
    call = _Caller(client_for, prefix + pattern, method)
    before = _everything()
    for token, status in _bad_tokens(keys, rule, service):
        call(status, own, token=token)
    assert _everything() == before, "a caller who is nobody changed something"
    unknown = "4xx or fine" if any(pattern.startswith(start) and method == verb for start, verb in ANYTHING_GOES) else "4xx"
    for parameters in _bad_paths(pattern, own):
        call(unknown, parameters, token=good, body=b"{}")
    assert _everything() == before, "something that is not there was changed"
    if found.body is not None:
        limit = found.max_body
        call(413, own, token=good, body=b'{"a":"' + b"x" * max(limit, 1_000_000) + b'"}')
        if found.body is not bytes:
            for body in _bad_bodies(found.body):
                call("4xx or fine", own, token=good, body=body)
            call(415, own, token=good, body=b"{}", content_type="text/plain")
    for query in _bad_queries(found.query):
        call("4xx or fine", own, token=good, query=query)
    call.done()
    return call.fine


class _Caller:
    """Calls one endpoint and judges the answers; a bad value may be a good one elsewhere, and `fine` counts those."""

    def __init__(self, client_for: Callable[[str], Any], pattern: str, method: str) -> None:
        self._client_for = client_for
        self._pattern = pattern
        self._method = method
        self.answers = 0
        self.fine = 0
        self._seen = _everything()

    def __call__(
        self,
        expected: int | str,
        parameters: Mapping[str, str],
        *,
        token: str,
        body: bytes = b"",
        query: str = "",
        content_type: str = JSON,
    ) -> None:
        path = PARAMETER.sub(lambda match: parameters.get(match["name"], str(uuid.uuid4())), self._pattern)
        has_body = self._method in ("POST", "PUT", "PATCH", "DELETE")
        sent = {"data": body, "content_type": content_type} if has_body else {}
        answer = self._client_for(token).generic(self._method, path + (f"?{query}" if query else ""), **sent)
        self.answers += 1
        about = f"{self._method} {path} {query} {body[:80]!r} {expected}: {answer.status_code}"
        # Who is asked for may be silent; then that is said, and when to try again.
        assert answer.status_code < 500 or (answer.status_code == 503 and "Retry-After" in answer.headers), about
        if answer.status_code < 400:
            assert expected == "4xx or fine", about
            if answer.streaming:
                b"".join(answer.streaming_content)
            self.fine += 1
            self._seen = _everything()
            return
        self._look(about)
        if isinstance(expected, int):
            assert answer.status_code == expected, about
        problem = json.loads(answer.content)
        assert answer["Content-Type"] == "application/problem+json", about
        assert problem["code"], about
        assert (problem["status"], problem["type"]) == (answer.status_code, f"urn:clove:problem:{problem['code']}"), about

    def _look(self, about: str, *, now: bool = False) -> None:
        """What was refused changed nothing; looked at now and then, for every row is read. An order that fails leaves one that says so."""
        if (now or self.answers % LOOK_EVERY == 0) and "orders" not in self._pattern:
            assert _everything() == self._seen, f"changed by what was refused, {about} or before"

    def done(self) -> None:
        self._look("at the end", now=True)


def _token(keys: Keyring, rule: Any, service: str, buyer_id: str) -> str:
    if "staff" in rule.kinds and rule.scope:
        return keys.staff_token(rule.scope)
    if rule.callers:
        return keys.service_token(sorted(rule.callers)[0], service)
    return keys.buyer_token(buyer_id) if "buyer" in rule.kinds and "staff" not in rule.kinds else ""


def _bad_tokens(keys: Keyring, rule: Any, service: str) -> Iterator[tuple[str, int]]:
    """Tokens that must not open a door with RULE, and the status they get; none for a public one."""
    if "anonymous" in rule.kinds:
        return
    stranger = Keyring("clove-other")
    callers = sorted(rule.callers) or ["ticket"]
    for ring, life_s in ((stranger, 600), (keys, -3_600)):
        yield (
            (ring.staff_token(rule.scope, life_s=life_s), 401)
            if "staff" in rule.kinds
            else (ring.service_token(callers[0], service, life_s=life_s), 401)
            if rule.callers
            else (ring.buyer_token(life_s=life_s), 401)
        )
    good = _token(keys, rule, service, str(uuid.uuid4()))
    head, payload, signature = good.split(".")
    yield f"{head}.{payload}.{signature[:-8]}AAAAAAAA", 401
    yield f"{head}.{payload}.", 401
    yield "x.y.z", 401
    yield "", 401
    if "buyer" not in rule.kinds:
        yield keys.buyer_token(), 401 if rule.callers else 403
    elif "staff" not in rule.kinds:
        yield keys.staff_token("content", "attendees", "summary"), 403
    if rule.scope:
        yield keys.staff_token("nothing"), 403


def _bad_paths(pattern: str, own: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for match in PARAMETER.finditer(pattern):
        for nasty in NASTY_IDS:
            yield {**own, match["name"]: nasty}


def _bad_bodies(kind: Any) -> Iterator[bytes]:
    yield from NASTY_BODIES
    schema = msgspec.json.schema(kind)
    good = of_schema(schema, schema.get("$defs", {}))
    yield json.dumps(good).encode()
    for path in paths_in(good):
        for value in NASTY_VALUES:
            yield json.dumps(with_other(good, path, value)).encode()
        if isinstance(path[-1], str):
            yield json.dumps(with_other(good, path, ABSENT)).encode()
    yield json.dumps(good | {"nobody": 1, "is_admin": True}).encode()


ABSENT = object()


def paths_in(value: Any) -> Iterator[tuple[str | int, ...]]:
    """Where in VALUE something could be another thing: every key and index, at any depth."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (key,)
        for deeper in paths_in(part):
            yield (key, *deeper)


def with_other(value: Any, path: tuple[str | int, ...], other: Any) -> Any:
    """VALUE with OTHER at PATH, or without it."""
    copy = list(value) if isinstance(value, list) else dict(value)
    key, *rest = path
    if rest:
        copy[key] = with_other(copy[key], tuple(rest), other)
    elif other is ABSENT:
        del copy[key]
    else:
        copy[key] = other
    return copy


def of_schema(schema: dict[str, Any], parts: dict[str, Any]) -> Any:
    """A value of SCHEMA with all of its fields, as good as its type tells."""
    if "$ref" in schema:
        return of_schema(parts[schema["$ref"].rsplit("/", 1)[1]], parts)
    if "anyOf" in schema:
        return of_schema(schema["anyOf"][0], parts)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: of_schema(part, parts) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [of_schema(schema["items"], parts)]
        case "integer":
            return schema.get("minimum", 1)
        case "string" if schema.get("format") == "date-time":
            return "2027-01-10T19:30:00+09:00"
        case "string":
            pattern = re.compile(schema.get("pattern", ""))
            return next((each for each in EXAMPLES if pattern.search(each)), "x")
        case "boolean":
            return True
        case _:
            return None


def _bad_queries(kind: Any) -> Iterator[str]:
    yield "%00=%00&%ff=%ff"
    if kind is None:
        return
    for field in msgspec.structs.fields(kind):
        for value in ("", "-1", "0", "1.5", "x" * 6_000, "%00", "%ff", "%F0%9F%98%80", "9" * 40, "a,b,,c", "%27%20OR%201=1"):
            yield f"{field.encode_name}={value}"


def _everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, to see that nothing changed."""
    from django.apps import apps

    return {model._meta.label: sorted(map(repr, model._default_manager.values_list())) for model in apps.get_models()}  # type: ignore[misc]
