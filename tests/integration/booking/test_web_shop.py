"""Merchandise on the pages: pictures, options, stock; bought by itself and beside a booking; pick-up code; given back piece by piece."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.site import WAIT_MS, approve, buy, call, hold, sign_up


def test_options_have_prices_and_stocks_of_their_own(tab: Page) -> None:
    tab.goto("/shop")
    picture = tab.get_by_test_id("product-program").locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.complete && image.naturalWidth") == 96
    expect(tab.get_by_test_id("product-badge")).to_contain_text("Sold out")
    tee = tab.get_by_test_id("product-tee")
    expect(tee).to_contain_text("₩35,000 – ₩37,000")
    tee.get_by_role("button", name="One more: 티셔츠").press("Enter")
    size = tee.get_by_label("사이즈")
    expect(size).to_be_focused()
    expect(size.locator("option:disabled")).to_have_text(["Please choose", "L – Sold out"])
    size.select_option("xl")
    expect(tee).to_contain_text("9 left")
    tee.get_by_role("button", name="One more: 티셔츠 XL").press("Enter")
    size.select_option("m")
    for _ in range(7):
        tee.get_by_role("button", name="One more: 티셔츠 M").press("Enter")
    expect(tee.get_by_role("status")).to_have_text("4")
    expect(tee).to_contain_text("At most 5 per person")
    expect(tab.locator("#cart").get_by_role("listitem")).to_have_count(2)
    expect(tab.get_by_test_id("cart-total")).to_have_text("₩177,000")
    tab.reload()
    expect(tab.get_by_test_id("cart-total")).to_have_text("₩177,000")


def test_merchandise_is_bought_picked_up_by_code_and_given_back_in_part(tab: Page) -> None:
    sign_up(tab.context)
    tab.goto("/shop")
    program = tab.get_by_role("button", name="One more: 프로그램북")
    for _ in range(3):
        program.press("Enter")
    tab.get_by_test_id("order-products").click()
    tab.wait_for_url(re.compile("/pc/"))
    tab.get_by_role("button", name="Approve the payment").click()
    expect(tab.get_by_test_id("pickup-code")).to_have_text(re.compile(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$"))

    tab.get_by_test_id("cancel-order").click()
    expect(tab.get_by_test_id("refund-amount")).to_have_text("₩45,000")
    tab.get_by_role("dialog").get_by_role("button", name="One less: 프로그램북").press("Enter")
    tab.get_by_role("dialog").get_by_role("button", name="One less: 프로그램북").press("Enter")
    expect(tab.get_by_test_id("refund-amount")).to_have_text("₩15,000")
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.get_by_test_id("given-back")).to_have_text("1 cancelled")
    expect(tab.get_by_test_id("pickup-code")).to_be_visible()
    tab.get_by_test_id("cancel-order").click()
    expect(tab.get_by_test_id("refund-amount")).to_have_text("₩30,000")
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")


def test_merchandise_chosen_at_checkout_is_paid_after_the_tickets(tab: Page) -> None:
    sign_up(tab.context)
    tab.goto(f"/checkout/{hold(tab.context, {'best': {'quantity': 1}})}")
    tab.get_by_test_id("extras-open").click()
    tab.get_by_role("button", name="One more: 프로그램북").press("Enter")
    expect(tab.get_by_test_id("extras-total")).to_contain_text("₩15,000 for merchandise")
    expect(tab.get_by_test_id("total")).to_have_text("₩150,000")
    tab.get_by_test_id("agree").check()
    tab.get_by_test_id("pay").click()
    approve(tab)
    expect(tab.get_by_test_id("extras-waiting")).to_contain_text("프로그램북")
    booking = tab.url
    tab.get_by_test_id("extras-pay").click()
    tab.wait_for_url(re.compile("/pc/"))
    tab.get_by_role("button", name="Approve the payment").click()
    expect(tab.get_by_test_id("pickup-code")).to_be_visible()
    tab.get_by_role("link", name="Bought with these tickets").click()
    expect(tab).to_have_url(booking)
    expect(tab.get_by_test_id("extras-order")).to_contain_text("프로그램북 × 1")
    expect(tab.get_by_test_id("extras-waiting")).to_have_count(0)


def test_merchandise_can_be_added_to_a_booking_later(tab: Page) -> None:
    sign_up(tab.context)
    booking = buy(tab, {"best": {"quantity": 1}})
    tab.get_by_test_id("extras-shop").click()
    expect(tab.locator("#beside")).to_contain_text("beside your booking")
    tab.get_by_role("button", name="One more: 프로그램북").press("Enter")
    tab.get_by_test_id("order-products").click()
    tab.wait_for_url(re.compile("/pc/"))
    tab.get_by_role("button", name="Approve the payment").click()
    expect(tab.get_by_test_id("pickup-code")).to_be_visible()
    tab.goto(booking)
    expect(tab.get_by_test_id("extras-order")).to_be_visible()


def test_a_piece_given_back_without_hearing_the_answer_is_not_given_back_twice(browser: Browser, site: Booking) -> None:
    context = browser.new_context(locale="en-GB", base_url=site.public_url)
    context.set_default_timeout(WAIT_MS)
    tab = context.new_page()
    sign_up(context)
    tab.goto("/shop")
    for _ in range(3):
        tab.get_by_role("button", name="One more: 프로그램북").press("Enter")
    tab.get_by_test_id("order-products").click()
    tab.wait_for_url(re.compile("/pc/"))
    tab.get_by_role("button", name="Approve the payment").click()
    tab.get_by_test_id("cancel-order").click()
    for _ in range(2):
        tab.get_by_role("dialog").get_by_role("button", name="One less: 프로그램북").press("Enter")
    asked: list[str] = []

    def lose(route: Route) -> None:
        asked.append(route.request.url)
        route.fetch()
        route.abort()

    context.route("**/refunds", lose)
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.get_by_role("dialog").get_by_role("alert")).not_to_be_empty()
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.get_by_test_id("given-back")).to_have_text("1 cancelled")
    assert len(asked) == 1
    context.close()


def test_an_order_that_ended_before_its_answer_was_heard_is_made_anew(browser: Browser, site: Booking) -> None:
    context = browser.new_context(locale="en-GB", base_url=site.public_url)
    context.set_default_timeout(WAIT_MS)
    tab = context.new_page()
    sign_up(context)
    tab.goto("/shop")
    tab.get_by_role("button", name="One more: 프로그램북").press("Enter")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    context.route("**/api/merch/orders", lose, times=1)
    tab.get_by_test_id("order-products").click()
    expect(tab.locator("#problem")).not_to_be_empty()
    (order,) = call(context, "GET", "/api/merch/orders")["orders"]
    call(context, "POST", f"/api/merch/orders/{order['id']}/cancel")  # as its time's end does
    tab.get_by_test_id("order-products").click()
    tab.wait_for_url(re.compile("/pc/"))
    context.close()


def test_what_was_ordered_in_one_tab_does_not_wait_in_another(tab: Page) -> None:
    sign_up(tab.context)
    booking = buy(tab, {"best": {"quantity": 1}})
    other = tab.context.new_page()
    other.goto("/shop")
    tab.goto("/shop")
    tab.get_by_role("button", name="One more: 프로그램북").press("Enter")
    expect(other.get_by_test_id("cart-total")).to_have_text("₩15,000")
    beside = tab.context.new_page()
    beside.goto(booking)
    expect(beside.get_by_test_id("extras-waiting")).to_be_visible()
    tab.get_by_test_id("order-products").click()
    tab.wait_for_url(re.compile("/pc/"))
    expect(other.get_by_test_id("cart-total")).to_have_text("–")
    expect(other.get_by_test_id("order-products")).to_have_attribute("aria-disabled", "true")
    expect(beside.get_by_test_id("extras-waiting")).to_have_count(0)


@pytest.mark.slow
def test_a_payment_service_that_does_not_answer_is_not_taken_for_the_shop(browser: Browser, site: Booking) -> None:
    context = browser.new_context(locale="en-GB", base_url=site.public_url)
    context.set_default_timeout(WAIT_MS)
    tab = context.new_page()
    sign_up(context)
    said = {"code": "payment_unavailable", "detail": "The payment service is not answering. Nothing was charged."}
    context.route("**/api/merch/orders", lambda route: route.fulfill(status=503, json=said), times=1)
    tab.goto("/shop")
    tab.get_by_role("button", name="One more: 프로그램북").press("Enter")
    tab.get_by_test_id("order-products").click()
    expect(tab.locator("#problem")).to_contain_text("The payment service is not answering.")
    tab.get_by_test_id("order-products").click()
    tab.wait_for_url(re.compile("/pc/"))
    context.close()


@pytest.mark.slow
def test_all_orders_of_the_shop_are_found_however_many_there_are(tab: Page) -> None:
    sign_up(tab.context)
    for _ in range(21):
        order = call(tab.context, "POST", "/api/merch/orders", {"items": [{"product": "program", "quantity": 1}]})["id"]
        call(tab.context, "POST", f"/api/merch/orders/{order}/cancel")
    tab.goto("/orders")
    rows = tab.get_by_test_id("shop-order")
    expect(rows).to_have_count(20)
    tab.locator("#shop-list").get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(21)
    expect(tab.locator("#shop-list").get_by_role("button")).to_have_count(0)


def test_who_gives_the_tickets_back_is_told_that_the_merchandise_is_not(tab: Page) -> None:
    sign_up(tab.context)
    booking = buy(tab, {"best": {"quantity": 1}})
    wish = {"items": [{"product": "program", "quantity": 2}], "ticket_order": booking.rpartition("/")[2]}
    call(tab.context, "POST", "/api/merch/orders", wish)
    tab.get_by_test_id("cancel-order").click()
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.locator("#order").get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")
    extras = tab.get_by_test_id("extras")
    expect(extras).to_contain_text("is not cancelled with them")
    expect(extras.get_by_test_id("extras-order")).to_contain_text("프로그램북 × 2")
    expect(extras.get_by_test_id("extras-shop")).to_have_count(0)


def test_what_the_organiser_gives_back_says_so(site: Booking, tab: Page) -> None:
    sign_up(tab.context)
    tab.goto("/shop")
    program = tab.get_by_role("button", name="One more: 프로그램북")
    for _ in range(2):
        program.press("Enter")
    tab.get_by_test_id("order-products").click()
    tab.wait_for_url(re.compile("/pc/"))
    tab.get_by_role("button", name="Approve the payment").click()
    expect(tab.get_by_test_id("pickup-code")).to_be_visible()
    order = call(tab.context, "GET", f"/api/merch/orders/{tab.url.rsplit('/', 1)[-1]}")

    def give_back(**wanted: object) -> None:
        headers = {"Authorization": f"Bearer {site.staff_token('content')}"}
        address = f"{site.url('merch')}/api/merch/pickups/{order['id']}/refunds"
        answer = tab.request.post(address, data={"why": "fault", "note": "only for us", **wanted}, headers=headers)
        assert answer.status == 201, answer.text()

    give_back(items=[{"item": order["items"][0]["id"], "quantity": 1}])
    tab.reload()
    expect(tab.get_by_test_id("by-organiser")).to_have_text("Refunded by the organiser · 1 piece · ₩15,000")
    expect(tab.get_by_test_id("pickup-code")).to_be_visible()
    give_back()
    tab.reload()
    expect(tab.get_by_role("heading", name="The organiser refunded this order")).to_be_visible()
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")
    expect(tab.locator("body")).not_to_contain_text("only for us")


@pytest.mark.parametrize(
    ("is_called_off", "words"),
    [
        (False, "The event is over, so nothing is sold here any more."),
        (True, "The event was called off, so nothing is sold here any more."),
    ],
)
def test_once_the_event_is_over_the_shop_says_so_and_sells_nothing(tab: Page, is_called_off: bool, words: str) -> None:
    def over(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"on_sale": False, "is_called_off": is_called_off})

    tab.route("**/api/merch/products", over)
    tab.goto("/shop")
    expect(tab.locator("#problem")).to_contain_text(words)
    expect(tab.get_by_test_id("order-products")).to_be_hidden()
    expect(tab.get_by_test_id("products")).to_be_hidden()
    expect(tab.locator("#problem").get_by_role("link", name="My bookings")).to_have_attribute("href", "/orders")
