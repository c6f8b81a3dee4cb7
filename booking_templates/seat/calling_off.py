"""A performance that its organiser calls off: from one moment on nothing of it is held any more, in whatever process, and for ever."""

from __future__ import annotations

from django.db import IntegrityError
from django.db.models import F

from booking_templates.kit.db import db_now, retry_transaction
from booking_templates.kit.problems import NotFound
from booking_templates.seat import claims, content, house
from booking_templates.seat.models import CONTENT_ID, Content, EndedHold, Performance


def call_off(performance_id: str) -> None:
    """Sell nothing of the performance any more and end its open holds. Twice is once; places that are sold wait for their refund.

    One that is in no content (yet) is called off all the same: the ticket service may have been told of it first.
    """
    try:
        _call_off(performance_id)
    except IntegrityError:  # the content came for the first time at this moment: now the performance has its number
        _call_off(performance_id)
    try:
        house.refreshed()
    except NotFound:
        pass  # there is no content yet


@retry_transaction
def _call_off(performance_id: str) -> None:
    # As for a change of the content: holds share a lock on this row, so none is under way here, and those that were worked out before
    # the commit name a version that is over. That is what refuses them, with no statement more in a hold.
    Content.objects.select_for_update().filter(pk=CONTENT_ID).values_list("version").first()
    number = content.number(Performance, "id", [performance_id], first=1)[performance_id]
    if Performance.objects.filter(pk=number, called_off_at=None).update(called_off_at=db_now()):
        Content.objects.filter(pk=CONTENT_ID).update(version=F("version") + 1)
        claims.end_holds(number)


def has_ended(hold: int) -> bool:
    """Whether HOLD was open when its performance was called off."""
    return EndedHold.objects.filter(pk=hold).exists()
