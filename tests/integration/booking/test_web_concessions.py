"""Concessions on the pages: told before, chosen for each place at checkout by mouse, keyboard and phone, and on all that is bought."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, findings, seats_content, settle
from tests.integration.booking.site import TENTH, Console, approve, call, hold, open_site, put, sign_up

YOUTH = {"id": "youth", "name": "청소년", "percent": 30, "proof": "학생증 또는 청소년증을 보여 주세요"}
GROUP = {"id": "group", "name": "3인 이상", "percent": 10, "at_least": 3}
COUPON = {"id": "coupon", "name": "구민 할인", "off_krw": 10_000, "at_most": 1, "grades": ["R"]}
LATE = {"id": "late", "name": "조기예매", "percent": 20, "until": "2026-01-01T00:00:00+09:00"}
OTHER = {"id": "other", "name": "평일 할인", "percent": 20, "performances": ["p2"]}
OFFERED = [YOUTH, GROUP, COUPON, LATE, OTHER]


def offer(site: Booking, concessions: list[dict[str, Any]]) -> None:
    """Put them beside what stands there."""
    headers = {"Authorization": f"Bearer {site.staff_token('content')}"}
    body = requests.get(f"{site.public_url}/api/ticket/content", headers=headers, timeout=20).json()
    put(site, "ticket", body | {"concessions": concessions})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    """Every service but merchandise, and seats at one price."""
    with Booking(["auth", "event", "seat", "ticket", "web"], tmp_path_factory.mktemp("site")) as one:
        open_site(one, seats_content(seats=200, performances=3, limit=8), policy=TENTH)
        yield one
        settle(one)
        assert not (violations := findings(one)).total, str(violations)


@pytest.fixture(autouse=True)
def offered(site: Booking) -> None:
    offer(site, OFFERED)


def checkout(tab: Page, count: int) -> str:
    """The checkout of a hold of COUNT places."""
    held = hold(tab.context, {"best": {"quantity": count}})
    tab.goto(f"/checkout/{held}")
    expect(tab.get_by_test_id("concession")).to_have_count(count)
    return held


def violations_of(tab: Page) -> list[str]:
    return [each["id"] for each in Axe().run(tab).response["violations"]]


def test_the_event_page_tells_what_is_offered(tab: Page) -> None:
    tab.goto("/")
    section = tab.get_by_test_id("concessions")
    expect(section.get_by_role("listitem")).to_have_count(4)
    expect(section).to_contain_text("청소년")
    expect(section).to_contain_text("30% off")
    expect(section).to_contain_text("3 or more together")
    expect(section).to_contain_text("₩10,000 off")
    expect(section).not_to_contain_text("조기예매")
    assert violations_of(tab) == []


def test_each_place_has_its_price_and_all_that_is_bought_says_so(site: Booking, tab: Page) -> None:
    sign_up(tab.context)
    held = checkout(tab, 2)
    first, second = tab.get_by_test_id("concession").all()
    expect(first.locator("option")).to_have_text(
        [
            "Full price · ₩150,000",
            "청소년 (30% off) · ₩105,000",
            "3인 이상 (10% off) · 3 or more together",
            "구민 할인 (₩10,000 off) · ₩140,000",
        ]
    )
    expect(tab.get_by_test_id("total")).to_have_text("₩300,000")
    first.select_option("youth")
    expect(tab.get_by_test_id("total")).to_have_text("₩255,000")
    expect(tab.get_by_test_id("pay")).to_contain_text("₩255,000")
    expect(tab.get_by_test_id("proofs")).to_contain_text("학생증")
    second.select_option("coupon")
    expect(tab.get_by_test_id("total")).to_have_text("₩245,000")
    assert violations_of(tab) == []

    tab.reload()
    expect(tab.get_by_test_id("total")).to_have_text("₩245,000")
    expect(tab.get_by_test_id("concession").nth(0)).to_have_value("youth")
    tab.get_by_test_id("agree").check()
    tab.get_by_test_id("pay").click()
    expect(tab.get_by_test_id("proof")).to_be_focused()
    tab.get_by_test_id("proof").check()
    tab.get_by_test_id("pay").click()
    approve(tab)
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "ISSUED")
    expect(tab.locator("#order")).to_contain_text("청소년")
    expect(tab.locator(".places__was").first).to_contain_text("₩150,000")
    assert violations_of(tab) == []
    order = call(tab.context, "GET", f"/api/ticket/orders/{tab.url.rsplit('/', 1)[-1]}")
    assert order["total_krw"] == 245_000
    assert tab.evaluate("id => sessionStorage.getItem(`clove.key.${id}`)", held) is None

    tab.get_by_test_id("ticket").first.click()
    expect(tab.get_by_test_id("ticket-proof")).to_contain_text("학생증 또는 청소년증을 보여 주세요")
    expect(tab.get_by_test_id("ticket-card")).to_contain_text("청소년 · ₩105,000")
    assert violations_of(tab) == []


def test_a_group_is_chosen_by_keyboard_for_all_and_given_back_together(tab: Page) -> None:
    sign_up(tab.context)
    checkout(tab, 3)
    first = tab.get_by_test_id("concession").first
    first.focus()
    tab.keyboard.type("3인")
    expect(first).to_have_value("group")
    expect(tab.locator("#concessions-error")).to_have_text("“3인 이상” is for 3 places or more of one booking.")
    tab.get_by_test_id("agree").check()
    tab.get_by_test_id("pay").click()
    expect(first).to_be_focused()
    assert "/checkout/" in tab.url
    tab.get_by_test_id("concession-same").press("Enter")
    expect(tab.locator("#concessions-error")).to_be_hidden()
    expect(tab.get_by_test_id("total")).to_have_text("₩405,000")
    tab.get_by_test_id("pay").click()
    approve(tab)
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "ISSUED")
    tab.get_by_test_id("cancel-order").click()
    dialog = tab.get_by_role("dialog", name="Cancel tickets?")
    expect(dialog.get_by_test_id("refund-amount")).to_have_text("₩364,500")
    dialog.get_by_role("checkbox").nth(0).uncheck()
    expect(dialog.get_by_test_id("refund-quote")).to_contain_text("booked together at a group price")
    expect(tab.get_by_test_id("cancel-confirm")).to_have_attribute("aria-disabled", "true")
    dialog.get_by_role("checkbox").nth(0).check()
    expect(dialog.get_by_test_id("refund-amount")).to_have_text("₩364,500")
    tab.get_by_test_id("cancel-confirm").click()
    expect(tab.get_by_test_id("order-status")).to_have_attribute("data-status", "REFUNDED")


@pytest.fixture
def korean_phone(browser: Browser, site: Booking) -> Iterator[BrowserContext]:
    made = browser.new_context(locale="ko-KR", base_url=site.public_url, viewport={"width": 390, "height": 844}, has_touch=True)
    console = Console(made)
    yield made
    made.close()
    assert [said for said in console.said if "409" not in said] == []


def test_what_has_changed_meanwhile_is_told_and_the_rest_stays_chosen(site: Booking, korean_phone: BrowserContext) -> None:
    tab = korean_phone.new_page()
    sign_up(korean_phone)
    checkout(tab, 2)
    tab.get_by_test_id("concession").nth(0).select_option("youth")
    tab.get_by_test_id("concession").nth(1).select_option("coupon")
    tab.get_by_test_id("proof").check()
    tab.get_by_test_id("agree").check()
    expect(tab.get_by_test_id("total")).to_have_text("245,000원")
    offer(site, [YOUTH | {"percent": 20}])
    tab.get_by_test_id("pay").click()
    expect(tab.locator("#problem")).to_contain_text("더 이상 제공되지 않습니다")
    expect(tab.get_by_test_id("total")).to_have_text("270,000원")
    expect(tab.get_by_test_id("concession").nth(1)).to_have_value("")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations_of(tab) == []
    tab.get_by_test_id("pay").click()
    approve(tab)
    expect(tab.locator("#order")).to_contain_text("청소년")
    expect(tab.locator("#order")).to_contain_text("270,000원")


def test_who_comes_back_from_paying_chooses_anew(tab: Page) -> None:
    sign_up(tab.context)
    checkout(tab, 1)
    tab.get_by_test_id("concession").select_option("coupon")
    tab.get_by_test_id("agree").check()
    tab.get_by_test_id("pay").click()
    expect(tab.get_by_role("button", name=re.compile("Approve"))).to_be_visible()
    tab.go_back()
    expect(tab.get_by_test_id("concession")).to_have_value("coupon")
    tab.get_by_test_id("concession").select_option("")
    tab.get_by_test_id("agree").check()
    tab.get_by_test_id("pay").click()
    approve(tab)
    expect(tab.locator(".outcome")).to_be_visible()
    orders = call(tab.context, "GET", "/api/ticket/orders")["orders"]
    assert [(order["status"], order["total_krw"]) for order in orders] == [("ISSUED", 150_000), ("CANCELLED", 140_000)]


def test_without_any_the_page_is_as_it_was(site: Booking, tab: Page) -> None:
    offer(site, [LATE, OTHER])
    sign_up(tab.context)
    tab.goto(f"/checkout/{hold(tab.context, {'best': {'quantity': 1}})}")
    expect(tab.get_by_test_id("total")).to_have_text("₩150,000")
    expect(tab.get_by_test_id("concessions")).to_be_hidden()
    sent: list[dict[str, Any]] = []
    tab.on(
        "request", lambda request: sent.append(request.post_data_json) if request.method == "POST" and "/orders" in request.url else None
    )
    tab.get_by_test_id("agree").check()
    tab.get_by_test_id("pay").click()
    approve(tab)
    assert [body.keys() for body in sent] == [{"hold_id", "name", "phone"}]


def test_while_they_cannot_be_read_it_is_said_and_asked_again(browser: Browser, site: Booking) -> None:
    context = browser.new_context(locale="en-GB", base_url=site.public_url)
    tab = context.new_page()
    sign_up(context)

    def fail(route: Route) -> None:
        route.fulfill(status=503, body=json.dumps({"code": "busy"}), content_type="application/problem+json")

    context.route("**/api/ticket/terms", fail)
    tab.goto(f"/checkout/{hold(context, {'best': {'quantity': 1}})}")
    expect(tab.get_by_test_id("concessions")).to_contain_text("Discounts cannot be loaded right now")
    context.unroute("**/api/ticket/terms", fail)
    tab.get_by_test_id("concessions-again").click()
    expect(tab.get_by_test_id("concession")).to_have_count(1)
    context.close()


def test_one_that_begins_or_ends_is_told_with_its_time(site: Booking, tab: Page) -> None:
    now = datetime.now(UTC)
    soon = YOUTH | {"from": (now + timedelta(days=1)).isoformat(), "until": (now + timedelta(days=9)).isoformat()}
    offer(site, [soon])
    tab.goto("/")
    expect(tab.get_by_test_id("concessions")).to_contain_text("bookable from")
    sign_up(tab.context)
    tab.goto(f"/checkout/{hold(tab.context, {'best': {'quantity': 1}})}")
    expect(tab.get_by_test_id("total")).to_have_text("₩150,000")
    expect(tab.get_by_test_id("concessions")).to_be_hidden()


def test_the_door_asks_for_the_card_with_the_network_and_without(browser: Browser, site: Booking) -> None:
    buyer = Buyer(site)
    held = buyer.hold(best=2).json()
    chosen = {place["id"]: "youth" for place in held["places"]}
    order = buyer.order(held["id"], chosen).json()
    buyer.come_back(buyer.press(order))
    online, offline = (ticket["code"] for ticket in buyer.read(order["id"])["tickets"])
    headers = {"Authorization": f"Bearer {site.staff_token('attendees')}"}
    made = requests.post(f"{site.public_url}/api/ticket/scanners", json={"name": "정문"}, headers=headers, timeout=20).json()
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{site.public_url}/api/ticket/scan#key={made['key']}")
    expect(page.get_by_text("Connected")).to_be_visible()
    asked = page.locator(".ask")
    for code, verdict in ((online, "Admit"), (offline, "Admit (checked without the network)")):
        context.set_offline(code == offline)
        page.get_by_label("Code, from a hand scanner or typed").fill(code)
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_role("alert").locator("strong")).to_have_text(f"✓ {verdict}")
        expect(asked).to_contain_text("청소년")
        expect(asked).to_contain_text("학생증 또는 청소년증")
    context.close()
