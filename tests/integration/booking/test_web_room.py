"""The waiting room in a browser: it counts, keeps the place over a reload, goes on by itself, and says what is wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, seats_content
from tests.integration.booking.site import WAIT_MS, Console, open_site, put, sign_up
from tests.needs import need

SLOW, STEADY, QUICK = 6, 60, 60_000
"""One in ten seconds, one in one, a thousand in one."""
WORDS = {
    "en-GB": (
        "You are in the queue",
        "ahead of you",
        "It is your turn",
        "No place of this performance is left",
        "Places have come back",
        "its sales have ended",
    ),
    "ko-KR": ("대기열", "앞에", "차례가 되었습니다", "이 회차에는 남은 자리가 없습니다", "다시 나왔습니다", "판매가 끝나"),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    need("chromium")
    with Booking(["auth", "event", "seat", "ticket", "web"], tmp_path_factory.mktemp("room"), payment="none", merchandise=False) as one:
        yield one


@pytest.fixture
def content(house: Booking) -> dict[str, Any]:
    """On sale, with a room that is new: whoever waited before is in, and so is the first to come."""
    made = seats_content(seats=60, performances=2)
    open_site(house, made | {"admit_per_minute": 0})
    for rate in (QUICK, SLOW):  # what a minute at the slow one would leave of the burst
        put(house, "seat", made | {"admit_per_minute": rate})
    return made


@pytest.fixture
def locale() -> str:
    """Where a test reads words it asks for each language in turn."""
    return "ko-KR"


@pytest.fixture
def context(browser: Browser, house: Booking, locale: str) -> Iterator[BrowserContext]:
    made = browser.new_context(locale=locale, base_url=house.public_url, viewport={"width": 390, "height": 844})
    made.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    yield made
    made.close()


def room(house: Booking) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{house.public_url}/api/seat/room", timeout=10).json()
    return found


def others_come(house: Booking, count: int) -> None:
    with requests.Session() as session:
        for _ in range(count):
            session.post(f"{house.public_url}/api/seat/room/turns", json={}, timeout=10).raise_for_status()


def ask_again(page: Page) -> None:
    """As when a person comes back to the tab."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def pause(house: Booking, *, is_paused: bool) -> None:
    headers = {"Authorization": f"Bearer {house.staff_token('content')}"}
    requests.put(f"{house.public_url}/api/seat/room", json={"is_paused": is_paused}, headers=headers, timeout=10).raise_for_status()


def ahead(page: Page) -> int:
    return int(page.get_by_test_id("room-ahead").inner_text().replace(",", ""))


@pytest.mark.parametrize("locale", list(WORDS))
def test_it_waits_counts_and_goes_on_by_itself(house: Booking, content: dict[str, Any], context: BrowserContext, locale: str) -> None:
    title, tab, turn, *_ = WORDS[locale]
    console = Console(context)
    sign_up(context)
    put(house, "seat", content | {"admit_per_minute": STEADY})
    others_come(house, 10)
    page = context.new_page()
    page.goto("/performances/p1")

    expect(page.get_by_role("heading", name=re.compile(title))).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile(title))).to_be_focused()
    expect(page.get_by_test_id("hold")).to_be_hidden()
    assert 1 <= ahead(page) <= 10
    expect(page).to_have_title(re.compile(tab))
    before = ahead(page)
    expect(page.get_by_test_id("room-ahead")).not_to_have_text(f"{before}")

    expect(page.locator("#announce-now")).to_contain_text(turn, timeout=3 * WAIT_MS)
    expect(page.get_by_test_id("room")).to_be_hidden()
    page.locator('.seat[data-state="free"]').first.press("Enter")
    page.get_by_test_id("hold").click()
    expect(page).to_have_url(re.compile("/checkout/"))
    assert console.said == []


def test_a_reload_and_a_second_tab_keep_the_place(house: Booking, content: dict[str, Any], context: BrowserContext) -> None:
    others_come(house, 40)
    page = context.new_page()
    page.goto("/performances/p1")
    expect(page.get_by_test_id("room")).to_be_visible()
    given, mine = room(house)["given"], page.evaluate("localStorage.getItem('clove.turn')")

    page.reload()
    expect(page.get_by_test_id("room")).to_be_visible()
    second = context.new_page()
    second.goto("/performances/p2")
    expect(second.get_by_test_id("room")).to_be_visible()

    assert page.evaluate("localStorage.getItem('clove.turn')") == mine
    assert room(house)["given"] == given


