"""Passes of the seat service: tidying only. An expired hold is in nobody's way, swept or not."""

from __future__ import annotations

from booking_templates.kit.problems import NotFound
from booking_templates.kit.worker import Pass
from booking_templates.seat import claims, house, passes


def shorten() -> int:
    """Let no hold last for longer than one can that is placed and extended now, whatever the clock did."""
    try:
        at = house.current()
    except NotFound:
        return 0
    return claims.shorten(at.hold_ms * 3 // 2)


PASSES = [
    Pass("expiry", 0.5, claims.sweep),
    Pass("changes", 300, claims.trim_changes),
    Pass("turns", 300, passes.trim),
    Pass("clock", 10, shorten),
]
