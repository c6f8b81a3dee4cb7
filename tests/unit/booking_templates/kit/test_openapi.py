"""The OpenAPI document comes from the declarations and says nothing of the inside."""

from __future__ import annotations

from typing import Annotated

import jsonschema
import pytest
from msgspec import Meta, Struct

from booking_templates.kit.api import Request, endpoint, route
from booking_templates.kit.openapi import document, openapi
from booking_templates.kit.principal import BUYER, OPTIONAL_BUYER, service


class Thing(Struct, forbid_unknown_fields=True):
    name: str
    size: Annotated[int, Meta(ge=1)] = 1


class Filter(Struct):
    page: int = 1


@endpoint(auth=BUYER, body=Thing, returns={201: Thing, 204: None}, problems=("changed_meanwhile",))
def make(request: Request, body: Thing, thing_id: int) -> None:
    """Make a thing.

    It is made at once.
    """


@endpoint(auth=OPTIONAL_BUYER, query=Filter, returns={200: list[Thing]})
def things(request: Request, query: Filter, thing_id: int) -> None:
    """All things."""


@endpoint(auth=service("ticket"))
def secret(request: Request) -> None:
    """Only for services."""


@endpoint(body=bytes, returns={200: bytes}, content_type="image/*")
def picture(request: Request, body: bytes) -> None:
    """A picture."""


def install(serve):
    serve(
        lambda: route("things/<int:thing_id>", POST=make, GET=things),
        lambda: route("secret", POST=secret),
        lambda: route("picture", PUT=picture),
        lambda: route("openapi.json", GET=openapi),
    )


def test_operations_are_described_from_their_declarations(serve):
    install(serve)
    made = document()
    post, get = made["paths"]["/api/event/things/{thing_id}"]["post"], made["paths"]["/api/event/things/{thing_id}"]["get"]
    assert (post["summary"], post["description"], post["operationId"]) == ("Make a thing.", "It is made at once.", "make")
    assert post["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Thing"}
    own = {status: post["responses"][status]["description"].partition("Codes: ")[2] for status in post["responses"]}
    assert own == {
        "201": "",
        "204": "",
        "400": "bad_length, body_cut_off, bad_json",
        "401": "token_invalid, token_expired, login_required",
        "403": "wrong_role, csrf",
        "404": "not_found",
        "412": "changed_meanwhile",
        "413": "body_too_large",
        "415": "json_expected",
        "422": "out_of_range, invalid",
        "503": "database_unreachable",
    }
    assert sorted(get["responses"]) == ["200", "400", "401", "403", "404", "422", "503"]
    assert post["security"] == [{"bearer": []}, {"cookie": []}]
    assert get["security"] == [{"bearer": []}, {"cookie": []}, {}]
    assert [each["name"] for each in get["parameters"]] == ["thing_id", "page"]
    assert made["components"]["schemas"]["Thing"]["additionalProperties"] is False


def test_a_code_without_a_status_is_found(serve):
    @endpoint(problems=("never_heard_of",))
    def odd(request: Request) -> None:
        """Odd."""

    serve(lambda: route("odd", GET=odd))
    with pytest.raises(KeyError, match="never_heard_of"):
        document()


def test_the_inside_is_not_published(serve):
    install(serve)
    assert "/api/event/secret" not in document()["paths"]


def test_bytes_are_described_as_such(serve):
    install(serve)
    operation = document()["paths"]["/api/event/picture"]["put"]
    assert list(operation["requestBody"]["content"]) == ["*/*"]
    assert list(operation["responses"]["200"]["content"]) == ["image/*"]


def test_the_documents_own_schemas_are_sound_and_every_reference_resolves(client):
    made = client.get("/api/event/openapi.json").json()
    assert made["openapi"] == "3.1.0"
    schemas = made["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)

    def references(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    assert {name.rsplit("/", 1)[-1] for name in references(made)} <= set(schemas)


def test_operation_ids_are_unique(client):
    made = client.get("/api/event/openapi.json").json()
    ids = [operation["operationId"] for methods in made["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_where_a_key_may_be_sent_the_document_says_so(client):
    paths = client.get("/api/event/openapi.json").json()["paths"]
    assert [each["name"] for each in paths["/api/event/notices"]["post"]["parameters"]] == ["Idempotency-Key"]
    assert paths["/api/event/content"]["put"]["parameters"] == []
