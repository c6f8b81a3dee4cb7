"""Real halls on the seat page: what it costs on a slow line, and fifteen thousand seats on a phone, by touch and by buttons."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, CDPSession, Page, expect

from bench.seats import arena, musical
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import until
from tests.integration.booking.site import WAIT_MS, open_site, sign_up

FIRST_LOAD_BYTES = 200_000
TARGET_PX = 24


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    with Booking(["auth", "event", "seat", "ticket", "web"], tmp_path_factory.mktemp("hall"), payment="none", merchandise=False) as one:
        yield one


@pytest.mark.parametrize(
    "content", [pytest.param(musical, id="1,241 seats"), pytest.param(arena, id="15,000 seats", marks=pytest.mark.slow)]
)
def test_the_seat_page_is_light_on_its_first_load(hall: Booking, browser: Browser, content: Callable[[], Any]) -> None:
    open_site(hall, content())
    plan = requests.get(f"{hall.public_url}/api/seat/plan", timeout=WAIT_MS / 1000).json()["version"]
    until("the page leads to this plan", lambda: plan in requests.get(f"{hall.public_url}/performances/p1", timeout=WAIT_MS / 1000).text)
    context = browser.new_context(locale="ko-KR", base_url=hall.public_url, viewport={"width": 390, "height": 844})
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    wire = Wire(context.new_cdp_session(page))
    page.goto("/performances/p1")
    expect(page.locator("#loading")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    assert wire.answers > 5
    assert wire.bytes <= FIRST_LOAD_BYTES, wire.heaviest
    first = wire.bytes
    page.reload()
    expect(page.locator("#loading")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    assert wire.bytes - first < first / 3, "the second visit does not load what the first one kept"
    context.close()


class Wire:
    """Bytes that came over the network, headers included, as the browser counts them."""

    def __init__(self, session: CDPSession) -> None:
        self._paths: dict[str, str] = {}
        self._sizes: dict[str, float] = {}
        session.on("Network.requestWillBeSent", lambda event: self._paths.update({event["requestId"]: event["request"]["url"]}))
        session.on("Network.loadingFinished", lambda event: self._sizes.update({event["requestId"]: event["encodedDataLength"]}))
        session.send("Network.enable")

    @property
    def bytes(self) -> int:
        return int(sum(self._sizes.values()))

    @property
    def answers(self) -> int:
        return len(self._sizes)

    @property
    def heaviest(self) -> list[tuple[str, float]]:
        sizes = {self._paths.get(name, name): size for name, size in self._sizes.items()}
        return sorted(sizes.items(), key=lambda item: -item[1])[:8]


@pytest.fixture
def phone(hall: Booking, browser: Browser) -> Iterator[Page]:
    open_site(hall, arena())
    made = browser.new_context(
        locale="en-GB",
        base_url=hall.public_url,
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        reduced_motion="reduce",
    )
    made.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    sign_up(made)
    yield made.new_page()
    made.close()


def map_box(page: Page) -> dict[str, float]:
    box = page.locator("#map").bounding_box()
    assert box is not None
    return dict(box)


def pinch(page: Page, by: float) -> None:
    """Two fingers on the middle of the map, drawn apart by the factor BY."""
    box = map_box(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)

    def touch(kind: str, gap: float | None = None) -> None:
        points = [] if gap is None else [{"x": x - gap, "y": y, "id": 0}, {"x": x + gap, "y": y, "id": 1}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 20)
    for step in range(1, 6):
        touch("touchMove", 20 * (1 + (by - 1) * step / 5))
    touch("touchEnd")


def drag(page: Page, dx: float, dy: float) -> None:
    box = map_box(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 6):
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + dx * step / 5, "y": y + dy * step / 5}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


IN_SIGHT = """() => {
  const frame = document.getElementById("map").getBoundingClientRect();
  const middle = [frame.x + frame.width / 2, frame.y + frame.height / 2];
  return [...document.querySelectorAll(".seat[data-state=free]")]
    .map((seat) => [seat.dataset.seat, seat.getBoundingClientRect()])
    .filter(([, box]) => box.width >= 24)
    .filter(([, box]) => box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom)
    .map(([name, box]) => [name, Math.hypot(box.x + box.width / 2 - middle[0], box.y + box.height / 2 - middle[1])])
    .sort((a, b) => a[1] - b[1]).map(([name]) => name);
}"""


def in_sight(page: Page, *, but: str = "") -> list[str]:
    """The free seats within the map's frame that are large enough to touch, the nearest to its middle first; it is not BUT. Waits until the
    map rests: buttons come then."""
    page.wait_for_function(f"(but) => {{ const found = ({IN_SIGHT})(); return found.length && found[0] !== but; }}", arg=but)
    found: list[str] = page.evaluate(IN_SIGHT)
    return found


def tap_seat(page: Page, name: str) -> None:
    """Touch the seat until it is chosen: a machine that is busy makes a long press of a short one, which chooses nothing."""
    seat = page.locator(f'.seat[data-seat="{name}"]')
    for _ in range(5):
        box = seat.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= TARGET_PX
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        with contextlib.suppress(AssertionError):
            expect(page.get_by_test_id("selection").locator("li")).to_have_count(1, timeout=4_000)
            return
    pytest.fail("a touch chooses nothing")


@pytest.mark.slow
def test_fifteen_thousand_seats_are_booked_on_a_phone_by_touch(phone: Page) -> None:
    phone.goto("/performances/p1")
    expect(phone.locator("#loading")).to_be_hidden()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390, "nothing is wider than the screen"
    for _ in range(4):
        pinch(phone, 3)
    before = in_sight(phone)
    drag(phone, 90, 60)
    moved = in_sight(phone, but=before[0])  # the map moves with the finger
    tap_seat(phone, moved[0])
    phone.get_by_test_id("hold").tap()
    expect(phone.get_by_test_id("countdown")).to_be_visible()


@pytest.mark.slow
def test_buttons_zoom_as_well_as_fingers(phone: Page) -> None:
    phone.goto("/performances/p1")
    expect(phone.locator("#loading")).to_be_hidden()
    assert phone.evaluate(IN_SIGHT) == [], "none is large enough to touch when the whole hall is in sight"
    for _ in range(10):
        phone.get_by_role("button", name="Zoom in").tap()
    tap_seat(phone, in_sight(phone)[0])
    phone.get_by_role("button", name="Show the whole map").tap()
    expect(phone.locator("#map-hint")).to_be_visible()
    phone.wait_for_function(f"() => !({IN_SIGHT})().length")
