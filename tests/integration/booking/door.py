"""Steps on the page at the door, and what its camera sees."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import requests
import segno
from playwright.sync_api import BrowserContext, Page, expect

from tests.integration.booking.harness import Booking

WIDTH, HEIGHT = 640, 480


def film(code: str, path: Path) -> Path:
    """A camera's picture of CODE, as Chromium takes it for a camera: YUV4MPEG2, one frame over and over."""
    matrix = [bytes(row) for row in segno.make(code, error="m").matrix]
    side = HEIGHT * 3 // 4 // len(matrix)
    left, top = (WIDTH - side * len(matrix)) // 2, (HEIGHT - side * len(matrix)) // 2
    luma = [bytearray(b"\xeb" * WIDTH) for _ in range(HEIGHT)]
    for number in range(side * len(matrix)):
        dots = b"".join((b"\x10" if dark else b"\xeb") * side for dark in matrix[number // side])
        luma[top + number][left : left + len(dots)] = dots
    grey = b"\x80" * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\nFRAME\n".encode() + b"".join(luma) + grey)
    return path


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code, from a hand scanner or typed").fill(code)
    page.get_by_role("button", name="Check").click()


def go_offline(phone: BrowserContext, page: Page) -> None:
    """Once what the camera sees is settled and the list is there."""
    expect(page.locator("#log li", has_text=re.compile("✓ Admit|✕ Already used")).first).to_be_visible()
    expect(page.get_by_text("Connected")).to_be_visible()
    page.wait_for_function("() => Object.keys(localStorage).some((name) => name.startsWith('clove-door-list:'))")
    phone.set_offline(True)


def kept(page: Page, name: str) -> Any:
    """What the page keeps under NAME."""
    return page.evaluate("(name) => JSON.parse(localStorage.getItem(`clove-door-${name}`))", name)


def read_as_staff(booking: Booking, path: str) -> Any:
    headers = {"Authorization": f"Bearer {booking.staff_token('summary', 'attendees')}"}
    answer = requests.get(f"{booking.public_url}/api/ticket/{path}", headers=headers, timeout=20)
    answer.raise_for_status()
    return answer.json()


def attendees(booking: Booking) -> dict[str, Any]:
    """All who have tickets, by those: every page of the list."""
    found: dict[str, Any] = {}
    for page in itertools.count(1):
        told = read_as_staff(booking, f"attendees?page={page}")
        found |= {each["ticket_id"]: each for each in told["attendees"]}
        if not told["attendees"] or len(found) >= told["total"]:
            break
    return found
