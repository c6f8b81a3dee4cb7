"""Buyers get mail, through a real booking system and a real mail server: once, whoever was away, and nothing waits for it."""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, call_off, findings, open_sales, seats_content, settle, until
from tests.mariadb import MariaDB
from tests.needs import need
from tests.ports import free_port
from tests.smtp_server import MailServer

PRODUCTS = [{"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": 30}]
SERVICES = ["auth", "event", "seat", "ticket", "merch"]
ARRIVES_S = 60.0
ORGANISER = {"name": "클로브 공연기획", "phone": "02-123-4567", "email": "help@example.com"}


class Account(Buyer):
    """A buyer with an account, and so with an address."""

    def __init__(self, booking: Booking, mail: MailServer, *, language: str = "en") -> None:
        super().__init__(booking)
        self.address = f"{uuid.uuid4().hex}@example.com"
        self._mail = mail
        body = {"email": self.address, "password": "correct-horse-9", "name": "김하나"}
        answer = self._pool.request("POST", f"{booking.url('auth')}/api/auth/signup", json=body, headers={"X-Clove-Request": "1"})
        assert answer.status == 201, answer.data
        self.id = answer.json()["buyer"]["id"]
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}", "Accept-Language": language}

    def mails(self, count: int) -> list[EmailMessage]:
        """The first COUNT mails, once they have arrived."""
        until(f"{count} mails", lambda: len(self._mail.to(self.address)) >= count, within_s=ARRIVES_S)
        return self._mail.to(self.address)[:count]


def subject_of(mail: EmailMessage) -> str:
    """Without the blank that folding leaves."""
    return str(mail["Subject"]).strip()


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as one:
        yield one


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.slow)])
def booking(mail: MailServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Booking]:
    environ = {"CLOVE_MAIL": mail.url, "SAGA_LEASE_S": "8"}
    if request.param == "sqlite":
        with Booking(SERVICES, tmp_path, environ=environ) as one:
            yield one
        return
    need("mariadb")
    with MariaDB(tmp_path / "server") as server:
        for service in SERVICES:
            server.create(f"clove_{service}")
        with Booking(SERVICES, tmp_path, database=server.url, environ=environ) as one:
            yield one


@pytest.fixture
def content(booking: Booking) -> dict[str, Any]:
    """What is on sale."""
    made = seats_content(performances=2)
    open_sales(booking, made, products=PRODUCTS)
    event = {
        "title": "오페라의 유령",
        "field": "musical",
        "venue": {"name": "샤롯데씨어터"},
        "performances": made["performances"],
        "sales": made["sales"],
        "organiser": ORGANISER,
    }
    put(booking, "event", event)
    return made


def put(booking: Booking, service: str, content: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    answer = urllib3.request("PUT", f"{booking.url(service)}/api/{service}/content", json=content, headers=headers, timeout=30)
    assert answer.status == 200, answer.data


def test_what_buyers_are_told(booking: Booking, mail: MailServer, content: dict[str, Any]) -> None:
    """Bought, given back in part, and called off, each in the buyer's language."""
    english, korean = Account(booking, mail), Account(booking, mail, language="ko")
    order, other = english.buy(seats=["1-1", "1-2"]), korean.buy(seats=["1-3"])
    (confirmed,) = english.mails(1)
    assert confirmed["From"] == "tickets@example.com"
    assert subject_of(confirmed) == f"[오페라의 유령] Booking confirmed ({order['number']})"
    for said in ("Hello 김하나,", "300,000 won", f"{booking.public_url}/orders/{order['id']}", " · ".join(ORGANISER.values())):
        assert said in text_of(confirmed)
    (calendar,) = confirmed.iter_attachments()
    assert (calendar.get_content_type(), "BEGIN:VEVENT" in str(calendar.get_content())) == ("text/calendar", True)
    (told,) = korean.mails(1)
    assert subject_of(told) == f"[오페라의 유령] 예매 완료 ({other['number']})"
    assert "150,000원" in text_of(told)
    for each in (confirmed, told):
        assert not re.search(r"eyJ|token|Bearer", str(each)), "no secret goes by mail"
    assert not [ticket["code"] for ticket in order["tickets"] if ticket["code"] in text_of(confirmed)]

    ticket = order["tickets"][0]["id"]
    answer = english.call("POST", "ticket", f"orders/{order['id']}/refunds", {"fee_krw": 0, "tickets": [ticket]})
    assert answer.status == 200, answer.data
    _first, given_back = english.mails(2)
    assert "Tickets given back" in subject_of(given_back)
    assert "Refund: 150,000 won" in text_of(given_back)
    assert "These stay valid:" in text_of(given_back)

    shop = english.call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 1}]}).json()
    english.come_back(english.press(shop), service="merch")
    bought = english.mails(3)[2]
    assert subject_of(bought) == f"[오페라의 유령] Order confirmed ({shop['number']})"

    call_off(booking, "p1")
    off = english.mails(4)[3]
    assert "Performance called off" in subject_of(off)
    for said in ("Refund: 150,000 won", "Compensation: 15,000 won", ORGANISER["phone"]):
        assert said in text_of(off)
    assert "[오페라의 유령] 공연 취소 안내" in subject_of(korean.mails(2)[1])
    settle(booking)
    assert (len(mail.to(english.address)), len(mail.to(korean.address))) == (4, 2), "each once"
    assert not (violations := findings(booking)).total, str(violations)
    if booking.database_url("auth").startswith("sqlite"):
        with sqlite3.connect(booking.database_path("auth")) as database:
            database.execute("DELETE FROM auth_letter WHERE id = ?", [order["id"]])
        assert findings(booking).counts == {"mail": 1}, "the checker sees who was told nothing"
    for service in ("ticket", "merch", "auth"):
        assert english.address not in booking.log(service)
    for service in ("ticket", "merch"):
        files = booking.database_path(service).parent.glob("db.sqlite3*")
        assert not [file for file in files if english.address.encode() in file.read_bytes()]


