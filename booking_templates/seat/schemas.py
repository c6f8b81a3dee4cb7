"""Bodies of the seat service's API."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from booking_templates.seat.codes import CODES_MAX, TYPED_MAX
from booking_templates.seat.queue import PER_MINUTE_MAX
from booking_templates.seat.turns import TURN_CHARACTERS

SEATS_MAX = 50_000
AREAS_MAX = 200
CAPACITY_MAX = 200_000
PERFORMANCES_MAX = 200
GRADES_MAX = 50
LIMIT_MAX = 100
ASKS_MAX = 100
PRICE_MAX_KRW = 10_000_000
BATCH_MAX = 100_000
"""Codes at a time."""
COORDINATE_MAX = 1_000_000

Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
AreaId = Annotated[str, Meta(min_length=1, max_length=40)]
Guid = Annotated[str, Meta(min_length=1, max_length=80)]
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\S")]
Text = Annotated[str, Meta(max_length=200)]
Color = Annotated[str, Meta(max_length=40)]
Time = Annotated[datetime, Meta(tz=True)]
Coordinate = Annotated[float, Meta(ge=-COORDINATE_MAX, le=COORDINATE_MAX)]
Identity = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


# A seating plan in pretix's open JSON format (seating-plan.schema.json); what it has beyond this is let through and not kept.


class Position(Struct, frozen=True):
    x: Coordinate = 0
    y: Coordinate = 0


class PlanSize(Struct):
    width: Coordinate
    height: Coordinate


class PlanCategory(Struct, omit_defaults=True):
    name: Name
    color: Color = ""


class PlanSeat(Struct):
    seat_guid: Guid
    seat_number: Annotated[str, Meta(max_length=40)]
    category: Name
    position: Position = Position()


class PlanRow(Struct, omit_defaults=True):
    """`row_label` and `seat_label` (with `%s`) name the seats in words; without them their numbers do."""

    seats: Annotated[list[PlanSeat], Meta(max_length=SEATS_MAX)]
    row_number: Text | None = None
    position: Position = Position()
    row_label: Text | None = None
    seat_label: Text | None = None


class PlanZone(Struct, omit_defaults=True):
    rows: Annotated[list[PlanRow], Meta(max_length=5_000)] = []
    name: Text = ""
    position: Position = Position()
    areas: Annotated[list[dict[str, Any]], Meta(max_length=500)] = []


class SeatingPlan(Struct, omit_defaults=True):
    categories: Annotated[list[PlanCategory], Meta(min_length=1, max_length=100)]
    zones: Annotated[list[PlanZone], Meta(min_length=1, max_length=500)]
    name: Text = ""
    size: PlanSize | None = None


class Area(Struct):
    """Places without numbers: whoever has one stands where they like."""

    id: AreaId
    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
    capacity: Annotated[int, Meta(ge=1, le=CAPACITY_MAX)]
    grade: Name


class Grade(Struct, omit_defaults=True):
    name: Name
    price_krw: Annotated[int, Meta(ge=0, le=PRICE_MAX_KRW)]
    color: Color | None = None


class PerformanceTime(Struct):
    id: Identifier
    starts_at: Time


class Sales(Struct):
    opens_at: Time
    closes_at: Time


class Presale(Struct, frozen=True, forbid_unknown_fields=True):
    """From `opens_at` until sales open to all, whoever has a code may buy. Buyers see it under its `name`."""

    name: Name
    opens_at: Time


class SeatContent(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What staff writes: `plan` for numbered seats, `areas` without. Of `wheelchair`, `obstructed` and `blocked` each names seats.

    `admit_per_minute` is how many the waiting room lets in; 0 for no waiting room, null for as many as is usual.
    """

    grades: Annotated[list[Grade], Meta(min_length=1, max_length=GRADES_MAX)]
    performances: Annotated[list[PerformanceTime], Meta(min_length=1, max_length=PERFORMANCES_MAX)]
    sales: Sales
    limit_per_buyer: Annotated[int, Meta(ge=1, le=LIMIT_MAX)]
    hold_minutes: Annotated[int, Meta(ge=1, le=60)] = 7
    plan: SeatingPlan | None = None
    areas: Annotated[list[Area], Meta(max_length=AREAS_MAX)] | None = None
    wheelchair: Annotated[list[Guid], Meta(max_length=SEATS_MAX)] = []
    obstructed: Annotated[list[Guid], Meta(max_length=SEATS_MAX)] = []
    blocked: Annotated[list[Guid], Meta(max_length=SEATS_MAX)] = []
    admit_per_minute: Annotated[int, Meta(ge=0, le=PER_MINUTE_MAX)] | None = None
    presale: Presale | None = None


