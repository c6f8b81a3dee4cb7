"""The account's pages in a browser: a forgotten password, a new one, and the account's end with what is kept of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, Route, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import until
from tests.integration.booking.site import PASSWORD, WAIT_MS

NEW_PASSWORD = "quiet-river-stone-7"


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    """Accounts and pages alone, with mails in files, and an outside sign-in that does not answer."""
    outside = {"CLOVE_OIDC_ISSUER": "http://127.0.0.1:9", "CLOVE_OIDC_CLIENT_ID": "clove", "CLOVE_OIDC_NAME": "Example ID"}
    environ = {"CLOVE_MAIL": "file:///var/lib/clove/mail", **outside}
    with Booking(["auth", "web"], tmp_path_factory.mktemp("accounts"), environ=environ) as one:
        yield one


@pytest.fixture
def page(browser: Browser, accounts: Booking) -> Iterator[Page]:
    made = browser.new_context(locale="en-GB", base_url=accounts.public_url, viewport={"width": 390, "height": 860})
    made.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    yield made.new_page()
    made.close()


def sign_up(page: Page) -> str:
    """A new account by its form; its address."""
    email = f"{uuid.uuid4().hex}@example.com"
    page.goto("/signup?next=/account")
    page.get_by_label("Name").fill("김하나")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_test_id("submit").click()
    expect(page.locator("#email")).to_have_text(email)
    return email


def log_in(page: Page, email: str, password: str) -> None:
    page.goto("/login?next=/account")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_test_id("submit").click()


def lose(route: Route) -> None:
    """The server does what it is asked to do, and nobody hears of it, the browser's cookies neither."""
    requests.post(route.request.url, headers=route.request.all_headers(), timeout=10).raise_for_status()
    route.abort()


def link_to(accounts: Booking, email: str) -> str:
    """The link of the mail to EMAIL."""
    directory = accounts.directory("auth") / "var/lib/clove/mail"

    def mails() -> list[str]:
        return [text for file in directory.glob("*") if email in (text := file.read_text(encoding="utf-8", errors="replace"))]

    until("the mail is sent", mails, within_s=20)
    found = re.search(r"https?://\S+/reset-password#\S+", mails()[0].replace("=\n", ""))
    assert found
    return found[0]


def test_a_forgotten_password_is_replaced_by_the_link_of_a_mail_once(accounts: Booking, page: Page) -> None:
    email = sign_up(page)
    page.context.clear_cookies()
    page.goto("/login")
    page.get_by_role("link", name=re.compile("Forgot")).click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_test_id("submit").click()
    expect(page.get_by_text("a mail with a link is on its way")).to_be_visible()
    link = link_to(accounts, email)
    page.goto("/reset-password")
    expect(page.get_by_text("This link has been used or has run out.")).to_be_visible()
    page.goto(link)  # in the same tab
    expect(page.locator("#reset")).to_be_visible()
    expect(page, "the secret leaves the address bar").to_have_url(re.compile("^[^#]*$"))
    for language in ("ko", "en"):
        page.locator("#menu-button").click()
        page.get_by_test_id("language").click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("#reset")).to_be_visible()
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_test_id("submit").click()
    expect(page.get_by_text("Your new password is set. Please log in with it.")).to_be_visible()
    log_in(page, email, NEW_PASSWORD)
    expect(page.locator("#email")).to_have_text(email)
    page.goto("about:blank")
    page.goto(link)
    page.get_by_label("New password").fill("another-" + NEW_PASSWORD)
    page.get_by_test_id("submit").click()
    expect(page.get_by_text("This link has been used or has run out.")).to_be_visible()


@pytest.mark.parametrize("path", ["/login", "/signup"])
def test_the_outside_sign_in_is_offered_wherever_one_comes_in_and_leads_back(page: Page, path: str) -> None:
    page.goto(f"{path}?next=/orders")
    way = page.get_by_role("link", name="Log in with Example ID")
    expect(way).to_have_attribute("href", "/api/auth/oidc/start?next=%2Forders")
    way.click()
    expect(page.locator("#problem")).to_contain_text("The outside sign-in does not answer right now.")


