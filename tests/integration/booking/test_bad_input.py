"""Bad input at the doors of real processes: problem+json with a code, the right status, and nothing changed in any database.

What is sent is made from each service's own OpenAPI document, so that a new endpoint is tested by being there; what takes two requests
(a replayed callback, two tabs) is written out. The checker of I1–I7 ends it.
"""

from __future__ import annotations

import json
import re
import sqlite3
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
import urllib3

from tests.booking_bad_input import of_schema, paths_in, with_other
from tests.booking_keys import Keyring
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, Standin, findings, seats_content, settle, token_in, until
from tests.integration.booking.site import open_site

JSON = "application/json"
SERVICES = ("auth", "event", "seat", "ticket", "merch")
STAFF = ("content", "probe", "attendees", "summary", "archive")
OPEN_TO_ANY_ID = ("/payments/",)
"""They answer alike whether there is such an order or not, and tell nobody."""
OWN_KEY = ("/api/ticket/door", "/api/ticket/scans")
"""A scanner shows a key instead of a token."""
RESTLESS = ("kit_lease", "sqlite_sequence")
"""Tables in which something moves by itself."""
NOTICES = ("ticket ticket_notice", "merch merch_notice")
Operation = tuple[str, str, dict[str, Any]]


class Site:
    """One booking system with a bit of everything in it, and who asks for it."""

    def __init__(self, booking: Booking) -> None:
        self.booking = booking
        self.pool = urllib3.PoolManager(maxsize=8, retries=False, timeout=urllib3.Timeout(30))
        self.buyer, self.other = Buyer(booking), Buyer(booking)
        self.staff = booking.staff_token(*STAFF)
        self.hold = self.buyer.hold(["1-1"]).json()["id"]
        self.order = self.buyer.buy(seats=["1-2", "1-3"])
        self.goods = self.buyer.call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 1}]}).json()
        self.documents = {service: self.call("GET", f"/api/{service}/openapi.json").json() for service in SERVICES}

    def call(self, method: str, path: str, token: str = "", **more: Any) -> urllib3.BaseHTTPResponse:
        """As the router passes it on: straight to the process, marked as from outside."""
        base = self.booking.url(path.split("/")[2])
        headers = {
            "Accept-Language": "en",
            "X-Forwarded-For": "198.51.100.7",
            **more.pop("headers", {}),
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }
        return self.pool.request(method, base + path, headers=headers, redirect=False, **more)

    def operations(self, service: str) -> Iterator[Operation]:
        """Method, path and description of all that SERVICE publishes."""
        for path, methods in self.documents[service]["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def token_for(self, operation: dict[str, Any]) -> str:
        ways = {name for way in operation.get("security", []) for name in way}
        return (
            str(self.buyer.headers["Authorization"]).removeprefix("Bearer ") if "cookie" in ways else self.staff if "bearer" in ways else ""
        )

    def own(self, path: str, operation: dict[str, Any]) -> str:
        """PATH with ids that exist and are the buyer's."""
        ids = {
            "hold_id": self.hold,
            "order_id": (self.goods if "/merch/" in path else self.order)["id"],
            "ticket_id": self.order["tickets"][0]["id"],
            "performance_id": "p1",
            "table": "orders",
            "notice_id": "1",
            "digest": "0" * 64,
            "scanner_id": str(uuid.uuid4()),
        }
        return re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], path)

    def everything(self) -> dict[str, list[str]]:
        """Every row of every table of every service, but for what moves by itself."""
        found = {}
        for service in SERVICES:
            with closing(sqlite3.connect(f"file:{self.booking.database_path(service)}?mode=ro", uri=True, timeout=30)) as database:
                for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                    if table not in RESTLESS:
                        found[f"{service} {table}"] = sorted(map(repr, database.execute(f'SELECT * FROM "{table}"')))
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Booking(SERVICES, tmp_path_factory.mktemp("bad")) as booking:
        open_site(booking, seats_content(seats=60))
        yield Site(booking)
        settle(booking)
        assert not (violations := findings(booking)).total, str(violations)


@pytest.fixture
def unchanged(site: Site) -> Iterator[None]:
    """Whatever the test sends leaves every database as it was."""
    settle(site.booking)
    until("what buyers are to be told is gone from here", lambda: not any(map(site.everything().get, NOTICES)), within_s=30)
    before = site.everything()
    assert sum(map(len, before.values())) > 80, "there is too little to see a change in"
    yield
    after = site.everything()
    changed = [table for table, rows in after.items() if rows != before.get(table)]
    assert not changed, {table: [row for row in after[table] if row not in before[table]][:3] for table in changed}


