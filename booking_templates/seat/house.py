"""The content as this process serves it: the layout, the performances and the rules of sale, read again when its version rises."""

from __future__ import annotations

import gzip
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from booking_templates.kit import batch
from booking_templates.kit.problems import NotFound
from booking_templates.seat import room
from booking_templates.seat.clock import to_ms
from booking_templates.seat.layout import Layout, lay_out
from booking_templates.seat.models import CONTENT_ID, ROOM_ID, Area, Claim, Content, Performance, Seat
from booking_templates.seat.schemas import Presale, SeatContent

CHECK_EVERY_S = 0.2
"""How long another replica's change may go unseen. A hold placed on an older version fails by constraint and is tried on the newer."""

STALE_S = 1.0
"""Older than this nobody is served. Until then one asks, and the others go on with what there is."""


@dataclass(frozen=True)
class Show:
    """A performance; NUMBER stands for it in claims."""

    number: int
    id: str
    starts_at: datetime
    starts_ms: int
    is_called_off: bool = False


@dataclass
class House:
    """One version of the content."""

    version: int
    content: SeatContent
    layout: Layout
    shows: dict[str, Show]
    opens_ms: int
    closes_ms: int
    presale: Presale | None = None
    has_excess: bool = False
    """Whether somebody had more places than the limit when this version came: it was higher before."""
    show_of_number: dict[int, Show] = field(init=False)
    presale_ms: int = field(init=False)
    """When the presale opens; when the sale does where there is none."""

    def __post_init__(self) -> None:
        self.presale_ms = min(self.opens_ms, to_ms(self.presale.opens_at)) if self.presale else self.opens_ms
        self.show_of_number = {show.number: show for show in self.shows.values()}

    @property
    def limit(self) -> int:
        return self.content.limit_per_buyer

    @property
    def hold_ms(self) -> int:
        return self.content.hold_minutes * 60_000

    def is_on_sale(self, show: Show, now_ms: int) -> bool:
        """Whether all may buy it."""
        return self.is_on_sale_from(self.opens_ms, show, now_ms)

    def is_on_sale_from(self, opens_ms: int, show: Show, now_ms: int) -> bool:
        """The same for somebody to whom the sale opens at OPENS_MS."""
        return opens_ms <= now_ms < self.closes_ms and now_ms < show.starts_ms and not show.is_called_off

    def is_presale(self, now_ms: int) -> bool:
        """Whether only those with a code may buy."""
        return self.presale_ms <= now_ms < self.opens_ms

    def opening_ms(self, now_ms: int) -> int:
        """That of the two openings which those come for who come now: the presale's until the sale opens to all."""
        return self.opens_ms if now_ms >= self.opens_ms else self.presale_ms

    def is_over(self, show: Show, now_ms: int) -> bool:
        """Whether it is not on sale and, as things are, never will be again."""
        return show.is_called_off or now_ms >= min(self.closes_ms, show.starts_ms)

    def show(self, performance_id: str) -> Show:
        """Raises NotFound."""
        try:
            return self.shows[performance_id]
        except KeyError:
            raise NotFound("unknown_performance", _("There is no such performance.")) from None

    @cached_property
    def plan_json(self) -> bytes:
        return msgspec.json.encode(self.layout.plan)

    @cached_property
    def plan_gzip(self) -> bytes:
        """Compressed once a version: 15,000 seats are over half a megabyte."""
        return gzip.compress(self.plan_json, 6, mtime=0)


_STAMP = (
    f"SELECT content.version, {', '.join(f'room.{column}' for column in room.COLUMNS)} FROM seat_content content"  # noqa: S608 - our names
    f" LEFT JOIN seat_room room ON room.id = {ROOM_ID} WHERE content.id = {CONTENT_ID}"
)
"""The waiting room comes along with the version: to know whether there is a queue costs no statement of its own."""

_lock = threading.Lock()
_current: House | None = None
_checked_at = float("-inf")


def current() -> House:
    """The newest content, as a rule CHECK_EVERY_S old at most. Raises NotFound `no_content` before there is any."""
    house, age_s = _current, time.monotonic() - _checked_at
    if house is None or age_s > STALE_S:
        return refreshed()
    if age_s < CHECK_EVERY_S or not _lock.acquire(blocking=False):
        return house
    try:
        return _refresh()
    finally:
        _lock.release()


def refreshed() -> House:
    """The newest content, asked for now. Raises NotFound `no_content`."""
    with _lock:
        return _refresh()


def _refresh() -> House:
    """With the lock."""
    global _current, _checked_at  # noqa: PLW0603 - the process's one copy
    (found,) = batch.read((_STAMP, ()))
    if not found:
        _current = None
        raise NotFound("no_content", _("Nothing is on sale here yet."))
    version, *values = found[0]
    room.note(values)
    if _current is None or _current.version != version:
        _current = _load()
    _checked_at = time.monotonic()
    return _current


def forget() -> None:
    """Read it anew next time. For tests, whose databases go back in time."""
    global _current  # noqa: PLW0603
    _current = None


def presale_of(row: Content) -> Presale | None:
    return None if row.presale is None else msgspec.json.decode(row.presale, type=Presale)


def _load() -> House:
    row = Content.objects.get(pk=CONTENT_ID)
    content = msgspec.json.decode(row.body, type=SeatContent)
    numbers: dict[str, int]
    if content.plan is not None:
        numbers = dict(Seat.objects.values_list("guid", "number"))
    else:
        numbers = dict(Area.objects.values_list("id", "number"))
    of_performance = {performance.id: performance for performance in Performance.objects.all()}
    shows = {
        item.id: Show(known.number, item.id, item.starts_at, to_ms(item.starts_at), known.called_off_at is not None)
        for item in sorted(content.performances, key=lambda item: (item.starts_at, item.id))
        for known in [of_performance[item.id]]
    }
    return House(
        version=row.version,
        content=content,
        layout=lay_out(content, numbers, language=settings.LANGUAGE_CODE),
        shows=shows,
        opens_ms=to_ms(content.sales.opens_at),
        closes_ms=to_ms(content.sales.closes_at),
        presale=presale_of(row),
        has_excess=Claim.objects.filter(slot__gt=content.limit_per_buyer).exists(),
    )
