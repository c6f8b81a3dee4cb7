"""The waiting room before the seats of a live event: how many wait, how many a minute come in, and stopping it at once.

How many come in is a part of the requirement, and stays in step with it (see live_edits). That nobody does at the moment is not: the seat
service keeps it, so it is said in one call, whatever else is being changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.lib.reasons import Problem
from controlplane.rendering.requirement import ADMIT_PER_MINUTE_AT_MOST
from controlplane.systems import live_edits
from controlplane.systems.errors import Refused, RequirementInvalid, ServiceRefused
from controlplane.systems.models import BookingSystem, Operation
from controlplane.systems.staff import ask

ROOM = "/api/seat/room"
FIELD = "admit_per_minute"


@dataclass(frozen=True)
class WaitingRoom:
    """`written` is what the requirement says; None: nothing, so as many as is usual come in."""

    is_on: bool
    is_paused: bool
    per_minute: int
    waiting: int
    admitted: int
    written: int | None


def waiting_room(*, system: BookingSystem, user: User) -> WaitingRoom:
    """Raises ServiceUnavailable, Refused (`service_older`: the image that runs has no waiting room yet)."""
    try:
        found = ask(system, user, "summary", lambda api: api.get(ROOM))
    except ServiceRefused as error:
        raise _older(error) from error
    given, admitted = int(found.get("given", 0)), int(found.get("admitted", 0))
    return WaitingRoom(
        is_on=bool(found.get("is_on")),
        is_paused=bool(found.get("is_paused")),
        per_minute=int(found.get("per_minute", 0)),
        waiting=max(0, given - admitted),
        admitted=admitted,
        written=live_edits.live_requirement(system).admit_per_minute if system.live_revision_id else None,
    )


def admission_edit(*, system: BookingSystem, per_minute: Any, acting_user: User) -> Operation:
    """Let PER_MINUTE in from now on; 0 for no waiting room, None for as many as is usual. Who waits keeps their place.

    Raises RequirementInvalid (at `admit_per_minute`), Refused (`service_older`), and what live_edits.edit raises.
    """
    check_rate(per_minute)
    try:
        return live_edits.edit(system=system, service="seat", patch={FIELD: per_minute}, acting_user=acting_user)
    except ServiceRefused as error:
        raise _older(error) if FIELD in error.errors else error from error


def check_rate(per_minute: Any) -> None:
    """Raises RequirementInvalid (at `admit_per_minute`) unless so many can be let in."""
    if per_minute is not None and (isinstance(per_minute, bool) or not isinstance(per_minute, int)):
        raise RequirementInvalid([Problem("wrong_type", {"wanted": "a whole number"}, FIELD)])
    if per_minute is not None and not 0 <= per_minute <= ADMIT_PER_MINUTE_AT_MOST:
        raise RequirementInvalid([Problem("out_of_range", {"low": 0, "high": ADMIT_PER_MINUTE_AT_MOST}, FIELD)])


def admission_pause(*, system: BookingSystem, is_paused: bool, acting_user: User) -> None:
    """Let nobody in any more, or go on. Who is in goes on buying. Raises ServiceUnavailable, Refused (`service_older`)."""
    try:
        ask(system, acting_user, "content", lambda api: api.put(ROOM, {"is_paused": is_paused}))
    except ServiceRefused as error:
        raise _older(error) from error
    audit.record("system.admission_pause" if is_paused else "system.admission_resume", system, acting_user=acting_user)


def _older(error: ServiceRefused) -> Refused | ServiceRefused:
    is_unknown = error.code in ("not_found", "method_not_allowed") or FIELD in error.errors
    return Refused("service_older", service="seat") if is_unknown else error
