"""A ticket that was paid at the door, on its buyer's pages: no button gives it back, and what comes back is the organiser's to give."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import seats_content
from tests.integration.booking.site import WAIT_MS, Console, buy, call, door_link, open_site, sign_up

PRICE = "₩150,000"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    """Where tickets are paid for at the door, with its pages."""
    with Booking(["auth", "event", "seat", "ticket", "web"], tmp_path_factory.mktemp("door"), payment="none") as one:
        open_site(one, seats_content(seats=40))
        yield one


@pytest.fixture
def tab(browser: Browser, door: Booking) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", base_url=door.public_url, viewport={"width": 390, "height": 860})
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    console = Console(context)
    yield context.new_page()
    context.close()
    assert [each for each in console.said if "409 (Conflict)" not in each] == []  # which one test asks for


def booked(tab: Page, quantity: int) -> tuple[str, list[dict[str, Any]]]:
    """The path of an order, and its tickets."""
    sign_up(tab.context)
    path = buy(tab, {"best": {"quantity": quantity}})
    return path, tickets_of(tab.context, path)


def tickets_of(context: BrowserContext, path: str) -> list[dict[str, Any]]:
    return list(call(context, "GET", f"/api/ticket{path}")["tickets"])


def paid(door: Booking, ticket: dict[str, Any]) -> None:
    """The door takes its price."""
    key = door_link(door).rpartition("key=")[2]
    said = {"payments": [{"code": ticket["code"], "at": datetime.now(UTC).isoformat()}]}
    answer = requests.post(f"{door.public_url}/api/ticket/door/payments", json=said, headers={"X-Scanner-Key": key}, timeout=20)
    assert answer.json()["results"][0]["result"] == "paid"


def given_back(door: Booking, path: str, ticket: dict[str, Any]) -> None:
    """The organiser takes it back by hand."""
    body = {"fee_krw": 0, "why": "illness", "tickets": [ticket["id"]], "at_door_krw": 150_000}
    headers = {"Authorization": f"Bearer {door.staff_token('content')}"}
    address = f"{door.public_url}/api/ticket/bookings/{path.rsplit('/', 1)[-1]}/refunds"
    assert requests.post(address, json=body, headers=headers, timeout=20).status_code == 201


def test_what_was_paid_at_the_door_has_no_button_and_says_whom_to_ask(door: Booking, tab: Page) -> None:
    path, (ticket,) = booked(tab, 1)
    expect(tab.get_by_test_id("door-due")).to_have_text(PRICE)
    expect(tab.get_by_test_id("cancel-order")).to_be_visible()
    paid(door, ticket)
    tab.reload()
    expect(tab.get_by_test_id("door-paid")).to_have_text(PRICE)
    expect(tab.get_by_text("Please ask the organiser, who gives the money back.")).to_be_visible()
    expect(tab.get_by_test_id("cancel-order")).to_have_count(0)
    expect(tab.get_by_test_id("door-due")).to_have_count(0)
    tab.goto(f"/tickets/{ticket['id']}")
    expect(tab.get_by_test_id("ticket-paid")).to_have_text("Paid at the entrance")

    given_back(door, path, ticket)
    tab.goto(path)
    expect(tab.locator("#outcome-title")).to_have_text("The organiser cancelled this booking")
    expect(tab.get_by_test_id("door-given-back")).to_have_text(PRICE)
    expect(tab.get_by_text("Nothing was charged")).to_have_count(0)


def test_the_other_ticket_of_a_booking_can_still_be_given_back(door: Booking, tab: Page) -> None:
    _path, (one, two) = booked(tab, 2)
    paid(door, one)
    tab.reload()
    expect(tab.get_by_text("Tickets that were paid at the entrance cannot be cancelled here.")).to_be_visible()
    tab.get_by_test_id("cancel-order").click()
    dialog = tab.get_by_role("dialog")
    expect(dialog.get_by_role("checkbox")).to_have_count(1)
    expect(tab.get_by_test_id("cancel-confirm")).not_to_have_attribute("aria-disabled", "true")
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.get_by_test_id("ticket")).to_have_count(1)
    expect(tab.get_by_test_id("ticket")).to_have_attribute("href", f"/tickets/{one['id']}")
    assert two["id"] != one["id"]


def test_what_is_taken_while_the_dialog_stands_open_is_not_cancelled(door: Booking, tab: Page) -> None:
    _path, (ticket,) = booked(tab, 1)
    tab.get_by_test_id("cancel-order").click()
    expect(tab.get_by_test_id("cancel-confirm")).not_to_have_attribute("aria-disabled", "true")
    paid(door, ticket)
    with tab.expect_response(lambda response: response.url.endswith("/refunds")) as answered:
        tab.get_by_test_id("cancel-confirm").click()
    assert answered.value.json()["code"] == "paid_at_door"
    expect(tab.get_by_role("dialog")).to_contain_text("ask the organiser")
    assert tickets_of(tab.context, _path)[0]["status"] == "LIVE"
