"""The page at the door when something is wrong: the phone's storage, clock or camera, the network, the key, or the code that is shown."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.integration.booking.door import attendees, enter, kept, read_as_staff
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, until
from tests.integration.booking.site import WAIT_MS, door_link

FULL = """() => { for (const size of [1e6, 1e4, 100, 1]) for (let n = 0; ; n += 1) {
    try { localStorage.setItem(`filler-${size}-${n}`, "x".repeat(size)) } catch { break }
} }"""
PRIVATE = """Object.defineProperty(window, "localStorage", { get() { throw new DOMException("denied", "SecurityError") } })"""
LOOKS = """{ const later = window.setTimeout; window.looks = 0;
    window.setTimeout = (each, ms, ...more) => { if (ms === 120) window.looks += 1; return later(each, ms, ...more) } }"""
REFUSED = """{ const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices); window.asked = 0;
    navigator.mediaDevices.getUserMedia = (wanted) => {
        window.asked += 1;
        return window.asked === 1 ? Promise.reject(new DOMException("no", "NotAllowedError")) : real(wanted);
    } }"""


@pytest.fixture
def order(buyer: Buyer) -> dict[str, Any]:
    """Of three tickets, for the performance that few others go to."""
    return buyer.buy(best=3, performance="p3")


@pytest.fixture
def door(browser: Browser, link: str) -> Iterator[Page]:
    """The page on a device without a camera, with its list."""
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_text("Connected")).to_be_visible()
    yield page
    context.close()


def is_used(site: Booking, ticket: dict[str, Any]) -> bool:
    return attendees(site)[ticket["id"]]["used_at"] is not None


def conflicts_of(site: Booking, ticket: dict[str, Any]) -> int:
    return len([each for each in read_as_staff(site, "door/conflicts")["conflicts"] if each["ticket_id"] == ticket["id"]])


def test_with_no_room_left_the_door_goes_on_and_says_what_is_lost_when_the_page_is_closed(
    door: Page, site: Booking, order: dict[str, Any]
) -> None:
    one, two, _ = order["tickets"]
    door.reload()
    expect(door.get_by_text("Connected")).to_be_visible()
    notice = door.get_by_text("This browser has no room, or is private")
    expect(notice).to_be_hidden()
    door.evaluate(FULL)
    door.context.set_offline(True)
    for ticket in (one, two):
        enter(door, ticket["code"])
        expect(door.locator("#verdict.good")).to_contain_text(ticket["place"]["seat"])
    expect(notice).to_be_visible()
    enter(door, one["code"])
    expect(door.locator("#verdict.bad")).to_contain_text("Already used")
    expect(door.get_by_text("2 scans to send")).to_be_visible()
    door.context.set_offline(False)
    expect(door.get_by_text("scans to send")).to_have_count(0)
    assert is_used(site, one)
    assert is_used(site, two)


def test_a_private_browser_that_keeps_nothing_opens_the_door_too(browser: Browser, site: Booking, link: str, order: dict[str, Any]) -> None:
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.add_init_script(PRIVATE)
    page.goto(link)
    expect(page.get_by_text("Connected")).to_be_visible()
    expect(page.get_by_text("This browser has no room, or is private")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Connected")).to_be_visible()
    context.set_offline(True)
    enter(page, order["tickets"][0]["code"])
    expect(page.locator("#verdict.good")).to_contain_text("checked without the network")
    context.set_offline(False)
    until("the scan is sent", lambda: is_used(site, order["tickets"][0]))
    context.close()


def test_what_was_torn_in_the_storage_does_not_keep_the_page_from_opening(door: Page, codes: list[str]) -> None:
    door.evaluate("for (const name of ['queue', 'seen', 'door', 'list:', 'clock']) localStorage.setItem(`clove-door-${name}`, '{\"torn')")
    door.reload()
    expect(door.get_by_text("Connected")).to_be_visible()
    enter(door, codes[0])
    expect(door.locator("#verdict.good")).to_contain_text("Admit")


def test_a_key_taken_back_lets_nobody_in_and_what_waited_is_sent_with_the_next_one(
    door: Page, site: Booking, order: dict[str, Any]
) -> None:
    before, after, later = order["tickets"]
    door.reload()
    expect(door.get_by_text("Connected")).to_be_visible()
    door.context.set_offline(True)
    enter(door, before["code"])
    expect(door.locator("#verdict.good")).to_contain_text("checked without the network")
    headers = {"Authorization": f"Bearer {site.staff_token('attendees')}"}
    url = f"{site.public_url}/api/ticket/scanners"
    for scanner in requests.get(url, headers=headers, timeout=20).json()["scanners"]:
        requests.delete(f"{url}/{scanner['id']}", headers=headers, timeout=20).raise_for_status()

    door.context.set_offline(False)
    expect(door.locator("#verdict.warn")).to_contain_text("This link has ended")
    expect(door.locator("#verdict.warn")).to_contain_text("it is sent when a new link is opened on this device")
    door.context.set_offline(True)
    enter(door, after["code"])
    expect(door.locator("#log li", has_text="! This link has ended").nth(1)).to_be_visible()
    assert [each["code"] for each in kept(door, "queue")] == [before["code"]]
    door.context.set_offline(False)
    assert not is_used(site, before)

    door.goto(door_link(site))  # in the same tab: to the browser it is the same page
    expect(door.get_by_text("Connected")).to_be_visible()
    until("what waited is sent", lambda: is_used(site, before))
    enter(door, later["code"])
    expect(door.locator("#verdict.good")).to_contain_text("Admit")


@pytest.mark.parametrize("days", [-400, 40])
def test_a_phone_whose_clock_is_wrong_tells_the_right_time_and_keeps_the_lists_of_what_is_to_come(
    browser: Browser, site: Booking, link: str, order: dict[str, Any], days: int
) -> None:
    (ticket, *_) = order["tickets"]
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.clock.set_fixed_time(datetime.now() + timedelta(days=days))
    page.goto(link)
    expect(page.get_by_text("Connected")).to_be_visible()
    page.evaluate("localStorage.removeItem('clove-door-list:')")
    page.get_by_label("Performance").select_option(index=3)
    until("another list is kept", lambda: kept(page, "list:p2"))
    context.set_offline(True)
    enter(page, ticket["code"])
    expect(page.locator("#verdict.good")).to_contain_text("checked without the network")
    context.set_offline(False)
    expect(page.get_by_text("scans to send")).to_have_count(0)
    assert abs(datetime.fromisoformat(attendees(site)[ticket["id"]]["used_at"]) - datetime.now(UTC)) < timedelta(minutes=5)
    context.close()


def test_a_list_of_unknown_age_is_an_old_one(door: Page) -> None:
    door.evaluate("navigator.serviceWorker.ready.then(() => true)")
    door.wait_for_function("() => localStorage.getItem('clove-door-list:')")
    door.context.set_offline(True)
    door.clock.set_fixed_time(datetime.now() - timedelta(hours=3))
    door.reload()
    expect(door.locator("#list.stale")).to_contain_text("Old list")
    expect(door.locator("#list.stale")).to_contain_text("(?)")


def test_of_all_performances_todays_are_meant(browser: Browser, site: Booking, link: str, buyer: Buyer) -> None:
    tonight, another = (buyer.buy(best=1, performance=each)["tickets"][0] for each in ("p1", "p2"))

    def with_one_today(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        told["performances"][0]["starts_at"] = datetime.now(UTC).isoformat()
        route.fulfill(response=answer, json=told)

    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    context.route("**/door?*", with_one_today)
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_text("Connected")).to_be_visible()
    enter(page, another["code"])
    day = page.get_by_label("Performance").locator("option").nth(2).inner_text()
    expect(page.locator("#verdict.bad")).to_contain_text("Another performance")
    expect(page.locator("#verdict.bad")).to_contain_text(day)
    assert not is_used(site, another)
    enter(page, tonight["code"])
    expect(page.locator("#verdict.good")).to_contain_text("Admit")
    page.get_by_label("Performance").select_option(index=1)
    enter(page, another["code"])
    expect(page.locator("#verdict.bad")).to_contain_text(day)  # as the server says
    page.get_by_label("Performance").select_option(index=2)
    enter(page, another["code"])
    expect(page.locator("#verdict.good")).to_contain_text("Admit")
    context.close()


def test_a_code_of_another_event_is_told_as_one_with_and_without_the_network(door: Page, codes: list[str]) -> None:
    raw = urlsafe_b64decode(codes[0] + "=" * (-len(codes[0]) % 4))
    other = urlsafe_b64encode(raw[:25] + b"\x05other" + raw[26 + raw[25] :]).rstrip(b"=").decode()
    for is_offline in (False, True):
        door.context.set_offline(is_offline)
        enter(door, other)
        expect(door.locator("#log li", has_text="✕ Not a ticket of this event")).to_have_count(1 + is_offline)
    for unreadable in ("https://example.org/" + "x" * 2000, "8801234567893", "🎭"):
        enter(door, unreadable)
        expect(door.locator("#verdict.bad")).to_contain_text("Not a valid ticket")


def test_one_picture_shown_twice_within_seconds_is_told_as_that(door: Page, site: Booking, order: dict[str, Any]) -> None:
    door.reload()
    expect(door.get_by_text("Connected")).to_be_visible()
    for is_offline, ticket in ((False, order["tickets"][0]), (True, order["tickets"][1])):
        door.context.set_offline(is_offline)
        enter(door, ticket["code"])
        expect(door.locator("#verdict.good")).to_contain_text("Admit")
        enter(door, ticket["code"])
        expect(door.locator("#verdict.warn")).to_contain_text(re.compile(r"Let in here \d+ s ago: good for one person"))
    assert conflicts_of(site, order["tickets"][0]) == 0


def test_a_code_that_stays_before_the_camera_is_looked_at_once_however_slow_the_network_is(phone: BrowserContext, link: str) -> None:
    page = phone.new_page()
    page.add_init_script(LOOKS)
    page.route("**/scans?let_in=false", lambda route: None)  # never answered
    page.goto(link)
    expect(page.locator("#log li", has_text="✓ Admit (checked without the network)")).to_be_visible()
    looks = page.evaluate("looks")
    page.wait_for_function("(before) => looks > before + 5", arg=looks)
    expect(page.locator("#log li")).to_have_count(1)


def test_answers_are_shown_in_the_order_in_which_codes_were_seen(door: Page, codes: list[str], order: dict[str, Any]) -> None:
    slow: list[Route] = []

    def first_slowly(route: Route) -> None:
        if codes[0] in (route.request.post_data or ""):
            slow.append(route)
        else:
            route.continue_()

    door.route("**/scans?let_in=false", first_slowly)
    enter(door, codes[0])
    expect(door.locator("#verdict[aria-busy]")).to_have_count(1)  # what it shows is not of this one
    enter(door, codes[1])
    slow[0].continue_()
    expect(door.locator("#log li", has_text="✓ Admit")).to_have_count(2)
    expect(door.locator("#verdict.good")).to_contain_text(order["tickets"][1]["place"]["label"])
    expect(door.locator("#verdict[aria-busy]")).to_have_count(0)


def test_a_sync_whose_answer_is_lost_is_made_again_without_harm(door: Page, site: Booking, order: dict[str, Any]) -> None:
    door.reload()
    expect(door.get_by_text("Connected")).to_be_visible()
    door.context.set_offline(True)
    for ticket in order["tickets"]:
        enter(door, ticket["code"])
        expect(door.locator("#verdict.good")).to_contain_text(ticket["place"]["seat"])
    lost: list[int] = []

    def lose_the_first(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    door.route("**/scans?let_in=true*", lose_the_first)
    door.context.set_offline(False)
    expect(door.get_by_text("scans to send")).to_have_count(0)
    assert lost == [200]
    expect(door.locator("#log li", has_text="Let in twice")).to_have_count(0)
    assert [conflicts_of(site, ticket) for ticket in order["tickets"]] == [0, 0, 0]


def test_of_two_phones_that_let_in_one_ticket_without_the_network_the_second_is_told_and_the_organiser_too(
    door: Page, browser: Browser, site: Booking, order: dict[str, Any]
) -> None:
    (ticket, *_) = order["tickets"]
    door.reload()
    other = browser.new_context(locale="en-GB")
    other.set_default_timeout(WAIT_MS)
    two = other.new_page()
    two.goto(door_link(site))
    for page in (door, two):
        expect(page.get_by_text("Connected")).to_be_visible()
        page.context.set_offline(True)
        enter(page, ticket["code"])
        expect(page.locator("#verdict.good")).to_contain_text("checked without the network")
    for page in (door, two):
        page.context.set_offline(False)
        expect(page.get_by_text("scans to send")).to_have_count(0)
    expect(door.locator("#log li", has_text="Let in twice")).to_have_count(0)
    expect(two.locator("#log li", has_text="! Let in twice while the network was away")).to_have_count(1)
    assert conflicts_of(site, ticket) == 1
    other.close()


def test_a_camera_that_was_refused_or_stops_is_started_again(phone: BrowserContext, link: str) -> None:
    page = phone.new_page()
    page.add_init_script(REFUSED)
    page.goto(link)
    expect(page.get_by_text("The camera cannot be used")).to_be_visible()
    page.get_by_role("button", name="Start the camera").press("Enter")
    expect(page.locator("#log li", has_text="✓ Admit")).to_be_visible()
    expect(page.get_by_role("button", name="Start the camera")).to_be_hidden()
    expect(page.locator("#code")).to_be_focused()
    page.evaluate("document.querySelector('video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    page.wait_for_function("() => asked === 3")
    expect(page.locator("video")).to_be_visible()


def test_who_has_a_keyboard_alone_decides_and_nothing_is_pressed_by_a_hand_scanner(door: Page, buyer: Buyer) -> None:
    door.context.set_offline(True)
    (ticket,) = buyer.buy(best=1)["tickets"]
    door.get_by_role("textbox").focus()
    door.keyboard.type(ticket["code"])
    door.keyboard.press("Enter")
    expect(door.get_by_role("alert")).to_contain_text("Sold after this list: you decide")
    expect(door.get_by_role("textbox")).to_be_focused()
    door.keyboard.press("Enter")
    assert kept(door, "queue") is None
    door.keyboard.press("Shift+Tab")
    expect(door.get_by_role("button", name="Let in")).to_be_focused()
    door.keyboard.press("Enter")
    expect(door.get_by_role("alert")).to_contain_text("Let in: you decided")
    expect(door.get_by_role("textbox")).to_be_focused()


def test_a_list_of_thousands_decides(browser: Browser, link: str, order: dict[str, Any], codes: list[str]) -> None:
    used = [f"018f0000-0000-7000-8000-{number:012d}" for number in range(5_000)] + [order["tickets"][0]["id"]]

    def with_thousands(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"used": used, "expected": 10_000, "arrived": len(used)})

    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    context.route("**/door?*", with_thousands)
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_text("5001 / 10000 arrived")).to_be_visible()
    context.set_offline(True)
    enter(page, codes[0])
    expect(page.locator("#verdict.bad")).to_contain_text("Already used")
    enter(page, codes[1])
    expect(page.locator("#verdict.good")).to_contain_text("checked without the network")
    assert len(json.dumps(kept(page, "list:"))) < 250_000
    context.close()


@pytest.mark.parametrize("trouble", ["killed", "frozen"])
def test_the_page_opens_from_what_is_kept_when_the_server_fails_or_never_answers(door: Page, site: Booking, trouble: str) -> None:
    door.evaluate("navigator.serviceWorker.ready.then(() => true)")
    door.reload()
    expect(door.get_by_text("Connected")).to_be_visible()
    if trouble == "killed":
        site.kill("ticket")
    else:
        site.freeze("ticket")
    try:
        door.reload()
        expect(door.get_by_role("button", name="Check")).to_be_visible()
        expect(door.locator("#list")).to_contain_text("List of ")
    finally:
        if trouble == "killed":
            site.restart("ticket")
        else:
            site.thaw("ticket")


def test_a_new_version_replaces_what_was_kept_of_the_one_before(door: Page) -> None:
    door.evaluate("navigator.serviceWorker.ready.then(() => true)")
    door.wait_for_function("() => caches.keys().then((names) => names.length === 1)")
    (name,) = door.evaluate("caches.keys()")
    assert re.fullmatch(r"clove-door-[0-9a-f]{16}", name)
    door.evaluate("caches.open('clove-door-2')")
    door.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.unregister())")
    door.reload()
    door.wait_for_function("() => caches.keys().then((names) => names.length === 1 && names[0] !== 'clove-door-2')")
