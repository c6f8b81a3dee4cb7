"""The requirement form in a browser, where its script saves while one types: nothing that is typed gets lost or is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, Route, expect

from tests.e2e.test_purchase import PAGE_MS, sign_up_seller
from tests.stack import Stack

PLAN = "charlotte.json"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    made.set_default_timeout(PAGE_MS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, clove: Stack, request: pytest.FixtureRequest) -> Page:
    """An empty form."""
    page = context.new_page()
    sign_up_seller(page, clove, f"{request.node.name[-30:]}@example.com")
    page.goto(f"http://localhost:{clove.port}/systems/new")
    page.get_by_role("button", name="With an empty form").click()
    expect(page.get_by_label("Title")).to_be_visible()
    return page


def asks_for(request: Request, action: str) -> bool:
    return request.method == "POST" and f'name="action"\r\n\r\n{action}\r\n'.encode() in (request.post_data_buffer or b"")


def saved(text: str) -> Callable[[Response], bool]:
    """Whether an answer is that to a save that had TEXT in it."""
    return lambda answer: asks_for(answer.request, "save") and answer.ok and text.encode() in (answer.request.post_data_buffer or b"")


def test_a_plan_that_is_chosen_in_a_tab_that_is_behind_overwrites_nothing(page: Page, context: BrowserContext) -> None:
    other = context.new_page()
    other.goto(page.url)
    with other.expect_response(saved("aus dem anderen Tab")):
        other.get_by_label("Title").fill("aus dem anderen Tab")

    page.locator("#plan_source").select_option(PLAN)

    expect(page.locator("[data-save-state]")).to_contain_text("changed in another tab")
    other.reload()
    expect(other.get_by_label("Title")).to_have_value("aus dem anderen Tab")
    expect(other.locator(".plan__drawing")).to_have_count(0)
    # A button sends what stands here, in full knowledge of the other.
    page.get_by_role("button", name="Continue later").click()
    expect(page.get_by_text("changed in another tab")).to_be_visible()


def test_what_is_typed_while_a_plan_is_worked_out_is_saved(page: Page) -> None:
    held: list[Route] = []
    page.route("**/drafts/*", lambda route: held.append(route) if asks_for(route.request, "plan") else route.continue_())
    with page.expect_request(lambda request: asks_for(request, "plan")):
        page.locator("#plan_source").select_option(PLAN)
    page.get_by_label("Title").fill("nebenbei getippt")

    with page.expect_response(saved("nebenbei getippt")):
        held[0].continue_()

    expect(page.locator(".plan__drawing")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("nebenbei getippt")
    expect(page.locator(".plan__drawing")).to_be_visible()
