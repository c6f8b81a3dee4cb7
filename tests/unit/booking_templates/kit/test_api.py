"""Decoding requests, encoding answers, and errors that name their field."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import pytest
from django.http import HttpResponse
from msgspec import Meta, Struct

from booking_templates.kit.api import Reply, Request, endpoint, route
from booking_templates.kit.problems import Conflict

JSON = "application/json"


class Item(Struct, forbid_unknown_fields=True):
    product: str
    quantity: Annotated[int, Meta(ge=1, le=10)]


class Order(Struct, forbid_unknown_fields=True):
    items: Annotated[list[Item], Meta(min_length=1, max_length=3)]
    name: Annotated[str, Meta(max_length=5)] = ""
    kind: Literal["pick_up", "post"] = "pick_up"
    at: Annotated[datetime, Meta(tz=True)] | None = None


class Page(Struct):
    page: Annotated[int, Meta(ge=1)] = 1
    q: str = ""


@endpoint(body=Order, returns={201: Order}, max_body=1000)
def create(request: Request, body: Order, shop: str) -> Reply:
    """Create an order."""
    return Reply({"shop": shop, "order": body}, status=201, headers={"Location": "/1"})


@endpoint(query=Page)
def listing(request: Request, query: Page, shop: str) -> Page:
    """List."""
    return query


@endpoint(body=bytes, max_body=10)
def upload(request: Request, body: bytes) -> Reply:
    """Upload."""
    return Reply(body, content_type="text/plain")


@endpoint()
def plain(request: Request) -> HttpResponse:
    """A Django response passes as it is."""
    return HttpResponse("plain", content_type="text/plain")


@endpoint()
def refuses(request: Request) -> None:
    """Refuse."""
    raise Conflict("seats_taken", "Somebody was faster.", retry_after_s=3, seats=["A1"])


@endpoint()
def breaks(request: Request) -> None:
    """Break."""
    raise ZeroDivisionError("the secret is 42")


@pytest.fixture(autouse=True)
def _endpoints(serve):
    serve(
        lambda: route("shops/<str:shop>/orders", POST=create, GET=listing),
        lambda: route("upload", PUT=upload),
        lambda: route("plain", GET=plain),
        lambda: route("refuses", GET=refuses),
        lambda: route("breaks", GET=breaks),
    )


ORDERS = "/api/test/shops/main/orders"


def test_a_good_body_is_decoded_and_the_answer_encoded(client):
    response = client.post(ORDERS, {"items": [{"product": "p", "quantity": 2}], "at": "2027-01-10T19:30:00+09:00"}, content_type=JSON)
    assert response.status_code == 201
    assert response["Location"] == "/1"
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert response.json()["shop"] == "main"
    assert response.json()["order"]["at"] == "2027-01-10T19:30:00+09:00"


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "items", "This field is required."),
        ({"items": [{"product": "p"}]}, "items[0].quantity", "This field is required."),
        ({"items": [{"product": "p", "quantity": 0}]}, "items[0].quantity", "This number is out of range."),
        ({"items": [{"product": "p", "quantity": "2"}]}, "items[0].quantity", "This is of the wrong kind."),
        ({"items": [{"product": "p", "quantity": 1, "x": 1}]}, "items[0].x", "There is no such field."),
        ({"items": []}, "items", "This has too few or too many characters or entries."),
        ({"items": [{"product": "p", "quantity": 1}], "nmae": 1}, "nmae", "There is no such field."),
        ({"items": [{"product": "p", "quantity": 1}], "kind": "x"}, "kind", "This is none of the choices."),
        (
            {"items": [{"product": "p", "quantity": 1}], "at": "soon"},
            "at",
            "Write a time with its offset, such as 2027-01-10T19:30:00+09:00.",
        ),
        (
            {"items": [{"product": "p", "quantity": 1}], "at": "2027-01-10T19:30:00"},
            "at",
            "Write a time with its offset, such as 2027-01-10T19:30:00+09:00.",
        ),
        ([], "body", "This is of the wrong kind."),
        ("text", "body", "This is of the wrong kind."),
        (None, "body", "This is of the wrong kind."),
    ],
)
def test_a_bad_body_is_told_by_field(client, body, field, message):
    response = client.generic("POST", ORDERS, __import__("json").dumps(body), content_type=JSON)
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "invalid"
    assert response.json()["errors"] == {field: [message]}


def test_every_wrong_field_is_told_at_once(client):
    response = client.post(ORDERS, {"items": [], "name": "too long", "kind": 3, "unknown": 1}, content_type=JSON)
    assert set(response.json()["errors"]) == {"items", "name", "kind", "unknown"}


@pytest.mark.parametrize("raw", [b" ", b"{", b'{"items": NaN}', b"\xff\xfe", b"[" * 900])
def test_what_is_no_json_is_a_400(client, raw):
    response = client.generic("POST", ORDERS, raw, content_type=JSON)
    assert response.status_code == 400
    assert response.json()["code"] == "bad_json"


def test_json_in_the_dress_of_a_form_is_refused(client):
    response = client.generic("POST", ORDERS, b'{"items": []}', content_type="text/plain")
    assert response.status_code == 415
    assert response.json()["code"] == "json_expected"


def test_a_body_that_is_too_large_is_refused_unread(client):
    response = client.post(ORDERS, {"name": "x" * 2000}, content_type=JSON)
    assert response.status_code == 413
    assert response.json()["max_bytes"] == 1000


def test_a_length_that_is_no_number_is_refused(client):
    response = client.generic("POST", ORDERS, b"{}", content_type=JSON, CONTENT_LENGTH="ten")
    assert response.status_code == 400


def test_bytes_come_as_they_are_and_are_bounded_too(client):
    assert client.generic("PUT", "/api/test/upload", b"\xff\x00", content_type="image/png").content == b"\xff\x00"
    assert client.generic("PUT", "/api/test/upload", b"x" * 11, content_type="image/png").status_code == 413


def test_a_query_is_decoded_and_its_errors_are_told_by_field(client):
    assert client.get(ORDERS, {"page": "3", "q": "김"}).json() == {"page": 3, "q": "김"}
    response = client.get(ORDERS, {"page": "0"})
    assert response.status_code == 422
    assert response.json()["errors"] == {"page": ["This number is out of range."]}


def test_another_method_is_a_405_that_names_those_there_are(client):
    response = client.delete(ORDERS)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert client.options(ORDERS)["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert client.options(ORDERS).status_code == 204


def test_head_follows_get(client):
    assert client.head(ORDERS).status_code == 200
    assert client.head("/api/test/upload").status_code == 405


def test_a_django_response_passes_as_it_is(client):
    assert client.get("/api/test/plain").content == b"plain"


def test_a_problem_is_told_with_its_extras_and_when_to_come_back(client):
    response = client.get("/api/test/refuses")
    assert response.status_code == 409
    assert response["Retry-After"] == "3"
    assert response.json() == {
        "type": "urn:clove:problem:seats_taken",
        "title": "This is not possible right now.",
        "status": 409,
        "detail": "Somebody was faster.",
        "code": "seats_taken",
        "seats": ["A1"],
    }


def test_an_unexpected_error_tells_nothing_and_is_logged(client, caplog):
    response = client.get("/api/test/breaks")
    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert b"42" not in response.content
    assert "ZeroDivisionError" in caplog.text


def test_problems_speak_the_callers_language(client):
    korean = client.get("/api/test/nowhere", headers={"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.5"}).json()
    english = client.get("/api/test/nowhere", headers={"Accept-Language": "en-GB"}).json()
    other = client.get("/api/test/nowhere", headers={"Accept-Language": "fr"}).json()
    assert korean["title"] == other["title"] == "찾을 수 없습니다."
    assert english["title"] == "This does not exist."
    client.cookies["clove_lang"] = "en"
    assert client.get("/api/test/nowhere", headers={"Accept-Language": "ko"}).json()["title"] == "This does not exist."


def test_field_errors_speak_korean_too(client):
    response = client.post(ORDERS, {}, content_type=JSON, headers={"Accept-Language": "ko"})
    assert response.json()["errors"] == {"items": ["필수 항목입니다."]}
