"""The platform's own keys, made on first use in CLOVE_HOME/keys."""

from __future__ import annotations

import functools
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from joserfc import jwt
from joserfc.jwk import OKPKey

from controlplane.lib import keyfiles

# RFC 9864 renames the algorithm to Ed25519; what verifies tokens still goes by the old name.
warnings.filterwarnings("ignore", message="EdDSA is deprecated")
ALGORITHM = "EdDSA"
STAFF_ISSUER = "clove"
STAFF_TOKEN_LIFE_S = 600

Jwk = dict[str, Any]
"""A JSON Web Key."""


def new_signing_key() -> Jwk:
    """A private Ed25519 JWK, its `kid` the RFC 7638 thumbprint."""
    key = OKPKey.generate_key("Ed25519", parameters={"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True)
    return key.as_dict(private=True)


def public_part(private: Jwk) -> Jwk:
    """The public JWK of a private one."""
    return {key: value for key, value in private.items() if key != "d"}


def staff_key() -> Jwk:
    """The control plane's private key; it signs staff tokens for booking systems that have no key of their own yet (staff_keys.py)."""
    return _staff_key(settings.CLOVE_HOME / "keys" / "staff-key.json")


@functools.cache
def _staff_key(path: Path) -> Jwk:
    return json.loads(keyfiles.read_or_create(path, lambda: json.dumps(new_signing_key()).encode()))


def sign_staff_token(*, key: Jwk, audience: str, subject: str, scopes: Sequence[str], name: str = "") -> str:
    """A staff token for the booking system AUDIENCE by the private KEY that it trusts, good for ten minutes."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": STAFF_ISSUER,
        "aud": audience,
        "sub": subject,
        "role": "staff",
        "scope": list(scopes),
        "iat": now,
        "exp": now + STAFF_TOKEN_LIFE_S,
        **({"name": name} if name else {}),
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key["kid"], "typ": "JWT"}, claims, OKPKey.import_key(key), algorithms=[ALGORITHM])


def sealer() -> MultiFernet:
    """Encrypts what is kept of secrets by the first of the sealing keys; all of them decrypt."""
    return MultiFernet([Fernet(key) for key in sealing_keys()])


def sealing_keys() -> list[str]:
    """CLOVE_SECRET_KEYS, newest first, else the lines of keys/fernet-keys, which is read each time: it may be another by now."""
    if settings.SECRET_KEYS:
        return list(settings.SECRET_KEYS)
    path = settings.CLOVE_HOME / "keys" / "fernet-keys"
    return keyfiles.read_or_create(path, lambda: Fernet.generate_key() + b"\n").decode().split()


def seal(files: Mapping[str, str]) -> bytes:
    """FILES (name -> text) as they are kept."""
    return sealer().encrypt(json.dumps(dict(files)).encode())


def unseal(sealed: bytes | memoryview) -> dict[str, str]:
    """What `seal` made. Raises InvalidToken when none of the keys opens it."""
    files: dict[str, str] = json.loads(sealer().decrypt(bytes(sealed)))
    return files
