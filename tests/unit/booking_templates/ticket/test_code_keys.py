"""Codes while their key is changed: those of before stay good, and scanners know the next one before it signs."""

from __future__ import annotations

import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from booking_templates.ticket import codes
from booking_templates.ticket.models import Ticket

pytestmark = pytest.mark.django_db

Put = Callable[[str, Any], None]
Buy = Callable[..., str]


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def new_key() -> dict[str, str]:
    key = Ed25519PrivateKey.generate()
    public = {"kty": "OKP", "crv": "Ed25519", "kid": secrets.token_hex(8), "x": b64(key.public_key().public_bytes_raw())}
    return public | {"d": b64(key.private_bytes_raw())}


def public(key: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in key.items() if name != "d"}


@pytest.fixture
def put() -> Iterator[Put]:
    """Swaps a file of the mounted Secret for another, as a whole; the old ones come back afterwards."""
    directory: Path = settings.ENV.secrets_dir
    before = {name: (directory / name).read_bytes() for name in (codes.KEY_FILE, codes.OTHERS_FILE) if (directory / name).exists()}

    def swap(name: str, content: bytes) -> None:
        draft = directory / f".{name}"
        draft.write_bytes(content)
        os.replace(draft, directory / name)

    yield lambda name, document: swap(name, json.dumps(document).encode())
    for name in (codes.KEY_FILE, codes.OTHERS_FILE):
        if name in before:
            swap(name, before[name])
        else:
            (directory / name).unlink(missing_ok=True)
    codes._others_file.cache_clear()


@pytest.fixture
def ticket(buy: Buy) -> Ticket:
    buy(seats=1)
    return Ticket.objects.get()


def own_key() -> dict[str, str]:
    key: dict[str, str] = json.loads((settings.ENV.secrets_dir / codes.KEY_FILE).read_text())
    return key


def test_the_next_key_is_told_before_it_signs(ticket: Ticket, put: Put, client: Any) -> None:
    code, next_key = codes.sign(ticket), new_key()
    put(codes.OTHERS_FILE, {"keys": [public(next_key)]})

    told = client.get("/api/ticket/keys.json").json()["keys"]

    assert [key["kid"] for key in told] == [own_key()["kid"], next_key["kid"]]
    assert all(key["key_id"] == codes.key_id(key["kid"]).hex() for key in told)
    assert not [key for key in told if "d" in key]
    assert codes.sign(ticket) == code


def test_a_code_of_before_is_good_after_the_change_and_new_ones_are_of_the_new_key(ticket: Ticket, put: Put) -> None:
    code, old, new = codes.sign(ticket), own_key(), new_key()

    put(codes.OTHERS_FILE, {"keys": [public(old)]})
    put(codes.KEY_FILE, new)

    assert codes.sign(ticket) != code
    assert codes.verify(code) == codes.verify(codes.sign(ticket))
    assert [key["kid"] for key in codes.public_keys()] == [new["kid"], old["kid"]]


def test_after_many_changes_all_are_good(ticket: Ticket, put: Put) -> None:
    printed, past = [], []
    for _ in range(4):
        printed.append(codes.sign(ticket))
        past.insert(0, public(own_key()))
        put(codes.OTHERS_FILE, {"keys": past})
        put(codes.KEY_FILE, new_key())

    assert len({codes.sign(ticket), *printed}) == 5
    assert {codes.verify(code).ticket_id for code in printed} == {ticket.pk}


def test_a_key_that_was_never_this_systems_is_refused(ticket: Ticket, put: Put) -> None:
    mine, foreign = own_key(), new_key()
    put(codes.KEY_FILE, foreign)
    forged = codes.sign(ticket)
    put(codes.KEY_FILE, mine)

    with pytest.raises(codes.CodeInvalid, match="key"):
        codes.verify(forged)
    # One that says it is of a known key is looked at by that one.
    put(codes.OTHERS_FILE, {"keys": [public(new_key()) | {"kid": foreign["kid"]}]})
    with pytest.raises(codes.CodeInvalid, match="signature"):
        codes.verify(forged)


def test_an_image_that_is_given_no_other_keys_goes_by_its_own(ticket: Ticket) -> None:
    assert not (settings.ENV.secrets_dir / codes.OTHERS_FILE).exists()
    assert codes.verify(codes.sign(ticket)).ticket_id == ticket.pk
    assert [key["kid"] for key in codes.public_keys()] == [own_key()["kid"]]
