"""One's own account: reading, changing, closing; and that nobody else's is in reach."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from booking_templates.auth import accounts, passwords, sessions
from booking_templates.auth.models import Buyer, RefreshToken, Session
from booking_templates.kit import outbox, peers
from booking_templates.kit.db import db_now
from booking_templates.kit.models import OutboxMessage
from booking_templates.kit.principal import ACCESS_COOKIE
from booking_templates.kit.problems import Unauthorized
from tests.unit.booking_templates.auth.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "brand new secret"


def test_it_is_read_by_cookie_and_by_bearer_token(mina, client_for):
    by_cookie = mina.get("me")
    token = mina.post("refresh").json()["access_token"]
    assert client_for(token).get("/api/auth/me").json() == by_cookie.json()


@pytest.mark.parametrize(("method", "path"), [("GET", "me"), ("PATCH", "me"), ("DELETE", "me"), ("POST", "me/password")])
def test_strangers_and_the_wrong_roles_are_refused(browser, staff_client, client_for, keys, method, path):
    assert browser.call(method, path, {}).status_code == 401
    assert staff_client.generic(method, f"/api/auth/{path}", b"{}", content_type="application/json").status_code == 403
    forged = client_for("forged").generic(method, f"/api/auth/{path}", b"{}", content_type="application/json")
    assert forged.status_code == 401
    nobody = client_for(keys.buyer_token()).generic(method, f"/api/auth/{path}", b"{}", content_type="application/json")
    assert nobody.status_code in (401, 422)


def test_a_token_of_an_account_that_is_not_there_reads_nothing(client_for, keys):
    response = client_for(keys.buyer_token()).get("/api/auth/me")
    assert response.status_code == 401
    assert response.json()["code"] == "account_closed"
    assert client_for(keys.buyer_token("not-a-uuid")).get("/api/auth/me").status_code == 401


def test_name_and_phone_are_changed_and_the_rest_stays(mina):
    response = mina.call("PATCH", "me", {"name": " 김  민아 "})
    assert response.status_code == 200
    assert (response.json()["name"], response.json()["phone"]) == ("김 민아", "01012345678")
    assert mina.call("PATCH", "me", {"phone": None}).json()["phone"] == ""
    assert mina.call("PATCH", "me", {"phone": ""}).json()["phone"] == ""
    assert mina.call("PATCH", "me", {}).json()["name"] == "김 민아"


def test_the_new_name_is_in_the_next_requests_token(mina):
    from booking_templates.kit import tokens
    from booking_templates.kit.principal import ACCESS_COOKIE

    mina.call("PATCH", "me", {"name": "새 이름"})
    assert tokens.verifier().verify(mina.cookies[ACCESS_COOKIE].value, audience="clove-test").name == "새 이름"


def test_the_same_change_twice_is_fine(mina):
    change = {"name": "새 이름", "phone": "010-0000-0000"}
    assert mina.call("PATCH", "me", change).json() == mina.call("PATCH", "me", change).json()


@pytest.mark.parametrize("change", [{"name": ""}, {"name": None}, {"phone": "x"}, {"email": "a@b.kr"}, {"id": "1"}, {"name": "x" * 1001}])
def test_a_wrong_change_is_refused_by_field(mina, change):
    response = mina.call("PATCH", "me", change)
    assert response.status_code == 422
    assert set(response.json()["errors"]) == set(change)
    assert mina.get("me").json()["name"] == "김미나"


def test_one_buyer_changes_nothing_of_another(mina, new_browser):
    other = new_browser()
    other.sign_up("other@example.com", name="Other")
    other.call("PATCH", "me", {"name": "Changed"})
    other.call("DELETE", "me", {"password": PASSWORD})
    assert mina.get("me").json()["name"] == "김미나"


def test_a_change_by_cookie_needs_our_own_page(mina):
    response = mina.call("PATCH", "me", {"name": "x"}, **{"X-Clove-Request": ""})
    assert response.json()["code"] == "csrf"


def test_closing_erases_what_is_personal_and_tells_the_others(mina):
    buyer_id = mina.get("me").json()["id"]
    response = mina.call("DELETE", "me", {"password": PASSWORD})
    assert response.status_code == 204
    buyer = Buyer.objects.get()
    assert (str(buyer.pk), buyer.email, buyer.name, buyer.phone, buyer.password) == (buyer_id, None, "", "", "")
    assert buyer.closed_at is not None
    assert not Session.objects.exists()
    assert not RefreshToken.objects.exists()
    sent = list(OutboxMessage.objects.values_list("peer", "path"))
    assert sorted(sent) == [(peer, f"/internal/buyers/{buyer_id}/erase") for peer in ("merch", "seat", "ticket")]


def test_a_service_that_was_taken_away_is_told_when_it_is_back(mina, settings, monkeypatch):
    """It keeps its data, and with it the buyer's name."""
    whole = settings.ENV
    settings.ENV = replace(whole, peers={name: url for name, url in whole.peers.items() if name != "merch"})
    mina.call("DELETE", "me", {"password": PASSWORD})
    Buyer.objects.update(closed_at=db_now() - accounts.LAST_TOKEN)
    accounts.erase_again()
    told = []
    monkeypatch.setattr(peers, "call", lambda peer, *_args, **_options: told.append(peer) or peers.PeerResponse(200, b"{}"))
    outbox.deliver_due()
    assert sorted(told) == ["seat", "seat", "ticket", "ticket"]
    settings.ENV = whole
    outbox.deliver_due()
    assert told[4:] == ["merch"]
    assert not OutboxMessage.objects.exists()


