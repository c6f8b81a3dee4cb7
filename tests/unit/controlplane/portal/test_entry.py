"""Signing up, logging in and out, resetting the password."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from controlplane.accounts.middleware import TrueAddress
from controlplane.accounts.models import User
from controlplane.accounts.throttling import SignUpThrottle, client_address
from controlplane.lib.proxies import networks
from tests.unit.controlplane.pages import PASSWORD, client_of, person

pytestmark = pytest.mark.django_db

TYPED = {"name": "판매자", "email": "new@example.kr", "password": PASSWORD, "phone": ""}


@pytest.fixture(autouse=True)
def uncounted(settings) -> None:
    cache.clear()
    settings.MAIL_URL = "smtp://mail.example.com"


@pytest.fixture
def client() -> Client:
    return Client(headers={"Accept-Language": "en"})


def test_signing_up_logs_in_and_leads_to_the_booking_systems(client):
    response = client.post("/signup", TYPED, follow=True)
    assert response.redirect_chain == [("/systems", 302)]
    assert "Open your first event" in response.content.decode()
    assert User.objects.get().name == "판매자"


def test_signing_up_twice_says_that_the_address_is_taken(client):
    client.post("/signup", TYPED)
    response = Client(headers={"Accept-Language": "en"}).post("/signup", TYPED)
    assert response.status_code == 422
    assert "already has an account" in response.content.decode()
    assert User.objects.count() == 1


def test_a_bad_sign_up_keeps_what_was_typed_and_names_the_field(client):
    response = client.post("/signup", {**TYPED, "password": "short"})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'value="new@example.kr"' in page
    assert "too short" in page
    assert 'aria-invalid="true"' in page
    assert "short" not in re.findall(r'value="([^"]*)"', page)


def test_nobody_signs_up_as_an_admin(client):
    client.post("/signup", {**TYPED, "role": "admin", "is_superuser": "1"})
    assert not User.objects.get().is_admin


def test_logging_in_leads_where_one_wanted_to_go(client):
    person("a@example.kr")
    response = client.post("/login?next=/account", {"username": "A@example.kr", "password": PASSWORD, "next": "/account"})
    assert response["Location"] == "/account"


def test_logging_in_leads_nowhere_else(client):
    person("a@example.kr")
    response = client.post("/login", {"username": "a@example.kr", "password": PASSWORD, "next": "https://evil.example/"})
    assert response["Location"] == "/systems"


def test_a_wrong_password_and_an_unknown_address_sound_the_same(client):
    person("a@example.kr")
    wrong = client.post("/login", {"username": "a@example.kr", "password": "nope"})
    unknown = client.post("/login", {"username": "b@example.kr", "password": "nope"})
    assert wrong.status_code == unknown.status_code == 422
    words = "do not belong together"
    assert words in wrong.content.decode()
    assert words in unknown.content.decode()


def test_a_closed_account_does_not_log_in(client):
    person("a@example.kr", is_active=False)
    assert client.post("/login", {"username": "a@example.kr", "password": PASSWORD}).status_code == 422


def test_guessing_is_stopped_for_that_account_and_address_only(client, settings):
    person("a@example.kr")
    person("b@example.kr")
    for number in range(settings.AXES_FAILURE_LIMIT):
        response = client.post("/login", {"username": ("a@example.kr", "A@Example.kr ")[number % 2], "password": "nope"})
    assert response.status_code == 429
    assert response["Retry-After"] == "900"
    assert "Too many attempts" in response.content.decode()
    assert client.post("/login", {"username": "a@example.kr", "password": PASSWORD}).status_code == 429
    assert client.post("/login", {"username": "b@example.kr", "password": PASSWORD}).status_code == 302


def test_logging_out_takes_a_post(seller):
    browser = client_of(seller)
    assert browser.get("/logout").status_code == 405
    assert browser.post("/logout")["Location"] == "/"
    assert browser.get("/systems").status_code == 302


@pytest.mark.parametrize("path", ["/systems", "/systems/new", "/account", "/systems/1", "/systems/1/progress", "/systems/1/history"])
def test_without_a_login_one_is_led_to_it(client, path):
    assert client.get(path)["Location"] == f"/login?next={path}"


def test_a_forgotten_password_is_set_anew_by_mail(client):
    user = person("a@example.kr", name="판매자")
    old = client_of(user)

    assert client.post("/password-reset", {"email": "A@Example.kr"})["Location"] == "/password-reset/sent"
    [sent] = mail.outbox
    assert sent.to == ["a@example.kr"]
    link = re.search(r"http://testserver(/password-reset/\S+)", sent.body)
    assert link
    form = client.get(link[1], follow=True)
    done = client.post(form.redirect_chain[-1][0], {"new_password1": "five other quiet words", "new_password2": "five other quiet words"})

    assert done["Location"] == "/login"
    assert client.post("/login", {"username": "a@example.kr", "password": "five other quiet words"}).status_code == 302
    assert old.get("/systems").status_code == 302
    assert "used up" in Client(headers={"Accept-Language": "en"}).get(link[1], follow=True).content.decode()


def test_a_reset_for_an_unknown_address_looks_the_same_and_sends_nothing(client):
    response = client.post("/password-reset", {"email": "nobody@example.kr"}, follow=True)
    assert "a link is on its way" in response.content.decode()
    assert mail.outbox == []


def test_one_address_makes_only_so_many_accounts_an_hour(client):
    for number in range(20):
        Client().post("/signup", {**TYPED, "password": "short", "email": f"{number}@example.kr"})
    response = client.post("/signup", TYPED)
    assert response.status_code == 429
    assert 3000 < int(response["Retry-After"]) <= 3600
    assert "Too many requests" in response.content.decode()
    assert not User.objects.exists()
    assert Client(REMOTE_ADDR="203.0.113.9").post("/signup", TYPED).status_code == 302


def test_one_address_asks_for_only_so_many_mails_an_hour(client):
    person("kim@example.kr")
    for _ in range(20):
        assert client.post("/password-reset", {"email": "kim@example.kr"}).status_code == 302
    assert client.post("/password-reset", {"email": "kim@example.kr"}).status_code == 429
    assert len(mail.outbox) == 20


@pytest.mark.parametrize(
    ("proxies", "hops", "address"),
    [([], 0, "10.0.0.1"), ([], 1, "203.0.113.9"), (["10.0.0.0/8"], 0, "203.0.113.9"), (["10.1.0.0/16"], 0, "10.0.0.1")],
)
def test_a_header_makes_nobody_another_address_unless_a_proxy_of_ours_wrote_it(rf, settings, proxies, hops, address):
    settings.TRUSTED_PROXIES, settings.PROXIES = networks(proxies), hops
    seen = []

    def view(request):
        seen.append((client_address(request), SignUpThrottle().get_ident(request), "HTTP_X_FORWARDED_FOR" in request.META))
        return HttpResponse()

    TrueAddress(view)(rf.get("/", headers={"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}, REMOTE_ADDR="10.0.0.1"))
    assert seen == [(address, address, False)]


def test_the_addresses_of_one_ipv6_customer_count_as_one(settings):
    def status(address):
        return Client(REMOTE_ADDR=address).post("/password-reset", {"email": "kim@example.kr"}).status_code

    assert [status(f"2001:db8:0:1::{number:x}") for number in range(1, 22)] == [302] * 20 + [429]
    assert status("2001:db8:0:2::1") == 302
    assert [status(address) for address in ("::ffff:192.0.2.1", "192.0.2.2")] == [302, 302]


@pytest.mark.parametrize(("peer", "is_secure"), [("10.0.0.1", True), ("192.0.2.1", False)])
def test_only_a_proxy_of_ours_says_that_it_was_asked_by_https(rf, settings, peer, is_secure):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.TRUSTED_PROXIES = networks(["10.0.0.0/8"])
    seen = []
    request = rf.get("/", headers={"X-Forwarded-Proto": "https"}, REMOTE_ADDR=peer)
    TrueAddress(lambda request: seen.append(request.is_secure()) or HttpResponse())(request)
    assert seen == [is_secure]


def test_those_behind_ones_own_proxy_are_counted_apart_and_a_forged_header_is_not(settings):
    settings.TRUSTED_PROXIES = networks(["127.0.0.1"])

    def status(forwarded, peer="127.0.0.1"):
        return Client(REMOTE_ADDR=peer, headers={"X-Forwarded-For": forwarded}).post("/signup", {**TYPED, "password": "short"}).status_code

    assert {status("203.0.113.9:4711") for _ in range(20)} == {422}
    assert [status("203.0.113.9"), status("198.51.100.7, 203.0.113.9"), status("203.0.113.8")] == [429, 429, 422]
    assert {status(f"203.0.113.{number}", peer="192.0.2.1") for number in range(20)} == {422}
    assert status("203.0.113.77", peer="192.0.2.1") == 429


def test_where_no_mail_is_sent_a_reset_says_who_helps(client, settings):
    settings.MAIL_URL = ""
    person("kim@example.kr")
    for response in (client.get("/password-reset"), client.post("/password-reset", {"email": "kim@example.kr"})):
        page = response.content.decode()
        assert "Ask the people who run this site" in page
        assert 'name="email"' not in page
    assert not mail.outbox


def test_nobody_fills_the_disk_with_a_form(settings, browser):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.UPLOAD_FORM_MAX_SIZE = 10_000, 20_000

    def sent(client, path, size):
        return client.post(path, {"name": "x", "file": SimpleUploadedFile("x.bin", b"x" * size)}).status_code

    assert [sent(Client(), "/login", size) for size in (5_000, 15_000)] == [422, 400]
    assert [sent(browser, "/account/profile", size) for size in (15_000, 25_000)] == [302, 400]
