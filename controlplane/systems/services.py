"""What a seller or admin can do to a booking system: each writes desired state, an audit row and enqueues a converge, in one transaction.

Pages, the REST API and commands call these and hold no rules of their own.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils import timezone

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.lib.reasons import Problem
from controlplane.rendering import requirement as documents
from controlplane.rendering.concessions import narrowed
from controlplane.rendering.plan import from_json
from controlplane.systems import caps, forgetting, owner_only, slugs, staff_keys, tickets
from controlplane.systems.access import is_owner
from controlplane.systems.errors import DeletionRefused, Refused, RequirementInvalid
from controlplane.systems.models import BookingSystem, Desired, Operation, Revision, State
from controlplane.systems.planning import read_requirement, read_stored, stored_requirement
from controlplane.systems.preview import requirement_preview
from controlplane.systems.standing import KEEPS, standing, standing_row
from controlplane.systems.storing import requirement_store
from controlplane.systems.taking_back import ASKED
from controlplane.systems.wishes import Document, Kind, check_generation, lock, lock_to_wish, refuse_deleted, wish

__all__ = [
    "requirement_preview",
    "staff_token",
    "system_create",
    "system_delete",
    "system_deploy",
    "system_retry",
    "system_rollback",
    "system_update",
]


def system_create(*, requirement: Document, acting_user: User, deploy: bool = False) -> BookingSystem:
    """Store a new booking system of ACTING_USER as a draft; with DEPLOY, its deployment is started in the same transaction.

    Raises RequirementInvalid, and Refused (`account_closed`).
    """
    wanted = read_requirement(requirement, owner=acting_user, now=timezone.now())
    with transaction.atomic():
        caps.lock(acting_user.pk)
        # Under the lock that closing an account takes: it would go on with nobody to look after it.
        if not User.objects.select_for_update().get(pk=acting_user.pk).is_active:
            raise Refused("account_closed")
        system = _insert(wanted, acting_user)
        _store_requirement(system, replace(wanted, slug=system.slug), acting_user)
        audit.record("system.create", system, acting_user=acting_user, slug=system.slug, title=system.title)
        if deploy:
            system_deploy(system=system, acting_user=acting_user)
    return system


def system_deploy(*, system: BookingSystem, acting_user: User) -> Operation:
    """Start deploying a draft. Raises Refused (`not_a_draft`)."""
    with transaction.atomic():
        lock_to_wish(system)
        if system.desired_state != Desired.DRAFT:
            raise Refused("not_a_draft")
        return wish(system, Kind.DEPLOY, acting_user)


def system_update(
    *, system: BookingSystem, requirement: Document, acting_user: User, expected_generation: int | None = None
) -> Operation | None:
    """Ask for REQUIREMENT from now on; a draft is only rewritten, and there is no operation then.

    EXPECTED_GENERATION is the `generation` the form was filled in for. Performances without an id keep the one that began at the same
    time. Raises RequirementInvalid, also for what only the owner changes, GenerationConflict, Refused (`being_deleted`).
    """
    wanted = read_requirement(requirement, owner=system.seller, now=timezone.now(), system=system)
    with transaction.atomic():
        lock_to_wish(system)
        refuse_deleted(system)
        check_generation(system, expected_generation)
        if wrong := owner_only.problems_with(wanted, system=system, user=acting_user):
            raise RequirementInvalid(wrong)
        _store_requirement(system, wanted, acting_user)
        audit.record("system.update", system, acting_user=acting_user, title=wanted.title)
        if system.desired_state == Desired.DRAFT:
            return None
        return wish(system, Kind.UPDATE, acting_user)


def system_delete(*, system: BookingSystem, typed_name: str, acting_user: User, force: bool = False) -> Operation | None:
    """Take the booking system down for good; a draft is gone at once, without an operation. TYPED_NAME must be its title or slug.

    Asks the ticket service first. Raises DeletionRefused: `name_differs`, `paid_tickets_stand` (params: tickets, payments), `tickets_stand`
    (params: tickets), `tickets_unknown` when the service does not answer, `shape_while_suspended` while it rests; an admin may pass FORCE
    past these two.
    """
    if not is_name_of(system.title, typed_name) and _as_read(typed_name) != system.slug:
        raise DeletionRefused("name_differs", title=system.title)
    is_forced = force and acting_user.is_admin
    if system.live_revision_id:
        tickets.refuse_while_sold(system, is_forced=is_forced)
    with transaction.atomic():
        lock(system)
        refuse_deleted(system)
        audit.record("system.delete", system, acting_user=acting_user, title=system.title, slug=system.slug, forced=is_forced)
        if system.desired_state == Desired.DRAFT:
            system.desired_state, system.state, system.slug, system.deleted_at = Desired.DELETED, State.DELETED, None, timezone.now()
            system.save(update_fields=["desired_state", "state", "slug", "deleted_at"])
            forgetting.forget_typed_for(system)
            return None
        return wish(system, Kind.DELETE, acting_user, result={"forced": is_forced})


def system_rollback(*, system: BookingSystem, revision: Revision, acting_user: User, expected_generation: int | None = None) -> Operation:
    """Run the plan of an earlier REVISION again, as a new revision; content that went live or was edited live since stays.

    Raises Refused and GenerationConflict.
    """
    with transaction.atomic():
        lock_to_wish(system)
        refuse_deleted(system)
        check_generation(system, expected_generation)
        if revision.system_id != system.pk:
            raise Refused("other_revision", number=revision.number)
        wanted = standing(system) if system.live_revision else stored_requirement(system)
        if wanted is None or system.desired_state == Desired.DRAFT:
            raise Refused("not_deployed")
        shaped = _in_the_shape_of(read_stored(revision.requirement), wanted)
        if owner_only.problems_with(shaped, system=system, user=acting_user):
            raise Refused("owners_revision")
        _store_requirement(system, shaped, acting_user)
        # What was adjusted since would come back with the next change otherwise.
        system.adjustments = from_json(revision.plan).adjustments.to_json()
        audit.record("system.rollback", system, acting_user=acting_user, revision=revision.number)
        return wish(system, Kind.ROLLBACK, acting_user, rollback_to=revision)


def system_retry(*, system: BookingSystem, acting_user: User) -> Operation:
    """Try again what failed last, as it was asked for then. Raises Refused (`nothing_failed`)."""
    with transaction.atomic():
        lock_to_wish(system)
        last = system.operations.exclude(kind=Kind.EDIT).first()
        if last is None or last.state != Operation.State.FAILED or system.state == State.DELETED:
            raise Refused("nothing_failed")
        if last.kind in (Kind.RESTORE, Kind.REOPEN):
            # Said anew by an admin, who sees what is there by now.
            raise Refused("data_gone_first" if system.state == State.DATA_GONE else "said_anew")
        if last.kind == Kind.DELETE and not is_owner(acting_user, system):
            raise Refused("needs_owner")
        audit.record("system.retry", system, acting_user=acting_user, operation=last.pk)
        system.adjustments = last.result.get(ASKED, system.adjustments)
        kept = standing_row(system, acting_user) if last.result.get(KEEPS) else None
        result = {"forced": bool(last.result.get("forced"))} if last.kind == Kind.DELETE else {KEEPS: True} if kept else {}
        # A revision that was made already is made again: the pool or the platform's settings may be what was mended.
        return wish(system, Kind(last.kind), acting_user, rollback_to=last.rollback_to, result=result, requirement=kept)


def staff_token(*, system: BookingSystem, user: User, scopes: list[str]) -> str:
    """A token for the staff API of SYSTEM's services, good for ten minutes. The caller has checked that USER may see SYSTEM."""
    return staff_keys.staff_token(system, subject=f"user:{user.pk}", scopes=scopes, name=user.get_full_name())


