"""Korean in Latin letters, for addresses and ids (Revised Romanization, letter by letter, without the sound changes)."""

from __future__ import annotations

import re
import unicodedata

_INITIAL = "g kk n d tt r m b pp s ss  j jj ch k t p h".split(" ")
_MEDIAL = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_FINAL = ["", *"k k ks n nj nh t l lk lm lb ls lt lp lh m p ps t t ng t t k t p t".split()]
_FIRST, _LAST = 0xAC00, 0xD7A3
_OTHER = re.compile(r"[^a-z0-9]+")


def latin(text: str) -> str:
    """TEXT with each Hangul syllable spelled out; accents are dropped, all else stays."""
    return "".join(_syllable(sign) for sign in unicodedata.normalize("NFC", text))


def latin_name(text: str, length: int) -> str:
    """TEXT as a DNS label of at most LENGTH characters: a-z, 0-9 and single hyphens between; may be empty."""
    plain = unicodedata.normalize("NFKD", latin(text)).encode("ascii", "ignore").decode().lower()
    name = _OTHER.sub("-", plain).strip("-")
    if len(name) > length:
        cut = name[: length + 1]
        name = cut[: cut.rfind("-")] if "-" in cut[length // 2 :] else name[:length]
    return name.strip("-")


def _syllable(sign: str) -> str:
    if not _FIRST <= ord(sign) <= _LAST:
        return sign
    number = ord(sign) - _FIRST
    return _INITIAL[number // 588] + _MEDIAL[number % 588 // 28] + _FINAL[number % 28]
