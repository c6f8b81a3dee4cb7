"""A booking system that buyers could use in a browser: all services, content in all of them, and small steps on its pages."""

from __future__ import annotations

import hashlib
import re
import struct
import uuid
import zlib
from typing import Any

import requests
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import open_sales

PASSWORD = "correct-horse-9"
WAIT_MS = 20_000
TENTH = {"tiers": [{"days_before": 30, "percent": 0}, {"days_before": 5, "percent": 10}, {"days_before": 0, "percent": 90}]}
"""A tenth of the price twenty days before."""
PRODUCTS = [
    {"id": "program", "name": "프로그램북", "description": "128쪽", "price_krw": 15_000, "stock": 500},
    {"id": "badge", "name": "배지", "price_krw": 8_000, "stock": 0},
    {
        "id": "tee",
        "name": "티셔츠",
        "price_krw": 35_000,
        "option_label": "사이즈",
        "limit_per_buyer": 5,
        "options": [
            {"id": "m", "name": "M", "stock": 5},
            {"id": "l", "name": "L", "stock": 0},
            {"id": "xl", "name": "XL", "stock": 9, "extra_krw": 2_000},
        ],
    },
]


def open_site(booking: Booking, content: dict[str, Any], *, policy: Any = "full", title: str = "오페라의 유령") -> None:
    """Put CONTENT into every service, as the control plane does."""
    products = [dict(each) for each in PRODUCTS]
    if "merch" in booking.services:
        products[0]["picture"] = put_picture(booking, drawing())
    open_sales(booking, content, products=products)
    told = {"title": title, "venue": "샤롯데씨어터", "performances": content["performances"], "refund_policy": policy}
    put(booking, "ticket", told)
    if "event" in booking.services:
        event = {
            "title": title,
            "field": "musical",
            "description": "가면 뒤의 목소리가 부른다.",
            "venue": {"name": "샤롯데씨어터", "address": "서울특별시 송파구 올림픽로 240"},
            "performances": content["performances"],
            "sales": content["sales"],
            "payment": booking.payment,
            "payment_test": booking.payment == "kakaopay",
            "merchandise": "merch" in booking.services,
        }
        put(booking, "event", event)


def door_link(booking: Booking) -> str:
    """The address of the page that scans, with a key of a scanner called 정문."""
    headers = {"Authorization": f"Bearer {booking.staff_token('attendees')}"}
    made = requests.post(f"{booking.public_url}/api/ticket/scanners", json={"name": "정문"}, headers=headers, timeout=20)
    made.raise_for_status()
    return f"{booking.public_url}/api/ticket/scan#key={made.json()['key']}"


def put(booking: Booking, service: str, content: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    requests.put(f"{booking.public_url}/api/{service}/content", json=content, headers=headers, timeout=20).raise_for_status()


def put_picture(booking: Booking, image: bytes) -> str:
    """Put a product's picture; the name that content knows it by."""
    digest = hashlib.sha256(image).hexdigest()
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    requests.put(f"{booking.public_url}/api/merch/pictures/{digest}", data=image, headers=headers, timeout=20).raise_for_status()
    return digest


def drawing(side: int = 96) -> bytes:
    """A PNG of SIDE by SIDE with a slope of colours."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + b"".join(bytes((180, 20 + x, 60 + y)) for x in range(side)) for y in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sign_up(context: BrowserContext, *, name: str = "김하나") -> None:
    """A new buyer, logged in in this browser."""
    body = {"name": name, "email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    answer = context.request.post("/api/auth/signup", data=body, headers={"X-Clove-Request": "1"})
    assert answer.status == 201, answer.text()


def call(context: BrowserContext, method: str, path: str, body: Any = None) -> Any:
    """What this browser's own login gets from the API; the answer's JSON."""
    answer = context.request.fetch(path, method=method, data=body, headers={"X-Clove-Request": "1"})
    assert answer.ok, answer.text()
    return answer.json()


def hold(context: BrowserContext, wish: dict[str, Any], *, performance: str = "p1") -> str:
    """The id of a hold of this browser's buyer."""
    return str(call(context, "POST", f"/api/seat/performances/{performance}/holds", wish)["id"])


def approve(page: Page) -> None:
    """On the payment stand-in's page: pay, and come back."""
    page.get_by_role("button", name=re.compile("Approve the payment|결제 승인")).click()
    expect(page).to_have_url(re.compile(r"/orders/"))


def buy(page: Page, wish: dict[str, Any], *, performance: str = "p1") -> str:
    """From the hold to the issued order, through checkout and payment; the order's path."""
    page.goto(f"/checkout/{hold(page.context, wish, performance=performance)}")
    page.get_by_test_id("agree").check()
    page.get_by_test_id("pay").click()
    page.wait_for_url(re.compile(r"/orders/|/pc/"))
    if "/orders/" not in page.url:
        approve(page)
    expect(page.get_by_test_id("order-status")).to_have_attribute("data-status", "ISSUED")
    return "/" + page.url.split("/", 3)[3]


class Console:
    """What the browser said of a page that nobody should have to read: errors, warnings, and requests that were refused."""

    def __init__(self, context: BrowserContext) -> None:
        self.said: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.said.append(str(error.error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")
