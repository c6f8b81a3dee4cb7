"""Ticket codes: what the QR shows. A scanner verifies one offline with the public key; that it is used once is decided online.

A code is base64url without padding of: version (1 byte), key id (8 bytes: the start of SHA-256 over the key's `kid`), ticket (16 bytes,
a UUID), then system, performance and seat or area (each a length byte and UTF-8), then the Ed25519 signature (64 bytes) over all of that.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import segno
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from booking_templates.kit import tokens
from booking_templates.ticket.models import Ticket

VERSION = 1
KEY_FILE = "ticket-key.json"
SIGNATURE_BYTES = 64
CODE_MAX = 600


class CodeInvalid(Exception):
    """Not a code of this system's key. REASON: `malformed`, `version`, `key`, `signature`, `system`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Code:
    """What a valid code says."""

    ticket_id: str
    system: str
    performance_id: str
    place: str


def sign(ticket: Ticket) -> str:
    """The code of TICKET; the same each time, while the key is the same."""
    payload = b"".join(
        (
            bytes([VERSION]),
            _key_id(),
            uuid.UUID(ticket.pk).bytes,
            _field(settings.ENV.system),
            _field(ticket.performance_id),
            _field(ticket.seat or ticket.area),
        )
    )
    return _signed(payload)


@lru_cache(maxsize=20_000)
def _signed(payload: bytes) -> str:
    """A page that polls its order asks for the same codes again and again."""
    return urlsafe_b64encode(payload + _signing_key().sign(payload)).rstrip(b"=").decode("ascii")


@cache
def _signing_key() -> Ed25519PrivateKey:
    key: Any = tokens.private_key(KEY_FILE).get_op_key("sign")
    assert isinstance(key, Ed25519PrivateKey)  # noqa: S101 - the file holds an OKP key
    return key


@cache
def _key_id() -> bytes:
    return key_id(str(tokens.private_key(KEY_FILE).kid))


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
    if key != _key_id():
        raise CodeInvalid("key")
    try:
        _signing_key().public_key().verify(signature, payload)
    except InvalidSignature as error:
        raise CodeInvalid("signature") from error
    if system != settings.ENV.system:
        raise CodeInvalid("system")
    return Code(ticket, system, performance_id, place)


def public_keys() -> list[dict[str, Any]]:
    """The keys that codes are signed with, as JWKs, with the `key_id` that codes carry (hexadecimal)."""
    key = tokens.private_key(KEY_FILE)
    return [{**key.as_dict(private=False), "use": "sig", "alg": tokens.ALGORITHM, "key_id": key_id(str(key.kid)).hex()}]


def qr_svg(code: str) -> bytes:
    """CODE as a QR drawing that scales, with its quiet zone, black on white whatever the page's colours are."""
    out = io.BytesIO()
    segno.make(code, error="m", micro=False, boost_error=False).save(
        out, kind="svg", scale=4, border=4, light="#fff", dark="#000", svgclass=None
    )
    return out.getvalue()


def key_id(kid: str) -> bytes:
    return hashlib.sha256(kid.encode()).digest()[:8]


def _field(text: str) -> bytes:
    raw = text.encode()[:255].decode(errors="ignore").encode()  # no character cut in two: nobody could read the code
    return bytes([len(raw)]) + raw
