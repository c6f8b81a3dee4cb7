"""A relying party of one OpenID Connect provider: authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636).

OidcError
├── ProviderUnavailable   it does not answer, or not in a way that makes sense
└── NotProven             what came back does not prove who somebody is
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import urllib3
from django.conf import settings
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from booking_templates.auth import guarded
from booking_templates.auth.addresses import is_endpoint_of, is_named_inside

TIMEOUT_S = 5.0
ANSWER_MAX = 256 * 1024
FRESH_S = 3600.0
KEYS_AGAIN_S = 60.0
"""An unknown key id may be a rotated key, but not more often than this: anybody can make up key ids."""
LEEWAY_S = 60
ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
SCOPE = "openid profile email"


class OidcError(Exception):
    """Says the kind of failure, never a token or a code."""


class ProviderUnavailable(OidcError):
    pass


class NotProven(OidcError):
    pass


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in: kept by the browser until the provider sends it back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Person:
    """Whom the provider vouches for. `email` only where the provider has verified it."""

    issuer: str
    subject: str
    email: str
    name: str


def new_attempt() -> Attempt:
    return Attempt(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))


class Provider:
    """The provider at ISSUER, as its discovery document describes it (OpenID Connect Discovery 1.0).

    It and its endpoints have to be on the open internet each time they are connected to, unless it MAY_BE_INSIDE or is written so.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str, redirect_uri: str, *, may_be_inside: bool = False) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        # Plain http is for an issuer that is written as this machine (`is_endpoint_of`): no name could lead it elsewhere.
        self._plain = urllib3.PoolManager(maxsize=4, retries=False, timeout=urllib3.Timeout(TIMEOUT_S))
        # The issuer's own name is looked at too: whoever holds it may have it resolve to something else after the platform's review.
        may_lead_inside = may_be_inside or is_named_inside(urlsplit(issuer).hostname or "")
        self._guarded = guarded.manager(may_lead_inside=may_lead_inside, timeout_s=TIMEOUT_S)
        self._lock = threading.Lock()
        self._description: dict[str, Any] = {}
        self._described_at = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    def authorize_url(self, attempt: Attempt) -> str:
        """Where to send the browser. Raises ProviderUnavailable."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def person(self, code: str, attempt: Attempt) -> Person:
        """Exchange CODE and check what comes back. Raises ProviderUnavailable, NotProven."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.verifier,
            "client_id": self._client_id,
        }
        if self._client_secret:
            form["client_secret"] = self._client_secret
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        granted = self._ask("POST", self._endpoint("token_endpoint"), body=urlencode(form).encode(), headers=headers)
        claims = self._checked(str(granted.get("id_token", "")), attempt.nonce)
        if "email" not in claims and "userinfo_endpoint" in self._describe() and granted.get("access_token"):
            bearer = {"Authorization": f"Bearer {granted['access_token']}"}
            more = self._ask("GET", self._endpoint("userinfo_endpoint"), headers=bearer)
            if more.get("sub") != claims["sub"]:
                raise NotProven("userinfo is of somebody else")
            claims = {**more, **claims}
        is_verified = claims.get("email_verified") is True or claims.get("email_verified") == "true"  # as text by some providers
        email = str(claims.get("email") or "") if is_verified else ""
        return Person(self.issuer, claims["sub"], email, str(claims.get("name") or claims.get("preferred_username") or ""))

    def _checked(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of the ID token (OpenID Connect Core, 3.1.3.7). Raises NotProven."""
        claims = self._decoded(token)
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires_at = claims.get("exp")
        if claims.get("iss") != self.issuer:
            raise NotProven("another issuer")
        if self._client_id not in audiences or (len(audiences) > 1 and claims.get("azp") != self._client_id):
            raise NotProven("another audience")
        if not isinstance(expires_at, int | float) or not expires_at + LEEWAY_S > time.time():
            raise NotProven("expired")
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise NotProven("another attempt")
        if not isinstance(claims.get("sub"), str) or not 1 <= len(claims["sub"]) <= 255:
            raise NotProven("no subject")
        return claims

    def _decoded(self, token: str) -> dict[str, Any]:
        try:
            try:
                return dict(jwt.decode(token, self._key_set(), algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError):
                # The provider may have rotated its keys since they were read.
                return dict(jwt.decode(token, self._key_set(older_than_s=KEYS_AGAIN_S), algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise NotProven("bad ID token") from error

    def _key_set(self, *, older_than_s: float = FRESH_S) -> KeySet:
        with self._lock:
            if self._keys is None or time.monotonic() - self._keys_at > older_than_s:
                found = self._ask("GET", self._endpoint("jwks_uri"))
                try:
                    keys = [key for key in found["keys"] if key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC", "OKP")]
                    self._keys = KeySet.import_key_set({"keys": keys})
                except (JoseError, KeyError, ValueError, TypeError, AttributeError) as error:
                    raise ProviderUnavailable("bad keys") from error
                self._keys_at = time.monotonic()
            return self._keys

    def _describe(self) -> dict[str, Any]:
        if not self._description or time.monotonic() - self._described_at > FRESH_S:
            found = self._ask("GET", self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer:
                raise ProviderUnavailable("describes another issuer")
            self._description, self._described_at = found, time.monotonic()
        return self._description

    def _endpoint(self, name: str) -> str:
        address = self._describe().get(name)
        if not isinstance(address, str) or not is_endpoint_of(self.issuer, address):
            raise ProviderUnavailable(f"no {name}")
        return address

    def _ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        pool = self._plain if url.startswith("http://") else self._guarded
        try:
            answer = pool.request(method, url, redirect=False, preload_content=False, **options)
            try:
                content = answer.read(ANSWER_MAX + 1)
            finally:
                answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if 400 <= answer.status < 500 and method == "POST":
            raise NotProven("the code was refused")
        if answer.status != 200 or len(content) > ANSWER_MAX:
            raise ProviderUnavailable(f"status {answer.status}")
        try:
            found = msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ProviderUnavailable("no JSON") from error
        if not isinstance(found, dict):
            raise ProviderUnavailable("no object")
        return found


@cache
def provider() -> Provider:
    """The provider that this system is set up with. Only where `settings.OIDC_ISSUER` is set."""
    redirect_uri = f"{settings.ENV.public_url}/api/auth/oidc/callback"
    client = (settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)
    return Provider(settings.OIDC_ISSUER, *client, redirect_uri, may_be_inside=settings.OIDC_PRIVATE)
