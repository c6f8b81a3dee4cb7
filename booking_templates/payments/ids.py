"""Identifiers: of rows, and of orders for people."""

from __future__ import annotations

import os
import time
import uuid

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 characters that are hard to mistake for one another on paper and by telephone."""


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): 74 random bits, and those made later sort later, which keeps an index's inserts together."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def new_number(prefix: str) -> str:
    """An order number such as `T7K3M-9QX4R`: 50 random bits, so two of one system do not meet; a unique column makes sure."""
    letters = new_letters(10)
    return f"{prefix}{letters[:5]}-{letters[5:]}"


def new_letters(count: int) -> str:
    """COUNT letters of the alphabet by chance: five bits of a random byte each."""
    return "".join([ALPHABET[byte & 31] for byte in os.urandom(count)])
