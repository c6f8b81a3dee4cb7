"""Buyers of a booking system of real processes, from the hold to the ticket, through the pages of the payment stand-in."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import urllib3

from bench.invariants import Findings, Payment, check, ledger, unsettled
from tests.booking_keys import KAKAOPAY_SECRET_KEY
from tests.integration.booking.harness import STANDIN_ADMIN_KEY, Booking

PRICE_KRW = 150_000
SETTLE_S = 90.0


def seats_content(*, seats: int = 100, performances: int = 1, limit: int = 4, price_krw: int = PRICE_KRW) -> dict[str, Any]:
    """Rows of twenty numbered seats, on sale now."""
    rows = [
        {
            "row_number": str(row + 1),
            "position": {"x": 0, "y": row * 25},
            "seats": [
                {"seat_guid": f"{row + 1}-{number}", "seat_number": str(number), "category": "R", "position": {"x": number * 22, "y": 0}}
                for number in range(1, min(20, seats - row * 20) + 1)
            ],
        }
        for row in range(-(-seats // 20))
    ]
    plan = {"name": "Hall", "categories": [{"name": "R"}], "zones": [{"name": "F", "position": {"x": 0, "y": 0}, "rows": rows}]}
    return {"plan": plan, "grades": [{"name": "R", "price_krw": price_krw}], **_when(performances, limit)}


def areas_content(*, capacity: int = 100, performances: int = 1, limit: int = 4, price_krw: int = PRICE_KRW) -> dict[str, Any]:
    """One area, on sale now."""
    areas = [{"id": "floor", "name": "스탠딩", "capacity": capacity, "grade": "R"}]
    return {"areas": areas, "grades": [{"name": "R", "price_krw": price_krw}], **_when(performances, limit)}


def _when(performances: int, limit: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    starts = [(now + timedelta(days=20 + index)).isoformat() for index in range(performances)]
    return {
        "performances": [{"id": f"p{index + 1}", "starts_at": at} for index, at in enumerate(starts)],
        "sales": {"opens_at": (now - timedelta(days=1)).isoformat(), "closes_at": starts[-1]},
        "limit_per_buyer": limit,
    }


def open_sales(
    booking: Booking,
    content: dict[str, Any],
    *,
    products: list[dict[str, Any]] | None = None,
    concessions: list[dict[str, Any]] | None = None,
    refund_policy: dict[str, Any] | str | None = None,
) -> None:
    """Put CONTENT into the services that need it."""
    told = {"title": "오페라의 유령", "venue": "샤롯데씨어터", "performances": content["performances"]}
    if concessions is not None:
        told["concessions"] = concessions
    if refund_policy is not None:
        told["refund_policy"] = refund_policy
    bodies = {"seat": content, "ticket": told, "merch": {"products": products or [], "performances": content["performances"]}}
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    for service, body in bodies.items():
        if service in booking.services:
            answer = urllib3.request("PUT", f"{booking.url(service)}/api/{service}/content", json=body, headers=headers, timeout=30)
            assert answer.status == 200, answer.data


def call_off(booking: Booking, performance: str) -> dict[str, Any]:
    """The organiser calls PERFORMANCE off; how far its refunds are."""
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    url = f"{booking.url('ticket')}/api/ticket/performances/{performance}/cancellation"
    answer = urllib3.request("POST", url, json={}, headers=headers, timeout=30)
    assert answer.status == 200, answer.data
    told: dict[str, Any] = answer.json()
    return told


class Buyer:
    """One buyer at one booking system. Answers are urllib3's; a connection that breaks raises HTTPError."""

    def __init__(self, booking: Booking, *, name: str = "김클로") -> None:
        self.booking = booking
        self.id = str(uuid.uuid4())
        self.headers = {"Authorization": f"Bearer {booking.keys.buyer_token(self.id, name=name, life_s=3600)}", "Accept-Language": "en"}
        self._pool = urllib3.PoolManager(maxsize=4, retries=False, timeout=urllib3.Timeout(30))

    def call(self, method: str, service: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """Straight to the process of SERVICE."""
        url = f"{self.booking.url(service)}/api/{service}/{path}"
        sent = self.headers | headers
        return self._pool.request(method, url, headers=sent, **({} if body is None else {"json": body}))

    def hold(self, seats: list[str] | None = None, *, best: int = 0, area: int = 0, performance: str = "p1") -> urllib3.BaseHTTPResponse:
        """Hold named seats, the BEST seats, or AREA places on the floor."""
        wish: dict[str, Any] = {"seats": seats}
        if best:
            wish = {"best": {"quantity": best}}
        elif area:
            wish = {"areas": [{"area": "floor", "quantity": area}]}
        return self.call("POST", "seat", f"performances/{performance}/holds", wish)

    def order(self, hold_id: str, concessions: dict[str, str] | None = None, **more: Any) -> urllib3.BaseHTTPResponse:
        """With CONCESSIONS by the ids of the places."""
        body = {"hold_id": hold_id, **({"concessions": concessions} if concessions else {}), **more}
        return self.call("POST", "ticket", "orders", body, **{"Idempotency-Key": f"order-{hold_id}"})

    def press(self, order: dict[str, Any], action: str = "approve") -> str:
        """Press a button on the provider's page; the address that the browser is sent to, as a path."""
        answer = self._pool.request(
            "POST", order["payment"]["redirect_url"], fields={"action": action}, encode_multipart=False, redirect=False
        )
        assert answer.status == 303, (answer.status, answer.data[:300])
        parts = urlsplit(answer.headers["Location"])
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def come_back(self, path: str, *, service: str = "ticket") -> urllib3.BaseHTTPResponse:
        """Open the address that the provider sent the browser to: no cookie, no token."""
        return self._pool.request("GET", self.booking.url(service) + path, redirect=False)

    def read(self, order_id: str, *, service: str = "ticket") -> dict[str, Any]:
        answer = self.call("GET", service, f"orders/{order_id}")
        assert answer.status == 200, answer.data
        found: dict[str, Any] = answer.json()
        return found

    def cancel(self, order_id: str, *, service: str = "ticket") -> urllib3.BaseHTTPResponse:
        return self.call("POST", service, f"orders/{order_id}/cancel")

    def buy(self, concessions: dict[str, str] | None = None, **wish: Any) -> dict[str, Any]:
        """All of it; the order as it is afterwards."""
        held = self.hold(**wish)
        assert held.status == 201, held.data
        made = self.order(held.json()["id"], concessions)
        assert made.status == 201, made.data
        order: dict[str, Any] = made.json()
        if order["payment"]:
            assert self.come_back(self.press(order)).status == 303
        return self.read(order["id"])


class Standin:
    """The stand-in's admin API."""

    def __init__(self, booking: Booking) -> None:
        self.url = booking.url("standin")
        self._pool = urllib3.PoolManager(maxsize=2, retries=False, timeout=urllib3.Timeout(30))

    def fault(self, fault: str, operation: str = "approve", **more: Any) -> None:
        """Switch a fault on."""
        self._call("POST", "faults", {"fault": fault, "operation": operation, **more})

    def faults(self) -> list[dict[str, Any]]:
        """Those that are switched on still: one that was met as often as it should be is gone."""
        found: list[dict[str, Any]] = self._call("GET", "faults")["faults"]
        return found

    def well(self) -> None:
        """Switch all faults off."""
        self._call("DELETE", "faults")

    def cancel(self, order_id: str, amount_krw: int) -> None:
        """Give money of an order back as somebody does at the provider's own console: no service is told."""
        (tid,) = (payment.tid for payment in self.payments() if payment.order_id == order_id and payment.captured_krw)
        body = {"cid": "TC0ONETIME", "tid": tid, "cancel_amount": amount_krw, "cancel_tax_free_amount": 0}
        headers = {"Authorization": f"SECRET_KEY {KAKAOPAY_SECRET_KEY}"}
        answer = self._pool.request("POST", f"{self.url}/online/v1/payment/cancel", headers=headers, json=body)
        assert answer.status == 200, answer.data

    def payments(self) -> list[Payment]:
        return ledger(self.url, STANDIN_ADMIN_KEY)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        more = {} if body is None else {"json": body}
        answer = self._pool.request(method, f"{self.url}/admin/{path}", headers={"X-Admin-Key": STANDIN_ADMIN_KEY}, **more)
        assert answer.status == 200, answer.data
        return answer.json()


def addresses(booking: Booking) -> dict[str, str]:
    """Where the databases are, for the checker."""

    def address(service: str) -> str:
        url = booking.database_url(service)
        return f"sqlite:///{Path(booking.database_path(service))}" if url.startswith("sqlite") else url

    found = {service: address(service) for service in ("ticket", "seat", "merch") if service in booking.services}
    if "auth" in booking.services and booking.environ("auth").get("CLOVE_MAIL"):
        found["auth"] = address("auth")
    return found


def until(what: str, claim: Callable[[], object], *, within_s: float = SETTLE_S) -> None:
    """Wait until CLAIM holds, with a bound."""
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline, f"{what}: not within {within_s:.0f} s"
        time.sleep(0.1)


def settle(booking: Booking, *, within_s: float = SETTLE_S) -> None:
    """Wait until nothing is under way any more."""
    found = addresses(booking)
    until("nothing under way", lambda: not unsettled(ticket=found["ticket"], merch=found.get("merch", "")), within_s=within_s)


def findings(booking: Booking, *, acknowledged: set[str] | None = None) -> Findings:
    """The checker's, over all databases and the stand-in's ledger."""
    has_payments = booking.payment == "kakaopay"
    payments = Standin(booking).payments() if has_payments else []
    return check(**addresses(booking), payments=payments, has_payments=has_payments, acknowledged=acknowledged or set())


def token_in(path: str) -> str:
    return parse_qs(urlsplit(path).query)["pg_token"][0]
