"""Bodies of the event service's API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from booking_templates.event.models import DESCRIPTION_MAX, TEXT_MAX

Line = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX, pattern=r"\S")]
OptionalLine = Annotated[str, Meta(max_length=TEXT_MAX)]
Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Time = Annotated[datetime, Meta(tz=True)]
Field = Literal["musical", "theatre", "concert", "classical", "dance", "festival", "sports", "exhibition", "other"]
PERFORMANCES_MAX = 200
NOTICES_MAX = 100
NOTICE_MAX = 5_000


class Venue(Struct, forbid_unknown_fields=True):
    name: Line
    address: OptionalLine = ""


class Organiser(Struct, forbid_unknown_fields=True):
    """Who sells, and whom buyers turn to. `registration` is what a business has to show of itself."""

    name: Line
    phone: Annotated[str, Meta(max_length=30)] = ""
    email: OptionalLine = ""
    registration: Annotated[str, Meta(max_length=300)] = ""


class PerformanceTimes(Struct, forbid_unknown_fields=True):
    id: Identifier
    starts_at: Time
    ends_at: Time | None = None


class PerformanceInfo(Struct):
    """What buyers see of a performance."""

    id: str
    starts_at: datetime
    ends_at: datetime | None
    is_called_off: bool


class Sales(Struct, forbid_unknown_fields=True):
    opens_at: Time
    closes_at: Time


class EventContent(Struct, forbid_unknown_fields=True):
    """What the seller writes. `merchandise` and `payment` say what this system sells and how it is paid, for the pages."""

    title: Line
    field: Field
    venue: Venue
    performances: Annotated[list[PerformanceTimes], Meta(min_length=1, max_length=PERFORMANCES_MAX)]
    sales: Sales
    description: Annotated[str, Meta(max_length=DESCRIPTION_MAX)] = ""
    running_minutes: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    age_limit: Annotated[int, Meta(ge=0, le=99)] | None = None
    payment: Literal["kakaopay", "none"] = "none"
    payment_test: bool = False
    merchandise: bool = False
    organiser: Organiser | None = None


class NoticeBody(Struct, forbid_unknown_fields=True):
    title: Line
    body: Annotated[str, Meta(max_length=NOTICE_MAX)] = ""
    pinned: bool = False


class NoticeChange(Struct, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    title: Line | msgspec.UnsetType = msgspec.UNSET
    body: Annotated[str, Meta(max_length=NOTICE_MAX)] | msgspec.UnsetType = msgspec.UNSET
    pinned: bool | msgspec.UnsetType = msgspec.UNSET


class NoticeInfo(Struct):
    id: str
    title: str
    body: str
    pinned: bool
    created_at: datetime
    updated_at: datetime


class PosterInfo(Struct):
    """`url` is a path on the public address, and changes with the picture."""

    url: str
    width: int
    height: int


class EventInfo(Struct):
    """All that a page about the event shows."""

    title: str
    field: str
    description: str
    venue: Venue
    performances: list[PerformanceInfo]
    sales: Sales
    notices: list[NoticeInfo]
    payment: str
    payment_test: bool
    merchandise: bool
    updated_at: datetime
    running_minutes: int | None = None
    age_limit: int | None = None
    poster: PosterInfo | None = None
    organiser: Organiser | None = None
