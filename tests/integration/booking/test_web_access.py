"""The pages for everybody: axe finds nothing on any of them in either language, and a keyboard is enough to buy a ticket."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer
from tests.integration.booking.site import WAIT_MS, Console, buy, call, door_link, hold, sign_up

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TABS_MAX = 120


@pytest.fixture(params=[pytest.param(("en-GB", 1280), id="English, wide"), pytest.param(("ko-KR", 390), id="Korean, on a phone")])
def reader(request: pytest.FixtureRequest, browser: Browser, site: Booking) -> Iterator[BrowserContext]:
    locale, width = request.param
    is_phone = width < 600
    made = browser.new_context(
        locale=locale,
        base_url=site.public_url,
        viewport={"width": width, "height": 860},
        is_mobile=is_phone,
        has_touch=is_phone,
        reduced_motion="reduce",
    )
    made.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    console = Console(made)
    yield made
    made.close()
    assert console.said == []


def test_axe_finds_nothing_where_tickets_are_bought(visitor: BrowserContext) -> None:
    page = visitor.new_page()
    sign_up(visitor)
    checkout = f"/checkout/{hold(visitor, {'best': {'quantity': 1}}, performance='p2')}"
    wrong = {path: found for path in ("/", checkout) if (found := look(page, path, "en"))}
    assert wrong == {}


@pytest.mark.slow
def test_axe_finds_nothing_on_any_page(reader: BrowserContext) -> None:
    page = reader.new_page()
    language = "ko" if page.evaluate("navigator.language").startswith("ko") else "en"
    wrong = {
        path: found for path in ("/", "/performances/p1", "/login", "/signup", "/forgot-password") if (found := look(page, path, language))
    }
    sign_up(reader)
    order = buy(page, {"best": {"quantity": 2}})
    ticket = str(page.get_by_test_id("ticket").first.get_attribute("href"))
    wish = {"items": [{"product": "tee", "option": "m", "quantity": 1}]}
    product = call(reader, "POST", "/api/merch/orders", wish)["id"]
    checkout = f"/checkout/{hold(reader, {'best': {'quantity': 1}}, performance='p2')}"
    for path in (checkout, "/orders", order, ticket, "/account", "/shop", f"/shop/orders/{product}", "/reset-password"):
        if found := look(page, path, language):
            wrong[path] = found
    page.goto(order)
    page.get_by_test_id("cancel-order").click()
    expect(page.get_by_test_id("refund-amount")).to_be_visible()
    if found := violations(page):
        wrong["giving back"] = found
    assert wrong == {}


@pytest.mark.slow
def test_axe_finds_nothing_on_the_page_at_the_door(reader: BrowserContext, unpaid: Booking) -> None:
    page = reader.new_page()
    code = Buyer(unpaid).buy(best=1)["tickets"][0]["code"]
    page.goto(door_link(unpaid))
    expect(page.locator("#performance option")).to_have_count(2)
    wrong = {"open": found} if (found := violations(page)) else {}
    language = "ko" if page.evaluate("navigator.language").startswith("ko") else "en"
    expect(page.locator("html")).to_have_attribute("lang", language)
    for name, block in (("due", ".ask:not(.paid)"), ("paid", ".ask.paid")):
        if name == "due":
            page.locator("#code").fill(code)
            page.keyboard.press("Enter")
        else:
            page.locator("#verdict button").click()
        expect(page.locator(block)).to_be_visible()
        if found := violations(page):
            wrong[name] = found
    page.evaluate("localStorage.removeItem('clove-door-list:')")
    page.route("**/scans?*", lambda route: route.fulfill(content_type="text/html", body="<p>Log in to this network"))
    page.locator("#code").fill(code)
    page.keyboard.press("Enter")
    expect(page.locator("#verdict.bad, #verdict.warn")).to_be_visible()
    if found := violations(page):
        wrong["without the network"] = found
    assert wrong == {}


def look(page: Page, path: str, language: str) -> list[str]:
    page.goto(path)
    expect(page.locator("html.is-ready")).to_be_visible()
    expect(page.locator("#loading")).to_be_hidden()
    expect(page.locator("html")).to_have_attribute("lang", language)
    return violations(page)


def violations(page: Page) -> list[str]:
    """What axe has to say, a line a rule and place."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]})
    assert found.response["passes"], "axe has looked"
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found.response["violations"]
        for node in rule["nodes"][:3]
    ]


