"""Concessions of a live event, changed without a deployment. What was sold keeps the price and the words it was sold with.

The ticket service works them out; they are a part of the requirement too, and stay in step with it (see live_edits).
"""

from __future__ import annotations

from typing import Any

from django.db.models import Subquery

from controlplane.accounts.models import User
from controlplane.rendering.concessions import Around, Concession, read_alone
from controlplane.rendering.requirement import Requirement as Wanted
from controlplane.systems import live_edits, planning
from controlplane.systems.errors import Refused, RequirementInvalid, ServiceRefused
from controlplane.systems.models import BookingSystem, Operation, Requirement
from controlplane.systems.selectors import running_value
from controlplane.systems.staff import Document, ask

SCOPE = "content"


def concessions_of(system: BookingSystem) -> list[Document]:
    """As buyers are offered them now, or will be once it is deployed; each as in a requirement."""
    if system.live_revision_id:
        # Neither the revision nor its requirement is fetched: a seating plan is a megabyte.
        live = Requirement.objects.filter(revisions=system.live_revision_id).values("number")[:1]
        edits = system.operations.filter(
            kind=Operation.Kind.EDIT, requirement__number__gt=Subquery(live), result__patch__has_key="concessions"
        )
        last = edits.order_by("-generation").values_list("result__patch__concessions", flat=True).first()
        if last is not None:
            return list(last)
    return list(running_value(system, "summary__concessions") or ())


def concessions_edit(*, system: BookingSystem, concessions: Any, acting_user: User, expected_generation: int | None = None) -> Operation:
    """Offer exactly CONCESSIONS from now on; one without an id keeps that of the one with its name.

    Raises RequirementInvalid (at `concessions…`), Refused (`service_older`: the image that runs knows none), and what live_edits.edit
    raises.
    """
    if not system.live_revision:
        raise Refused("not_live")
    live = live_edits.live_requirement(system)
    read = _read(concessions, live.concessions, live)
    # A change that came to nothing stays wanted: it must hold with them, too.
    wanted = planning.stored_requirement(system)
    if wanted:
        _read([each.to_json() for each in read], live.concessions, wanted)
    patch = {"concessions": [each.to_json() for each in read]}
    try:
        return live_edits.edit(
            system=system, service="ticket", patch=patch, acting_user=acting_user, expected_generation=expected_generation
        )
    except ServiceRefused as error:
        if set(error.errors) == {"concessions"} and not _knows_concessions(system, acting_user):
            raise Refused("service_older", service="ticket") from error
        raise


def _read(value: Any, before: tuple[Concession, ...], requirement: Wanted) -> tuple[Concession, ...]:
    around = Around(requirement.grades, requirement.performances, requirement.limit_per_buyer)
    read = read_alone(value, before, around)
    if isinstance(read, list):
        raise RequirementInvalid(read)
    return read


def _knows_concessions(system: BookingSystem, user: User) -> bool:
    """Whether the ticket service that runs there has what is asked of it here."""
    published = ask(system, user, SCOPE, lambda api: api.get("/api/ticket/openapi.json"))
    return "concessions" in str(published.get("components", ""))