def test_two_tabs_that_are_opened_at_once_have_one_place(house: Booking, content: dict[str, Any], context: BrowserContext) -> None:
    others_come(house, 40)
    given = room(house)["given"]
    asked: list[str] = []

    def late(route: Route) -> None:
        asked.append(route.request.post_data or "")
        time.sleep(0.3)  # so that the second tab is open before the first is answered
        route.continue_()

    context.route("**/api/seat/room/turns", late)
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto("/performances/p1", wait_until="commit")
    for page in (first, second):
        expect(page.get_by_test_id("room-ahead")).to_be_visible()

    assert len(asked) == 2
    assert room(house)["given"] == given + 1


def test_a_tab_in_the_background_says_in_its_title_that_it_is_ones_turn(
    house: Booking, content: dict[str, Any], context: BrowserContext
) -> None:
    others_come(house, 2)
    page = context.new_page()
    page.goto("/performances/p1")
    expect(page).to_have_title(re.compile("앞에"))
    put(house, "seat", content | {"admit_per_minute": QUICK})
    looked_away = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})"
    page.evaluate(f"document.dispatchEvent(new Event('visibilitychange')); {looked_away}")  # it asks, and before it is answered

    expect(page).to_have_title(re.compile("차례"))
    page.evaluate("delete document.hidden")
    ask_again(page)
    expect(page).not_to_have_title(re.compile("차례"))


def test_while_it_is_paused_the_page_says_so_and_goes_on_after(house: Booking, content: dict[str, Any], context: BrowserContext) -> None:
    pause(house, is_paused=True)
    try:
        page = context.new_page()
        page.goto("/performances/p1")
        expect(page.get_by_test_id("room-paused")).to_be_visible()
        put(house, "seat", content | {"admit_per_minute": QUICK})
    finally:
        pause(house, is_paused=False)
    ask_again(page)
    expect(page.get_by_test_id("room")).to_be_hidden()
    expect(page.locator('.seat[data-state="free"]').first).to_be_visible()


def test_who_has_the_page_open_when_the_sale_opens_gets_a_number_then(
    house: Booking, content: dict[str, Any], context: BrowserContext
) -> None:
    opens_at = (datetime.now(UTC) + timedelta(seconds=12)).isoformat()
    put(house, "seat", content | {"admit_per_minute": SLOW, "sales": content["sales"] | {"opens_at": opens_at}})
    pause(house, is_paused=True)
    try:
        page = context.new_page()
        page.goto("/performances/p1")
        expect(page.locator(".seat").first).to_be_visible()
        assert page.evaluate("localStorage.getItem('clove.turn')") is None
        expect(page.get_by_test_id("room-paused")).to_be_visible(timeout=3 * WAIT_MS)
        assert page.evaluate("localStorage.getItem('clove.turn')")
        put(house, "seat", content | {"admit_per_minute": QUICK, "sales": content["sales"] | {"opens_at": opens_at}})
    finally:
        pause(house, is_paused=False)
    ask_again(page)
    expect(page.get_by_test_id("room")).to_be_hidden(timeout=3 * WAIT_MS)
    expect(page.locator('.seat[data-state="free"]').first).to_be_visible()


def test_seats_that_do_not_answer_cost_nobody_their_place(house: Booking, content: dict[str, Any], context: BrowserContext) -> None:
    others_come(house, 40)
    page = context.new_page()
    page.goto("/performances/p1")
    expect(page.get_by_test_id("room-ahead")).to_be_visible()
    mine = page.evaluate("localStorage.getItem('clove.turn')")
    house.kill("seat")
    try:
        page.reload()
        expect(page.get_by_test_id("room-down")).to_be_visible()
        assert page.evaluate("localStorage.getItem('clove.turn')") == mine
    finally:
        house.restart("seat")
    # Dispatched, for the page may have asked again by itself by now, and the button be gone.
    page.locator("#room-again").dispatch_event("click")
    expect(page.get_by_test_id("room-down")).to_be_hidden()
    assert 25 <= ahead(page) <= 41


