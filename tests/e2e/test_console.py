"""The admin console in a browser, with real services: what is asked of one there is what runs a moment later."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stack import Stack

ADMIN, SELLER = "admin@clove.localhost", "seller@clove.localhost"
EXAMPLE = "star-station"
PHONE = {"width": 390, "height": 844}


def logged_in(browser: Browser, clove: Stack, email: str, *, width: int = 1280) -> Page:
    page = browser.new_context(locale="en-US", viewport={"width": width, "height": 844}).new_page()
    page.goto(f"{clove.portal}/login")
    page.fill("input[name=username]", email)
    page.fill("input[name=password]", clove.password_of(email))
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


@pytest.fixture
def example(clove: Stack) -> int:
    """Number of the example's booking system."""
    answer = clove.api().get(f"{clove.portal}/api/v1/systems", timeout=30).json()
    return int(next(system["id"] for system in answer["results"] if system["slug"] == EXAMPLE))


def test_a_service_is_scaled_up_and_down_from_the_console(clove: Stack, browser: Browser, example: int) -> None:
    page = logged_in(browser, clove, ADMIN)
    address = f"{clove.portal}/console/systems/{example}/"
    for copies in ("2", "1"):
        page.goto(f"{address}scale/web/")
        page.fill("#id_replicas", "0")
        page.click("form.ask button")
        expect(page.locator("#id_replicas-error")).to_be_visible()
        page.fill("#id_replicas", copies)
        page.click("form.ask button")
        expect(page.get_by_role("row", name="spec.replicas")).to_contain_text(copies)
        page.click("button[name=confirm]")
        row = page.get_by_role("row", name="web Buyer pages")
        for _ in range(60):
            if f"{copies}/{copies}" in row.inner_text() and "under way" not in page.content():
                break
            page.wait_for_timeout(500)
            page.reload()
        expect(row).to_contain_text(f"{copies}/{copies}")
        expect(row).to_contain_text("Healthy")
    page.context.close()


def test_on_a_phone_the_open_tab_is_in_view(clove: Stack, browser: Browser, example: int) -> None:
    page = logged_in(browser, clove, SELLER, width=PHONE["width"])
    page.goto(f"{clove.portal}/systems/{example}/history")

    box = page.locator(".tabs [aria-current]").bounding_box()

    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    assert page.evaluate("window.scrollY") == 0
    page.context.close()


def test_on_a_phone_no_list_scrolls_sideways_and_each_line_says_what_it_is(clove: Stack, browser: Browser) -> None:
    page = logged_in(browser, clove, ADMIN, width=PHONE["width"])
    for path in ("systems/bookingsystem", "systems/operation", "systems/revision", "pool/image", "accounts/user", "lib/auditrow"):
        page.goto(f"{clove.portal}/console/{path}/")
        expect(page.locator("#result_list td[data-label]").first).to_be_visible()
        within = page.evaluate(
            "[document.documentElement, document.querySelector('.results')].every((each) => each.scrollWidth <= each.clientWidth)"
        )
        assert within, path
    page.goto(f"{clove.portal}/console/systems/bookingsystem/")
    expect(page.locator("#result_list .field-state_shown").first).to_have_attribute("data-label", "State")
    page.context.close()
