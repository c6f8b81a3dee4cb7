"""What of a requirement only the owner changes: it speaks in their name, uses a secret of theirs, or says whether money is taken.

A provider to sign in with is given the owner's client secret: whoever could name another provider could have it sent there.
"""

from __future__ import annotations

from controlplane.accounts.models import User
from controlplane.lib.reasons import Problem
from controlplane.rendering.requirement import Requirement
from controlplane.systems.access import is_owner
from controlplane.systems.models import BookingSystem
from controlplane.systems.planning import stored_requirement

PARTS = ("payment", "organiser", "sign_in")


def problems_with(wanted: Requirement, *, system: BookingSystem, user: User) -> list[Problem]:
    """A problem for each of these parts that is another in WANTED than SYSTEM is asked to have now, unless USER is its owner."""
    if is_owner(user, system):
        return []
    before = stored_requirement(system)
    return [Problem("owners_part", {}, part) for part in PARTS if before and getattr(before, part) != getattr(wanted, part)]