def test_who_chose_before_the_queue_formed_waits_and_keeps_the_choice(
    house: Booking, content: dict[str, Any], context: BrowserContext
) -> None:
    sign_up(context)
    page = context.new_page()
    page.goto("/performances/p1")
    page.locator('.seat[data-state="free"]').first.press("Enter")
    page.evaluate("localStorage.removeItem('clove.turn')")  # as one whose turn is over
    others_come(house, 40)

    page.get_by_test_id("hold").click()
    expect(page.get_by_test_id("room")).to_be_visible()
    put(house, "seat", content | {"admit_per_minute": QUICK})
    ask_again(page)

    expect(page.get_by_test_id("room")).to_be_hidden()
    expect(page.locator("#announce")).to_contain_text("선택")
    page.get_by_test_id("hold").click()
    expect(page).to_have_url(re.compile("/checkout/"))


def test_another_accounts_turn_is_given_up_for_one_of_ones_own(house: Booking, content: dict[str, Any], context: BrowserContext) -> None:
    others_come(house, 2)
    page = context.new_page()
    sign_up(context)
    page.goto("/performances/p1")
    expect(page.get_by_test_id("room")).to_be_visible()
    put(house, "seat", content | {"admit_per_minute": QUICK})
    ask_again(page)
    expect(page.get_by_test_id("room")).to_be_hidden()
    page.locator('.seat[data-state="free"]').first.press("Enter")
    mine = page.evaluate("localStorage.getItem('clove.turn')")
    pause(house, is_paused=True)
    try:
        taken = Buyer(house).call("POST", "seat", "performances/p1/holds", {"best": {"quantity": 1}}, **{"X-Clove-Turn": mine})
        assert taken.status == 201, taken.data
        page.get_by_test_id("hold").click()
        expect(page.get_by_test_id("room")).to_be_visible()
    finally:
        pause(house, is_paused=False)
    assert page.evaluate("localStorage.getItem('clove.turn')") != mine


@pytest.mark.parametrize("locale", list(WORDS))
def test_who_waits_is_told_when_nothing_is_left_and_when_something_is_again(
    house: Booking, content: dict[str, Any], context: BrowserContext, locale: str
) -> None:
    gone, back, over = WORDS[locale][3:]
    others_come(house, 40)
    page = context.new_page()
    page.goto("/performances/p2")  # of which no test before holds anything
    expect(page.get_by_test_id("room-ahead")).to_be_visible()
    expect(page.get_by_test_id("room-left")).to_be_empty()

    seats = [seat["seat_guid"] for zone in content["plan"]["zones"] for row in zone["rows"] for seat in row["seats"]]
    block(house, seats)
    told(house, page, gone)
    assert page.get_by_test_id("room").is_visible(), "who likes may go on waiting"
    block(house, [])
    told(house, page, back)
    ended = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    put(house, "seat", content | {"admit_per_minute": SLOW, "sales": content["sales"] | {"closes_at": ended}})
    told(house, page, over)


def block(house: Booking, seats: list[str]) -> None:
    """Take exactly SEATS of p2 off sale."""
    headers = {"Authorization": f"Bearer {house.staff_token('content')}"}
    requests.put(
        f"{house.public_url}/api/seat/performances/p2/blocked", json={"seats": seats}, headers=headers, timeout=10
    ).raise_for_status()


def told(house: Booking, page: Page, text: str) -> None:
    """PAGE shows TEXT, and says it to screen readers without interrupting them. Places are counted as event pages ask for them."""
    shown = page.get_by_test_id("room-left")
    deadline = time.monotonic() + WAIT_MS / 1000
    while not re.search(text, shown.inner_text()):
        assert time.monotonic() < deadline, text
        requests.get(f"{house.public_url}/api/seat/performances", timeout=10).raise_for_status()
        ask_again(page)
        page.wait_for_timeout(300)
    expect(page.locator("#announce")).to_contain_text(re.compile(text))
