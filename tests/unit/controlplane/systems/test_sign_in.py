"""An event's own provider to sign in with: its secret, and what is asked of it before an event relies on it."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.pool.models import Image
from controlplane.systems import issuers, planning, sealed, services
from controlplane.systems.converge import converge
from controlplane.systems.errors import Refused, RequirementInvalid
from controlplane.systems.models import BookingSystem, SellerSecret, State
from tests.certificates import self_signed
from tests.controlplane import SiteRuntime, areas_requirement
from tests.unit.controlplane.pages import deployed, person

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "sehr geheim"


def asked(reference: str | None, **more: Any) -> dict[str, Any]:
    sign_in = {"issuer": "https://id.example.com", "client_id": "clove", **({"client_secret_ref": reference} if reference else {})}
    return areas_requirement(sign_in=sign_in, **more)


def given(runtime: SiteRuntime, system: BookingSystem) -> Any:
    return runtime.systems[system.namespace].secrets["auth-secrets"].get("oidc-client-secret")


def settled(system: BookingSystem, runtime: SiteRuntime, looks: int = 5) -> BookingSystem:
    for _ in range(looks):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system


@pytest.fixture
def kept(seller: User) -> SellerSecret:
    return sealed.secret_keep(owner=seller, text=TEXT)


# --- The secret ---


def test_the_secret_reaches_auth_alone_and_is_written_nowhere(
    seller: User, runtime: SiteRuntime, kept: SellerSecret, caplog: pytest.LogCaptureFixture
) -> None:
    system = deployed(asked(kept.reference), seller, runtime)

    secrets = runtime.systems[system.namespace].secrets
    assert [name for name, files in secrets.items() if TEXT in json.dumps(files)] == ["auth-secrets"]
    assert given(runtime, system) == TEXT
    revision = system.live_revision
    assert revision
    assert TEXT not in json.dumps([revision.plan, revision.manifests, revision.requirement.data, revision.requirement.summary])
    assert TEXT.encode() not in bytes(kept.sealed)
    assert TEXT not in caplog.text
    audited = [str(row) for row in system.operations.values()]
    assert TEXT not in " ".join(audited)


def test_changing_and_removing_it_are_updates_and_going_back_brings_the_old_one(
    seller: User, runtime: SiteRuntime, kept: SellerSecret
) -> None:
    system = deployed(asked(kept.reference), seller, runtime)
    first = system.live_revision
    assert first

    other = sealed.secret_keep(owner=seller, text="ein anderes")
    services.system_update(system=system, requirement=asked(other.reference), acting_user=seller)
    assert given(runtime, settled(system, runtime)) == "ein anderes"

    services.system_update(system=system, requirement=areas_requirement(), acting_user=seller)
    assert given(runtime, settled(system, runtime)) is None

    services.system_rollback(system=system, revision=first, acting_user=seller)
    assert given(runtime, settled(system, runtime)) == TEXT
    assert system.requirement
    assert system.requirement.data["sign_in"]["client_secret_ref"] == kept.reference


def test_a_change_that_fails_leaves_the_live_one_with_its_secret(seller: User, runtime: SiteRuntime, kept: SellerSecret) -> None:
    system = deployed(asked(kept.reference), seller, runtime)
    other = sealed.secret_keep(owner=seller, text="ein anderes")
    runtime.will_fail(system.namespace, "auth")
    services.system_update(system=system, requirement=asked(other.reference), acting_user=seller)
    settled(system, runtime)
    runtime.recovers(system.namespace, "auth")

    assert settled(system, runtime).state == State.LIVE
    assert given(runtime, system) == TEXT


def test_only_ones_own_secrets_can_be_named(seller: User, kept: SellerSecret) -> None:
    for owner, reference in ((person("other@example.kr"), kept.reference), (seller, "0" * 32)):
        with pytest.raises(RequirementInvalid) as caught:
            services.system_create(requirement=asked(reference, slug="theirs"), acting_user=owner)
        assert [(problem.path, problem.code) for problem in caught.value.problems] == [("sign_in.client_secret_ref", "unknown_secret")]
    assert sealed.secret_text(seller.pk + 1, kept.reference) is None


@pytest.mark.parametrize("text", ["", "  ", "x" * 1_001, "a\nb", "a\x00b"])
def test_what_is_no_secret_is_not_kept(seller: User, text: str) -> None:
    with pytest.raises(Refused):
        sealed.secret_keep(owner=seller, text=text)
    assert not SellerSecret.objects.exists()


def test_it_is_forgotten_with_the_last_system_that_named_it(seller: User, runtime: SiteRuntime, kept: SellerSecret) -> None:
    systems = [deployed(asked(kept.reference, slug=slug), seller, runtime) for slug in ("one", "two")]
    for number, system in enumerate(systems):
        assert SellerSecret.objects.count() == 1, number
        services.system_delete(system=system, typed_name=str(system.slug), acting_user=seller)
        assert settled(system, runtime).state == State.DELETED
    assert not SellerSecret.objects.exists()


def test_one_that_nothing_names_is_forgotten_after_a_while(seller: User, runtime: SiteRuntime, kept: SellerSecret) -> None:
    deployed(asked(kept.reference), seller, runtime)
    sealed.secret_keep(owner=seller, text="vertippt")
    sealed.forget_unused(seller)
    assert SellerSecret.objects.count() == 2

    SellerSecret.objects.update(given_at=timezone.now() - sealed.FORGET_AFTER - timedelta(hours=1))
    sealed.forget_unused(seller)
    assert SellerSecret.objects.get() == kept


def test_a_pool_whose_images_sign_nobody_in_says_so(seller: User) -> None:
    for image in Image.objects.filter(name="be-auth"):
        image.labels = {**image.labels, "dev.clove.config": "mail", "dev.clove.secrets": "django-secret=random token-key.json=token-key"}
        image.save()
    with pytest.raises(RequirementInvalid) as caught:
        services.system_create(requirement=asked(None), acting_user=seller)
    assert [problem.code for problem in caught.value.problems] == ["no_image_signs_in"]


# --- The provider ---


class Provider:
    """Answers with `description` at the usual path, or as `status` says."""

    def __init__(self) -> None:
        self.status = 200
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.paths.append(self.path)
                self.send_response(outer.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/o"
        ends = {name: f"{self.issuer}/{name}" for name in issuers.ENDPOINTS}
        self.description: dict[str, Any] = {"issuer": self.issuer, **ends}
        self.body = json.dumps(self.description).encode()
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def says(self, **changes: Any) -> None:
        self.body = json.dumps(self.description | changes).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    settings.OIDC_PRIVATE = True
    provider = Provider()
    yield provider
    provider.close()


def code_of(issuer: str) -> str:
    problem = issuers.problem_with(issuer)
    return problem.code if problem else ""


def test_a_provider_that_describes_itself_is_fine(provider: Provider) -> None:
    assert code_of(provider.issuer) == ""
    assert provider.paths == ["/o/.well-known/openid-configuration"]


@pytest.mark.parametrize("status", [301, 302, 404, 500])
def test_what_is_not_described_is_none_and_no_redirect_is_followed(provider: Provider, status: int) -> None:
    provider.status = status
    assert code_of(provider.issuer) == "issuer_none"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[" * 100_000, b'{"issuer": "' + b"x" * 300_000])
def test_what_cannot_be_read_is_none(provider: Provider, body: bytes) -> None:
    provider.body = body
    assert code_of(provider.issuer) == "issuer_none"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuer": "https://somebody.example.com"}, "issuer_differs"),
        ({"issuer": None}, "issuer_differs"),
        ({"token_endpoint": None}, "issuer_endpoint"),
        ({"jwks_uri": "http://id.example.com/keys"}, "issuer_endpoint"),
        ({"authorization_endpoint": ["x"]}, "issuer_endpoint"),
    ],
)
def test_a_description_that_will_not_do_is_told_by_what_is_wrong(provider: Provider, changes: dict[str, Any], code: str) -> None:
    provider.says(**changes)
    assert code_of(provider.issuer) == code


def test_one_that_sends_a_byte_now_and_then_is_not_listened_to_for_ever(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OIDC_PRIVATE = True
    monkeypatch.setattr(issuers, "LONGEST_S", 0.3)
    ended = threading.Event()

    def drip(listening: socket.socket) -> None:
        taken, _ = listening.accept()
        with taken:
            taken.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not ended.wait(0.05):
                try:
                    taken.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=(listening,), daemon=True).start()
        # It depends on how far it came within the time.
        assert code_of(f"http://127.0.0.1:{listening.getsockname()[1]}/o") in ("issuer_none", "issuer_silent")
        ended.set()


def test_a_certificate_of_nobodys_is_not_believed(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with a certificate that it has signed itself, at the address that the name leads to."""
    settings.OIDC_PRIVATE = True
    context = self_signed(tmp_path, "id.example.com")
    refused: list[str] = []

    def serve(listening: socket.socket) -> None:
        taken, _ = listening.accept()
        try:
            context.wrap_socket(taken, server_side=True).close()
        except OSError as error:
            refused.append(str(error))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        look_up, connect = socket.getaddrinfo, socket.create_connection
        named = {"id.example.com": "127.0.0.1"}
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: look_up(named.get(host, host), *rest, **more))
        # An unprivileged port in place of 443.
        monkeypatch.setattr(socket, "create_connection", lambda address, **more: connect((address[0], port), **more))
        server = threading.Thread(target=serve, args=(listening,), daemon=True)
        server.start()
        assert code_of("https://id.example.com") == "issuer_silent"
        server.join(10)
        assert "UNKNOWN_CA" in "".join(refused).upper().replace(" ", "_")

        trusted = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        monkeypatch.setattr(ssl, "create_default_context", lambda: trusted)
        threading.Thread(target=answer, args=(listening, context), daemon=True).start()
        assert code_of("https://id.example.com") == ""


