"""How much one address or account gets of what is cheap to ask for: in this process alone, for what each replica counts is not worth a
write a visitor.

Numbers of the waiting room: enough for a school behind one router, and too few for a program that asks for thousands. Phones of a whole
town may share one, so this slows nobody down who comes once. It goes by how many come in: whatever that is, the others are let in, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from math import ceil

from django.http import HttpRequest
from django.utils.translation import gettext as _

from booking_templates.kit.addresses import address_of, place_of
from booking_templates.kit.problems import TooMany, Unprocessable

AT_ONCE = 1_000
AT_ONCE_MIN = 50
PER_S = 20.0
WORTH_S = 20
"""As many at once as come in within that, between the two."""
SHARE = 0.4
"""And no more than this part of those who come in after that."""
KEPT_MAX = 50_000


class Buckets:
    """A bucket for each name: so much goes in at once, and one more every so often."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._full_at: dict[str, float] = {}

    def wait_s(self, name: str, *, every_s: float, burst_s: float) -> float:
        """0 where one more has room, which is put in; for how long to stay away where it has none."""
        with self._lock:
            now = self._clock()
            if len(self._full_at) >= KEPT_MAX:
                self._full_at = {name: at for name, at in self._full_at.items() if at > now}
            full_at = max(now, self._full_at.get(name, now)) + every_s
            if full_at - now > burst_s:
                return full_at - now - burst_s
            self._full_at[name] = full_at
            return 0.0

    def give_back(self, name: str, *, every_s: float) -> None:
        """One that was put in takes no room after all."""
        with self._lock:
            if name in self._full_at:
                self._full_at[name] -= every_s


def place_outside(request: HttpRequest) -> str | None:
    """What counts as one caller; None for whoever does not come from outside, or from an address that stands for everybody."""
    address = address_of(request) if "HTTP_X_FORWARDED_FOR" in request.META else None
    return None if address is None or not address.is_global else place_of(address)


class Limit:
    """AT_ONCE from one place, and PER_S after that, or less where few come in."""

    def __init__(self, *, at_once: int = AT_ONCE, per_s: float = PER_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._per_s = at_once, per_s
        self._buckets = Buckets(clock)

    def check(self, request: HttpRequest, *, per_minute: int) -> None:
        """Raises TooMany. PER_MINUTE come in."""
        place = place_outside(request)
        if place is None:
            return
        if wait_s := self._wait_s(place, per_minute / 60):
            text = _("Too many places in the queue were asked for from your network. Please try again in a moment.")
            raise TooMany("too_many_turns", text, retry_after_s=ceil(wait_s))

    def _wait_s(self, place: str, let_in_per_s: float) -> float:
        # A room that is stopped may have no rate: once it goes on all are in.
        every_s = 1 / min(self._per_s, let_in_per_s * SHARE or self._per_s)
        burst_s = min(self._at_once, max(AT_ONCE_MIN, let_in_per_s * WORTH_S)) * every_s
        return self._buckets.wait_s(place, every_s=every_s, burst_s=burst_s)


class Guesses:
    """Wrong codes: a few of an account, and more from an address, which may be a whole office's, until it has to wait.

    A code counts as wrong until it was looked at, so that those of one moment count each other.
    """

    OF_ACCOUNT, ACCOUNT_EVERY_S = 10, 90.0
    OF_ADDRESS, ADDRESS_EVERY_S = 100, 9.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = Buckets(clock)

    @contextmanager
    def guess(self, request: HttpRequest, account: str) -> Iterator[None]:
        """Around one look at a code, which was wrong if that raises Unprocessable. Raises TooMany where one more would be too many."""
        buckets = [(f"account {account}", self.OF_ACCOUNT, self.ACCOUNT_EVERY_S)]
        if place := place_outside(request):
            buckets.append((f"address {place}", self.OF_ADDRESS, self.ADDRESS_EVERY_S))
        with ExitStack() as taken:
            for name, count, every_s in buckets:
                if wait_s := self._buckets.wait_s(name, every_s=every_s, burst_s=count * every_s):
                    words = _("Too many attempts. Please wait before you try again.")
                    raise TooMany("too_many_attempts", words, retry_after_s=ceil(wait_s))
                taken.callback(self._buckets.give_back, name, every_s=every_s)
            try:
                yield
            except Unprocessable:
                taken.pop_all()  # it was wrong, and stays counted
                raise


limit = Limit()
guesses = Guesses()
"""This process's."""
