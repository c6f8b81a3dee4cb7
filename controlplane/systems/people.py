"""Who takes part in running an event: what they are, and how it ends. Invitations are in inviting.py, what a role may do in access.py."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems import door
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.models import BookingSystem, Invitation, MemberRole, Membership
from controlplane.systems.wishes import lock, refuse_deleted


def members_of(system: BookingSystem) -> QuerySet[Membership]:
    """Who takes part beside the owner, in the order they came, with their accounts."""
    return system.memberships.select_related("user")


@transaction.atomic
def member_set(*, system: BookingSystem, user_id: int, role: str, acting_user: User) -> Membership:
    """Make a member what ROLE says; the same again changes nothing. Raises SystemNotFound for who is none, Refused (`being_deleted`)."""
    lock(system)
    refuse_deleted(system)
    member = _member(system, user_id)
    if member.role != role:
        member.role = MemberRole(role)
        member.save(update_fields=["role"])
        audit.record("system.member", system, acting_user=acting_user, member=user_id, role=role)
        if role != MemberRole.MANAGER:
            _end_rights(system, member.user, acting_user)
    return member


@transaction.atomic
def member_remove(*, system: BookingSystem, user_id: int, acting_user: User) -> None:
    """End the part of a member now; what they did stays told as theirs. Raises SystemNotFound for who is none."""
    lock(system)
    member = _member(system, user_id)
    member.delete()
    audit.record("system.member_remove", system, acting_user=acting_user, member=user_id)
    _end_rights(system, member.user, acting_user)


@transaction.atomic
def leave_all(*, user: User, acting_user: User) -> None:
    """USER, whose account is closed or locked, takes part in nothing any more, and whom they have invited is not invited any more."""
    for member in Membership.objects.filter(user=user).select_related("system").order_by("system"):
        lock(member.system)  # in the order in which everything else takes them
        if Membership.objects.filter(pk=member.pk).delete()[0]:
            audit.record("system.member_remove", member.system, acting_user=acting_user, member=user.pk)
            _end_rights(member.system, user, acting_user)
    Invitation.objects.filter(invited_by=user).delete()
    Invitation.objects.filter(accepted_by=user).delete()
    Invitation.objects.filter(email=user.email).delete()


def forget_of(system: BookingSystem) -> None:
    """SYSTEM is gone: what is kept of it is its seller's alone."""
    system.memberships.all().delete()
    system.invitations.all().delete()
    system.door_links_to_end.all().delete()


def _member(system: BookingSystem, user_id: int) -> Membership:
    found = Membership.objects.select_related("user").filter(system=system, user=user_id).first()
    if found is None:
        raise SystemNotFound
    return found


def _end_rights(system: BookingSystem, user: User, acting_user: User) -> None:
    """USER may change nothing of SYSTEM any more: what they had begun goes, and links for the door that they had made end."""
    system.requirement_drafts.filter(seller=user).delete()  # the portal's, by their relation: nothing here knows the portal
    door.end_soon(system, door.made_by(system, user), acting_user=acting_user)
