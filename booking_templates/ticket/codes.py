"""Ticket codes: what the QR shows. A scanner verifies one offline with the public key; that it is used once is decided online.

A code is base64url without padding of: version (1 byte), key id (8 bytes: the start of SHA-256 over the key's `kid`), ticket (16 bytes,
a UUID), then system, performance and seat or area (each a length byte and UTF-8), then the Ed25519 signature (64 bytes) over all of that.

When the key is changed, tickets show codes of the new one from then on, and those that were saved or printed before stay good.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import segno
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from booking_templates.kit.reread import Reread
from booking_templates.ticket.models import Ticket

VERSION = 1
ALGORITHM = "EdDSA"
KEY_FILE = "ticket-key.json"
OTHERS_FILE = "ticket-key-others.json"
"""The public keys besides that codes are good by: those that signed before, and one that will."""
SIGNATURE_BYTES = 64
CODE_MAX = 600


class CodeInvalid(Exception):
    """Not a code of this system's keys. REASON: `malformed`, `version`, `key`, `signature`, `system`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class PublicKey:
    """A key that codes are good by; ID is what they carry of it."""

    id: bytes
    key: Ed25519PublicKey
    jwk: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class OwnKey:
    """The key that signs."""

    private: Ed25519PrivateKey
    public: PublicKey

    @property
    def id(self) -> bytes:
        return self.public.id


@dataclass(frozen=True)
class Code:
    """What a valid code says."""

    ticket_id: str
    system: str
    performance_id: str
    place: str


def sign(ticket: Ticket) -> str:
    """The code of TICKET; the same each time, while the key is the same."""
    own = _own()
    payload = b"".join(
        (
            bytes([VERSION]),
            own.id,
            uuid.UUID(ticket.pk).bytes,
            _field(settings.ENV.system),
            _field(ticket.performance_id),
            _field(ticket.seat or ticket.area),
        )
    )
    return _signed(payload, own)


@lru_cache(maxsize=20_000)
def _signed(payload: bytes, own: OwnKey) -> str:
    """A page that polls its order asks for the same codes again and again."""
    return urlsafe_b64encode(payload + own.private.sign(payload)).rstrip(b"=").decode("ascii")


def verify(code: str) -> Code:
    """What CODE says. Raises CodeInvalid."""
    if len(code) > CODE_MAX:
        raise CodeInvalid("malformed")
    try:
        raw = urlsafe_b64decode(code.encode("ascii") + b"=" * (-len(code) % 4))
        payload, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
        version, key, ticket = payload[0], payload[1:9], str(uuid.UUID(bytes=payload[9:25]))
        stream = io.BytesIO(payload[25:])
        system, performance_id, place = (stream.read(stream.read(1)[0]).decode() for _ in range(3))
    except (ValueError, IndexError) as error:
        raise CodeInvalid("malformed") from error
    if version != VERSION:
        raise CodeInvalid("version")
    signer = next((each for each in (_own().public, *_others()) if each.id == key), None)
    if signer is None:
        raise CodeInvalid("key")
    try:
        signer.key.verify(signature, payload)
    except InvalidSignature as error:
        raise CodeInvalid("signature") from error
    if system != settings.ENV.system:
        raise CodeInvalid("system")
    return Code(ticket, system, performance_id, place)


def public_keys() -> list[dict[str, Any]]:
    """The keys that a code is good by, as JWKs, with the `key_id` that codes carry (hexadecimal). The one that signs comes first."""
    return [dict(each.jwk) for each in (_own().public, *_others())]


def qr_svg(code: str) -> bytes:
    """CODE as a QR drawing that scales, with its quiet zone, black on white whatever the page's colours are."""
    out = io.BytesIO()
    segno.make(code, error="m", micro=False, boost_error=False).save(
        out, kind="svg", scale=4, border=4, light="#fff", dark="#000", svgclass=None
    )
    return out.getvalue()


def key_id(kid: str) -> bytes:
    return hashlib.sha256(kid.encode()).digest()[:8]


def _read_own(text: str) -> OwnKey:
    jwk = json.loads(text)
    return OwnKey(Ed25519PrivateKey.from_private_bytes(_bytes_of(jwk["d"])), _public(jwk))


def _read_others(text: str) -> tuple[PublicKey, ...]:
    return tuple(_public(jwk) for jwk in json.loads(text)["keys"])


def _public(jwk: Mapping[str, Any]) -> PublicKey:
    own = key_id(str(jwk["kid"]))
    told = {name: jwk[name] for name in ("kty", "crv", "x", "kid")} | {"use": "sig", "alg": ALGORITHM, "key_id": own.hex()}
    return PublicKey(own, Ed25519PublicKey.from_public_bytes(_bytes_of(jwk["x"])), told)


def _bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@cache
def _own_file() -> Reread[OwnKey]:
    return Reread(settings.ENV.secrets_dir / KEY_FILE, _read_own)


@cache
def _others_file() -> Reread[tuple[PublicKey, ...]]:
    return Reread(settings.ENV.secrets_dir / OTHERS_FILE, _read_others, without=())


def _own() -> OwnKey:
    return _own_file()()


def _others() -> tuple[PublicKey, ...]:
    return _others_file()()


def _field(text: str) -> bytes:
    raw = text.encode()[:255].decode(errors="ignore").encode()  # no character cut in two: nobody could read the code
    return bytes([len(raw)]) + raw
