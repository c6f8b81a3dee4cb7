"""The account's pages in a browser: a forgotten password, a new one, and the account's end with what is kept of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import until
from tests.integration.booking.site import PASSWORD, WAIT_MS

NEW_PASSWORD = "quiet-river-stone-7"


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    """Accounts and pages alone, with mails in files."""
    with Booking(["auth", "web"], tmp_path_factory.mktemp("accounts"), environ={"CLOVE_MAIL": "file:///var/lib/clove/mail"}) as one:
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
    page.goto(link)
    assert "#" not in page.url, "the secret leaves the address bar"
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


def test_a_password_is_changed_and_an_account_ends(page: Page) -> None:
    email = sign_up(page)
    page.get_by_label("Password now").fill("wrong-" + PASSWORD)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_test_id("change-password").click()
    expect(page.get_by_label("Password now")).to_be_focused()
    expect(page.get_by_label("Password now")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Password now").fill(PASSWORD)
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
