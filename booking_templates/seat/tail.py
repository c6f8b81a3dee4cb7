"""Following the change log without missing what commits late.

Ids are given when a row is written and become visible when its transaction commits, so a lower id may appear after a higher one. An id
that is missing is waited for; only what lies before the first missing one counts as complete. A gap that stays is a transaction that was
rolled back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

GAP_S = 12.0
"""Longer than any transaction here can last: the databases end a wait for a lock after 10 s (kit.env)."""
GAPS_MAX = 10_000
"""More than can be under way at once: ids that jump by more were never given."""


class Tail:
    """`complete` is the highest id up to which every change that will ever be is known; `highest` the highest that is known at all."""

    def __init__(self, complete: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.complete = complete
        self._clock = clock
        self._seen: set[int] = set()
        self._missing: dict[int, float] = {}
        self.highest = complete

    def take(self, change_id: int) -> bool:
        """Whether CHANGE_ID is new. Every id above `complete` may be offered again and again, lowest first."""
        if change_id <= self.complete or change_id in self._seen:
            return False
        self._seen.add(change_id)
        self._missing.pop(change_id, None)
        if change_id > self.highest:
            now = self._clock()
            for missing in range(max(self.highest + 1, change_id - GAPS_MAX), change_id):
                self._missing[missing] = now
            self.highest = change_id
        return True

    def advance(self) -> None:
        """Give up on gaps that have lasted, and move `complete` up to the next one."""
        over = self._clock() - GAP_S
        for missing in [missing for missing, since in self._missing.items() if since < over]:
            del self._missing[missing]
        reached = min(self._missing, default=self.highest + 1) - 1
        if reached > self.complete:
            self.complete = reached
            self._seen = {change_id for change_id in self._seen if change_id > reached}
