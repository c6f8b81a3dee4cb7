"""What this service signs for itself: nobody else can make it, and nobody can read from it."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.utils.encoding import force_bytes


def mac_of(purpose: str, *parts: str) -> str:
    """64 hex digits that only this system's auth service can make for PARTS. What is made for one PURPOSE is worth nothing for another."""
    return hmac.new(force_bytes(settings.SECRET_KEY), "\n".join([purpose, *parts]).encode(), hashlib.sha256).hexdigest()


def is_mac_of(given: str, purpose: str, *parts: str) -> bool:
    """Whether GIVEN is that, compared in constant time."""
    return hmac.compare_digest(given.encode(), mac_of(purpose, *parts).encode())
