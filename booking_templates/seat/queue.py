"""Who is in, worked out from one row and the time: numbers are given out in order, and so many a minute come in.

A bucket that leaks: each number given out pours one person in, and so many a minute leak out. While there is less than nothing in it,
whoever comes is in at once; what is above that waits. So the numbers that are in are all but the last `waiting`, without a row or a timer
for any of them, and nothing has to run for the next one to come in.

Pure: the time is given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

PERSON = 60_000
"""One person in the bucket. In this unit one person a minute is one in a millisecond: nothing is ever rounded away."""
DEFAULT_PER_MINUTE = 3_000
"""A third to a half of what one booking system sells on two cores (docs/decisions/0032)."""
PER_MINUTE_MAX = 1_000_000
BURST_S = 10
"""Who comes after a quiet time waits only once as many have come as are let in within that."""
GRACE_MS = 180_000
"""So long after the sale has opened, and after the last one who waited is in, a hold still needs a turn."""
APART_MS = 5_000
"""By so much the clocks of two processes differ at most. One that is further behind has been put back."""


@dataclass(frozen=True)
class Queue:
    """GIVEN is the last number. LEVEL was in the bucket at AT_MS; QUEUED_UNTIL_MS is when the last one who had to wait is in, or was."""

    given: int = 0
    level: int = 0
    at_ms: int = 0
    per_minute: int = DEFAULT_PER_MINUTE
    is_paused: bool = False
    queued_until_ms: int = 0

    @property
    def is_on(self) -> bool:
        """Whether there is a waiting room at all. One that lets nobody in is one."""
        return self.is_paused or self.per_minute > 0

    def needs_turn(self, now_ms: int, opens_ms: int) -> bool:
        """Whether a hold needs a turn: somebody waits, or did a while ago, or the sale has opened just now, when all come at once."""
        return self.is_paused or (self.per_minute > 0 and now_ms < max(self.queued_until_ms, opens_ms) + GRACE_MS)

    def waiting(self, now_ms: int) -> int:
        """How many have a number and are not in."""
        return -(-max(0, self._level_at(now_ms)) // PERSON)

    def admitted(self, now_ms: int) -> int:
        """The last number that is in; all before it are. It never falls, as long as the clock is not put back."""
        return self.given - self.waiting(now_ms)

    def admits(self, number: int, now_ms: int) -> bool:
        """Whether NUMBER is in. One beyond those given out is of a database that was lost."""
        return not self.is_on or number <= self.admitted(now_ms)

    def wait_ms(self, number: int, now_ms: int) -> int:
        """How long NUMBER still waits as things are; 0 when it is in. While nobody is let in, that is not known: 1."""
        level = self._level_at(now_ms) - (self.given - number) * PERSON
        if level <= 0:
            return 0
        return 1 if self._leak == 0 else -(-level // self._leak)

    def arrived(self, count: int, now_ms: int) -> Queue:
        """COUNT more have come: theirs are the numbers after GIVEN."""
        now = self._moved_to(now_ms)
        level = now.level if now._leak else max(0, now.level)
        return replace(now, given=now.given + count, level=level + count * PERSON if now.is_on else 0)._timed()

    def changed(self, now_ms: int, *, per_minute: int, is_paused: bool) -> Queue:
        """So many are let in from now on. Who was in stays in, and those who wait keep their order."""
        now = replace(self._moved_to(now_ms), per_minute=per_minute, is_paused=is_paused)
        if not now.is_on:
            return replace(now, level=0, queued_until_ms=min(now.queued_until_ms, now_ms))
        if self.is_paused and not is_paused:
            now = replace(now, queued_until_ms=now_ms)
        return replace(now, level=max(now.level, now._least))._timed()

    @property
    def _leak(self) -> int:
        return 0 if self.is_paused else self.per_minute

    @property
    def _least(self) -> int:
        return -max(PERSON, self.per_minute * BURST_S * 1000)

    def _level_at(self, now_ms: int) -> int:
        # A clock that was put back lets nobody in, until it is where it was or the next one comes.
        return max(self.level - self._leak * max(0, now_ms - self.at_ms), min(self._least, self.level))

    def _moved_to(self, now_ms: int) -> Queue:
        # To go back by what another process is ahead would have that time leak twice, each time the two take turns.
        at_ms = self.at_ms if now_ms < self.at_ms <= now_ms + APART_MS else now_ms
        return replace(self, level=self._level_at(now_ms), at_ms=at_ms)

    def _timed(self) -> Queue:
        """Just moved: how long the last one waits counts from AT_MS."""
        if self.level <= 0 or not self._leak:
            return self
        return replace(self, queued_until_ms=self.at_ms - (-self.level // self._leak))
