"""The outside sign-in as a browser walks it, with a provider that says what a test wants."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from booking_templates.auth import oidc, outside, throttle
from booking_templates.auth.models import Buyer, Identity
from booking_templates.auth.oidc import Person
from booking_templates.auth.throttle import Caller
from booking_templates.kit.db import db_now
from booking_templates.kit.problems import Conflict, Unauthorized

pytestmark = pytest.mark.django_db
MINA = Person("https://id.example", "mina", "mina@example.com", "김미나")
NAMELESS = Person("https://id.example", "nameless", "", "")


class Provider:
    """Vouches for `person`, whatever the code."""

    person_now = MINA

    def authorize_url(self, attempt: oidc.Attempt) -> str:
        return f"https://id.example/authorize?{urlencode({'state': attempt.state})}"

    def person(self, code: str, attempt: oidc.Attempt) -> Person:
        return self.person_now


@pytest.fixture(autouse=True)
def provider(settings, monkeypatch):
    settings.OIDC_ISSUER = "https://id.example"
    one = Provider()
    monkeypatch.setattr(oidc, "provider", lambda: one)
    return one


def start(browser):
    """The state of a new attempt."""
    return browser.get("oidc/start?next=/orders")["Location"].rpartition("=")[2]


def come_back(browser, state):
    return browser.get(f"oidc/callback?{urlencode({'code': 'c', 'state': state})}")["Location"]


def test_an_answer_to_an_attempt_that_was_given_up_leaves_the_one_of_now_alone(browser):
    """Two tabs, or an address that somebody else sent."""
    given_up, state = start(browser), start(browser)
    assert come_back(browser, given_up) == "/login?problem=outside_expired"
    assert come_back(browser, state) == "/orders"
    assert browser.get("me").json()["email"] == "mina@example.com"


def test_an_attempt_is_used_once(browser):
    state = start(browser)
    assert come_back(browser, state) == "/orders"
    assert come_back(browser, state) == "/login?problem=outside_expired"


def test_who_has_no_address_keeps_the_only_way_in(browser, provider):
    """A password without an address lets nobody in."""
    provider.person_now = NAMELESS
    come_back(browser, start(browser))
    assert browser.post("me/password", {"current_password": "", "new_password": "quiet river stone"}).status_code == 204
    response = browser.call("DELETE", "oidc/identity")
    assert (response.status_code, response.json()["code"]) == (409, "no_email")
    assert Identity.objects.exists()


def test_who_has_address_and_password_may_do_without(browser):
    come_back(browser, start(browser))
    assert browser.call("DELETE", "oidc/identity").json()["code"] == "no_password"
    assert browser.post("me/password", {"current_password": "", "new_password": "quiet river stone"}).status_code == 204
    assert browser.call("DELETE", "oidc/identity").status_code == 204
    assert not Identity.objects.exists()


def test_an_address_that_somebody_signed_up_with_is_not_handed_over(mina, browser):
    assert come_back(browser, start(browser)) == "/login?problem=email_taken&next=%2Forders"
    with pytest.raises(Conflict):
        outside.buyer_of(MINA, Caller("203.0.113.7", ""))
    assert Buyer.objects.count() == 1


@pytest.mark.parametrize(("site", "joined"), [("same-origin", True), ("cross-site", False), ("same-site", False), ("none", False)])
def test_only_ones_own_page_joins_a_sign_in_to_ones_account(mina, provider, site, joined):
    """Another site may have logged the browser in at the provider as somebody else."""
    provider.person_now = NAMELESS
    response = mina.call("GET", "oidc/start?join=true&next=/account", **{"Sec-Fetch-Site": site})
    assert response["Location"].startswith("https://id.example/") is joined
    if joined:
        assert come_back(mina, response["Location"].rpartition("=")[2]) == "/account"
    assert Identity.objects.exists() is joined


def test_another_site_may_lead_to_the_sign_in_itself(browser):
    response = browser.call("GET", "oidc/start", **{"Sec-Fetch-Site": "cross-site"})
    assert response["Location"].startswith("https://id.example/")


def test_accounts_that_an_outside_sign_in_opens_are_counted_with_those_of_passwords(new_browser, provider, monkeypatch):
    (short, window, _limit), day = throttle.SIGN_UPS
    monkeypatch.setattr(throttle, "SIGN_UPS", ((short, window, 3), day))
    people = [Person("https://id.example", f"pupil-{number}", "", "Pupil") for number in range(4)]

    def come(person, address="203.0.113.7"):
        provider.person_now = person
        browser = new_browser(address)
        return come_back(browser, start(browser))

    assert new_browser().sign_up().status_code == 201
    assert [come(person) for person in people[:2]] == ["/orders"] * 2
    assert come(people[2]) == "/login?problem=too_many_sign_ups&next=%2Forders"
    assert Buyer.objects.count() == 3
    assert Identity.objects.count() == 2
    assert come(people[0]) == "/orders", "who has an account gets in"
    assert new_browser().sign_up(email="jun@example.com").json()["code"] == "too_many_sign_ups"
    assert come(people[2], "198.51.100.9") == "/orders"


def test_an_account_that_closed_meanwhile_is_joined_to_nothing(mina, browser):
    """The sign-in would belong to nobody and open nothing ever again."""
    closing = Buyer.objects.get()
    Buyer.objects.update(closed_at=db_now())
    with pytest.raises(Unauthorized):
        outside.join(closing, NAMELESS)
    assert not Identity.objects.exists()


def test_what_somebody_began_to_join_is_not_joined_by_who_logs_in_after_them(mina, provider):
    """At one screen: the sign-in of the second would open the first one's account."""
    provider.person_now = NAMELESS
    state = mina.client.get("/api/auth/oidc/start?join=true&next=/account")["Location"].rpartition("=")[2]
    mina.sign_up(email="jun@example.com")
    assert come_back(mina, state) == "/login?problem=outside_expired"
    state = mina.client.get("/api/auth/oidc/start?join=true&next=/account")["Location"].rpartition("=")[2]
    mina.post("logout")
    assert come_back(mina, state) == "/login?problem=outside_expired"
    assert not Identity.objects.exists()