def is_name_of(title: str, typed: str) -> bool:
    """Whether what was TYPED reads as TITLE does."""
    return _as_read(typed) == _as_read(title)


def _as_read(name: str) -> str:
    """NAME as the eye reads it: pages show runs of blanks as one, and macOS types Hangul decomposed."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _in_the_shape_of(old: documents.Requirement, wanted: documents.Requirement) -> documents.Requirement:
    """WANTED, with what OLD's plan was chosen by: the two must agree, or the next update would undo the rollback."""
    products = wanted.products if old.merchandise else ()
    shaped = replace(wanted, payment=old.payment, merchandise=old.merchandise, products=products, sign_in=old.sign_in)
    if old.is_numbered != wanted.is_numbered:
        concessions = narrowed(wanted.concessions, old.grades)
        shaped = replace(shaped, seating=old.seating, grades=old.grades, concessions=concessions)
    return shaped


def _insert(wanted: documents.Requirement, seller: User) -> BookingSystem:
    """A row with an address of its own. Two sellers may want one at the same moment: the constraint decides, the loser tries the next."""
    for slug in [wanted.slug] if wanted.slug else slugs.candidates(wanted):
        try:
            with transaction.atomic():
                return BookingSystem.objects.create(seller=seller, slug=slug, title=wanted.title)
        except IntegrityError:
            continue
    raise RequirementInvalid([Problem("slug_taken", {"slug": wanted.slug}, "slug")])


def _store_requirement(system: BookingSystem, wanted: documents.Requirement, acting_user: User) -> None:
    system.requirement = requirement_store(system, wanted, created_by=acting_user)
    system.title = wanted.title
    system.save(update_fields=["requirement", "title"])
