"""What can be read of booking systems. Nothing here writes, and lists never load a requirement's or revision's JSON."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from controlplane.accounts.models import User
from controlplane.systems.access import id_in
from controlplane.systems.booking_api import Answer, BookingApi, Silent
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.looks import looked
from controlplane.systems.models import BookingSystem, Operation, OperationStep, Requirement, Revision, State

STEPS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("deploy", "update", "rollback", "scale", "move", "restart", "resume", "reopen"),
        ("plan", "render", "preview", "apply", "start", "content", "check", "live"),
    ),
    "rotate": ("plan", "render", "trust", "preview", "apply", "start", "content", "check", "live"),
    **dict.fromkeys(("suspend", "restore"), ("plan", "render", "preview", "apply", "start", "suspended")),
    "delete": ("archive", "remove", "forget"),
}
"""The names of all steps an operation of a kind goes through, for a page that shows what is still to come."""

ANSWER_WITHIN_S = 3.0
LAST_PAGE = 100_000
"""The highest that services take."""
LISTED_POSTER_BYTES_MAX = 500 * 1024
"""A list shows many posters, often on a phone's line."""


def operations_of(system: BookingSystem) -> QuerySet[Operation]:
    """All operations, newest first, with who started them."""
    return system.operations.select_related("created_by", "revision").defer("revision__plan", "revision__manifests")


def operation_for(system: BookingSystem, operation_id: int | str) -> Operation:
    """One operation of SYSTEM. Raises SystemNotFound."""
    found = operations_of(system).filter(pk=id_in(operation_id)).first()
    if found is None:
        raise SystemNotFound
    return found


def running_operation(system: BookingSystem) -> Operation | None:
    """The one that is running, if any."""
    return operations_of(system).filter(state=Operation.State.RUNNING).first()


def operation_steps(operation: Operation) -> list[OperationStep]:
    """Its steps so far, in order."""
    return list(operation.steps.all())


def revisions_of(system: BookingSystem) -> QuerySet[Revision]:
    """All revisions, newest first, without their JSON (deferred)."""
    return system.revisions.select_related("created_by", "requirement").defer("plan", "manifests", "requirement__data")


def services_by_node() -> dict[str, list[tuple[BookingSystem, list[str]]]]:
    """Node -> the booking systems that had services there when they were last looked at, with those services' names."""
    found: dict[str, list[tuple[BookingSystem, list[str]]]] = {}
    standing = BookingSystem.objects.filter(state__in=(State.LIVE, State.DEPLOYING, State.SUSPENDED))
    for system in standing.only("title", "state", "health_workloads"):
        there: dict[str, list[str]] = {}
        for workload in system.health_workloads:
            for node in workload.get("nodes", ()):
                there.setdefault(node, []).append(workload["name"])
        for node, services in there.items():
            found.setdefault(node, []).append((system, services))
    return found


def requirement_of(system: BookingSystem) -> dict[str, Any]:
    """The requirement as it is wanted now; with it a form is filled in."""
    return system.requirement.data if system.requirement else {}


def summary_of(system: BookingSystem) -> dict[str, Any]:
    """The summary of what SYSTEM is: as it is live, whatever else is wanted of it by now; as it is wanted before it ever was."""
    return running_value(system, "summary") or {}


def performances_of(system: BookingSystem) -> list[dict[str, Any]]:
    """The performances in the same sense, read without the seating plan beside them."""
    found = running_value(system, "data__performances")
    return found if isinstance(found, list) else []


def grades_of(system: BookingSystem) -> list[dict[str, Any]]:
    """The grades of what SYSTEM is, with their prices."""
    return running_value(system, "data__grades") or []


def organiser_of(system: BookingSystem) -> str:
    """Who sells: the organiser that buyers are told of, with what shows the business; else the seller's own name."""
    told = running_value(system, "data__organiser")
    if isinstance(told, dict) and told.get("name"):
        return " · ".join(str(told[part]) for part in ("name", "registration") if told.get(part))
    return system.seller.name or system.seller.email


def running_value(system: BookingSystem, column: str) -> Any:
    """COLUMN of the requirement that SYSTEM is live by; of that which is wanted before it ever was."""
    is_live = {"revisions": system.live_revision_id} if system.live_revision_id else {"pk": system.requirement_id or 0}
    return Requirement.objects.filter(**is_live).values_list(column, flat=True).first()


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
    price_to_krw: int
    url: str
    poster: dict[str, Any] | None
    """`url` on the event's own site, `width`, `height`; None without one, and for one that is too heavy for a list."""


