"""Sessions: a short access token that every service believes, and a refresh token that is used once.

A refresh token is opaque, stored as a digest and rotated on use. Using one again ends the session: two hold it, and one of them stole it.
The same request again, known by a key that no cookie holds, is no second use: its answer was lost.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from booking_templates.auth.macs import mac_of
from booking_templates.auth.models import Buyer, RefreshToken, Session
from booking_templates.kit import tokens
from booking_templates.kit.db import clock, db_now, retry_transaction
from booking_templates.kit.problems import Conflict, Unauthorized

ACCESS_LIFE_S = 600
REFRESH_LIFE = timedelta(days=14)
SESSION_LIFE = timedelta(days=60)
KEEP_ENDED = timedelta(days=1)


@dataclass(frozen=True)
class Opened:
    """A session's buyer, and the tokens to hand out now."""

    buyer: Buyer
    access_token: str
    refresh_token: str


def access_token(buyer: Buyer) -> str:
    """A token that says who BUYER is, for ACCESS_LIFE_S. It has the display name and nothing else of the person.

    By the database's clock, as it is checked by: from a host whose own is ten minutes slow each would have run out when it came.
    """
    env = settings.ENV
    claims = {
        "iss": f"{env.system}/auth",
        "aud": env.system,
        "sub": str(buyer.pk),
        "role": "buyer",
        "name": buyer.name,
        "exp": int(clock().timestamp()) + ACCESS_LIFE_S,
    }
    return tokens.sign(claims, tokens.private_key("token-key.json"))


@retry_transaction
def start(buyer: Buyer) -> Opened:
    """Log BUYER in on one device, as somebody whose password was looked at when BUYER was read.

    Raises Unauthorized `wrong_credentials` when it was changed, or the account closed, since: that ended every session that there was.
    """
    # The row is locked until this session is there: whoever changes the password after that ends this one too.
    if not Buyer.objects.select_for_update().filter(pk=buyer.pk, closed_at=None, password=buyer.password).exists():
        raise Unauthorized("wrong_credentials", _("The e-mail address or the password is wrong."))
    now = db_now()
    session = Session.objects.create(buyer=buyer, created_at=now, expires_at=now + SESSION_LIFE)
    following = secrets.token_urlsafe(32)
    _issue(session, following)
    return Opened(buyer, access_token(buyer), following)


def refresh(token: str, key: str = "") -> Opened:
    """The next tokens of the session that TOKEN belongs to; the same next one for the same KEY, as long as that was not used either.

    Raises Unauthorized when there is none, it has ended, or TOKEN was used before, which ends it. Raises Conflict when another request is
    using TOKEN at this very moment (two tabs): that one's answer has the next token, and the session goes on.
    """
    found = RefreshToken.objects.select_related("session__buyer").filter(pk=_digest(token)).first()
    if found is None:
        raise Unauthorized("login_required")
    session, now = found.session, db_now()
    following = mac_of("refresh", token, key) if key else secrets.token_urlsafe(32)
    if found.used_at is not None and not _is_unused(session, following):
        end(session)
        raise Unauthorized("refresh_token_reused", _("This login was ended for your safety. Please log in again."))
    if session.ended_at is not None or session.buyer.closed_at is not None or min(session.expires_at, found.expires_at) <= now:
        raise Unauthorized("token_expired", _("Your login has run out. Please log in again."))
    if found.used_at is None:
        _rotate(found, following)
    return Opened(session.buyer, access_token(session.buyer), following)


@retry_transaction
def _rotate(found: RefreshToken, following: str) -> None:
    # The conditional update decides which of two requests uses the token; it was unused when both looked a moment ago.
    if not RefreshToken.objects.filter(pk=found.pk, used_at=None).update(used_at=db_now()):
        if _is_unused(found.session, following):
            return  # the same request, in both tabs
        raise Conflict("refresh_under_way", _("The login is being renewed. Please try again."))
    if not Session.objects.filter(pk=found.session_id, ended_at=None).exists():
        raise Unauthorized("login_required")
    _issue(found.session, following)


def _issue(session: Session, token: str) -> None:
    expires_at = min(db_now() + REFRESH_LIFE, session.expires_at)
    RefreshToken.objects.create(digest=_digest(token), session=session, expires_at=expires_at)


def _is_unused(session: Session, token: str) -> bool:
    return RefreshToken.objects.filter(pk=_digest(token), session=session, used_at=None).exists()


def session_of(token: str) -> Session | None:
    """The session that the refresh token TOKEN belongs to, used or not."""
    found = RefreshToken.objects.select_related("session").filter(pk=_digest(token)).first() if token else None
    return found.session if found else None


def end(session: Session) -> None:
    """End SESSION; none of its refresh tokens works from now on. Access tokens given out live to their end, ten minutes at most."""
    Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=db_now())


def end_all(buyer: Buyer, *, but: Session | None = None) -> None:
    """End every session of BUYER, except BUT."""
    others = Session.objects.filter(buyer=buyer, ended_at=None)
    (others.exclude(pk=but.pk) if but else others).update(ended_at=db_now())


def forget_old() -> None:
    """Delete sessions that ended or ran out a day ago, with their tokens. Until then a stolen token's use is still noticed."""
    long_ago = db_now() - KEEP_ENDED
    Session.objects.filter(Q(ended_at__lt=long_ago) | Q(expires_at__lt=long_ago)).delete()
    RefreshToken.objects.filter(expires_at__lt=long_ago).delete()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
