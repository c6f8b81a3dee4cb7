"""The main job in a browser: a seller's form becomes a booking system, a buyer gets a ticket there and gives it back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.stack import Stack

DEPLOY_MS = 60_000
PAGE_MS = 20_000
SELLER = {"name": "한강기획", "email": "hangang@example.com", "password": "moonlit-river-42"}
BUYER = {"name": "김하나", "email": "hana@example.com", "password": "correct-horse-9"}


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    made.set_default_timeout(PAGE_MS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_up_seller(page: Page, clove: Stack, email: str) -> None:
    page.goto(f"http://localhost:{clove.port}/signup")
    page.get_by_label("Name").fill(SELLER["name"])
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(SELLER["password"])
    page.get_by_role("button", name="Sign up").click()


def deploy_example(page: Page, clove: Stack, example: str, title: str) -> str:
    """Fill in the form from an example, review, deploy; the buyer site's address."""
    page.goto(f"http://localhost:{clove.port}/systems/new")
    page.get_by_role("button", name=re.compile(example)).click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Address of the buyer site").fill("")
    page.get_by_role("button", name="Review and price").click()
    expect(page.get_by_role("heading", name="This is what you get")).to_be_visible()
    expect(page.get_by_text("clove/be-auth")).to_be_visible()
    expect(page.get_by_text("a month")).to_be_visible()
    page.get_by_role("button", name="Deploy", exact=True).click()
    address = page.locator(".address-card__url")
    expect(address).to_be_visible(timeout=DEPLOY_MS)
    return str(address.get_attribute("href"))


def sign_up_buyer(page: Page, email: str) -> None:
    page.get_by_label("Name").fill(BUYER["name"])
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(BUYER["password"])
    page.get_by_test_id("submit").click()


def test_a_sellers_form_becomes_a_buyers_ticket_and_back(clove: Stack, page: Page, browser: Browser) -> None:
    sign_up_seller(page, clove, SELLER["email"])
    site = deploy_example(page, clove, "With an example.*Musical", "한강의 밤").rstrip("/")

    buyer = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900}).new_page()
    buyer.set_default_timeout(PAGE_MS)
    buyer.goto(f"{site}/signup")
    sign_up_buyer(buyer, BUYER["email"])
    expect(buyer.get_by_role("heading", name="한강의 밤")).to_be_visible()
    buyer.get_by_test_id("book").click()

    # By keyboard, on the drawn map: the arrow key moves, Enter chooses.
    seats = buyer.get_by_test_id("seat-map").get_by_role("button")
    seats.first.focus()
    buyer.keyboard.press("Enter")
    buyer.keyboard.press("ArrowRight")
    buyer.keyboard.press("Enter")
    expect(buyer.get_by_test_id("selection").get_by_role("listitem")).to_have_count(2)
    buyer.get_by_test_id("hold").click()

    expect(buyer.get_by_test_id("countdown")).to_be_visible()
    buyer.get_by_test_id("agree").check()
    buyer.get_by_test_id("pay").click()
    expect(buyer.get_by_text("No money moves")).to_be_visible()
    buyer.get_by_role("button", name="Approve the payment").click()

    expect(buyer).to_have_url(re.compile(r"/orders/"))
    tickets = buyer.locator("a[href^='/tickets/']")
    expect(tickets.first).to_be_visible()
    order = buyer.url
    tickets.first.click()
    expect(buyer.locator("img[src*='qr.svg']")).to_be_visible()

    page.get_by_role("link", name="Who booked").first.click()
    expect(page.get_by_role("table").get_by_text(BUYER["name"]).first).to_be_visible()

    buyer.goto(order)
    buyer.get_by_test_id("cancel-order").click()
    buyer.get_by_test_id("cancel-confirm").click()
    expect(buyer.get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")

    buyer.goto(f"{site}/account")
    buyer.get_by_test_id("delete-account").click()
    buyer.get_by_role("dialog").get_by_label("Password").fill(BUYER["password"])
    buyer.get_by_test_id("delete-confirm").click()
    expect(buyer.get_by_test_id("login-link")).to_be_visible()
