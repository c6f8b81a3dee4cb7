"""Invitations to run an event together: a link that works once, for the account with the address it was made for.

The link alone lets nobody in: it may be forwarded, and mail is read by others. Its key is kept only as a hash, and stands behind the `#` of
the address, which browsers send to nobody; the page hands it over in a form.
"""

from __future__ import annotations

import logging
import secrets
import smtplib
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.accounts.models import User
from controlplane.accounts.services import digest_of
from controlplane.lib import audit
from controlplane.systems.access import ADMIN, OWNER, access_now
from controlplane.systems.errors import InvitationOver, Refused
from controlplane.systems.models import BookingSystem, Desired, Invitation, MemberRole, Membership
from controlplane.systems.wishes import lock, refuse_deleted

log = logging.getLogger(__name__)

LASTS = timedelta(days=7)
PEOPLE_AT_MOST = 30
"""Members and open invitations of one event."""
LINK_AT_MOST = 1_000


@dataclass(frozen=True)
class Invited:
    """`url` is known only now. `is_mailed`: the mail server has taken a letter with it."""

    invitation: Invitation
    url: str
    is_mailed: bool


def open_invitations(system: BookingSystem) -> QuerySet[Invitation]:
    """Those that can still be accepted."""
    return system.invitations.filter(accepted_by=None, expires_at__gt=timezone.now())


def invite(*, system: BookingSystem, email: str, role: str, page: str, acting_user: User) -> Invited:
    """Invite whoever has the address EMAIL to be what ROLE says, and mail the link where mail is configured. PAGE: where a link is opened.

    Who is invited again gets a new link, and the one of before ends. Whether there is an account of that address is told to nobody.
    Raises Refused: `bad_address`, `invites_owner`, `is_member`, `too_many_people`, `being_deleted`.
    """
    email = User.objects.normalize_email(email)
    try:
        validate_email(email)
    except ValidationError:
        raise Refused("bad_address") from None
    key = secrets.token_urlsafe(32)
    with transaction.atomic():
        lock(system)
        refuse_deleted(system)
        if email == system.seller.email:
            raise Refused("invites_owner")
        if Membership.objects.filter(system=system, user__email=email).exists():
            raise Refused("is_member")
        others = open_invitations(system).exclude(email=email)
        if system.memberships.count() + others.count() >= PEOPLE_AT_MOST:
            raise Refused("too_many_people", limit=PEOPLE_AT_MOST)
        Invitation.objects.filter(system=system, email=email).delete()
        invitation = Invitation.objects.create(
            system=system,
            email=email,
            role=MemberRole(role),
            digest=digest_of(key),
            invited_by=acting_user,
            expires_at=timezone.now() + LASTS,
        )
        audit.record("system.invite", system, acting_user=acting_user, invitation=invitation.pk, role=role)
    url = f"{page}#{key}"
    return Invited(invitation, url, _mailed(invitation, url))


@transaction.atomic
def invitation_withdraw(*, system: BookingSystem, invitation_id: int, acting_user: User) -> None:
    """The link leads nowhere from now on; one that is gone already is fine. Raises Refused (`accepted_meanwhile`)."""
    lock(system)
    found = Invitation.objects.filter(system=system, pk=invitation_id)
    if found.filter(accepted_by=None).delete()[0]:
        audit.record("system.invite_withdraw", system, acting_user=acting_user, invitation=invitation_id)
    elif found.exists():
        raise Refused("accepted_meanwhile")


def digest_in(link: str) -> str:
    """The hash by which the invitation of LINK is found: a whole address, or what stands behind its `#`."""
    return digest_of(link[:LINK_AT_MOST].strip().rpartition("#")[2])


def invitation_of(digest: str) -> Invitation:
    """The invitation whose key has DIGEST, as long as it stands; also one that was accepted, until it would have run out.

    Raises InvitationOver: unknown, withdrawn, replaced, run out, or of an event that is gone.
    """
    found = (
        Invitation.objects.select_related("system__seller", "invited_by")
        .filter(digest=digest, expires_at__gt=timezone.now())
        .exclude(system__desired_state=Desired.DELETED)
        .first()
    )
    if found is None:
        raise InvitationOver
    return found


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether USER's account has the address that was invited."""
    return user.email == invitation.email


