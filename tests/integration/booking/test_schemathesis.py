"""Every service against its own OpenAPI document, by requests that schemathesis makes up, good and bad: no 5xx, no undocumented answer.

A document names each status by its number, so an answer that is not in it is an answer that nobody was told of.

The services are real processes and the tokens real: a buyer's where the document says that a buyer may call, staff's where only staff may,
a scanner's key at the door. Whoever is asked for one is let in at least once. Half of the time an id in the path is one that exists. What
is drawn is the same in every run.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import areas_content, seats_content
from tests.integration.booking.site import PASSWORD, open_site

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SERVICES = ("auth", "event", "seat", "ticket", "merch", "web")
TIMEOUT_S = 30
LONGEST_S = 3_600
FEW, MANY = 1, 30
"""Requests of each kind, good and bad, to each operation: in every run, and in the suite `wide`."""
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("none", True), id="seats, unpaid"),
        pytest.param(("kakaopay", False), id="areas, kakaopay", marks=[pytest.mark.slow, pytest.mark.timeout(LONGEST_S)]),
    ],
)
def booking(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    payment, is_numbered = request.param
    with Booking(list(SERVICES), tmp_path_factory.mktemp("made-up"), payment=payment, numbered=is_numbered) as one:
        open_site(one, seats_content(seats=40) if is_numbered else areas_content(capacity=40))
        yield one


class Caller:
    """Tokens and existing ids of one booking system."""

    def __init__(self, booking: Booking) -> None:
        self.base = booking.public_url
        self.session = requests.Session()
        body = {"email": "made.up@example.com", "password": PASSWORD, "name": "김상상"}
        signed_up = self._post("auth/signup", body, "")["access_token"]
        # As auth signed it and the control plane would, but good for as long as thousands of requests take.
        claims = json.loads(urlsafe_b64decode(signed_up.split(".")[1] + "=="))
        self.buyer = booking.keys.buyer_token(claims["sub"], name=claims["name"], life_s=LONGEST_S)
        scopes = ("content", "probe", "attendees", "summary", "archive")
        self.staff = booking.keys.staff_token(*scopes, life_s=LONGEST_S)
        self.scanner = self._post("ticket/scanners", {"name": "정문"}, self.staff)["key"]
        other_scanner = self._post("ticket/scanners", {"name": "후문"}, self.staff)["id"]
        held = self._hold(booking, 1)
        order = self._pay(self._post("ticket/orders", {"hold_id": self._hold(booking, 2)}, self.buyer))
        products = self._post("merch/orders", {"items": [{"product": "program", "quantity": 1}]}, self.buyer)
        self.ids = {
            "seat": {"performance_id": "p1", "hold_id": held},
            "ticket": {
                "performance_id": "p1",
                "order_id": order["id"],
                "ticket_id": order["tickets"][0]["id"],
                "scanner_id": other_scanner,
                "table": "tickets",
            },
            "merch": {"order_id": products["id"], "table": "orders"},
        }

    def _hold(self, booking: Booking, quantity: int) -> str:
        wish = {"best": {"quantity": quantity}} if booking.numbered else {"areas": [{"area": "floor", "quantity": quantity}]}
        return str(self._post("seat/performances/p1/holds", wish, self.buyer)["id"])

    def _pay(self, order: dict[str, Any]) -> Any:
        """ORDER as it is once it is paid for, where that has to be."""
        if order["payment"]:
            pressed = self.session.post(
                order["payment"]["redirect_url"], data={"action": "approve"}, timeout=TIMEOUT_S, allow_redirects=False
            )
            parts = urlsplit(pressed.headers["Location"])
            self.session.get(f"{self.base}{parts.path}?{parts.query}", timeout=TIMEOUT_S, allow_redirects=False)
        headers = {"Authorization": f"Bearer {self.buyer}"}
        return self.session.get(f"{self.base}/api/ticket/orders/{order['id']}", headers=headers, timeout=TIMEOUT_S).json()

    def _post(self, path: str, body: dict[str, Any], token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.session.post(f"{self.base}/api/{path}", json=body, headers=headers, timeout=TIMEOUT_S)
        assert answer.status_code == 201, answer.text
        self.session.cookies.clear()
        return answer.json()

    def headers(self, operation: schemathesis.APIOperation[Any, Any, Any]) -> dict[str, str]:
        """What admits to OPERATION, as its document has it."""
        ways = {name for way in operation.definition.raw.get("security", []) for name in way}
        token = self.buyer if "cookie" in ways else self.staff if "bearer" in ways else ""
        key = {"X-Scanner-Key": self.scanner} if "scanner_key" in ways else {}
        return {"X-Clove-Request": "1", **key, **({"Authorization": f"Bearer {token}"} if token else {})}


@pytest.fixture(scope="module")
def caller(booking: Booking) -> Caller:
    return Caller(booking)


def with_plain_pairs(part: Any) -> Any:
    """PART of a document with `[integer, integer]` said as an array of two integers: schemathesis misreads `prefixItems`."""
    if isinstance(part, list):
        return [with_plain_pairs(each) for each in part]
    if not isinstance(part, dict):
        return part
    if "prefixItems" in part:
        kinds = part["prefixItems"]
        assert all(kind == kinds[0] for kind in kinds), "a tuple of different types cannot be said so"
        return {**{name: value for name, value in part.items() if name != "prefixItems"}, "items": kinds[0]}
    return {name: with_plain_pairs(value) for name, value in part.items()}


def document_of(service: str, caller: Caller) -> Any:
    answer = caller.session.get(f"{caller.base}/api/{service}/openapi.json", timeout=TIMEOUT_S)
    return with_plain_pairs(answer.json())


def hold_to(document: Any, service: str, caller: Caller, *, examples: int) -> list[str]:
    """What is wrong with SERVICE by DOCUMENT, a line an operation; EXAMPLES are of each kind, good and bad."""
    schema = schemathesis.openapi.from_dict(document)
    wrong = []
    count = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        name, statuses = f"{operation.method.upper()} {operation.path}", {mode: list[int]() for mode in MODES}
        for mode in MODES:
            try:
                _try(service, operation, mode, caller, examples, statuses[mode])
            except (Exception, BaseExceptionGroup) as failure:  # a FailureGroup is the latter alone
                wrong.append(f"{name} ({mode.value}): {said(failure)}")
        good = statuses[schemathesis.GenerationMode.POSITIVE]  # a bad request may be refused before anybody looks who sent it
        if "security" in operation.definition.raw and not set(good) - {401, 403}:
            wrong.append(f"{name}: nobody was let through its gate: {good}")
        count += sum(map(len, statuses.values()))
    assert count or wrong, f"nothing was asked of {service}"
    return wrong


def said(failure: BaseException) -> str:
    """What went wrong, with all its parts."""
    parts = [said(each) for each in failure.exceptions] if isinstance(failure, BaseExceptionGroup) else []
    return "\n".join([str(failure), *parts])


def _try(service: str, operation: Any, mode: schemathesis.GenerationMode, caller: Caller, examples: int, statuses: list[int]) -> None:
    """STATUSES takes what was answered."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_real=st.booleans())
    def ask(case: schemathesis.Case, is_real: bool) -> None:
        if is_real:
            known = caller.ids.get(service, {})
            case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
        answer = case.call(
            base_url=caller.base, headers=caller.headers(operation), session=caller.session, timeout=TIMEOUT_S, allow_redirects=False
        )
        statuses.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    try:
        ask()
    except Exception as failure:
        if type(failure).__name__ == "Unsatisfiable":  # nothing can be wrong with a request that has no parts
            return
        raise


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "examples", [pytest.param(FEW, id="few"), pytest.param(MANY, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(LONGEST_S)])]
)
def test_a_service_answers_as_its_document_says(service: str, examples: int, caller: Caller) -> None:
    wrong = hold_to(document_of(service, caller), service, caller, examples=examples)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("service", SERVICES)
