"""The trust bundle, and the tokens that this service signs."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from booking_templates.kit import tokens
from booking_templates.kit.problems import Unauthorized
from tests.booking_keys import Keyring


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
