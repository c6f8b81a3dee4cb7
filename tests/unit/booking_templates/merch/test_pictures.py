"""Pictures of products: put under their digest before the content that names them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking_templates.kit.db import clock
from booking_templates.merch.models import Picture
from tests.unit.booking_templates.merch.conftest import JSON, PRODUCTS

URL = "/api/merch"
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + bytes(100)
DIGEST = hashlib.sha256(PNG).hexdigest()


def put(client: Any, image: bytes, digest: str = "") -> Any:
    where = digest or hashlib.sha256(image).hexdigest()
    return client.put(f"{URL}/pictures/{where}", image, content_type="image/png")


def put_content(client: Any, picture: str | None) -> Any:
    return client.put(f"{URL}/content", {"products": [PRODUCTS[0] | {"picture": picture}]}, content_type=JSON)


def test_a_product_has_its_picture(staff_client: Any, client: Any) -> None:
    for _ in range(2):
        answer = put(staff_client, PNG)
        assert (answer.status_code, answer.json()["width"], answer.json()["height"]) == (200, 640, 480)
    assert put_content(staff_client, DIGEST).json()["products"][0]["picture"] == DIGEST
    picture = client.get(f"{URL}/products").json()["products"][0]["picture"]
    assert picture == {"url": f"{URL}/pictures/{DIGEST}", "width": 640, "height": 480}
    shown = client.get(picture["url"])
    assert (shown.content, shown["Content-Type"]) == (PNG, "image/png")
    assert "immutable" in shown["Cache-Control"]
    assert "sandbox" in shown["Content-Security-Policy"]


def test_content_that_names_an_unknown_picture_changes_nothing(staff_client: Any) -> None:
    answer = put_content(staff_client, DIGEST)
    assert (answer.status_code, answer.json()["code"], answer.json()["pictures"]) == (409, "unknown_pictures", [DIGEST])
    assert staff_client.get(f"{URL}/content").json() == {"products": []}


@pytest.mark.parametrize(
    ("image", "digest", "code"),
    [
        (b"<svg onload=alert(1)>", "", "not_a_picture"),
        (b"", "", "not_a_picture"),
        (PNG, "0" * 64, "digest_differs"),
        (PNG, DIGEST.upper(), "digest_differs"),
    ],
)
def test_what_is_no_picture_or_another_one_is_refused(staff_client: Any, image: bytes, digest: str, code: str) -> None:
    answer = put(staff_client, image, digest)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Picture.objects.exists()


def test_a_picture_too_large_is_refused(staff_client: Any) -> None:
    answer = put(staff_client, PNG + bytes(2 * 1024 * 1024))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_only_staff_put_pictures(client: Any, buyer_client: Any, client_for: Callable[[str], Any], keys: Any) -> None:
    assert put(client, PNG).status_code == 401
    assert put(buyer_client, PNG).status_code == 403
    assert put(client_for(keys.staff_token("attendees")), PNG).json()["code"] == "scope_missing"


def test_an_unknown_picture_is_not_there(client: Any) -> None:
    for digest in (DIGEST, "x", "..%2f..%2fetc%2fpasswd"):
        answer = client.get(f"{URL}/pictures/{digest}")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_picture_that_no_product_has_is_forgotten_after_a_day(staff_client: Any) -> None:
    put(staff_client, PNG)
    put_content(staff_client, None)
    assert Picture.objects.exists(), "it came just now, and the content that names it may be on its way"
    Picture.objects.update(created_at=clock() - timedelta(days=2))
    put_content(staff_client, DIGEST)
    assert Picture.objects.exists()
    put_content(staff_client, None)
    assert not Picture.objects.exists()


def test_pictures_are_forgotten_without_being_read(staff_client: Any) -> None:
    """Two hundred of two megabytes each are more than the service may have in memory."""
    put(staff_client, PNG)
    Picture.objects.update(created_at=clock() - timedelta(days=2))
    with CaptureQueriesContext(connection) as asked:
        put_content(staff_client, None)
    assert not Picture.objects.exists()
    assert not [each["sql"] for each in asked if each["sql"].startswith("SELECT") and '"image"' in each["sql"].replace("`", '"')]
