"""Every operation of every service, asked by people who mean it: each is answered well, with every good status that its document names,
and as its document says.

`test_schemathesis` makes requests up: of those to orders, tickets and refunds nearly all end at a 404. Here one event is sold from its
opening to its calling off. What no document leaves out is asked; nothing is excepted.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import schemathesis

from tests.integration.booking.harness import Booking
from tests.integration.booking.oidc_provider import CLIENT_ID, CLIENT_SECRET
from tests.integration.booking.shopping import Buyer, areas_content, seats_content, settle, until
from tests.integration.booking.site import PASSWORD, drawing, open_site
from tests.integration.booking.test_outside_sign_in import Browser, ProviderProcess
from tests.integration.booking.test_schemathesis import CHECKS, SERVICES, TIMEOUT_S, said, with_plain_pairs
from tests.smtp_server import MailServer

OURS = {"X-Clove-Request": "1"}
GOOD = ("2", "3")
OFF_SALE = "/api/seat/performances/{performance_id}/blocked"


class Walk:
    """Asks operations by their names in the documents, such as `GET /api/seat/holds/{hold_id}`, and holds each answer to its document."""

    def __init__(self, booking: Booking) -> None:
        self.base = booking.public_url
        self.wrong: list[str] = []
        self.answered: defaultdict[str, set[str]] = defaultdict(set)
        self.operations: dict[str, Any] = {}
        for service in SERVICES:
            document = requests.get(f"{self.base}/api/{service}/openapi.json", timeout=TIMEOUT_S).json()
            for result in schemathesis.openapi.from_dict(with_plain_pairs(document)).get_all_operations():
                operation = result.ok()
                self.operations[f"{operation.method.upper()} {operation.path}"] = operation

    def ask(
        self,
        name: str,
        *,
        token: str = "",
        at: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
        json: Any = None,
        data: bytes | None = None,
        **headers: str,
    ) -> requests.Response:
        """The answer to NAME with AT in its path, which has to be a good one. HEADERS are named with `_` for `-`."""
        method, path = name.split(" ")
        sent = OURS | {key.replace("_", "-"): value for key, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        answer = requests.request(
            method,
            self.base + path.format(**at or {}),
            params=query,
            json=json,
            data=data,
            headers=sent,
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
        self.hold_to(name, answer, at)
        return answer

    def hold_to(self, name: str, answer: requests.Response, at: dict[str, str] | None = None) -> None:
        """ANSWER against the document of NAME."""
        assert name in self.operations, f"{name} is in no document"
        assert answer.status_code < 400, f"{name}: {answer.status_code} {answer.text[:500]}"
        self.answered[name].add(str(answer.status_code))
        try:
            self.operations[name].Case(path_parameters=at or {}).validate_response(answer, checks=CHECKS)
        except (Exception, BaseExceptionGroup) as failure:  # a FailureGroup is the latter alone
            self.wrong.append(f"{name}: {said(failure)}")

    @property
    def left_out(self) -> list[str]:
        """Operations, and good statuses of them, that the documents have and nobody was answered with."""
        left = []
        for name, operation in self.operations.items():
            good = {status for status in operation.definition.raw["responses"] if status.startswith(GOOD)}
            left += [f"{name} {status}" for status in sorted(good - self.answered[name])]
        return left


@pytest.fixture(
    params=[
        pytest.param(("kakaopay", True), id="seats, kakaopay"),
        pytest.param(("none", False), id="areas, unpaid", marks=pytest.mark.slow),
    ]
)
def booking(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Booking]:
    """All services, with mail and a provider of outside sign-in."""
    payment, is_numbered = request.param
    provider = ProviderProcess(tmp_path)
    secrets = tmp_path / "auth/etc/clove/secrets"
    secrets.mkdir(parents=True)
    (secrets / "oidc-client-secret").write_text(CLIENT_SECRET)
    with MailServer() as mail:
        environ = {"CLOVE_MAIL": mail.url, "CLOVE_OIDC_ISSUER": provider.issuer, "CLOVE_OIDC_CLIENT_ID": CLIENT_ID}
        with Booking(list(SERVICES), tmp_path, payment=payment, numbered=is_numbered, environ=environ) as one:
            one.mail = mail  # type: ignore[attr-defined]
            provider.start(f"{one.public_url}/api/auth/oidc/callback")
            try:
                yield one
            finally:
                provider.stop()


def test_everything_is_answered_well_and_as_its_document_says(booking: Booking) -> None:
    content = seats_content(seats=60, performances=2) if booking.numbered else areas_content(capacity=60, performances=2)
    open_site(booking, content)
    walk = Walk(booking)
    accounts(walk, booking)
    an_event(walk, booking)
    places(walk, booking, content)
    tickets(walk, booking)
    merchandise(walk, booking)
    the_end(walk, booking)
    for service in SERVICES:
        walk.ask(f"GET /api/{service}/openapi.json")
    assert not walk.wrong, "\n\n".join(walk.wrong)
    assert walk.left_out == ([] if booking.numbered else [f"PUT {OFF_SALE} 200"]), "places of an area have no names"


def accounts(walk: Walk, booking: Booking) -> None:
    address = "walker@example.com"
    signed = walk.ask("POST /api/auth/signup", json={"email": address, "password": PASSWORD, "name": "김하나", "phone": "010-1234-5678"})
    walk.ask("POST /api/auth/login", json={"email": address, "password": PASSWORD})
    cookie = "; ".join(f"{name}={value}" for name, value in signed.cookies.items())
    mine = walk.ask("POST /api/auth/refresh", Cookie=cookie).json()["access_token"]
    walk.ask("GET /api/auth/me", token=mine)
    walk.ask("PATCH /api/auth/me", token=mine, json={"name": "김두나", "phone": ""})
    walk.ask("POST /api/auth/me/password", token=mine, json={"current_password": PASSWORD, "new_password": PASSWORD + "1"})
    walk.ask("GET /api/auth/options")
    walk.ask("GET /api/auth/jwks.json")
    walk.ask("POST /api/auth/password-reset", json={"email": address})
    mail: MailServer = booking.mail  # type: ignore[attr-defined]
    until("a mail with the link", lambda: mail.to(address))
    body = mail.to(address)[0].get_body(("plain",))
    assert body is not None
    link = re.search(r"/reset-password#(\S+)", str(body.get_content()))
    assert link is not None
    walk.ask("POST /api/auth/password-reset/confirm", json={"token": link[1], "new_password": PASSWORD + "2"})

    outside = Browser(booking)
    begun = outside.start()
    walk.hold_to("GET /api/auth/oidc/start", begun)
    walk.hold_to("GET /api/auth/oidc/callback", outside.back(outside.at_provider(begun.headers["Location"], "mina")))
    assert outside.call("POST", "me/password", {"current_password": "", "new_password": PASSWORD}).status_code == 204
    walk.hold_to("DELETE /api/auth/oidc/identity", outside.call("DELETE", "oidc/identity"))

    last = walk.ask("POST /api/auth/login", json={"email": address, "password": PASSWORD + "2"})
    walk.ask("DELETE /api/auth/me", token=last.json()["access_token"], json={"password": PASSWORD + "2"})
    walk.ask("POST /api/auth/logout", Cookie=cookie)


def an_event(walk: Walk, booking: Booking) -> None:
    staff = booking.staff_token("content")
    found = walk.ask("GET /api/event/")
    walk.ask("GET /api/event/", If_None_Match=found.headers["ETag"])
    walk.ask("PUT /api/event/content", token=staff, json=walk.ask("GET /api/event/content", token=staff).json())
    notice = {"title": "주차 안내", "body": "주차장이 좁습니다.", "pinned": True}
    made = {"notice_id": walk.ask("POST /api/event/notices", token=staff, json=notice).json()["id"]}
    walk.ask("PATCH /api/event/notices/{notice_id}", token=staff, at=made, json={"pinned": False})
    walk.ask("GET /api/event/")
    walk.ask("DELETE /api/event/notices/{notice_id}", token=staff, at=made)
    poster = walk.ask("PUT /api/event/poster", token=staff, data=drawing(), Content_Type="image/png").json()
    walk.ask("GET /api/event/poster/{digest}", at={"digest": poster["url"].rsplit("/", 1)[-1]})
    walk.ask("GET /api/event/")
    walk.ask("DELETE /api/event/poster", token=staff)


def places(walk: Walk, booking: Booking, content: dict[str, Any]) -> None:
    staff, buyer = booking.staff_token("content", "probe", "summary"), booking.buyer_token()
    p1 = {"performance_id": "p1"}
    now = datetime.now(UTC)
    presale = {"name": "선예매", "opens_at": (now - timedelta(hours=1)).isoformat()}
    later = content["sales"] | {"opens_at": (now + timedelta(hours=1)).isoformat()}
    walk.ask("PUT /api/seat/content", token=staff, json=content | {"presale": presale, "sales": later})
    walk.ask("POST /api/seat/presale/codes", token=staff, json={"count": 2})
    codes = [each["code"] for each in walk.ask("GET /api/seat/presale/codes/list", token=staff).json()["codes"]]
    walk.ask("POST /api/seat/presale", token=buyer, json={"code": codes[0]})
    walk.ask("GET /api/seat/presale", token=buyer)
    walk.ask("POST /api/seat/presale/withdrawals", token=staff, json={"code": codes[1]})
    walk.ask("GET /api/seat/presale/codes", token=staff)
    walk.ask("PUT /api/seat/content", token=staff, json=content)
    walk.ask("GET /api/seat/content", token=staff)

    walk.ask("GET /api/seat/performances")
    for name, at in (("GET /api/seat/plan", {}), ("GET /api/seat/performances/{performance_id}/availability", p1)):
        walk.ask(name, at=at, If_None_Match=walk.ask(name, at=at).headers["ETag"])
    walk.ask("PUT /api/seat/room", token=staff, json={"is_paused": True})
    walk.ask("PUT /api/seat/room", token=staff, json={"is_paused": False})
    turn = walk.ask("POST /api/seat/room/turns", json={}).json()["turn"]
    walk.ask("POST /api/seat/room/turns", json={"turn": turn})
    until("the room is as it was", lambda: _is_unchanged(walk))

    hold = {"hold_id": _hold(walk, booking, buyer, 2)["id"]}
    walk.ask("GET /api/seat/holds", token=buyer)
    walk.ask("GET /api/seat/holds/{hold_id}", token=buyer, at=hold)
    walk.ask("POST /api/seat/holds/{hold_id}/extend", token=buyer, at=hold)
    walk.ask("GET /api/seat/performances/{performance_id}/availability", at=p1)
    walk.ask("DELETE /api/seat/holds/{hold_id}", token=buyer, at=hold)
    walk.ask(f"GET {OFF_SALE}", token=staff, at=p1)
    if booking.numbered:
        walk.ask(f"PUT {OFF_SALE}", token=staff, at=p1, json={"seats": ["3-20"]})
    walk.ask("GET /api/seat/summary", token=staff)
    walk.ask("POST /api/seat/probe", token=staff)


def _is_unchanged(walk: Walk) -> bool:
    """A room moves by itself: its ETag holds only while nobody comes in."""
    etag = walk.ask("GET /api/seat/room").headers["ETag"]
    return walk.ask("GET /api/seat/room", If_None_Match=etag).status_code == 304


def _hold(walk: Walk, booking: Booking, token: str, quantity: int) -> dict[str, Any]:
    """A hold of so many places, with a turn: the sale has opened just now."""
    turn = walk.ask("POST /api/seat/room/turns", json={}).json()["turn"]
    wish = {"best": {"quantity": quantity}} if booking.numbered else {"areas": [{"area": "floor", "quantity": quantity}]}
    at = {"performance_id": "p1"}
    made: dict[str, Any] = walk.ask(
        "POST /api/seat/performances/{performance_id}/holds", token=token, at=at, json=wish, X_Clove_Turn=turn
    ).json()
    return made


def _token(buyer: Buyer) -> str:
    return buyer.headers["Authorization"].removeprefix("Bearer ")


def tickets(walk: Walk, booking: Booking) -> None:
    staff = booking.staff_token("content", "attendees", "summary", "archive")
    buyer = Buyer(booking)
    mine = _token(buyer)
    known = walk.ask("GET /api/ticket/content", token=staff).json()
    youth = {"id": "youth", "name": "청소년", "percent": 33, "proof": "학생증"}
    walk.ask("PUT /api/ticket/content", token=staff, json=known | {"concessions": [youth]})
    walk.ask("GET /api/ticket/terms", If_None_Match=walk.ask("GET /api/ticket/terms").headers["ETag"])
    walk.ask("GET /api/ticket/keys.json")

    held = _hold(walk, booking, mine, 3)
    wish = {"hold_id": held["id"], "concessions": {held["places"][0]["id"]: "youth"}, "phone": "010-1234-5678"}
    order = walk.ask("POST /api/ticket/orders", token=mine, json=wish).json()
    assert walk.ask("POST /api/ticket/orders", token=mine, json=wish).json()["id"] == order["id"]
    at = {"order_id": order["id"]}
    _pay(walk, booking, buyer, order, "ticket")
    walk.ask("GET /api/ticket/orders", token=mine)
    order = walk.ask("GET /api/ticket/orders/{order_id}", token=mine, at=at).json()
    assert order["status"] == "ISSUED"
    walk.ask("GET /api/ticket/orders/{order_id}/terms", token=mine, at=at)
    walk.ask("GET /api/ticket/orders/{order_id}/tickets.pdf", token=mine, at=at)
    mine_too = walk.ask("GET /api/ticket/tickets", token=mine).json()["tickets"]
    assert {each["id"] for each in mine_too} == {each["id"] for each in order["tickets"]}
    ids = [each["id"] for each in order["tickets"]]
    for part in ("", "/qr.svg", "/ticket.pdf", "/event.ics"):
        walk.ask("GET /api/ticket/tickets/{ticket_id}" + part, token=mine, at={"ticket_id": ids[0]})
    _at_the_door(walk, staff, order, booking)

    quote = walk.ask("GET /api/ticket/orders/{order_id}/cancellation", token=mine, at=at, query={"tickets": ids[1]}).json()
    given_up = {"fee_krw": quote["fee_krw"], "tickets": [ids[1]]}
    walk.ask("POST /api/ticket/orders/{order_id}/refunds", token=mine, at=at, json=given_up)
    walk.ask("GET /api/ticket/bookings", token=staff, query={"number": order["number"]})
    walk.ask("GET /api/ticket/bookings/{order_id}/quote", token=staff, at=at, query={"terms": "full", "used": "true", "tickets": ids[2]})
    for _twice in range(2):
        by_hand = {"fee_krw": 0, "why": "illness", "note": "전화", "terms": "full", "tickets": [ids[2]]}
        walk.ask("POST /api/ticket/bookings/{order_id}/refunds", token=staff, at=at, json=by_hand, Idempotency_Key="by-hand")
    walk.ask("GET /api/ticket/bookings/{order_id}", token=staff, at=at)

    other = Buyer(booking)
    made = walk.ask("POST /api/ticket/orders", token=_token(other), json={"hold_id": _hold(walk, booking, _token(other), 1)["id"]}).json()
    for way in ("cancelled", "failed"):
        walk.ask(f"GET /api/ticket/payments/{{order_id}}/{way}", at={"order_id": made["id"]})
    walk.ask("POST /api/ticket/orders/{order_id}/cancel", token=_token(other), at={"order_id": made["id"]})

    for name in ("attendees", "attendees.csv", "attendees.xlsx", "settlement", "summary", "tallies", "open", "door/conflicts"):
        walk.ask(f"GET /api/ticket/{name}", token=staff)
    for name in ("attendees", "attendees.csv", "attendees.xlsx"):
        walk.ask(f"POST /api/ticket/{name}", token=staff, json={"q": order["number"], "performance": "p1"})
    for table in ("orders", "tickets", "payments", "refunds"):
        walk.ask("GET /api/ticket/export/{table}", token=staff, at={"table": table})


def _pay(walk: Walk, booking: Booking, buyer: Buyer, order: dict[str, Any], service: str) -> None:
    """Come back from the provider's page; where nothing is paid, as somebody who typed the address."""
    back = buyer.press(order) if booking.payment == "kakaopay" else "?pg_token=x"
    token = parse_qs(urlsplit(back).query)["pg_token"][0]
    walk.ask(f"GET /api/{service}/payments/{{order_id}}/approved", at={"order_id": order["id"]}, query={"pg_token": token})


