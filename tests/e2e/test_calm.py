"""Who asks for less motion (prefers-reduced-motion) sees nothing move by itself, on the buyer's pages and in the portal.

Listened for is everything that can move: CSS animations and transitions as they start, `animate()`, smooth scrolling, and the painted map.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stack import Stack

PAGE_MS = 30_000
SLUG = "star-station"
PASSWORD = "correct-horse-9"

LISTEN = """
window.moved = [];
const tell = (what, target) => window.moved.push(`${what} ${target.tagName || ''}.${target.className?.baseVal ?? target.className ?? ''}`);
addEventListener('transitionrun', (event) => tell(`transition of ${event.propertyName}`, event.target), true);
addEventListener('animationstart', (event) => {
  const style = getComputedStyle(event.target, event.pseudoElement || null);
  if (style.animationDuration.split(',').some((each) => parseFloat(each) > 0.001)) tell(`animation ${event.animationName}`, event.target);
}, true);
const animate = Element.prototype.animate;
Element.prototype.animate = function (...values) { tell('animate()', this); return animate.apply(this, values); };
for (const name of ['scrollTo', 'scrollBy', 'scrollIntoView']) {
  const plain = Element.prototype[name];
  Element.prototype[name] = function (...values) {
    if (values[0]?.behavior === 'smooth') tell(`smooth ${name}`, this);
    return plain.apply(this, values);
  };
}
"""
# Pictures of the canvas while it is zoomed; a flight shows more of them than the one before and the one after.
ZOOM = """async (button) => {
  const canvas = document.querySelector('canvas');
  const seen = new Set();
  for (let round = 0; round < 4 && seen.size < 3; round += 1) {
    seen.clear();
    button.click();
    for (let frame = 0; frame < 20; frame += 1) {
      await new Promise(requestAnimationFrame);
      seen.add(canvas.toDataURL());
    }
  }
  return seen.size;
}"""

RESTART = """async (path) => {
  const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
  const answer = await fetch(path, {method: 'POST', headers: {'X-CSRFToken': token}});
  if (!answer.ok) throw new Error(`${path} ${answer.status} ${await answer.text()}`);
}"""


@contextmanager
def reader(browser: Browser, motion: Any) -> Iterator[Page]:
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900}, reduced_motion=motion)
    context.set_default_timeout(PAGE_MS)
    context.add_init_script(LISTEN)
    try:
        yield context.new_page()
    finally:
        context.close()


class Walk:
    """Goes from page to page, points at what reacts to being pointed at, and collects what moved."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.moved: set[str] = set()

    def to(self, address: str, ready: str = "h1") -> None:
        self.page.goto(address)
        expect(self.page.locator(ready).first).to_be_visible()
        for selector in ("main a.button, main a.btn", "main button:not([disabled])", "main .card, main .event", "main summary"):
            for found in self.page.locator(selector).all()[:2]:
                if found.is_visible():
                    found.hover(force=True, timeout=PAGE_MS)
        self.look()

    def look(self) -> None:
        """Take along what moved on this page, and whether its scrolling is smooth."""
        found = self.page.evaluate("() => window.moved.splice(0)")
        self.moved |= {f"{what} at {self.page.url}" for what in found}
        smooth = "() => [...document.querySelectorAll('*')].filter((each) => getComputedStyle(each).scrollBehavior === 'smooth').length"
        if self.page.evaluate(smooth):
            self.moved.add(f"smooth scrolling at {self.page.url}")


def as_buyer(walk: Walk, site: str, email: str) -> int:
    """Through the buyer's pages; how many pictures of the map a zoom shows."""
    walk.to(f"{site}/")
    walk.to(f"{site}/login")
    walk.to(f"{site}/signup")
    post = """async ([path, body]) => {
      const sent = {method: 'POST', headers: {'Content-Type': 'application/json', 'X-Clove-Request': '1'}, body: JSON.stringify(body)};
      const answer = await fetch(path, sent);
      if (answer.status !== 201) throw new Error(`${path} ${answer.status} ${await answer.text()}`);
      return answer.json();
    }"""
    page = walk.page
    page.evaluate(post, ["/api/auth/signup", {"email": email, "password": PASSWORD, "name": "김하나"}])
    performance = page.evaluate("async () => (await (await fetch('/api/seat/performances')).json()).find((each) => each.on_sale).id")
    walk.to(f"{site}/performances/{performance}", "[data-testid=seat-map] button")
    pictures = int(page.locator(".map__zoom button").first.evaluate(ZOOM))
    walk.look()
    hold = page.evaluate(post, [f"/api/seat/performances/{performance}/holds", {"best": {"quantity": 1}}])
    walk.to(f"{site}/checkout/{hold['id']}", "[data-testid=countdown]")
    order = page.evaluate(post, ["/api/ticket/orders", {"hold_id": hold["id"]}])
    walk.to(f"{site}/orders/{order['id']}")
    for path in ("orders", "shop", "account"):
        walk.to(f"{site}/{path}")
    return pictures


def as_seller(walk: Walk, clove: Stack) -> None:
    """Through the portal: the public list, the form, a live event."""
    page, portal = walk.page, f"http://localhost:{clove.port}"
    walk.to(f"{portal}/")
    walk.to(f"{portal}/login")
    page.get_by_label("E-mail").fill("seller@clove.localhost")
    page.get_by_label("Password").fill(clove.password_of("seller@clove.localhost"))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="My booking systems")).to_be_visible()
    walk.to(f"{portal}/systems")
    walk.to(f"{portal}/systems/new")
    walk.to(f"{portal}/systems")
    page.locator(".system h2 a").first.click()
    expect(page.locator("h1").first).to_be_visible()
    walk.look()
    system = page.url
    for path in ("settlement", "attendees", "event"):
        walk.to(f"{system}/{path}")
    see_a_change(walk, system)


def see_a_change(walk: Walk, system: str) -> None:
    """The page of a booking system while it is being changed: steps that run, times that count, then all done."""
    page = walk.page
    page.goto(system)
    page.evaluate(RESTART, f"/api/v1/systems/{system.rsplit('/', 1)[-1]}/services/web/restart")
    page.reload()
    expect(page.locator("[data-progress][data-busy=yes]")).to_be_attached()
    expect(page.locator(".step--running").first).to_be_visible()
    expect(page.locator("[data-elapsed]").first).to_be_visible()
    walk.look()
    expect(page.locator("[data-progress][data-busy=no]")).to_be_attached(timeout=PAGE_MS)
    expect(page.locator("[data-part=steps] .badge--ok")).to_be_visible()
    walk.look()


@pytest.mark.slow
def test_nothing_moves_for_who_asks_for_less_motion(clove: Stack, browser: Browser) -> None:
    site = f"http://{SLUG}.localhost:{clove.router_port}"
    with reader(browser, "reduce") as page:
        walk = Walk(page)
        pictures = as_buyer(walk, site, "calm@example.com")
        as_seller(walk, clove)
    assert not walk.moved, "\n".join(sorted(walk.moved))
    assert pictures <= 2, f"a zoom showed {pictures} pictures of the map"


@pytest.mark.slow
def test_for_everybody_else_motion_is_seen_where_it_is(clove: Stack, browser: Browser) -> None:
    site = f"http://{SLUG}.localhost:{clove.router_port}"
    with reader(browser, "no-preference") as page:
        walk = Walk(page)
        pictures = as_buyer(walk, site, "lively@example.com")
        as_seller(walk, clove)
    for what in ("animation turn", "animation breathe", "transition of", "smooth scrolling"):
        assert any(found.startswith(what) for found in walk.moved), (what, sorted(walk.moved))
    assert pictures > 2
