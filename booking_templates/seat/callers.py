"""How many numbers one address gets: enough for a school behind one router, and too few for a program that asks for thousands.

Phones of a whole town may share one, so this slows nobody down who comes once. It goes by how many come in: whatever that is, the others
are let in, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from math import ceil

from django.http import HttpRequest
from django.utils.translation import gettext as _

from booking_templates.kit.addresses import address_of, place_of
from booking_templates.kit.problems import TooMany

AT_ONCE = 1_000
AT_ONCE_MIN = 50
PER_S = 20.0
WORTH_S = 20
"""As many at once as come in within that, between the two."""
SHARE = 0.4
"""And no more than this part of those who come in after that."""
KEPT_MAX = 50_000


class Limit:
    """AT_ONCE from one place, and PER_S after that, or less where few come in.

    In this process alone: what each replica counts is not worth a write a visitor.
    """

    def __init__(self, *, at_once: int = AT_ONCE, per_s: float = PER_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._per_s, self._clock = at_once, per_s, clock
        self._lock = threading.Lock()
        self._full_at: dict[str, float] = {}

    def check(self, request: HttpRequest, *, per_minute: int) -> None:
        """Raises TooMany. PER_MINUTE come in.

        Whoever does not come from outside, or from an address that stands for everybody, is not counted.
        """
        address = address_of(request) if "HTTP_X_FORWARDED_FOR" in request.META else None
        if address is None or not address.is_global:
            return
        if wait_s := self._wait_s(place_of(address), per_minute / 60):
            text = _("Too many places in the queue were asked for from your network. Please try again in a moment.")
            raise TooMany("too_many_turns", text, retry_after_s=ceil(wait_s))

    def _wait_s(self, place: str, let_in_per_s: float) -> float:
        """0 for one that is counted; for how long to stay away for one too many."""
        # A room that is stopped may have no rate: once it goes on all are in.
        every_s = 1 / min(self._per_s, let_in_per_s * SHARE or self._per_s)
        burst_s = min(self._at_once, max(AT_ONCE_MIN, let_in_per_s * WORTH_S)) * every_s
        with self._lock:
            now = self._clock()
            if len(self._full_at) >= KEPT_MAX:
                self._full_at = {name: at for name, at in self._full_at.items() if at > now}
            full_at = max(now, self._full_at.get(place, now)) + every_s
            if full_at - now > burst_s:
                return full_at - now - burst_s
            self._full_at[place] = full_at
            return 0.0


limit = Limit()
"""This process's."""