def _at_the_door(walk: Walk, staff: str, order: dict[str, Any], booking: Booking) -> None:
    """The first ticket is let in, where nothing was paid after it was paid for twice, by devices whose keys are taken away again."""
    made = walk.ask("POST /api/ticket/scanners", token=staff, json={"name": "정문"}).json()
    key, code = made["key"], order["tickets"][0]["code"]
    walk.ask("GET /api/ticket/scanners", token=staff)
    walk.ask("GET /api/ticket/door", query={"performance": "p1"}, X_Scanner_Key=key)
    now = datetime.now(UTC).isoformat()
    walk.ask("POST /api/ticket/door/payments", json={"payments": [{"code": code, "at": now}]}, X_Scanner_Key=key)
    other = walk.ask("POST /api/ticket/scanners", token=staff, json={"name": "후문"}).json()
    later = datetime.now(UTC).isoformat()
    walk.ask("POST /api/ticket/door/payments", json={"payments": [{"code": code, "at": later}]}, X_Scanner_Key=other["key"])
    owed = walk.ask("GET /api/ticket/door/owed", token=staff).json()["payments"]
    assert bool(owed) == (booking.payment == "none")
    walk.ask("POST /api/ticket/door/given-back", token=staff, json={"payments": [each["id"] for each in owed] or [1]})
    for let_in in ("false", "true"):
        scans = {"scans": [{"code": code, "at": datetime.now(UTC).isoformat()}, {"code": "x"}], "performance": "p1"}
        walk.ask("POST /api/ticket/scans", query={"let_in": let_in}, json=scans, X_Scanner_Key=key)
    for name in ("scan", "scan.js", "scan-worker.js", "scan-qr/decode.js", "scan-qr/index.js"):
        walk.ask(f"GET /api/ticket/{name}")
    walk.ask("GET /api/ticket/scan-{part}.js", at={"part": "code"})
    walk.ask("DELETE /api/ticket/scanners/{scanner_id}", token=staff, at={"scanner_id": made["id"]})


