"""The published keys, and the document of the API."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry, deserialize_compact

from booking_templates.kit import tokens
from tests.booking_keys import new_key

pytestmark = pytest.mark.django_db


class _Quiet(JWSRegistry):
    def get_alg(self, name):
        return self.algorithms[name]


def test_anybody_can_check_a_buyers_token_with_the_published_keys(mina, client, keys):
    token = mina.post("refresh").json()["access_token"]
    response = client.get("/api/auth/jwks.json")
    assert response["Cache-Control"] == "public, max-age=300"
    (key,) = response.json()["keys"]
    assert (key["alg"], key["use"], key["kid"], key["crv"]) == ("EdDSA", "sig", keys.token_key.kid, "Ed25519")
    deserialize_compact(token, OKPKey.import_key(key), registry=_Quiet())


def test_no_private_part_and_no_services_key_is_published(client, keys):
    published = client.get("/api/auth/jwks.json").json()["keys"]
    assert all("d" not in key for key in published)
    assert keys.service_keys["auth"].kid not in {key["kid"] for key in published}


def test_while_keys_are_changed_those_of_buyers_tokens_are_published_and_no_services(client, keys):
    """The bundle has the keys of before and the next ones beside those in use, each with what it is for."""
    path, issuer = settings.ENV.trust_dir / "jwks.json", f"{settings.ENV.system}/auth"
    before = path.read_bytes()
    bundle, token_key, service_key = json.loads(before), new_key(), new_key()
    for key, kind in ((token_key, "token-key"), (service_key, "service-key")):
        bundle["keys"].append({**key.as_dict(private=False), "clove_iss": issuer, "clove_kind": kind})
    try:
        path.write_text(json.dumps(bundle))
        tokens.verifier.cache_clear()
        published = {key["kid"] for key in client.get("/api/auth/jwks.json").json()["keys"]}
    finally:
        path.write_bytes(before)
        tokens.verifier.cache_clear()
    assert published == {keys.token_key.kid, token_key.kid}


def test_the_document_names_every_path(client):
    paths = client.get("/api/auth/openapi.json").json()["paths"]
    expected = {
        "signup",
        "login",
        "refresh",
        "logout",
        "me",
        "me/password",
        "password-reset",
        "password-reset/confirm",
        "options",
        "jwks.json",
    }
    assert {f"/api/auth/{name}" for name in expected} <= set(paths)
    assert set(paths["/api/auth/me"]) == {"get", "patch", "delete"}
