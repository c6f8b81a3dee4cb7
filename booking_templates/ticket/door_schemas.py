"""What the API takes and gives at the door, as it is in JSON: scanners, scans, what is paid there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from booking_templates.ticket.moments import Moment, check_years


class NewScanner(msgspec.Struct, forbid_unknown_fields=True):
    """A name for the device: which door it stands at. `until` when its key is good: some hours after the last performance, without."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    until: Annotated[datetime, Meta(tz=True)] | None = None


class ScannerOut(msgspec.Struct):
    id: str
    name: str
    expires_at: datetime
    key: str | None = None
    """Told once, when it is made."""


class Scanners(msgspec.Struct):
    scanners: list[ScannerOut]


class Scan(msgspec.Struct, forbid_unknown_fields=True):
    """A code that was seen; `at` by the scanner's clock, for one that is sent later."""

    code: Annotated[str, Meta(max_length=1000)]
    at: Moment | None = None

    def __post_init__(self) -> None:
        check_years(self.at)


class Scans(msgspec.Struct, forbid_unknown_fields=True):
    """Scans in the order in which they were made. With `performance`, tickets of another are not admitted."""

    scans: Annotated[list[Scan], Meta(min_length=1, max_length=200)]
    performance: Annotated[str, Meta(max_length=64)] = ""


class ScansQuery(msgspec.Struct):
    """`let_in` says whether the holders were let in before anybody asked here: then a ticket that was used or cancelled is kept for the
    organiser. Left out, it is believed of a scan that comes a minute after its time. `decided` says that a person let them in: their
    tickets were issued after the list that the scanner had.
    """

    let_in: bool | None = None
    decided: bool = False


class ScanResult(msgspec.Struct):
    """`result`: admitted, used (before; see `used_at`, `used_with`), cancelled, other_performance, unknown, invalid (see `reason`)."""

    code: str
    result: str
    reason: str = ""
    ticket: str = ""
    label: str = ""
    grade: str = ""
    concession: str = ""
    proof: str = ""
    """What its holder has to show."""
    due_krw: int = 0
    """What is to be paid for it at the door."""
    paid_at_door_krw: int = 0
    """What was paid for it there."""
    performance_id: str = ""
    buyer_name: str = ""
    used_at: datetime | None = None
    used_with: str = ""


class ScanResults(msgspec.Struct):
    results: list[ScanResult]


class DoorConflictOut(msgspec.Struct):
    """Somebody who was let in without the network: `kind` is used (before: see `first_at`, `first_with`) or cancelled."""

    kind: str
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
    decided: bool = False
    """By a person at the door: the ticket was issued after the scanner's list."""


class DoorConflicts(msgspec.Struct):
    """The last ones first, two hundred at most; `total` counts all."""

    conflicts: list[DoorConflictOut]
    total: int


class DoorOwedOut(msgspec.Struct):
    """A payment at the door that is to be given back. `why`: twice (the ticket was paid before: see `first_at`, `first_with`), cancelled or
    called_off."""

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


class DoorOwed(msgspec.Struct):
    """The last ones first, two hundred at most; `total` counts all, and `total_krw` is what all come to."""

    payments: list[DoorOwedOut]
    total: int
    total_krw: int


class NewGivenBack(msgspec.Struct, forbid_unknown_fields=True):
    """Payments at the door that were given back by hand, by their ids."""

    payments: Annotated[list[Annotated[int, Meta(ge=1, le=2**63 - 1)]], Meta(min_length=1, max_length=200)]


class GivenBack(msgspec.Struct):
    """`result`: given_back (now, or before), not_owed (any more), unknown."""

    id: int
    result: str
    amount_krw: int


class GivenBackResults(msgspec.Struct):
    payments: list[GivenBack]


class DoorPaid(msgspec.Struct, forbid_unknown_fields=True):
    """That the price of the ticket with this code was taken at the door; with `is_paid` false, that this was a mistake. `at` by the
    scanner's clock."""

    code: Annotated[str, Meta(max_length=1000)]
    at: Moment
    is_paid: bool = True

    def __post_init__(self) -> None:
        check_years(self.at)


class DoorPayments(msgspec.Struct, forbid_unknown_fields=True):
    """In the order in which they were made."""

    payments: Annotated[list[DoorPaid], Meta(min_length=1, max_length=200)]


class DoorPaymentResult(msgspec.Struct):
    """`result`: paid, paid_before (by somebody else: see `paid_at`, `paid_with`), due, nothing_due, cancelled, unknown, invalid.

    What was taken for one that was paid before, or is cancelled, is kept as to be given back.
    """

    code: str
    result: str
    ticket: str = ""
    label: str = ""
    due_krw: int = 0
    paid_krw: int = 0
    paid_at: datetime | None = None
    paid_with: str = ""


class DoorPaymentResults(msgspec.Struct):
    results: list[DoorPaymentResult]


class DoorQuery(msgspec.Struct):
    performance: Annotated[str, Meta(max_length=64)] = ""


class DoorPerformance(msgspec.Struct):
    id: str
    starts_at: datetime


class DoorConcession(msgspec.Struct):
    """Live tickets of a concession that were not shown yet, and what their holders have to show."""

    name: str
    proof: str
    tickets: list[str]


class DoorDue(msgspec.Struct):
    """Live tickets for each of which this much is to be paid at the door."""

    krw: int
    tickets: list[str]


class Door(msgspec.Struct):
    """What a scanner needs offline: the keys, the tickets that their signature alone does not admit, those to ask for proof or money."""

    title: str
    system: str
    """Which codes are this door's: those of another booking system are signed with keys that it never has."""
    performance: str
    """Whose tickets the lists name; empty for all performances. They say nothing of another one's."""
    as_of: datetime
    keys: list[dict[str, Any]]
    performances: list[DoorPerformance]
    cancelled: list[str]
    concessions: list[DoorConcession]
    used: list[str]
    due: list[DoorDue]
    recent_since: datetime
    recent: list[str]
    """Live tickets issued since `recent_since`, some minutes before `as_of`. The time in a ticket's id says of all others whether these
    lists knew of it: one that was issued later is neither good nor bad by them."""
    expected: int
    """Live tickets."""
    arrived: int
