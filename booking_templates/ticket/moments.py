"""Moments as the API takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, UnsetType

Moment = Annotated[datetime, Meta(tz=True)]
YEARS = range(1970, 2200)


def check_years(*moments: datetime | UnsetType | None) -> None:
    """Raises ValueError for a time that no calendar of ours holds, whatever its offset."""
    if any(isinstance(each, datetime) and each.year not in YEARS for each in moments):
        raise ValueError("datetime out of range")
