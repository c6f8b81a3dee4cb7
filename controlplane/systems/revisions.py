"""Writing a revision down."""

from __future__ import annotations

from django.db.models import Max

from controlplane.accounts.models import User
from controlplane.rendering.plan import Plan
from controlplane.runtime.port import Objects
from controlplane.systems.models import BookingSystem, Requirement, Revision


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
