"""Signing in with an OpenID Connect provider: a real one, of django-oauth-toolkit, on another port."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.integration.booking.harness import Booking
from tests.integration.booking.oidc_provider import CLIENT_ID, CLIENT_SECRET, PASSWORD
from tests.ports import free_port

PROGRAM = Path(__file__).with_name("oidc_provider.py")
OWN = "correct horse battery"


class ProviderProcess:
    """The provider at `issuer`; it knows one redirect address."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.directory = directory
        self.issuer = f"http://127.0.0.1:{self.port}/o"

    def start(self, redirect_uri: str) -> None:
        command = [sys.executable, str(PROGRAM), str(self.port), str(self.directory), redirect_uri]
        with open(self.directory / "provider.log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                requests.get(f"{self.issuer}/.well-known/openid-configuration", timeout=2).raise_for_status()
                return
            except requests.RequestException:
                assert self.process.poll() is None, (self.directory / "provider.log").read_text()
                time.sleep(0.05)
        raise AssertionError("the provider did not start: " + (self.directory / "provider.log").read_text())

    def stop(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """A booking system's auth service and the provider it is set up with; the directory of the service has the client's secret."""
    directory = tmp_path_factory.mktemp("oidc")
    provider = ProviderProcess(directory)
    secrets = directory / "auth/etc/clove/secrets"
    secrets.mkdir(parents=True)
    (secrets / "oidc-client-secret").write_text(CLIENT_SECRET)
    environ = {"CLOVE_OIDC_ISSUER": provider.issuer, "CLOVE_OIDC_CLIENT_ID": CLIENT_ID, "CLOVE_OIDC_NAME": "Example ID"}
    with Booking(["auth"], directory, environ=environ) as booking:
        provider.start(f"{booking.public_url}/api/auth/oidc/callback")
        try:
            yield booking
        finally:
            provider.stop()


class Browser:
    """Walks redirects between site and provider, with the cookies of both (`requests` tells them apart by path, not by port)."""

    def __init__(self, booking: Booking) -> None:
        self.base = booking.public_url
        self.site, self.provider = requests.Session(), requests.Session()
        self.site.headers.update({"X-Clove-Request": "1", "Accept-Language": "en"})

    def start(self, query: str = "") -> requests.Response:
        return self.site.get(f"{self.base}/api/auth/oidc/start{query}", allow_redirects=False, timeout=10)

    def at_provider(self, url: str, username: str, password: str = PASSWORD) -> str:
        """Log in at the provider; where it sends the browser back to."""
        page = self.provider.get(url, timeout=10, allow_redirects=False)
        if "/login" in page.headers.get("Location", ""):
            login = f"http://{urlsplit(url).netloc}{page.headers['Location']}"
            page = self.provider.post(login, data={"username": username, "password": password}, timeout=10, allow_redirects=False)
            page = self.provider.get(f"http://{urlsplit(url).netloc}{page.headers['Location']}", timeout=10, allow_redirects=False)
        assert page.status_code == 302, page.text
        return page.headers["Location"]

    def back(self, url: str) -> requests.Response:
        return self.site.get(url, allow_redirects=False, timeout=10)

    def sign_in(self, username: str, query: str = "") -> requests.Response:
        return self.back(self.at_provider(self.start(query).headers["Location"], username))

    def me(self) -> requests.Response:
        return self.site.get(f"{self.base}/api/auth/me", timeout=10)

    def call(self, method: str, path: str, json: object = None) -> requests.Response:
        return self.site.request(method, f"{self.base}/api/auth/{path}", json=json, timeout=10)

    def close_account(self, password: str = "") -> None:
        assert self.call("DELETE", "me", {"password": password}).status_code == 204


@pytest.fixture
def new_browser(system):
    return lambda: Browser(system)


@pytest.fixture
def browser(system):
    one = Browser(system)
    yield one
    body = one.me().json()
    if "id" in body:
        one.close_account(OWN if body["has_password"] else "")


def problem(response):
    assert response.status_code == 303
    target = urlsplit(response.headers["Location"])
    assert target.path == "/login"
    return parse_qs(target.query)["problem"][0]


def test_it_is_offered_by_name(browser):
    offered = browser.call("GET", "options").json()
    assert offered["sign_in"] == [{"name": "Example ID", "path": "/api/auth/oidc/start"}]


def test_the_first_time_opens_an_account_and_the_next_time_finds_it(browser, new_browser):
    response = browser.sign_in("mina", "?next=/performances/p1")
    assert (response.status_code, response.headers["Location"]) == (303, "/performances/p1")
    me = browser.me().json()
    assert (me["email"], me["name"], me["has_password"], me["is_joined"]) == ("mina@example.com", "김미나", False, True)
    again = new_browser()
    assert again.sign_in("mina").headers["Location"] == "/"
    assert again.me().json()["id"] == me["id"]
    assert again.call("POST", "refresh").status_code == 200


def test_the_provider_is_asked_with_pkce_state_and_nonce(browser):
    query = parse_qs(urlsplit(browser.start().headers["Location"]).query)
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["scope"] == ["openid profile email"]
    assert all(len(query[name][0]) >= 30 for name in ("state", "nonce", "code_challenge"))
    other = parse_qs(urlsplit(browser.start().headers["Location"]).query)
    assert other["state"] != query["state"]


def test_an_address_that_the_provider_has_not_verified_is_not_taken_over(browser):
    browser.sign_in("jun")
    assert (browser.me().json()["email"], browser.me().json()["name"]) == ("", "Jun")


def test_somebody_without_name_and_address_is_a_guest(browser):
    browser.sign_in("nameless")
    assert browser.me().json()["name"] in ("Guest", "손님")


def test_an_account_with_that_address_is_not_given_away_but_can_be_joined(browser, new_browser):
    body = {"email": "mina@example.com", "password": OWN, "name": "Mina"}
    assert browser.call("POST", "signup", body).status_code == 201
    stranger = new_browser()
    assert problem(stranger.sign_in("mina")) == "email_taken"
    assert stranger.me().status_code == 401
    assert browser.sign_in("mina", "?join=true&next=/account").headers["Location"] == "/account"
    assert browser.me().json()["is_joined"] is True
    assert stranger.sign_in("mina").headers["Location"] == "/"
    assert stranger.me().json()["id"] == browser.me().json()["id"]


def test_joining_needs_a_login_and_twice_is_fine(browser):
    response = browser.start("?join=true&next=/account")
    assert response.headers["Location"] == "/login?next=%2Faccount"
    browser.call("POST", "signup", {"email": "own@example.com", "password": OWN, "name": "Own"})
    for _ in range(2):
        assert browser.sign_in("jun", "?join=true").status_code == 303
    assert browser.call("DELETE", "oidc/identity").status_code == 204
    assert browser.me().json()["is_joined"] is False


def test_a_sign_in_opens_one_account_only(browser, new_browser):
    browser.sign_in("jun")
    other = new_browser()
    other.call("POST", "signup", {"email": "other@example.com", "password": OWN, "name": "Other"})
    assert problem(other.sign_in("jun", "?join=true")) == "joined_elsewhere"
    other.close_account(OWN)


def test_the_last_way_to_log_in_is_not_taken_away(browser):
    browser.sign_in("mina")
    response = browser.call("DELETE", "oidc/identity")
    assert (response.status_code, response.json()["code"]) == (409, "no_password")
    assert browser.call("POST", "me/password", {"current_password": "", "new_password": OWN}).status_code == 204
    assert browser.call("DELETE", "oidc/identity").status_code == 204


def test_without_an_address_a_password_is_no_way_to_log_in(browser):
    browser.sign_in("jun")
    assert browser.call("POST", "me/password", {"current_password": "", "new_password": OWN}).status_code == 204
    response = browser.call("DELETE", "oidc/identity")
    assert (response.status_code, response.json()["code"]) == (409, "no_email")


def test_a_closed_account_is_not_found_again(browser, new_browser):
    first = new_browser()
    first.sign_in("mina")
    before = first.me().json()["id"]
    first.close_account()
    browser.sign_in("mina")
    assert browser.me().json()["id"] != before


def test_a_code_for_somebody_elses_attempt_logs_nobody_in(browser, new_browser):
    attacker = new_browser()
    gift = attacker.at_provider(attacker.start().headers["Location"], "jun")
    browser.start()
    assert problem(browser.back(gift)) == "outside_expired"
    assert problem(new_browser().back(gift)) == "outside_expired"
    assert browser.me().status_code == 401


def test_a_code_works_once(browser):
    url = browser.at_provider(browser.start().headers["Location"], "jun")
    assert browser.back(url).headers["Location"] == "/"
    assert problem(browser.back(url)) == "outside_expired", "the attempt is used up"


def test_an_invented_code_is_refused(browser):
    state = parse_qs(urlsplit(browser.start().headers["Location"]).query)["state"][0]
    assert problem(browser.back(f"{browser.base}/api/auth/oidc/callback?code=invented&state={state}")) == "outside_refused"


def test_who_changes_their_mind_at_the_provider_is_back_at_the_login(browser):
    state = parse_qs(urlsplit(browser.start("?next=/shop").headers["Location"]).query)["state"][0]
    response = browser.back(f"{browser.base}/api/auth/oidc/callback?error=access_denied&state={state}")
    assert problem(response) == "outside_cancelled"
    assert "next=%2Fshop" in response.headers["Location"]


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/" + "x" * 600, "/a\nb"])
def test_a_login_never_ends_on_another_site(browser, path):
    url = browser.site.prepare_request(requests.Request("GET", f"{browser.base}/api/auth/oidc/start", params={"next": path})).url
    back = browser.at_provider(browser.site.get(url, allow_redirects=False, timeout=10).headers["Location"], "jun")
    assert browser.back(back).headers["Location"] == "/"


def test_while_the_provider_is_away_the_login_page_says_so(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        environ = {"CLOVE_OIDC_ISSUER": f"http://127.0.0.1:{probe.getsockname()[1]}/o", "CLOVE_OIDC_CLIENT_ID": CLIENT_ID}
        with Booking(["auth"], tmp_path, environ=environ) as booking:
            assert problem(Browser(booking).start()) == "outside_unavailable"


def test_the_log_has_neither_codes_nor_names(system):
    log = (system.root / "auth/log").read_text()
    assert "code=" not in log
    assert "mina@" not in log
