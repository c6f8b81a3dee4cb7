"""What is kept of what an organiser gave back by hand: in the booking, the archive and the settlement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from booking_templates.kit.db import clock
from booking_templates.ticket.models import RefundByHand, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.giving_back import (
    JSON,
    STANDARD,
    URL,
    Three,
    booking,
    refund,
)


def test_the_booking_tells_who_gave_what_back_and_why(
    staff_client: Any, buyer_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider
) -> None:
    rules(STANDARD, days=5)
    order_id, tickets = three
    Ticket.objects.filter(pk=tickets[2]).update(used_at=clock())
    refund(staff_client, order_id, tickets[0], terms="policy", fee_krw=30_000, why="other", note=" 전화로\n부탁 \u202e")
    buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 30_000, "tickets": [tickets[1]]}, content_type=JSON)
    shown = booking(staff_client, order_id)
    assert (shown["buyer_name"], shown["buyer_phone"], shown["provider"], shown["payment_test"]) == ("김하나", "010-1234", "kakaopay", True)
    assert (shown["total_krw"], shown["refunded_krw"], shown["refusal"]) == (450_000, 240_000, None)
    assert [ticket["status"] for ticket in shown["tickets"]] == ["CANCELLED", "CANCELLED", "LIVE"]
    kinds = [entry["kind"] for entry in shown["history"]]
    assert sorted(kinds) == ["given_back", "given_back", "ordered", "paid", "used"]
    organiser, buyer = (entry for entry in shown["history"] if entry["kind"] == "given_back")
    assert (organiser["reason"], organiser["by"], organiser["why"], organiser["note"]) == ("organiser", "user:1", "other", "전화로 부탁")
    assert (organiser["amount_krw"], organiser["fee_krw"], len(organiser["labels"])) == (120_000, 30_000, 1)
    assert (buyer["reason"], "by" in buyer, "note" in buyer) == ("buyer", False, False)
    assert "전화로" not in buyer_client.get(f"{URL}/orders/{order_id}").content.decode(), "a note is the organiser's own"


def test_a_note_goes_with_the_account_of_its_buyer(
    staff_client: Any, service_client: Any, three: Three, buyer_id: str, provider: FakeProvider
) -> None:
    refund(staff_client, three[0], three[1][0], note="김하나 씨가 아픔")
    assert service_client("auth").post(f"/internal/buyers/{buyer_id}/erase").status_code == 200
    made = RefundByHand.objects.get()
    assert (made.note, made.why, made.staff) == ("", "illness", "user:1")
    assert booking(staff_client, three[0])["buyer_name"] == ""


def test_an_archive_keeps_who_and_why_and_no_note(
    staff_client: Any, buyer_client: Any, client_for: Callable[[str], Any], keys: Any, three: Three, provider: FakeProvider
) -> None:
    refund(staff_client, three[0], three[1][0], why="goodwill", note="김하나 씨")
    buyer_client.post(f"{URL}/orders/{three[0]}/refunds", {"fee_krw": 0, "tickets": [three[1][1]]}, content_type=JSON)
    answer = client_for(keys.staff_token("archive")).get(f"{URL}/export/refunds")
    told = [(row["reason"], row["by"], row["why"]) for row in answer.json()["rows"]]
    assert told == [("organiser", "user:1", "goodwill"), ("buyer", "", "")]
    assert "김하나" not in answer.content.decode()


def test_an_archive_keeps_who_took_back_what_was_free(
    staff_client: Any,
    buyer_client: Any,
    buyer_id: str,
    client_for: Callable[[str], Any],
    keys: Any,
    no_provider: None,
    seat: FakeSeat,
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id, seats=3)}, content_type=JSON).json()
    by_organiser, by_buyer, kept = (ticket["id"] for ticket in order["tickets"])
    refund(staff_client, order["id"], by_organiser, why="charged_twice")
    buyer_client.post(f"{URL}/orders/{order['id']}/refunds", {"fee_krw": 0, "tickets": [by_buyer]}, content_type=JSON)
    rows = client_for(keys.staff_token("archive")).get(f"{URL}/export/tickets").json()["rows"]
    told = {row["id"]: (row["status"], row["by"], row["why"]) for row in rows}
    assert told == {by_organiser: ("CANCELLED", "user:1", "charged_twice"), by_buyer: ("CANCELLED", "", ""), kept: ("LIVE", "", "")}


def test_the_settlement_says_what_the_organiser_gave_back_and_when(
    staff_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider
) -> None:
    rules(STANDARD, days=5)
    order_id, tickets = three
    refund(staff_client, order_id, tickets[0], terms="policy", fee_krw=30_000)
    before = staff_client.get(f"{URL}/settlement").json()
    assert (before["refunded_krw"], before["by_organiser_krw"], before["fees_krw"]) == (120_000, 120_000, 30_000)
    assert before["returning_krw"] == 0
    closed = staff_client.get(f"{URL}/content").json() | {"sales_close_at": timezone.localtime(clock()).isoformat()}
    assert staff_client.put(f"{URL}/content", closed, content_type=JSON).status_code == 200
    refund(staff_client, order_id, tickets[1])
    after = staff_client.get(f"{URL}/settlement").json()
    assert (after["refunded_krw"], after["by_organiser_krw"]) == (120_000, 120_000), "what was closed stays"
    late = after["after_close"]
    assert (late["refunded_krw"], late["by_organiser_krw"], late["fees_krw"]) == (150_000, 150_000, 0)
    summary = staff_client.get(f"{URL}/summary").json()
    assert (summary["refunded_krw"], summary["tickets"]) == (270_000, 1)
