"""Until when the shop sells: what is ordered is picked up at the event, so there has to be one.

Where nothing is known of performances (content of an older control plane) it sells for as long as there is stock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.utils.translation import gettext as _

from booking_templates.kit.db import clock, retry_transaction
from booking_templates.kit.problems import Conflict
from booking_templates.merch.models import Performance
from booking_templates.merch.schemas import PerformanceContent

USUAL_LENGTH = timedelta(hours=2)


@dataclass(frozen=True)
class Sales:
    """`until` is the end of the last performance that is not called off; None where there is none, or none is known."""

    until: datetime | None = None
    is_off: bool = False
    """Whether every performance was called off."""

    def is_open(self, now: datetime) -> bool:
        return not self.is_off and (self.until is None or now < self.until)


def current() -> Sales:
    """As the performances of the content stand."""
    rows = list(Performance.objects.filter(starts_at__isnull=False))
    ends = [row.ends_at or row.starts_at + USUAL_LENGTH for row in rows if row.called_off_at is None and row.starts_at]
    return Sales(max(ends, default=None), is_off=bool(rows) and not ends)


def require_open() -> None:
    """Raises Conflict `not_on_sale`."""
    sales = current()
    if sales.is_off:
        raise Conflict("not_on_sale", _("The event was called off, so nothing is sold here any more."))
    if not sales.is_open(clock()):
        raise Conflict("not_on_sale", _("The event is over, so nothing is sold here any more."))


def put(performances: list[PerformanceContent]) -> None:
    """Replace what is known of times, in the caller's transaction. What was called off stays so, named or not."""
    wanted = {each.id: each for each in performances}
    gone = Performance.objects.exclude(pk__in=wanted)
    gone.filter(called_off_at=None).delete()
    gone.update(starts_at=None, ends_at=None)
    for each in performances:
        Performance.objects.update_or_create(pk=each.id, defaults={"starts_at": each.starts_at, "ends_at": each.ends_at})


def call_off(performance_id: str) -> None:
    """Note that the performance is called off, known or not. Twice is once."""
    try:
        _call_off(performance_id)
    except IntegrityError:  # the content came for the first time at this moment: now there is a row
        _call_off(performance_id)


@retry_transaction
def _call_off(performance_id: str) -> None:
    Performance.objects.get_or_create(pk=performance_id)
    Performance.objects.filter(pk=performance_id, called_off_at=None).update(called_off_at=clock())
