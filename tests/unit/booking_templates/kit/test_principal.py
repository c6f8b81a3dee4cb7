"""Who is calling, by which token, and who may."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from booking_templates.kit import principal as principals
from booking_templates.kit import tokens
from booking_templates.kit.api import Request, endpoint, route
from booking_templates.kit.principal import BUYER, OPTIONAL_BUYER, service, staff
from tests.booking_keys import Keyring


def answer(request: Request) -> dict[str, object]:
    """Say who called."""
    caller = request.principal
    return {"kind": caller.kind, "id": caller.id, "name": caller.name, "scopes": sorted(caller.scopes)}


public, buyer, optional = endpoint()(answer), endpoint(auth=BUYER)(answer), endpoint(auth=OPTIONAL_BUYER)(answer)
for_staff, for_ticket = endpoint(auth=staff("content"))(answer), endpoint(auth=service("ticket"))(answer)
for_both = endpoint(auth=BUYER | staff("content"))(answer)


@pytest.fixture(autouse=True)
def _endpoints(serve):
    serve(
        lambda: route("public", GET=public, POST=public),
        lambda: route("buyer", GET=buyer, POST=buyer),
        lambda: route("optional", GET=optional, POST=optional),
        lambda: route("staff", GET=for_staff),
        lambda: route("both", GET=for_both),
        lambda: route("ticket", POST=for_ticket),
    )


def code(response):
    return response.status_code, response.json().get("code")


def test_a_buyers_token_says_who_is_calling(client_for, keys):
    response = client_for(keys.buyer_token("b-1", name="이클로")).get("/api/test/buyer")
    assert response.json() == {"kind": "buyer", "id": "b-1", "name": "이클로", "scopes": []}


def test_a_staff_token_needs_the_scope(client_for, keys):
    assert client_for(keys.staff_token("content", "probe")).get("/api/test/staff").json()["scopes"] == ["content", "probe"]
    response = client_for(keys.staff_token("probe")).get("/api/test/staff")
    assert code(response) == (403, "scope_missing")
    assert response.json()["scope"] == "content"


def test_a_services_token_names_the_caller(client_for, keys):
    assert client_for(keys.service_token("ticket", "event")).post("/internal/ticket").json()["id"] == "ticket"
    assert code(client_for(keys.service_token("merch", "event")).post("/internal/ticket")) == (403, "caller_not_allowed")


def test_the_wrong_role_is_refused_and_services_doors_stay_unseen(client_for, keys):
    assert code(client_for(keys.staff_token("content")).get("/api/test/buyer")) == (403, "wrong_role")
    assert code(client_for(keys.buyer_token()).get("/api/test/staff")) == (403, "wrong_role")
    assert code(client_for(keys.buyer_token()).post("/internal/ticket")) == (401, "token_invalid")
    assert code(client_for(keys.service_token("ticket", "event")).get("/api/test/buyer")) == (401, "token_invalid")


def test_two_kinds_may_share_an_endpoint(client_for, keys):
    assert client_for(keys.buyer_token()).get("/api/test/both").status_code == 200
    assert client_for(keys.staff_token("content")).get("/api/test/both").status_code == 200
    assert client_for(keys.staff_token("probe")).get("/api/test/both").status_code == 403


def test_nobody_is_asked_to_log_in(client):
    response = client.get("/api/test/buyer")
    assert code(response) == (401, "login_required")
    assert response["WWW-Authenticate"] == "Bearer"
    assert client.get("/api/test/optional").json()["kind"] == "anonymous"


def test_a_public_endpoint_looks_at_no_token(client_for):
    assert client_for("rubbish").get("/api/test/public").json()["kind"] == "anonymous"


def unsigned(**claims):
    header, body = {"alg": "none"}, {"iss": "clove-test/auth", "aud": "clove-test", "sub": "b", "role": "buyer", "exp": 9e9, **claims}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, body)]
    return ".".join([*parts, ""])


def hmac_signed(keys):
    """The old trick: the public key as the secret of HS256."""
    header = {"alg": "HS256", "kid": keys.token_key.kid}
    body = {"iss": "clove-test/auth", "aud": "clove-test", "sub": "b", "role": "buyer", "exp": 9e9}
    parts = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, body))
    secret = base64.urlsafe_b64decode(keys.token_key.as_dict(private=False)["x"] + "==")
    mac = hmac.new(secret, parts.encode(), hashlib.sha256).digest()
    return parts + "." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def forgeries(keys: Keyring) -> dict[str, str]:
    good = {"iss": "clove-test/auth", "aud": "clove-test", "sub": "b", "role": "buyer"}
    stranger = Keyring("clove-test")
    head, body, mac = keys.buyer_token().split(".")
    return {
        "rubbish": "rubbish",
        "empty parts": "..",
        "no algorithm": unsigned(),
        "no algorithm with a known key": unsigned(kid=keys.token_key.kid),
        "the public key as an HMAC secret": hmac_signed(keys),
        "an unknown key": stranger.buyer_token(),
        "a changed body": f"{head}.{body[:-4]}AAAA.{mac}",
        "a cut-off signature": f"{head}.{body}.{mac[:-4]}",
        "another system": Keyring("clove-other").buyer_token(),
        "another system's audience": keys.sign(keys.token_key, **{**good, "aud": "clove-other"}),
        "another system's issuer": keys.sign(keys.token_key, **{**good, "iss": "clove-other/auth"}),
        "a service's key for a buyer": keys.sign(keys.service_keys["seat"], **good),
        "a service's key and issuer for a buyer": keys.sign(keys.service_keys["seat"], **{**good, "iss": "clove-test/seat"}),
        "the platform's key for a buyer": keys.sign(keys.staff_key, **{**good, "iss": "clove"}),
        "auth's key for staff": keys.sign(keys.token_key, **{**good, "role": "staff", "scope": ["content"]}),
        "an unknown role": keys.sign(keys.token_key, **{**good, "role": "admin"}),
        "no subject": keys.sign(keys.token_key, **{name: value for name, value in good.items() if name != "sub"}),
        "no audience": keys.sign(keys.token_key, **{name: value for name, value in good.items() if name != "aud"}),
        "an expiry that is no time": keys.sign(keys.token_key, **{**good, "exp": "never"}),
        "an expiry that never comes": keys.sign(keys.token_key, **{**good, "exp": float("nan")}),
    }


@pytest.mark.parametrize("name", list(forgeries(Keyring("clove-test"))))
@pytest.mark.parametrize("path", ["/api/test/buyer", "/api/test/staff", "/api/test/both"])
def test_a_forged_token_is_refused(client_for, keys, name, path):
    assert code(client_for(forgeries(keys)[name]).get(path)) == (401, "token_invalid")


def test_a_service_cannot_call_in_anothers_name(client_for, keys):
    claims = {"iss": "clove-test/ticket", "aud": "clove-test/event", "sub": "ticket", "role": "service"}
    assert code(client_for(keys.sign(keys.service_keys["seat"], **claims)).post("/internal/ticket")) == (401, "token_invalid")
    claims["iss"] = "clove-test/seat"
    assert code(client_for(keys.sign(keys.service_keys["seat"], **claims)).post("/internal/ticket")) == (401, "token_invalid")


def test_a_token_for_another_callee_is_refused(client_for, keys):
    assert code(client_for(keys.service_token("ticket", "seat")).post("/internal/ticket")) == (401, "token_invalid")


def test_an_expired_token_is_refused_in_words(client_for, keys):
    response = client_for(keys.buyer_token(life_s=-120)).get("/api/test/buyer")
    assert code(response) == (401, "token_expired")
    assert response.json()["detail"] == "Your login has run out. Please log in again."


def test_a_clock_that_is_a_little_off_does_not_refuse(client_for, keys):
    assert client_for(keys.buyer_token(life_s=-5)).get("/api/test/buyer").status_code == 200


def test_a_token_that_was_good_expires_though_it_is_remembered(client_for, keys, monkeypatch):
    client = client_for(keys.buyer_token(life_s=60))
    assert client.get("/api/test/buyer").status_code == 200
    monkeypatch.setattr(tokens, "clock", lambda: datetime.now(UTC) + timedelta(seconds=120))
    assert code(client.get("/api/test/buyer")) == (401, "token_expired")


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "token"])
def test_another_scheme_is_refused(client, header):
    assert code(client.get("/api/test/buyer", headers={"Authorization": header})) == (401, "token_invalid")


def test_a_token_that_is_not_ascii_is_refused(client):
    assert code(client.get("/api/test/buyer", headers={"Authorization": "Bearer \xff\xfe.\xff."})) == (401, "token_invalid")


def test_the_cookie_stands_for_the_token(client, keys):
    client.cookies[principals.ACCESS_COOKIE] = keys.buyer_token("b-2")
    assert client.get("/api/test/buyer").json()["id"] == "b-2"


def test_a_change_by_cookie_needs_the_header_that_no_form_can_send(client, keys):
    client.cookies[principals.ACCESS_COOKIE] = keys.buyer_token()
    assert code(client.post("/api/test/buyer")) == (403, "csrf")
    assert code(client.post("/api/test/optional")) == (403, "csrf")
    assert code(client.post("/api/test/buyer", headers={"X-Clove-Request": "0"})) == (403, "csrf")
    assert client.post("/api/test/buyer", headers={"X-Clove-Request": "1"}).status_code == 200


def test_a_bearer_token_needs_no_such_header(client_for, keys):
    assert client_for(keys.buyer_token()).post("/api/test/buyer").status_code == 200


def test_an_old_cookie_makes_a_stranger_where_strangers_are_welcome(client, keys):
    client.cookies[principals.ACCESS_COOKIE] = keys.buyer_token(life_s=-120)
    assert client.get("/api/test/optional").json()["kind"] == "anonymous"
    assert code(client.get("/api/test/buyer")) == (401, "token_expired")


def test_a_bad_bearer_token_is_refused_even_where_strangers_are_welcome(client_for):
    assert code(client_for("rubbish").get("/api/test/optional")) == (401, "token_invalid")
