"""The presale in a browser: both openings, a code that is typed and used, what is wrong with one, and going on by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import seats_content
from tests.integration.booking.site import PASSWORD, WAIT_MS, Console, call, open_site, put, sign_up
from tests.integration.booking.test_web_access import look, violations
from tests.needs import need

NAME = "팬클럽 선예매"
DAY_S = 86_400
WORDS = {
    "en-GB": ("General sale", "until the general sale", "only who has a code", "accepted", "There is no such code", "Another account"),
    "ko-KR": ("일반예매", "일반예매까지", "코드가 있는 분만", "확인되었습니다", "없는 코드입니다", "다른 계정"),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    need("chromium")
    with Booking(["auth", "event", "seat", "ticket", "web"], tmp_path_factory.mktemp("presale"), payment="none", merchandise=False) as one:
        open_site(one, opening(86_400, None))
        yield one


def opening(opens_in_s: float, presale_in_s: float | None) -> dict[str, Any]:
    """A house that sells to all after OPENS_IN_S, and to those with a code after PRESALE_IN_S; without a waiting room."""
    made, now = seats_content(seats=60, performances=2), datetime.now(UTC)
    made["sales"]["opens_at"] = (now + timedelta(seconds=opens_in_s)).isoformat()
    if presale_in_s is None:
        return made | {"admit_per_minute": 0}
    return made | {"admit_per_minute": 0, "presale": {"name": NAME, "opens_at": (now + timedelta(seconds=presale_in_s)).isoformat()}}


@pytest.fixture
def codes(house: Booking) -> list[str]:
    """Three that nobody has used."""
    given = staff(house, "POST", "codes", json={"count": 3})["given"]
    return [each["code"] for each in staff(house, "GET", f"codes/list?first={given - 2}&count=3")["codes"]]


def staff(house: Booking, method: str, path: str, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {house.staff_token('content', 'summary')}"}
    answer = requests.request(method, f"{house.public_url}/api/seat/presale/{path}", headers=headers, timeout=20, **more)
    answer.raise_for_status()
    return answer.json()


@pytest.fixture
def locale() -> str:
    return "ko-KR"


@pytest.fixture
def context(browser: Browser, house: Booking, locale: str) -> Iterator[BrowserContext]:
    made = browser.new_context(locale=locale, base_url=house.public_url, viewport={"width": 390, "height": 844})
    made.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    yield made
    made.close()


def field(page: Page) -> Any:
    return page.locator("#presale-code")


def use(page: Page, code: str) -> None:
    field(page).fill(code)
    field(page).press("Enter")


def reserve(page: Page) -> None:
    page.locator('.seat[data-state="free"]').first.press("Enter")
    page.get_by_test_id("hold").click()
    expect(page).to_have_url(re.compile("/checkout/"))


@pytest.mark.parametrize("locale", list(WORDS))
def test_from_the_event_page_by_a_code_and_the_login_to_the_seats(
    house: Booking, codes: list[str], context: BrowserContext, locale: str
) -> None:
    general, until, only, accepted, *_ = WORDS[locale]
    put(house, "seat", opening(DAY_S, -60))
    console = Console(context)
    sign_up(context)
    email = call(context, "GET", "/api/auth/me")["email"]
    context.clear_cookies()
    page = context.new_page()
    page.goto("/")

    expect(page.get_by_test_id("presale")).to_contain_text(NAME)
    expect(page.get_by_test_id("presale")).to_contain_text(general)
    expect(page.get_by_test_id("presale-left")).to_contain_text(until)
    before = page.get_by_test_id("presale-left").inner_text()
    expect(page.get_by_test_id("presale-left")).not_to_have_text(before)
    page.get_by_test_id("performance-p1").click()
    page.locator("#bar-button").click()

    expect(page.get_by_test_id("code")).to_contain_text(NAME)
    expect(page.get_by_test_id("code")).to_contain_text(only)
    expect(page.locator('.seat[data-state="free"]').first).to_be_attached()
    use(page, codes[0].lower().replace("-", " "))
    page.wait_for_url(re.compile("/login"))  # and until its scripts are there: one without them asks to be loaded again
    page.locator("#email").fill(email)
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")

    expect(page.locator("#notices")).to_contain_text(accepted)
    expect(page.get_by_test_id("code")).to_be_hidden()
    reserve(page)
    assert [said for said in console.said if "401" not in said] == []


@pytest.mark.parametrize("locale", list(WORDS))
def test_what_is_wrong_with_a_code_is_said_beside_it_and_kept(
    house: Booking, codes: list[str], context: BrowserContext, browser: Browser, locale: str
) -> None:
    *_, wrong, taken = WORDS[locale]
    put(house, "seat", opening(DAY_S, -60))
    sign_up(context)
    call(context, "POST", "/api/seat/presale", {"code": codes[0]})
    another = browser.new_context(locale=locale, base_url=house.public_url, viewport={"width": 1280, "height": 800})
    sign_up(another)
    page = another.new_page()
    page.goto("/performances/p1")

    use(page, "AAAA-AAAA-AAAA")
    error = page.locator("#presale-code-error")
    expect(error).to_contain_text(wrong)
    expect(field(page)).to_have_attribute("aria-invalid", "true")
    expect(field(page)).to_be_focused()
    expect(field(page)).to_have_value("AAAA-AAAA-AAAA")
    expect(page.locator("#announce-now")).to_contain_text(wrong)
    use(page, codes[0])
    expect(error).to_contain_text(taken)
    use(page, codes[1])
    expect(page.get_by_test_id("code")).to_be_hidden()
    reserve(page)
    another.close()


def test_a_code_is_used_before_the_presale_and_the_page_goes_on_when_it_opens(
    house: Booking, codes: list[str], context: BrowserContext
) -> None:
    put(house, "seat", opening(DAY_S, 20))
    sign_up(context)
    page = context.new_page()
    page.goto("/")
    page.get_by_test_id("presale-early").click()
    use(page, codes[0])

    expect(page.locator("#notices")).to_contain_text("확인되었습니다")
    expect(field(page)).to_be_hidden()
    expect(page.get_by_test_id("code")).to_contain_text("등록된 계정")
    expect(page.get_by_test_id("code")).to_be_hidden(timeout=2 * WAIT_MS)
    reserve(page)


def test_with_a_waiting_room_a_code_leads_into_the_queue_and_who_has_none_is_not_in_it(
    house: Booking, codes: list[str], context: BrowserContext, browser: Browser
) -> None:
    put(house, "seat", opening(DAY_S, -60) | {"admit_per_minute": 60})
    for code in codes[1:]:  # some are in the queue before
        early = browser.new_context(locale="ko-KR", base_url=house.public_url)
        sign_up(early)
        call(early, "POST", "/api/seat/presale", {"code": code})
        for _ in range(6):
            call(early, "POST", "/api/seat/room/turns", {})
        early.close()
    sign_up(context)
    page = context.new_page()
    page.goto("/performances/p1")
    expect(field(page)).to_be_visible()
    expect(page.get_by_test_id("room")).to_be_hidden()

    use(page, codes[0])

    expect(page.get_by_test_id("room")).to_be_visible()
    expect(page.get_by_test_id("room")).to_be_hidden(timeout=3 * WAIT_MS)
    reserve(page)


def test_when_the_sale_opens_to_all_the_field_goes_and_everybody_may_book(house: Booking, context: BrowserContext) -> None:
    put(house, "seat", opening(10, -60))
    sign_up(context)
    page = context.new_page()
    page.goto("/performances/p1")
    expect(field(page)).to_be_visible()

    expect(page.get_by_test_id("code")).to_be_hidden(timeout=2 * WAIT_MS)
    reserve(page)


def test_without_a_presale_pages_say_nothing_of_one(house: Booking, context: BrowserContext) -> None:
    put(house, "seat", opening(-60, None))
    sign_up(context)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    expect(page.get_by_test_id("performance-p1")).to_be_visible()
    expect(page.get_by_test_id("presale")).to_be_hidden()
    page.goto("/performances/p1")
    expect(page.locator('.seat[data-state="free"]').first).to_be_attached()
    expect(page.get_by_test_id("code")).to_be_hidden()
    assert not [url for url in asked if "code.js" in url or "/api/seat/presale" in url]
    reserve(page)


def test_a_code_that_was_taken_back_is_said_when_its_account_reserves(house: Booking, codes: list[str], context: BrowserContext) -> None:
    put(house, "seat", opening(DAY_S, -60))
    sign_up(context)
    call(context, "POST", "/api/seat/presale", {"code": codes[0]})
    page = context.new_page()
    page.goto("/performances/p1")
    expect(page.locator('.seat[data-state="free"]').first).to_be_attached()
    expect(field(page)).to_be_hidden()
    staff(house, "POST", "withdrawals", json={"code": codes[0]})

    page.locator('.seat[data-state="free"]').first.press("Enter")
    page.get_by_test_id("hold").click()

    expect(page.locator("#notices")).to_contain_text("일반예매 시작 전")
    expect(field(page)).to_be_visible()


@pytest.mark.parametrize("presale_in_s", [-60, 3_600])
def test_axe_finds_nothing_where_a_code_is_asked_for(house: Booking, context: BrowserContext, presale_in_s: float) -> None:
    put(house, "seat", opening(DAY_S, presale_in_s))
    sign_up(context)
    page = context.new_page()
    wrong = {path: found for path in ("/", "/performances/p1") if (found := look(page, path, "ko"))}
    use(page, "AAAA-AAAA-AAAA")
    expect(page.locator("#presale-code-error")).to_be_visible()
    if found := violations(page):
        wrong["a wrong code"] = found
    assert wrong == {}


def test_a_keyboard_is_enough_to_use_a_code(house: Booking, codes: list[str], context: BrowserContext) -> None:
    put(house, "seat", opening(DAY_S, -60))
    sign_up(context)
    page = context.new_page()
    page.goto("/performances/p1")
    expect(field(page)).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "presale-code":
            break
    page.keyboard.type(codes[0])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "code-button"
    page.keyboard.press("Enter")
    expect(page.locator("#announce-now")).to_contain_text("확인되었습니다")
    expect(page.get_by_test_id("code")).to_be_hidden()