def test_after_closing_nothing_of_the_login_works(mina, client_for, new_browser):
    token = mina.post("refresh").json()["access_token"]
    refresh = mina.cookies["clove_refresh"].value
    mina.call("DELETE", "me", {"password": PASSWORD})
    assert client_for(token).get("/api/auth/me").json()["code"] == "account_closed"
    mina.cookies["clove_refresh"] = refresh
    assert mina.post("refresh").status_code == 401
    assert new_browser().log_in().status_code == 401


def test_closing_twice_tells_the_others_once(mina, client_for):
    token = mina.post("refresh").json()["access_token"]
    client = client_for(token)
    body = f'{{"password": "{PASSWORD}"}}'.encode()
    first = client.generic("DELETE", "/api/auth/me", body, content_type="application/json")
    second = client.generic("DELETE", "/api/auth/me", body, content_type="application/json")
    assert (first.status_code, second.status_code) == (204, 401)
    assert OutboxMessage.objects.count() == 3


@pytest.mark.parametrize("body", [{"password": "wrong one"}, {"password": ""}, {}])
def test_closing_needs_the_password(mina, body):
    response = mina.call("DELETE", "me", body)
    assert response.status_code == 422
    assert "password" in response.json()["errors"]
    assert mina.get("me").status_code == 200


def test_guessing_the_password_in_a_login_that_was_left_open_has_to_wait(mina):
    codes = [mina.call("DELETE", "me", {"password": "guess"}).status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]


def test_the_address_is_free_again_after_closing_and_is_somebody_new(mina, new_browser):
    before = mina.get("me").json()["id"]
    mina.call("DELETE", "me", {"password": PASSWORD})
    response = new_browser().sign_up()
    assert response.status_code == 201
    assert response.json()["buyer"]["id"] != before


def test_a_new_password_ends_the_other_devices_logins(mina, new_browser):
    other = new_browser()
    other.log_in()
    response = mina.post("me/password", {"current_password": PASSWORD, "new_password": NEW})
    assert response.status_code == 204
    assert mina.post("refresh").status_code == 200, "this device stays"
    assert other.post("refresh").status_code == 401
    assert new_browser().log_in().status_code == 401
    assert new_browser().log_in(password=NEW).status_code == 200


def test_a_new_password_is_held_to_the_rules(mina):
    response = mina.post("me/password", {"current_password": PASSWORD, "new_password": "short"})
    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["new_password"]
    response = mina.post("me/password", {"current_password": "wrong one", "new_password": NEW})
    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["current_password"]


def test_another_buyers_refresh_token_keeps_nothing_alive(mina, new_browser):
    thief = new_browser()
    thief.sign_up("thief@example.com")
    token = mina.post("refresh").json()["access_token"]
    response = mina.client.generic(
        "POST",
        "/api/auth/me/password",
        f'{{"current_password": "{PASSWORD}", "new_password": "{NEW}"}}'.encode(),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}", "Cookie": f"clove_refresh={thief.cookies['clove_refresh'].value}"},
    )
    assert response.status_code == 204
    assert Session.objects.filter(ended_at=None).count() == 1  # the thief's own


def test_what_was_ordered_with_the_last_token_of_a_closed_account_is_erased_too(mina):
    mina.call("DELETE", "me", {"password": PASSWORD})
    OutboxMessage.objects.all().delete()
    accounts.erase_again()
    assert not OutboxMessage.objects.exists(), "another device may still be logged in"

    Buyer.objects.update(closed_at=db_now() - accounts.LAST_TOKEN)
    accounts.erase_again()
    assert sorted(OutboxMessage.objects.values_list("peer", flat=True)) == ["merch", "seat", "ticket"]
    OutboxMessage.objects.all().delete()
    accounts.erase_again()
    assert not OutboxMessage.objects.exists(), "once is enough"


def test_it_is_erased_however_long_nobody_was_there_to_tell_of_it(mina):
    """A booking system may be suspended for a week just after."""
    mina.call("DELETE", "me", {"password": PASSWORD})
    OutboxMessage.objects.all().delete()
    Buyer.objects.update(closed_at=db_now() - timedelta(days=7))
    accounts.erase_again()
    assert OutboxMessage.objects.count() == 3


def test_a_login_made_while_the_account_was_closed_is_not_renewed(mina):
    looked_at = Buyer.objects.get()  # the password was right a moment before
    mina.call("DELETE", "me", {"password": PASSWORD})
    with pytest.raises(Unauthorized):
        sessions.start(looked_at)
    assert not Session.objects.exists(), "nothing of a closed account is left"


def test_a_login_with_the_old_password_does_not_outlive_the_change_that_it_crossed(mina):
    """Looked at before the change and begun after it: ending every session missed this one."""
    looked_at = Buyer.objects.get()
    assert mina.post("me/password", {"current_password": PASSWORD, "new_password": NEW}).status_code == 204
    with pytest.raises(Unauthorized) as refused:
        sessions.start(looked_at)
    assert refused.value.code == "wrong_credentials"
    assert Session.objects.count() == 1, "this device's own"


def test_accounts_without_an_address_are_not_counted_together(new_browser, db):
    """The password of one is asked for again and again: the others close theirs all the same."""
    for name, wrong in (("one", 4), ("two", 4)):
        buyer = Buyer.objects.create(name=name, password=passwords.make(PASSWORD), created_at=db_now())
        browser = new_browser()
        browser.cookies[ACCESS_COOKIE] = sessions.access_token(buyer)
        assert [browser.call("DELETE", "me", {"password": "not it"}).status_code for _ in range(wrong)] == [422] * wrong
    assert browser.call("DELETE", "me", {"password": PASSWORD}).status_code == 204