def answer(listening: socket.socket, context: ssl.SSLContext) -> None:
    ends = {name: f"https://id.example.com/{name}" for name in issuers.ENDPOINTS}
    body = json.dumps({"issuer": "https://id.example.com", **ends}).encode()
    taken, _ = listening.accept()
    with context.wrap_socket(taken, server_side=True) as tls:
        assert b"Host: id.example.com\r\n" in tls.recv(1_000)
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def test_nobody_answering_is_told(provider: Provider) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert code_of(f"http://127.0.0.1:{closed.getsockname()[1]}/o") == "issuer_silent"
    assert code_of("https://nobody.invalid") == "issuer_silent"


@pytest.mark.parametrize("is_private", [True, False])
def test_the_service_is_told_whether_its_provider_may_be_inside(settings: Any, is_private: bool) -> None:
    settings.OIDC_PRIVATE = is_private
    assert planning.platform().config["sign-in"] == ({"CLOVE_OIDC_PRIVATE": "yes"} if is_private else {})


def test_nothing_inside_is_asked_unless_the_platform_allows_it(provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OIDC_PRIVATE = False
    assert code_of(provider.issuer) == "issuer_private"

    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)
    assert code_of("https://rebound.example.com") == "issuer_private"
    assert provider.paths == []


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]", "localhost", "a.localhost"])
def test_an_address_inside_is_refused_without_a_look(seller: User, host: str) -> None:
    wanted = areas_requirement(sign_in={"issuer": f"https://{host}", "client_id": "clove"})
    with pytest.raises(RequirementInvalid, match="private network"):
        services.system_create(requirement=wanted, acting_user=seller)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not issuers.is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_addresses_outside_are(address: str) -> None:
    assert issuers.is_public(address)


