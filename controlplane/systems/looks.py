"""Who looked at buyers' names and phones, and when: a row of the audit trail a look, which names no buyer and no search."""

from __future__ import annotations

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems.models import BookingSystem

ACTION = "personal.look"


def looked(system: BookingSystem, user: User, what: str) -> None:
    """Write down that USER was shown WHAT (`attendees`, `booking`, `pickups`, `pickup` …) of SYSTEM, once it is known to be so."""
    audit.record(ACTION, system, acting_user=user, what=what)