def test_an_outside_sign_in_is_joined_though_the_page_was_open_for_long(page: Page) -> None:
    sign_up(page)
    page.context.clear_cookies(name="clove_access")
    page.get_by_role("link", name="Connect Example ID").click()
    expect(page.locator("#problem")).to_contain_text("The outside sign-in does not answer right now.")


@pytest.mark.slow
def test_who_has_set_a_first_password_is_asked_for_it_the_next_time(page: Page) -> None:
    def without_password(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"has_password": False})

    page.context.route("**/api/auth/me", without_password, times=1)
    sign_up(page)
    expect(page.get_by_label("Current password")).to_be_hidden()
    page.context.route("**/api/auth/me/password", lambda route: route.fulfill(status=204), times=1)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_test_id("change-password").click()
    expect(page.locator(".toast")).to_contain_text("Your password is changed.")
    expect(page.get_by_label("Current password")).to_be_visible()


def test_a_login_that_is_renewed_while_the_page_is_left_goes_on(page: Page) -> None:
    """Its answer is on the way to a page that is gone, and the cookie with it."""
    email = sign_up(page)
    page.context.clear_cookies(name="clove_access")
    before = page.context.cookies()
    page.context.route("**/api/auth/refresh", lose, times=1)
    page.reload()
    expect(page.locator("#problem")).to_contain_text("Your account cannot be loaded right now.")
    assert page.context.cookies() == before, "nothing of the answer has come"
    page.reload()
    expect(page.locator("#email")).to_have_text(email)
    page.context.clear_cookies(name="clove_access")
    page.reload()
    expect(page.locator("#email")).to_have_text(email)


def test_a_login_is_renewed_after_the_visitors_clock_was_put_back(page: Page) -> None:
    email = sign_up(page)
    page.evaluate("localStorage.setItem('clove.renewed', String(Date.now() + 3600000))")
    page.context.clear_cookies(name="clove_access")
    page.reload()
    expect(page.locator("#email")).to_have_text(email)


def test_while_logins_do_not_answer_nobody_is_logged_out(accounts: Booking, page: Page) -> None:
    email = sign_up(page)
    page.context.clear_cookies(name="clove_access")
    page.context.route("**/api/auth/refresh", lambda route: route.fulfill(status=503), times=1)
    page.reload()
    expect(page.locator("#problem")).to_contain_text("Your account cannot be loaded right now.")
    expect(page).to_have_url(re.compile("/account$"))
    page.reload()
    expect(page.locator("#email")).to_have_text(email)


@pytest.mark.slow
def test_what_went_wrong_is_in_sight_wherever_one_pressed(page: Page) -> None:
    sign_up(page)
    page.context.route("**/api/auth/me/password", lambda route: route.fulfill(status=503), times=1)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_test_id("change-password").click()
    expect(page.locator("#problem")).to_be_in_viewport()
    expect(page.locator("#problem")).to_contain_text("This part is not answering right now.")


def test_a_password_is_changed_and_an_account_ends(page: Page) -> None:
    email = sign_up(page)
    page.get_by_label("Current password").fill("wrong-" + PASSWORD)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_test_id("change-password").click()
    expect(page.get_by_label("Current password")).to_be_focused()
    expect(page.get_by_label("Current password")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_test_id("change-password").click()
    expect(page.locator(".toast")).to_contain_text("Your password is changed.")

    kept = page.get_by_role("region", name="Delete the account")
    expect(kept).to_contain_text("Records of sales that the law asks to keep stay without your name")
    page.get_by_test_id("delete-account").click()
    page.get_by_role("dialog").get_by_label("Your password").fill(NEW_PASSWORD)
    page.get_by_test_id("delete-confirm").click()
    expect(page).to_have_url(re.compile(r":\d+/$"))
    log_in(page, email, NEW_PASSWORD)
    expect(page.locator("#problem")).not_to_be_empty()
