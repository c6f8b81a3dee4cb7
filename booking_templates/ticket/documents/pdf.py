"""PDF tickets (ISO 32000), a page each, of the size of a postcard (A6).

No font is in the file. Latin text is set in Helvetica, which every reader has; for the rest the standard character collection
Adobe-Korea1 is named, and the reader has a font for it. The QR is drawn as rectangles.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import segno

WIDTH, HEIGHT = 298, 420
MARGIN = 24
QR_SIDE = 150
QR_FOOT = MARGIN + 18
TEXT_FOOT = QR_FOOT + QR_SIDE + 12
"""Text ends above the white that a QR needs around it."""
LEADING = 1.4
LATIN = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
KOREAN = (
    "<< /Type /Font /Subtype /Type0 /BaseFont /HYGoThic-Medium /Encoding /UniKS-UTF16-H /DescendantFonts [ << /Type /Font"
    " /Subtype /CIDFontType0 /BaseFont /HYGoThic-Medium /CIDSystemInfo << /Registry (Adobe) /Ordering (Korea1) /Supplement 1 >>"
    " /DW 1000 /W [ 1 95 500 ] /FontDescriptor << /Type /FontDescriptor /FontName /HYGoThic-Medium /Flags 6 /ItalicAngle 0"
    " /Ascent 880 /Descent -120 /CapHeight 720 /StemV 80 /FontBBox [ -2 -148 1001 1048 ] >> >> ] >>"
)
FULL = 1000
MISSING = "\u25a1"
# fmt: off
HELVETICA = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556,
    278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,
    611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833,
    556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)
# fmt: on
"""Widths of the characters from blank to tilde, of 1000 (Adobe's font metrics)."""


@dataclass(frozen=True)
class Line:
    """Text in points of SIZE; GREY from 0 (black) to 1."""

    text: str
    size: float = 10
    grey: float = 0


@dataclass(frozen=True)
class Page:
    """A ticket: LINES from the top, the QR of CODE at the bottom, and a line below it."""

    lines: Sequence[Line]
    code: str
    foot: str


def document(pages: Sequence[Page], *, title: str) -> bytes:
    """A PDF file with PAGES."""
    objects: list[bytes] = [b"", b"", KOREAN.encode(), LATIN.encode()]
    kids = []
    for page in pages:
        stream = _drawn(page)
        objects.append(f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream")
        content = len(objects)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [ 0 0 {WIDTH} {HEIGHT} ] /Contents {content} 0 R"
            " /Resources << /Font << /K 3 0 R /L 4 0 R >> >> >>".encode()
        )
        kids.append(f"{len(objects)} 0 R")
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = f"<< /Type /Pages /Kids [ {' '.join(kids)} ] /Count {len(kids)} >>".encode()
    objects.append(f"<< /Title <FEFF{_hex(title)}> /Producer (Clove) >>".encode())
    return _file(objects)


def _file(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)


def _drawn(page: Page) -> bytes:
    parts: list[str] = []
    top: float = HEIGHT - MARGIN
    for line in _fitting(page.lines):
        for piece in _wrapped(line, WIDTH - 2 * MARGIN):
            top -= line.size * LEADING
            parts.append(_shown(piece, MARGIN, top, line.size, line.grey))
    parts.append(_qr(page.code, (WIDTH - QR_SIDE) / 2, QR_FOOT))
    foot = Line(page.foot, 8, 0.4)
    parts.append(_shown(foot.text, (WIDTH - _width(foot.text, foot.size)) / 2, MARGIN, foot.size, foot.grey))
    return "\n".join(parts).encode("ascii")


def _fitting(lines: Sequence[Line]) -> Sequence[Line]:
    """LINES, so much smaller that they leave the QR its room."""
    while sum(line.size * LEADING * len(_wrapped(line, WIDTH - 2 * MARGIN)) for line in lines) > HEIGHT - MARGIN - TEXT_FOOT:
        lines = [replace(line, size=round(line.size * 0.9, 1)) for line in lines]
    return lines


def _shown(text: str, x: float, y: float, size: float, grey: float) -> str:
    runs = []
    for is_latin, letters in itertools.groupby(text, key=_is_latin):
        run = "".join(letters)
        runs.append(f"/{'L' if is_latin else 'K'} {size} Tf <{run.encode('cp1252').hex() if is_latin else _hex(run)}> Tj")
    return f"BT {grey} g {x:.2f} {y:.2f} Td {' '.join(runs)} ET"


@lru_cache(maxsize=4096)
def _is_latin(letter: str) -> bool:
    """Whether Helvetica has it, by WinAnsiEncoding."""
    return letter.isprintable() and _is_in("cp1252", letter)


def _is_in(charset: str, letter: str) -> bool:
    try:
        letter.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _settable(text: str) -> str:
    """TEXT composed, in letters that one of the fonts has: one that neither has loses its marks, or becomes a box.

    Adobe-Korea1 has the letters of KS X 1001 and all of Hangul, as cp949 does; what is beyond the basic plane is in no Korean font.
    """
    return "".join(map(_set, unicodedata.normalize("NFC", text).replace("Đ", "Ð")))  # two letters that look alike; Helvetica has the second


@lru_cache(maxsize=4096)
def _set(letter: str) -> str:
    if letter <= "\uffff" and (not letter.isalpha() or _is_latin(letter) or _is_in("cp949", letter)):
        return letter
    plain = unicodedata.normalize("NFD", letter)[0]
    return plain if _is_latin(plain) else MISSING


def _qr(code: str, x: float, y: float) -> str:
    matrix: Any = segno.make(code, error="m", micro=False, boost_error=False).matrix
    side = QR_SIDE / len(matrix)
    squares = [
        f"{x + column * side:.3f} {y + (len(matrix) - 1 - row) * side:.3f} {side:.3f} {side:.3f} re"
        for row, cells in enumerate(matrix)
        for column, is_dark in enumerate(cells)
        if is_dark
    ]
    return "0 g\n" + "\n".join(squares) + "\nf"


def _wrapped(line: Line, room: float) -> list[str]:
    """The line's text in pieces that fit, broken at blanks where there are some."""
    pieces, piece = [], ""
    for letter in " ".join(_settable(line.text).split()):
        while piece and _width(piece + letter, line.size) > room:  # again where what is left after the blank is still too long
            head, blank, tail = piece.rpartition(" ")
            pieces.append(head if blank else piece)
            piece = tail if blank else ""
        piece += letter
    return [*pieces, piece] if piece or not pieces else pieces


def _width(text: str, size: float) -> float:
    return sum(map(_advance, text)) * size / 1000


@lru_cache(maxsize=4096)
def _advance(letter: str) -> int:
    """Of 1000. Marks make no letter wider, but for those on an i; what else there is beyond ASCII is taken for as wide as any."""
    plain = letter if letter <= "~" else unicodedata.normalize("NFD", letter)[0]
    return HELVETICA[ord(plain) - 32] + (plain != letter) * 56 if " " <= plain <= "~" else FULL


def _hex(text: str) -> str:
    """As UniKS-UTF16-H reads it."""
    return text.encode("utf-16-be", "replace").hex().upper()
