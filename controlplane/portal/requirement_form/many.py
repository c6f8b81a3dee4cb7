"""Many performances at once: every chosen weekday between two dates, at each of some times."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

from controlplane.portal.requirement_form.convert import LOCAL
from controlplane.portal.requirement_form.state import FormState

AT_MOST = 200
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


class CannotAdd(Exception):
    """Says in the reader's language what is wrong; `field` is the input it belongs to."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def add_many(state: FormState, *, first: str, last: str, weekdays: Collection[str], times: str) -> int:
    """Add the performances that STATE lacks, sort all by time, and return how many were added. Raises CannotAdd."""
    first_day, last_day = _day("many_first", first), _day("many_last", last)
    if last_day < first_day:
        raise CannotAdd("many_last", _("The last day is before the first."))
    if (last_day - first_day).days > 400:
        raise CannotAdd("many_last", _("That is more than a year. Choose a shorter time."))
    if not weekdays:
        raise CannotAdd("many_weekdays", _("Choose at least one day of the week."))
    clock = _times(times)
    days = [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]
    wanted = [datetime.combine(day, at).strftime(LOCAL) for day in days if str(day.weekday()) in weekdays for at in clock]
    present = {row["starts_at"] for row in state.rows["performances"]}
    fresh = [moment for moment in wanted if moment not in present]
    if not wanted:
        raise CannotAdd("many_weekdays", _("None of these days of the week lies between the two dates."))
    filled = [row for row in state.rows["performances"] if row["starts_at"] or row["id"]]
    if len(filled) + len(fresh) > AT_MOST:
        raise CannotAdd("many_last", _("An event has at most %(limit)d performances.") % {"limit": AT_MOST})
    state.rows["performances"] = filled
    for moment in fresh:
        state.add("performances", starts_at=moment)
    state.rows["performances"].sort(key=lambda row: row["starts_at"] or "9")
    return len(fresh)


def _day(field: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise CannotAdd(field, _("Choose a date.")) from None


def _times(text: str) -> list[time]:
    found = [_TIME.fullmatch(word) for word in re.split(r"[,\s/]+", text.strip()) if word]
    if not found or None in found:
        raise CannotAdd("many_times", _("Write times of day like 14:00, 19:30."))
    return sorted({time(int(match[1]), int(match[2])) for match in found if match})