class ContentOutcome(Struct):
    """`changed` is false when the same had been written already."""

    version: str
    changed: bool
    capacity: int


# What buyers get and send


class AreaWish(Struct, forbid_unknown_fields=True):
    area: AreaId
    quantity: Annotated[int, Meta(ge=1, le=LIMIT_MAX)]


class BestWish(Struct, forbid_unknown_fields=True):
    """QUANTITY seats together, as near to the stage as there are. `wheelchair` asks for wheelchair places, which are left out otherwise."""

    quantity: Annotated[int, Meta(ge=1, le=LIMIT_MAX)]
    grade: Name | None = None
    zone: Text | None = None
    wheelchair: bool = False


class HoldRequest(Struct, forbid_unknown_fields=True):
    """One of the three: named seats, places in areas, or the best there are."""

    seats: Annotated[list[Guid], Meta(max_length=LIMIT_MAX)] | None = None
    areas: Annotated[list[AreaWish], Meta(max_length=AREAS_MAX)] | None = None
    best: BestWish | None = None


class Place(Struct, omit_defaults=True):
    """A seat, or one place in an area. `id` names it within its hold or order."""

    id: str
    label: str
    grade: str
    price_krw: int
    seat: str | msgspec.UnsetType = msgspec.UNSET
    area: str | msgspec.UnsetType = msgspec.UNSET


class Hold(Struct):
    """`expires_in_s` counts from now by the server's clock: a page's own clock may be wrong. None once the places are sold."""

    id: str
    performance_id: str
    state: str
    pinned: bool
    can_extend: bool
    expires_at: datetime | None
    expires_in_s: float | None
    server_time: datetime
    places: list[Place]
    total_krw: int


class Holds(Struct):
    holds: list[Hold]


class SalesPeriod(Struct, omit_defaults=True):
    """`presale` is left out where there is none."""

    opens_at: datetime
    closes_at: datetime
    presale: Presale | None = None


class PerformanceInfo(Struct):
    id: str
    starts_at: datetime
    on_sale: bool
    sales: SalesPeriod
    free: int
    capacity: int
    is_called_off: bool


class PlanInfo(Struct):
    """The compact plan. A seat's index in it, counted through all zones and rows, is its index in the availability answer.

    A seat is [guid, number, x, y, index of its grade, flags]; flags: 1 wheelchair place, 2 obstructed view. Positions are absolute.
    """

    version: str
    name: str
    size: dict[str, float]
    numbered: bool
    limit_per_buyer: int
    hold_minutes: int
    grades: list[dict[str, Any]]
    zones: list[dict[str, Any]]
    shapes: list[dict[str, Any]]
    areas: list[dict[str, Any]]


class Availability(Struct, omit_defaults=True):
    """`state` has a character a seat: 0 free, 1 held, 2 sold, 3 blocked. `changes` has [index, state] of what changed since SINCE.
    `areas` has how many places of each area are `free` and how many `held`.

    Of a performance that is called off (`is_called_off`; left out when it is not) every place is blocked.
    """

    version: str
    plan: str
    full: bool
    areas: dict[str, dict[str, int]]
    is_called_off: bool = False
    state: str | msgspec.UnsetType = msgspec.UNSET
    changes: list[tuple[int, int]] | msgspec.UnsetType = msgspec.UNSET


class AvailabilityQuery(Struct):
    since: str = ""


class Room(Struct):
    """The waiting room at the time `at`. All up to number `admitted` are in, the rest of those `given` out wait.

    `is_on` is false where there is none. `needs_turn`: whether a hold needs a turn now. While it `is_paused` nobody comes in.
    While somebody waits it tells of performances, by id: `sold_out`, of which no place is free, though one may come back, and `closed`,
    which are called off or over.
    """

    is_on: bool
    needs_turn: bool
    is_paused: bool
    per_minute: int
    given: int
    admitted: int
    at: datetime
    sold_out: list[str]
    closed: list[str]


