"""Seats of one performance that its seller keeps from sale: for guests, for cameras, for the house. Beside those of the requirement,
which are off sale at every performance that it adds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.models import BookingSystem
from controlplane.systems.staff import Document, ask

SCOPE = "content"


@dataclass(frozen=True)
class Places:
    """How many places of a performance are in which state now."""

    free: int
    held: int
    sold: int
    off_sale: int


def places(*, system: BookingSystem, performance_id: str, user: User) -> Places:
    """Raises SystemNotFound where seat does not know the performance, ServiceRefused, ServiceUnavailable, Refused."""
    for row in ask(system, user, "summary", lambda api: api.get("/api/seat/summary")).get("performances", ()):
        if row["id"] == performance_id:
            return Places(free=int(row["free"]), held=int(row["held"]), sold=int(row["sold"]), off_sale=int(row["blocked"]))
    raise SystemNotFound


def off_sale(*, system: BookingSystem, performance_id: str, user: User) -> list[str]:
    """The ids of the seats, in the plan's order. Raises ServiceRefused (`unknown_performance`), ServiceUnavailable, Refused."""
    return _seats(ask(system, user, SCOPE, lambda api: api.get(_path(performance_id))))


def off_sale_put(*, system: BookingSystem, performance_id: str, seats: Collection[str], acting_user: User) -> list[str]:
    """Keep exactly SEATS from sale, at once; those of them that are. Nothing changes when one of them is refused.

    Raises ServiceRefused (`would_orphan` for seats that somebody has, `unknown_seat`, `unknown_performance`, `invalid` where places have
    no numbers), ServiceUnavailable, Refused.
    """
    document: Document = {"seats": sorted(set(seats))}
    found = _seats(ask(system, acting_user, SCOPE, lambda api: api.put(_path(performance_id), document)))
    audit.record("system.off_sale", system, acting_user=acting_user, performance=performance_id, seats=len(found))
    return found


def off_sale_change(
    *, system: BookingSystem, performance_id: str, added: Collection[str], removed: Collection[str], acting_user: User
) -> list[str]:
    """Keep ADDED from sale as well, and REMOVED no more; what somebody else has changed since they were chosen stays. As `off_sale_put`."""
    now = off_sale(system=system, performance_id=performance_id, user=acting_user)
    seats = set(now).difference(removed).union(added)
    return off_sale_put(system=system, performance_id=performance_id, seats=seats, acting_user=acting_user)


def _path(performance_id: str) -> str:
    return f"/api/seat/performances/{quote(performance_id, safe='')}/blocked"


def _seats(found: Document) -> list[str]:
    return [str(seat) for seat in found.get("seats", ())]