def test_mail_waits_for_auth_and_for_its_server_and_nobody_waits_for_mail(
    booking: Booking, mail: MailServer, content: dict[str, Any]
) -> None:
    buyer = Account(booking, mail)
    booking.kill("auth")
    first = buyer.buy(seats=["1-1"])
    assert first["status"] == "ISSUED"
    booking.kill("ticket")
    booking.restart("ticket")
    booking.restart("auth")
    (confirmed,) = buyer.mails(1)
    assert first["number"] in subject_of(confirmed)

    mail.refusals = ["451 later"]
    second = buyer.buy(seats=["1-2"])
    until("it was refused for now", lambda: not mail.refusals, within_s=ARRIVES_S)
    third = buyer.buy(seats=["1-3"])
    assert third["number"] in subject_of(buyer.mails(2)[1]), "nobody else's mail waits"
    assert second["number"] not in str([subject_of(each) for each in mail.mails])


def test_mail_is_sent_when_its_server_is_back_and_auth_was_killed_meanwhile(tmp_path: Path) -> None:
    port = free_port()
    environ = {"CLOVE_MAIL": f"smtp+plain://127.0.0.1:{port}?from=tickets@example.com"}
    with Booking(["auth", "seat", "ticket"], tmp_path, environ=environ) as booking:
        open_sales(booking, seats_content())
        mail = MailServer(port)
        buyer = Account(booking, mail)
        order = buyer.buy(seats=["1-1"])
        assert order["status"] == "ISSUED"
        until("auth has tried", lambda: "mail not sent" in booking.log("auth"), within_s=ARRIVES_S)
        booking.kill("auth")
        with mail:
            booking.restart("auth")
            (confirmed,) = buyer.mails(1)
            assert order["number"] in subject_of(confirmed)


@pytest.mark.slow  # a minute and more: what is put back within it is told to nobody
def test_all_who_booked_a_performance_are_told_that_it_is_moved(booking: Booking, mail: MailServer, content: dict[str, Any]) -> None:
    stays, goes = Account(booking, mail), Account(booking, mail)
    stays.buy(seats=["1-1"])
    goes.buy(seats=["1-1"], performance="p2")
    moved = [dict(each) for each in content["performances"]]
    moved[1]["starts_at"] = (datetime.fromisoformat(moved[1]["starts_at"]) + timedelta(hours=2)).isoformat()
    put(booking, "ticket", {"title": "오페라의 유령", "venue": "샤롯데씨어터", "performances": moved})
    until("it is told", lambda: len(mail.to(goes.address)) == 2, within_s=150)
    assert "Performance moved" in subject_of(goes.mails(2)[1])
    assert len(mail.to(stays.address)) == 1


def test_without_a_mail_server_nothing_piles_up(tmp_path: Path) -> None:
    with Booking(["auth", "seat", "ticket"], tmp_path) as booking:
        open_sales(booking, seats_content())
        buyer = Account(booking, MailServer())
        assert buyer.buy(seats=["1-1"])["status"] == "ISSUED"
        headers = {"Authorization": f"Bearer {booking.service_token('ticket', 'auth')}"}
        answer = urllib3.request("GET", f"{booking.url('auth')}/internal/mails", headers=headers)
        assert answer.json() == {"sends_mail": False}
        until("its notice is gone", lambda: waiting(booking) == 0, within_s=ARRIVES_S)


def waiting(booking: Booking) -> int:
    with sqlite3.connect(booking.database_path("ticket")) as database:
        return int(database.execute("SELECT COUNT(*) FROM ticket_notice").fetchone()[0])
