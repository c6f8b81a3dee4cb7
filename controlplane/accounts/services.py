"""Everything that changes an account."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.db import IntegrityError, transaction
from django.utils import timezone

from controlplane.accounts.errors import AdminStays, EmailTaken, NoSuchToken, NotOneself, SystemsStanding, TooManyTokens
from controlplane.accounts.models import ApiToken, Role, User
from controlplane.lib import audit

TOKEN_PREFIX = "clove_"  # noqa: S105 -- lets secret scanners recognise a leaked one
TOKENS_AT_MOST = 20


def user_sign_up(*, email: str, password: str, name: str, phone: str = "") -> User:
    """A new seller. Raises EmailTaken; the unique index decides, since two requests may come at once."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name, phone=phone, role=Role.SELLER)
            audit.record("user.sign_up", user, acting_user=user)
            return user
    except IntegrityError:
        raise EmailTaken from None


@transaction.atomic
def user_close(*, user: User, standing: Sequence[str]) -> None:
    """Close USER's account: personal data erased, also of logins and the audit trail, tokens gone, every session ended.

    The row stays, nameless, for what law wants kept of past sales. STANDING names the booking systems that still stand; with any,
    raises SystemsStanding. Raises AdminStays for an admin.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_admin:
        raise AdminStays
    if standing:
        raise SystemsStanding(standing)
    audit.record("user.close", user)
    user.api_tokens.all().delete()
    for logins in (AccessAttempt, AccessFailureLog, AccessLog):
        logins.objects.filter(username=user.email).delete()
    user.email = closed_label(user.pk)
    user.name = user.phone = ""
    user.is_active = False
    user.set_unusable_password()
    user.save()
    audit.forget_name(user)


def closed_label(user_id: int) -> str:
    """What a closed account is called from then on, as its e-mail address: nobody's, and no other account's."""
    return f"closed-{user_id}@invalid"


@transaction.atomic
def user_set(*, user: User, acting_user: User, role: str | None = None, is_active: bool | None = None) -> None:
    """Change USER's role, or whether they may log in; what is None stays. The same again changes nothing.

    Raises NotOneself: nobody takes their own way in.
    """
    if user.pk == acting_user.pk:
        raise NotOneself
    user = User.objects.select_for_update().get(pk=user.pk)
    wanted = {"role": role, "is_active": is_active}
    changes = {name: value for name, value in wanted.items() if value is not None and getattr(user, name) != value}
    if not changes:
        return
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=list(changes))
    audit.record("user.set", user, acting_user=acting_user, **changes)


@transaction.atomic
def token_create(*, user: User, name: str, days: int | None = None) -> tuple[ApiToken, str]:
    """A new token of USER and its text, which is known only now. Valid for DAYS, or until revoked. Raises TooManyTokens."""
    User.objects.select_for_update().get(pk=user.pk)
    if user.api_tokens.count() >= TOKENS_AT_MOST:
        raise TooManyTokens
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        digest=digest_of(text),
        hint=text[: len(TOKEN_PREFIX) + 4],
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    return token, text


def token_revoke(*, user: User, token_id: int) -> None:
    """Make a token of USER useless. Raises NoSuchToken."""
    token = user.api_tokens.select_for_update().filter(pk=token_id).first()
    if token is None:
        raise NoSuchToken
    audit.record("token.revoke", token, acting_user=user, name=token.name)
    token.delete()


def digest_of(text: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(text.encode()).hexdigest()