def test_every_status_is_named_and_every_other_method_is_refused(service: str, caller: Caller) -> None:
    for path, operations in document_of(service, caller)["paths"].items():
        for method, operation in operations.items():
            named = set(operation["responses"])
            assert all(status.isdecimal() for status in named), (method, path, named)
            assert {"200", "201", "202", "204", "303"} & named, (method, path, named)
        address = re.sub(r"\{\w+\}", "00000000-0000-7000-8000-000000000000", path) if "notice_id" not in path else path.format(notice_id=1)
        for method in {"get", "post", "put", "patch", "delete"} - set(operations):
            answer = caller.session.request(method, caller.base + address, timeout=TIMEOUT_S, allow_redirects=False)
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), (method, path)
            allowed = {each.strip().lower() for each in answer.headers["Allow"].split(",")}
            assert allowed - {"head", "options"} == set(operations), (method, path)


def test_a_gate_that_nobody_gets_through_is_found(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    document = document_of("ticket", caller)
    gates = ("/api/ticket/door", "/api/ticket/scans", "/api/ticket/door/payments", "/api/ticket/export/{table}")
    document["paths"] = {path: document["paths"][path] for path in gates}
    assert hold_to(document, "ticket", caller, examples=1) == []
    monkeypatch.setattr(caller, "scanner", "x")
    monkeypatch.setattr(caller, "staff", caller.buyer)
    wrong = hold_to(document, "ticket", caller, examples=1)
    assert [f"{path}: nobody was let through its gate" in line for path, line in zip(gates, wrong, strict=True)] == [True] * 4


def test_an_answer_that_the_document_does_not_have_is_found(caller: Caller) -> None:
    document = document_of("auth", caller)
    path = "/api/auth/options"
    document["paths"] = {path: document["paths"][path]}
    answer = document["paths"][path]["get"]["responses"].pop("200")
    assert "Undocumented status code" in "".join(hold_to(document, "auth", caller, examples=1))
    login = document_of("auth", caller)
    path, login["paths"] = "/api/auth/login", {"/api/auth/login": login["paths"]["/api/auth/login"]}
    del login["paths"][path]["post"]["responses"]["422"]
    assert "Undocumented status code" in "".join(hold_to(login, "auth", caller, examples=5))
    path = "/api/auth/options"
    answer["content"] = {"application/json": {"schema": {"type": "array"}}}
    document["paths"][path]["get"]["responses"]["200"] = answer
    assert "Response violates schema" in "".join(hold_to(document, "auth", caller, examples=1))