def merchandise(walk: Walk, booking: Booking) -> None:
    staff = booking.staff_token("content", "attendees", "summary", "archive")
    buyer = Buyer(booking)
    mine = _token(buyer)
    image = drawing(32)
    digest = {"digest": hashlib.sha256(image).hexdigest()}
    walk.ask("PUT /api/merch/pictures/{digest}", token=staff, at=digest, data=image, Content_Type="image/png")
    walk.ask("GET /api/merch/pictures/{digest}", at=digest)
    walk.ask("PUT /api/merch/content", token=staff, json=walk.ask("GET /api/merch/content", token=staff).json())
    walk.ask("GET /api/merch/products")

    wish = {"items": [{"product": "program", "quantity": 3}, {"product": "tee", "option": "m", "quantity": 1}]}
    order = walk.ask("POST /api/merch/orders", token=mine, json=wish, Idempotency_Key="shop").json()
    assert walk.ask("POST /api/merch/orders", token=mine, json=wish, Idempotency_Key="shop").json()["id"] == order["id"]
    at = {"order_id": order["id"]}
    _pay(walk, booking, buyer, order, "merch")
    walk.ask("GET /api/merch/orders", token=mine)
    order = walk.ask("GET /api/merch/orders/{order_id}", token=mine, at=at).json()
    assert order["status"] == "ISSUED"
    item = order["items"][0]["id"]
    walk.ask("POST /api/merch/orders/{order_id}/refunds", token=mine, at=at, json={"items": [{"item": item, "quantity": 1}]})
    walk.ask("POST /api/merch/pickups", token=staff, json={"code": order["pickup_code"]})
    for _twice in range(2):
        by_hand = {"why": "goodwill", "picked_up": True, "items": [{"item": item, "quantity": 1}]}
        walk.ask("POST /api/merch/pickups/{order_id}/refunds", token=staff, at=at, json=by_hand, Idempotency_Key="by-hand")
    walk.ask("GET /api/merch/pickups/{order_id}", token=staff, at=at)

    given_up = walk.ask("POST /api/merch/orders", token=mine, json={"items": [{"product": "program", "quantity": 1}]}).json()
    for way in ("cancelled", "failed"):
        walk.ask(f"GET /api/merch/payments/{{order_id}}/{way}", at={"order_id": given_up["id"]})
    walk.ask("POST /api/merch/orders/{order_id}/cancel", token=mine, at={"order_id": given_up["id"]})
    for name in ("pickups", "summary", "open"):
        walk.ask(f"GET /api/merch/{name}", token=staff)
    walk.ask("POST /api/merch/pickups/search", token=staff, json={"q": order["number"], "state": "all"})
    for table in ("orders", "items", "payments", "refunds"):
        walk.ask("GET /api/merch/export/{table}", token=staff, at={"table": table})


