"""A page with holes: rendered and compressed once, filled in for each visitor without doing either again.

The template writes `{% hole "next" %}` where something of the request belongs. The text between two holes is compressed by itself, so that
it refers to nothing before it, and ends on a whole byte. Between such pieces a value goes into the gzip stream as it is, in a block that
deflate calls "stored": whatever its length, the pieces stay as they are. A value is compressed together with nothing, so the length of an
answer tells nothing about a secret beside it (BREACH).
"""

from __future__ import annotations

import re
import secrets
import struct
import zlib
from array import array
from collections.abc import Mapping
from hashlib import blake2b

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

# Drawn anew by each process: no text of a seller can look like a hole.
_SECRET = secrets.token_hex(16)
_MARK = re.compile(rf"⟦{_SECRET}:([a-z_]+)⟧")

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_GZIP_END = b"\x03\x00"
_STORED_MAX = 0xFFFF


def hole(name: str) -> SafeString:
    """What a template writes where the value called NAME goes: in text, or in an attribute between double quotes."""
    return mark_safe(f"⟦{_SECRET}:{name}⟧")  # noqa: S308 - of our own making


class Shell:
    """PAGE, as rendered by a template with marks of `hole` in it."""

    def __init__(self, page: str) -> None:
        texts_and_names = _MARK.split(page)
        self._names = texts_and_names[1::2]
        self._texts = [text.encode() for text in texts_and_names[::2]]
        self._packed = [_pack(text) for text in self._texts]
        self._after = [_Checksum(text) for text in self._texts]
        self._length = sum(len(text) for text in self._texts)
        # Of the holes' names, not of their marks: those are others in each process, and a page is the same in all of them.
        self._digest = blake2b(digest_size=12)
        for part in texts_and_names:
            _take(self._digest, part)

    def etag(self, values: Mapping[str, str]) -> str:
        """A weak validator of the page filled with VALUES: the same for the same page, compressed or not."""
        digest = self._digest.copy()
        for name in self._names:
            _take(digest, values[name])
        return f'W/"{digest.hexdigest()}"'

    def plain(self, values: Mapping[str, str]) -> bytes:
        """The page, with VALUES escaped and in their places. Raises KeyError when one is missing."""
        filled = [self._texts[0]]
        for name, text in zip(self._names, self._texts[1:], strict=True):
            filled += (_escaped(values[name]), text)
        return b"".join(filled)

    def gzipped(self, values: Mapping[str, str]) -> bytes:
        """The same, compressed."""
        checksum, length, filled = self._after[0](0), self._length, [_GZIP_HEAD, self._packed[0]]
        for name, after, packed in zip(self._names, self._after[1:], self._packed[1:], strict=True):
            value = _escaped(values[name])
            checksum = after(zlib.crc32(value, checksum))
            length += len(value)
            filled += (*_stored(value), packed)
        return b"".join((*filled, _GZIP_END, struct.pack("<II", checksum, length & 0xFFFFFFFF)))


class _Checksum:
    """`zlib.crc32(TEXT, before)` for one TEXT and any BEFORE, without reading the text again.

    What a text adds depends on the checksum before it by its length alone, and linearly: each bit of that turns some bits over
    (as `crc32_combine` of zlib.h has it). For each byte of the checksum before there is a table of which.
    """

    def __init__(self, text: bytes) -> None:
        self._of_text = zlib.crc32(text)
        nothing = bytes(len(text))
        at_zero = zlib.crc32(nothing)
        bits = [zlib.crc32(nothing, 1 << bit) ^ at_zero for bit in range(32)]
        self._tables = [array("L", _sums(bits[first : first + 8])) for first in range(0, 32, 8)]

    def __call__(self, before: int) -> int:
        first, second, third, fourth = self._tables
        turned = first[before & 0xFF] ^ second[before >> 8 & 0xFF] ^ third[before >> 16 & 0xFF] ^ fourth[before >> 24]
        return self._of_text ^ turned


def _sums(bits: list[int]) -> list[int]:
    """For each number of eight bits, the sum (exclusive or) of those of BITS that it has."""
    sums = [0]
    for bit in bits:
        sums += [bit ^ each for each in sums]
    return sums


def _take(digest: blake2b, value: str) -> None:
    encoded = value.encode(errors="replace")
    digest.update(b"%d:" % len(encoded) + encoded)


def _escaped(value: str) -> bytes:
    return str(escape(value)).encode(errors="replace") if value else b""


def _pack(text: bytes) -> bytes:
    """TEXT as deflate blocks of which none is the last; the end is flushed to a whole byte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)


def _stored(value: bytes) -> list[bytes]:
    """VALUE as stored blocks (RFC 1951, 3.2.4): a byte that says so, the length, its complement, and the bytes themselves."""
    blocks = []
    for start in range(0, len(value), _STORED_MAX):
        part = value[start : start + _STORED_MAX]
        blocks.append(struct.pack("<BHH", 0, len(part), len(part) ^ 0xFFFF) + part)
    return blocks
