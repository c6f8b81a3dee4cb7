"""The REST API of product pictures: kept before a requirement names them, and put up in a live shop."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from controlplane.systems.pictures import BYTES_MAX
from tests.controlplane import numbered_requirement
from tests.pictures import png
from tests.unit.controlplane.api.test_booking_systems import problem
from tests.unit.controlplane.pages import deployed

pytestmark = pytest.mark.django_db(transaction=True)

IMAGE = png()
DIGEST = hashlib.sha256(IMAGE).hexdigest()


@pytest.fixture
def event(seller: Any, runtime: Any) -> Any:
    return deployed(numbered_requirement(), seller, runtime)


def test_a_picture_is_kept_once_and_read_by_its_owner_alone(mine: Any, other: Any, anybody: Any) -> None:
    first, again = (mine.post("pictures", IMAGE) for _ in range(2))

    assert (first.status_code, first.json()) == (201, {"digest": DIGEST, "media_type": "image/png", "width": 2, "height": 2})
    assert again.json() == first.json()
    assert mine.get(f"pictures/{DIGEST}").content == IMAGE
    problem(other.get(f"pictures/{DIGEST}"), 404, "not_found")
    problem(anybody.get(f"pictures/{DIGEST}"), 401, "not_authenticated")
    problem(anybody.post("pictures", IMAGE), 401, "not_authenticated")


def test_a_requirement_names_it(mine: Any, site: Any) -> None:
    product = {"id": "program", "name": "프로그램북", "price_krw": 15000, "stock": 50, "picture": DIGEST}
    wanted = {"requirement": numbered_requirement(products=[product]), "deploy": False}

    assert problem(mine.post("systems", wanted), 422, "requirement_invalid")["errors"].keys() == {"products[0].picture"}
    mine.post("pictures", IMAGE)
    system = mine.post("systems", wanted).json()
    assert mine.get(f"systems/{system['id']}/requirement").json()["products"][0]["picture"] == DIGEST


@pytest.mark.parametrize("named", ["", "abc", DIGEST.upper(), 5, ["x"]])
def test_what_is_no_digest_is_refused(mine: Any, named: Any) -> None:
    product = {"id": "program", "name": "프로그램북", "price_krw": 15000, "stock": 50, "picture": named}
    body = problem(mine.post("systems", {"requirement": numbered_requirement(products=[product])}), 422, "requirement_invalid")
    assert body["errors"].keys() == {"products[0].picture"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"", 422, "not_a_picture"), (b"<svg/>", 422, "not_a_picture"), (IMAGE + bytes(BYTES_MAX), 413, "too_large")],
)
def test_what_cannot_be_kept_is_refused(mine: Any, event: Any, body: bytes, status: int, code: str) -> None:
    problem(mine.post("pictures", body), status, code)
    problem(mine.put(f"systems/{event.pk}/products/program/picture", body), status, code)


def test_a_live_product_shows_it_and_shows_it_no_more(mine: Any, other: Any, event: Any, site: Any) -> None:
    address = f"systems/{event.pk}/products/program/picture"
    problem(other.put(address, IMAGE), 404, "not_found")
    shown = mine.put(address, IMAGE)

    assert (shown.json()["digest"], shown["ETag"]) == (DIGEST, mine.get(f"systems/{event.pk}")["ETag"])
    assert site.content["merch"]["products"][0]["picture"] == DIGEST
    problem(mine.put(f"systems/{event.pk}/products/hat/picture", IMAGE), 409, "no_such_product")

    assert [mine.delete(address).status_code for _ in range(2)] == [204, 204]
    assert "picture" not in site.content["merch"]["products"][0]