def test_the_connection_goes_to_the_address_that_was_looked_at(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means another address a moment later (DNS rebinding) changes nothing."""
    port = int(provider.issuer.split(":")[2].split("/")[0])
    looked: list[str] = []
    real = socket.getaddrinfo

    def once(host: Any, *rest: Any, **more: Any) -> Any:
        looked.append(str(host))
        return real("127.0.0.1" if host in ("localhost", "127.0.0.1") else host, *rest, **more)

    provider.says(issuer=f"http://localhost:{port}/o")
    monkeypatch.setattr(socket, "getaddrinfo", once)
    assert code_of(f"http://localhost:{port}/o") == ""
    assert looked.count("localhost") == 1


def test_a_review_says_so_and_asks_only_a_provider_that_is_new(
    seller: User, runtime: SiteRuntime, provider: Provider, settings: Any
) -> None:
    wanted = areas_requirement(sign_in={"issuer": provider.issuer, "client_id": "clove"})
    system = deployed(wanted, seller, runtime)
    provider.status = 500

    problems = services.requirement_preview(requirement=wanted | {"slug": "another"}, seller=seller).problems
    assert [(problem.path, problem.code) for problem in problems] == [("sign_in.issuer", "issuer_none")]
    assert services.requirement_preview(requirement=wanted, seller=seller, system=system).problems == ()

    settings.OIDC_PRIVATE = False
    with pytest.raises(RequirementInvalid, match="private network"):
        services.system_create(requirement=wanted | {"slug": "third"}, acting_user=seller)
