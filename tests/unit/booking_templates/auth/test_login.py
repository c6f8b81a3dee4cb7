"""Logging in, and what guessing meets."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.db import connections

from booking_templates.auth import accounts, passwords, throttle
from booking_templates.auth.models import Buyer, FailureCount
from booking_templates.auth.throttle import Caller
from booking_templates.kit.db import db_now
from booking_templates.kit.problems import TooMany, Unauthorized, Unavailable

pytestmark = pytest.mark.django_db


def test_it_logs_in_by_address_and_password(mina, new_browser):
    other = new_browser()
    response = other.log_in("Mina@Example.com")
    assert response.status_code == 200
    assert response.json()["buyer"]["email"] == "mina@example.com"
    assert other.get("me").status_code == 200


def test_twice_in_a_row_is_fine_and_leaves_one_session(mina):
    from booking_templates.auth.models import Session

    assert mina.log_in().status_code == mina.log_in().status_code == 200
    assert Session.objects.filter(ended_at=None).count() == 1


def test_two_devices_have_a_session_each(mina, new_browser):
    other = new_browser()
    other.log_in()
    assert mina.post("refresh").status_code == other.post("refresh").status_code == 200


def test_an_unknown_address_is_answered_like_a_wrong_password(mina, new_browser):
    wrong = new_browser().log_in(password="something else")
    unknown = new_browser().log_in("nobody@example.com", "something else")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["code"] == "wrong_credentials"
    assert set(wrong.cookies) == set(unknown.cookies) == set()


def test_an_unknown_address_costs_a_hash_too(real_hashes, mina, new_browser, monkeypatch):
    checked = []
    verify = passwords._hasher.verify

    class Counting:
        def verify(self, stored, password):
            checked.append(stored)
            return verify(stored, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    new_browser().log_in("nobody@example.com")
    assert checked == [passwords.NOBODYS]
    new_browser().log_in(password="something else")
    assert len(checked) == 2
    assert checked[0].split("$")[1:4] == checked[1].split("$")[1:4], "the same parameters, so the same time"


def test_hangul_typed_in_parts_is_the_same_password(new_browser):
    import unicodedata

    new_browser().sign_up(password=unicodedata.normalize("NFC", "비밀번호입니다요"))
    assert new_browser().log_in(password=unicodedata.normalize("NFD", "비밀번호입니다요")).status_code == 200


def test_an_old_hash_is_renewed_at_login(real_hashes, mina, new_browser):
    from argon2 import PasswordHasher

    from tests.unit.booking_templates.auth.conftest import PASSWORD

    Buyer.objects.update(password=PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD))
    assert new_browser().log_in().status_code == 200
    assert not passwords.is_outdated(Buyer.objects.get().password)


def test_guessing_from_one_place_has_to_wait(mina, new_browser):
    guesser = new_browser("198.51.100.1")
    for _ in range(throttle.PER_PLACE):
        assert guesser.log_in(password="guess").status_code == 401
    response = guesser.log_in()
    assert response.status_code == 429, "even with the right password"
    assert response.json()["code"] == "too_many_attempts"
    assert 0 < int(response["Retry-After"]) <= throttle.WINDOW.total_seconds() + 1
    assert new_browser("198.51.100.2").log_in().status_code == 200, "another place is free"


def test_the_wait_ends(mina, new_browser):
    guesser = new_browser("198.51.100.1")
    for _ in range(throttle.PER_PLACE):
        guesser.log_in(password="guess")
    FailureCount.objects.update(ends_at=db_now() - timedelta(seconds=1))
    assert guesser.log_in().status_code == 200


def test_a_success_forgets_the_failures_of_its_place(mina, new_browser):
    other = new_browser()
    for _ in range(3):
        for _ in range(throttle.PER_PLACE - 1):
            assert other.log_in(password="typo").status_code == 401
        assert other.log_in().status_code == 200


def test_guessing_one_account_from_many_places_has_to_wait_but_its_owner_does_not(mina, new_browser):
    for number in range(throttle.PER_ACCOUNT):
        assert new_browser(f"198.51.100.{number}").log_in(password="guess").status_code == 401
    assert new_browser("198.51.100.200").log_in().status_code == 429
    assert mina.log_in().status_code == 200, "the owner's browser has logged in before"


def test_a_device_known_to_another_account_is_a_stranger(mina, new_browser):
    other = new_browser()
    other.sign_up("other@example.com")
    for number in range(throttle.PER_ACCOUNT):
        new_browser(f"198.51.100.{number}").log_in(password="guess")
    assert other.log_in("mina@example.com").status_code == 429


def test_a_forged_device_is_a_stranger(mina, new_browser):
    forger = new_browser("198.51.100.9")
    forger.cookies["clove_device"] = "abc." + "0" * 64
    for _ in range(throttle.PER_PLACE):
        forger.log_in(password="guess")
        forger.cookies["clove_device"] = "another." + "0" * 64
    assert forger.log_in().status_code == 429


def test_trying_many_accounts_from_one_address_has_to_wait(new_browser, monkeypatch):
    monkeypatch.setattr(throttle, "PER_ADDRESS", 7)
    sprayer = new_browser("198.51.100.1")
    codes = [sprayer.log_in(f"buyer{number}@example.com", "Spring2027!").status_code for number in range(8)]
    assert codes == [401] * 7 + [429]


def test_a_school_behind_one_address_logs_in_without_waiting(new_browser):
    for number in range(throttle.PER_PLACE + 3):
        one = new_browser("198.51.100.1")
        assert one.sign_up(f"pupil{number}@example.com").status_code == 201
        assert one.log_in(f"pupil{number}@example.com", "typo").status_code == 401
        assert one.log_in(f"pupil{number}@example.com").status_code == 200


def test_an_address_that_the_caller_writes_down_counts_for_nothing(mina, new_browser):
    for number in range(throttle.PER_PLACE):
        new_browser(f"10.0.0.{number}, 198.51.100.1").log_in(password="guess")
    assert new_browser("10.9.9.9, 198.51.100.1").log_in().status_code == 429


@pytest.mark.parametrize("seen", ["198.51.100.{}", "198.51.100.{}:443", "[2001:db8:{}::1]:443", "6.6.6.6, 198.51.100.{}, 10.0.0.9"])
def test_what_a_proxy_of_ones_own_wrote_tells_buyers_apart(mina, new_browser, settings, monkeypatch, seen):
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)
    monkeypatch.setattr(throttle, "PER_ADDRESS", 3)
    for number in range(1, 6):
        assert new_browser(f"{seen.format(number)}, 10.0.0.7").log_in(f"{number}@example.com", "wrong").status_code == 401
    for number in range(6, 9):
        new_browser(f"{seen.format(1)}, 10.0.0.7").log_in(f"{number}@example.com", "wrong")
    assert new_browser(f"{seen.format(1)}, 10.0.0.7").log_in("9@example.com", "wrong").status_code == 429
    assert new_browser(f"{seen.format(2)}, 10.0.0.7").log_in("9@example.com", "wrong").status_code == 401


def test_addresses_of_one_ipv6_network_count_as_one(mina, new_browser):
    for number in range(throttle.PER_PLACE):
        new_browser(f"2001:db8:1:2::{number}").log_in(password="guess")
    assert new_browser("2001:db8:1:2:ffff::1").log_in().status_code == 429
    assert new_browser("2001:db8:1:3::1").log_in().status_code == 200


def test_an_ipv4_address_is_itself_when_it_is_written_as_ipv6(mina, new_browser):
    for _number in range(throttle.PER_PLACE):
        new_browser("::ffff:198.51.100.1").log_in(password="guess")
    assert new_browser("::ffff:198.51.100.2").log_in().status_code == 200
    assert new_browser("198.51.100.1").log_in().status_code == 429


def test_neither_address_nor_account_is_stored_in_clear(mina, new_browser):
    new_browser("198.51.100.1").log_in(password="guess")
    for row in FailureCount.objects.all():
        assert "198" not in row.key or len(row.key) == 64
        assert "mina" not in row.key


def test_old_counts_are_forgotten(mina, new_browser):
    new_browser().log_in(password="guess")
    throttle.forget_old()
    assert FailureCount.objects.exists()
    FailureCount.objects.update(ends_at=db_now() - timedelta(seconds=1))
    throttle.forget_old()
    assert not FailureCount.objects.exists()


def test_when_too_many_hash_at_once_the_rest_is_asked_to_come_back(mina, new_browser, monkeypatch):
    monkeypatch.setattr(passwords, "WAIT_S", 0.01)
    taken = [passwords._room.acquire() for _ in range(passwords.HASHES_AT_ONCE)]
    try:
        response = new_browser().log_in()
    finally:
        for _ in taken:
            passwords._room.release()
    assert response.status_code == 503
    assert response.json()["code"] == "busy"
    assert response["Retry-After"] == "2"


@pytest.mark.parametrize("body", [{}, {"email": "mina@example.com"}, {"email": 1, "password": 2}, {"email": "x", "password": "y", "z": 1}])
def test_a_body_of_the_wrong_shape_is_a_422(browser, body):
    assert browser.post("login", body).status_code == 422


def test_a_form_of_another_site_cannot_log_a_visitor_in(mina, browser):
    text = b'{"email":"mina@example.com","password":"correct horse"}'
    response = browser.client.generic("POST", "/api/auth/login", text, content_type="text/plain")
    assert response.status_code == 415


def test_errors_speak_korean(mina, new_browser):
    response = new_browser(language="ko").log_in(password="something else")
    assert response.json()["detail"] == "이메일 주소나 비밀번호가 맞지 않습니다."


@pytest.mark.django_db(transaction=True)
def test_guesses_of_one_moment_count_each_other(monkeypatch):
    """Each looks at a password while the others do: as many as have room are looked at, and no more."""
    looks, looking, given = [], threading.Barrier(throttle.PER_PLACE), threading.Event()

    def look(password, stored):
        looks.append(password)
        looking.wait(20)
        given.wait(20)
        return False

    monkeypatch.setattr(passwords, "matches", look)
    caller = Caller("198.51.100.7", "")

    def guess(number):
        try:
            accounts.log_in("mina@example.com", f"guess {number}", caller)
        except (Unauthorized, TooMany) as problem:
            return problem.code
        finally:
            if len(looks) == throttle.PER_PLACE:
                given.set()
            connections.close_all()

    with ThreadPoolExecutor(3 * throttle.PER_PLACE) as pool:
        codes = Counter(pool.map(guess, range(3 * throttle.PER_PLACE)))
    assert codes == {"wrong_credentials": throttle.PER_PLACE, "too_many_attempts": 2 * throttle.PER_PLACE}
    assert len(looks) == throttle.PER_PLACE


def test_who_was_asked_to_come_back_has_not_failed(mina, new_browser, monkeypatch):
    def busy(password, stored):
        raise Unavailable("busy", "", retry_after_s=2)

    FailureCount.objects.all().delete()  # of the sign-up
    with monkeypatch.context() as crowded:
        crowded.setattr(passwords, "matches", busy)
        assert {new_browser().log_in().status_code for _ in range(2 * throttle.PER_PLACE)} == {503}
    assert set(FailureCount.objects.values_list("count", flat=True)) <= {0}
    assert new_browser().log_in().status_code == 200


def test_a_success_counts_as_no_failure_of_its_account(mina, new_browser, monkeypatch):
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 3)
    for number in range(6):
        assert new_browser(f"198.51.100.{number}").log_in().status_code == 200
