"""A whole booking system for the tests of the buyers' pages, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.chromium import OPTIONS
from tests.integration.booking.door import film
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, open_sales, seats_content
from tests.integration.booking.site import TENTH, WAIT_MS, Console, door_link, open_site
from tests.mariadb import MariaDB
from tests.needs import need


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    """Every service, test payments, two hundred numbered seats, three performances, a tenth kept of a ticket that is given back."""
    need("chromium")
    with Booking(["auth", "event", "seat", "ticket", "merch", "web"], tmp_path_factory.mktemp("site")) as one:
        open_site(one, seats_content(seats=200, performances=3, limit=8), policy=TENTH)
        yield one


@pytest.fixture(scope="module")
def unpaid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    """Where tickets are paid for at the door."""
    with Booking(["seat", "ticket"], tmp_path_factory.mktemp("unpaid"), payment="none") as one:
        open_sales(one, seats_content(seats=40))
        yield one


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """A MariaDB of the module's own."""
    need("mariadb")
    with MariaDB(tmp_path_factory.mktemp("mariadb") / "server") as one:
        yield one


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest) -> MariaDB | None:
    """SQLite, for which there is no server, and then a MariaDB."""
    return request.getfixturevalue("server") if request.param == "mariadb" else None


@pytest.fixture
def visitor(browser: Browser, site: Booking) -> Iterator[BrowserContext]:
    """A browser in English on SITE, in which nothing may be said on the console."""
    made = browser.new_context(locale="en-GB", base_url=site.public_url, viewport={"width": 1280, "height": 860})
    made.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    console = Console(made)
    yield made
    made.close()
    assert console.said == []


@pytest.fixture
def tab(visitor: BrowserContext) -> Page:
    return visitor.new_page()


@pytest.fixture
def buyer(site: Booking) -> Buyer:
    return Buyer(site)


@pytest.fixture
def order(buyer: Buyer) -> dict[str, Any]:
    """Of three tickets."""
    return buyer.buy(best=3)


@pytest.fixture
def codes(order: dict[str, Any]) -> list[str]:
    """Of its tickets."""
    return [ticket["code"] for ticket in order["tickets"]]


@pytest.fixture
def link(site: Booking) -> str:
    return door_link(site)


@pytest.fixture
def phone(browser: Browser, codes: list[str], tmp_path: Path) -> Iterator[BrowserContext]:
    """A phone whose camera sees the first code."""
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film(codes[0], tmp_path / 'camera.y4m')}",
    ]
    launched = browser.browser_type.launch(executable_path=need("chromium"), args=[*OPTIONS, *camera])
    context = launched.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    yield context
    launched.close()