class TurnRequest(Struct, forbid_unknown_fields=True):
    """`turn`: one given out before. It is given back as long as it is good."""

    turn: Annotated[str, Meta(max_length=TURN_CHARACTERS)] = ""


class Turn(Struct):
    """A place in the queue: `turn` is for its owner alone. Both are null where there is no waiting room, and while nothing is on sale.

    `opens_in_s`: who asks gets no number yet, but after so long; null once the sale has opened to them. `needs_code`: there is a presale,
    the sale has not opened to all yet, and who asks is not logged in to an account with a code; left out otherwise.
    """

    turn: str | None
    number: int | None
    opens_in_s: float | None
    room: Room
    needs_code: bool | msgspec.UnsetType = msgspec.UNSET


class CodeRequest(Struct, forbid_unknown_fields=True):
    """`code` as it was typed: small letters, blanks and hyphens do not matter."""

    code: Annotated[str, Meta(min_length=1, max_length=TYPED_MAX)]


class PresaleState(Struct):
    """`opens_at` is the presale's, `sales_open_at` that of all. `has_code`: the caller may buy from `opens_at` on."""

    name: str
    opens_at: datetime
    sales_open_at: datetime
    is_open: bool
    has_code: bool


class CodesRequest(Struct, forbid_unknown_fields=True):
    """So many codes more. With `after`, only if so many were given out before: a request that is sent twice gives out no more."""

    count: Annotated[int, Meta(ge=1, le=BATCH_MAX)]
    after: Annotated[int, Meta(ge=0, le=CODES_MAX)] | None = None


class CodesInfo(Struct):
    """Of those `given` out so many are `used` by an account, and so many were `withdrawn`, used or not."""

    given: int
    used: int
    withdrawn: int


class CodesQuery(Struct):
    """`count` codes at most, from number `first` on."""

    first: Annotated[int, Meta(ge=1, le=CODES_MAX)] = 1
    count: Annotated[int, Meta(ge=1, le=BATCH_MAX)] = BATCH_MAX


class NumberedCode(Struct):
    number: int
    code: str


class CodeList(Struct):
    """Those that were withdrawn are left out. `given` is how many there are in all."""

    given: int
    codes: list[NumberedCode]


class Withdrawn(Struct):
    """`was_used`: an account had used it."""

    number: int
    was_used: bool


class PauseRequest(Struct, forbid_unknown_fields=True):
    is_paused: bool


class SeatsRequest(Struct, forbid_unknown_fields=True):
    seats: Annotated[list[Guid], Meta(max_length=SEATS_MAX)]


class PerformanceSummary(Struct):
    """Of one that is called off nothing is `free`; what is neither held nor sold counts as blocked."""

    id: str
    free: int
    held: int
    sold: int
    blocked: int
    is_called_off: bool


class Summary(Struct):
    performances: list[PerformanceSummary]
    room: Room


class ProbeOutcome(Struct):
    ok: bool


# Between services


class HoldQuery(Struct):
    buyer: str = ""


class PinRequest(Struct):
    order_id: Identity
    buyer_id: Identity


class OrderRequest(Struct):
    order_id: Identity


class ConfirmRequest(Struct):
    order_id: Identity
    buyer_id: Identity | None = None


class Act(StrEnum):
    PIN = "pin"
    CONFIRM = "confirm"


class HoldAsk(Struct):
    """A `pin` or `confirm` of HOLD_ID."""

    act: Act
    hold_id: Annotated[str, Meta(max_length=64)]
    order_id: Identity
    buyer_id: Identity


class HoldAsks(Struct):
    asks: Annotated[list[HoldAsk], Meta(min_length=1, max_length=ASKS_MAX)]


class HoldAnswer(Struct, omit_defaults=True):
    """What the call for this one alone would have answered: its status, and its problem's code or the hold."""

    status: int
    code: str = ""
    hold: Hold | None = None


class HoldAnswers(Struct):
    """In the order of the asks."""

    answers: list[HoldAnswer]


class ReleaseRequest(Struct):
    """Only the PLACES of the order, by id; without them, all."""

    places: Annotated[list[Guid], Meta(max_length=LIMIT_MAX)] | None = None


class Released(Struct):
    """Ids of the places that are free now because of this call; empty the second time."""

    released: list[str]
