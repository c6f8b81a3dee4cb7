"""Kind and size of a PNG, JPEG or WebP picture, read from its first bytes. Nothing is decoded: what is no picture is not kept.

The booking services look at pictures in the same way, so that what is taken here is not refused there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SIDE_MAX = 8000


class NotAPicture(Exception):
    """These bytes are not a PNG, JPEG or WebP picture of a sensible size."""


@dataclass(frozen=True)
class Picture:
    media_type: str
    width: int
    height: int


def inspect(content: bytes) -> Picture:
    """What CONTENT is. Raises NotAPicture."""
    try:
        picture = _inspect(content)
    except (struct.error, IndexError) as error:
        raise NotAPicture("cut off") from error
    if not (1 <= picture.width <= SIDE_MAX and 1 <= picture.height <= SIDE_MAX):
        raise NotAPicture("size")
    return picture


def _inspect(content: bytes) -> Picture:
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return Picture("image/png", *struct.unpack_from(">II", content, 16))
    if content.startswith(b"\xff\xd8\xff"):
        return Picture("image/jpeg", *_jpeg_size(content))
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return Picture("image/webp", *_webp_size(content))
    raise NotAPicture("kind")


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Walks the segments to the start of frame (ITU T.81, B.1): SOF0-15 without DHT, JPG and DAC."""
    at = 2
    while True:
        if content[at] != 0xFF:
            raise NotAPicture("segment")
        marker = content[at + 1]
        if marker == 0xFF:  # fill bytes may stand before a marker
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        if marker in (0xD8, 0xD9, 0xDA):
            raise NotAPicture("no frame")
        (length,) = struct.unpack_from(">H", content, at + 2)
        at += 2 + length


def _webp_size(content: bytes) -> tuple[int, int]:
    """VP8 (RFC 6386, 9.1), VP8L and VP8X (RFC 9649)."""
    kind = content[12:16]
    if kind == b"VP8X":
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    if kind == b"VP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise NotAPicture("chunk")
