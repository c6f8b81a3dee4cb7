"""The seat page when nothing is free: it says so, offers nothing that cannot be had, and sells again when something comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, areas_content, seats_content
from tests.integration.booking.site import WAIT_MS, Console, open_site
from tests.needs import need

PLACES = 3
SOLD_OUT = "This performance is sold out."
RETURNING = "may come back"


@pytest.fixture(scope="module", params=[True, False], ids=["seats", "areas"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    need("chromium")
    services, is_numbered = ["auth", "event", "seat", "ticket", "web"], request.param
    content = two_grades() if is_numbered else areas_content(capacity=PLACES, performances=2)
    with Booking(services, tmp_path_factory.mktemp("house"), numbered=is_numbered, payment="none", merchandise=False) as one:
        open_site(one, content)
        yield one


def two_grades() -> dict[str, Any]:
    """The last seat is of another grade than the others."""
    content = seats_content(seats=PLACES, performances=2)
    content["grades"].append({"name": "S", "price_krw": 30_000})
    content["plan"]["categories"].append({"name": "S"})
    content["plan"]["zones"][0]["rows"][0]["seats"][-1]["category"] = "S"
    return content


@pytest.fixture
def page(browser: Browser, house: Booking) -> Iterator[Page]:
    made: BrowserContext = browser.new_context(locale="en-GB", base_url=house.public_url, viewport={"width": 390, "height": 844})
    made.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    console = Console(made)
    yield made.new_page()
    made.close()
    assert console.said == []


def test_nothing_is_offered_until_something_comes_back(page: Page, house: Booking) -> None:
    other, told, panel = Buyer(house), page.get_by_test_id("sold-out"), page.locator("#panel")
    page.goto("/performances/p1")
    expect(panel).to_be_visible()
    expect(told).to_be_empty()
    hold = take_all(other)
    expect(told).to_contain_text(SOLD_OUT)
    expect(told).to_contain_text(RETURNING)
    for gone in (panel, page.get_by_test_id("hold"), page.get_by_test_id("best"), page.locator(".stepper")):
        expect(gone.filter(visible=True)).to_have_count(0)
    assert other.call("DELETE", "seat", f"holds/{hold}").status == 204
    expect(panel).to_be_visible()
    expect(told).to_be_empty()
    expect(page.locator("#announce")).to_have_text("Places have come back.")
    assert other.order(take_all(other)).status == 201
    expect(told).to_contain_text(SOLD_OUT)
    page.reload()
    expect(told).to_contain_text(SOLD_OUT)
    expect(told).not_to_contain_text(RETURNING)
    expect(panel).to_be_hidden()


@pytest.mark.parametrize("house", [True], ids=["seats"], indirect=True)
def test_the_best_seats_are_not_offered_of_a_grade_that_is_gone(page: Page, house: Booking) -> None:
    other, best = Buyer(house), page.get_by_test_id("best")
    page.goto("/performances/p2")
    best.click()
    expect(page.locator("#best-grade option:disabled")).to_have_count(0)
    page.locator("#best-grade").select_option("S")
    page.locator("#best-cancel").click()
    held = other.hold(seats=[f"1-{PLACES}"], performance="p2")
    assert held.status == 201
    expect(page.locator("#legend")).to_contain_text("Sold out")
    best.click()
    expect(page.locator("#best-grade option:disabled")).to_have_text("S seat · ₩30,000 · Sold out")
    expect(page.locator("#best-grade")).to_have_value("")
    page.locator("#best-cancel").click()
    assert other.call("DELETE", "seat", f"holds/{held.json()['id']}").status == 204
    expect(page.locator("#legend")).not_to_contain_text("Sold out")
    best.click()
    expect(page.locator("#best-grade option:disabled")).to_have_count(0)


def take_all(buyer: Buyer) -> str:
    """The id of a hold of every place."""
    is_numbered = buyer.call("GET", "seat", "plan").json()["numbered"]
    answer = buyer.hold(best=PLACES) if is_numbered else buyer.hold(area=PLACES)
    assert answer.status == 201, answer.data
    return str(answer.json()["id"])