def public_events() -> list[PublicEvent]:
    """Live systems, by their first performance."""
    live = BookingSystem.objects.filter(state=State.LIVE, slug__isnull=False).select_related("live_revision__requirement")
    found = []
    for system in live.only("slug", "title", "state", "poster", "live_revision__requirement__summary"):
        shown = system.live_revision.requirement.summary if system.live_revision else {}
        found.append(
            PublicEvent(
                system_id=system.pk,
                slug=system.slug or "",
                title=shown["title"],
                field=shown["field"],
                venue=shown["venue"],
                first_at=datetime.fromisoformat(shown["first_at"]),
                last_at=datetime.fromisoformat(shown["last_at"]),
                sales_open_at=datetime.fromisoformat(shown["sales_open_at"]),
                sales_close_at=datetime.fromisoformat(shown["sales_close_at"]),
                price_from_krw=shown["price_from_krw"],
                price_to_krw=shown["price_to_krw"],
                url=system.public_url,
                poster=_listed_poster(system),
            )
        )
    return sorted(found, key=lambda event: (event.first_at, event.system_id))


def is_poster_listed(system: BookingSystem) -> bool:
    """Whether the public list shows SYSTEM's poster: there is one, and it is not too heavy."""
    return system.poster is not None and system.poster["bytes"] <= LISTED_POSTER_BYTES_MAX


def _listed_poster(system: BookingSystem) -> dict[str, Any] | None:
    known = system.poster
    if known is None or not is_poster_listed(system):
        return None
    return {"url": system.public_url + known["path"], "width": known["width"], "height": known["height"]}


@dataclass(frozen=True)
class AttendeePage:
    """`is_available` False: the ticket service did not answer, and `rows` is empty. Rows are as the ticket service gives them."""

    is_available: bool
    rows: tuple[dict[str, Any], ...] = ()
    total: int = 0
    page: int = 1
    pages: int = 1


def attendees(system: BookingSystem, *, user: User, query: str = "", page: int = 1, performance: str = "") -> AttendeePage:
    """Who booked, asked of the ticket service; at most 3 s. That USER looked is written down. There is no page before the first."""
    asked = min(max(page, 1), LAST_PAGE)
    if not system.connect_url:
        return AttendeePage(is_available=False)
    answer = _ask(
        _api(system, user, "attendees"),
        lambda api: api.search("/api/ticket/attendees", timeout_s=ANSWER_WITHIN_S, q=query, page=asked, performance=performance),
    )
    if answer is None:
        return AttendeePage(is_available=False)
    looked(system, user, "attendees")
    rows = tuple(row for row in answer.get("attendees") or () if isinstance(row, dict))
    return AttendeePage(True, rows, int(answer.get("total") or 0), int(answer.get("page") or page), int(answer.get("pages") or 1))


@dataclass(frozen=True)
class SalesSummary:
    """What was sold, asked of ticket, seat and merch; a part that did not answer is None and named in `unavailable`."""

    ticket: dict[str, Any] | None = None
    seat: dict[str, Any] | None = None
    merch: dict[str, Any] | None = None
    unavailable: tuple[str, ...] = field(default=())


def sales_summary(system: BookingSystem, *, user: User) -> SalesSummary:
    """See SalesSummary; at most 3 s, as the services are asked at once. A system without merchandise has no part of it."""
    has_merchandise = summary_of(system).get("merchandise")
    services = ("ticket", "seat", *(("merch",) if has_merchandise else ()))

    if not system.connect_url:
        return SalesSummary(unavailable=services)
    # Made here: what a thread of the pool asked of the database would keep a connection of its own.
    apis = {service: _api(system, user, "summary") for service in services}

    def ask(service: str) -> dict[str, Any] | None:
        return _ask(apis[service], lambda api: api.get(f"/api/{service}/summary", timeout_s=ANSWER_WITHIN_S))

    with ThreadPoolExecutor(max_workers=len(services)) as threads:
        answers = dict(zip(services, threads.map(ask, services), strict=True))
    return SalesSummary(
        ticket=answers.get("ticket"),
        seat=answers.get("seat"),
        merch=answers.get("merch"),
        unavailable=tuple(service for service, answer in answers.items() if answer is None),
    )


def _api(system: BookingSystem, user: User, scope: str) -> BookingApi:
    return BookingApi.of(system, subject=f"user:{user.pk}", scopes=[scope])


def _ask(api: BookingApi, call: Callable[[BookingApi], Answer]) -> dict[str, Any] | None:
    """The JSON object that a service answered, or None when there was none."""
    try:
        with api:
            answer = call(api)
    except Silent:
        return None
    return answer.document if answer.is_success and isinstance(answer.document, dict) else None
