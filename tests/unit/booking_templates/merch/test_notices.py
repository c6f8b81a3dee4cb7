"""What buyers of products are told by mail."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from booking_templates.kit import peers
from booking_templates.kit.db import clock
from booking_templates.kit.peers import PeerResponse
from booking_templates.merch import calling_off, notices
from booking_templates.merch.models import Choice, Notice, Order
from booking_templates.merch.notices import courier
from booking_templates.payments import mail_words

JSON = "application/json"
EVENT = {"title": "오페라의 유령", "organiser": {"name": "클로브"}}


@pytest.fixture(autouse=True)
def mails(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was brought to auth."""
    found: list[dict[str, Any]] = []

    def call(peer: str, method: str, path: str, **sent: Any) -> PeerResponse:
        if peer == "event":
            return PeerResponse(200, msgspec.json.encode(EVENT))
        if peer == "ticket":
            return PeerResponse(200, b'{"status": "ISSUED"}')
        assert (peer, path) == ("auth", "/internal/mails")
        if method == "POST":
            found.extend(json.loads(msgspec.json.encode(sent["json"]))["mails"])
        return PeerResponse(200, b'{"sends_mail": true}')

    monkeypatch.setattr(peers, "call", call)
    monkeypatch.setattr(courier, "_resume_at", 0.0)
    mail_words.forget_event()
    return found


def bring(mails: list[dict[str, Any]]) -> list[dict[str, Any]]:
    before = len(mails)
    courier.bring()
    return mails[before:]


def test_an_order_is_confirmed_once(products, order, pay, mails, buyer_id):
    made = order(program=2, ost=1).json()
    assert bring(mails) == [], "nothing is told before it is paid"
    pay(made["id"])
    (mail,) = bring(mails)
    assert (mail["buyer_id"], mail["language"]) == (buyer_id, "en")
    assert mail["subject"] == f"[오페라의 유령] Order confirmed ({made['number']})"
    for said in ("프로그램북 × 2 · 30,000 won", "OST × 1 · 22,000 won", "Total: 52,000 won", f"/shop/orders/{made['id']}", "클로브"):
        assert said in mail["text"]
    assert Order.objects.get().pickup_code not in mail["text"], "the code is for who is logged in"
    assert (bring(mails), Notice.objects.count()) == ([], 0)


def test_without_a_payment_it_says_where_to_pay(products, order, no_provider, mails):
    order(program=1)
    assert "To be paid at the counter." in bring(mails)[0]["text"]


def test_pieces_given_back_are_told_with_what_stays(products, order, pay, mails, buyer_client):
    made = order(program=2, ost=1).json()
    pay(made["id"])
    bring(mails)
    item = next(each["id"] for each in made["items"] if each["product"] == "program")
    body = {"items": [{"item": item, "quantity": 1}]}
    assert buyer_client.post(f"/api/merch/orders/{made['id']}/refunds", body, content_type=JSON).status_code == 200
    (mail,) = bring(mails)
    before, after = mail["text"].split("This stays yours:")
    assert "프로그램북 × 1 · 15,000 won" in before
    assert "Refund: 15,000 won" in before
    assert ("프로그램북 × 1" in after, "OST × 1" in after) == (True, True)


def test_an_order_cancelled_whole_names_what_was_left(products, order, pay, mails, buyer_client):
    made = order(program=2).json()
    pay(made["id"])
    buyer_client.post(f"/api/merch/orders/{made['id']}/cancel")
    _confirmed, cancelled = bring(mails)
    assert "You have cancelled your order." in cancelled["text"]
    assert "프로그램북 × 2 · 30,000 won" in cancelled["text"]
    assert "Refund: 30,000 won" in cancelled["text"]


@pytest.mark.parametrize("is_paid", [True, False])
def test_what_the_organiser_gives_back_by_hand_is_told_without_the_note(is_paid, products, order, mails, staff_client, request):
    pay = request.getfixturevalue("pay" if is_paid else "no_provider")
    made = order(program=2).json()
    if is_paid:
        pay(made["id"])
    bring(mails)
    item = Order.objects.get().items.get().pk
    body = {"why": "fault", "note": "a secret of theirs", "items": [{"item": str(item), "quantity": 1}]}
    assert staff_client.post(f"/api/merch/pickups/{made['id']}/refunds", body, content_type=JSON).status_code == 201
    (mail,) = bring(mails)
    assert "The organiser has taken a part of your order back." in mail["text"]
    assert ("Refund: 15,000 won" in mail["text"], "Nothing was charged" in mail["text"]) == (is_paid, not is_paid)
    assert "secret" not in mail["text"]


def test_what_goes_with_a_performance_called_off_is_told(products, order, pay, mails, buyer_client):
    items = {"items": [{"product": "program", "quantity": 1}], "ticket_order": "0198f1a0-0000-7000-8000-000000000001"}
    made = buyer_client.post("/api/merch/orders", items, content_type=JSON).json()
    pay(made["id"])
    bring(mails)
    calling_off.withdrawn(items["ticket_order"])
    assert calling_off.take_back() == 1
    (mail,) = bring(mails)
    assert "was called off" in mail["text"]
    assert "Refund: 15,000 won" in mail["text"]


def test_who_did_not_pay_in_time_is_told_and_who_gave_up_is_not(products, order, provider, mails, buyer_client, recover):
    late, given_up = order(program=1).json(), order(ost=1).json()
    buyer_client.post(f"/api/merch/orders/{given_up['id']}/cancel")
    recover()
    (mail,) = bring(mails)
    assert late["number"] in mail["subject"]
    assert "not paid for in time" in mail["text"]


def test_a_payment_that_others_cancelled_before_it_was_ordered_is_told_and_booked_as_that(
    products, order, provider, mails, recover, buyer_id
):
    made = order(program=2).json()
    tid = Order.objects.get().tid
    provider.approve(tid=tid, order_id=made["id"], buyer_id=buyer_id, token=provider.authenticate(tid))
    provider.cancel_by_hand(tid, 10_000)
    Order.objects.update(next_at=clock() - timedelta(minutes=1), pay_by=clock())
    recover()
    found = Order.objects.get()
    assert (found.state, found.reason, found.refunded_krw) == ("REFUNDED", "payment_cancelled", 30_000)
    assert sorted(found.entries.values_list("kind", "amount_krw")) == [("capture", 30_000), ("outside", 10_000), ("refund", 20_000)]
    assert Choice.objects.get(product_id="program").sold == 0
    (mail,) = bring(mails)
    assert "Your payment was cancelled at the payment provider before your order was completed" in mail["text"]
    assert "Given back before: 10,000 won\nRefund: 20,000 won" in mail["text"]


def test_the_notice_stands_with_the_order_or_not_at_all(products, order, provider, client, monkeypatch):
    made = order(program=1).json()
    monkeypatch.setattr(notices, "confirmed", lambda _order: ("INSERT INTO nowhere VALUES (%s)", [1]))
    token = provider.authenticate(str(Order.objects.get().tid))
    assert client.get(f"/api/merch/payments/{made['id']}/approved", {"pg_token": token}).status_code in (500, 503)
    assert (Order.objects.get().state, Notice.objects.count()) == ("APPROVING", 0)
