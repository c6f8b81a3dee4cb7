"""A place in the reader's language. The seat service writes it in the language of the booking system, and so it stays on the ticket."""

from __future__ import annotations

import re

from django.utils.translation import pgettext

KOREAN = re.compile(r"(?:(?P<zone>.+) )?(?P<row>\S+)열 (?P<number>\S+)번")
ENGLISH = re.compile(r"(?:(?P<zone>.+) )?row (?P<row>\S+) seat (?P<number>\S+)")
"""As the pages' lib/places.js has them."""


def place_name(label: str) -> str:
    """LABEL in the active language; one that the seller worded otherwise, or an area's name, stays as it is."""
    found = KOREAN.fullmatch(label) or ENGLISH.fullmatch(label)
    if found is None:
        return label
    words = pgettext("seat", "row %(row)s seat %(number)s") % {"row": found["row"], "number": found["number"]}
    return f"{found['zone']} {words}" if found["zone"] else words
