"""The states of an order, as its row holds them.

PENDING ──> PAYING ──> APPROVING ──> [CAPTURED] ──> ISSUED ──> REFUNDING ──> REFUNDED
   │           │            │            └──────────────────────^   (captured, yet cannot be delivered)
   └───────────┴────────────┴──> CLOSING ──> CANCELLED

PENDING    the row exists; what it is for is being reserved
PAYING     the provider's tid is kept and the buyer is sent there. No approve is under way
APPROVING  an approve may have been sent. Only the provider's word leads out of here
CAPTURED   the money was taken; delivery has not answered yet. Passed over when delivery answers at once
ISSUED     delivered
REFUNDING  all of the order is given up and its money is on the way back
CLOSING    ended without delivery; the reservation is being given back
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    PENDING = "PENDING"
    PAYING = "PAYING"
    APPROVING = "APPROVING"
    CAPTURED = "CAPTURED"
    ISSUED = "ISSUED"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"
    CLOSING = "CLOSING"
    CANCELLED = "CANCELLED"


PUBLIC = {State.APPROVING: State.PAYING, State.CAPTURED: State.PAYING, State.CLOSING: State.CANCELLED}
"""What a buyer is told where it differs."""

OPEN_PAYMENT = frozenset({State.PENDING, State.PAYING, State.APPROVING, State.CAPTURED, State.REFUNDING})
"""Money or a reservation is still on its way."""

SETTLING = frozenset({State.APPROVING, State.CAPTURED, State.REFUNDING})
"""Something is going on that the buyer only waits for."""


def public(state: str) -> str:
    """STATE in the words of the API."""
    return str(PUBLIC.get(State(state), State(state)))
