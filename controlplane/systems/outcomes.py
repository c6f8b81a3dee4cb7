"""How a look at a booking system can end before it is live.

Outcome
├── Waiting   something moves by itself; an event or the sweep looks again
│   ├── Held  nothing moves until somebody lets it; that takes as long as it takes
│   └── Ending  the runtime is taking it down, in its own time; nobody can stop that or take it back
├── Retry     it did not work this time; look again after a backoff
└── Failed    it will not work; the operation ends with the reason
"""

from __future__ import annotations

from typing import Any

from controlplane.lib.reasons import Reason
from controlplane.runtime.errors import RuntimeFailure

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 15.0


class Outcome(Exception):
    def __init__(self, code: str, **params: Any) -> None:
        self.reason = Reason(code, params)
        super().__init__(self.reason.message)


class Waiting(Outcome):
    pass


class Held(Waiting):
    pass


class Ending(Waiting):
    pass


class Retry(Outcome):
    least_s = 0.0
    """Not sooner than that, for the runtime said so."""


class Failed(Outcome):
    pass


def of_runtime(error: RuntimeFailure) -> Outcome:
    """What a runtime's error means here."""
    if not error.is_passing:
        return Failed(error.code, detail=error.reason)
    outcome = Retry(error.code, detail=error.reason)
    outcome.least_s = error.retry_after_s
    return outcome


def backoff_s(attempts: int) -> float:
    """0.25 s, 0.5, 1, … 15 s."""
    return min(FIRST_DELAY_S * 2 ** min(attempts, 10), LONGEST_DELAY_S)
