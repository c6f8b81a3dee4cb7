"""Passwords: Argon2id at OWASP's minimum, and the rules for new ones.

19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet) take about 25 ms of one core. More would make each login dearer for
the server than for who attacks it; HASHES_AT_ONCE bounds memory and leaves the other requests their share of the cores.
"""

from __future__ import annotations

import contextlib
import ctypes
import gzip
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from django.utils.translation import gettext as _

from booking_templates.kit.problems import Unavailable

LENGTH_MIN = 8
LENGTH_MAX = 128
HASHES_AT_ONCE = 2
WAIT_S = 5.0

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$tHrrFVf1xw2NXAGpEvuvFQ$ZFlhd5cLFv0kheMf1kkC5I6hgpWlAriiWUV4CSy3g+8"
"""The hash of a password that nobody knows: what is checked when there is no account, so that it takes as long."""
_room = threading.BoundedSemaphore(HASHES_AT_ONCE)


M_MMAP_THRESHOLD = -3
"""glibc's mallopt(3)."""


def _give_memory_back() -> None:
    """Have a hash's 19 MiB mapped and unmapped each time. By itself glibc learns from the first one to keep such blocks for good."""
    with contextlib.suppress(OSError, AttributeError):  # another libc
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1024 * 1024)


_give_memory_back()


@contextmanager
def _turn() -> Iterator[None]:
    if not _room.acquire(timeout=WAIT_S):
        raise Unavailable("busy", _("Very many people are logging in right now. Please try again in a moment."), retry_after_s=2)
    try:
        yield
    finally:
        _room.release()


def make(password: str) -> str:
    """The hash of PASSWORD. Takes about 25 ms of a core. Raises Unavailable when too many wait."""
    with _turn():
        return _hasher.hash(_normal(password))


def matches(password: str, stored: str) -> bool:
    """Whether PASSWORD is the one STORED is the hash of. An empty STORED (nobody, or a closed account) takes just as long and never is."""
    with _turn():
        try:
            return _hasher.verify(stored or NOBODYS, _normal(password)) and bool(stored)
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(stored: str) -> bool:
    """Whether STORED was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(stored)


def _normal(password: str) -> str:
    """Hangul typed on one machine comes composed, on another in parts; it is the same password."""
    return unicodedata.normalize("NFKC", password)


def faults(password: str, *, email: str, name: str = "") -> list[str]:
    """What is wrong with PASSWORD as a new one, in words; nothing when it is fine (ASVS 5.0, 6.2)."""
    if len(password) < LENGTH_MIN:
        return [_("Use at least %(count)d characters.") % {"count": LENGTH_MIN}]
    if len(password) > LENGTH_MAX:
        return [_("Use at most %(count)d characters.") % {"count": LENGTH_MAX}]
    folded = password.casefold()
    if folded in {email.casefold(), email.partition("@")[0].casefold(), name.casefold()}:
        return [_("Use something other than your e-mail address or name.")]
    if len(set(folded)) <= 2 or is_common(folded):
        return [_("This password is among the first that anyone would try. Use another.")]
    return []


def is_common(password: str) -> bool:
    """Whether PASSWORD is among the 20,000 most used ones. Reads the list each time, 2 ms, rather than keep 2 MB for it."""
    packed = files("django.contrib.auth").joinpath("common-passwords.txt.gz").read_bytes()
    return b"\n" + password.encode() + b"\n" in b"\n" + gzip.decompress(packed) + b"\n"
