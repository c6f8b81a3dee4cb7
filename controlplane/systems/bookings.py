"""One booking of a live event as its seller sees it, and giving it back by hand. The ticket service decides; here it is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems.errors import Refused, ServiceRefused, ServiceUnavailable
from controlplane.systems.giving_back import SCOPE, give_back, look_up, names_of, path_of
from controlplane.systems.looks import looked
from controlplane.systems.models import BookingSystem
from controlplane.systems.staff import PERSONAL, Document, ask

BOOKINGS = "/api/ticket/bookings"
TERMS = ("full", "policy")
WHYS = ("illness", "charged_twice", "place", "goodwill", "other")
_NUMBER = re.compile(r"T[0-9A-Z]{5}-[0-9A-Z]{5}")


@dataclass(frozen=True)
class Ticket:
    """`used_at`: when somebody was let in with it. With a concession, `proof` is what had to be shown for it."""

    id: str
    label: str
    grade: str
    price_krw: int
    is_live: bool
    used_at: datetime | None
    concession: str = ""
    list_price_krw: int = 0
    proof: str = ""
    due_krw: int = 0
    """Still to be paid at the door."""
    paid_at_door_krw: int = 0
    """Paid there, and not given back."""


@dataclass(frozen=True)
class Entry:
    """Something that happened: `ordered`, `paid`, `used` or `given_back`, which is on its way until `is_done`; and of what was paid at the
    door `door_paid`, `door_not_paid` (after all), at which `scanner`, and `door_given_back`, `by` whom.

    `reason`: `buyer`, `organiser`, `performance_called_off`, or why the order could not be delivered. By hand: `by` whom (as its reader
    knows them), `why`, and the `note` that no buyer sees.
    """

    kind: str
    at: datetime
    amount_krw: int
    fee_krw: int
    labels: tuple[str, ...]
    is_done: bool
    reason: str
    by: str
    why: str
    note: str
    scanner: str = ""


@dataclass(frozen=True)
class Booking:
    """`refusal`: why nothing of it can be given back now, in words; empty when it can."""

    id: str
    number: str
    status: str
    is_settling: bool
    performance_id: str
    buyer_name: str
    buyer_phone: str
    is_paid: bool
    is_test: bool
    total_krw: int
    refunded_krw: int
    compensation_krw: int
    refusal: str
    tickets: tuple[Ticket, ...]
    history: tuple[Entry, ...]
    created_at: datetime

    @property
    def paid_krw(self) -> int:
        """What a provider has taken for it."""
        return sum(entry.amount_krw for entry in self.history if entry.kind == "paid")

    @property
    def due_krw(self) -> int:
        """What is still to be paid at the door, where no provider is asked."""
        return sum(ticket.due_krw for ticket in self.live)

    @property
    def paid_at_door_krw(self) -> int:
        """What was paid there, and not given back; for tickets that were cancelled, too."""
        return sum(ticket.paid_at_door_krw for ticket in self.tickets)

    @property
    def has_ended(self) -> bool:
        """Whether nothing can come of it any more."""
        return self.status in ("CANCELLED", "REFUNDED")

    @property
    def live(self) -> tuple[Ticket, ...]:
        """What can be given back."""
        return tuple(ticket for ticket in self.tickets if ticket.is_live)


@dataclass(frozen=True)
class Wish:
    """What is to be given back: `tickets` (none: all that are left), in full or by the policy; `used`: also what was used at the door."""

    tickets: tuple[str, ...] = ()
    terms: str = "full"
    used: bool = False


@dataclass(frozen=True)
class Line:
    label: str
    price_krw: int
    fee_krw: int

    @property
    def refund_krw(self) -> int:
        return self.price_krw - self.fee_krw


@dataclass(frozen=True)
class Quote:
    """What a wish would give back, and keep. `at_door_krw` was paid at the door: the organiser gives that back by hand, whole."""

    lines: tuple[Line, ...]
    refund_krw: int
    fee_krw: int
    had_before_krw: int = 0
    """What its buyer has already, given back at the payment provider itself; where it is not 0 no fee is kept."""
    at_door_krw: int = 0


@dataclass(frozen=True)
class Refund:
    """What was given back; `is_done` is false while the provider has not said so."""

    id: str
    order_id: str
    tickets: tuple[str, ...]
    refund_krw: int
    fee_krw: int
    is_done: bool
    at_door_krw: int = 0


def booking(*, system: BookingSystem, order_id: str, user: User, is_look: bool = True) -> Booking:
    """The booking. That USER looked is written down, unless what is shown of it names nobody (IS_LOOK).

    Raises ServiceRefused (`not_found`), ServiceUnavailable, Refused (`service_older`: the image that runs knows no bookings yet).
    """
    found = look_up(system, user, service="ticket", collection=BOOKINGS, identity=order_id)
    if is_look:
        looked(system, user, "booking")
    return _booking(found, user)


def booking_by_number(*, system: BookingSystem, typed: str, user: User) -> str | None:
    """The id of the booking whose number was TYPED, though it never came to tickets; None when that is no number, or no booking's."""
    number = typed.strip().upper()
    if not _NUMBER.fullmatch(number):
        return None
    try:
        found = ask(system, user, PERSONAL, lambda api: api.get(BOOKINGS, number=number))
    except (ServiceRefused, ServiceUnavailable, Refused):
        return None  # a search goes on without it
    return str(found.get("id") or "") or None


