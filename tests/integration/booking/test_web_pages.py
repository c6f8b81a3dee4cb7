"""The buyers' pages in a browser when things do not go as planned: others are faster, logins and time run out, a service is down."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import open_sales, seats_content
from tests.needs import need

PASSWORD = "correct-horse-9"
WAIT_MS = 20_000


@pytest.fixture(scope="module")
def booking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    need("chromium")
    with Booking(["auth", "event", "seat", "ticket", "web"], tmp_path_factory.mktemp("web"), payment="none", merchandise=False) as one:
        content = seats_content(seats=200, performances=8, limit=3) | {"wheelchair": ["10-19"], "obstructed": ["10-20"]}
        open_sales(one, content)
        event = {
            "title": "오페라의 유령",
            "field": "musical",
            "venue": {"name": "샤롯데씨어터"},
            "performances": content["performances"],
            "sales": content["sales"],
        }
        headers = {"Authorization": f"Bearer {one.staff_token('content')}"}
        requests.put(f"{one.public_url}/api/event/content", json=event, headers=headers, timeout=10).raise_for_status()
        yield one


@pytest.fixture
def context(browser: Browser, booking: Booking) -> Iterator[BrowserContext]:
    made = browser.new_context(locale="en-GB", base_url=booking.public_url, viewport={"width": 1280, "height": 860})
    made.set_default_timeout(WAIT_MS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    expect.set_options(timeout=WAIT_MS)
    return context.new_page()


def sign_up(context: BrowserContext) -> None:
    """A new buyer, logged in in this browser."""
    body = {"name": "김하나", "email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    answer = context.request.post("/api/auth/signup", data=body, headers={"X-Clove-Request": "1"})
    assert answer.status == 201, answer.text()


def hold_elsewhere(booking: Booking, *seats: str) -> None:
    """Another buyer is faster."""
    headers = {"Authorization": f"Bearer {booking.buyer_token()}"}
    url = f"{booking.public_url}/api/seat/performances/p1/holds"
    requests.post(url, json={"seats": list(seats)}, headers=headers, timeout=10).raise_for_status()


def choose(page: Page, *seats: str) -> None:
    for seat in seats:
        page.locator(f'.seat[data-seat="{seat}"][data-state="free"]').press("Enter")
    expect(page.get_by_test_id("selection").get_by_role("listitem")).to_have_count(len(seats))


def test_keys_alone_choose_seats_on_the_map_and_the_limit_is_told(page: Page) -> None:
    page.goto("/performances/p1")
    seats = page.get_by_test_id("seat-map")
    first = seats.get_by_role("button", name="row 1 seat 1, R seat ₩150,000, free", exact=True)
    expect(first).to_have_attribute("tabindex", "0")
    first.focus()
    for _ in range(3):
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_attribute("data-seat", "2-4")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_have_text("One buyer can have at most 3 for this performance.")
    expect(page.get_by_test_id("selection").get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_test_id("total")).to_have_text("₩450,000")
    expect(seats.get_by_role("button", pressed=True)).to_have_count(3)


@pytest.mark.parametrize(("width", "height"), [(1280, 860), (390, 600)])
def test_no_seat_of_the_whole_plan_lies_under_the_buttons_that_zoom(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/performances/p1")
    expect(page.locator('.seat[data-seat="10-20"]')).to_be_visible()
    under = page.evaluate("""() => {
        const covers = [...document.querySelectorAll(".map__zoom button")].map((each) => each.getBoundingClientRect());
        const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
        const seats = [...document.querySelectorAll(".seat")];
        return seats.filter((seat) => covers.some((each) => meet(each, seat.getBoundingClientRect()))).map((seat) => seat.dataset.seat);
    }""")
    assert under == []


@pytest.mark.slow
def test_a_press_that_ends_outside_the_map_does_not_drag_it_along(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto("/performances/p1")
    seat = page.locator('.seat[data-seat="5-10"]')
    expect(seat).to_be_visible()
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    box = page.locator("#map").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] - 15, middle)
    page.mouse.up()
    before = seat.bounding_box()
    for x in (50, 150, 250):
        page.mouse.move(box["x"] + x, middle)
    page.evaluate("new Promise(requestAnimationFrame)")
    assert seat.bounding_box() == before


def test_what_is_special_about_a_seat_is_told_before_it_is_held(page: Page) -> None:
    page.goto("/performances/p1")
    signs = page.get_by_role("list", name="What the signs mean").get_by_role("listitem")
    expect(signs.filter(visible=True)).to_contain_text(
        ["Free", "Your choice", "Being booked", "Sold", "Wheelchair places", "Restricted view"]
    )
    chosen = page.get_by_test_id("selection").get_by_role("listitem")
    for number, words in (("19", "wheelchair place"), ("20", "restricted view")):
        page.locator(f'.seat[data-seat="10-{number}"]').press("Enter")
        expect(page.locator(".toast").last).to_have_text(f"row 10 seat {number}: {words}")
        expect(chosen.last).to_contain_text(f"R seat ₩150,000 · {words}")
    page.locator('.seat[data-seat="10-18"]').press("Enter")
    expect(chosen).to_have_count(3)
    expect(chosen.last).not_to_contain_text("·")


def test_the_list_offers_the_same_seats_as_the_map_and_shares_its_choice(page: Page) -> None:
    page.goto("/performances/p1")
    choose(page, "3-1")
    free = page.locator('.seat[data-state="free"]').count()
    page.get_by_test_id("view-list").click()
    listed = page.locator("#seatlist").get_by_role("button")
    expect(listed).to_have_count(free + 1)
    chosen = listed.and_(page.get_by_role("button", name="row 3 seat 1, R seat ₩150,000, chosen"))
    expect(chosen).to_have_attribute("aria-pressed", "true")
    chosen.click()
    expect(page.get_by_test_id("selection").get_by_role("listitem")).to_have_count(0)


def test_what_stays_in_the_list_is_left_alone_while_others_book(page: Page, booking: Booking) -> None:
    page.goto("/performances/p1")
    page.get_by_test_id("view-list").click()

    def listed(seat: str) -> Locator:
        return page.locator(f'#seatlist [data-seat="{seat}"]')

    box = listed("2-10").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    hold_elsewhere(booking, "3-20")
    expect(listed("3-20")).to_have_count(0)
    page.mouse.up()
    expect(page.get_by_test_id("selection").get_by_role("listitem")).to_have_text(re.compile("row 2 seat 10"))

    listed("3-18").focus()
    hold_elsewhere(booking, "3-18")
    expect(listed("3-18")).to_have_count(0)
    expect(listed("3-19")).to_be_focused()


def test_one_answer_that_is_lost_takes_no_note_with_it(page: Page, booking: Booking) -> None:
    page.goto("/performances/p1")
    choose(page, "4-5", "4-6")
    hold_elsewhere(booking, "4-5")
    expect(page.locator("#notices")).to_contain_text("row 4 seat 5")
    page.route("**/availability**", lambda route: route.abort(), times=1)
    with page.expect_event("requestfailed"):
        pass
    with page.expect_response("**/availability**"):
        pass
    hold_elsewhere(booking, "4-7")
    expect(page.locator('.seat[data-seat="4-7"]')).to_have_attribute("data-state", "held")
    expect(page.locator("#notices")).to_contain_text("row 4 seat 5")


def test_a_seat_that_somebody_else_takes_leaves_the_choice_by_name_and_the_rest_stays(page: Page, booking: Booking) -> None:
    page.goto("/performances/p1")
    choose(page, "4-1", "4-2")
    hold_elsewhere(booking, "4-1")
    expect(page.locator("#notices")).to_contain_text("row 4 seat 1")
    expect(page.get_by_test_id("selection").get_by_role("listitem")).to_have_count(1)
    expect(page.locator('.seat[data-seat="4-1"]')).to_have_attribute("data-state", "held")


def test_a_refused_hold_names_the_seats_and_keeps_the_others(context: BrowserContext, page: Page, booking: Booking) -> None:
    sign_up(context)
    page.goto("/performances/p1")
    choose(page, "5-1", "5-2")
    context.route(re.compile("/availability"), lambda route: route.abort())  # so that only the refusal can tell
    hold_elsewhere(booking, "5-2")
    page.get_by_test_id("hold").click()
    expect(page.locator("#notices")).to_contain_text("row 5 seat 2")
    expect(page.get_by_test_id("selection").get_by_role("listitem")).to_have_count(1)
    page.get_by_test_id("hold").click()
    expect(page).to_have_url(re.compile("/checkout/"))


def lose(route: Route) -> None:
    """The server does what it is asked to do, and nobody hears of it."""
    route.fetch()
    route.abort()


def test_seats_that_are_held_though_no_answer_came_are_gone_on_with(context: BrowserContext, page: Page) -> None:
    sign_up(context)
    page.goto("/performances/p1")
    choose(page, "5-5", "5-6")
    context.route("**/performances/p1/holds", lose, times=1)
    page.get_by_test_id("hold").click()
    expect(page).to_have_url(re.compile("/checkout/"))
    expect(page.locator("#summary")).to_contain_text("row 5 seat 5")


@pytest.mark.parametrize("is_asked_in_vain", [False, True], ids=["asked at once", "asked when one tries again"])
def test_the_best_seats_that_are_held_though_no_answer_came_are_not_held_twice(
    context: BrowserContext, page: Page, is_asked_in_vain: bool
) -> None:
    sign_up(context)
    with page.expect_response(re.compile("/api/seat/holds$")):
        page.goto("/performances/p7")
    context.route("**/performances/p7/holds", lose, times=1)
    if is_asked_in_vain:
        context.route(re.compile("/api/seat/holds$"), lambda route: route.abort(), times=1)
    page.get_by_test_id("best").click()
    page.get_by_test_id("best-hold").click()
    if is_asked_in_vain:
        expect(page.locator("#notices")).to_contain_text("We cannot be reached.")
        page.get_by_test_id("best").click()
        page.get_by_test_id("best-hold").click()
    expect(page).to_have_url(re.compile("/checkout/"))
    answer = context.request.get("/api/seat/holds")
    assert len(answer.json()["holds"]) == 1


def test_who_heard_nothing_of_a_hold_is_not_told_that_somebody_else_was_quicker(context: BrowserContext, page: Page) -> None:
    sign_up(context)
    page.goto("/performances/p1")
    choose(page, "5-8")
    context.route("**/performances/p1/holds", lose, times=1)
    context.route(re.compile("/api/seat/holds$"), lambda route: route.abort(), times=1)
    page.get_by_test_id("hold").click()
    page.locator("#notices").get_by_role("link", name="Continue to payment").click()
    expect(page).to_have_url(re.compile("/checkout/"))


def test_the_choice_survives_the_way_through_the_login(page: Page) -> None:
    page.goto("/performances/p1")
    choose(page, "6-1", "6-2")
    page.get_by_test_id("hold").click()
    expect(page).to_have_url(re.compile("/login"))
    page.locator(".entry").get_by_role("link", name="Sign up").click()
    page.get_by_label("Name").fill("김하나")
    page.get_by_label("E-mail").fill(f"{uuid.uuid4().hex}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_test_id("submit").click()
    expect(page).to_have_url(re.compile("/performances/p1"))
    expect(page.get_by_test_id("selection").get_by_role("listitem")).to_have_count(2)


def test_a_login_that_ran_out_is_renewed_without_a_word(context: BrowserContext, page: Page) -> None:
    sign_up(context)
    page.goto("/performances/p1")
    choose(page, "7-1")
    context.clear_cookies(name="clove_access")
    page.get_by_test_id("hold").click()
    expect(page).to_have_url(re.compile("/checkout/"))
    expect(page.locator("#name")).to_have_value("김하나")


def test_the_countdown_is_announced_and_its_end_is_told(context: BrowserContext, page: Page) -> None:
    sign_up(context)
    page.clock.install()
    page.goto("/performances/p1")
    choose(page, "8-1")
    page.get_by_test_id("hold").click()
    expect(page.get_by_test_id("countdown")).to_have_text(re.compile(r"^[67]:\d\d$"))
    page.get_by_test_id("extend").click()
    expect(page.get_by_test_id("countdown")).to_have_text(re.compile(r"^(9|10):\d\d$"))
    expect(page.get_by_test_id("extend")).to_be_hidden()
    page.clock.run_for(575_000)
    expect(page.locator("#announce-now")).to_contain_text("left to pay")
    page.clock.run_for(60_000)
    expect(page.get_by_role("heading", name="Your time has run out")).to_be_focused()
    expect(page.get_by_role("link", name="Choose again")).to_have_attribute("href", "/performances/p1")


def test_more_time_that_was_given_without_a_word_is_seen_when_it_is_asked_for_again(context: BrowserContext, page: Page) -> None:
    sign_up(context)
    page.goto("/performances/p1")
    choose(page, "8-5")
    page.get_by_test_id("hold").click()
    expect(page.get_by_test_id("countdown")).to_have_text(re.compile(r"^[67]:\d\d$"))
    context.route("**/extend", lose, times=1)
    page.get_by_test_id("extend").click()
    expect(page.locator(".toast")).to_be_visible()
    page.get_by_test_id("extend").click()
    expect(page.get_by_test_id("extend")).to_be_hidden()
    expect(page.get_by_test_id("countdown")).to_have_text(re.compile(r"^(9|10):\d\d$"))


def test_pressing_pay_twice_orders_once(context: BrowserContext, page: Page) -> None:
    sign_up(context)
    page.goto("/performances/p1")
    choose(page, "9-1", "9-2")
    page.get_by_test_id("hold").click()
    page.get_by_test_id("pay").click()
    expect(page.locator("#agree-error")).to_be_visible()
    expect(page.get_by_test_id("agree")).to_be_focused()
    page.get_by_test_id("agree").check()
    page.get_by_test_id("pay").dblclick()
    expect(page.get_by_test_id("ticket")).to_have_count(2)
    assert len(context.request.get("/api/ticket/orders").json()["orders"]) == 1


def test_while_very_many_order_the_page_says_so_and_comes_again_by_itself(context: BrowserContext, page: Page) -> None:
    asked: list[str] = []
    is_told: list[bool] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.headers["idempotency-key"])
        if is_told:
            route.continue_()
            return
        problem = {"code": "too_many_at_once", "status": 429, "title": "", "detail": ""}
        route.fulfill(status=429, json=problem, headers={"Retry-After": "0", "Content-Type": "application/problem+json"})

    sign_up(context)
    page.goto("/performances/p1")
    choose(page, "10-1")
    page.get_by_test_id("hold").click()
    page.get_by_test_id("agree").check()
    context.route("**/api/ticket/orders", refuse)
    page.get_by_test_id("pay").click()
    expect(page.locator("#problem")).to_contain_text("Your places stay held")
    is_told.append(True)
    expect(page.get_by_test_id("ticket")).to_have_count(1)
    assert len(asked) >= 2
    assert len(set(asked)) == 1, "the same order each time"


def test_somebody_elses_booking_is_not_told_apart_from_none(context: BrowserContext, page: Page) -> None:
    sign_up(context)
    page.goto(f"/orders/{uuid.uuid4()}")
    expect(page.get_by_text("There is no such booking in your account.")).to_be_visible()


def test_logging_out_leaves_nothing_to_read(context: BrowserContext, page: Page) -> None:
    sign_up(context)
    page.goto("/orders")
    expect(page.get_by_text("You have not booked anything here yet.")).to_be_visible()
    page.get_by_test_id("logout").click()
    expect(page.get_by_test_id("login-link")).to_be_visible()
    page.goto("/orders")
    expect(page).to_have_url(re.compile(r"/login\?next=%2Forders"))


def test_who_has_paid_in_another_tab_is_not_told_that_the_time_is_over(context: BrowserContext, page: Page) -> None:
    sign_up(context)
    page.goto("/performances/p6")
    choose(page, "9-5")
    page.get_by_test_id("hold").click()
    expect(page.get_by_test_id("countdown")).to_be_visible()
    other = context.new_page()
    other.goto(page.url)
    other.get_by_test_id("agree").check()
    other.get_by_test_id("pay").click()
    expect(other.get_by_test_id("ticket")).to_have_count(1)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # she comes back to it
    expect(page).to_have_url(re.compile("/orders$"))
    expect(page.get_by_test_id("order")).to_have_count(1)


def test_a_price_that_changes_while_one_looks_is_seen_on_the_map(page: Page, booking: Booking) -> None:
    """Pages are of the old plan for some seconds more, and its address is kept by the browser."""
    url, headers = f"{booking.public_url}/api/seat/content", {"Authorization": f"Bearer {booking.staff_token('content')}"}
    content = requests.get(url, headers=headers, timeout=10).json()
    dearer = [grade | {"price_krw": grade["price_krw"] + 10_000} for grade in content["grades"]]
    page.goto("/performances/p5")
    expect(page.locator("#legend")).to_contain_text("₩150,000")
    try:
        requests.put(url, json=content | {"grades": dearer}, headers=headers, timeout=10).raise_for_status()
        expect(page.locator("#legend")).to_contain_text("₩160,000")
        choose(page, "10-1")
        expect(page.get_by_test_id("total")).to_have_text("₩160,000")
    finally:
        requests.put(url, json=content, headers=headers, timeout=10).raise_for_status()


def test_days_can_be_chosen_from_the_moment_sales_open(page: Page, booking: Booking) -> None:
    url, headers = f"{booking.public_url}/api/seat/content", {"Authorization": f"Bearer {booking.staff_token('content')}"}
    content = requests.get(url, headers=headers, timeout=10).json()
    in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    requests.put(url, json=content | {"sales": content["sales"] | {"opens_at": in_an_hour}}, headers=headers, timeout=10).raise_for_status()
    try:
        page.goto("/performances/p5")
        expect(page.locator("#notices")).to_contain_text("Sales open")
        page.goto("/")
        days = page.get_by_role("radio", name=re.compile("Nothing can be booked on this day"))
        expect(days).to_have_count(8)
        expect(page.locator("#go")).to_contain_text("Sales open")
        days.nth(2).focus()
    finally:
        requests.put(url, json=content, headers=headers, timeout=10).raise_for_status()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(days).to_have_count(0)
    expect(page.locator("input[name=day]").nth(2)).to_be_focused()


def test_many_dates_do_not_make_the_page_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    expect(page.locator("#bar-button")).to_be_visible()
    assert page.locator(".day").count() == 8
    assert page.evaluate("document.documentElement.scrollWidth") == 390
