"""Everything that reads accounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from controlplane.accounts.models import ApiToken, User
from controlplane.accounts.services import TOKEN_PREFIX, digest_of

USED_EVERY = timedelta(minutes=5)


def login_name(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Whose failed logins django-axes counts together: `A@x.kr` and `a@x.kr` are one account, so they share one count."""
    typed = (credentials or request.POST).get("username")
    return User.objects.normalize_email(typed if isinstance(typed, str) else "")


def tokens_of(user: User) -> QuerySet[ApiToken]:
    return user.api_tokens.order_by("-created_at")


def user_of_token(text: str) -> User | None:
    """Who TEXT stands for, or None when it is unknown, expired, revoked or its owner's account is closed.

    Notes the use at most every five minutes: a busy program must not turn every read into a write.
    """
    if not text.startswith(TOKEN_PREFIX):
        return None
    now = timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), digest=digest_of(text), user__is_active=True)
        .first()
    )
    if token is None:
        return None
    if token.last_used_at is None or token.last_used_at < now - USED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user


def closed_users() -> QuerySet[User]:
    """The accounts that were closed; see `services.closed_label`."""
    return User.objects.filter(email__startswith="closed-", email__endswith="@invalid")
