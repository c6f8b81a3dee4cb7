"""What can be read of booking systems. Nothing here writes, and lists never load a requirement's or revision's JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from controlplane.accounts.models import User
from controlplane.systems.models import BookingSystem, Operation, OperationStep, Revision


def systems_of(user: User) -> QuerySet[BookingSystem]:
    """USER's own booking systems, newest first, without the deleted; all of them for an admin. Seller joined."""
    raise NotImplementedError


def system_for(user: User, system_id: int | str) -> BookingSystem:
    """The system, if USER may see it: the seller's own, any for an admin. Else raises SystemNotFound."""
    raise NotImplementedError


def operations_of(system: BookingSystem) -> QuerySet[Operation]:
    """All operations, newest first, with who started them."""
    raise NotImplementedError


def operation_for(system: BookingSystem, operation_id: int | str) -> Operation:
    """One operation of SYSTEM. Raises SystemNotFound."""
    raise NotImplementedError


def running_operation(system: BookingSystem) -> Operation | None:
    """The one that is running, if any."""
    raise NotImplementedError


def operation_steps(operation: Operation) -> list[OperationStep]:
    """Its steps so far, in order."""
    raise NotImplementedError


STEPS: dict[str, tuple[str, ...]] = {
    "deploy": ("plan", "render", "preview", "apply", "start", "content", "check", "live"),
    "update": ("plan", "render", "preview", "apply", "start", "content", "check", "live"),
    "rollback": ("plan", "render", "preview", "apply", "start", "check", "live"),
    "delete": ("archive", "remove", "forget"),
}
"""The names of all steps an operation of a kind goes through, for a page that shows what is still to come."""


def revisions_of(system: BookingSystem) -> QuerySet[Revision]:
    """All revisions, newest first, without their JSON (deferred)."""
    raise NotImplementedError


def requirement_of(system: BookingSystem) -> dict[str, Any]:
    """The requirement as it is wanted now; with it a form is filled in."""
    raise NotImplementedError


@dataclass(frozen=True)
class PublicEvent:
    """An event on the public list."""

    system_id: int
    slug: str
    title: str
    field: str
    venue: str
    first_at: datetime
    last_at: datetime
    sales_open_at: datetime
    sales_close_at: datetime
    price_from_krw: int
    url: str


def public_events() -> list[PublicEvent]:
    """Live systems, by their first performance."""
    raise NotImplementedError


@dataclass(frozen=True)
class AttendeePage:
    """`is_available` False: the ticket service did not answer, and `rows` is empty. Rows are as the ticket service gives them."""

    is_available: bool
    rows: tuple[dict[str, Any], ...] = ()
    total: int = 0
    page: int = 1
    pages: int = 1


def attendees(system: BookingSystem, *, user: User, query: str = "", page: int = 1, performance: str = "") -> AttendeePage:
    """Who booked, asked of the ticket service; at most 3 s."""
    raise NotImplementedError


@dataclass(frozen=True)
class SalesSummary:
    """What was sold, asked of ticket, seat and merch; a part that did not answer is None. At most 3 s."""

    ticket: dict[str, Any] | None = None
    seat: dict[str, Any] | None = None
    merch: dict[str, Any] | None = None
    unavailable: tuple[str, ...] = field(default=())


def sales_summary(system: BookingSystem, *, user: User) -> SalesSummary:
    """See SalesSummary."""
    raise NotImplementedError
