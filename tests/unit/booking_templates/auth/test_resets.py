"""A forgotten password, by mail."""

from __future__ import annotations

import re
import smtplib
import uuid
from datetime import timedelta

import pytest
from django.core import mail

from booking_templates.auth import outside, resets
from booking_templates.auth.models import Buyer, Identity, PasswordReset
from booking_templates.auth.oidc import Person
from booking_templates.auth.throttle import Caller
from booking_templates.kit.db import db_now

pytestmark = pytest.mark.django_db
NEW = "brand new secret"
ANYWHERE = Caller("203.0.113.7", "")


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.SENDS_MAIL = True


def ask(browser, email="mina@example.com"):
    return browser.post("password-reset", {"email": email})


def token_in(message):
    return re.search(r"/reset-password#(\S+)", message.body).group(1)


def confirm(browser, token, password=NEW):
    return browser.post("password-reset/confirm", {"token": token, "new_password": password})


def test_the_link_in_the_mail_sets_a_new_password(mina, new_browser):
    stranger = new_browser()
    assert ask(stranger).status_code == 202
    assert resets.send_due() == 1
    (message,) = mail.outbox
    assert message.to == ["mina@example.com"]
    assert "http://phantom.localhost:8080/reset-password#" in message.body
    assert confirm(stranger, token_in(message)).status_code == 204
    assert new_browser().log_in(password=NEW).status_code == 200
    assert mina.post("refresh").status_code == 401, "every login has ended"


def test_mail_is_sent_once(mina, new_browser):
    ask(new_browser())
    assert (resets.send_due(), resets.send_due(), len(mail.outbox)) == (1, 0, 1)


def test_it_speaks_the_language_of_who_asked(mina, new_browser):
    ask(new_browser(language="ko"))
    resets.send_due()
    assert mail.outbox[0].subject == "[phantom.localhost] 비밀번호 재설정 안내"
    assert "phantom.localhost 예매 계정" in mail.outbox[0].body
    assert "김미나 님, 안녕하세요." in mail.outbox[0].body


@pytest.mark.parametrize("name", ["Win at evil.example", "http://evil.example/a", "evil。example", "+82 10 1234 5678"])
def test_what_a_stranger_wrote_for_a_name_is_in_no_mail_when_it_leads_somewhere(new_browser, db, name):
    assert new_browser().sign_up(name=name).status_code == 201
    ask(new_browser())
    resets.send_due()
    assert name not in mail.outbox[0].body
    assert mail.outbox[0].body.startswith("Hello,")


@pytest.mark.parametrize("name", ["김미나", "Anne-Marie O'Neill", "José Ñandú"])
def test_a_name_is_greeted(new_browser, db, name):
    assert new_browser().sign_up(name=name).status_code == 201
    ask(new_browser())
    resets.send_due()
    assert mail.outbox[0].body.startswith(f"Hello {name},")


def test_an_unknown_address_is_answered_alike_and_gets_no_mail(mina, new_browser):
    known, unknown = ask(new_browser()), ask(new_browser(), "nobody@example.com")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    assert resets.send_due() == 1


def test_who_opened_an_account_with_somebody_elses_address_is_out_once_its_owner_has_reset_the_password(mina, new_browser):
    """An address is not proven when one signs up; a link that its owner has opened proves it."""
    squatter = Person("https://id.example", "squatter", "", "Squatter")
    outside.join(Buyer.objects.get(email="mina@example.com"), squatter)
    ask(new_browser())
    resets.send_due()
    assert confirm(new_browser(), token_in(mail.outbox[0])).status_code == 204
    assert not Identity.objects.exists()
    assert outside.buyer_of(squatter, ANYWHERE) != Buyer.objects.get(email="mina@example.com")


def test_a_sign_in_that_opened_the_account_stays_when_a_password_is_set_by_mail(browser, db):
    person = Person("https://id.example", "mina", "mina@example.com", "김미나")
    buyer = outside.buyer_of(person, ANYWHERE)
    ask(browser)
    resets.send_due()
    assert confirm(browser, token_in(mail.outbox[0])).status_code == 204
    assert outside.buyer_of(person, ANYWHERE) == buyer


def test_a_link_works_once(mina, new_browser):
    ask(new_browser())
    resets.send_due()
    token = token_in(mail.outbox[0])
    assert confirm(new_browser(), token).status_code == 204
    response = confirm(new_browser(), token, "yet another secret")
    assert response.status_code == 422
    assert response.json()["code"] == "reset_link_invalid"


def test_a_new_password_makes_older_links_useless(mina, new_browser):
    ask(new_browser())
    ask(new_browser())
    resets.send_due()
    first, second = (token_in(message) for message in mail.outbox)
    assert confirm(new_browser(), second).status_code == 204
    assert confirm(new_browser(), first).status_code == 422


def test_a_link_runs_out(mina, new_browser):
    ask(new_browser())
    resets.send_due()
    PasswordReset.objects.update(expires_at=db_now() - timedelta(seconds=1))
    assert confirm(new_browser(), token_in(mail.outbox[0])).status_code == 422


