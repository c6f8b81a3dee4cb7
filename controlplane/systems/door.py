"""Check-in: the links with which door staff scan tickets. A link is for one person or device, ends by itself, and can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems.errors import Refused, ServiceRefused
from controlplane.systems.models import BookingSystem
from controlplane.systems.staff import ask

SCOPE = "attendees"
SCANNERS = "/api/ticket/scanners"
NAME_AT_MOST = 100


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


def scanner_create(*, system: BookingSystem, name: str, until: datetime | None = None, acting_user: User) -> Scanner:
    """A link for NAME that is good UNTIL then; else until some hours after the last performance.

    Raises ServiceRefused (`invalid`), ServiceUnavailable, Refused (`service_older`: the image that runs knows no UNTIL yet).
    """
    document = {"name": name, **({"until": until.isoformat()} if until else {})}
    try:
        found = ask(system, acting_user, SCOPE, lambda api: api.post(SCANNERS, document))
    except ServiceRefused as error:
        if "until" in error.errors and not _knows_until(system, acting_user):
            raise Refused("service_older", service="ticket") from error
        raise
    audit.record("system.scanner", system, acting_user=acting_user, scanner=str(found.get("id", "")))
    return _scanner(found, f"{system.public_url}/api/ticket/scan#key={found['key']}")


def _knows_until(system: BookingSystem, user: User) -> bool:
    """Whether the ticket service that runs there lets one choose: a system keeps its images until it is deployed again."""
    published = ask(system, user, SCOPE, lambda api: api.get("/api/ticket/openapi.json"))
    wanted = published.get("components", {}).get("schemas", {}).get("NewScanner", {})
    return "until" in wanted.get("properties", {})


def scanner_revoke(*, system: BookingSystem, scanner_id: str, acting_user: User) -> None:
    """The link ends now; one that has ended already is fine."""
    ask(system, acting_user, SCOPE, lambda api: api.delete(f"{SCANNERS}/{scanner_id}"))
    audit.record("system.scanner_revoke", system, acting_user=acting_user, scanner=scanner_id)


def _scanner(item: dict[str, str], url: str = "") -> Scanner:
    return Scanner(str(item["id"]), str(item["name"]), datetime.fromisoformat(item["expires_at"]), url)
