"""Giving tickets back on the pages: what it costs is told before buying and before it is taken; performances that are called off."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Standin, call_off, until
from tests.integration.booking.site import WAIT_MS, approve, buy, call, hold, sign_up


def test_what_cancelling_costs_is_told_before_anything_is_bought(tab: Page) -> None:
    tab.goto("/")
    expect(tab.locator("#terms")).to_contain_text("10% of the price")
    sign_up(tab.context)
    tab.goto(f"/checkout/{hold(tab.context, {'best': {'quantity': 1}})}")
    terms = tab.get_by_role("region", name="Cancelling")
    expect(terms).to_contain_text("You can cancel until")
    expect(terms.locator("dd")).to_have_text(["10% of the price", "90% of the price"])


def test_some_tickets_are_given_back_for_the_fee_that_was_shown(tab: Page) -> None:
    sign_up(tab.context)
    buy(tab, {"best": {"quantity": 3}})
    tab.get_by_test_id("cancel-order").click()
    dialog = tab.get_by_role("dialog", name="Cancel tickets?")
    amount = dialog.get_by_test_id("refund-amount")
    expect(amount).to_have_text("₩405,000")
    dialog.get_by_role("checkbox").nth(0).uncheck()
    expect(amount).to_have_text("₩270,000")
    for box in dialog.get_by_role("checkbox").all()[1:]:
        box.uncheck()
    expect(tab.get_by_test_id("cancel-confirm")).to_have_attribute("aria-disabled", "true")
    dialog.get_by_role("checkbox").nth(2).check()
    expect(dialog.get_by_test_id("refund-fee")).to_have_text("− ₩15,000")
    expect(amount).to_have_text("₩135,000")
    tab.get_by_test_id("cancel-confirm").click()

    expect(tab.get_by_test_id("ticket")).to_have_count(2)
    expect(tab.get_by_test_id("refunded")).to_have_text("₩135,000")
    expect(tab.get_by_test_id("fee-kept")).to_have_text("₩15,000")
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "ISSUED")

    tab.get_by_test_id("cancel-order").click()
    expect(amount).to_have_text("₩270,000")
    tab.keyboard.press("Escape")
    expect(tab.get_by_test_id("cancel-order")).to_be_focused()
    tab.get_by_test_id("cancel-order").click()
    expect(amount).to_have_text("₩270,000")
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")
    expect(tab.get_by_test_id("refunded")).to_have_text("₩405,000")


def test_what_the_organiser_gives_back_says_so(site: Booking, tab: Page) -> None:
    sign_up(tab.context)
    order = buy(tab, {"best": {"quantity": 3}}).rsplit("/", 1)[-1]
    tickets = call(tab.context, "GET", f"/api/ticket/orders/{order}")["tickets"]

    def give_back(*chosen: str) -> None:
        body = {"fee_krw": 0, "why": "illness", "note": "only for us"} | ({"tickets": list(chosen)} if chosen else {})
        headers = {"Authorization": f"Bearer {site.staff_token('content')}"}
        answer = tab.request.post(f"{site.url('ticket')}/api/ticket/bookings/{order}/refunds", data=body, headers=headers)
        assert answer.status == 201, answer.text()

    give_back(tickets[0]["id"])
    tab.reload()
    expect(tab.get_by_test_id("by-organiser")).to_have_text("Refunded by the organiser")
    expect(tab.get_by_test_id("given-up")).to_have_count(0)
    expect(tab.get_by_test_id("refunded")).to_have_text("₩150,000")
    expect(tab.get_by_test_id("fee-kept")).to_have_count(0)
    expect(tab.get_by_test_id("ticket")).to_have_count(2)
    give_back()
    tab.reload()
    expect(tab.get_by_role("heading", level=1)).to_have_text("The organiser refunded this booking")
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")
    expect(tab.locator("main")).not_to_contain_text("only for us")


def test_what_is_on_its_way_back_is_not_shown_as_a_fee(site: Booking, tab: Page) -> None:
    sign_up(tab.context)
    order = buy(tab, {"best": {"quantity": 3}}).rsplit("/", 1)[-1]
    fee = tab.get_by_test_id("fee-kept")

    def give_one_back() -> None:
        tab.get_by_test_id("cancel-order").click()
        for box in tab.get_by_role("dialog").get_by_role("checkbox").all()[1:]:
            box.uncheck()
        expect(tab.get_by_test_id("refund-amount")).to_have_text("₩135,000")
        tab.get_by_test_id("cancel-confirm").click()

    give_one_back()
    expect(fee).to_have_text("₩15,000")
    standin = Standin(site)
    standin.fault("5xx", "cancel", partner_order_id=order, times=0)
    give_one_back()
    expect(tab.get_by_test_id("ticket")).to_have_count(1)
    expect(tab.get_by_test_id("refunded")).to_have_text("₩135,000")
    expect(fee).to_have_count(0)
    standin.well()
    expect(tab.get_by_test_id("refunded")).to_have_text("₩270,000")
    expect(fee).to_have_text("₩30,000")


def test_what_was_given_back_at_the_provider_is_told_apart_and_no_fee_is_said_to_be_kept(site: Booking, tab: Page) -> None:
    sign_up(tab.context)
    order = buy(tab, {"best": {"quantity": 3}}).rsplit("/", 1)[-1]
    Standin(site).cancel(order, 100_000)
    tab.get_by_test_id("cancel-order").click()
    for box in tab.get_by_role("dialog").get_by_role("checkbox").all()[1:]:
        box.uncheck()
    expect(tab.get_by_test_id("refund-amount")).to_have_text("₩135,000")
    expect(tab.get_by_test_id("refund-fee")).to_have_text("− ₩15,000")
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.get_by_test_id("refunded")).to_have_text("₩235,000")
    expect(tab.get_by_test_id("refunded-outside")).to_have_text("₩100,000")
    expect(tab.get_by_test_id("fee-kept")).to_have_count(0)

    tab.get_by_test_id("cancel-order").click()
    expect(tab.get_by_test_id("refund-amount")).to_have_text("₩215,000")
    expect(tab.get_by_test_id("refund-before")).to_have_text("− ₩85,000")
    expect(tab.get_by_test_id("refund-fee")).to_have_count(0)
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")
    expect(tab.get_by_test_id("refunded")).to_have_text("₩450,000")
    expect(tab.get_by_test_id("fee-kept")).to_have_count(0)


def test_a_payment_that_was_cancelled_at_the_provider_before_it_was_booked_says_so(site: Booking, tab: Page) -> None:
    sign_up(tab.context)
    standin = Standin(site)
    tab.goto(f"/checkout/{hold(tab.context, {'best': {'quantity': 2}})}")
    tab.get_by_test_id("agree").check()
    tab.get_by_test_id("pay").click()
    tab.wait_for_url(re.compile("/pc/"))
    (order,) = [each["id"] for each in call(tab.context, "GET", "/api/ticket/orders")["orders"] if each["status"] == "PAYING"]
    standin.fault("lost_after", "approve", partner_order_id=order)
    standin.fault("5xx", "order", partner_order_id=order, times=0)
    approve(tab)
    standin.cancel(order, 200_000)
    standin.well()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Your payment was cancelled")
    expect(tab.get_by_test_id("refunded")).to_have_text("₩300,000")
    expect(tab.get_by_test_id("refunded-outside")).to_have_text("₩200,000")
    expect(tab.get_by_test_id("ticket")).to_have_count(0)


def test_a_ticket_is_kept_as_pdf_and_in_a_calendar(tab: Page) -> None:
    sign_up(tab.context)
    buy(tab, {"best": {"quantity": 2}})
    with tab.expect_download() as whole:
        tab.get_by_test_id("tickets-pdf").click()
    assert whole.value.suggested_filename.endswith(".pdf")
    tab.get_by_test_id("ticket").first.click()
    expect(tab.get_by_test_id("qr")).to_be_visible()
    with tab.expect_download() as pdf:
        tab.get_by_test_id("ticket-pdf").click()
    assert pdf.value.suggested_filename.endswith(".pdf")
    assert pdf.value.path().read_bytes().startswith(b"%PDF")
    with tab.expect_download() as calendar:
        tab.get_by_test_id("ticket-calendar").click()
    assert b"BEGIN:VEVENT" in calendar.value.path().read_bytes()
    # The login's short half has run out: it is renewed before the file is asked for.
    tab.context.clear_cookies(name="clove_access")
    tab.evaluate("localStorage.setItem('clove.renewed', String(Date.now() - 10 * 60 * 1000))")
    with tab.expect_download():
        tab.get_by_test_id("ticket-pdf").click()


def test_a_performance_that_is_called_off_says_so_everywhere(site: Booking, tab: Page, visitor: BrowserContext) -> None:
    sign_up(visitor)
    path = buy(tab, {"best": {"quantity": 2}}, performance="p3")
    ticket = tab.get_by_test_id("ticket").first.get_attribute("href")
    beside = {"items": [{"product": "program", "quantity": 1}], "ticket_order": path.rsplit("/", 1)[-1]}
    program = call(visitor, "POST", "/api/merch/orders", beside)
    tab.goto(program["payment"]["redirect_url"])
    approve(tab)
    watching, paying = visitor.new_page(), open_checkout(tab, site)
    watching.goto("/performances/p3")
    expect(watching.locator("#panel")).to_be_visible()
    expect(watching.locator("#loading")).to_be_hidden()
    call_off(site, "p3")

    expect(watching.locator("#notices")).to_contain_text("This performance was called off")
    expect(watching.locator("#panel")).to_be_hidden()
    expect(watching.locator("#map")).to_be_hidden()
    paying.get_by_test_id("agree").check()
    paying.get_by_test_id("pay").click()
    expect(paying.get_by_role("heading", level=1)).to_have_text("This performance was called off")
    paying.context.close()

    def told() -> list[str]:
        return [each["id"] for each in call(visitor, "GET", "/api/event/")["performances"] if each["is_called_off"]]

    until("the event service is told", lambda: told() == ["p3"])
    tab.goto("/")
    expect(tab.locator(".day.is-closed")).to_have_count(1)
    expect(tab.get_by_role("radio", name="Called off")).to_have_count(1)
    tab.locator(".day.is-closed").click()
    expect(tab.get_by_test_id("performance-p3")).to_contain_text("Called off")
    tab.goto("/performances/p3")
    expect(tab.get_by_role("heading", level=1)).to_have_text("This performance was called off")
    expect(tab.get_by_test_id("hold")).to_have_count(0)
    tab.goto("/orders")
    expect(tab.get_by_test_id("called-off")).to_be_visible()
    tab.goto(path)
    expect(tab.get_by_role("heading", level=1)).to_have_text("This performance was called off")
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")
    expect(tab.get_by_test_id("refunded")).to_have_text("₩300,000")
    expect(tab.get_by_test_id("compensation")).to_have_text("₩30,000")
    expect(tab.get_by_test_id("cancel-order")).to_have_count(0)
    expect(tab.get_by_test_id("extras")).to_be_hidden()
    tab.goto(str(ticket))
    expect(tab.get_by_test_id("ticket-card")).to_contain_text(re.compile("called off"))
    shop_order = f"/api/merch/orders/{program['id']}"
    until("the shop has given it back", lambda: call(visitor, "GET", shop_order)["status"] == "REFUNDED")
    tab.goto(f"/shop/orders/{program['id']}")
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")
    expect(tab.get_by_role("heading", level=1)).to_have_text("This performance was called off")


def open_checkout(tab: Page, site: Booking) -> Page:
    """Somebody else about to pay for a seat of p3, in a browser of their own: what is refused there is said on its console."""
    browser = tab.context.browser
    assert browser is not None
    context = browser.new_context(locale="en-GB", base_url=site.public_url)
    context.set_default_timeout(WAIT_MS)
    sign_up(context)
    page = context.new_page()
    page.goto(f"/checkout/{hold(context, {'best': {'quantity': 1}}, performance='p3')}")
    expect(page.get_by_test_id("countdown")).to_be_visible()
    return page


def test_who_gave_the_payment_up_can_pay_for_the_same_places_yet(tab: Page) -> None:
    sign_up(tab.context)
    checkout = f"/checkout/{hold(tab.context, {'best': {'quantity': 1}})}"
    for button in ("Cancel", "Approve the payment"):
        tab.goto(checkout)
        tab.get_by_test_id("agree").check()
        tab.get_by_test_id("pay").click()
        tab.wait_for_url(re.compile("/pc/"))
        tab.get_by_role("button", name=button).click()
        expect(tab).to_have_url(re.compile("/orders/"))
        status = "CANCELLED" if button == "Cancel" else "ISSUED"
        expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", status)


def test_tickets_given_back_without_hearing_the_answer_are_shown_so(browser: Browser, site: Booking) -> None:
    context = browser.new_context(locale="en-GB", base_url=site.public_url)
    context.set_default_timeout(WAIT_MS)
    tab = context.new_page()
    sign_up(context)
    buy(tab, {"best": {"quantity": 1}})

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    context.route("**/refunds", lose)
    tab.get_by_test_id("cancel-order").click()
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.get_by_role("dialog").get_by_role("alert")).not_to_be_empty()
    tab.keyboard.press("Escape")
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")
    context.close()
