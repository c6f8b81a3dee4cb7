"""Turns: the place in the queue, told to the one who has it and kept nowhere else. It says its number, and only this service can make it.

A turn is base64url without padding of: version (1 byte), number (8), id (8, by chance), when it was given out and for how long it had to
wait as things were (8 and 4, milliseconds), then 16 bytes of an HMAC-SHA256 over all of that and the system.
"""

from __future__ import annotations

import binascii
import hmac
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from django.conf import settings
from django.utils.encoding import force_bytes

from booking_templates.seat.queue import Queue

VERSION = 1
TURN_CHARACTERS = 60
LIFE_MS = 20 * 60_000
"""So long after it came a turn can be taken, and so long it can be used from then on."""
AGE_MAX_MS = 7 * 24 * 3_600_000
"""Longer than anybody waits, be it that nobody was let in over a night. That it was used is kept for as long."""
_PACKED = struct.Struct(">BQQQI")
_MAC_BYTES = 16
_WAIT_MAX_MS = 2**32 - 1


@dataclass(frozen=True)
class Turn:
    """NUMBER in the queue; ID names this turn. WAIT_MS is 0 for one that was in at once."""

    number: int
    id: int
    given_ms: int
    wait_ms: int

    def is_over(self, queue: Queue, now_ms: int) -> bool:
        """Whether it came and was not taken in time. One that nobody had to wait for cannot be kept for when all do."""
        if now_ms > self.given_ms + AGE_MAX_MS:
            return True
        if not self.wait_ms:
            return now_ms > self.given_ms + LIFE_MS
        return not queue.is_paused and now_ms > max(self.given_ms + self.wait_ms, queue.queued_until_ms) + LIFE_MS


def new(number: int, given_ms: int, wait_ms: int) -> Turn:
    return Turn(number, secrets.randbits(63), given_ms, min(wait_ms, _WAIT_MAX_MS))


def write(turn: Turn) -> str:
    """TURN as its owner is told."""
    packed = _PACKED.pack(VERSION, turn.number, turn.id, turn.given_ms, turn.wait_ms)
    return urlsafe_b64encode(packed + _mac(packed)).decode("ascii")


def read(text: str) -> Turn | None:
    """The turn that TEXT is; None when this service never gave it out."""
    if len(text) != TURN_CHARACTERS:
        return None
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
    except (ValueError, binascii.Error):
        return None
    packed, mac = raw[: _PACKED.size], raw[_PACKED.size :]
    if len(packed) != _PACKED.size or not hmac.compare_digest(mac, _mac(packed)):
        return None
    version, number, identity, given_ms, wait_ms = _PACKED.unpack(packed)
    return Turn(number, identity, given_ms, wait_ms) if version == VERSION else None


def _mac(packed: bytes) -> bytes:
    purpose = f"turn\n{settings.ENV.system}\n".encode()
    return hmac.digest(force_bytes(settings.SECRET_KEY), purpose + packed, "sha256")[:_MAC_BYTES]
