"""`Idempotency-Key` of an order: kept in the order's own row, for making an order is more than one transaction."""

from __future__ import annotations

import hashlib

from booking_templates.kit.api import Request
from booking_templates.kit.idempotency import KEY_MAX
from booking_templates.kit.problems import Unprocessable


def key_of(request: Request) -> str | None:
    """The request's key as a digest (databases compare text without regard to case, to width or to blanks at its end), or None."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if len(key) > KEY_MAX:
        raise Unprocessable("idempotency_key_too_long", max_length=KEY_MAX)
    return hashlib.sha256(key.encode()).hexdigest() if key else None
