"""A seller finds a booking in the portal and gives a part of it back by hand; the buyer reads who did it, and the place is free."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.controlplane import areas_requirement
from tests.e2e.test_console import SELLER, logged_in
from tests.e2e.test_seller import Seller
from tests.stack import Stack, until

SLUG = "by-hand"


def test_a_seller_gives_a_ticket_back_by_hand(clove: Stack, browser: Browser) -> None:
    seller = Seller(clove)
    system = seller.opened(areas_requirement(slug=SLUG, payment="kakaopay", refund_policy="consumer_standard"))
    site = clove.site(SLUG)
    site.sign_up(f"{SLUG}@example.kr", name="김서연")
    area = site.get("/api/seat/plan")["areas"][0]["id"]
    hold = site.call("POST", "/api/seat/performances/p1/holds", json={"areas": [{"area": area, "quantity": 2}]}).json()
    order = site.buy(hold)
    price = order["places"][0]["price_krw"]
    assert order["status"] == "ISSUED"

    page = logged_in(browser, clove, SELLER, width=390)
    page.goto(f"{clove.portal}/systems/{system}/attendees?q=김서연")
    page.get_by_role("link", name=order["number"]).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(order["number"])
    well(page)

    page.get_by_role("checkbox").nth(1).uncheck()
    page.get_by_role("button", name="Show what goes back").click()
    expect(page.locator("#why-error")).to_contain_text("Choose a reason.")
    expect(page.get_by_role("checkbox").nth(1)).not_to_be_checked()
    page.get_by_label("Why?").select_option("illness")
    page.get_by_label("Note").fill("전화로 부탁함")
    page.get_by_role("button", name="Show what goes back").click()
    expect(page.get_by_role("heading", level=2)).to_contain_text("Refund 1 ticket?")
    well(page)
    page.get_by_role("button", name=f"Refund ₩{price:,}").click()
    expect(page.get_by_role("status")).to_contain_text(f"₩{price:,} goes back to the buyer.")
    expect(page.locator("main")).to_contain_text("전화로 부탁함")
    well(page)
    page.context.close()

    seen = site.get(f"/api/ticket/orders/{order['id']}")
    assert (seen["status"], seen["refunded_krw"], len(seen["by_organiser"])) == ("ISSUED", price, 1)
    until("the place is free", lambda: seller.get(f"systems/{system}/sales")["seat"]["performances"][0]["sold"] == 1)
    rows = seller.get(f"systems/{system}/bookings/{order['id']}")["history"]
    assert [(row["reason"], row["why"], row["note"]) for row in rows if row["what"] == "given_back"] == [
        ("organiser", "illness", "전화로 부탁함")
    ]
    statement = seller.get(f"systems/{system}/settlement")
    assert (statement["refunded_krw"], statement["by_organiser_krw"], statement["kept_krw"]) == (price, price, price)


def well(page: Page) -> None:
    """Nothing is wider than the phone, and axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page)
    assert found.violations_count == 0, re.sub(r"\s+", " ", found.generate_report())[:2000]