def veiled(email: str) -> str:
    """EMAIL for whoever has only the link: its owner knows it again, and nobody else learns it."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}…@{domain}"


@transaction.atomic
def invitation_accept(*, digest: str, user: User) -> BookingSystem:
    """Make USER what the invitation whose key has DIGEST says. Again by the same account is fine, as long as they still take part.

    Raises InvitationOver, Refused (`other_address`, `account_closed`).
    """
    # Under the lock that closing an account takes: what was closed takes part in nothing.
    if not User.objects.select_for_update().get(pk=user.pk).is_active:
        raise Refused("account_closed")
    invitation = invitation_of(digest)
    system = invitation.system
    lock(system)
    if system.desired_state == Desired.DELETED:
        raise InvitationOver
    if not is_for(invitation, user):
        raise Refused("other_address")
    # The race with a withdrawal and with a second click: one write decides, and the loser finds nothing to take.
    is_first = Invitation.objects.filter(pk=invitation.pk, accepted_by=None, digest=digest).update(accepted_by=user) == 1
    access = access_now(user, system)
    if not is_first:
        if access is None or not Invitation.objects.filter(pk=invitation.pk, accepted_by=user).exists():
            raise InvitationOver
        return system
    if access is None or access.role not in (OWNER, ADMIN):
        Membership.objects.update_or_create(system=system, user=user, defaults={"role": invitation.role})
    audit.record("system.member_join", system, acting_user=user, invitation=invitation.pk, role=invitation.role)
    transaction.on_commit(lambda: _tell_owner(invitation, user))
    return system


def forget_expired() -> None:
    """Delete invitations that ran out: an address is kept no longer than it can be of use."""
    Invitation.objects.filter(expires_at__lte=timezone.now()).delete()


def _mailed(invitation: Invitation, url: str) -> bool:
    """Whether the mail server took it. One that is away stops nobody: the link is shown, too, and can be handed over."""
    words = {
        "name": invitation.invited_by.get_full_name(),
        "title": invitation.system.title,
        "role": invitation.get_role_display(),
        "days": LASTS.days,
        "email": invitation.email,
        "url": url,
    }
    subject = gettext("%(name)s invites you to “%(title)s” at Clove") % words
    text = gettext(
        "Hello,\n\n%(name)s invites you to run “%(title)s” together at Clove, as: %(role)s.\n\nOpen the invitation here:\n\n%(url)s\n\n"
        "It is for the account with this address (%(email)s), works once and ends in %(days)d days. If you have no account yet, sign up "
        "with this address.\n\nIf you do not know who this is, do nothing."
    )
    return _sent(subject, text % words, invitation.email)


def _tell_owner(invitation: Invitation, user: User) -> None:
    """Nobody proves an address on signing up: the owner is told who came, and may remove who they do not know."""
    system = invitation.system
    with translation.override(settings.LANGUAGE_CODE):  # of the owner no language is known
        words = {"who": f"{user.get_full_name()} ({user.email})", "title": system.title, "role": invitation.get_role_display()}
        subject = gettext("%(who)s takes part in “%(title)s” at Clove now") % words
        text = gettext(
            "Hello,\n\n%(who)s has accepted the invitation to run “%(title)s” with you, as: %(role)s.\n\n"
            "If you do not know who this is, remove them on the page “People” of your event: their access ends at once."
        )
        _sent(subject, text % words, system.seller.email)


def _sent(subject: str, text: str, to: str) -> bool:
    if not settings.MAIL_URL:
        return False
    try:
        return send_mail(" ".join(subject.split()), text, None, [to]) == 1
    except (OSError, smtplib.SMTPException) as error:
        log.warning("a letter about who takes part in an event was not sent: %s", type(error).__name__)
        return False
