"""Tickets, their signed codes, and who sees them."""

from __future__ import annotations

import struct
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from booking_templates.ticket import codes
from booking_templates.ticket.models import Ticket

Buy = Callable[..., str]


def test_a_buyer_lists_and_reads_own_tickets(buyer_client: Any, other_buyer_client: Any, buy: Buy) -> None:
    order_id = buy()
    tickets = buyer_client.get("/api/ticket/tickets").json()["tickets"]
    assert len(tickets) == 2
    assert {ticket["order_id"] for ticket in tickets} == {order_id}
    assert set(tickets[0]["place"]) == {"label", "grade", "price_krw", "seat"}
    assert buyer_client.get(f"/api/ticket/tickets/{tickets[0]['id']}").json() == tickets[0]
    assert other_buyer_client.get("/api/ticket/tickets").json() == {"tickets": []}
    for path in (tickets[0]["id"], f"{tickets[0]['id']}/qr.svg", str(uuid.uuid4())):
        assert other_buyer_client.get(f"/api/ticket/tickets/{path}").status_code == 404


def test_the_tickets_of_an_order_come_as_its_places_do(buyer_client: Any, buy: Buy) -> None:
    order_id = buy(seats=3)
    places = [place["label"] for place in buyer_client.get(f"/api/ticket/orders/{order_id}").json()["places"]]
    for number, label in enumerate(places):
        Ticket.objects.filter(label=label).update(id=f"{9 - number}0000000-0000-4000-8000-000000000000")
    shown = [buyer_client.get(f"/api/ticket/orders/{order_id}").json(), buyer_client.get("/api/ticket/orders").json()["orders"][0]]
    assert [[ticket["place"]["label"] for ticket in order["tickets"]] for order in shown] == [places, places]


def test_the_qr_is_a_drawing_that_may_be_embedded_and_nothing_else(buyer_client: Any, buy: Buy) -> None:
    buy()
    ticket = buyer_client.get("/api/ticket/tickets").json()["tickets"][0]
    answer = buyer_client.get(f"/api/ticket/tickets/{ticket['id']}/qr.svg")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert answer.content.startswith(b"<?xml") or answer.content.startswith(b"<svg")
    assert "no-store" in answer["Cache-Control"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_a_cancelled_ticket_has_no_code(buyer_client: Any, buy: Buy) -> None:
    order_id = buy()
    ticket = buyer_client.get("/api/ticket/tickets").json()["tickets"][0]
    buyer_client.post(f"/api/ticket/orders/{order_id}/cancel")
    assert buyer_client.get(f"/api/ticket/tickets/{ticket['id']}").json()["code"] is None
    assert buyer_client.get(f"/api/ticket/tickets/{ticket['id']}/qr.svg").status_code == 410


def test_a_code_is_verified_with_the_published_key_alone(client: Any, buyer_client: Any, buy: Buy) -> None:
    """As a scanner does it, from the format's description."""
    buy(seats=1)
    ticket = buyer_client.get("/api/ticket/tickets").json()["tickets"][0]
    (key,) = client.get("/api/ticket/keys.json").json()["keys"]
    assert "d" not in key
    code = ticket["code"]
    raw = urlsafe_b64decode(code + "=" * (-len(code) % 4))
    payload, signature = raw[:-64], raw[-64:]
    Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key["x"] + "=")).verify(signature, payload)
    version, key_id, identity = struct.unpack("!B8s16s", payload[:25])
    assert (version, key_id.hex(), str(uuid.UUID(bytes=identity))) == (1, key["key_id"], ticket["id"])
    rest, fields = payload[25:], []
    while rest:
        fields.append(rest[1 : 1 + rest[0]].decode())
        rest = rest[1 + rest[0] :]
    assert fields == ["clove-test", "p1", ticket["place"]["seat"]]
    assert len(code) < 250, "small enough for a QR that a phone reads from a phone"


def test_a_code_says_what_was_signed(buyer_client: Any, buy: Buy) -> None:
    buy(seats=1)
    ticket = Ticket.objects.get()
    assert codes.verify(codes.sign(ticket)) == codes.Code(ticket.pk, "clove-test", "p1", ticket.seat)


@pytest.mark.parametrize("index", [0, 3, 12, 30, -70, -1])
def test_a_changed_code_is_refused(buyer_client: Any, buy: Buy, index: int) -> None:
    buy(seats=1)
    code = codes.sign(Ticket.objects.get())
    raw = bytearray(urlsafe_b64decode(code + "=" * (-len(code) % 4)))
    raw[index] ^= 1
    with pytest.raises(codes.CodeInvalid):
        codes.verify(urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode())


@pytest.mark.parametrize("code", ["", "x", "AAAA", "가나다", "A" * 10_000, "!!!!", "https://example.org/"])
def test_nonsense_is_malformed(code: str) -> None:
    with pytest.raises(codes.CodeInvalid):
        codes.verify(code)
