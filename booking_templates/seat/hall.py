"""The places of one performance as they are now: kept up by what is read of the database and by the clock, and encoded once a moment for
everyone who asks.
"""

from __future__ import annotations

import gzip
import heapq
import secrets
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from booking_templates.seat.layout import Layout
from booking_templates.seat.models import State

FREE, HELD, SOLD, BLOCKED = b"0123"
SHOWN = {State.FREE: FREE, State.HELD: HELD, State.PINNED: HELD, State.SOLD: SOLD, State.BLOCKED: BLOCKED}
STAFF = 0
"""Whose the blocked places are, among the holds."""
PLAN_MARK = 8
HISTORY_MAX = 6_000
HISTORY_TRIM = 2_000
DELTAS_MAX_BYTES = 1024 * 1024
"""Of the deltas of one moment that are kept for whoever asks next: versions can be made up, and are as long as an address may be."""
ENTRY_BYTES = 200
SHORTER_BY = 64
"""A full answer is sent instead of a delta that is this much longer: it says more."""
PIN_LOOK_MS = 1_000
"""How often a pinned hold is looked at again: the payment's verdict may give it back to the clock."""
OTHERS_MS = 5_000
"""How far behind another replica may have been when it answered: it reads as often as this one, and serves nothing older than a second."""


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


class Since(NamedTuple):
    """A version taken apart: which hall of which process answered, after how much of its history, and when."""

    epoch: str
    position: int
    at_ms: int


class Answer:
    """One moment of a hall, encoded. VERSION says up to where of its history, when, of which plan, and what is shown."""

    def __init__(self, hall: Hall, now_ms: int) -> None:
        self._hall = hall
        self._mark = hall.layout.version[:PLAN_MARK]
        self.states = bytes(hall.states)
        self.version = f"{hall.epoch}.{hall.position}.{now_ms}-{self._mark}-{zlib.crc32(self.states):08x}"
        # Not the version: replicas that show the same say the same, and a watcher who comes to another one still gets a 304.
        self.etag = f'"{self._mark}-{"off" if hall.is_called_off else f"{zlib.crc32(self.states):08x}"}"'
        areas = {area.id: self._count(area.first, area.first + area.capacity) for area in hall.layout.areas}
        told = '"is_called_off":true,' if hall.is_called_off else ""
        self._head = f'{{"version":"{self.version}","plan":"{hall.layout.version}",{told}"areas":'.encode() + msgspec.json.encode(areas)
        self._deltas: dict[str, bytes] = {self.version: self._delta(())}
        self._kept_bytes = 0

    def _count(self, first: int, end: int) -> dict[str, int]:
        """What is held may come back, so buyers are told of it too."""
        return {"free": self.states.count(FREE, first, end), "held": self.states.count(HELD, first, end)}

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
            version = self._parse(since)
            positions = self._hall.changed_since(version) if version else None
            found = self.full if positions is None else self._delta(positions)
            if len(found) > len(self.full) + SHORTER_BY:
                found = self.full
            size = ENTRY_BYTES + len(since) + (0 if found is self.full else len(found))
            if self._kept_bytes + size <= DELTAS_MAX_BYTES:
                self._deltas[since] = found
                self._kept_bytes += size
        return found

    def _parse(self, version: str) -> Since | None:
        """None for what is no version of this plan."""
        where, _, rest = version.partition("-")
        parts = where.split(".")
        numbers = [int(part) for part in parts[1:] if part.isascii() and part.isdigit() and len(part) < 19]
        if len(parts) != 3 or len(numbers) != 2 or not rest.startswith(f"{self._mark}-"):
            return None
        return Since(parts[0], *numbers)

    def _delta(self, positions: Iterable[int]) -> bytes:
        states = self.states
        numbered = self._hall.layout.is_numbered
        changes = ",".join(f"[{position},{states[position] - FREE}]" for position in dict.fromkeys(positions)) if numbered else ""
        return self._head + f',"full":false,"changes":[{changes}]}}'.encode()


