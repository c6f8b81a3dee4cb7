"""Mail and outside sign-in, from the environment.

Mail, from CLOVE_MAIL: `smtp://user:password@host:587` (STARTTLS), `smtps://…:465`, `smtp+plain://host:25`, or `file:///directory`.

`?from=tickets@example.com&per_second=10` names the sender, and how many mails about bookings a second are sent at most; CLOVE_MAIL_FROM and
CLOVE_MAIL_PER_SECOND do, too. Without CLOVE_MAIL nothing that needs mail is offered. CLOVE_MAIL_FILE names a file that holds the address
instead: it has a password in it.

An OpenID Connect provider, from CLOVE_OIDC_ISSUER, CLOVE_OIDC_CLIENT_ID and CLOVE_OIDC_NAME (what the button says); the client's secret is
the secret file `oidc-client-secret`, and without it the client is a public one, with PKCE alone. A name of a private network is connected
to with CLOVE_OIDC_PRIVATE=yes alone.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from booking_templates.auth.addresses import is_acceptable
from booking_templates.kit.env import load, rooted

_ROOT = os.environ.get("CLOVE_ROOT", "")
_FILE = os.environ.get("CLOVE_MAIL_FILE", "")


def mail_url() -> str:
    """The address as it is now: a file is written anew when the password changes. Raises OSError."""
    return rooted(_FILE, _ROOT).read_text(encoding="utf-8").strip() if _FILE else os.environ.get("CLOVE_MAIL", "")


def mail_server(url: str) -> dict[str, Any]:
    """Django's settings for a server at URL."""
    parts = urlsplit(url)
    return {
        "EMAIL_HOST": parts.hostname or "",
        "EMAIL_PORT": parts.port or {"smtp": 587, "smtps": 465}.get(parts.scheme, 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }


_URL = mail_url()
_PARTS = urlsplit(_URL)

SENDS_MAIL = bool(_URL)
DEFAULT_FROM_EMAIL = os.environ.get("CLOVE_MAIL_FROM", "") or parse_qs(_PARTS.query).get("from", ["no-reply@localhost"])[0]
EMAIL_TIMEOUT = 10
_RATE = os.environ.get("CLOVE_MAIL_PER_SECOND", "") or parse_qs(_PARTS.query).get("per_second", ["10"])[0]
if not _RATE.isdecimal() or not 1 <= int(_RATE) <= 1000:
    raise ValueError("CLOVE_MAIL: per_second must be a number from 1 to 1000")
MAIL_PER_SECOND = int(_RATE)
"""Mails about bookings that this system sends in a second at most: a whole hall's, when a performance is called off."""

if _PARTS.scheme == "file":
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(rooted(_PARTS.path, _ROOT))
elif _PARTS.scheme in ("smtp", "smtps", "smtp+plain"):
    EMAIL_BACKEND = "booking_templates.auth.mail.Server"
    globals().update(mail_server(_URL))
elif _URL:
    raise ValueError(f"CLOVE_MAIL: unknown scheme {_PARTS.scheme!r}; use smtp, smtps, smtp+plain or file")
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

OIDC_ISSUER = os.environ.get("CLOVE_OIDC_ISSUER", "")
OIDC_CLIENT_ID = os.environ.get("CLOVE_OIDC_CLIENT_ID", "")
OIDC_NAME = os.environ.get("CLOVE_OIDC_NAME", "") or urlsplit(OIDC_ISSUER).hostname or ""
OIDC_CLIENT_SECRET = ""
OIDC_PRIVATE = os.environ.get("CLOVE_OIDC_PRIVATE", "") == "yes"
if OIDC_ISSUER:
    if not is_acceptable(OIDC_ISSUER):
        raise ValueError("CLOVE_OIDC_ISSUER: an https address is needed")
    if not OIDC_CLIENT_ID:
        raise ValueError("CLOVE_OIDC_CLIENT_ID is missing")
    with contextlib.suppress(FileNotFoundError):
        OIDC_CLIENT_SECRET = load().secret("oidc-client-secret")
