"""What is taken for a picture."""

from __future__ import annotations

import struct

import pytest

from controlplane.lib.pictures import SIDE_MAX, NotAPicture, Picture, inspect
from tests.pictures import jpeg, png, webp


@pytest.mark.parametrize(
    ("content", "kind"), [(png(3, 2), "image/png"), (jpeg(3, 2), "image/jpeg"), (webp(3, 2), "image/webp")], ids=["png", "jpeg", "webp"]
)
def test_kind_and_size_are_read(content: bytes, kind: str) -> None:
    assert inspect(content) == Picture(kind, 3, 2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(40),
        png(0, 5),
        png(SIDE_MAX + 1, 5),
        jpeg(3, 2)[:8],
        b"\xff\xd8\xff\xd9" + bytes(20),
        b"RIFF" + struct.pack("<I", 30) + b"WEBPVP9 " + bytes(30),
    ],
)
def test_anything_else_is_none(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        inspect(content)
