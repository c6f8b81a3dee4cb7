"""An organiser gives a buyer's money back by hand: whole or in part, in full or by the terms; what stands against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from booking_templates.kit.db import clock
from booking_templates.ticket import by_hand, event
from booking_templates.ticket.calling_off import call_off, refund_called_off
from booking_templates.ticket.models import Order, OrderRefund, Performance, RefundByHand, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of
from tests.unit.booking_templates.ticket.giving_back import (
    JSON,
    STANDARD,
    URL,
    Three,
    booking,
    cancels,
    quote,
    refund,
    refused,
)


def test_in_full_all_goes_back_though_it_is_too_late_for_the_buyer(
    staff_client: Any, buyer_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider, seat: FakeSeat, recover: Any
) -> None:
    rules(STANDARD, days=-1)
    order_id, tickets = three
    assert buyer_client.get(f"{URL}/orders/{order_id}").json()["cancellation"]["reason"] == "too_late_to_cancel"
    offered = quote(staff_client, order_id)
    assert (offered["allowed"], offered["fee_krw"], offered["refund_krw"], offered["until"]) == (True, 0, 450_000, None)
    assert [line["ticket"] for line in offered["tickets"]] == tickets, "in the order of the places"
    answer = refund(staff_client, order_id)
    made = answer.json()
    assert (answer.status_code, made["refund_krw"], made["is_done"], sorted(made["tickets"])) == (201, 450_000, True, sorted(tickets))
    shown = buyer_client.get(f"{URL}/orders/{order_id}").json()
    assert (shown["status"], shown["reason"], shown["refunded_krw"]) == ("REFUNDED", "organiser", 450_000)
    assert [sorted(each["tickets"]) for each in shown["by_organiser"]] == [sorted(tickets)]
    assert cancels(provider, order_id) == [450_000]
    recover()
    assert (seat.sold_to(order_id), seat.told_shop) == ([], []), "free for others; the shop's orders are the buyer's own"


@pytest.mark.parametrize(("days", "fee"), [(5, 30_000), (-1, 135_000)], ids=["in time", "after it has begun"])
def test_by_the_terms_the_fee_is_shown_before_and_kept(
    staff_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider, days: int, fee: int
) -> None:
    rules(STANDARD, days=days)
    order_id, tickets = three
    offered = quote(staff_client, order_id, tickets[0], terms="policy")
    assert (offered["allowed"], offered["fee_krw"], offered["refund_krw"]) == (True, fee, 150_000 - fee)
    answer = refund(staff_client, order_id, tickets[0], terms="policy", fee_krw=fee)
    assert (answer.status_code, answer.json()["refund_krw"]) == (201, 150_000 - fee)
    assert cancels(provider, order_id) == [150_000 - fee]
    assert Order.objects.get().state == "ISSUED"


def test_no_fee_is_kept_that_was_not_shown(staff_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider) -> None:
    rules(STANDARD, days=5)
    answer = refund(staff_client, three[0], terms="policy", fee_krw=1)
    assert refused(answer) == (409, "fee_not_agreed")
    assert (answer.json()["fee_krw"], answer.json()["refund_krw"]) == (90_000, 360_000)
    assert refused(refund(staff_client, three[0], terms="full", fee_krw=90_000)) == (409, "fee_not_agreed")
    assert (cancels(provider, three[0]), RefundByHand.objects.count()) == ([], 0)


def test_a_part_goes_back_and_its_place_is_free_and_the_buyer_reads_who_did_it(
    staff_client: Any, buyer_client: Any, three: Three, provider: FakeProvider, seat: FakeSeat, recover: Any
) -> None:
    order_id, tickets = three
    assert refund(staff_client, order_id, tickets[1]).status_code == 201
    recover()
    shown = buyer_client.get(f"{URL}/orders/{order_id}").json()
    assert (shown["status"], shown["reason"], shown["refunded_krw"]) == ("ISSUED", "", 150_000)
    assert [(each["tickets"], each["refund_krw"]) for each in shown["by_organiser"]] == [([tickets[1]], 150_000)]
    assert len(seat.sold_to(order_id)) == 2
    listed = buyer_client.get(f"{URL}/orders").json()["orders"][0]
    assert listed["by_organiser"] == shown["by_organiser"]
    kept = buyer_client.post(f"{URL}/orders/{order_id}/cancel").json()
    assert (kept["status"], kept["reason"], cancels(provider, order_id)) == ("REFUNDED", "buyer", [150_000, 300_000])


def test_one_who_was_let_in_is_given_money_back_only_if_that_is_said(
    staff_client: Any, three: Three, provider: FakeProvider, recover: Any
) -> None:
    order_id, tickets = three
    Ticket.objects.filter(pk=tickets[0]).update(used_at=clock())
    assert quote(staff_client, order_id)["code"] == "already_used"
    assert refused(refund(staff_client, order_id, tickets[0], why="place")) == (409, "already_used")
    assert quote(staff_client, order_id, used="true")["allowed"]
    assert refund(staff_client, order_id, tickets[0], why="place", used=True).status_code == 201
    assert (cancels(provider, order_id), Ticket.objects.get(pk=tickets[0]).status) == ([150_000], "CANCELLED")


def test_one_who_is_let_in_at_this_moment_keeps_the_ticket(
    staff_client: Any, three: Three, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id, tickets = three
    plain = by_hand.quote

    def used_meanwhile(*args: Any, **more: Any) -> Any:
        offered = plain(*args, **more)
        Ticket.objects.filter(pk=tickets[0]).update(used_at=clock())
        return offered

    monkeypatch.setattr(by_hand, "quote", used_meanwhile)
    assert refused(refund(staff_client, order_id)) == (409, "already_used")
    assert (Order.objects.get().state, Ticket.objects.filter(status="LIVE").count()) == ("ISSUED", 3)
    assert not RefundByHand.objects.exists()
    assert not OrderRefund.objects.exists()
    assert cancels(provider, order_id) == []


def test_where_nothing_was_paid_tickets_are_taken_back_and_who_did_it_is_kept(
    staff_client: Any, buyer_client: Any, buyer_id: str, no_provider: None, seat: FakeSeat, recover: Any
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id, seats=2)}, content_type=JSON).json()
    first, second = (ticket["id"] for ticket in order["tickets"])
    assert quote(staff_client, order["id"], first, terms="policy")["refund_krw"] == 0
    made = refund(staff_client, order["id"], first, key="k").json()
    assert (made["refund_krw"], made["is_done"]) == (0, True)
    assert refund(staff_client, order["id"], first, key="k").json() == made
    assert refund(staff_client, order["id"], second).status_code == 201
    shown = buyer_client.get(f"{URL}/orders/{order['id']}").json()
    assert (shown["status"], shown["reason"], len(shown["by_organiser"])) == ("CANCELLED", "organiser", 2)
    told = [(entry["kind"], entry.get("by")) for entry in booking(staff_client, order["id"])["history"]]
    assert told == [("ordered", None), ("given_back", "user:1"), ("given_back", "user:1")]
    assert not OrderRefund.objects.exists()
    recover()
    assert seat.sold_to(order["id"]) == []


def test_of_a_performance_that_was_called_off_nothing_is_given_back_by_hand(
    staff_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider
) -> None:
    rules(STANDARD, days=5)
    call_off("p1", compensation_percent=10)
    order_id, _tickets = three
    assert booking(staff_client, order_id)["refusal"]["code"] == "performance_called_off"
    assert refused(refund(staff_client, order_id)) == (409, "performance_called_off")
    refund_called_off()
    assert (Order.objects.get().compensation_krw, cancels(provider, order_id)) == (45_000, [450_000])


@pytest.mark.parametrize("is_whole", [True, False])
def test_one_that_is_called_off_at_this_moment_gives_back_what_is_owed_with_it(
    staff_client: Any,
    rules: Callable[..., None],
    three: Three,
    provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    is_whole: bool,
) -> None:
    rules(STANDARD, days=5)
    order_id, tickets = three
    plain = by_hand.quote

    def called_off_meanwhile(*args: Any, **more: Any) -> Any:
        offered = plain(*args, **more)
        Performance.objects.update(cancelled_at=clock(), compensation_percent=10)
        return offered

    monkeypatch.setattr(by_hand, "quote", called_off_meanwhile)
    assert refused(refund(staff_client, order_id, *(() if is_whole else tickets[:1]))) == (409, "performance_called_off")
    assert (cancels(provider, order_id), RefundByHand.objects.count(), Order.objects.get().state) == ([], 0, "ISSUED")
    event.forget()
    refund_called_off()
    assert (Order.objects.get().compensation_krw, cancels(provider, order_id)) == (45_000, [450_000])


def test_what_was_given_back_by_hand_is_not_given_back_again_when_it_is_called_off(
    staff_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider
) -> None:
    rules(STANDARD, days=5)
    order_id, tickets = three
    assert refund(staff_client, order_id, tickets[0], terms="policy", fee_krw=30_000).status_code == 201
    call_off("p1", compensation_percent=10)
    refund_called_off()
    assert cancels(provider, order_id) == [120_000, 300_000]


def test_a_payment_whose_outcome_is_not_known_is_waited_for(
    staff_client: Any, buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, recover: Any
) -> None:
    order_id = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    assert refused(refund(staff_client, order_id)) == (409, "not_issued")
    token = provider.authenticate(tid_of(order_id))
    provider.faults |= {"approve": ["lost"], "order": ["unreached"]}
    buyer_client.get(f"{URL}/payments/{order_id}/approved", {"pg_token": token})
    assert refused(refund(staff_client, order_id)) == (409, "payment_in_progress")
    assert booking(staff_client, order_id)["refusal"]["code"] == "payment_in_progress"
    recover()
    assert refund(staff_client, order_id).status_code == 201
    assert cancels(provider, order_id) == [300_000]


def test_what_ended_is_not_given_back_again(staff_client: Any, buyer_client: Any, three: Three, provider: FakeProvider) -> None:
    order_id, tickets = three
    buyer_client.post(f"{URL}/orders/{order_id}/cancel")
    for answer in (refund(staff_client, order_id), refund(staff_client, order_id, tickets[0], used=True, terms="policy")):
        assert refused(answer) == (409, "already_cancelled")
    assert cancels(provider, order_id) == [450_000]
