"""By which requirement a change runs that is about something else: scaling, moving, restarting, suspending, resuming, going back.

What is wanted may have come to nothing: it was refused, it failed, or it was given up. It stays for the form, to be tried again or
changed, but what is asked for besides must not bring it along unasked, and must not fail for what was wrong with it.
"""

from __future__ import annotations

from controlplane.accounts.models import User
from controlplane.rendering.requirement import Requirement, digest
from controlplane.systems.errors import Refused, RequirementInvalid
from controlplane.systems.live_edits import live_requirement
from controlplane.systems.models import BookingSystem, Operation
from controlplane.systems.models import Requirement as StoredRequirement
from controlplane.systems.planning import read_stored
from controlplane.systems.storing import requirement_store

KEEPS = "keeps"
"""In the `result` of an operation that runs by another requirement than the one that is wanted."""


def standing(system: BookingSystem) -> Requirement:
    """What SYSTEM, which was live once, stays when only something else is asked of it.

    That is what a change under way wants, for the new one takes its place; else what is live, with what was edited live since.
    """
    row = _row(system)
    return read_stored(row) if row else live_requirement(system)


def standing_row(system: BookingSystem, acting_user: User | None) -> StoredRequirement:
    """The same as a row, written where there is none. Under the system's lock. Raises Refused when what is live no longer holds."""
    if row := _row(system):
        return row
    try:
        now = live_requirement(system)
    except RequirementInvalid as error:
        raise Refused("broken_plan", detail=str(error)) from error
    for known in (system.requirement, system.live_revision and system.live_revision.requirement):
        if known and digest(known.data) == digest(now.to_json()):
            return known
    return requirement_store(system, now, created_by=acting_user)


def _row(system: BookingSystem) -> StoredRequirement | None:
    """The row that says so at once: that of the change under way, or the one that is wanted while it is live as it stands."""
    running = system.operations.filter(state=Operation.State.RUNNING).exclude(requirement=None).first()
    if running:
        return running.requirement
    assert system.live_revision is not None  # noqa: S101  (nothing is asked of what was never live)
    return system.requirement if system.requirement_id == system.live_revision.requirement_id else None
