"""A performance is put to another time or place: all who have tickets for it are told by mail.

Thousands may have: they are written to in batches, by the worker, after the organiser has left it alone for a while. One that is
put back within it was a slip that nobody need hear of.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from booking_templates.kit.db import clock, retry_transaction
from booking_templates.kit.table import table
from booking_templates.payments.states import State
from booking_templates.ticket.models import Event, Move, Notice, Order, Performance

QUIET = timedelta(minutes=1)
BATCH = 500


def note(performance_id: str, *, was: datetime, venue: str) -> None:
    """The performance, which was to begin at WAS in VENUE, is put elsewhere or to another time, in the caller's transaction."""
    now = clock()
    if was > now and not Move.objects.filter(performance_id=performance_id, after="").update(at=now):
        Move.objects.create(performance_id=performance_id, was=was, venue=venue, at=now)


def tell() -> int:
    """The worker's pass: write the next notices; their number."""
    return sum(_tell(move) for move in Move.objects.filter(at__lt=clock() - QUIET).order_by("pk").values_list("pk", flat=True))


@retry_transaction
def _tell(pk: int) -> int:
    move = Move.objects.select_for_update().filter(pk=pk, at__lt=clock() - QUIET).first()
    if move is None:
        return 0
    orders = _to_tell(move)
    if not orders:
        move.delete()
        return 0
    # Who buys from now on is told the new time and place by the confirmation.
    details = {"was": move.was.isoformat(), "venue": move.venue}
    now = clock()
    table(Notice).insert([Notice(order_id=order, kind=Notice.Kind.MOVED, details=details, created_at=now) for order in orders])
    move.after = orders[-1]
    move.save(update_fields=["after"])
    return len(orders)


def _to_tell(move: Move) -> list[str]:
    performance = Performance.objects.filter(pk=move.performance_id, cancelled_at=None).first()
    venue = Event.objects.filter(pk=Event.ONLY).values_list("venue", flat=True).first()
    if performance is None or (performance.starts_at == move.was and move.venue in ("", venue)):
        return []
    standing = Order.objects.filter(performance_id=move.performance_id, state=State.ISSUED, issued_at__lte=move.at, pk__gt=move.after)
    return list(standing.order_by("pk").values_list("pk", flat=True)[:BATCH])
