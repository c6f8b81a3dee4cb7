"""Reads a requirement of `examples/`: its days are counted from today, so that it never goes stale.

A time may be written as days from today and a time of day at the venue: `"+21d 19:30"`, `"-1d 14:00"`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from controlplane.rendering.loading import load_requirement

VENUE_ZONE = ZoneInfo("Asia/Seoul")

_RELATIVE = re.compile(r"(?P<days>[+-]\d{1,4})d ?(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)")
_TIMES = frozenset({"starts_at", "opens_at", "closes_at", "from", "until"})


def load_example(path: Path, now: datetime, zone: ZoneInfo = VENUE_ZONE) -> Any:
    """The document in PATH with its plan inlined and its days counted from NOW (aware), in ZONE. Not validated. Raises Unreadable."""
    return with_times(load_requirement(path), now, zone)


def with_times(document: Any, now: datetime, zone: ZoneInfo = VENUE_ZONE) -> Any:
    """A copy of DOCUMENT whose relative times are ISO 8601 with ZONE's offset on that day. Anything else stays as it is."""
    if isinstance(document, list):
        return [with_times(item, now, zone) for item in document]
    if not isinstance(document, dict):
        return document
    # The plan is the megabyte of the document and has no times in it.
    return {
        key: _absolute(value, now, zone) if key in _TIMES else value if key == "plan" else with_times(value, now, zone)
        for key, value in document.items()
    }


def _absolute(value: Any, now: datetime, zone: ZoneInfo) -> Any:
    found = _RELATIVE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    day = now.astimezone(zone).date() + timedelta(days=int(found["days"]))
    return datetime(day.year, day.month, day.day, int(found["hour"]), int(found["minute"]), tzinfo=zone).isoformat()
