"""The trust bundle, and the tokens that this service signs."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from hypothesis import given
from hypothesis import strategies as st
from joserfc.util import urlsafe_b64encode

from booking_templates.kit import tokens
from booking_templates.kit.problems import Unauthorized
from tests.booking_keys import Keyring, new_key


@pytest.fixture
def bundle(tmp_path):
    keys = Keyring("clove-test")
    keys.write_trust(tmp_path)
    return keys, tmp_path / "jwks.json"


def test_claims_of_a_good_token(bundle):
    keys, path = bundle
    claims = tokens.Verifier(path).verify(keys.staff_token("content", subject="user:7"), audience="clove-test")
    assert (claims.issuer, claims.subject, claims.role, claims.scopes) == ("clove", "user:7", "staff", frozenset({"content"}))


def test_a_new_bundle_is_seen_and_what_an_old_key_signed_is_forgotten(bundle, monkeypatch):
    keys, path = bundle
    verifier = tokens.Verifier(path)
    old = keys.buyer_token()
    verifier.verify(old, audience="clove-test")
    new = Keyring("clove-test")
    new.write_trust(path.parent)
    os.utime(path, (1, 1))
    verifier._checked_at = -10.0  # as if a second had passed
    verifier.verify(new.buyer_token(), audience="clove-test")
    with pytest.raises(Unauthorized, match="token_invalid"):
        verifier.verify(old, audience="clove-test")


def test_the_bundle_is_published_without_private_parts(bundle):
    keys, path = bundle
    published = tokens.Verifier(path).public_keys("clove-test/auth")
    assert {key["kid"] for key in published} == {keys.token_key.kid, keys.service_keys["auth"].kid}
    assert all("d" not in key for key in published)


def test_a_scope_that_is_no_list_gives_none(bundle):
    keys, path = bundle
    token = keys.sign(keys.staff_key, iss="clove", aud="clove-test", sub="user:1", role="staff", scope="content")
    assert tokens.Verifier(path).verify(token, audience="clove-test").scopes == frozenset()


def test_what_is_remembered_is_bounded(bundle, monkeypatch):
    keys, path = bundle
    monkeypatch.setattr(tokens, "_CACHE_SIZE", 3)
    verifier = tokens.Verifier(path)
    for _ in range(10):
        verifier.verify(keys.buyer_token(), audience="clove-test")
    assert len(verifier._seen) <= 3


def test_this_services_token_is_believed_by_its_callee_and_reused_until_it_runs_out(keys, monkeypatch):
    tokens._service_tokens.clear()
    token = tokens.service_token("seat")
    claims = tokens.verifier().verify(token, audience="clove-test/seat")
    assert (claims.role, claims.subject, claims.issuer) == ("service", "event", "clove-test/event")
    assert tokens.service_token("seat") == token
    assert tokens.service_token("ticket") != token
    monkeypatch.setattr(tokens, "clock", lambda: datetime.now(UTC) + timedelta(seconds=50))
    assert tokens.service_token("seat") != token
    tokens._service_tokens.clear()


def test_a_host_whose_clock_is_wrong_still_judges_by_the_databases(bundle, time_machine):
    keys, path = bundle
    token = keys.buyer_token(life_s=60)
    time_machine.move_to(time.time() + 300)
    assert tokens.Verifier(path).verify(token, audience="clove-test").role == "buyer"


def test_without_an_answer_of_the_database_the_hosts_clock_has_to_do(bundle, monkeypatch):
    def away():
        raise OperationalError("away")

    monkeypatch.setattr(tokens, "clock", away)
    keys, path = bundle
    with pytest.raises(Unauthorized, match="token_expired"):
        tokens.Verifier(path).verify(keys.buyer_token(life_s=-60), audience="clove-test")


@pytest.mark.parametrize(
    ("system", "kind", "life_s", "name"),
    [
        ("clove-test", "buyer", 600, "김클로"),
        ("clove-test", "buyer", -600, None),
        ("clove-other", "buyer", 600, None),
        ("clove-test", "staff", 600, None),
    ],
    ids=["good", "run out", "of another system", "of staff"],
)
def test_whom_a_page_greets(system, kind, life_s, name):
    keys = Keyring(system)  # whose signature nobody here knows
    token = keys.buyer_token(life_s=life_s) if kind == "buyer" else keys.staff_token("content", life_s=life_s)
    assert tokens.unchecked_name(token, audience="clove-test") == name


@given(
    st.binary(max_size=200) | st.sampled_from([b"{}", b"[]", b"null", b'{"aud":"clove-test","role":"buyer","exp":"x"}']),
    st.text(max_size=5),
)
def test_nothing_that_is_sent_as_a_token_breaks_a_greeting(payload, around):
    packed = urlsafe_b64encode(payload).decode()
    for token in (f"{around}.{packed}.{around}", packed, around, f"{packed}.{around}.{packed}"):
        assert tokens.unchecked_name(token, audience="clove-test") is None


def test_a_key_that_is_swapped_while_the_service_runs_signs_from_then_on(settings):
    path = settings.ENV.secrets_dir / "service-key.json"
    before = path.read_bytes()
    old, new = tokens.private_key("service-key.json"), new_key()
    draft = path.with_name(".service-key.json")
    try:
        draft.write_text(json.dumps(new.as_dict(private=True)))
        os.replace(draft, path)
        assert tokens.private_key("service-key.json").kid == new.kid != old.kid
    finally:
        draft.write_bytes(before)
        os.replace(draft, path)
    assert tokens.private_key("service-key.json").kid == old.kid