COVERED = """() => {
    const it = document.activeElement.labels?.[0] ?? document.activeElement;
    const { left, top, width, height } = it.getBoundingClientRect();
    const parts = [[0.5, 0.5], [0.05, 0.1], [0.95, 0.1], [0.05, 0.9], [0.95, 0.9]];
    const isSeen = ([x, y]) => it.contains(document.elementFromPoint(left + width * x, top + height * y));
    return parts.some(isSeen) ? null : document.activeElement.outerHTML.slice(0, 120);
}"""
"""What has the focus, when nothing of it is to be seen (WCAG 2.4.11)."""


@pytest.mark.parametrize(("width", "height"), [pytest.param(320, 256, id="400 %"), pytest.param(640, 400, id="200 %")])
def test_what_has_the_focus_is_seen_however_much_the_page_is_enlarged(browser: Browser, site: Booking, width: int, height: int) -> None:
    """A window of 1280 × 1024 at 400 % is one of 320 × 256 CSS pixels."""
    context = browser.new_context(
        locale="en-GB", base_url=site.public_url, viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    context.set_default_timeout(WAIT_MS)
    sign_up(context)
    page = context.new_page()
    covered, reached = [], 0
    for path in ("/", "/performances/p1", f"/checkout/{hold(context, {'best': {'quantity': 1}}, performance='p3')}"):
        page.goto(path)
        expect(page.locator("html.is-ready")).to_be_visible()
        expect(page.locator("#loading")).to_be_hidden()
        for _ in range(TABS_MAX):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                break
            reached += 1
            page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            if found := page.evaluate(COVERED):
                covered.append(f"{path[:12]}: {found}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()
    assert reached > 20
    assert covered == []


def press_until(page: Page, selector: str) -> None:
    """Tab on until the focus is on what SELECTOR means, and is to be seen there."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
            assert width > 0, f"the focus on {selector} cannot be seen"
            return
    pytest.fail(f"{selector} is not reached with the Tab key")


def test_a_keyboard_is_enough_to_buy_a_ticket(tab: Page) -> None:
    tab.goto("/signup")
    press_until(tab, "#name")
    tab.keyboard.type("김하나")
    press_until(tab, "#email")
    tab.keyboard.type(f"{uuid.uuid4().hex}@example.com")
    press_until(tab, "#password")
    tab.keyboard.type("correct-horse-9")
    tab.keyboard.press("Enter")
    expect(tab.get_by_test_id("book")).to_be_visible()
    press_until(tab, "[data-testid=book]")
    tab.keyboard.press("Enter")
    expect(tab.get_by_test_id("seat-map").get_by_role("button").first).to_be_visible()
    press_until(tab, ".seat")
    while tab.evaluate("document.activeElement.dataset.state") != "free":
        tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    expect(tab.get_by_test_id("selection").get_by_role("listitem")).to_have_count(1)
    press_until(tab, "[data-testid=hold]")
    tab.keyboard.press("Enter")
    expect(tab.get_by_test_id("countdown")).to_be_visible()
    press_until(tab, "[data-testid=agree]")
    tab.keyboard.press("Space")
    press_until(tab, "[data-testid=pay]")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("button", name="Approve the payment")).to_be_visible()
    press_until(tab, "button[value=approve]")
    tab.keyboard.press("Enter")
    expect(tab.get_by_test_id("ticket")).to_have_count(1)
    press_until(tab, "[data-testid=ticket]")
    tab.keyboard.press("Enter")
    expect(tab.get_by_test_id("qr")).to_be_visible()
