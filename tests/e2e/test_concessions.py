"""A seller offers concessions, changes them while tickets are sold, and sees what was sold at which."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.controlplane import areas_requirement
from tests.e2e.test_console import SELLER, logged_in
from tests.e2e.test_refund_by_hand import well
from tests.e2e.test_seller import Seller
from tests.stack import Site, Stack

SLUG = "concessions"
PRICE = 66_000
YOUTH = {"id": "youth", "name": "청소년", "percent": 30, "proof": "학생증"}
GROUP = {"id": "group", "name": "3인 이상", "off_krw": 6_000, "at_least": 3}


def hold_of(site: Site, quantity: int) -> dict[str, Any]:
    area = site.get("/api/seat/plan")["areas"][0]["id"]
    answer = site.call("POST", "/api/seat/performances/p1/holds", json={"areas": [{"area": area, "quantity": quantity}]})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def chosen(hold: dict[str, Any], *concessions: str) -> dict[str, str]:
    """CONCESSIONS for the first places of HOLD."""
    return {place["id"]: concession for place, concession in zip(hold["places"], concessions, strict=False)}


def test_concessions_are_sold_changed_live_and_seen_in_what_was_sold(clove: Stack, browser: Browser) -> None:
    seller = Seller(clove)
    system = seller.opened(areas_requirement(slug=SLUG, payment="kakaopay", concessions=[YOUTH, GROUP]))
    site = clove.site(SLUG)
    site.sign_up(f"{SLUG}@example.kr", name="김서연")
    assert [each["id"] for each in site.get("/api/ticket/terms")["concessions"]] == ["youth", "group"]

    hold = hold_of(site, 2)
    first = site.buy(hold, concessions=chosen(hold, "youth"))
    assert (first["status"], first["total_krw"]) == ("ISSUED", PRICE * 7 // 10 + PRICE)

    page = logged_in(browser, clove, SELLER, width=390)
    change_discount(page, f"{clove.portal}/systems/{system}/event/concessions")
    assert site.get("/api/ticket/terms")["concessions"][0]["percent"] == 40, "without a deployment"
    assert seller.get(f"systems/{system}/concessions")["concessions"][0] == YOUTH | {"percent": 40}

    hold = hold_of(site, 1)
    refused = site.call("POST", "/api/ticket/orders", json={"hold_id": hold["id"], "concessions": chosen(hold, "group")})
    assert (refused.status_code, refused.json()["code"]) == (409, "concession_too_few")
    second = site.buy(hold, concessions=chosen(hold, "youth"))
    assert second["total_krw"] == PRICE * 6 // 10
    again = site.get(f"/api/ticket/orders/{first['id']}")
    assert (again["total_krw"], again["places"]) == (first["total_krw"], first["places"]), "what is sold keeps its price"

    tickets = seller.get(f"systems/{system}/bookings/{first['id']}")["tickets"]
    assert {(each["concession"], each["proof"], each["price_krw"], each["list_price_krw"]) for each in tickets} == {
        ("청소년", "학생증", 46_200, PRICE),
        ("", "", PRICE, PRICE),
    }
    statement = seller.get(f"systems/{system}/settlement")
    assert {(line["concession"], line["sold"], line["sold_krw"]) for line in statement["lines"]} == {
        ("", 1, PRICE),
        ("청소년", 2, 46_200 + 39_600),
    }
    assert sum(line["sold_krw"] for line in statement["lines"]) == statement["captured_krw"]
    for what in ("", "/event", "/performances", "/attendees", f"/bookings/{first['id']}", "/settlement"):
        page.goto(f"{clove.portal}/systems/{system}{what}")
        expect(page.get_by_text("청소년").first).to_be_visible()
        well(page)
    page.context.close()

    assert seller.call("PUT", f"systems/{system}/concessions", {"concessions": []}).status_code == 200
    assert site.get("/api/ticket/terms")["concessions"] == []
    hold = hold_of(site, 1)
    gone = site.call("POST", "/api/ticket/orders", json={"hold_id": hold["id"], "concessions": chosen(hold, "youth")})
    assert (gone.status_code, gone.json()["code"]) == (409, "concession_unknown")
    assert site.buy(hold)["total_krw"] == PRICE


def change_discount(page: Page, address: str) -> None:
    """Make it 40 % for the youth, by way of a mistake that is told beside it."""
    page.goto(address)
    discount = page.get_by_label("Discount").first
    discount.fill("140")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("link", name=re.compile("Concession 1, Discount"))).to_be_visible()
    expect(discount).to_have_value("140")
    well(page)
    discount.fill("40")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Saved. Buyers see it now.")).to_be_visible()
    well(page)


def test_the_usual_ones_are_a_press_away_and_boxes_follow_what_is_typed(clove: Stack, browser: Browser) -> None:
    page = logged_in(browser, clove, SELLER, width=390)
    page.goto(f"{clove.portal}/systems/new")
    page.get_by_role("button", name="With an empty form").click()
    page.locator("label", has=page.locator("#numbered-no")).click()
    page.locator('input[name^="grades."][name$=".name"]').fill("스탠딩")
    page.locator('input[name^="performances."][name$=".starts_at"]').fill("2090-01-10T19:30")
    page.get_by_label("Sales open").fill("2026-12-01T10:00")

    page.get_by_role("button", name="Early bird 20 %").click()
    row = page.locator("#concession-rows [data-row]")
    expect(row.get_by_label("Name")).to_be_focused()
    expect(row.get_by_label("Until")).to_have_value("2026-12-15T10:00")
    row.get_by_label("스탠딩").check()
    row.get_by_role("checkbox").nth(1).check()
    page.locator('input[name^="grades."][name$=".name"]').fill("지정석")
    expect(row.get_by_label("지정석")).to_be_checked()
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.ok):
        page.locator('input[name^="performances."][name$=".starts_at"]').fill("2090-01-11T20:00")
    page.wait_for_function("document.querySelector('[data-save-state]').textContent.startsWith('Saved')")

    page.reload()
    expect(row.get_by_label("Name")).to_have_value("Early bird")
    expect(row.get_by_label("지정석")).to_be_checked()
    expect(row.locator('input[value="2090-01-11T20:00"]')).to_be_checked()
    well(page)
    # What was ticked and is taken away stays in sight: for none of them it would be for all.
    page.locator("#grades [data-remove]").click()
    expect(row.get_by_label("지정석")).to_be_checked()
    row.locator("[data-remove]").click()
    expect(row).to_have_count(0)
    page.context.close()
