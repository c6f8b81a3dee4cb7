"""What a ticket was sold with stands wherever somebody has to know it: mail, PDF, lists, archive and the door."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from booking_templates.kit import peers
from booking_templates.kit.db import clock
from booking_templates.kit.peers import PeerResponse
from booking_templates.ticket import codes, papers
from booking_templates.ticket.documents import pdf
from booking_templates.ticket.models import Notice, Order, Ticket
from booking_templates.ticket.notices import read
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
URL = "/api/ticket"
DISABLED = {"id": "disabled", "name": "장애인", "percent": 50, "proof": "복지카드 지참"}


@pytest.fixture(autouse=True)
def order(staff_client: Any, buyer_client: Any, buyer_id: str, seat: FakeSeat, provider: FakeProvider) -> Order:
    """Of two places, the first for half its price."""
    starts = (clock() + timedelta(days=9)).isoformat()
    body = {"title": "오페라의 유령", "performances": [{"id": "p1", "starts_at": starts}], "concessions": [DISABLED]}
    assert staff_client.put(f"{URL}/content", body, content_type=JSON).status_code == 200
    hold = seat.hold(buyer_id)
    wanted = {"hold_id": hold, "concessions": {seat.holds[hold].places[0]["id"]: "disabled"}}
    made = buyer_client.post(f"{URL}/orders", wanted, content_type=JSON).json()
    buyer_client.get(f"{URL}/payments/{made['id']}/approved", {"pg_token": provider.authenticate(tid_of(made["id"]))})
    found = Order.objects.get()
    assert found.state == "ISSUED"
    return found


@pytest.fixture
def reduced(order: Order) -> Ticket:
    return Ticket.objects.exclude(concession="").get()


def test_the_mail_says_what_to_bring(order: Order, seat: FakeSeat, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(peer: str, method: str, path: str, **sent: Any) -> PeerResponse:
        return PeerResponse(404, b"{}") if peer == "event" else seat.call(peer, method, path, **sent)

    monkeypatch.setattr(peers, "call", call)
    notices = list(Notice.objects.all())
    words = read(notices).write(notices[0])
    assert words is not None
    assert "A-1 · R · 장애인 · 75,000" in words.text
    assert "- 장애인: 복지카드 지참" in words.text
    assert "225,000" in words.text


def test_the_pdf_names_it_with_its_proof(order: Order, reduced: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def document(pages: list[pdf.Page], title: str) -> bytes:
        seen.extend(line.text for page in pages for line in page.lines)
        return b"%PDF"

    monkeypatch.setattr(pdf, "document", document)
    papers.as_pdf(list(Ticket.objects.all()), order)
    assert seen.count("장애인 · 복지카드 지참") == 1


def test_lists_and_archive_have_a_column_for_it(staff_client: Any, token_for: Callable[..., str], client_for: Any, order: Order) -> None:
    exported = b"".join(staff_client.get(f"{URL}/attendees.csv", headers={"Accept-Language": "ko"}).streaming_content)
    head, *rows = list(csv.reader(io.StringIO(exported.decode("utf-8-sig"), newline="")))
    at = head.index("권종")
    assert sorted((row[at], row[at + 1]) for row in rows) == [("", "150000"), ("장애인", "75000")]
    archived = client_for(token_for("staff", "archive")).get(f"{URL}/export/tickets").json()["rows"]
    assert sorted((row["concession_id"], row["price_krw"], row["list_price_krw"]) for row in archived) == [
        ("", 150_000, 150_000),
        ("disabled", 75_000, 150_000),
    ]


def test_whoever_stands_at_the_door_is_told_what_to_ask_for(client: Any, staff_client: Any, buyer_client: Any, reduced: Ticket) -> None:
    headers = {"X-Scanner-Key": staff_client.post(f"{URL}/scanners", {"name": "정문"}, content_type=JSON).json()["key"]}
    door = client.get(f"{URL}/door", {"performance": "p1"}, headers=headers).json()
    assert door["concessions"] == [{"name": "장애인", "proof": "복지카드 지참", "tickets": [reduced.pk]}]
    code = codes.sign(reduced)
    answer = client.post(f"{URL}/scans", {"scans": [{"code": code}]}, content_type=JSON, headers=headers).json()["results"][0]
    assert (answer["result"], answer["concession"], answer["proof"]) == ("admitted", "장애인", "복지카드 지참")
    assert client.get(f"{URL}/door", headers=headers).json()["concessions"] == [], "who is in is asked no more"


def test_the_code_does_not_say_it(reduced: Ticket) -> None:
    """Pictures of tickets are passed on, and it says something of a person."""
    plain = codes.sign(reduced)
    reduced.concession = reduced.proof = ""
    assert codes.sign(reduced) == plain


def test_tickets_given_back_are_not_asked_for(client: Any, staff_client: Any, buyer_client: Any, order: Order, reduced: Ticket) -> None:
    refund = {"fee_krw": 0, "tickets": [reduced.pk]}
    assert buyer_client.post(f"{URL}/orders/{order.pk}/refunds", refund, content_type=JSON).status_code == 200
    headers = {"X-Scanner-Key": staff_client.post(f"{URL}/scanners", {"name": "정문"}, content_type=JSON).json()["key"]}
    assert client.get(f"{URL}/door", headers=headers).json()["concessions"] == []
