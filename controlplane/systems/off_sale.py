"""Seats of one performance that its seller keeps from sale: for guests, for cameras, for the house. Beside those of the requirement,
which are off sale at every performance that it adds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import quote

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems.booking_api import Answer, BookingApi
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.models import BookingSystem
from controlplane.systems.staff import Document, answer_of, ask, document_of

SCOPE = "content"
CHANGED = "changed_meanwhile"
TRIES = 5
"""How often a change is worked out anew, because somebody else's came in between."""


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


@dataclass(frozen=True)
class OffSale:
    """The ids of the seats, in the plan's order, and the ETag of just these; empty where seat's image is too old to have one."""

    seats: list[str]
    etag: str


def off_sale(*, system: BookingSystem, performance_id: str, user: User) -> OffSale:
    """Raises ServiceRefused (`unknown_performance`), ServiceUnavailable, Refused."""
    return _asked(system, user, lambda api: api.get(_path(performance_id)))


def off_sale_put(*, system: BookingSystem, performance_id: str, seats: Collection[str], acting_user: User, if_match: str = "") -> OffSale:
    """Keep exactly SEATS from sale, at once; those of them that are. Nothing changes when one of them is refused.

    Raises ServiceRefused (`would_orphan` for seats that somebody has, `changed_meanwhile` where IF_MATCH is the ETag of other seats than
    are off sale by now, `unknown_seat`, `unknown_performance`, `invalid` where places have no numbers), ServiceUnavailable, Refused.
    """
    document: Document = {"seats": sorted(set(seats))}
    return _changed(system, performance_id, acting_user, lambda api: api.put(_path(performance_id), document, if_match=if_match))


def off_sale_change(
    *, system: BookingSystem, performance_id: str, added: Collection[str], removed: Collection[str], acting_user: User
) -> OffSale:
    """Keep ADDED from sale as well, and REMOVED no more; what somebody else changes stays, be it in this very moment. As `off_sale_put`."""
    path = _path(performance_id)

    def change(api: BookingApi) -> Answer:
        for _ in range(TRIES):
            now = api.get(path)
            if not now.is_success:
                return now
            seats = set(_seats(now)).difference(removed).union(added)
            answer = api.put(path, {"seats": sorted(seats)}, if_match=now.etag)
            if answer.code != CHANGED:
                break
        return answer

    return _changed(system, performance_id, acting_user, change)


def _changed(system: BookingSystem, performance_id: str, acting_user: User, call: Callable[[BookingApi], Answer]) -> OffSale:
    found = _asked(system, acting_user, call)
    audit.record("system.off_sale", system, acting_user=acting_user, performance=performance_id, seats=len(found.seats))
    return found


def _asked(system: BookingSystem, user: User, call: Callable[[BookingApi], Answer]) -> OffSale:
    answer = answer_of(system, user, SCOPE, call)
    return OffSale(_seats(answer), answer.etag)


def _path(performance_id: str) -> str:
    return f"/api/seat/performances/{quote(performance_id, safe='')}/blocked"


def _seats(answer: Answer) -> list[str]:
    return [str(seat) for seat in document_of(answer).get("seats", ())]
