"""What an outside provider may send that proves nothing. (A real provider is met in tests/integration/booking/test_outside_sign_in.py.)"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from booking_templates.auth import oidc
from booking_templates.auth.addresses import is_public
from booking_templates.auth.oidc import Attempt, NotProven, Provider, ProviderUnavailable
from tests.certificates import self_signed

CLIENT = "clove"
ATTEMPT = Attempt("state", "nonce-of-this-attempt", "verifier")
KEY = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
OTHER = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)


class FakeProvider:
    """Answers by path from `answers`: an object, or (status, bytes). It counts what it was asked."""

    def __init__(self, tls=None):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake.asked.append(self.path)
                answer = fake.answers.get(self.path, (404, b"{}"))
                status, content = answer if isinstance(answer, tuple) else (200, json.dumps(answer).encode())
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                if status == 302:
                    self.send_header("Location", "/token")
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _answer  # noqa: N815 - http.server's names

            def log_message(self, format, *args):
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.asked = []
        self.answers = {
            "/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
            },
        }
        self.publish(KEY, EC)
        self.grant()

    def publish(self, *keys):
        self.answers["/keys"] = {"keys": [{**key.as_dict(private=False), "use": "sig"} for key in keys]}

    def claims(self, **changes):
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "s-1", "exp": int(time.time()) + 300, "nonce": ATTEMPT.nonce, "email": "a@b.kr"}
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def grant(self, key=KEY, alg="RS256", **changes):
        token = jwt.encode({"alg": alg, "kid": key.kid or "one"}, self.claims(**changes), key, algorithms=[alg])
        self.answers["/token"] = {"id_token": token, "access_token": "at"}

    def relying_party(self):
        return Provider(self.issuer, CLIENT, "secret", "http://phantom.localhost:8080/api/auth/oidc/callback")


@pytest.fixture
def provider():
    one = FakeProvider()
    yield one
    one.server.shutdown()
    one.server.server_close()


def person(provider):
    return provider.relying_party().person("code", ATTEMPT)


@pytest.mark.parametrize(("key", "alg"), [(KEY, "RS256"), (KEY, "PS256"), (EC, "ES256")])
def test_a_good_token_proves_who_it_is(provider, key, alg):
    provider.grant(key, alg, email_verified=True, name="Mina")
    assert person(provider) == oidc.Person(provider.issuer, "s-1", "a@b.kr", "Mina")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": [CLIENT, "another-client"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "never"},
        {"exp": float("nan")},
        {"nonce": "of another attempt"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 7},
    ],
)
def test_a_token_with_a_wrong_claim_proves_nothing(provider, changes):
    provider.grant(**changes)
    with pytest.raises(NotProven):
        person(provider)


def test_several_audiences_are_fine_when_it_was_made_for_us(provider):
    provider.grant(aud=[CLIENT, "another-client"], azp=CLIENT)
    assert person(provider).subject == "s-1"


def test_a_token_of_another_key_proves_nothing(provider):
    provider.grant(OTHER)
    with pytest.raises(NotProven):
        person(provider)


def test_a_symmetric_signature_proves_nothing(provider):
    """The old trick: the public key, which everybody has, as the secret."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "one"}, provider.claims())]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mac = hmac.new(KEY.as_pem(private=False), signed, hashlib.sha256).digest()
    provider.answers["/token"] = {"id_token": (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()}
    with pytest.raises(NotProven):
        person(provider)


@pytest.mark.parametrize("token", ["", "rubbish", "e30.e30.", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzLTEifQ."])
def test_what_is_no_signed_token_proves_nothing(provider, token):
    provider.answers["/token"] = {"id_token": token}
    with pytest.raises(NotProven):
        person(provider)


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_code_proves_nothing(provider, status):
    provider.answers["/token"] = (status, b'{"error": "invalid_grant"}')
    with pytest.raises(NotProven):
        person(provider)


def test_a_rotated_key_is_fetched_but_not_at_everybodys_bidding(provider, monkeypatch):
    party = provider.relying_party()
    assert party.person("code", ATTEMPT).subject == "s-1"
    new = RSAKey.generate_key(2048, {"kid": "two"}, private=True)
    provider.publish(new)
    provider.grant(new)
    with pytest.raises(NotProven):
        party.person("code", ATTEMPT)
    assert provider.asked.count("/keys") == 1
    monkeypatch.setattr(oidc, "KEYS_AGAIN_S", -1.0)
    assert party.person("code", ATTEMPT).subject == "s-1"
    assert provider.asked.count("/keys") == 2


def test_what_is_known_of_the_provider_is_kept(provider):
    party = provider.relying_party()
    for _ in range(3):
        party.person("code", ATTEMPT)
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    assert provider.asked.count("/keys") == 1


def test_the_address_to_go_to_keeps_the_providers_own_query(provider):
    url = provider.relying_party().authorize_url(ATTEMPT)
    assert url.startswith(f"{provider.issuer}/authorize?tenant=1&response_type=code&client_id=clove&")
    assert "verifier" not in url


def test_userinfo_fills_in_what_the_token_lacks(provider):
    provider.grant(email=None)
    provider.answers["/userinfo"] = {"sub": "s-1", "email": "a@b.kr", "email_verified": True, "name": "Mina"}
    assert person(provider) == oidc.Person(provider.issuer, "s-1", "a@b.kr", "Mina")


def test_userinfo_of_somebody_else_is_refused(provider):
    provider.grant(email=None)
    provider.answers["/userinfo"] = {"sub": "s-2", "email": "victim@b.kr", "email_verified": True}
    with pytest.raises(NotProven):
        person(provider)


@pytest.mark.parametrize("verified", [None, False, "false", "yes", 1])
def test_an_address_counts_only_when_it_is_verified(provider, verified):
    provider.grant(email_verified=verified)
    assert person(provider).email == ""


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", (500, b"")),
        ("/.well-known/openid-configuration", (200, b"<html>")),
        ("/.well-known/openid-configuration", (200, b"[]")),
        ("/.well-known/openid-configuration", {"issuer": "https://evil.example"}),
        ("/token", (503, b"")),
        ("/token", (302, b"")),
        ("/token", (200, b"[" * 300_000)),
        ("/keys", (500, b"")),
        ("/keys", {"keys": [{"kty": "RSA"}]}),
        ("/keys", {"keys": 7}),
        ("/keys", {}),
    ],
)
def test_a_provider_that_makes_no_sense_is_unavailable(provider, path, answer):
    provider.answers[path] = answer
    with pytest.raises(ProviderUnavailable):
        person(provider)


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", [None, "http://provider.example/x", "ftp://x", "javascript:alert(1)", 7])
def test_an_endpoint_without_https_is_not_used(provider, endpoint, address):
    provider.answers["/.well-known/openid-configuration"][endpoint] = address
    party = provider.relying_party()
    with pytest.raises(ProviderUnavailable):
        party.authorize_url(ATTEMPT) if endpoint == "authorization_endpoint" else party.person("code", ATTEMPT)


# What passed the review may name something else later


@pytest.fixture
def inside():
    """A port of this machine that only counts who comes: `inside.port`, `inside.came`."""
    listening = socket.create_server(("127.0.0.1", 0))
    one = SimpleNamespace(port=listening.getsockname()[1], came=[])

    def listen():
        while True:
            try:
                connection, _peer = listening.accept()
            except OSError:
                return
            one.came.append(connection.recv(5)[:1])
            connection.close()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield one
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)


