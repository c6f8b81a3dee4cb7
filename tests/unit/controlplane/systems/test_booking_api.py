"""Calls to a booking system whose services may not be reachable yet."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from controlplane.systems import booking_api
from controlplane.systems.booking_api import BookingApi, Silent


class Site(HTTPServer):
    """Answers as told, one after the other, and the last one from then on."""

    def __init__(self, statuses: list[int], content_type: str, *, certificate: Path | None = None) -> None:
        self.statuses, self.content_type, self.asked = statuses, content_type, 0
        super().__init__(("127.0.0.1", 0), Answering)
        self.names: list[str | None] = []
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            tls.sni_callback = lambda _, name, __: self.names.append(name)
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answering(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        site = self.server
        self.send_response(site.statuses[min(site.asked, len(site.statuses) - 1)])
        site.asked += 1
        self.send_header("Content-Type", site.content_type)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *_: object) -> None:
        pass


@pytest.fixture(params=["text/html", "application/problem+json"], ids=["router", "service"])
def content_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking_api, "PAUSE_S", 0.0)


@pytest.fixture
def opened() -> Iterator[list[Site]]:
    sites: list[Site] = []
    yield sites
    for site in sites:
        site.shutdown()
        site.server_close()


def to(site: Site, *, patience_s: float) -> BookingApi:
    return BookingApi(connect_url=f"http://127.0.0.1:{site.server_port}", host="x", patience_s=patience_s)


def test_who_is_away_is_asked_again(opened: list[Site], content_type: str) -> None:
    opened.append(site := Site([503, 502, 200], content_type))
    with to(site, patience_s=60) as api:
        assert (api.get("/").status, site.asked) == (200, 3)


def test_where_the_service_is_not_known_yet_it_is_asked_again(opened: list[Site]) -> None:
    opened.append(site := Site([404, 404, 200], "text/html"))
    with to(site, patience_s=60) as api:
        assert (api.get("/").status, site.asked) == (200, 3)


def test_what_is_wrong_is_asked_once(opened: list[Site], content_type: str) -> None:
    opened.append(site := Site([500, 200], content_type))
    with to(site, patience_s=60) as api:
        assert (api.get("/").status, site.asked) == (500, 1)


def test_without_patience_who_is_away_is_silent(opened: list[Site]) -> None:
    opened.append(site := Site([503, 200], "text/html"))
    with to(site, patience_s=0) as api, pytest.raises(Silent, match="HTTP 503"):
        api.get("/")


def certificate_of(name: str, directory: Path) -> Path:
    """One that NAME has given itself, with its key, in a file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(named, named, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    form = serialization.PrivateFormat.PKCS8
    path = directory / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize("host", ["phantom.tickets.example", "phantom.tickets.example:8443"])
def test_a_gateway_is_reached_by_its_address_and_asked_for_the_sites_name(
    opened: list[Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    certificate = certificate_of("phantom.tickets.example", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    opened.append(site := Site([200], "text/html", certificate=certificate))

    with BookingApi(connect_url=f"https://127.0.0.1:{site.server_port}", host=host) as api:
        assert api.get("/").status == 200

    assert set(site.names) == {"phantom.tickets.example"}


def test_who_answers_in_anothers_name_is_not_listened_to(opened: list[Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certificate_of("opera.tickets.example", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    opened.append(site := Site([200], "text/html", certificate=certificate))

    with (
        BookingApi(connect_url=f"https://127.0.0.1:{site.server_port}", host="phantom.tickets.example") as api,
        pytest.raises(Silent, match="SSLError"),
    ):
        api.get("/")


def test_who_does_not_answer_is_named_by_the_address_that_was_tried(opened: list[Site], tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        place = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with (
            BookingApi(connect_url=place, host="x") as api,
            pytest.raises(Silent, match=rf"{place} \(ConnectionError\)"),
        ):
            api.get("/")

    opened.append(site := Site([200], "text/html", certificate=certificate_of("another.example", tmp_path)))
    place = f"https://127.0.0.1:{site.server_port}"
    with (
        BookingApi(connect_url=place, host="x.example") as api,
        pytest.raises(Silent, match="certificate verify failed"),
    ):
        api.get("/")