@pytest.mark.parametrize(
    "make", [str, lambda number: f"{number}.", lambda number: f"{number}.{'0' * 40}", lambda _: "rubbish", lambda _: ""]
)
def test_a_link_cannot_be_made_from_the_databases_content(mina, new_browser, make):
    ask(new_browser())
    assert confirm(new_browser(), make(PasswordReset.objects.get().pk)).status_code == 422
    assert confirm(new_browser(), make(uuid.uuid4())).status_code == 422


def test_a_refused_password_leaves_the_link_good(mina, new_browser):
    ask(new_browser())
    resets.send_due()
    token = token_in(mail.outbox[0])
    response = confirm(new_browser(), token, "short")
    assert list(response.json()["errors"]) == ["new_password"]
    assert confirm(new_browser(), token).status_code == 204


def test_nobody_is_flooded_with_mail(mina, new_browser):
    for number in range(10):
        assert ask(new_browser(f"198.51.100.{number}")).status_code == 202
    assert PasswordReset.objects.count() == resets.PER_BUYER
    asker = new_browser("198.51.100.99")
    assert [ask(asker).status_code for _ in range(6)] == [202] * 5 + [429]


def test_asking_for_mail_does_not_hinder_logging_in(mina, new_browser):
    asker = new_browser("198.51.100.99")
    for _ in range(6):
        ask(asker)
    assert asker.log_in().status_code == 200


def test_mail_that_cannot_be_sent_is_tried_again_and_no_address_is_logged(mina, new_browser, settings, caplog, monkeypatch):
    ask(new_browser())
    with monkeypatch.context() as patched:
        patched.setattr(
            "django.core.mail.EmailMessage.send", lambda self: (_ for _ in ()).throw(ConnectionRefusedError("mina@example.com"))
        )
        assert resets.send_due() == 0
    assert "mina" not in caplog.text
    assert resets.send_due() == 1


@pytest.mark.parametrize(("code", "tries"), [(550, 1), (450, 2)])
@pytest.mark.parametrize("is_after_the_text", [False, True], ids=["by its address", "after the text"])
def test_an_address_that_is_refused_keeps_nobody_elses_mail_waiting(mina, new_browser, monkeypatch, code, tries, is_after_the_text):
    new_browser().sign_up("gone@example.com")
    ask(new_browser(), "gone@example.com")
    ask(new_browser())
    send, refused = mail.EmailMessage.send, []
    by_address = smtplib.SMTPRecipientsRefused({"gone@example.com": (code, b"no")})
    refusal = smtplib.SMTPDataError(code, b"no") if is_after_the_text else by_address

    def refuse(message):
        if message.to == ["gone@example.com"]:
            refused.append(message)
            raise refusal
        return send(message)

    monkeypatch.setattr(mail.EmailMessage, "send", refuse)
    assert [resets.send_due(), resets.send_due()] == [1, 0]
    assert [message.to for message in mail.outbox] == [["mina@example.com"]]
    assert len(refused) == tries, "what is final is not tried again"


def test_a_slow_mail_server_does_not_keep_the_worker_beyond_its_lease(mina, new_browser, monkeypatch):
    new_browser().sign_up("jun@example.com")
    ask(new_browser())
    ask(new_browser(), "jun@example.com")
    monkeypatch.setattr(resets, "PASS_S", -1.0)
    assert [resets.send_due(), resets.send_due(), resets.send_due()] == [1, 1, 0]


def test_mails_that_were_given_up_are_no_mails(mina, new_browser):
    for number in range(resets.PER_BUYER):
        ask(new_browser(f"198.51.100.{number}"))
    PasswordReset.objects.update(created_at=db_now() - resets.GIVE_UP - timedelta(seconds=1))  # no mail server answered
    assert resets.send_due() == 0
    ask(new_browser("198.51.100.99"))
    assert resets.send_due() == 1


def test_a_closed_account_gets_no_mail(mina, new_browser):
    from tests.unit.booking_templates.auth.conftest import PASSWORD

    ask(new_browser())
    mina.call("DELETE", "me", {"password": PASSWORD})
    assert resets.send_due() == 0


def test_old_links_are_forgotten(mina, new_browser):
    ask(new_browser())
    PasswordReset.objects.update(expires_at=db_now() - timedelta(days=2))
    resets.forget_old()
    assert not PasswordReset.objects.exists()


def test_without_mail_it_is_not_offered(mina, new_browser, settings):
    assert new_browser().get("options").json()["password_reset"] is True
    settings.SENDS_MAIL = False
    assert new_browser().get("options").json()["password_reset"] is False
    assert ask(new_browser()).status_code == 404
    assert confirm(new_browser(), "x").status_code == 404


@pytest.mark.parametrize("body", [{}, {"email": "x"}, {"email": 1}])
def test_a_wrong_address_is_told(browser, body):
    response = browser.post("password-reset", body)
    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["email"]
