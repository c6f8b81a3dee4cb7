"""Refreshing, reuse, logging out."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connections

from booking_templates.auth import sessions
from booking_templates.auth.models import RefreshToken, Session
from booking_templates.kit.db import db_now
from booking_templates.kit.principal import ACCESS_COOKIE

pytestmark = pytest.mark.django_db


def test_a_refresh_gives_new_tokens_in_place_of_the_old(mina):
    before = mina.cookies["clove_refresh"].value
    response = mina.post("refresh")
    assert response.status_code == 200
    assert response.json()["buyer"]["email"] == "mina@example.com"
    assert mina.cookies["clove_refresh"].value != before
    assert mina.post("refresh").status_code == 200


def test_a_reuse_ends_the_whole_family(mina, new_browser):
    thief = new_browser("198.51.100.1")
    thief.cookies["clove_refresh"] = mina.cookies["clove_refresh"].value
    assert mina.post("refresh").status_code == 200
    response = thief.post("refresh")
    assert response.status_code == 401
    assert response.json()["code"] == "refresh_token_reused"
    response = mina.post("refresh")
    assert response.status_code == 401, "the newest token of the family has ended too"
    assert Session.objects.get().ended_at is not None


def test_a_reuse_leaves_other_devices_alone(mina, new_browser):
    other = new_browser()
    other.log_in()
    stolen = mina.cookies["clove_refresh"].value
    mina.post("refresh")
    mina.cookies["clove_refresh"] = stolen
    assert mina.post("refresh").status_code == 401
    assert other.post("refresh").status_code == 200


KEY = {"Idempotency-Key": "of this renewal"}


def test_the_same_request_again_is_no_second_use(mina):
    lost = mina.cookies["clove_refresh"].value
    assert mina.post("refresh", **KEY).status_code == 200
    newest = mina.cookies["clove_refresh"].value
    mina.cookies["clove_refresh"] = lost  # no answer came
    assert mina.post("refresh", **KEY).status_code == 200
    assert mina.cookies["clove_refresh"].value == newest
    assert mina.post("refresh", **{"Idempotency-Key": "of the next one"}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "of a thief"}])
def test_whoever_does_not_know_the_key_uses_the_token_a_second_time(mina, new_browser, headers):
    thief = new_browser("198.51.100.1")
    thief.cookies["clove_refresh"] = mina.cookies["clove_refresh"].value
    assert mina.post("refresh", **KEY).status_code == 200
    assert thief.post("refresh", **headers).json()["code"] == "refresh_token_reused"
    assert mina.post("refresh").status_code == 401


def test_once_the_next_token_was_used_the_same_request_is_a_second_use(mina):
    first = mina.cookies["clove_refresh"].value
    mina.post("refresh", **KEY)
    mina.post("refresh")
    mina.cookies["clove_refresh"] = first
    assert mina.post("refresh", **KEY).json()["code"] == "refresh_token_reused"


def test_an_ended_login_is_not_renewed_by_the_same_request(mina, new_browser):
    first = mina.cookies["clove_refresh"].value
    mina.post("refresh", **KEY)
    mina.post("logout")
    mina.cookies["clove_refresh"] = first
    assert mina.post("refresh", **KEY).json()["code"] == "token_expired"


def test_a_key_of_any_length_is_not_taken(mina):
    response = mina.post("refresh", **{"Idempotency-Key": "k" * 101})
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_too_long")
    assert mina.post("refresh", **{"Idempotency-Key": "k" * 100}).status_code == 200


def test_a_host_whose_clock_is_slow_gives_tokens_that_are_good(new_browser, monkeypatch):
    browser = new_browser()
    now = time.time
    with monkeypatch.context() as slow:
        slow.setattr(time, "time", lambda: now() - 660)
        browser.sign_up()
    assert browser.get("me").status_code == 200


@pytest.mark.parametrize(("headers", "statuses"), [({}, [200, 409]), (KEY, [200, 200])])
@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_refresh_at_the_same_moment_do_not_end_the_login(new_browser, monkeypatch, headers, statuses):
    """Both have read the token as unused before either uses it: one is served, the other asked to try again with the new cookie, or, where
    they name the same key, given the same.
    """
    browser = new_browser()
    browser.sign_up()
    token = browser.cookies["clove_refresh"].value
    barrier, outcomes = threading.Barrier(2), []
    rotate = sessions._rotate

    def together(found, following):
        barrier.wait(10)
        return rotate(found, following)

    monkeypatch.setattr(sessions, "_rotate", together)

    def go():
        tab = new_browser()
        tab.cookies["clove_refresh"] = token
        response = tab.post("refresh", **headers)
        outcomes.append((response.status_code, tab.cookies["clove_refresh"].value))
        connections.close_all()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (won, newest), (other, same) = sorted(outcomes)
    assert [won, other] == statuses
    assert (same == newest) == (other == 200)
    monkeypatch.setattr(sessions, "_rotate", rotate)
    browser.cookies["clove_refresh"] = newest
    assert browser.post("refresh").status_code == 200


@pytest.mark.parametrize("value", ["", "rubbish", "x" * 5000])
def test_without_a_token_of_ours_there_is_no_login(browser, value):
    if value:
        browser.cookies["clove_refresh"] = value
    response = browser.post("refresh")
    assert response.status_code == 401
    assert response.json()["code"] == "login_required"
    assert response.cookies[ACCESS_COOKIE]["max-age"] == 0
    assert response.cookies["clove_refresh"]["max-age"] == 0


@pytest.mark.parametrize("model", [Session, RefreshToken])
def test_what_has_run_out_is_not_renewed(mina, model):
    model.objects.update(expires_at=db_now() - timedelta(seconds=1))
    response = mina.post("refresh")
    assert response.status_code == 401
    assert response.json()["code"] == "token_expired"


def test_a_refresh_token_lives_no_longer_than_its_session(mina):
    Session.objects.update(expires_at=db_now() + timedelta(hours=1))
    mina.post("refresh")
    newest = RefreshToken.objects.get(used_at=None)
    assert newest.expires_at <= newest.session.expires_at


@pytest.mark.parametrize("path", ["refresh", "logout"])
def test_another_site_can_neither_refresh_nor_log_out(mina, path):
    response = mina.post(path, **{"X-Clove-Request": ""})
    assert response.status_code == 403
    assert response.json()["code"] == "csrf"


def test_logging_out_ends_the_family_and_takes_the_cookies(mina):
    token = mina.cookies["clove_refresh"].value
    response = mina.post("logout")
    assert response.status_code == 204
    assert response.cookies[ACCESS_COOKIE]["max-age"] == 0
    assert response.cookies["clove_refresh"]["max-age"] == 0
    assert response.cookies["clove_refresh"]["path"] == "/api/auth"
    mina.cookies["clove_refresh"] = token
    assert mina.post("refresh").status_code == 401
    assert mina.get("me").status_code == 401


def test_logging_out_twice_or_without_a_login_is_fine(mina, new_browser):
    assert mina.post("logout").status_code == mina.post("logout").status_code == 204
    assert new_browser().post("logout").status_code == 204


def test_an_expired_login_can_still_be_ended(mina):
    mina.cookies[ACCESS_COOKIE] = "expired"
    assert mina.post("logout").status_code == 204
    assert Session.objects.get().ended_at is not None


def test_sessions_that_are_over_are_forgotten_after_a_day(mina, new_browser):
    mina.post("logout")
    sessions.forget_old()
    assert Session.objects.exists(), "a stolen token's use would still be noticed"
    Session.objects.update(ended_at=db_now() - timedelta(days=2))
    sessions.forget_old()
    assert not Session.objects.exists()
    assert not RefreshToken.objects.exists()
