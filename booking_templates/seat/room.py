"""The waiting room: numbers given out in the order in which people come, and so many of them let in a minute.

A number is durable before it is told. People who come at the same moment share the statement that gives them theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import QuerySet
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from booking_templates.kit import batch
from booking_templates.kit.combiner import Combiner
from booking_templates.kit.db import retry_transaction
from booking_templates.seat.clock import now_ms
from booking_templates.seat.models import ROOM_ID, Room
from booking_templates.seat.queue import DEFAULT_PER_MINUTE, Queue

COLUMNS = ("given", "level", "at_ms", "per_minute", "is_paused", "queued_until_ms")
TOGETHER = 256

Values = tuple[int | None, ...]
"""Those of COLUMNS."""

_ADD = (
    "UPDATE seat_room SET given = %s, level = %s, at_ms = %s, queued_until_ms = %s WHERE id = %s"
    " AND given = %s AND level = %s AND at_ms = %s AND COALESCE(per_minute, -1) = %s AND is_paused = %s AND queued_until_ms = %s"
)
_seen = Queue()
_row_seen: Values | None = None


def seen() -> Queue:
    """The room as this process last saw it, which is as old as `house.current()`."""
    return _seen


def note(values: Sequence[int | None] | None) -> None:
    """Take in VALUES of COLUMNS as they were just read; None: there is no row."""
    _keep(_queue_of(values), None if values is None or values[0] is None else tuple(values))


def arrive() -> tuple[Queue, int]:
    """Give out the next number: the room after that, and the number."""
    return _arrive(None)


def _give_out(comers: Sequence[None]) -> list[tuple[Queue, int]]:
    queue = _added_to_what_was_seen(len(comers)) or _add(len(comers))
    first = queue.given - len(comers) + 1
    return [(queue, first + index) for index in range(len(comers))]


_arrive: Combiner[None, tuple[Queue, int]] = Combiner(_give_out, most=TOGETHER)


def _added_to_what_was_seen(count: int) -> Queue | None:
    """One statement, where nobody has written the row since this process last saw it; None, and nothing done, where somebody has."""
    row = _row_seen
    if row is None:
        return None
    queue = _queue_of(row).arrived(count, now_ms())
    was = (*row[:3], -1 if row[3] is None else row[3], int(bool(row[4])), row[5])
    after = (queue.given, queue.level, queue.at_ms, queue.queued_until_ms)
    if not batch.run([(_ADD, (*after, ROOM_ID, *was))])[0]:
        return None
    _keep(queue, (*after[:3], *row[3:5], after[3]))
    return queue


def _add(count: int) -> Queue:
    row, queue = _add_locked(count)
    _keep(queue, (queue.given, queue.level, queue.at_ms, *row[3:5], queue.queued_until_ms))
    return queue


@retry_transaction
def _add_locked(count: int) -> tuple[Values, Queue]:
    row = _locked()
    queue = _queue_of(row).arrived(count, now_ms())
    _row().update(given=queue.given, level=queue.level, at_ms=queue.at_ms, queued_until_ms=queue.queued_until_ms)
    return row, queue


def let_in(per_minute: int | None) -> bool:
    """So many a minute come in from now on, or what is usual for None; whether that is another rate than before."""
    return _change(per_minute=per_minute)


def pause(is_paused: bool) -> bool:
    """Nobody comes in from now on, or they do again; whether that changes anything. Who is in stays in."""
    return _change(is_paused=is_paused)


@retry_transaction
def _change(**wanted: int | bool | None) -> bool:
    row = dict(zip(COLUMNS, _locked(), strict=True))
    if all(row[name] == value for name, value in wanted.items()):
        return False
    after = row | wanted
    queue = _queue_of(list(row.values())).changed(now_ms(), per_minute=_rate(after["per_minute"]), is_paused=bool(after["is_paused"]))
    _row().update(**after | {"level": queue.level, "at_ms": queue.at_ms, "queued_until_ms": queue.queued_until_ms})
    return True


def per_minute() -> int | None:
    """The rate that staff wrote."""
    return _row().values_list("per_minute", flat=True).first()


def _row() -> QuerySet[Room]:
    return Room.objects.filter(pk=ROOM_ID)


def _locked() -> Values:
    """Within a transaction: the row's COLUMNS, which nobody else changes until its end."""
    row, _is_new = Room.objects.select_for_update().get_or_create(pk=ROOM_ID)
    return tuple(getattr(row, name) for name in COLUMNS)


def _queue_of(values: Sequence[int | None] | None) -> Queue:
    if values is None or values[0] is None:
        return Queue()
    given, level, at_ms, rate, is_paused, queued_until_ms = values
    return Queue(given or 0, level or 0, at_ms or 0, _rate(rate), bool(is_paused), queued_until_ms or 0)


def _rate(written: int | None) -> int:
    return DEFAULT_PER_MINUTE if written is None else written


def _keep(queue: Queue, row: Values | None) -> None:
    global _seen, _row_seen
    _seen, _row_seen = queue, row


class _Figures(Collector):
    """The room at the moment in which it is asked about; each replica tells the same."""

    def collect(self) -> Iterator[Metric]:
        now = now_ms()
        yield GaugeMetricFamily("clove_room_waiting", "People with a number who are not in yet.", value=_seen.waiting(now))
        yield CounterMetricFamily("clove_room_admitted", "People whose number has come.", value=_seen.admitted(now))


REGISTRY.register(_Figures())