class Hall:
    """Not thread-safe: `board` has the lock. MADE_MS is when the claims were read. One that is called off has nothing to be had, for ever.

    A place is its hold's: what is read of another hold, however late, does not touch it. So the order in which holds, sales and releases
    become visible does not matter.
    """

    def __init__(self, layout: Layout, claims: Iterable[Claimed], made_ms: int, *, is_called_off: bool = False) -> None:
        self.layout = layout
        self.is_called_off = is_called_off
        self.epoch = secrets.token_hex(4)
        self.states = bytearray([BLOCKED if is_called_off else FREE]) * layout.capacity
        self._made_ms = made_ms
        self._hold_at: dict[int, int] = {}
        self._open: dict[int, list[int]] = {}
        self._due: list[tuple[int, int]] = []
        self._forgotten = 0
        self._seen_ms: array[int] = array("q")
        self._changed: list[int] = []
        self._answer: Answer | None = None
        for claim in claims:
            self.claimed(claim, made_ms)
        self._forgotten = len(self._changed)
        self._seen_ms, self._changed = array("q"), []

    @property
    def position(self) -> int:
        """How long the history is, with what is forgotten of it."""
        return self._forgotten + len(self._changed)

    def claimed(self, claim: Claimed, now_ms: int) -> None:
        """A claim that the database has now: whoever had the place has it no more."""
        position = self.layout.position_of.get(claim.place)
        if position is None:
            return
        hold = STAFF if claim.state == State.BLOCKED else claim.hold
        if claim.state in (State.HELD, State.PINNED):
            positions = self._open.setdefault(hold, [])
            if position not in positions:
                if not positions:
                    heapq.heappush(self._due, (claim.expires_ms or 0, hold))
                positions.append(position)
        self._set(position, hold, SHOWN[State(claim.state)], now_ms)

    def changed(self, hold: int, state: int, places: Iterable[int], now_ms: int) -> None:
        """What became of HOLD's PLACES: sold, freed, or blocked."""
        for place in places:
            position = self.layout.position_of.get(place)
            if position is None:
                continue
            owner = self._hold_at.get(position)
            if owner == hold or (state == State.BLOCKED and owner is None):
                self._set(position, hold, SHOWN[State(state)], now_ms)
        if state == State.SOLD:
            self._open.pop(hold, None)
        elif hold in self._open and all(self._hold_at.get(position) != hold for position in self._open[hold]):
            del self._open[hold]

    def _set(self, position: int, hold: int, shown: int, now_ms: int) -> None:
        if shown == FREE:
            self._hold_at.pop(position, None)
        else:
            self._hold_at[position] = hold
        if self.states[position] == shown:
            return
        self.states[position] = shown
        self._seen_ms.append(now_ms)
        self._changed.append(position)
        self._answer = None
        if len(self._changed) > HISTORY_MAX:
            self._forgotten += HISTORY_TRIM
            self._made_ms = self._seen_ms[HISTORY_TRIM - 1]
            del self._seen_ms[:HISTORY_TRIM]
            del self._changed[:HISTORY_TRIM]

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
                # Free by the clock alone: nobody has swept it. It stays its hold's, which may yet be sold.
                for position in self._open.pop(hold, ()):
                    if self._hold_at.get(position) == hold and self.states[position] == HELD:
                        self._set(position, hold, FREE, now_ms)
                        self._hold_at[position] = hold

    def changed_since(self, version: Since) -> list[int] | None:
        """Positions that may have changed since; None when that is further back than is remembered.

        Of another replica's version the time is all that says something here, and some seconds before it are said again.
        """
        if version.epoch == self.epoch:
            first = version.position - self._forgotten
            return self._changed[first:] if 0 <= first <= len(self._changed) else None
        earliest_ms = version.at_ms - OTHERS_MS
        return self._changed[bisect_left(self._seen_ms, earliest_ms) :] if earliest_ms > self._made_ms else None

    def answer(self, now_ms: int) -> Answer:
        """This moment, encoded once."""
        if self._answer is None:
            self._answer = Answer(self, now_ms)
        return self._answer

    @property
    def made(self) -> Answer | None:
        """The answer of this moment, if there is one."""
        return self._answer

    def differs(self, other: Hall, position: int) -> bool:
        """Whether OTHER, made when this one's history was at POSITION, knows better about a place that nothing has touched since."""
        touched = set(self._changed[max(0, position - self._forgotten) :])
        return any(
            mine != theirs and index not in touched for index, (mine, theirs) in enumerate(zip(self.states, other.states, strict=True))
        )
