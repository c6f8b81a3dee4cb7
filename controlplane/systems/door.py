"""Check-in: the links with which door staff scan tickets. A link is for one person or device, ends by itself, and can be taken back."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from controlplane.accounts.models import User
from controlplane.lib import audit, queue
from controlplane.lib.models import AuditRow
from controlplane.systems.access import access_now
from controlplane.systems.errors import Refused, ServiceRefused, ServiceUnavailable, SystemNotFound
from controlplane.systems.models import BookingSystem, DoorLinkToEnd
from controlplane.systems.staff import ask
from controlplane.systems.wishes import lock

log = logging.getLogger(__name__)

END_LINKS = "jobs.end_door_links"
SCOPE = "attendees"
SCANNERS = "/api/ticket/scanners"
CONFLICTS = "/api/ticket/door/conflicts"
NAME_AT_MOST = 100
MADE, REVOKED = "system.scanner", "system.scanner_revoke"
"""What the audit trail calls it."""


@dataclass(frozen=True)
class Scanner:
    """`url` is there only when it was just made: its key is kept nowhere, and stands behind the `#`, which browsers send to nobody."""

    id: str
    name: str
    expires_at: datetime
    url: str = ""


def scanners(*, system: BookingSystem, user: User) -> list[Scanner]:
    """The links that open the door now. Raises ServiceUnavailable, Refused."""
    found = ask(system, user, SCOPE, lambda api: api.get(SCANNERS))
    return [_scanner(item) for item in found.get("scanners", [])]


@dataclass(frozen=True)
class Conflict:
    """Somebody who was let in without the network: `kind` is `used` (before, at `first_at`) or `cancelled`."""

    kind: str
    at: datetime
    scanner: str
    first_at: datetime | None
    first_with: str
    label: str
    grade: str
    performance_id: str
    order_id: str
    order_number: str
    decided: bool
    """By who stood at the door: the ticket was sold after the scanner's list."""


@dataclass(frozen=True)
class Conflicts:
    """The last ones first; `total` counts those before them too."""

    last: tuple[Conflict, ...] = ()
    total: int = 0


def conflicts(*, system: BookingSystem, user: User) -> Conflicts:
    """Who was let in with a ticket that was used before, or cancelled. Raises ServiceUnavailable, Refused."""
    try:
        found = ask(system, user, SCOPE, lambda api: api.get(CONFLICTS))
    except ServiceRefused as error:
        if error.status == 404:  # an older image keeps none
            return Conflicts()
        raise
    return Conflicts(tuple(_conflict(item) for item in found.get("conflicts", [])), int(found.get("total") or 0))


def scanner_create(*, system: BookingSystem, name: str, until: datetime | None = None, acting_user: User) -> Scanner:
    """A link for NAME that is good UNTIL then; else until some hours after the last performance.

    Raises ServiceRefused (`invalid`), ServiceUnavailable, Refused (`service_older`: the image that runs knows no UNTIL yet), SystemNotFound
    when ACTING_USER may not any more.
    """
    document = {"name": name, **({"until": until.isoformat()} if until else {})}
    try:
        found = ask(system, acting_user, SCOPE, lambda api: api.post(SCANNERS, document))
    except ServiceRefused as error:
        if "until" in error.errors and not _knows_until(system, acting_user):
            raise Refused("service_older", service="ticket") from error
        raise
    with transaction.atomic():
        # Under the lock that the end of somebody's part takes: it finds this link, or it is found here to have come first.
        lock(system)
        access = access_now(acting_user, system)
        audit.record(MADE, system, acting_user=acting_user, scanner=str(found["id"]))
        if is_over := access is None or not access.may_manage:
            end_soon(system, [str(found["id"])], acting_user=acting_user)
    if is_over:
        raise SystemNotFound
    return _scanner(found, f"{system.public_url}/api/ticket/scan#key={found['key']}")


def _knows_until(system: BookingSystem, user: User) -> bool:
    """Whether the ticket service that runs there lets one choose: a system keeps its images until it is deployed again."""
    published = ask(system, user, SCOPE, lambda api: api.get("/api/ticket/openapi.json"))
    wanted = published.get("components", {}).get("schemas", {}).get("NewScanner", {})
    return "until" in wanted.get("properties", {})


def scanner_revoke(*, system: BookingSystem, scanner_id: str, acting_user: User) -> None:
    """The link ends now; one that has ended already is fine."""
    ask(system, acting_user, SCOPE, lambda api: api.delete(f"{SCANNERS}/{scanner_id}"))
    audit.record(REVOKED, system, acting_user=acting_user, scanner=scanner_id)


def made_by(system: BookingSystem, user: User) -> list[str]:
    """The ids of links that USER has made and nobody has taken back."""
    told = AuditRow.objects.filter(subject=system._meta.label_lower, subject_id=str(system.pk))
    made = told.filter(action=MADE, actor=user).values_list("details", flat=True)
    back = {details.get("scanner") for details in told.filter(action=REVOKED).values_list("details", flat=True)}
    return list(dict.fromkeys(details["scanner"] for details in made if details.get("scanner") and details["scanner"] not in back))


def makers(system: BookingSystem, users: Sequence[int]) -> set[int]:
    """Who of USERS has made links, by their keys: those end with their part."""
    told = AuditRow.objects.filter(subject=system._meta.label_lower, subject_id=str(system.pk), action=MADE, actor__in=users)
    return set(told.values_list("actor", flat=True))


def end_soon(system: BookingSystem, scanners: Sequence[str], *, acting_user: User) -> None:
    """End links once the transaction around has committed, and as soon as the ticket service answers."""
    DoorLinkToEnd.objects.bulk_create(
        [DoorLinkToEnd(system=system, scanner=scanner, ended_by=acting_user) for scanner in scanners], ignore_conflicts=True
    )
    if scanners:
        queue.send_on_commit(END_LINKS, system_id=system.pk)


def end_links(system_id: int | None = None) -> None:
    """End what `end_soon` wrote down, of one system or of all. Twice is fine; a system that does not answer is left for later."""
    away: set[int] = set()
    waiting = DoorLinkToEnd.objects.select_related("system__seller", "ended_by")
    for link in waiting.filter(system=system_id) if system_id else waiting:
        if link.system_id in away:
            continue
        try:
            scanner_revoke(system=link.system, scanner_id=link.scanner, acting_user=link.ended_by or link.system.seller)
        except (ServiceUnavailable, Refused):
            away.add(link.system_id)
            continue
        except ServiceRefused as error:
            if error.status != 404:
                log.warning("a link for the door of %s is not ended: HTTP %s %s", link.system.namespace, error.status, error.code)
                continue
        link.delete()


def _conflict(item: dict[str, Any]) -> Conflict:
    first_at = item.get("first_at")
    words = {name: str(item.get(name) or "") for name in ("first_with", "label", "grade", "performance_id", "order_id", "order_number")}
    return Conflict(
        kind=str(item["kind"]),
        at=datetime.fromisoformat(item["at"]),
        scanner=str(item["scanner"]),
        first_at=datetime.fromisoformat(first_at) if first_at else None,
        decided=bool(item.get("decided")),  # an older image says nothing of it
        **words,
    )


def _scanner(item: dict[str, str], url: str = "") -> Scanner:
    return Scanner(str(item["id"]), str(item["name"]), datetime.fromisoformat(item["expires_at"]), url)
