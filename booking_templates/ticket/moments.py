"""Moments as the API takes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, UnsetType

from booking_templates.kit.db import clock

Moment = Annotated[datetime, Meta(tz=True)]
YEARS = range(1970, 2200)
AHEAD_MAX = timedelta(minutes=5)
"""How far a scanner's clock may be ahead before its own time is not believed."""


def check_years(*moments: datetime | UnsetType | None) -> None:
    """Raises ValueError for a time that no calendar of ours holds, whatever its offset."""
    if any(isinstance(each, datetime) and each.year not in YEARS for each in moments):
        raise ValueError("datetime out of range")


def believed(told: datetime | None) -> datetime:
    """When it was, as a scanner has TOLD it by its own clock, unless that is ahead."""
    now = clock()
    return whole_ms(now if told is None or told > now + AHEAD_MAX else told)


def whole_ms(moment: datetime) -> datetime:
    """MOMENT to the millisecond, which both databases keep."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
