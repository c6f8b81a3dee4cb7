"""Mail about bookings: who may ask for it, each once, to open accounts alone, however the mail server behaves."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from booking_templates.auth import letters
from booking_templates.auth.models import Buyer, Letter
from booking_templates.kit.db import db_now
from tests.unit.booking_templates.auth.conftest import PASSWORD

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture(autouse=True)
def _mail(settings, monkeypatch):
    settings.SENDS_MAIL = True
    settings.MAIL_PER_SECOND = 10
    monkeypatch.setattr(letters, "server", letters._Server())


@pytest.fixture
def server(monkeypatch):
    """A mail server: `server.answers` is what happens to the next mails, None or an error to raise."""

    class Server(EmailBackend):
        answers: list = []

        def send_messages(self, messages):
            answer = Server.answers.pop(0) if Server.answers else None
            if answer is not None:
                raise answer
            return super().send_messages(messages)

    monkeypatch.setattr(letters, "get_connection", Server)
    Server.answers = []
    return Server


@pytest.fixture
def buyer(mina):
    return Buyer.objects.get(email="mina@example.com")


def new_mail(buyer_id, number=1, **more):
    words = {"language": "en", "subject": "Booking confirmed", "text": "Your booking is confirmed."}
    return {"id": f"00000000-0000-7000-8000-{number:012}", "buyer_id": str(buyer_id), **words, **more}


def ask(client, *mails):
    return client.post("/internal/mails", {"mails": list(mails)}, content_type=JSON)


def due_now():
    Letter.objects.filter(next_at__isnull=False).update(next_at=db_now())
    letters.server = letters._Server()


def test_a_mail_is_sent_to_the_buyers_address_in_their_language(service_client, buyer):
    response = ask(service_client("ticket"), new_mail(buyer.pk), new_mail(buyer.pk, 2, language="ko", subject="예매 완료"))
    assert (response.status_code, response.json()) == (200, {"sends_mail": True})
    assert letters.send_due() == 2
    english, korean = mail.outbox
    assert english.to == ["mina@example.com"]
    assert (english.subject, english.attachments) == ("Booking confirmed", [])
    assert english.body.startswith("Hello 김미나,\n\nYour booking is confirmed.\n\n-- \nYou get this mail because")
    assert english.extra_headers["Message-ID"] == "<00000000-0000-7000-8000-000000000001@phantom.localhost>"
    assert korean.body.startswith("김미나 님, 안녕하세요.")


def test_an_id_is_sent_once_however_often_it_comes(service_client, buyer):
    for _ in range(3):
        assert ask(service_client("ticket"), new_mail(buyer.pk)).status_code == 200
        letters.send_due()
    assert len(mail.outbox) == 1


def test_the_words_go_when_it_is_sent(service_client, buyer):
    ask(service_client("merch"), new_mail(buyer.pk, calendar="BEGIN:VCALENDAR"))
    letters.send_due()
    (kept,) = Letter.objects.all()
    assert (kept.subject, kept.text, kept.calendar, kept.next_at) == ("", "", "", None)
    assert mail.outbox[0].attachments[0][:2] == ("event.ics", "BEGIN:VCALENDAR")


@pytest.mark.parametrize("method", ["get", "post"])
def test_none_but_ticket_and_merch_may_ask(service_client, client, buyer_client, staff_client, buyer, method):
    def status(caller):
        sent = {"data": {"mails": [new_mail(buyer.pk)]}, "content_type": JSON} if method == "post" else {}
        return getattr(caller, method)("/internal/mails", **sent).status_code

    assert [status(service_client(name)) for name in ("ticket", "merch", "seat", "web")] == [200, 200, 403, 403]
    # A buyer's or seller's token is none for services, whatever it says.
    assert {status(each) for each in (client, buyer_client, staff_client)} <= {401, 404}


@pytest.mark.parametrize("body", [{}, {"mails": 1}, {"mails": [{"id": "x"}]}, {"mails": [{"id": ""}]}])
def test_bad_input_is_told(service_client, body):
    response = service_client("ticket").post("/internal/mails", body, content_type=JSON)
    assert response.status_code == 422
    assert response.json()["errors"]


def test_closed_accounts_and_pseudonyms_get_none(service_client, mina, buyer):
    waiting = new_mail(buyer.pk)
    ask(service_client("ticket"), waiting)
    assert mina.call("DELETE", "me", {"password": PASSWORD}).status_code == 204
    assert not Letter.objects.exists(), "what was owed goes with the address"
    ask(service_client("ticket"), waiting, new_mail("erased-0123456789", 2), new_mail("00000000-0000-7000-8000-000000000009", 3))
    assert (letters.send_due(), Letter.objects.count()) == (0, 0)


def test_an_account_that_closed_at_that_moment_gets_none(service_client, buyer):
    ask(service_client("ticket"), new_mail(buyer.pk))
    Buyer.objects.update(closed_at=db_now(), email=None)
    assert letters.send_due() == 0
    assert Letter.objects.get().next_at is None


def test_without_mail_it_is_dropped(service_client, buyer, settings):
    settings.SENDS_MAIL = False
    assert service_client("ticket").get("/internal/mails").json() == {"sends_mail": False}
    assert ask(service_client("ticket"), new_mail(buyer.pk)).json() == {"sends_mail": False}
    assert not Letter.objects.exists()


def test_a_line_break_makes_no_header(service_client, buyer):
    ask(service_client("ticket"), new_mail(buyer.pk, subject="Phantom\r\nBcc: all@example.com\u2028x\x00y", language="xx"))
    assert letters.send_due() == 1
    assert mail.outbox[0].subject == "Phantom Bcc: all@example.com x y"
    assert mail.outbox[0].message()["Bcc"] is None


def test_so_many_a_second(service_client, buyer, settings):
    settings.MAIL_PER_SECOND = 2
    ask(service_client("ticket"), *(new_mail(buyer.pk, number) for number in range(5)))
    assert [letters.send_due() for _ in range(4)] == [2, 2, 1, 0]


def test_nobody_is_flooded(service_client, buyer, monkeypatch):
    monkeypatch.setattr(letters, "PER_BUYER", 3)
    ask(service_client("ticket"), *(new_mail(buyer.pk, number) for number in range(2)))
    ask(service_client("ticket"), *(new_mail(buyer.pk, number) for number in range(2, 5)))
    assert Letter.objects.count() == 3


def test_a_server_that_is_away_is_asked_less_and_less_and_nothing_is_lost(service_client, buyer, server):
    ask(service_client("ticket"), new_mail(buyer.pk), new_mail(buyer.pk, 2))
    server.answers = [smtplib.SMTPServerDisconnected("gone"), ConnectionRefusedError()]
    assert letters.send_due() == 0
    assert letters.send_due() == 0
    assert len(server.answers) == 1, "not at once again"
    due_now()
    assert (letters.send_due(), server.answers) == (0, [])
    due_now()
    assert letters.send_due() == 2
    assert len(mail.outbox) == 2


def test_a_letter_that_the_server_dies_of_does_not_stay_the_first(service_client, buyer, server):
    ask(service_client("ticket"), new_mail(buyer.pk), new_mail(buyer.pk, 2, subject="the other"))
    server.answers = [smtplib.SMTPServerDisconnected("gone")]
    letters.send_due()
    letters.server = letters._Server()
    assert letters.send_due() == 1
    assert [each.subject for each in mail.outbox] == ["the other"]


def test_what_is_refused_for_good_is_not_tried_again_and_what_is_for_now_is(service_client, buyer, server, caplog):
    address = "mina@example.com"
    server.answers = [
        smtplib.SMTPRecipientsRefused({address: (550, b"no such user")}),
        smtplib.SMTPRecipientsRefused({address: (451, b"later")}),
        ValueError("a header of two lines"),
    ]
    ask(service_client("ticket"), *(new_mail(buyer.pk, number) for number in range(4)))
    assert letters.send_due() == 1, "nobody else's waits"
    assert list(Letter.objects.order_by("pk").values_list("attempts", flat=True)) == [0, 1, 0, 0]
    assert letters.send_due() == 0
    due_now()
    assert (letters.send_due(), letters.send_due()) == (1, 0)
    assert address not in caplog.text


def test_it_is_given_up_after_days_with_a_line_that_names_nobody(service_client, buyer, caplog):
    ask(service_client("ticket"), new_mail(buyer.pk))
    Letter.objects.update(created_at=db_now() - letters.GIVE_UP - timedelta(minutes=1))
    letters.forget_old()
    assert (letters.send_due(), Letter.objects.get().text) == (0, "")
    assert "mail given up" in caplog.text
    assert "mina" not in caplog.text
    Letter.objects.update(created_at=db_now() - letters.KEEP - timedelta(minutes=1))
    letters.forget_old()
    assert not Letter.objects.exists()


def test_a_clock_that_was_put_back_keeps_nothing_waiting(service_client, buyer):
    ask(service_client("ticket"), new_mail(buyer.pk))
    Letter.objects.update(next_at=db_now() + timedelta(days=300))
    assert letters.send_due() == 1


def test_a_slow_server_does_not_keep_the_worker_beyond_its_lease(service_client, buyer, monkeypatch):
    ask(service_client("ticket"), new_mail(buyer.pk), new_mail(buyer.pk, 2))
    monkeypatch.setattr(letters, "PASS_S", -1.0)
    assert [letters.send_due() for _ in range(3)] == [1, 1, 0]


def test_a_process_that_dies_when_it_has_sent_sends_once_more_under_the_same_name(service_client, buyer, monkeypatch):
    def die(_letter):
        raise KeyboardInterrupt

    ask(service_client("ticket"), new_mail(buyer.pk))
    with monkeypatch.context() as dying:
        dying.setattr(letters, "_done", die)
        with pytest.raises(KeyboardInterrupt):
            letters.send_due()
    assert letters.send_due() == 0, "not at once: who held it may be slow rather than dead"
    due_now()
    assert (letters.send_due(), letters.send_due()) == (1, 0)
    first, again = mail.outbox
    assert first.extra_headers["Message-ID"] == again.extra_headers["Message-ID"]


def test_what_another_process_has_begun_to_send_is_not_sent(service_client, buyer, server, monkeypatch):
    ask(service_client("ticket"), new_mail(buyer.pk), new_mail(buyer.pk, 2))
    other = Letter.objects.order_by("pk")[1]

    class Overtaken(server):
        def send_messages(self, messages):
            Letter.objects.filter(pk=other.pk).update(next_at=db_now() + letters.CLAIM)
            return super().send_messages(messages)

    monkeypatch.setattr(letters, "get_connection", Overtaken)
    assert letters.send_due() == 1
    assert len(mail.outbox) == 1
