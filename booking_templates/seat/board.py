"""Availability for everyone who watches: one copy a process, brought up to date by whoever asks first after a moment, never by each.

The database is read a few times a second whatever the number of watchers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db.models import Case, Count, Q, Value, When
from django.db.models.fields import BooleanField

from booking_templates.seat.claims import first_hold_id
from booking_templates.seat.clock import NowMs, now_ms
from booking_templates.seat.hall import Answer, Claimed, Hall, Look
from booking_templates.seat.house import House, Show
from booking_templates.seat.models import Change, Claim, State, claims_of
from booking_templates.seat.tail import Tail

log = logging.getLogger("clove.seat")

POLL_S = 0.15
STALE_S = 1.0
"""Older than this nobody is served, and whoever asks waits for the one who reads."""
COMPARE_S = 60.0
HALLS_MIN = 64
PLACES_MAX = 500_000
"""So many places of all halls together are kept, and HALLS_MIN halls however large: all 200 performances of a usual house. One that is
not kept is read from the database by everyone who asks."""
CHANGES_MAX = 20_000
UNDER_WAY = 100
SHORT_MS = 3_000
LONG_MS = 20_000
"""Longer than any hold took that stands: one that took longer is placed anew (claims.LATE_MS)."""
LONG_EVERY_MS = 3_000
COUNT_S = 1.0
COUNT_STALE_S = 10.0
"""Older than this nobody is told, and whoever asks waits for the one who counts."""
COUNT_WAITING_S = 5.0
"""So old may be what people who wait are told of free places: none of them takes one at once."""
LEFT_S = 0.5


class Left(NamedTuple):
    """Performances by id: of those SOLD_OUT no place is free, and may be again; of those CLOSED nothing can be had any more."""

    sold_out: list[str]
    closed: list[str]


class Counts(NamedTuple):
    """Places that are taken; what has expired is not."""

    held: int
    sold: int
    blocked: int


class Board:
    """The halls that have been asked about lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Know nothing, as at the start. For tests, whose databases go back in time."""
        self._halls: dict[int, Hall] = {}
        self._tail: Tail | None = None
        self._version = 0
        self._polled_at = float("-inf")
        self._read_ms = self._read_far_ms = 0
        self._seen: set[int] = set()
        self._compared_at: dict[int, float] = {}
        self._counts: tuple[int, float, dict[int, Counts]] = (0, float("-inf"), {})
        self._called_off: tuple[int, Answer | None] = (0, None)
        self._left: tuple[int, float, Left] | None = None

    def answer(self, house: House, show: Show) -> Answer:
        """SHOW's availability, at most STALE_S old and as a rule POLL_S."""
        if show.is_called_off:
            return self._called_off_answer(house)
        hall = self._halls.get(show.number)
        age_s = time.monotonic() - self._polled_at
        # Looked at once: it is made with the lock alone, and another thread may be taking a change in.
        answer = None if hall is None else hall.made
        if answer is not None and self._version == house.version and age_s < STALE_S:
            if age_s < POLL_S or not self._lock.acquire(blocking=False):
                return answer
            try:
                return self._fresh(house, show, POLL_S).answer(now_ms())
            finally:
                self._lock.release()
        with self._lock:
            return self._fresh(house, show, POLL_S).answer(now_ms())

    def _called_off_answer(self, house: House) -> Answer:
        """Alike for every performance that is called off, and until the content changes: it asks nobody."""
        version, answer = self._called_off
        if answer is None or version != house.version:
            now = now_ms()
            answer = Hall(house.layout, (), now, is_called_off=True).answer(now)
            self._called_off = (house.version, answer)
        return answer

    def delta(self, answer: Answer, since: str) -> bytes:
        """What changed since the version SINCE."""
        if found := answer.known(since):
            return found
        with self._lock:
            return answer.since(since)

    def states(self, house: House, show: Show, *, older_than_s: float = POLL_S) -> bytes:
        """A character a place, read anew if it is older than that."""
        with self._lock:
            return self._fresh(house, show, older_than_s).answer(now_ms()).states

    def counts(self, house: House, *, older_than_s: float = COUNT_S) -> dict[int, Counts]:
        """By the number of each performance; counted anew if older than that, by one thread: the others go on with what there is."""
        version, counted_at, counts = self._counts
        age_s = time.monotonic() - counted_at if version == house.version else float("inf")
        if age_s <= older_than_s or not self._counting.acquire(blocking=age_s > COUNT_STALE_S):
            return counts
        try:
            if self._counts[1] == counted_at:  # nobody has counted while this thread waited
                counts = count_claims(house)
                self._counts = (house.version, time.monotonic(), counts)
            return self._counts[2]
        finally:
            self._counting.release()

    def left(self, house: House) -> Left:
        """What there is not to wait for. Pages that show what is free have it counted oftener than this does (COUNT_WAITING_S)."""
        seen = self._left
        if seen is None or seen[0] != house.version or time.monotonic() - seen[1] > LEFT_S:
            counts, now = self.counts(house, older_than_s=COUNT_WAITING_S), now_ms()
            closed = [show.id for show in house.shows.values() if house.is_over(show, now)]
            full = [show.id for show in house.shows.values() if sum(counts.get(show.number, ())) >= house.layout.capacity]
            left = Left([name for name in full if name not in closed], closed)
            seen = self._left = (house.version, time.monotonic(), left)
        return seen[2]

    def _fresh(self, house: House, show: Show, older_than_s: float) -> Hall:
        """With the lock: everything read that is older than that, and the hall of SHOW."""
        if self._version != house.version:
            self._halls.clear()
            self._version = house.version
        if self._tail is None:
            last = Change.objects.order_by("-id").values_list("id", flat=True).first() or 0
            # What is under way has an id near the last one, and does not show in the claims of the halls made below.
            self._tail = Tail(max(0, last - UNDER_WAY))
            self._polled_at = float("-inf")
        if time.monotonic() - self._polled_at >= older_than_s:
            self._poll()
        hall = self._halls.pop(show.number, None)
        if hall is None:
            hall = self._load(house, show)
            self._look(now_ms(), [hall])
        elif time.monotonic() - self._compared_at.get(show.number, 0) > COMPARE_S:
            hall = self._compare(house, show, hall)
        self._halls[show.number] = hall  # the last one is the latest used
        while len(self._halls) > max(HALLS_MIN, PLACES_MAX // max(1, house.layout.capacity)):
            self._halls.pop(next(iter(self._halls)))
        return hall

    def _poll(self) -> None:
        """Read what became of claims, then new claims: so a claim that is read is newer than any change read before it."""
        assert self._tail is not None  # noqa: S101 - made by the caller
        now = now_ms()
        columns = ("id", "performance", "hold", "state", "places")
        changes = Change.objects.filter(id__gt=self._tail.complete).order_by("id").values_list(*columns)[:CHANGES_MAX]
        for change_id, performance, hold, state, places in changes:
            if self._tail.take(change_id) and (hall := self._halls.get(performance)) is not None:
                hall.changed(hold, state, (int(place) for place in places.split(",")), now)
        self._tail.advance()
        self._read_new_claims(now)
        self._look(now, self._halls.values())
        self._polled_at = time.monotonic()

    def _read_new_claims(self, now: int) -> None:
        """Holds placed since the last reading: their ids are times. Each time a little further back, and once in a while a good deal, for
        a commit that took its time.
        """
        is_far = not 0 <= now - self._read_far_ms < LONG_EVERY_MS
        if is_far:
            since = first_hold_id(min(now, self._read_far_ms or now) - LONG_MS)
            self._read_far_ms = now
        else:
            since = first_hold_id(min(now, self._read_ms) - SHORT_MS)
        self._read_ms = now
        columns = ("performance", "place", "hold", "state", "expires_ms")
        seen: set[int] = set()
        for performance, *claim in Claim.objects.filter(hold__gt=since).values_list(*columns):
            claimed = Claimed(*claim)
            seen.add(claimed.hold)
            if claimed.hold not in self._seen and (hall := self._halls.get(performance)) is not None:
                hall.claimed(claimed, now)
        far = first_hold_id(now - LONG_MS)
        self._seen = seen.union(hold for hold in self._seen if hold > far)

    def _look(self, now: int, halls: Iterable[Hall]) -> None:
        due = [(hall, holds) for hall in halls if (holds := hall.due(now))]
        if not due:
            return
        found = _look_up([hold for _hall, holds in due for hold in holds])
        for hall, holds in due:
            hall.look(holds, found, now)

    def _load(self, house: House, show: Show) -> Hall:
        self._compared_at[show.number] = time.monotonic()
        now = now_ms()
        claims = claims_of(show.number).values_list("place", "hold", "state", "expires_ms")
        return Hall(house.layout, (Claimed(*values) for values in claims), now)

    def _compare(self, house: House, show: Show, hall: Hall) -> Hall:
        """HALL, or one made anew when something has escaped it: a transaction that took longer than anything here can take."""
        position = hall.position
        anew = self._load(house, show)
        self._look(now_ms(), [anew])
        self._halls[show.number] = hall
        self._poll()
        if not hall.differs(anew, position):
            return hall
        log.warning("availability had missed a change", extra={"fields": {"performance": show.id}})
        return anew


def _look_up(holds: Collection[int]) -> dict[int, Look]:
    is_over = Case(When(expires_ms__lte=NowMs(), then=Value(True)), default=Value(False), output_field=BooleanField())
    found = {}
    for chunk in _chunks(list(holds), 500):
        claims = Claim.objects.filter(hold__in=chunk).values_list("hold", "state", "expires_ms", is_over)
        found.update({hold: Look(state, expires_ms, bool(over)) for hold, state, expires_ms, over in claims})
    return found


def _chunks(items: list[int], size: int) -> Iterable[list[int]]:
    return (items[i : i + size] for i in range(0, len(items), size))


def count_claims(house: House) -> dict[int, Counts]:
    """By the number of each performance, from the database now."""
    is_live = Q(expires_ms__gt=NowMs())
    rows = (
        Claim.objects.filter(performance__in=list(house.show_of_number))
        .values("performance")
        .annotate(
            held=Count("place", filter=Q(state=State.PINNED) | Q(state=State.HELD) & is_live),
            sold=Count("place", filter=Q(state=State.SOLD)),
            blocked=Count("place", filter=Q(state=State.BLOCKED)),
        )
        .values_list("performance", "held", "sold", "blocked")
    )
    return {performance: Counts(held, sold, blocked) for performance, held, sold, blocked in rows}


board = Board()
"""This process's."""
