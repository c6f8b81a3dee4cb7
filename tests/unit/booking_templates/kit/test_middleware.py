"""What every answer carries, what is hidden from outside, and what a log line may hold."""

from __future__ import annotations

import io
import json
import logging

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404
from django.http.request import UnreadablePostError

from booking_templates.kit.api import Request, endpoint, route
from booking_templates.kit.logs import JsonFormatter


@endpoint()
def fine(request: Request, **values: int) -> dict[str, bool]:
    """Fine."""
    return {"ok": True}


@endpoint()
def without_database(request: Request) -> None:
    """The database has gone."""
    raise OperationalError(2006, "Server has gone away at 10.0.0.7")


@endpoint()
def cut_off(request: Request) -> None:
    """The caller has gone."""
    raise UnreadablePostError("gone")


DJANGOS = {
    "404": (Http404("no such row at 10.0.0.7"), 404, "not_found"),
    "403": (PermissionDenied("no"), 403, "forbidden"),
    "suspicious": (SuspiciousOperation("path"), 400, "bad_request"),
    "bad": (BadRequest("bad"), 400, "bad_request"),
    "overflow": (OverflowError("date value out of range"), 422, "out_of_range"),
}


@endpoint()
def shortcut(request: Request, name: str) -> None:
    """Raises what Django's shortcuts raise."""
    raise DJANGOS[name][0]


@pytest.fixture(autouse=True)
def _endpoints(serve):
    serve(
        lambda: route("things/<int:thing_id>", GET=fine, POST=fine),
        lambda: route("db", GET=without_database),
        lambda: route("cut", GET=cut_off),
        lambda: route("shortcuts/<str:name>", GET=shortcut),
    )


@pytest.mark.parametrize("path", ["/internal/things/1", "/metrics"])
def test_what_is_inside_is_hidden_from_outside(client, path, settings):
    assert client.get("/internal/things/1").status_code == 200
    response = client.get(path, headers={"X-Forwarded-For": "203.0.113.7"})
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_public_paths_are_served_from_outside(client):
    assert client.get("/api/test/things/1", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 200


def test_every_answer_has_security_headers_and_a_request_id(client):
    response = client.get("/api/test/things/1")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert len(response["X-Request-Id"]) == 32
    assert client.get("/nowhere")["X-Content-Type-Options"] == "nosniff"


def test_a_request_id_that_was_given_is_kept_unless_it_is_strange(client):
    assert client.get("/api/test/things/1", headers={"X-Request-Id": "abc-1.2"})["X-Request-Id"] == "abc-1.2"
    assert client.get("/api/test/things/1", headers={"X-Request-Id": 'a"} forged'})["X-Request-Id"] != 'a"} forged'
    assert len(client.get("/api/test/things/1", headers={"X-Request-Id": "x" * 65})["X-Request-Id"]) == 32


def test_a_database_that_is_away_is_a_503_that_tells_nothing_of_it(client):
    response = client.get("/api/test/db")
    assert response.status_code == 503
    assert response.json()["code"] == "database_unreachable"
    assert response["Retry-After"] == "1"
    assert b"10.0.0.7" not in response.content


def test_a_caller_who_leaves_in_the_middle_is_no_error_of_ours(client):
    assert client.get("/api/test/cut").status_code == 400


def test_the_log_names_the_route_and_never_the_path(client, caplog):
    with caplog.at_level(logging.INFO, "clove.request"):
        client.post("/api/test/things/4711")
    (record,) = [each for each in caplog.records if each.name == "clove.request"]
    assert record.fields["route"] == "api/test/things/<int:thing_id>"
    assert "4711" not in JsonFormatter("event").format(record)


def test_log_lines_are_json_with_the_fields_given():
    record = logging.LogRecord("clove.x", logging.INFO, __file__, 1, "said %s", ("this",), None)
    record.fields = {"order": "1"}
    line = json.loads(JsonFormatter("event").format(record))
    assert line["message"] == "said this"
    assert line["service"] == "event"
    assert line["order"] == "1"


def test_the_setup_of_logs_writes_to_standard_output_alone(monkeypatch):
    from booking_templates.kit import logs

    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    try:
        logs.setup("event")
        logging.getLogger("clove.x").info("hello")
    finally:
        root.handlers[:], root.level = kept[0], kept[1]
    assert json.loads(stream.getvalue())["message"] == "hello"


@pytest.mark.parametrize("name", DJANGOS)
def test_what_djangos_shortcuts_raise_is_a_problem_and_no_500(client, name):
    _error, status, code = DJANGOS[name]
    response = client.get(f"/api/test/shortcuts/{name}")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response["Content-Type"] == "application/problem+json"
    assert "10.0.0.7" not in response.content.decode()
