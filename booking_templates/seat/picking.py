"""Threads of one process that look for any free places keep out of each other's way. The database decides; this only spares it quarrels."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from math import inf

SEEN_AFTER_S = 0.5
"""By then availability shows what was taken."""
FORGET_FROM = 2_000


class Picking:
    """Positions, of a performance, that somebody here is taking or has just taken."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._until: dict[tuple[int, int], float] = {}

    @contextlib.contextmanager
    def turn(self, show: int, pick: Callable[[set[int]], list[int]], *, only_under_way: bool) -> Iterator[list[int]]:
        """What PICK finds, given the positions to leave alone; they are this thread's while the body runs, and taken if it succeeds.

        ONLY_UNDER_WAY: leave alone what is being taken right now, and not what was taken a moment ago.
        """
        with self._changed:
            now = time.monotonic()
            if len(self._until) > FORGET_FROM:
                self._until = {key: until for key, until in self._until.items() if until > now}
            bound = inf if only_under_way else now
            positions = pick({position for (number, position), until in self._until.items() if number == show and until >= bound})
            self._until.update({(show, position): inf for position in positions})
        is_taken = False
        try:
            yield positions
            is_taken = True
        finally:
            with self._changed:
                for position in positions:
                    if is_taken:
                        self._until[show, position] = time.monotonic() + SEEN_AFTER_S
                    else:
                        del self._until[show, position]
                self._changed.notify_all()

    def wait_for_others(self, show: int, timeout_s: float) -> bool:
        """Whether somebody is taking places of SHOW; returns when one of them is done, or after TIMEOUT_S."""
        with self._changed:
            if not any(number == show and until == inf for (number, _position), until in self._until.items()):
                return False
            self._changed.wait(timeout_s)
            return True


picking = Picking()
"""This process's."""
