"""Opening an account."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from booking_templates.auth import passwords, throttle
from booking_templates.auth.models import Buyer, FailureCount, Session
from booking_templates.kit import tokens
from booking_templates.kit.principal import ACCESS_COOKIE

pytestmark = pytest.mark.django_db


def test_it_opens_an_account_and_logs_in(browser):
    response = browser.sign_up(phone="010 1234-5678")
    assert response.status_code == 201
    body = response.json()
    assert body["buyer"]["email"] == "mina@example.com"
    assert body["buyer"]["name"] == "김미나"
    assert body["buyer"]["phone"] == "01012345678"
    assert body["buyer"]["created_at"].endswith("+09:00")
    assert body["expires_in"] == 600
    claims = tokens.verifier().verify(body["access_token"], audience="clove-test")
    assert (claims.issuer, claims.role, claims.subject, claims.name) == ("clove-test/auth", "buyer", body["buyer"]["id"], "김미나")
    assert browser.get("me").json() == body["buyer"]


def test_the_access_token_says_nothing_of_the_person_but_the_name(browser):
    import base64

    token = browser.sign_up().json()["access_token"]
    payload = base64.urlsafe_b64decode(token.split(".")[1] + "==")
    assert b"example.com" not in payload


def test_cookies_are_out_of_reach_for_scripts_and_other_sites(browser):
    response = browser.sign_up()
    access, refresh = response.cookies[ACCESS_COOKIE], response.cookies["clove_refresh"]
    assert (access["httponly"], access["samesite"], access["path"], access["max-age"]) == (True, "Lax", "/", 600)
    assert (refresh["httponly"], refresh["samesite"], refresh["path"]) == (True, "Strict", "/api/auth")
    assert response["Cache-Control"] == "no-store"


def test_neither_password_nor_tokens_are_stored_as_they_are(real_hashes, browser):
    response = browser.sign_up()
    buyer = Buyer.objects.get()
    assert buyer.password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    refresh = response.cookies["clove_refresh"].value
    from booking_templates.auth.models import RefreshToken

    assert not RefreshToken.objects.filter(digest=refresh).exists()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("email", "", "Enter an e-mail address, such as name@example.com."),
        ("email", "mina", "Enter an e-mail address, such as name@example.com."),
        ("email", "mina@", "Enter an e-mail address, such as name@example.com."),
        ("email", "a" * 260 + "@example.com", None),
        ("email", 7, "This is of the wrong kind."),
        ("password", "short12", "Use at least 8 characters."),
        ("password", "x" * 129, "Use at most 128 characters."),
        ("password", "password1", "This password is among the first that anyone would try. Use another."),
        ("password", "aaaaaaaaaa", "This password is among the first that anyone would try. Use another."),
        ("password", "Mina.Kim@Example.com", "Use something other than your e-mail address or name."),
        ("password", "MINA.KIM", "Use something other than your e-mail address or name."),
        ("name", "  ", "Enter your name."),
        ("name", "가" * 41, "Use at most 40 characters."),
        ("name", "a\u202eb", "Use letters that can be printed."),
        ("phone", "call me", "Enter a phone number, such as 010-1234-5678."),
        ("phone", "1", "Enter a phone number, such as 010-1234-5678."),
        ("is_staff", True, "There is no such field."),
    ],
)
def test_a_wrong_field_is_told_by_name(browser, field, value, message):
    good = {"email": "mina.kim@example.com", "password": "correct horse", "name": "Mina", "phone": "010-1234-5678"}
    response = browser.post("signup", {**good, field: value})
    assert response.status_code == 422
    errors = response.json()["errors"]
    assert set(errors) == {field}
    if message:
        assert errors[field] == [message]
    assert not Buyer.objects.exists()


def test_all_wrong_fields_are_told_at_once_and_in_korean(new_browser):
    response = new_browser(language="ko").post("signup", {"email": "x", "password": "x", "name": "", "phone": "x"})
    assert response.json()["errors"] == {
        "email": ["이메일 주소를 입력해 주세요. 예: name@example.com"],
        "password": ["8자 이상 입력해 주세요."],
        "name": ["이름을 입력해 주세요."],
        "phone": ["전화번호를 입력해 주세요. 예: 010-1234-5678"],
    }
    assert response.json()["title"] == "입력한 내용을 확인해 주세요."


@pytest.mark.parametrize("email", ["mina@example.com", "MINA@Example.COM", " mina@example.com "])
def test_an_address_has_one_account_whatever_its_case(mina, new_browser, email):
    response = new_browser().sign_up(email)
    assert response.status_code == 409
    assert response.json()["code"] == "email_taken"
    assert "email" in response.json()["errors"]
    assert Buyer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_sign_up_at_once_with_one_address_get_one_account(new_browser):
    barrier, answers = threading.Barrier(4), []

    def go():
        one = new_browser()
        barrier.wait()
        answers.append(one.sign_up().status_code)
        connections.close_all()

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409, 409, 409]
    assert Buyer.objects.count() == 1


def test_signing_up_ends_the_login_that_was_there(mina):
    assert mina.sign_up("other@example.com").status_code == 201
    assert Session.objects.filter(ended_at=None).count() == 1


def test_probing_for_addresses_is_slowed_down(mina, new_browser):
    from booking_templates.auth import throttle

    prober = new_browser("198.51.100.1")
    codes = [prober.sign_up().status_code for _ in range(throttle.PER_PLACE + 1)]
    assert codes == [409] * throttle.PER_PLACE + [429]


@pytest.fixture
def few(monkeypatch):
    """Three accounts in a quarter of an hour, five in a day."""
    (short, window, _limit), (long, day, _most) = throttle.SIGN_UPS
    monkeypatch.setattr(throttle, "SIGN_UPS", ((short, window, 3), (long, day, 5)))


def opened(browser, *numbers):
    return [browser.sign_up(email=f"pupil{number}@example.com").status_code for number in numbers]


def test_accounts_by_the_hundred_from_one_address_have_to_wait(new_browser):
    """High, for one address may be a whole school's."""
    assert set(opened(new_browser(), *range(100))) == {201}
    refused = new_browser().sign_up(email="one-more@example.com")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_sign_ups")
    assert 0 < int(refused["Retry-After"]) <= 15 * 60
    assert new_browser("198.51.100.9").sign_up(email="one-more@example.com").status_code == 201, "elsewhere nobody is in the way"
    assert new_browser().log_in(email="pupil7@example.com").status_code == 200, "who has an account gets in"