def refund_quote(*, system: BookingSystem, order_id: str, wish: Wish, user: User) -> Quote:
    """What WISH comes to now. Raises ServiceRefused (`already_cancelled`, `already_used`, `performance_called_off` …), and as `booking`."""
    query: dict[str, Any] = {"tickets": ",".join(wish.tickets), "terms": wish.terms, "used": "true" if wish.used else ""}
    found = ask(system, user, SCOPE, lambda api: api.get(f"{path_of(BOOKINGS, order_id)}/quote", **query))
    lines = tuple(Line(str(item["label"]), int(item["price_krw"]), int(item["fee_krw"])) for item in found["tickets"])
    amounts = {name: int(found.get(name) or 0) for name in ("refund_krw", "fee_krw", "had_before_krw", "at_door_krw")}
    return Quote(lines, **amounts)


def booking_refund(
    *,
    system: BookingSystem,
    order_id: str,
    wish: Wish,
    fee_krw: int,
    why: str,
    note: str = "",
    key: str = "",
    at_door_krw: int = 0,
    acting_user: User,
) -> Refund:
    """Give WISH back and keep FEE_KRW, which was quoted: if it is another by now, nothing happens. The same KEY is one refund.

    AT_DOOR_KRW, quoted likewise, is given back by hand: it is written down there. WHY is one of WHYS; NOTE stays with the booking. Raises
    ServiceRefused (`fee_not_agreed`, `at_door_not_agreed`, `order_changed`, …), Refused, and ServiceUnavailable, after which nobody knows
    whether it was done: ask again with the same KEY.
    """
    document: Document = {"terms": wish.terms, "used": wish.used, "fee_krw": fee_krw, "why": why, "note": note}
    if at_door_krw:  # an older image takes no field that it does not know, and quotes none
        document["at_door_krw"] = at_door_krw
    if wish.tickets:
        document["tickets"] = list(wish.tickets)
    told: Document = {"order": order_id, "terms": wish.terms, "fee_krw": fee_krw, "why": why}
    if at_door_krw:
        told["at_door_krw"] = at_door_krw
    path = path_of(BOOKINGS, order_id)
    found = give_back(path, document, system=system, key=key, action="system.refund", told=told, acting_user=acting_user)
    made = Refund(
        id=str(found["id"]),
        order_id=str(found["order_id"]),
        tickets=tuple(str(each) for each in found["tickets"]),
        refund_krw=int(found["refund_krw"]),
        fee_krw=int(found["fee_krw"]),
        is_done=bool(found["is_done"]),
        at_door_krw=int(found.get("at_door_krw") or 0),
    )
    done = {"outcome": "made", "refund": made.id, "refund_krw": made.refund_krw, "tickets": len(made.tickets)}
    audit.record("system.refund", system, acting_user=acting_user, **told | done)
    return made


def _booking(found: Document, reader: User) -> Booking:
    refusal = found.get("refusal")
    names = names_of([str(item.get("by") or "") for item in found["history"]], reader)
    return Booking(
        id=str(found["id"]),
        number=str(found["number"]),
        status=str(found["status"]),
        is_settling=bool(found["is_settling"]),
        performance_id=str(found["performance_id"]),
        buyer_name=str(found["buyer_name"]),
        buyer_phone=str(found["buyer_phone"]),
        is_paid=found["provider"] != "none",
        is_test=bool(found["payment_test"]),
        total_krw=int(found["total_krw"]),
        refunded_krw=int(found["refunded_krw"]),
        compensation_krw=int(found["compensation_krw"]),
        refusal=str(refusal["detail"]) if refusal else "",
        tickets=tuple(_ticket(item, is_paid=found["provider"] != "none") for item in found["tickets"]),
        history=tuple(_entry(item, names) for item in found["history"]),
        created_at=datetime.fromisoformat(found["created_at"]),
    )


def _ticket(item: dict[str, Any], *, is_paid: bool) -> Ticket:
    used_at = item.get("used_at")
    # An older image does not tell what was paid at the door.
    due_krw = 0 if is_paid or item["status"] != "LIVE" else item["price_krw"]
    return Ticket(
        id=str(item["id"]),
        label=str(item["label"]),
        grade=str(item["grade"]),
        price_krw=int(item["price_krw"]),
        is_live=item["status"] == "LIVE",
        used_at=datetime.fromisoformat(used_at) if used_at else None,
        # An older image knows no concessions.
        concession=str(item.get("concession") or ""),
        list_price_krw=int(item.get("list_price_krw") or item["price_krw"]),
        proof=str(item.get("proof") or ""),
        due_krw=int(item.get("due_krw", due_krw)),
        paid_at_door_krw=int(item.get("paid_at_door_krw") or 0),
    )


def _entry(item: dict[str, Any], names: dict[str, str]) -> Entry:
    texts = {name: str(item.get(name) or "") for name in ("reason", "why", "note", "scanner")}
    return Entry(
        kind=str(item["kind"]),
        at=datetime.fromisoformat(item["at"]),
        amount_krw=int(item.get("amount_krw") or 0),
        fee_krw=int(item.get("fee_krw") or 0),
        labels=tuple(str(label) for label in item.get("labels") or ()),
        is_done=bool(item.get("is_done", True)),
        by=names.get(str(item.get("by") or ""), ""),
        **texts,
    )
