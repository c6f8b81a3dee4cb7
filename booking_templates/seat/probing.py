"""The probe: a place that nobody sees is held and released by the code that sells, to see whether selling works."""

from __future__ import annotations

import secrets

from booking_templates.seat import claims
from booking_templates.seat.claims import PlacesTaken, Refused, Wanted
from booking_templates.seat.house import House
from booking_templates.seat.models import PROBE_PERFORMANCE, PROBE_PLACES

LIFE_MS = 2_000
"""A probe that is cut off is in nobody's way, and soon gone."""
TRIES = 5


def probe(house: House) -> bool:
    """Whether a place could be held, was held as far as the database knows, and is free again. Raises what selling would raise."""
    buyer = f"probe-{secrets.token_hex(8)}"
    for _try in range(TRIES):
        wanted = [Wanted(-1 - secrets.randbelow(PROBE_PLACES), "", 0)]
        try:
            hold, _rows = claims.place_hold(
                performance=PROBE_PERFORMANCE, wanted=wanted, buyer=buyer, limit=1, life_ms=LIFE_MS, content_version=house.version
            )
        except PlacesTaken:
            continue  # another probe at the same moment
        except Refused:
            return False
        is_there = bool(claims.rows_of(hold))
        released = claims.release_hold(hold, buyer)
        return is_there and bool(released) and not claims.rows_of(hold)
    return False
