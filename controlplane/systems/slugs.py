"""Finds an address for an event whose seller named none."""

from __future__ import annotations

import itertools
import re
import secrets
import unicodedata
from collections.abc import Iterator

from controlplane.rendering.requirement import RESERVED_SLUGS, Requirement


def candidates(requirement: Requirement) -> Iterator[str]:
    """Addresses to try, the best first: from the title's Latin letters, else from the kind of event; at most 20."""
    letters = unicodedata.normalize("NFKD", requirement.title).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", letters))[:30].strip("-")
    base = words if len(words) >= 3 and not words.isdecimal() and not words.startswith("xn--") else ""
    if base and base not in RESERVED_SLUGS:
        yield base
        yield from (f"{base}-{number}" for number in itertools.islice(itertools.count(2), 8))
    for _ in range(11):
        yield f"{base or requirement.field}-{secrets.token_hex(3)}"
