"""Signing in with an outside OpenID Connect provider: what a requirement says of it, and what the auth service is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from controlplane.rendering.reader import Fields

CONFIG, SECRET_KIND = "sign-in", "sign-in"
"""What an image asks for by its labels `config` and `secrets`."""
SECRET_FILE = "oidc-client-secret"  # noqa: S105  (its name)
CALLBACK = "/api/auth/oidc/callback"
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")

_REFERENCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class SignIn:
    """`client_secret_ref` names a secret that is kept elsewhere; without one the client is a public one."""

    issuer: str
    client_id: str
    name: str = ""
    """What the button says; empty: the issuer's host."""
    client_secret_ref: str | None = None

    @property
    def shown_name(self) -> str:
        return self.name or urlsplit(self.issuer).hostname or ""

    @property
    def env(self) -> dict[str, str]:
        named = {"CLOVE_OIDC_NAME": self.name} if self.name else {}
        return {"CLOVE_OIDC_ISSUER": self.issuer, "CLOVE_OIDC_CLIENT_ID": self.client_id, **named}

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if value}


def secret_kind(reference: str) -> str:
    """The kind of a plan's secret file whose value is the seller's secret REFERENCE."""
    return f"{SECRET_KIND}:{reference}"


def reference_of(kind: str) -> str | None:
    """The reference in a kind of `secret_kind`'s, None for any other kind."""
    name, _, reference = kind.partition(":")
    return reference if name == SECRET_KIND and reference else None


def read_sign_in(fields: Fields) -> SignIn | None:
    """The entry `sign_in`, or None without one."""
    if fields.raw("sign_in", is_required=False) is None:
        return None
    entry = fields.object("sign_in")
    if entry is None or not entry.is_readable:
        return None
    issuer, client_id = entry.text("issuer", limit=500), entry.text("client_id", limit=255)
    name = entry.text("name", limit=40, is_required=False)
    reference = entry.matching("client_secret_ref", _REFERENCE, "the reference that a secret was kept under, 32 hexadecimal digits")
    entry.done()
    if issuer and not is_issuer(issuer):
        entry.add("issuer", "bad_issuer")
    return SignIn(issuer, client_id, name, reference)


def is_issuer(address: str) -> bool:
    """Whether ADDRESS can be an issuer's (OpenID Connect Discovery 1.0, 2): https at its usual port, or http on this machine."""
    parts = _split(address)
    if parts is None or parts.query or parts.fragment or "?" in address or "#" in address or "@" in parts.netloc or "\\" in address:
        return False
    return is_endpoint(address)


def is_endpoint(address: str) -> bool:
    """Whether a service may call ADDRESS: https at its usual port, or http at a named port of this machine."""
    parts = _split(address)
    if parts is None or not parts.hostname or not address.isascii() or not address.isprintable() or " " in address:
        return False
    if parts.scheme == "https":
        return parts.port in (None, 443)
    return parts.scheme == "http" and parts.hostname in THIS_MACHINE and parts.port is not None


def is_on_this_machine(address: str) -> bool:
    """Whether an address that `is_endpoint` accepts is plain http to this machine."""
    return address.startswith("http://")


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts
