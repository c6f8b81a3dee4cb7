"""Keys, secrets, trust bundle and tokens of a booking system under test: what the control plane makes for a real one."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import OKPKey
from joserfc.jws import JWSAlgModel, JWSRegistry

SERVICES = ("auth", "event", "seat", "ticket", "merch", "web")
KAKAOPAY_SECRET_KEY = "DEV" + "0" * 37
ALGORITHM = "EdDSA"


class _Quiet(JWSRegistry):
    """EdDSA without joserfc's warning about its name."""

    def get_alg(self, name: str) -> JWSAlgModel:
        return self.algorithms[name]


def new_key() -> OKPKey:
    """An Ed25519 key pair with a random key id."""
    return OKPKey.generate_key("Ed25519", {"kid": secrets.token_hex(8)}, private=True)


class Keyring:
    """Every key of one booking system, and tokens signed with them."""

    def __init__(self, system: str = "clove-test") -> None:
        self.system = system
        self.staff_key = new_key()
        self.token_key = new_key()
        self.ticket_key = new_key()
        self.service_keys = {service: new_key() for service in SERVICES}

    def write_trust(self, directory: Path) -> None:
        """The bundle at DIRECTORY/jwks.json: each public key with the one issuer it may sign for."""
        entries = [(self.staff_key, "clove"), (self.token_key, f"{self.system}/auth")]
        entries += [(key, f"{self.system}/{service}") for service, key in self.service_keys.items()]
        keys = [{**key.as_dict(private=False), "clove_iss": issuer} for key, issuer in entries]
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "jwks.json").write_text(json.dumps({"keys": keys}), encoding="utf-8")

    def write_secrets(self, directory: Path, service: str) -> None:
        """The secret files that SERVICE has mounted."""
        directory.mkdir(parents=True, exist_ok=True)
        files = {"django-secret": secrets.token_urlsafe(50), "service-key.json": _private(self.service_keys.get(service) or new_key())}
        if service == "auth":
            files["token-key.json"] = _private(self.token_key)
        if service == "ticket":
            files["ticket-key.json"] = _private(self.ticket_key)
        if service in ("ticket", "merch", "standin"):
            files["kakaopay-secret-key"] = KAKAOPAY_SECRET_KEY
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8")

    def sign(self, key: OKPKey, *, life_s: float = 300, **claims: Any) -> str:
        """A token with CLAIMS as they are given, to make good ones and bad ones."""
        now = int(time.time())
        header = {"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}
        return jwt.encode(header, {"iat": now, "exp": int(now + life_s), **claims}, key, registry=_Quiet())

    def buyer_token(self, buyer_id: str | uuid.UUID | None = None, *, name: str = "김클로", life_s: float = 600) -> str:
        """As the auth service gives it to a buyer who logged in."""
        subject = str(buyer_id or uuid.uuid4())
        issuer = f"{self.system}/auth"
        return self.sign(self.token_key, life_s=life_s, iss=issuer, aud=self.system, sub=subject, role="buyer", name=name)

    def staff_token(self, *scopes: str, subject: str = "user:1", life_s: float = 600) -> str:
        """As the control plane signs it for a seller."""
        return self.sign(self.staff_key, life_s=life_s, iss="clove", aud=self.system, sub=subject, role="staff", scope=list(scopes))

    def service_token(self, caller: str, callee: str, *, life_s: float = 60) -> str:
        """As CALLER signs it to call CALLEE."""
        key = self.service_keys[caller]
        audience = f"{self.system}/{callee}"
        return self.sign(key, life_s=life_s, iss=f"{self.system}/{caller}", aud=audience, sub=caller, role="service")


def _private(key: OKPKey) -> str:
    return json.dumps(key.as_dict(private=True))