def test_they_wait_for_the_day_too(few, new_browser):
    assert opened(new_browser(), 1, 2, 3) == [201, 201, 201]
    assert opened(new_browser(), 4) == [429]
    FailureCount.objects.filter(count=3).order_by("ends_at")[:1].get().delete()  # a quarter of an hour goes by
    assert opened(new_browser(), 4, 5) == [201, 201]
    refused = new_browser().sign_up(email="pupil6@example.com")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 23 * 3600


def test_a_customers_whole_ipv6_network_counts_as_one_address(few, new_browser):
    assert [opened(new_browser(f"2001:db8:1:1::{number}"), number) for number in range(1, 4)] == [[201]] * 3
    assert opened(new_browser("2001:db8:1:1:ffff::1"), 4) == [429]
    assert opened(new_browser("2001:db8:1:2::1"), 4) == [201]


def test_what_could_not_be_opened_is_no_account(few, new_browser):
    assert opened(new_browser(), 1, 2) == [201, 201]
    assert {new_browser().sign_up(email="x", password="x").status_code for _ in range(4)} == {422}
    assert opened(new_browser(), 2, 3) == [409, 201]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "fd00::7"])
def test_a_front_that_hides_its_callers_does_not_shut_everybody_out(few, new_browser, address):
    assert opened(new_browser(address), 1, 2, 3, 4, 5, 6) == [201] * 6


def test_the_address_itself_is_not_stored_with_the_count(few, new_browser):
    opened(new_browser("203.0.113.77"), 1)
    assert not FailureCount.objects.filter(key__contains="203.0.113.77").exists()
    assert FailureCount.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_as_many_as_sign_up_at_one_moment_are_opened_as_have_room(few, new_browser, monkeypatch):
    """All have looked at the count before any is counted."""
    barrier = threading.Barrier(8)
    make = passwords.make

    def together(password):
        barrier.wait(20)
        return make(password)

    monkeypatch.setattr(passwords, "make", together)

    def go(number):
        try:
            return opened(new_browser(), number)[0]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        codes = Counter(pool.map(go, range(8)))
    assert codes == {201: 3, 429: 5}
    assert Buyer.objects.count() == 3
