"""Which paths may pass from outside, told from the path as any service could read it."""

from __future__ import annotations

import re
from enum import Enum
from urllib.parse import unquote_to_bytes

HIDDEN = (b"internal", b"metrics")
"""First segments that are for the services of one system alone, and for the machine."""

_IS_PLAIN = re.compile(rb"(?:/[0-9A-Za-z_~!$&'()*+,=:@-][0-9A-Za-z._~!$&'()*+,=:@-]*+)*+/?+")
"""Segments that do not begin with a dot, nothing encoded, no parameters, nothing empty: most paths, decided in one go."""
_IS_HIDDEN_PLAIN = re.compile(rb"(?i)/(?:" + b"|".join(HIDDEN) + rb")(?:/|\Z)")
_IS_AMBIGUOUS = re.compile(rb"(?i)%(?:2f|5c|00)|%(?![0-9a-f]{2})|\\")
_MOST_TIMES_ENCODED = 3


class Passage(Enum):
    OPEN = "may pass"
    HIDDEN = "leads to what is never served to the outside, however it is spelled"
    AMBIGUOUS = "two programs may read it as two: dot segments, backslashes, encoded slashes, broken escapes"


def passage(path: bytes) -> Passage:
    """Whether PATH, without a query, may pass."""
    if _IS_PLAIN.fullmatch(path):
        return Passage.HIDDEN if _IS_HIDDEN_PLAIN.match(path) else Passage.OPEN
    if _IS_AMBIGUOUS.search(path) or any(_name(segment) in (b".", b"..") for segment in path.split(b"/")):
        return Passage.AMBIGUOUS
    first = path.lstrip(b"/").partition(b"/")[0]
    return Passage.HIDDEN if _name(first).lower() in HIDDEN else Passage.OPEN


def _name(segment: bytes) -> bytes:
    """SEGMENT without `;parameters` and without encoding, however often it was encoded."""
    for _ in range(_MOST_TIMES_ENCODED):
        if b"%" not in segment:
            break
        segment = unquote_to_bytes(segment)
    return segment.split(b";", 1)[0].strip()
