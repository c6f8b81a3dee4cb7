"""What a seller hands over beside the form, with real services: pictures of products, stock of options, a provider to sign in with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.controlplane import areas_requirement
from tests.e2e.test_seller import Seller
from tests.integration.booking.oidc_provider import CLIENT_ID, CLIENT_SECRET, PASSWORD
from tests.integration.booking.test_outside_sign_in import ProviderProcess
from tests.pictures import png
from tests.stack import Site, Stack

RED, BLUE = png(4, 3, (200, 0, 0)), png(3, 4, (0, 0, 200))
SIZES = [{"id": "m", "name": "M", "stock": 10}, {"id": "l", "name": "L", "stock": 5, "extra_krw": 2000}]
SHOP, SIGN_IN = "given-shop", "given-sign-in"


def keep(seller: Seller, image: bytes) -> str:
    answer = seller.session.post(f"{seller.clove.portal}/api/v1/pictures", data=image, timeout=30)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["digest"])


def product(site: Site) -> Any:
    return site.get("/api/merch/products")["products"][0]


def test_buyers_see_the_picture_of_a_product_and_each_change_of_it(clove: Stack, browser: Browser) -> None:
    seller = Seller(clove)
    tee = {"id": "tee", "name": "티셔츠", "price_krw": 35000, "option_label": "사이즈", "options": SIZES, "picture": keep(seller, RED)}
    system = seller.opened(areas_requirement(slug=SHOP, payment="none", merchandise=True, products=[tee]))
    site = clove.site(SHOP)

    shown = product(site)["picture"]
    assert (shown["width"], shown["height"]) == (4, 3)
    assert site.call("GET", shown["url"]).content == RED
    page = browser.new_page()
    page.goto(f"http://{SHOP}.localhost:{clove.router_port}/shop")
    image = page.locator(f'img[src$="{shown["url"]}"]')
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 4
    page.close()

    address = f"{clove.portal}/api/v1/systems/{system}/products/tee/picture"
    assert seller.session.put(address, data=BLUE, timeout=30).status_code == 200
    assert site.call("GET", product(site)["picture"]["url"]).content == BLUE
    assert seller.get(f"systems/{system}/requirement")["products"][0]["picture"] == hashlib.sha256(BLUE).hexdigest()
    assert seller.session.delete(address, timeout=30).status_code == 204
    assert product(site)["picture"] is None

    # The stock of one size, not below what was sold of it.
    site.sign_up(f"{SHOP}@example.kr")
    bought = site.call(
        "POST",
        "/api/merch/orders",
        json={"items": [{"product": "tee", "option": "m", "quantity": 3}]},
        headers={"Idempotency-Key": SHOP, "X-Clove-Request": "1"},
    )
    assert bought.status_code == 201, bought.text
    refused = seller.call("PATCH", f"systems/{system}/stock", {"stock": {"tee/m": 2}})
    assert (refused.status_code, refused.json()["code"]) == (409, "stock_below_sold")
    more = seller.call("PATCH", f"systems/{system}/stock", {"stock": {"tee/m": 30}})
    assert [each["stock"] for each in more.json()["by_product"][0]["options"]] == [30, 5]
    assert [each["left"] for each in product(site)["options"]] == [27, 5]


def test_the_examples_shop_has_pictures_from_the_start(clove: Stack) -> None:
    site = clove.site("star-station")
    shown = [each["picture"] for each in site.get("/api/merch/products")["products"]]

    assert [bool(picture) for picture in shown] == [True, False, True]
    assert site.call("GET", shown[0]["url"]).headers["Content-Type"] == "image/jpeg"


@pytest.fixture(scope="module")
def provider(clove: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A real provider that knows the system's address."""
    process = ProviderProcess(tmp_path_factory.mktemp("provider"))
    process.start(f"http://{SIGN_IN}.localhost:{clove.router_port}/api/auth/oidc/callback")
    yield process
    process.stop()


def arrive(clove: Stack, username: str) -> Site:
    """A new buyer, back from the provider."""
    site, there = clove.site(SIGN_IN), requests.Session()
    there.trust_env = False
    sent = site.call("GET", "/api/auth/oidc/start").headers["Location"]
    base = f"http://{urlsplit(sent).netloc}"
    login = there.get(sent, timeout=10, allow_redirects=False).headers["Location"]
    person = {"username": username, "password": PASSWORD}
    again = there.post(base + login, data=person, timeout=10, allow_redirects=False).headers["Location"]
    back = urlsplit(there.get(base + again, timeout=10, allow_redirects=False).headers["Location"])
    assert back.netloc == f"{SIGN_IN}.localhost:{clove.router_port}"
    answer = site.call("GET", f"{back.path}?{back.query}")
    assert answer.status_code == 303, answer.text
    return site


def test_buyers_sign_in_with_the_events_own_provider_until_it_is_taken_out(clove: Stack, provider: ProviderProcess) -> None:
    seller = Seller(clove)

    def wanted(secret: str) -> dict[str, Any]:
        kept = seller.call("POST", "secrets", {"secret": secret}).json()["reference"]
        return {"issuer": provider.issuer, "client_id": CLIENT_ID, "name": "Example ID", "client_secret_ref": kept}

    def update(**changes: Any) -> None:
        requirement = seller.get(f"systems/{system}/requirement") | changes
        outcome = seller.outcome(seller.call("PUT", f"systems/{system}/requirement", {"requirement": requirement}))
        assert outcome["state"] == "succeeded", outcome

    requirement = areas_requirement(slug=SIGN_IN, payment="none", sign_in=wanted(CLIENT_SECRET))
    elsewhere = requirement | {"sign_in": requirement["sign_in"] | {"issuer": f"{provider.issuer}/elsewhere"}}
    assert [problem["code"] for problem in preview(seller, elsewhere)] == ["issuer_none"]
    assert preview(seller, requirement) == []
    system = seller.opened(requirement)

    assert clove.site(SIGN_IN).get("/api/auth/options")["sign_in"][0]["name"] == "Example ID"
    assert arrive(clove, "mina").get("/api/auth/me")["name"] == "김미나"
    assert CLIENT_SECRET not in str(seller.get(f"systems/{system}/requirement"))

    # Another secret reaches the service like any other change: with a wrong one the provider lets nobody in.
    update(sign_in=wanted("not this one"))
    assert arrive(clove, "jun").call("GET", "/api/auth/me").status_code == 401
    update(sign_in=None)
    assert clove.site(SIGN_IN).call("GET", "/api/auth/oidc/start").status_code == 404
    assert not [path for path in written_by(clove) if "not this one" in path.read_text(encoding="utf-8", errors="replace")]


def preview(seller: Seller, requirement: dict[str, Any]) -> list[Any]:
    answer = seller.call("POST", "preview", {"requirement": requirement})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["problems"])


def written_by(clove: Stack) -> list[Path]:
    """The logs, and the database of the control plane."""
    return [path for path in clove.home.rglob("*") if path.is_file() and ("log" in path.suffix or "controlplane.sqlite3" in path.name)]