@pytest.fixture
def names(monkeypatch):
    """`names["host.example"] = ["10.0.0.1"]`: what names resolve to."""
    known, really = {}, socket.getaddrinfo

    def resolve(host, port, *rest, **more):
        if host not in known:
            return really(host, port, *rest, **more)
        return [entry for address in known[host] for entry in really(address, port, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


def relying_on(issuer, *, may_be_inside=False, **endpoints):
    """A relying party that has read ISSUER's description just now."""
    callback = "http://phantom.localhost:8080/api/auth/oidc/callback"
    party = Provider(issuer, CLIENT, "secret", callback, may_be_inside=may_be_inside)
    party._description, party._described_at = {"issuer": issuer, **endpoints}, time.monotonic()
    return party


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_provider_of_the_internet_names_no_plain_address_of_this_machine(inside, host):
    party = relying_on("https://idp.example", token_endpoint=f"http://{host}:{inside.port}/x", jwks_uri=f"http://{host}:{inside.port}/y")
    with pytest.raises(ProviderUnavailable, match="no token_endpoint"):
        party.person("code", ATTEMPT)
    with pytest.raises(ProviderUnavailable, match="no jwks_uri"):
        party._key_set()
    assert inside.came == []


def test_a_provider_of_this_machine_names_plain_addresses_of_its_own_host_alone(inside):
    party = relying_on("http://localhost:9", token_endpoint=f"http://127.0.0.1:{inside.port}/x")
    with pytest.raises(ProviderUnavailable):
        party.person("code", ATTEMPT)
    assert inside.came == []


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["203.0.113.9", "127.0.0.1"], ["::ffff:127.0.0.1"]])
def test_another_host_that_leads_inside_is_not_connected_to(inside, names, addresses):
    names |= {"idp.example": ["1.1.1.1"], "inner.example": addresses}
    party = relying_on("https://idp.example", token_endpoint=f"https://inner.example:{inside.port}/x")
    with pytest.raises(ProviderUnavailable, match="NewConnectionError"):
        party.person("code", ATTEMPT)
    literal = relying_on("https://idp.example", token_endpoint=f"https://127.0.0.1:{inside.port}/x")
    with pytest.raises(ProviderUnavailable, match="NewConnectionError"):
        literal.person("code", ATTEMPT)
    assert inside.came == []


