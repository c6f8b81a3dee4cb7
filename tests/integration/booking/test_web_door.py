"""The page at the door: it reads codes with the camera, also in a browser that cannot by itself, and goes on without the network."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.booking_keys import new_key
from tests.integration.booking.door import attendees, enter, go_offline, kept, read_as_staff
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, until
from tests.integration.booking.site import WAIT_MS, door_link

USED = re.compile("Already used|Let in here")
"""By how long ago that was."""


def test_a_code_is_read_by_the_camera_and_checked_without_the_network(phone: BrowserContext, codes: list[str], link: str) -> None:
    page = phone.new_page()
    page.goto(link)
    verdict, waiting = page.get_by_role("alert"), page.get_by_text("scans to send")
    assert page.evaluate("'BarcodeDetector' in window") is False
    expect(page.locator("#log li", has_text="✓ Admit").first).to_be_visible()
    expect(page.get_by_text("Connected")).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    phone.set_offline(True)
    page.reload()
    expect(page.locator("video")).to_be_visible()
    expect(verdict).to_contain_text("Already used")  # known here, though the server's list is from before
    enter(page, codes[1])
    expect(page.locator("#log li", has_text="✓ Admit (checked without the network)")).to_be_visible()
    expect(waiting).to_contain_text("1 scans to send")
    enter(page, codes[1][:-4] + "AAAA")
    expect(page.locator("#log li", has_text="✕ Not a valid ticket")).to_be_visible()

    phone.set_offline(False)
    expect(waiting).to_have_count(0)
    expect(page.get_by_text("Connected")).to_be_visible()
    enter(page, codes[1])
    expect(page.locator("#log li", has_text=USED).first).to_be_visible()


def test_of_two_tabs_without_the_network_each_knows_whom_the_other_let_in(
    phone: BrowserContext, order: dict[str, Any], codes: list[str], link: str
) -> None:
    one, two = phone.new_page(), phone.new_page()
    for page, verdict in ((one, "✓ Admit"), (two, "✕ Already used")):
        page.goto(link)
        expect(page.get_by_text("Connected")).to_be_visible()
        expect(page.locator("#log li", has_text=verdict)).to_be_visible()  # what the camera sees is settled while the network is there
    phone.set_offline(True)
    enter(one, codes[1])
    expect(one.locator("#log li", has_text="✓ Admit (checked without the network)")).to_be_visible()
    enter(two, codes[1])
    expect(two.get_by_role("alert").filter(has_text="Already used")).to_contain_text(order["tickets"][1]["place"]["seat"])
    enter(two, codes[2])
    expect(two.locator("#log li", has_text="✓ Admit (checked without the network)")).to_be_visible()
    expect(two.get_by_text("2 scans to send")).to_be_visible()

    one.close()
    phone.set_offline(False)
    expect(two.get_by_text("scans to send")).to_have_count(0)


def test_who_was_let_in_without_the_network_with_a_ticket_given_back_is_told(
    phone: BrowserContext, buyer: Buyer, order: dict[str, Any], link: str, site: Booking
) -> None:
    page = phone.new_page()
    page.goto(link)
    expect(page.get_by_text("Connected")).to_be_visible()
    phone.set_offline(True)
    given_back = order["tickets"][1]
    body = {"tickets": [given_back["id"]], "fee_krw": 15_000}
    assert buyer.call("POST", "ticket", f"orders/{order['id']}/refunds", body).status == 200
    enter(page, given_back["code"])
    expect(page.locator("#log li", has_text="✓ Admit (checked without the network)").first).to_be_visible()

    phone.set_offline(False)
    expect(page.locator("#log li", has_text="! Let in while the network was away")).to_contain_text("(Cancelled)")
    told = [
        (each["kind"], each["scanner"])
        for each in read_as_staff(site, "door/conflicts")["conflicts"]
        if each["ticket_id"] == given_back["id"]
    ]
    assert told == [("cancelled", "정문")], "the organiser is told too, whatever becomes of the page"
    enter(page, given_back["code"])
    expect(page.locator("#log li", has_text="✕ Cancelled").first).to_be_visible()
    assert len([each for each in read_as_staff(site, "door/conflicts")["conflicts"] if each["ticket_id"] == given_back["id"]]) == 1


def test_a_ticket_sold_after_the_list_is_for_who_stands_at_the_door_to_decide(
    phone: BrowserContext, buyer: Buyer, link: str, site: Booking
) -> None:
    page = phone.new_page()
    page.goto(link)
    go_offline(phone, page)
    order = buyer.buy(best=3)
    good, given_back, waved_off = order["tickets"]
    for ticket in (good, given_back):
        enter(page, ticket["code"])
        expect(page.locator("#verdict.warn")).to_contain_text("Sold after this list: you decide")
        expect(page.locator("#verdict .ask")).to_contain_text("Valid signature, not yet on the list of ")
        page.get_by_role("button", name="Let in").click()
        expect(page.locator("#verdict.good")).to_contain_text(f"Let in: you decided{ticket['place']['seat']}")
    enter(page, good["code"])
    expect(page.locator("#verdict.bad")).to_contain_text("Already used")
    enter(page, waved_off["code"])
    expect(page.locator("#verdict.warn")).to_contain_text(waved_off["place"]["seat"])
    enter(page, waved_off["code"][:-4] + "AAAA")
    expect(page.locator("#verdict.bad")).to_contain_text("Not a valid ticket")
    assert [each["decided"] for each in kept(page, "queue")] == [True, True]

    refund = {"tickets": [given_back["id"]], "fee_krw": 15_000}
    assert buyer.call("POST", "ticket", f"orders/{order['id']}/refunds", refund).status == 200
    phone.set_offline(False)
    expect(page.locator("#log li", has_text="! Let in while the network was away")).to_contain_text("(Cancelled)")
    expect(page.get_by_text("scans to send")).to_have_count(0)
    told = {each["ticket_id"]: (each["kind"], each["decided"]) for each in read_as_staff(site, "door/conflicts")["conflicts"]}
    assert told.get(given_back["id"]) == ("cancelled", True)
    assert good["id"] not in told
    used = {each for each, told in attendees(site).items() if told["used_at"]}
    assert (good["id"] in used, waved_off["id"] in used) == (True, False)


def choose(page: Page, number: int) -> None:
    """The NUMBER-th performance; 0 for all."""
    page.get_by_label("Performance").select_option(index=number)


def keeps(page: Page, performance: str) -> None:
    """Wait until the page has the list of PERFORMANCE."""
    page.wait_for_function("(id) => localStorage.getItem(`clove-door-list:${id}`)", arg=performance)


def test_a_phone_that_is_switched_to_another_performance_without_the_network_knows_its_tickets_too(
    phone: BrowserContext, buyer: Buyer, link: str, site: Booking
) -> None:
    evening = buyer.buy(best=3, performance="p2")
    given_back, used, good = evening["tickets"]
    body = {"tickets": [given_back["id"]], "fee_krw": 15_000}
    assert buyer.call("POST", "ticket", f"orders/{evening['id']}/refunds", body).status == 200
    key = {"X-Scanner-Key": link.partition("#key=")[2]}
    scans = {"scans": [{"code": used["code"]}]}
    requests.post(f"{site.public_url}/api/ticket/scans", json=scans, headers=key, timeout=20).raise_for_status()

    page = phone.new_page()
    page.goto(link)
    expect(page.get_by_text("Connected")).to_be_visible()
    page.evaluate("localStorage.removeItem('clove-door-list:')")  # the list of all, as on a day when it is old
    choose(page, 1)
    keeps(page, "p2")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.set_offline(True)
    page.reload()  # the camera's ticket is another performance's from now on
    choose(page, 2)
    expect(page.locator("#list")).to_contain_text("List of ")
    for ticket, verdict in ((given_back, "✕ Cancelled"), (used, "✕ Already used"), (good, "✓ Admit (checked without the network)")):
        enter(page, ticket["code"])
        expect(page.locator("#log li", has_text=f"{verdict} {ticket['place']['seat']}")).to_be_visible()


def test_without_a_list_for_the_performance_nobody_is_let_in_without_the_network(phone: BrowserContext, buyer: Buyer, link: str) -> None:
    ticket = buyer.buy(best=1, performance="p3")["tickets"][0]
    page = phone.new_page()
    page.route("**/door?performance=p3", lambda route: route.abort())
    page.goto(link)
    expect(page.locator("#log li", has_text="✓ Admit").first).to_be_visible()  # the first one, by the camera
    expect(page.get_by_text("Connected")).to_be_visible()
    page.evaluate("localStorage.removeItem('clove-door-list:')")
    choose(page, 1)
    keeps(page, "p2")
    phone.set_offline(True)
    choose(page, 3)
    expect(page.locator("#list")).to_contain_text("No list for this choice on this device yet")
    enter(page, ticket["code"])
    expect(page.locator("#verdict.warn")).to_contain_text("Undecided: this device has no list for this performance")
    assert page.evaluate("JSON.parse(localStorage.getItem('clove-door-queue') ?? '[]')") == []
    expect(page.locator("#log li", has_text="! Undecided: this device has no list for this performance").first).to_be_visible()


def test_the_age_of_the_list_is_told_and_loudly_when_it_is_old(phone: BrowserContext, codes: list[str], link: str) -> None:
    page = phone.new_page()
    page.goto(link)
    expect(page.locator("#log li", has_text="✓ Admit").first).to_be_visible()  # the first one, by the camera
    expect(page.locator("#list.soft")).to_contain_text("List of ")
    phone.set_offline(True)
    enter(page, codes[1])
    expect(page.locator("#verdict.good")).to_contain_text("minutes ago)")
    expect(page.locator("#verdict .ask")).to_have_count(0)
    page.clock.set_fixed_time(datetime.now() + timedelta(minutes=25))
    enter(page, codes[2])
    expect(page.locator("#verdict .ask").filter(has_text="Old list")).to_contain_text("(25 minutes ago)")
    expect(page.locator("#list.stale")).to_contain_text("(25 minutes ago)")


def test_what_a_scanner_needs_offline_comes_over_a_slow_network_too(phone: BrowserContext, link: str) -> None:
    page = phone.new_page()

    def slowly(route: Route) -> None:
        time.sleep(3)  # as half a megabyte of used tickets takes in a hall full of telephones
        route.continue_()

    page.route("**/door?*", slowly)
    page.goto(link)
    expect(page.get_by_text(" arrived")).to_be_visible()


def taken(booking: Booking) -> int:
    return sum(row["taken_at_door_krw"] for row in read_as_staff(booking, "tallies")["rows"])


def test_what_is_due_is_asked_for_at_the_door_and_taken_with_and_without_the_network(browser: Browser, unpaid: Booking) -> None:
    one, two = Buyer(unpaid).buy(best=2)["tickets"]
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    page = context.new_page()
    page.goto(door_link(unpaid))
    expect(page.get_by_text("Connected")).to_be_visible()
    due, paid = page.locator("#verdict .ask:not(.paid)"), page.locator("#verdict .ask.paid")

    enter(page, one["code"])
    expect(due).to_contain_text("Due at the door150,000 won")
    page.get_by_role("button", name="It was paid").click()
    expect(paid).to_contain_text("Paid at the door150,000 won")
    until("the payment is kept", lambda: taken(unpaid) == 150_000)
    page.get_by_role("button", name="Not paid after all").click()
    expect(due).to_be_visible()
    until("the mistake is put right", lambda: taken(unpaid) == 0)

    expect(page.get_by_text("payments to send")).to_have_count(0)
    page.reload()
    expect(page.get_by_text("0 / 2 arrived").or_(page.get_by_text("1 / 2 arrived"))).to_be_visible()
    expect(page.get_by_text("Connected")).to_be_visible()
    context.set_offline(True)
    enter(page, two["code"])
    expect(page.locator("#verdict.good")).to_contain_text("checked without the network")
    expect(due).to_contain_text("150,000 won")
    page.get_by_role("button", name="It was paid").click()
    expect(page.get_by_text("1 payments to send")).to_be_visible()
    enter(page, two["code"])
    expect(page.locator("#verdict")).to_contain_text(USED)
    expect(paid).to_be_visible()
    enter(page, one["code"])
    expect(due).to_be_visible()
    assert taken(unpaid) == 0

    context.set_offline(False)
    expect(page.get_by_text("payments to send")).to_have_count(0)
    until("the payment is kept", lambda: taken(unpaid) == 150_000)
    listed = attendees(unpaid)
    assert [(listed[each["id"]]["due_krw"], listed[each["id"]]["paid_at_door_with"]) for each in (one, two)] == [(150_000, ""), (0, "정문")]
    enter(page, two["code"])
    expect(paid).to_be_visible()
    context.close()


def test_what_nobody_could_ask_for_of_a_ticket_newer_than_the_list_is_told_when_the_network_is_back(
    browser: Browser, unpaid: Booking
) -> None:
    context = browser.new_context(locale="ko-KR", viewport={"width": 390, "height": 844})
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto(door_link(unpaid))
    expect(page.get_by_text("연결됨")).to_be_visible()
    context.set_offline(True)
    (ticket,) = Buyer(unpaid).buy(best=1)["tickets"]
    page.locator("#code").fill(ticket["code"])
    page.locator("#code").press("Enter")
    page.get_by_role("button", name="입장시키기").click()
    context.set_offline(False)
    expect(page.locator("#log li", has_text="현장 결제 금액 150,000원")).to_contain_text(ticket["place"]["label"])
    context.close()


def change_ticket_key(site: Booking) -> None:
    """Another key signs from now on, and the one of before is good still: files of the Secret are swapped."""
    directory = site.directory("ticket") / "etc/clove/secrets"
    old = json.loads((directory / "ticket-key.json").read_text())
    _swap(directory / "ticket-key-others.json", {"keys": [{name: old[name] for name in ("kty", "crv", "x", "kid")}]})
    _swap(directory / "ticket-key.json", new_key().as_dict(private=True))


def _swap(path: Path, document: Any) -> None:
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps(document))
    draft.replace(path)


def test_a_phone_without_the_network_knows_keys_of_before_and_says_so_of_one_that_it_never_saw(
    phone: BrowserContext, site: Booking, buyer: Buyer, order: dict[str, Any], codes: list[str], link: str
) -> None:
    page = phone.new_page()
    page.goto(link)
    expect(page.locator("#log li", has_text="✓ Admit").first).to_be_visible()  # the first one, by the camera
    expect(page.get_by_text("Connected")).to_be_visible()
    phone.set_offline(True)
    change_ticket_key(site)
    shown = buyer.call("GET", "ticket", f"orders/{order['id']}").json()["tickets"][1]["code"]
    assert shown != codes[1]

    enter(page, shown)
    expect(page.locator("#log li", has_text="! No network, and this browser cannot check the signature")).to_be_visible()
    enter(page, codes[1])
    expect(page.locator("#log li", has_text="✓ Admit (checked without the network)")).to_be_visible()
    enter(page, codes[2][:-4] + "AAAA")
    expect(page.locator("#log li", has_text="✕ Not a valid ticket")).to_be_visible()

    phone.set_offline(False)
    expect(page.get_by_text("Connected")).to_be_visible()
    enter(page, shown)
    expect(page.locator("#log li", has_text=USED).first).to_be_visible()
    phone.set_offline(True)
    new = buyer.call("GET", "ticket", f"orders/{order['id']}").json()["tickets"][2]["code"]
    enter(page, new)
    expect(page.locator("#log li", has_text="✓ Admit (checked without the network)").nth(1)).to_be_visible()
