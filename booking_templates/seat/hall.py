"""The places of one performance as they are now: kept up by changes and by the clock, and encoded once a moment for everyone who asks."""

from __future__ import annotations

import gzip
import heapq
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from booking_templates.seat.layout import Layout
from booking_templates.seat.models import State

FREE, HELD, SOLD, BLOCKED = b"0123"
SHOWN = {State.FREE: FREE, State.HELD: HELD, State.PINNED: HELD, State.SOLD: SOLD, State.BLOCKED: BLOCKED}
PLAN_MARK = 8
HISTORY_MAX = 6_000
HISTORY_TRIM = 2_000
SHORTER_BY = 64
"""A full answer is sent instead of a delta that is this much longer: it says more."""
PIN_LOOK_MS = 1_000
"""How often a pinned hold is looked at again: the payment's verdict may give it back to the clock."""


class Look(NamedTuple):
    """What the database says of a hold whose time seems over; `is_over` by its own clock."""

    state: int
    expires_ms: int | None
    is_over: bool


class Claimed(NamedTuple):
    """A claim, as far as a hall needs it."""

    place: int
    hold: int
    state: int
    expires_ms: int | None


class Answer:
    """One moment of a hall, encoded. VERSION is that up to which a client that has this knows everything, and a mark of what it shows."""

    def __init__(self, hall: Hall, complete: int) -> None:
        self._hall = hall
        self._mark = hall.layout.version[:PLAN_MARK]
        self.states = bytes(hall.states)
        self.version = f"{complete}-{self._mark}-{zlib.crc32(self.states):08x}"
        self.etag = f'"{self.version}"'
        areas = {area.id: {"free": self.states.count(FREE, area.first, area.first + area.capacity)} for area in hall.layout.areas}
        self._head = f'{{"version":"{self.version}","plan":"{hall.layout.version}","areas":'.encode() + msgspec.json.encode(areas)
        self._lapsed = tuple(hall.lapsed)
        self._deltas: dict[str, bytes] = {self.version: self._delta(())}

    @cached_property
    def full(self) -> bytes:
        state = self.states if self._hall.layout.is_numbered else b""
        return self._head + b',"full":true,"state":"' + state + b'"}'

    @cached_property
    def full_gzip(self) -> bytes:
        return gzip.compress(self.full, 1, mtime=0)

    def known(self, since: str) -> bytes | None:
        """The answer to SINCE when it has been made."""
        return self._deltas.get(since)

    def since(self, since: str) -> bytes:
        """What changed since the version SINCE, or everything when that is too long ago, unknown, or no longer than the changes."""
        found = self._deltas.get(since)
        if found is None:
            positions = self._hall.changed_since(self._complete_of(since))
            found = self.full if positions is None else self._delta((*positions, *self._lapsed))
            if len(found) > len(self.full) + SHORTER_BY:
                found = self.full
            if len(self._deltas) < HISTORY_MAX:
                self._deltas[since] = found
        return found

    def _complete_of(self, version: str) -> int:
        """The change up to which a client that has VERSION knows everything; -1 when it knows nothing of this plan."""
        number, _, rest = version.partition("-")
        is_known = number.isascii() and number.isdigit() and len(number) < 19 and rest.startswith(f"{self._mark}-")
        return int(number) if is_known else -1

    def _delta(self, positions: Iterable[int]) -> bytes:
        states = self.states
        numbered = self._hall.layout.is_numbered
        changes = ",".join(f"[{position},{states[position] - FREE}]" for position in dict.fromkeys(positions)) if numbered else ""
        return self._head + f',"full":false,"changes":[{changes}]}}'.encode()