@pytest.mark.parametrize(
    "options", [{"issuer": "https://127.0.0.1"}, {"issuer": "https://localhost"}, {"issuer": "https://idp.example", "may_be_inside": True}]
)
def test_where_the_issuer_may_be_inside_itself_its_other_hosts_may_be(inside, names, options):
    names |= {"idp.example": ["127.0.0.1"], "inner.example": ["127.0.0.1"]}
    party = relying_on(**options, token_endpoint=f"https://inner.example:{inside.port}/x")
    with pytest.raises(ProviderUnavailable):
        party.person("code", ATTEMPT)
    assert inside.came == [b"\x16"], "a TLS handshake came, which nobody answers here"


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["203.0.113.9", "127.0.0.1"], ["::ffff:127.0.0.1"]])
def test_an_issuer_whose_name_leads_inside_by_now_is_not_connected_to_and_makes_no_other_host_fine(inside, names, addresses):
    """Whoever holds the name has it resolve to something else after the review."""
    names |= {"idp.example": addresses, "inner.example": ["127.0.0.1"]}
    party = Provider(f"https://idp.example:{inside.port}", CLIENT, "secret", "http://phantom.localhost:8080/api/auth/oidc/callback")
    with pytest.raises(ProviderUnavailable, match="NewConnectionError"):
        party.authorize_url(ATTEMPT)
    for host in ("idp.example", "inner.example"):
        described = relying_on(f"https://idp.example:{inside.port}", token_endpoint=f"https://{host}:{inside.port}/x")
        with pytest.raises(ProviderUnavailable, match="NewConnectionError"):
            described.person("code", ATTEMPT)
    assert inside.came == []


def test_a_name_is_looked_up_once_and_connected_to_where_it_led_then(inside, monkeypatch):
    """The next answer may be another: between the look and the connection is no second one."""
    looked, went = [], []
    really = socket.getaddrinfo

    def resolve(host, port, *rest, **more):
        if host != "idp.example":
            went.append(host)
            return really("192.0.2.1", port, *rest, **more)  # nobody is there (RFC 5737)
        looked.append(host)
        return really("1.1.1.1" if len(looked) == 1 else "127.0.0.1", port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(oidc, "TIMEOUT_S", 0.2)
    party = relying_on("https://idp.example", jwks_uri=f"https://idp.example:{inside.port}/keys")
    with pytest.raises(ProviderUnavailable):
        party._key_set()
    assert (looked, went, inside.came) == (["idp.example"], ["1.1.1.1"], [])


@pytest.mark.parametrize(("certified", "is_fine"), [("idp.example", True), ("127.0.0.1", False), ("other.example", False)])
def test_the_certificate_must_be_the_names_wherever_the_connection_goes(names, tmp_path, monkeypatch, certified, is_fine):
    names["idp.example"] = ["127.0.0.1"]
    fake = FakeProvider(self_signed(tmp_path, certified))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    try:
        keys = f"https://idp.example:{fake.server.server_address[1]}/keys"
        fake.answers["/keys"] = {"keys": [KEY.as_dict(private=False)]}
        party = relying_on("https://idp.example", may_be_inside=True, jwks_uri=keys)
        if is_fine:
            assert len(party._key_set().keys) == 1
        else:
            with pytest.raises(ProviderUnavailable, match="SSLError"):
                party._key_set()
        assert fake.asked == ["/keys"] * is_fine
    finally:
        fake.server.shutdown()
        fake.server.server_close()


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("::ffff:1.1.1.1", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_an_address_of_the_open_internet(address, is_one):
    assert is_public(address) is is_one
