"""Times that staff write: which of them can be told in every zone, and be counted from 1970 in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from django.utils.translation import gettext as _

EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Python's own ends are a year 1 and a year 9999 that another offset leaves: a page that tells such a time could not be drawn."""


def out_of_range(times: Iterable[tuple[str, datetime | None]]) -> Iterator[tuple[str, str]]:
    """Of TIMES, by field, those beyond: the field and what to say of it."""
    for field, moment in times:
        if moment is not None and not EARLIEST <= moment <= LATEST:
            yield field, _("Write a time between the years 1970 and 2199.")
