"""The seat service's claims to places: their states, and how the number of a place in an area is made."""

from __future__ import annotations

HELD, SOLD, PINNED = 1, 2, 4
AREA_BASE, AREA_STRIDE = 10**12, 10**6
