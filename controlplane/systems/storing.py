"""Writing a requirement or a revision down: each has the next number of its system, and stays as it is."""

from __future__ import annotations

from django.db.models import Max

from controlplane.accounts.models import User
from controlplane.rendering.plan import Plan
from controlplane.rendering.requirement import Requirement as Wanted
from controlplane.runtime.port import Objects
from controlplane.systems import pictures, sealed
from controlplane.systems.models import BookingSystem, Requirement, Revision


def requirement_store(system: BookingSystem, wanted: Wanted, *, created_by: User | None) -> Requirement:
    """The next requirement of SYSTEM, which keeps the pictures and secrets that it names. Call it under the system's lock."""
    last = system.requirements.aggregate(last=Max("number"))["last"] or 0
    stored = Requirement(system=system, number=last + 1, data=wanted.to_json(), summary=wanted.summary(), created_by=created_by)
    stored.save()
    pictures.note_use(stored, wanted)
    sealed.note_use(stored, wanted)
    return stored


def revision_store(
    system: BookingSystem, *, requirement: Requirement, plan: Plan, objects: Objects, created_by: User | None = None
) -> Revision:
    """The next revision of SYSTEM. Call it under the system's lease, within its transaction."""
    last = system.revisions.aggregate(last=Max("number"))["last"] or 0
    revision = Revision(
        system=system, number=last + 1, requirement=requirement, plan=plan.to_json(), manifests=list(objects), created_by=created_by
    )
    revision.save()
    return revision
