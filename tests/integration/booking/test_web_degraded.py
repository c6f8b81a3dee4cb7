"""Tickets are bought in a browser while the shop, or the event's information, is killed; the pages say what is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.site import WAIT_MS, approve, hold, sign_up


@pytest.fixture
def context(browser: Browser, site: Booking) -> Iterator[BrowserContext]:
    """A browser whose console may tell of services that do not answer."""
    made = browser.new_context(locale="en-GB", base_url=site.public_url, viewport={"width": 390, "height": 860})
    made.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    yield made
    made.close()


def buy_from_the_front_page(page: Page) -> None:
    """One free seat, from the event page to the ticket."""
    page.goto("/")
    page.locator("#bar-button").click()
    page.locator('.seat[data-state="free"]').first.press("Enter")
    page.get_by_test_id("hold").click()
    expect(page.get_by_test_id("total")).to_have_text("₩150,000")


def pay(page: Page) -> None:
    page.get_by_test_id("agree").check()
    page.get_by_test_id("pay").click()
    approve(page)
    expect(page.get_by_test_id("ticket")).to_have_count(1)


def test_tickets_are_sold_while_the_shop_is_down(site: Booking, context: BrowserContext) -> None:
    sign_up(context)
    page = context.new_page()
    site.kill("merch")
    try:
        buy_from_the_front_page(page)
        expect(page.get_by_test_id("shop-down")).to_contain_text("The shop does not answer right now. Tickets are not affected")
        pay(page)
        expect(page.get_by_test_id("shop-down")).to_be_visible()
        page.goto("/shop")
        expect(page.get_by_text("The shop does not answer right now")).to_be_visible()
        page.goto("/orders")
        expect(page.get_by_test_id("order")).to_have_count(1)
        expect(page.locator("#shop-problem")).to_contain_text("The shop does not answer right now")
    finally:
        site.restart("merch")
    page.goto("/shop")
    expect(page.get_by_test_id("product-program")).to_be_visible()


def test_checkout_says_what_it_waits_for_while_the_shop_hangs(context: BrowserContext) -> None:
    sign_up(context)
    page = context.new_page()
    held: list[Route] = []

    def hang(route: Route) -> None:
        held.append(route)

    page.route("**/api/merch/products", hang)
    page.goto(f"/checkout/{hold(context, {'best': {'quantity': 1}}, performance='p2')}")
    expect(page.get_by_test_id("extras")).to_contain_text("Loading…")
    expect(page.get_by_test_id("pay")).to_be_enabled()
    held[0].abort()
    expect(page.get_by_test_id("shop-down")).to_be_visible()
    expect(page.get_by_test_id("extras")).not_to_contain_text("Loading…")


def test_tickets_are_sold_while_neither_the_shop_nor_the_events_information_answers(site: Booking, context: BrowserContext) -> None:
    sign_up(context)
    page = context.new_page()
    for service in ("merch", "event"):
        site.kill(service)
    try:
        site.restart("web")  # nothing cached: the worst case
        page.goto("/")
        expect(page.get_by_text("The event's description is missing right now. Booking works as usual.")).to_be_visible()
        buy_from_the_front_page(page)
        pay(page)
    finally:
        for service in ("merch", "event"):
            site.restart(service)


def test_tickets_are_sold_to_a_browser_that_is_told_to_keep_nothing_but_cookies(site: Booking, context: BrowserContext) -> None:
    for kept in ("localStorage", "sessionStorage"):
        refuse = "{ get() { throw new DOMException('Access is denied for this document.', 'SecurityError'); } }"
        context.add_init_script(f"Object.defineProperty(window, '{kept}', {refuse})")
    sign_up(context)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    buy_from_the_front_page(page)
    pay(page)
    page.goto("/shop")
    expect(page.get_by_test_id("product-program")).to_be_visible()
    assert faults == []
