"""Names as buyers type them."""

from __future__ import annotations

import unicodedata

UNPRINTED = frozenset({"Cc", "Cf", "Co", "Cs"})


def normal_name(typed: str) -> str:
    """Composed characters, single blanks, none that cannot be printed: it is looked for, printed on tickets and called out."""
    shown = (" " if unicodedata.category(letter) == "Cc" else letter for letter in unicodedata.normalize("NFC", typed))
    return " ".join("".join(letter for letter in shown if unicodedata.category(letter) not in UNPRINTED).split())
