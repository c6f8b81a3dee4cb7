"""What a seller or admin can do to a booking system: each writes desired state, an audit row and enqueues a converge, in one transaction.

Pages, the REST API and commands call these and hold no rules of their own.
"""

from __future__ import annotations

from typing import Any

from controlplane.accounts.models import User
from controlplane.systems.models import BookingSystem, Operation, Revision
from controlplane.systems.preview import Preview


def requirement_preview(*, requirement: dict[str, Any], seller: User, system: BookingSystem | None = None) -> Preview:
    """What deploying REQUIREMENT would give, or, with SYSTEM, updating it. Nothing is written.

    Never raises for bad input: `Preview.problems` has it all.
    """
    raise NotImplementedError


def system_create(*, requirement: dict[str, Any], acting_user: User, deploy: bool = False) -> BookingSystem:
    """Store a new booking system of ACTING_USER as a draft; with DEPLOY, its deployment is started in the same transaction.

    Raises RequirementInvalid.
    """
    raise NotImplementedError


def system_deploy(*, system: BookingSystem, acting_user: User) -> Operation:
    """Start deploying a draft. Raises Refused (`not_a_draft`)."""
    raise NotImplementedError


def system_update(
    *, system: BookingSystem, requirement: dict[str, Any], acting_user: User, expected_generation: int | None = None
) -> Operation | None:
    """Ask for REQUIREMENT from now on; a draft is only rewritten, and there is no operation then.

    EXPECTED_GENERATION is the `generation` the form was filled in for. Performances without an id keep the one that began at the same time.
    Raises RequirementInvalid, GenerationConflict, Refused (`being_deleted`).
    """
    raise NotImplementedError


def system_delete(*, system: BookingSystem, typed_name: str, acting_user: User, force: bool = False) -> Operation | None:
    """Take the booking system down for good; a draft is gone at once, without an operation. TYPED_NAME must be its title or slug.

    Asks the ticket service first. Raises DeletionRefused: `name_differs`, `paid_tickets_stand` (params: tickets, payments),
    `tickets_unknown` when the service does not answer; an admin may pass FORCE past that last one.
    """
    raise NotImplementedError


def system_rollback(*, system: BookingSystem, revision: Revision, acting_user: User) -> Operation:
    """Run the plan of an earlier REVISION again, as a new revision; content that was edited live stays. Raises Refused."""
    raise NotImplementedError


def system_retry(*, system: BookingSystem, acting_user: User) -> Operation:
    """Try again what failed last. Raises Refused (`nothing_failed`)."""
    raise NotImplementedError


def staff_token(*, system: BookingSystem, user: User, scopes: list[str]) -> str:
    """A token for the staff API of SYSTEM's services, good for ten minutes. The caller has checked that USER may see SYSTEM."""
    raise NotImplementedError
