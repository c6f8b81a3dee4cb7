"""What the door took and has to be given back: paid twice, or for cancelled tickets. The ticket service knows; here it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems.errors import ServiceRefused
from controlplane.systems.models import BookingSystem
from controlplane.systems.staff import PERSONAL, Document, ask

SCOPE = "content"
OWED = "/api/ticket/door/owed"
GIVEN_BACK = "/api/ticket/door/given-back"
AT_MOST = 200
"""So many payments a call; and so many are listed."""
LONGEST_ID = 18


@dataclass(frozen=True)
class Payment:
    """`why`: `twice` (its ticket was paid before, at `first_at`), `cancelled` or `called_off`."""

    id: int
    why: str
    amount_krw: int
    at: datetime
    scanner: str
    first_at: datetime | None
    first_with: str
    ticket_id: str
    label: str
    grade: str
    performance_id: str
    order_id: str
    order_number: str


@dataclass(frozen=True)
class Owed:
    """The last ones first; `total` and `total_krw` count those before them too."""

    last: tuple[Payment, ...] = ()
    total: int = 0
    total_krw: int = 0


@dataclass(frozen=True)
class GivenBack:
    """What of the payments stands as given back now, and how many were not to be given back (any more)."""

    payments: tuple[int, ...]
    amount_krw: int
    not_owed: int


def owed(*, system: BookingSystem, user: User) -> Owed:
    """What is to be given back of what the door took. Raises ServiceUnavailable, Refused."""
    try:
        found = ask(system, user, PERSONAL, lambda api: api.get(OWED))
    except ServiceRefused as error:
        if error.status == 404:  # an older image does not know
            return Owed()
        raise
    last = tuple(_payment(item) for item in found.get("payments", []))
    return Owed(last, int(found.get("total") or 0), int(found.get("total_krw") or 0))


def door_give_back(*, system: BookingSystem, payments: Sequence[int], acting_user: User) -> GivenBack:
    """Write down that PAYMENTS were given back by hand. Twice is once. Raises ServiceRefused (`invalid`), ServiceUnavailable, Refused."""
    document: Document = {"payments": list(payments)}
    found = ask(system, acting_user, SCOPE, lambda api: api.post(GIVEN_BACK, document))
    results = found.get("payments", [])
    done = [item for item in results if item.get("result") == "given_back"]
    made = GivenBack(
        payments=tuple(int(item["id"]) for item in done),
        amount_krw=sum(int(item["amount_krw"]) for item in done),
        not_owed=len(results) - len(done),
    )
    if done:
        audit.record("system.door_give_back", system, acting_user=acting_user, payments=list(made.payments), amount_krw=made.amount_krw)
    return made


def _payment(item: dict[str, Any]) -> Payment:
    first_at = item.get("first_at")
    names = ("why", "scanner", "first_with", "ticket_id", "label", "grade", "performance_id", "order_id", "order_number")
    return Payment(
        id=int(item["id"]),
        amount_krw=int(item["amount_krw"]),
        at=datetime.fromisoformat(item["at"]),
        first_at=datetime.fromisoformat(first_at) if first_at else None,
        **{name: str(item.get(name) or "") for name in names},
    )