def the_end(walk: Walk, booking: Booking) -> None:
    """The first performance is called off; everything that tells of orders tells of them again."""
    staff = booking.staff_token("content", "attendees", "summary")
    buyer = Buyer(booking)
    hold = _hold(walk, booking, _token(buyer), 2)
    order = walk.ask("POST /api/ticket/orders", token=_token(buyer), json={"hold_id": hold["id"]}).json()
    _pay(walk, booking, buyer, order, "ticket")
    at = {"performance_id": "p1"}
    walk.ask("POST /api/ticket/performances/{performance_id}/cancellation", token=staff, at=at, json={"compensation_percent": 10})
    name = "GET /api/ticket/performances/{performance_id}/cancellation"
    until("all is refunded", lambda: not walk.ask(name, token=staff, at=at).json()["orders_left"])
    settle(booking)
    walk.ask("GET /api/ticket/orders/{order_id}", token=_token(buyer), at={"order_id": order["id"]})
    walk.ask("GET /api/ticket/bookings/{order_id}", token=staff, at={"order_id": order["id"]})
    for path in ("ticket/settlement", "ticket/attendees", "ticket/terms", "seat/performances", "event/"):
        walk.ask(f"GET /api/{path}", token=staff if path.startswith("ticket/") and path != "ticket/terms" else "")
