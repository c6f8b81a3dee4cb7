"""An event is run by two: the link goes from one browser to another, and its key to nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.test_console import SELLER, logged_in
from tests.e2e.test_purchase import PAGE_MS
from tests.stack import Stack

PHONE = {"width": 390, "height": 844}
GUEST = "box.office@example.com"


@pytest.fixture
def guest(browser: Browser) -> Iterator[Page]:
    """Somebody's phone, who has no account."""
    context = browser.new_context(locale="en-US", viewport=PHONE)
    context.set_default_timeout(PAGE_MS)
    yield context.new_page()
    context.close()


def well(page: Page) -> None:
    """Nothing is wider than the phone, and axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page)
    assert found.violations_count == 0, re.sub(r"\s+", " ", found.generate_report())[:2000]


def test_somebody_is_invited_signs_up_looks_and_is_removed(clove: Stack, browser: Browser, guest: Page) -> None:
    owner = logged_in(browser, clove, SELLER, width=PHONE["width"])
    owner.goto(f"{clove.portal}/systems")
    owner.locator(".system h2 a").first.click()
    owner.get_by_role("link", name="People").click()
    owner.get_by_label("E-mail address").fill(GUEST)
    owner.get_by_role("button", name="Invite").click()
    link = owner.locator("code", has_text="/invitation#").inner_text()
    well(owner)

    asked: list[str] = []
    guest.on("request", lambda request: asked.extend((request.url, request.headers.get("referer", ""))))
    guest.goto(link)
    expect(guest.get_by_text("invites you to run this event together")).to_be_visible()
    assert guest.url == f"{clove.portal}/invitation"
    well(guest)
    guest.get_by_role("main").get_by_role("link", name="Sign up").click()
    guest.get_by_label("Name").fill("Box office")
    guest.get_by_label("E-mail").fill(GUEST)
    guest.get_by_label("Password").fill("four quiet words here")
    guest.get_by_role("button", name="Sign up").click()
    guest.get_by_role("button", name="Accept").click()
    expect(guest.get_by_text("in which you take part: Viewer")).to_be_visible()
    expect(guest.get_by_role("button", name="Edit")).to_have_count(0)
    well(guest)
    assert link.partition("#")[2] not in " ".join(asked)

    owner.get_by_role("link", name="People").click()
    well(owner)
    owner.get_by_role("button", name="Remove").click()
    owner.get_by_role("button", name="Yes, go on").click()
    expect(owner.get_by_text("Their access has ended")).to_be_visible()
    # The page that stands open asks by itself, and finds nothing.
    expect(guest.get_by_role("heading", name="There is nothing here")).to_be_visible()
    owner.context.close()
