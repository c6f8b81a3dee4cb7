"""Finds an address for an event whose seller named none."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator

from controlplane.lib.romanize import latin_name
from controlplane.rendering.requirement import RESERVED_SLUGS, Requirement


def candidates(requirement: Requirement) -> Iterator[str]:
    """Addresses to try, the best first: from the title in Latin letters, else from the kind of event; at most 20."""
    words = latin_name(requirement.title, 30)
    base = words if len(words) >= 3 and not words.isdecimal() and not words.startswith("xn--") else ""
    if base and base not in RESERVED_SLUGS:
        yield base
        yield from (f"{base}-{number}" for number in itertools.islice(itertools.count(2), 8))
    for _ in range(11):
        yield f"{base or requirement.field}-{secrets.token_hex(3)}"
