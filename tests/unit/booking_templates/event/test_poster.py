"""The poster: which pictures are taken, and how they are given."""

from __future__ import annotations

import struct
import zlib

import pytest

from booking_templates.event.models import Poster
from booking_templates.kit import pictures

pytestmark = pytest.mark.django_db
PATH = "/api/event/poster"


def png(width=3, height=2):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress((b"\x00" + b"\xff\x00\x00" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width=640, height=480, marker=0xC2):
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    tables = b"\xff\xdb" + struct.pack(">H", 67) + bytes(65) + b"\xff\xff\xff\xc4" + struct.pack(">H", 4) + b"\x00\x00"
    frame = bytes([0xFF, marker]) + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + app0 + tables + frame + b"\xff\xda\x00\x02\xff\xd9"


def webp(kind, body):
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


VP8X = webp(b"VP8X", bytes(4) + (299).to_bytes(3, "little") + (199).to_bytes(3, "little"))
VP8L = webp(b"VP8L", b"\x2f" + struct.pack("<I", 299 | 199 << 14) + bytes(8))
VP8 = webp(b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 300, 200) + bytes(8))


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (png(), ("image/png", 3, 2)),
        (jpeg(), ("image/jpeg", 640, 480)),
        (jpeg(marker=0xC0), ("image/jpeg", 640, 480)),
        (VP8X, ("image/webp", 300, 200)),
        (VP8L, ("image/webp", 300, 200)),
        (VP8, ("image/webp", 300, 200)),
    ],
)
def test_pictures_are_known_by_their_bytes(image, found):
    picture = pictures.inspect(image)
    assert (picture.media_type, picture.width, picture.height) == found


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"GIF89a" + bytes(20),
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html>",
        png()[:20],
        png(0, 5),
        png(9000, 5),
        jpeg()[:25],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x00" * 3,
        b"\xff\xd8\xff\xda\x00\x02",
        b"\xff\xd8\xff" + b"\x00" * 50,
        webp(b"VP9 ", bytes(20)),
        VP8L[:22],
    ],
    ids=lambda image: f"{len(image)}-{zlib.crc32(image):x}",
)
def test_anything_else_is_refused(staff_client, published, image):
    response = staff_client.generic("PUT", PATH, image, content_type="image/png")
    assert response.status_code == 422
    assert response.json()["code"] == "not_a_picture"
    assert not Poster.objects.exists()


@pytest.mark.timeout(5)
def test_a_picture_that_points_at_itself_ends(staff_client, published):
    for content in (b"\xff\xd8\xff\xe0\x00\x00" + b"\xff\xe0\x00\x00" * 100_000, b"\xff\xd8" + b"\xff" * 1_000_000):
        with pytest.raises(pictures.NotAPicture):
            pictures.inspect(content)


def test_the_poster_is_shown_by_an_address_that_changes_with_it(client, staff_client, published):
    first = staff_client.generic("PUT", PATH, png(), content_type="image/png").json()
    assert (first["width"], first["height"]) == (3, 2)
    assert client.get("/api/event/").json()["poster"] == first
    response = client.get(first["url"])
    assert (response.status_code, response.content, response["Content-Type"]) == (200, png(), "image/png")
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["X-Content-Type-Options"] == "nosniff"
    second = staff_client.generic("PUT", PATH, jpeg(), content_type="image/png").json()
    assert second["url"] != first["url"]
    assert client.get(second["url"])["Content-Type"] == "image/jpeg"
    assert client.get(first["url"]).status_code == 404
    assert Poster.objects.count() == 1


def test_the_same_picture_again_changes_nothing(client, staff_client, published):
    answers = [staff_client.generic("PUT", PATH, png(), content_type="image/png").json() for _ in range(2)]
    assert answers[0] == answers[1]
    etag = client.get("/api/event/")["ETag"]
    staff_client.generic("PUT", PATH, png(), content_type="image/png")
    assert client.get("/api/event/")["ETag"] == etag


def test_it_is_taken_away_and_twice_is_fine(client, staff_client, published):
    staff_client.generic("PUT", PATH, png(), content_type="image/png")
    for _ in range(2):
        assert staff_client.delete(PATH).status_code == 204
    assert client.get("/api/event/").json()["poster"] is None


def test_only_staff_may(client, buyer_client, client_for, keys, published):
    for who, status in [(client, 401), (buyer_client, 403), (client_for(keys.staff_token("attendees")), 403)]:
        assert who.generic("PUT", PATH, png(), content_type="image/png").status_code == status
        assert who.delete(PATH).status_code == status
    assert not Poster.objects.exists()


def test_one_that_is_too_large_is_refused(staff_client, published):
    assert staff_client.generic("PUT", PATH, png() + bytes(4 * 1024 * 1024), content_type="image/png").status_code == 413


def test_before_there_is_content_there_is_no_poster(staff_client):
    assert staff_client.generic("PUT", PATH, png(), content_type="image/png").json()["code"] == "no_content"
