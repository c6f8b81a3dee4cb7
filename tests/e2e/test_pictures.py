"""Pictures that a seller chooses in a browser are made fit for phones before they are sent, whoever is quicker, script or seller."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.controlplane import areas_requirement
from tests.e2e.test_purchase import PAGE_MS
from tests.e2e.test_seller import Seller
from tests.pictures import png
from tests.stack import Stack

LIMIT = 4 * 1024 * 1024
PHOTOGRAPH = """() => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [3000, 2000];
  const context = canvas.getContext("2d"), noise = context.createImageData(3000, 2000), words = new Uint32Array(noise.data.buffer);
  for (let at = 0, seed = 7; at < words.length; at++) words[at] = (seed = Math.imul(seed, 1664525) + 1013904223) | 0xff000000;
  context.putImageData(noise, 0, 0);
  return canvas.toDataURL("image/jpeg", 0.95).split(",")[1];
}"""


@pytest.fixture
def page(browser: Browser, clove: Stack) -> Iterator[Page]:
    """The example's seller, logged in."""
    context = browser.new_context(locale="en-US", viewport={"width": 390, "height": 844})
    context.set_default_timeout(PAGE_MS)
    page = context.new_page()
    page.goto(f"http://localhost:{clove.port}/login")
    page.get_by_label("E-mail").fill("seller@clove.localhost")
    page.get_by_label("Password").fill(clove.password_of("seller@clove.localhost"))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="My booking systems")).to_be_visible()
    yield page
    context.close()


def photograph(page: Page) -> FilePayload:
    """As a telephone takes them: larger than the server would take."""
    content = base64.b64decode(page.evaluate(PHOTOGRAPH))
    assert len(content) > LIMIT
    return {"name": "IMG_1234.JPG", "mimeType": "image/jpeg", "buffer": content}


def test_a_photograph_becomes_a_poster_that_phones_can_load(clove: Stack, page: Page) -> None:
    seller = Seller(clove)
    system = seller.opened(areas_requirement(slug="posters", payment="none"))
    page.goto(f"http://localhost:{clove.port}/systems/{system}/event")

    # Sent at once: the form waits for what is being made.
    page.get_by_label("Picture").set_input_files(photograph(page))
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_text("Buyers see the new poster now.")).to_be_visible(timeout=PAGE_MS)
    site = clove.site("posters")
    poster = site.get("/api/event/")["poster"]
    assert (poster["width"], poster["height"]) == (1600, 1067)
    assert site.call("GET", poster["url"]).headers["Content-Type"] == "image/webp"

    # What is small enough is sent as it is, and what is no picture is told by whoever gets it.
    small = png(40, 60)
    page.get_by_label("Another picture").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": small})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Buyers see the new poster now.")).to_be_visible()
    assert site.call("GET", site.get("/api/event/")["poster"]["url"]).content == small
    page.get_by_label("Another picture").set_input_files({"name": "b.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_label("Another picture")).to_have_attribute("aria-invalid", "true")
    assert site.call("GET", site.get("/api/event/")["poster"]["url"]).content == small


def test_a_photograph_of_a_product_is_kept_small_as_soon_as_it_is_chosen(clove: Stack, page: Page) -> None:
    page.goto(f"http://localhost:{clove.port}/systems/new")
    page.get_by_role("button", name="With an empty form").click()
    page.locator("#merchandise-yes").check()
    page.get_by_role("button", name="Add a product").click()

    page.locator("[data-picture] input[type=file]").last.set_input_files(photograph(page))

    shown = page.locator("[data-picture-shown]").last
    expect(shown).to_be_visible(timeout=PAGE_MS)
    assert shown.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [1200, 800]
