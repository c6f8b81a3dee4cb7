"""Who ordered: names and phone numbers as people type them, and finding them again."""

from __future__ import annotations

import unicodedata

from django.db.models import F, Value
from django.db.models.functions import Replace

UNPRINTED = frozenset({"Cc", "Cf", "Co", "Cs"})
BETWEEN_DIGITS = "-() "


def normal_name(typed: str) -> str:
    """Composed characters, single blanks, none that cannot be printed: it is looked for, printed on tickets and called out."""
    shown = (" " if unicodedata.category(letter) == "Cc" else letter for letter in unicodedata.normalize("NFC", typed))
    return " ".join("".join(letter for letter in shown if unicodedata.category(letter) not in UNPRINTED).split())


def words_of(typed: str) -> list[tuple[str, str]]:
    """Each word that is looked for, composed; and the same as `digits_of` a phone number, if it can be a part of one."""
    words = unicodedata.normalize("NFC", typed).split()
    return [(word, word.translate(str.maketrans("", "", BETWEEN_DIGITS)) or word) for word in words]


def digits_of(field: str) -> Replace | F:
    """The phone number in FIELD without what some people put between its digits and others do not."""
    found: Replace | F = F(field)
    for letter in BETWEEN_DIGITS:
        found = Replace(found, Value(letter), Value(""))
    return found