class Hall:
    """Not thread-safe: `board` has the lock. After change FLOOR everything is remembered: what a delta can begin with."""

    def __init__(self, layout: Layout, claims: Iterable[Claimed], floor: int) -> None:
        self.layout = layout
        self.floor = floor
        self.states = bytearray([FREE]) * layout.capacity
        self.lapsed: set[int] = set()
        """Positions that are free by the clock alone: their hold has expired and nobody has swept it."""
        self._last: dict[int, int] = {}
        self._open: dict[int, list[int]] = {}
        self._due: list[tuple[int, int]] = []
        self._ids: array[int] = array("q")
        self._positions: list[tuple[int, ...]] = []
        self._answer: Answer | None = None
        for claim in claims:
            position = layout.position_of.get(claim.place)
            if position is None:
                continue
            self.states[position] = SHOWN[State(claim.state)]
            if claim.state in (State.HELD, State.PINNED):
                if claim.hold not in self._open:
                    heapq.heappush(self._due, (claim.expires_ms or 0, claim.hold))
                self._open.setdefault(claim.hold, []).append(position)

    def apply(self, change_id: int, hold: int, state: int, places: Iterable[int], expires_ms: int | None) -> None:
        """Take a change in. For one place ids are in the order of what happened, whatever order they are seen in."""
        position_of = self.layout.position_of
        positions = [position for place in places if (position := position_of.get(place)) is not None]
        shown = SHOWN[State(state)]
        for position in positions:
            if self._last.get(position, 0) < change_id:
                self._last[position] = change_id
                self.states[position] = shown
                self.lapsed.discard(position)
        if state == State.HELD and expires_ms is not None:
            self._open[hold] = positions
            heapq.heappush(self._due, (expires_ms, hold))
        else:
            self._open.pop(hold, None)
        self._remember(change_id, tuple(positions))
        self._answer = None

    def recall(self, change_id: int, places: Iterable[int]) -> None:
        """Remember a change that the claims show already."""
        position_of = self.layout.position_of
        self._remember(change_id, tuple(position for place in places if (position := position_of.get(place)) is not None))

    def _remember(self, change_id: int, positions: tuple[int, ...]) -> None:
        at = bisect_right(self._ids, change_id)
        self._ids.insert(at, change_id)
        self._positions.insert(at, positions)
        if len(self._ids) > HISTORY_MAX:
            self.floor = max(self.floor, self._ids[HISTORY_TRIM - 1])
            del self._ids[:HISTORY_TRIM]
            del self._positions[:HISTORY_TRIM]

    def due(self, now_ms: int) -> list[int]:
        """Holds whose time seems over: to be looked up, and told to `look`."""
        holds = []
        while self._due and self._due[0][0] <= now_ms:
            _expires_ms, hold = heapq.heappop(self._due)
            if hold in self._open:
                holds.append(hold)
        return holds

    def look(self, holds: Iterable[int], found: Mapping[int, Look], now_ms: int) -> None:
        """What became of HOLDS: one that is not FOUND has been freed, and its change is on the way."""
        for hold in holds:
            look = found.get(hold)
            if look is None or look.state == State.SOLD:
                self._open.pop(hold, None)
            elif look.state == State.PINNED:
                heapq.heappush(self._due, (now_ms + PIN_LOOK_MS, hold))
            elif not look.is_over:
                heapq.heappush(self._due, (max(look.expires_ms or 0, now_ms + 1), hold))
            else:
                for position in self._open.pop(hold, ()):
                    if self.states[position] == HELD:
                        self.states[position] = FREE
                        self.lapsed.add(position)
                self._answer = None

    def changed_since(self, complete: int) -> list[int] | None:
        """Positions that may have changed after change COMPLETE; None when that is further back than is remembered."""
        if complete < self.floor:
            return None
        first = bisect_right(self._ids, complete)
        return [position for positions in self._positions[first:] for position in positions]

    def answer(self, complete: int) -> Answer:
        """This moment, encoded once."""
        if self._answer is None:
            self._answer = Answer(self, complete)
        return self._answer

    @property
    def is_encoded(self) -> bool:
        return self._answer is not None

    def differs(self, other: Hall, settled: int) -> bool:
        """Whether OTHER, made from claims just now, knows better about a place that no change after SETTLED has touched."""
        return any(
            mine != theirs and self._last.get(position, 0) <= settled and position not in self.lapsed
            for position, (mine, theirs) in enumerate(zip(self.states, other.states, strict=True))
        )
