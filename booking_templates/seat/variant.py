"""Which of the pool's images this is: what the catalogue bakes into its environment."""

from __future__ import annotations

import os


def is_numbered() -> bool:
    """Whether seats are named (SEAT_NUMBERED); else areas have capacities."""
    return os.environ.get("SEAT_NUMBERED", "yes") == "yes"


def has_pins() -> bool:
    """Whether a hold is kept while its payment runs (SEAT_PIN); else a booking is confirmed at once."""
    return os.environ.get("SEAT_PIN", "yes") == "yes"
