"""EdDSA JSON Web Tokens: who may sign as whom, and checking them.

Each public key in the trust bundle is tied to the one issuer it may sign for (`clove_iss`): a service's key cannot make a buyer's
token. Audience is the booking system (buyers, staff) or one callee in it (services), so a token of another system is worth nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import OKPKey
from joserfc.jws import JWSAlgModel, JWSRegistry
from joserfc.util import urlsafe_b64decode

from booking_templates.kit.db import clock
from booking_templates.kit.problems import Unauthorized
from booking_templates.kit.reread import Reread

ALGORITHM = "EdDSA"
SERVICE_TOKEN_LIFE_S = 60
STAFF_ISSUER = "clove"
LEEWAY_S = 30
"""Clocks of two hosts differ; a token is not refused for that."""

_CACHE_SIZE = 10_000


class _OneAlgorithm(JWSRegistry):
    """EdDSA (RFC 8037) and nothing else. RFC 9864 renames it; the name that every verifier knows stays, without a warning a token."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name != ALGORITHM:
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not allowed")
        return self.algorithms[name]


_registry = _OneAlgorithm()


@dataclass(frozen=True, slots=True)
class Claims:
    """The checked claims of a token; `scopes` only for staff."""

    issuer: str
    audience: str
    subject: str
    role: str
    name: str
    expires_at: float
    scopes: frozenset[str]


class Verifier:
    """Checks tokens against the trust bundle; the bundle is read again when its file changes (a key rotation)."""

    def __init__(self, path: Any) -> None:
        self._path = path
        self._mtime = 0.0
        self._checked_at = 0.0
        self._keys: dict[str, tuple[OKPKey, str]] = {}
        self._seen: dict[bytes, Claims] = {}
        self._lock = threading.Lock()

    def verify(self, token: str, *, audience: str) -> Claims:
        """Claims of TOKEN. Raises Unauthorized `token_invalid` or `token_expired`.

        A signature costs 0.1 ms to check; the same token comes with each request of a buyer, so the outcome is kept until it expires.
        """
        self._reload()
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._seen.get(digest)
        if claims is None:
            claims = self._check(token)
            if len(self._seen) >= _CACHE_SIZE:
                self._seen.clear()
            self._seen[digest] = claims
        if claims.expires_at + LEEWAY_S < _now():
            raise Unauthorized("token_expired", _("Your login has run out. Please log in again."))
        if claims.audience != audience:
            raise Unauthorized("token_invalid")
        return claims

    def public_keys(self, issuer: str) -> list[dict[str, Any]]:
        """The keys that ISSUER may sign with, as public JWKs."""
        self._reload()
        return [key.as_dict(private=False) for key, its_issuer in self._keys.values() if its_issuer == issuer]

    def _reload(self) -> None:
        now = time.monotonic()
        if now - self._checked_at < 1 and self._keys:
            return
        with self._lock:
            mtime = self._path.stat().st_mtime
            if mtime != self._mtime:
                bundle = json.loads(self._path.read_text(encoding="utf-8"))
                self._keys = {entry["kid"]: (OKPKey.import_key(_bare(entry)), entry["clove_iss"]) for entry in bundle["keys"]}
                self._seen.clear()
                self._mtime = mtime
            self._checked_at = now

    def _check(self, token: str) -> Claims:
        try:
            kid = _header(token)["kid"]
            key, issuer = self._keys[kid]
            claims = jwt.decode(token, key, registry=_registry).claims
            if claims["iss"] != issuer:
                raise Unauthorized("token_invalid")
            expires_at = float(claims["exp"])
            if not math.isfinite(expires_at):
                raise Unauthorized("token_invalid")
            scope = claims.get("scope", [])
            return Claims(
                issuer=claims["iss"],
                audience=str(claims["aud"]),
                subject=str(claims["sub"]),
                role=str(claims["role"]),
                name=str(claims.get("name", "")),
                expires_at=expires_at,
                scopes=frozenset(scope if isinstance(scope, list) else []),
            )
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise Unauthorized("token_invalid") from error


class _Greeting(msgspec.Struct):
    """What a page reads of a token."""

    aud: str
    role: str
    exp: float
    name: str = ""


def unchecked_name(token: str, *, audience: str) -> str | None:
    """The name in a buyer's TOKEN for AUDIENCE that has not run out, or None. Its signature is not checked: nobody may be let in by it."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        said = _greetings.decode(urlsafe_b64decode(parts[1].encode("ascii")))
    except (ValueError, msgspec.DecodeError):
        return None
    is_good = said.role == "buyer" and said.aud == audience and said.exp + LEEWAY_S >= time.time()
    return said.name if is_good else None


_greetings = msgspec.json.Decoder(_Greeting)


def _bare(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "clove_iss"}


def _header(token: str) -> dict[str, Any]:
    header = json.loads(urlsafe_b64decode(token.split(".", 1)[0].encode("ascii")))
    if not isinstance(header, dict):
        raise ValueError("header")
    return header


@cache
def verifier() -> Verifier:
    """The process's verifier."""
    return Verifier(settings.ENV.trust_dir / "jwks.json")


def private_key(name: str) -> OKPKey:
    """The private JWK in the secret file NAME, another one when that was changed. Raises FileNotFoundError when it is not mounted."""
    return _key_file(name)()


@cache
def _key_file(name: str) -> Reread[OKPKey]:
    return Reread(settings.ENV.secrets_dir / name, lambda text: OKPKey.import_key(json.loads(text)))


def sign(claims: dict[str, Any], key: OKPKey) -> str:
    """A token with CLAIMS, signed by KEY; `iat` is added."""
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, {"iat": int(time.time()), **claims}, key, registry=_registry)


def _now() -> float:
    """By the database's clock, which services of one system share: a node whose own is minutes off would have its calls refused."""
    if settings.ENV.database_url:
        with contextlib.suppress(DatabaseError):
            return clock().timestamp()
    return time.time()


_service_tokens: dict[str, tuple[str, float]] = {}


def service_token(callee: str) -> str:
    """A token that says: this service calls CALLEE in this system. Kept while more than 15 s of its life remain."""
    env = settings.ENV
    token, expires_at = _service_tokens.get(callee, ("", 0.0))
    now = _now()
    if expires_at - now < 15:
        expires_at = now + SERVICE_TOKEN_LIFE_S
        claims = {
            "iss": f"{env.system}/{env.service}",
            "aud": f"{env.system}/{callee}",
            "sub": env.service,
            "role": "service",
            "exp": int(expires_at),
        }
        token = sign(claims, private_key("service-key.json"))
        _service_tokens[callee] = (token, expires_at)
    return token