def refused(answer: urllib3.BaseHTTPResponse, about: object) -> tuple[int, str]:
    """Status and code of an ANSWER that has to be a problem, told as RFC 9457 has it."""
    assert 400 <= answer.status < 500, (about, answer.status, answer.data[:300])
    assert answer.headers["Content-Type"] == "application/problem+json", about
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (answer.status, f"urn:clove:problem:{problem['code']}"), about
    assert {"title", "detail"} <= set(problem), about
    return answer.status, problem["code"]


def body_of(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    """A JSON body with every field there is, as good as its schema tells; None where no JSON is taken."""
    schema = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
    if schema is None:
        return None
    made = of_schema(schema, document["components"]["schemas"])
    assert isinstance(made, dict)
    return made


# --- What every endpoint refuses ---


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.usefixtures("unchanged")
def test_expired_forged_and_foreign_tokens_open_nothing(site: Site, service: str) -> None:
    stranger = Keyring("clove-elsewhere")
    tried = keys_seen = 0
    for method, path, operation in site.operations(service):
        ways = operation.get("security", [])
        if not ways or {} in ways:
            continue
        if ways == [{"scanner_key": []}]:
            keys_seen += 1
            for key in ("", "wrong", site.staff):
                sent = {"headers": {"X-Scanner-Key": key}, "json": body_of(site.documents[service], operation)}
                sent = {name: value for name, value in sent.items() if value is not None}
                assert refused(site.call(method, path, "", **sent), (method, path, key)) == (401, "scanner_key"), (method, path, key)
            continue
        good = site.token_for(operation)
        head, payload, signature = good.split(".")
        is_buyers = good != site.staff
        keys = site.booking.keys
        make = (
            (lambda ring, life: ring.buyer_token(life_s=life)) if is_buyers else (lambda ring, life: ring.staff_token(*STAFF, life_s=life))
        )
        bad = {
            "none": ("", (401, "login_required")),
            "expired": (make(keys, -60), (401, "token_expired")),
            "of another booking system": (make(stranger, 600), (401, "token_invalid")),
            "forged": (f"{head}.{payload}.{'A' * len(signature)}", (401, "token_invalid")),
            "unsigned": (f"{head}.{payload}.", (401, "token_invalid")),
            "no token at all": ("x.y.z", (401, "token_invalid")),
            "of somebody with another role": (site.staff if is_buyers else keys.buyer_token(), (403, "wrong_role")),
        }
        if not is_buyers:
            bad["without the scope"] = (keys.staff_token("nothing"), (403, "scope_missing"))
        for kind, (token, expected) in bad.items():
            answer = site.call(method, site.own(path, operation), token)
            assert refused(answer, (method, path, kind)) == expected, (method, path, kind)
            tried += 1
    assert tried > 20
    assert keys_seen == (3 if service == "ticket" else 0)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.usefixtures("unchanged")
def test_wrong_types_missing_and_unknown_fields_are_named(site: Site, service: str) -> None:
    document = site.documents[service]
    tried = 0
    for method, path, operation in site.operations(service):
        good = body_of(document, operation)
        if good is None or path in OWN_KEY:
            continue
        token, address = site.token_for(operation), site.own(path, operation)
        schema = document["components"]["schemas"][operation["requestBody"]["content"][JSON]["schema"]["$ref"].rsplit("/", 1)[1]]
        missing = [(name, {key: value for key, value in good.items() if key != name}) for name in schema.get("required", [])]
        wrong = [
            (str(where[0]), with_other(good, where, ["x", {"y": []}])) for where in paths_in(good) if value_at(good, where) is not None
        ]
        unknown = [("nobody_knows", good | {"nobody_knows": 1})] if schema.get("additionalProperties") is False else []
        for name, body in [*missing, *wrong, *unknown]:
            answer = site.call(method, address, token, json=body)
            about = (method, path, name, json.dumps(body)[:200])
            assert refused(answer, about) == (422, "invalid"), (about, answer.data[:300])
            assert any(each.startswith(name) for each in answer.json()["errors"]), (about, answer.json())
            tried += 1
    assert tried > 3


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.usefixtures("unchanged")
def test_what_is_no_json_or_too_much_of_it_is_refused(site: Site, service: str) -> None:
    for method, path, operation in site.operations(service):
        content = operation.get("requestBody", {}).get("content", {})
        if not content or path in OWN_KEY:
            continue
        token, address, json_type = site.token_for(operation), site.own(path, operation), {"Content-Type": "application/json"}
        megabyte = b'{"a":"' + b"x" * 1_000_000 + b'"}'
        huge = site.call(method, address, token, body=megabyte, headers=json_type)
        assert refused(huge, (method, path)) in (
            (413, "body_too_large"),
            (422, "invalid"),
            (422, "not_a_picture"),
            (422, "digest_differs"),
        ), path
        if "application/json" not in content:
            continue
        for body in (b"", b"{", b"\xff", b'{"a":', b"[" * 20_000, b"nonsense"):
            assert refused(site.call(method, address, token, body=body, headers=json_type), (path, body[:20])) == (400, "bad_json"), (
                path,
                body[:20],
            )
        for body in (b"null", b"[]", b"1", b'"x"'):
            assert refused(site.call(method, address, token, body=body, headers=json_type), (path, body)) == (422, "invalid"), (path, body)
        form = site.call(method, address, token, body=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert refused(form, path) == (415, "json_expected"), path


def test_a_megabyte_is_more_than_a_buyer_may_send(site: Site) -> None:
    for service, path in (
        ("auth", "signup"),
        ("auth", "login"),
        ("seat", "performances/p1/holds"),
        ("ticket", "orders"),
        ("merch", "orders"),
    ):
        answer = site.buyer.call("POST", service, path, {"a": "x" * 1_000_000})
        assert refused(answer, path) == (413, "body_too_large")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.usefixtures("unchanged")
def test_unknown_ids_are_not_there(site: Site, service: str) -> None:
    for method, path, operation in site.operations(service):
        if "{" not in path or method == "DELETE" or any(each in path for each in OPEN_TO_ANY_ID):
            continue
        more: dict[str, Any] = {}
        if operation.get("requestBody"):
            continue  # a body is looked at first; what it names is in the tests of the endpoint
        for unknown in (str(uuid.uuid4()), "0", "-1", "x" * 400, "%00", "..%2f..", "%F0%9F%98%80", "'--", "9" * 40):
            answer = site.call(method, re.sub(r"\{\w+\}", unknown, path), site.token_for(operation), **more)
            status, _code = refused(answer, (method, path, unknown))
            assert status == 404 or (status, unknown) == (422, "9" * 40), (method, path, unknown, status)


# --- What belongs to somebody else ---


@pytest.mark.usefixtures("unchanged")
def test_somebody_elses_order_ticket_and_hold_are_not_there(site: Site) -> None:
    order, ticket, goods = site.order["id"], site.order["tickets"][0]["id"], site.goods["id"]
    for method, service, path, body in (
        ("GET", "ticket", f"orders/{order}", None),
        ("POST", "ticket", f"orders/{order}/cancel", None),
        ("GET", "ticket", f"orders/{order}/cancellation", None),
        ("GET", "ticket", f"orders/{order}/terms", None),
        ("POST", "ticket", f"orders/{order}/refunds", {"fee_krw": 0}),
        ("GET", "ticket", f"orders/{order}/tickets.pdf", None),
        ("GET", "ticket", f"orders?before={order}", None),
        ("GET", "ticket", f"tickets/{ticket}", None),
        ("GET", "ticket", f"tickets/{ticket}/qr.svg", None),
        ("GET", "ticket", f"tickets/{ticket}/ticket.pdf", None),
        ("GET", "ticket", f"tickets/{ticket}/event.ics", None),
        ("GET", "merch", f"orders/{goods}", None),
        ("POST", "merch", f"orders/{goods}/cancel", None),
        ("POST", "merch", f"orders/{goods}/refunds", {"items": [{"item": "1", "quantity": 1}]}),
        ("GET", "seat", f"holds/{site.hold}", None),
        ("DELETE", "seat", f"holds/{site.hold}", None),
        ("POST", "seat", f"holds/{site.hold}/extend", None),
    ):
        status, code = refused(site.other.call(method, service, path, body), path)
        assert (status, code) == (404, "hold_unknown" if service == "seat" else "not_found"), path


def test_somebody_elses_hold_is_not_ordered(site: Site) -> None:
    assert refused(site.other.order(site.hold), "order") == (404, "hold_unknown")
    assert site.buyer.call("GET", "seat", f"holds/{site.hold}").status == 200


# --- Numbers that cannot be ---


@pytest.mark.usefixtures("unchanged")
def test_quantities_that_cannot_be_are_refused(site: Site) -> None:
    for quantity in (-1, 0, 1.5, "2", True, 10**30, None):
        for service, path, body in (
            ("merch", "orders", {"items": [{"product": "program", "quantity": quantity}]}),
            ("merch", f"orders/{site.goods['id']}/refunds", {"items": [{"item": "1", "quantity": quantity}]}),
            ("seat", "performances/p1/holds", {"best": {"quantity": quantity}}),
            ("seat", "performances/p1/holds", {"areas": [{"area": "floor", "quantity": quantity}]}),
        ):
            assert refused(site.buyer.call("POST", service, path, body), body) == (422, "invalid"), (service, body)
    assert refused(site.buyer.call("POST", "ticket", f"orders/{site.order['id']}/refunds", {"fee_krw": -1}), "fee") == (422, "invalid")


@pytest.mark.usefixtures("unchanged")
def test_a_hold_of_a_thousand_seats_is_refused(site: Site) -> None:
    for body in (
        {"seats": [f"1-{number}" for number in range(1, 1_001)]},
        {"seats": ["1-4"] * 1_000},
        {"best": {"quantity": 1_000}},
        {"areas": [{"area": "floor", "quantity": 1_000}]},
        {"areas": [{"area": f"a{number}", "quantity": 1} for number in range(1_000)]},
    ):
        status, code = refused(site.other.call("POST", "seat", "performances/p1/holds", body), list(body))
        assert (status, code) in ((422, "invalid"), (422, "limit_exceeded")), (list(body), code)


# --- The same again ---


def test_a_replayed_callback_captures_once_and_another_token_does_nothing(site: Site) -> None:
    buyer = Buyer(site.booking)
    order = buyer.order(buyer.hold(["2-1"]).json()["id"]).json()
    back = buyer.press(order)
    wrong = back.replace(token_in(back), "0" * 20)
    for path in (wrong, f"{back.split('?')[0]}", f"{back.split('?')[0]}?pg_token={'x' * 5_000}"):
        assert buyer.come_back(path).status == 303
        assert buyer.read(order["id"])["status"] == "PAYING"
    assert buyer.come_back(back).status == 303
    assert buyer.read(order["id"])["status"] == "ISSUED"
    settle(site.booking)
    until("what buyers are to be told is gone from here", lambda: not any(map(site.everything().get, NOTICES)), within_s=30)
    before = site.everything()
    elsewhere = [back.replace("/approved", f"/{other}") for other in ("cancelled", "failed")]
    unknown = back.replace(order["id"], str(uuid.uuid4()))
    for path in [back, back, wrong, *elsewhere, unknown]:
        assert buyer.come_back(path).status == 303
    assert buyer.read(order["id"])["status"] == "ISSUED"
    assert site.everything() == before
    captured = [each for each in Standin(site.booking).payments() if each.order_id == order["id"]]
    assert [(each.captured_krw, each.cancelled_krw) for each in captured] == [(150_000, 0)]


def test_two_tabs_hold_order_and_give_back_once(site: Site) -> None:
    buyer = Buyer(site.booking)
    with ThreadPoolExecutor(8) as tabs:

        def at_once(count: int, method: str, service: str, path: str, body: Any) -> list[urllib3.BaseHTTPResponse]:
            asked = [tabs.submit(buyer.call, method, service, path, body) for _ in range(count)]
            return [each.result(60) for each in asked]

        holds = at_once(2, "POST", "seat", "performances/p1/holds", {"seats": ["2-5", "2-6"]})
        assert sorted(answer.status for answer in holds) == [201, 409]
        hold = next(answer for answer in holds if answer.status == 201).json()["id"]
        orders = at_once(4, "POST", "ticket", "orders", {"hold_id": hold})
        assert {answer.status for answer in orders} <= {200, 201}
        (order_id,) = {answer.json()["id"] for answer in orders}
        assert sum(answer.status == 201 for answer in orders) == 1
        order = buyer.read(order_id)
        back = buyer.press(order)
        assert {each.result(60).status for each in [tabs.submit(buyer.come_back, back) for _ in range(4)]} == {303}
        assert buyer.read(order_id)["status"] == "ISSUED"
        ticket = buyer.read(order_id)["tickets"][0]["id"]
        given = at_once(4, "POST", "ticket", f"orders/{order_id}/refunds", {"fee_krw": 0, "tickets": [ticket]})
        assert sum(answer.status == 200 for answer in given) == 1, [answer.data[:200] for answer in given]
        codes = {refused(answer, "refund")[1] for answer in given if answer.status != 200}
        assert codes <= {"already_cancelled", "refund_in_progress", "order_changed"}
    settle(site.booking)
    paid = [each for each in Standin(site.booking).payments() if each.order_id == order_id and each.captures]
    assert [(each.captures, each.captured_krw, each.cancelled_krw) for each in paid] == [(1, 300_000, 150_000)]


def value_at(value: Any, where: tuple[str | int, ...]) -> Any:
    for key in where:
        value = value[key]
    return value
