"""A buyer's account over HTTP, through the front, as a browser lives it."""

from __future__ import annotations

import http.server
import json
import sys
import threading

import pytest
import requests

from tests.integration.booking.harness import Booking

PASSWORD = "correct horse battery"
OURS = {"X-Clove-Request": "1", "Accept-Language": "en"}


@pytest.fixture(scope="module")
def booking(tmp_path_factory):
    with Booking(["auth"], tmp_path_factory.mktemp("accounts")) as one:
        yield one


def sign_up(booking, email="mina@example.com"):
    browser = requests.Session()
    browser.headers.update(OURS)
    body = {"email": email, "password": PASSWORD, "name": "Mina"}
    response = browser.post(f"{booking.public_url}/api/auth/signup", json=body, timeout=10)
    assert response.status_code == 201, response.text
    return browser


def test_from_signing_up_to_closing_the_account(booking):
    browser, base = sign_up(booking), f"{booking.public_url}/api/auth"
    assert browser.get(f"{base}/me", timeout=10).json()["name"] == "Mina"
    assert browser.post(f"{base}/refresh", timeout=10).status_code == 200
    assert browser.patch(f"{base}/me", json={"phone": "010-1234-5678"}, timeout=10).json()["phone"] == "01012345678"
    assert browser.post(f"{base}/logout", timeout=10).status_code == 204
    assert browser.get(f"{base}/me", timeout=10).status_code == 401
    assert browser.post(f"{base}/login", json={"email": "mina@example.com", "password": PASSWORD}, timeout=10).status_code == 200
    assert browser.delete(f"{base}/me", json={"password": PASSWORD}, timeout=10).status_code == 204
    assert browser.post(f"{base}/login", json={"email": "mina@example.com", "password": PASSWORD}, timeout=10).status_code == 401
    assert "mina" not in booking.log("auth").lower()


def test_an_account_survives_a_kill(booking):
    browser = sign_up(booking, "jun@example.com")
    booking.kill("auth")
    assert browser.get(f"{booking.public_url}/api/auth/me", timeout=10).status_code == 503
    booking.restart("auth")
    assert browser.get(f"{booking.public_url}/api/auth/me", timeout=10).json()["email"] == "jun@example.com"
    assert browser.post(f"{booking.public_url}/api/auth/refresh", timeout=10).status_code == 200


def test_the_others_are_told_of_a_closed_account_even_when_they_were_away(tmp_path):
    told = []

    class Ticket(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            told.append((self.path, self.headers["Idempotency-Key"], self.headers["Authorization"][:7]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format, *args):
            """Quiet."""

    with Booking(["auth"], tmp_path, environ={"CLOVE_PEER_TICKET": "http://ticket:8000"}) as booking:
        browser = sign_up(booking)
        buyer_id = browser.get(f"{booking.public_url}/api/auth/me", timeout=10).json()["id"]
        assert browser.delete(f"{booking.public_url}/api/auth/me", json={"password": PASSWORD}, timeout=10).status_code == 204
        booking.kill("auth")
        server = http.server.HTTPServer(("127.0.0.1", 0), Ticket)
        server.timeout = 20
        table = json.loads((tmp_path / "hosts.json").read_text())
        (tmp_path / "hosts.json").write_text(json.dumps({**table, "ticket:8000": [f"127.0.0.1:{server.server_address[1]}"]}))
        waiting = threading.Thread(target=server.handle_request)
        waiting.start()
        booking.restart("auth")
        waiting.join(25)
        server.server_close()
    assert [(path, scheme) for path, _key, scheme in told] == [(f"/internal/buyers/{buyer_id}/erase", "Bearer ")]
    assert told[0][1].startswith("outbox-auth-")


@pytest.mark.skipif(sys.platform != "linux", reason="proportional set size is Linux's")
def test_logins_leave_no_memory_behind(booking):
    sign_up(booking, "soo@example.com")
    wrong = {"email": "soo@example.com", "password": "something else"}
    for number in range(20):
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        requests.post(f"{booking.url('auth')}/api/auth/login", json=wrong, headers=headers, timeout=30)
    assert booking.memory_mb("auth") <= 85


def test_a_buyer_of_another_system_is_nobody_here(booking, tmp_path):
    with Booking(["auth"], tmp_path / "other", system="clove-other") as other:
        token = sign_up(other).post(f"{other.public_url}/api/auth/refresh", timeout=10).json()["access_token"]
    response = requests.get(f"{booking.public_url}/api/auth/me", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert response.status_code == 401
    assert response.json()["code"] == "token_invalid"


def test_on_https_the_cookies_say_so(tmp_path):
    with Booking(["auth"], tmp_path, environ={"CLOVE_PUBLIC_URL": "https://phantom.example.com"}) as booking:
        body = {"email": "mina@example.com", "password": PASSWORD, "name": "Mina"}
        response = requests.post(f"{booking.url('auth')}/api/auth/signup", json=body, timeout=10)
    cookies = {line.split("=", 1)[0]: line for line in response.raw.headers.getlist("Set-Cookie")}
    assert set(cookies) == {"__Host-clove_access", "__Secure-clove_refresh", "__Secure-clove_device"}
    assert all("Secure" in line and "HttpOnly" in line for line in cookies.values())
    assert "Domain" not in cookies["__Host-clove_access"]
    assert "Path=/;" in cookies["__Host-clove_access"] + ";"
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
