"""Who may do what with a booking system: the one place that decides. Pages and endpoints name what they need, and get the system or none.

| who | may |
|---|---|
| viewer | read bookings, money, figures, and the event as it is |
| manager | change it besides, but for what only the owner may |
| owner | remove it, say who takes part, size its services, read its archive, change what owner_only.py lists |
| admin | what the owner may, of every system |

To everybody else a system is not there (SystemNotFound); who takes part and asks for too much is told so (NotAllowed).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from django.db.models import OuterRef, Q, QuerySet, Subquery

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.accounts.models import User
from controlplane.systems.errors import NotAllowed, SystemNotFound
from controlplane.systems.models import BookingSystem, State
from controlplane.systems.people_models import MemberRole, Membership

OWNER, ADMIN = "owner", "admin"
MEMBER_ROLE = "member_role"
"""What a row says of the membership of whoever it was read for."""


class Need(IntEnum):
    """What somebody needs to be allowed to; each contains those before it."""

    VIEW = 1
    MANAGE = 2
    OWN = 3


_MAY: dict[str, Need] = {MemberRole.VIEWER: Need.VIEW, MemberRole.MANAGER: Need.MANAGE, OWNER: Need.OWN, ADMIN: Need.OWN}
_REFUSALS = {Need.MANAGE: "needs_manager", Need.OWN: "needs_owner"}


@dataclass(frozen=True)
class Access:
    """What its reader may do with one system. `role` is `owner`, `admin` or that of their membership."""

    role: str

    def allows(self, need: Need) -> bool:
        return _MAY[self.role] >= need

    @property
    def may_manage(self) -> bool:
        return self.allows(Need.MANAGE)

    @property
    def may_own(self) -> bool:
        return self.allows(Need.OWN)

    @property
    def is_shared(self) -> bool:
        """Whether it is another's, who lets the reader take part."""
        return self.role in MemberRole.values


def systems_of(user: User) -> QuerySet[BookingSystem]:
    """The booking systems that are USER's own or in which they take part, newest first, without the deleted; all of them for an admin.

    Seller and summary joined; `access_of` tells what USER may do with each.
    """
    systems = _read_by(user).exclude(state=State.DELETED)
    if user.is_admin:
        return systems
    return systems.filter(Q(seller=user) | Q(pk__in=Membership.objects.filter(user=user).values("system")))


def own_systems(user: User) -> QuerySet[BookingSystem]:
    """Those that are USER's own, an admin's too."""
    return _read_by(user).exclude(state=State.DELETED).filter(seller=user)


def shared_with(user: User) -> QuerySet[BookingSystem]:
    """Those that are another's and in which USER takes part."""
    return _read_by(user).exclude(state=State.DELETED).filter(memberships__user=user).exclude(seller=user)


def system_for(user: User, system_id: int | str, need: Need) -> BookingSystem:
    """The system, if USER may do what NEED says with it, deleted ones too; its `access` tells what else they may.

    Raises SystemNotFound where USER takes no part, NotAllowed where their part is too small.
    """
    found = _read_by(user).filter(pk=id_in(system_id)).first()
    access = access_of(user, found) if found else None
    if found is None or access is None:
        raise SystemNotFound
    require(access, need)
    found.access = access
    return found


def access_of(user: User, system: BookingSystem) -> Access | None:
    """What USER may do with SYSTEM, which was read for USER; None for nothing."""
    return _access(user, system, getattr(system, MEMBER_ROLE))


def access_now(user: User, system: BookingSystem) -> Access | None:
    """The same as the database has it now. Under the system's lock it stays so until the end of the transaction."""
    return _access(user, system, Membership.objects.filter(system=system.pk, user=user.pk).values_list("role", flat=True).first())


def is_owner(user: User, system: BookingSystem) -> bool:
    """Whether USER may do what the owner may; takes no statement."""
    return user.is_admin or user.pk == system.seller_id


def _access(user: User, system: BookingSystem, member_role: str | None) -> Access | None:
    if user.pk == system.seller_id:
        return Access(OWNER)
    if user.is_admin:
        return Access(ADMIN)
    return Access(member_role) if member_role else None


def require(access: Access, need: Need) -> None:
    """Raises NotAllowed where ACCESS is less than NEED."""
    if not access.allows(need):
        raise NotAllowed(_REFUSALS[need])


def may_manage(user: User) -> Q:
    """For rows with a `system`: those that USER may change, were USER no admin."""
    return Q(system__seller=user) | Q(system__in=Membership.objects.filter(user=user, role=MemberRole.MANAGER).values("system"))


def _read_by(user: User) -> QuerySet[BookingSystem]:
    """Rows that say what USER is in each: one statement, for one system or a page of them."""
    mine = Membership.objects.filter(system=OuterRef("pk"), user=user).values("role")[:1]
    return (
        BookingSystem.objects.select_related("seller", "requirement").defer("requirement__data").annotate(**{MEMBER_ROLE: Subquery(mine)})
    )


def id_in(value: int | str) -> int:
    """A primary key from an address; whatever is none is nobody's."""
    text = str(value)
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise SystemNotFound
    return int(text)
