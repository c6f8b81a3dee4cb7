"""Admission: while much is worked on, new work is asked to come again soon instead of waiting unseen; what ends work always comes in.

    GATE = Gate("payments", at_once=24)

    @endpoint(auth=BUYER, body=NewOrder, returns={201: OrderOut}, problems=(TOO_MANY_AT_ONCE,))
    @GATE.admits
    def create_order(request: Request, body: NewOrder) -> Reply: ...

Nothing is written for a request that is refused. docs/decisions/0022-orders-are-admitted.md says why.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from prometheus_client import Counter, Gauge

from booking_templates.kit.problems import TooMany

F = TypeVar("F", bound=Callable[..., Any])

TOO_MANY_AT_ONCE = "too_many_at_once"
RETRIES_PER_S = 64
"""So many of those who were refused may come again in a second: a few per cent of a core."""
WAIT_MAX_S = 10

REFUSED = Counter("clove_refused_total", "Requests that were asked to come again because too much was worked on.", ["gate"])
INSIDE = Gauge("clove_inside", "Requests that are worked on behind a gate.", ["gate"])


class Gate:
    """Lets new work in while fewer than AT_ONCE requests are inside. NAME is its label in metrics."""

    def __init__(self, name: str, *, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._lock = threading.Lock()
        self._inside = 0
        self._second = clock()
        self._refused = 0
        self._refused_before = 0
        self._refusals, self._gauge = REFUSED.labels(name), INSIDE.labels(name)

    def admits(self, function: F) -> F:
        """Wrap an endpoint's function that begins work: it raises TooMany when enough is inside. Its problems name TOO_MANY_AT_ONCE."""
        return self._around(function, may_refuse=True)

    def counts(self, function: F) -> F:
        """Wrap one that ends work: it always comes in, and keeps new work out meanwhile."""
        return self._around(function, may_refuse=False)

    def _around(self, function: F, *, may_refuse: bool) -> F:
        @functools.wraps(function)
        def run(*args: Any, **values: Any) -> Any:
            with self._passed(may_refuse=may_refuse):
                return function(*args, **values)

        return run  # type: ignore[return-value]

    @contextlib.contextmanager
    def _passed(self, *, may_refuse: bool) -> Iterator[None]:
        with self._lock:
            wait_s = self._refuse() if may_refuse and self._inside >= self._at_once else 0
            self._inside += not wait_s
        if wait_s:
            self._refusals.inc()
            raise TooMany(
                TOO_MANY_AT_ONCE, _("Very many people are here at this moment. Please try again in a few seconds."), retry_after_s=wait_s
            )
        self._gauge.inc()
        try:
            yield
        finally:
            self._gauge.dec()
            with self._lock:
                self._inside -= 1

    def _refuse(self) -> int:
        """For how many seconds to stay away: the longer, the more were refused within the last one."""
        passed = self._clock() - self._second
        if passed >= 1:
            self._refused_before = self._refused if passed < 2 else 0
            self._second, self._refused = self._clock(), 0
        self._refused += 1
        return min(WAIT_MAX_S, 1 + max(self._refused, self._refused_before) // RETRIES_PER_S)
