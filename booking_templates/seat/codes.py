"""Presale codes: short enough to type, worked out from their number and this system's key, and kept nowhere.

A code is 59 bits in twelve letters and digits: 39 of an HMAC-SHA256 over its number, then the number, covered by 20 bits that follow from
the first 39. So nothing shows in a code how many there are, and whoever guesses has to hit one of those that were given out: a hundred
thousand of 5.8 × 10^17.
"""

from __future__ import annotations

import hmac
import unicodedata

from django.conf import settings
from django.utils.encoding import force_bytes

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""None that is taken for another: no 0 and O, no 1, I and L."""
CHARACTERS = 12
GROUP = 4
CODES_MAX = 1_000_000
TYPED_MAX = 60
"""More characters than anybody types around a code."""

_NUMBER_BITS = 20
_MAC_BITS = 39
_BETWEEN = frozenset({"Pd", "Zs", "Cc", "Cf", "Pc"})


def write(number: int) -> str:
    """The code of NUMBER, from 1 on: `XXXX-XXXX-XXXX`."""
    mac = _mac(number)
    value = mac << _NUMBER_BITS | (number ^ _cover(mac))
    letters = ""
    for _place in range(CHARACTERS):
        value, digit = divmod(value, len(ALPHABET))
        letters = ALPHABET[digit] + letters
    return "-".join(letters[at : at + GROUP] for at in range(0, CHARACTERS, GROUP))


def read(typed: str) -> int | None:
    """The number of the code that was TYPED, in small letters, wide ones, with or without what stands between; None: it is none of ours."""
    plain = unicodedata.normalize("NFKC", typed[:TYPED_MAX]).upper()
    letters = "".join(letter for letter in plain if unicodedata.category(letter) not in _BETWEEN)
    if len(letters) != CHARACTERS:
        return None
    value = 0
    for letter in letters:
        digit = ALPHABET.find(letter)
        if digit < 0:
            return None
        value = value * len(ALPHABET) + digit
    mac, covered = value >> _NUMBER_BITS, value & (1 << _NUMBER_BITS) - 1
    number = covered ^ _cover(mac & (1 << _MAC_BITS) - 1)
    is_ours = hmac.compare_digest(mac.to_bytes(8, "big"), _mac(number).to_bytes(8, "big"))
    return number if is_ours and 1 <= number <= CODES_MAX else None


def _mac(number: int) -> int:
    return _bits("code", number, _MAC_BITS)


def _cover(mac: int) -> int:
    return _bits("code number", mac, _NUMBER_BITS)


def _bits(purpose: str, value: int, bits: int) -> int:
    message = f"presale {purpose}\n{settings.ENV.system}\n{value}".encode()
    return int.from_bytes(hmac.digest(force_bytes(settings.SECRET_KEY), message, "sha256")[:8], "big") >> (64 - bits)
