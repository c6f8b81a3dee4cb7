"""What an organiser gives back by hand is given back once, however often, by whoever and at whatever moment it is asked for."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from booking_templates.ticket import by_hand
from booking_templates.ticket.models import LedgerEntry, OrderRefund, RefundByHand, Ticket
from tests.booking_fakes import FakeProvider
from tests.unit.booking_templates.ticket.giving_back import (
    JSON,
    URL,
    Three,
    booking,
    cancels,
    refund,
    refused,
)


def test_the_same_request_is_done_once_and_answered_alike(staff_client: Any, three: Three, provider: FakeProvider) -> None:
    order_id, tickets = three
    first = refund(staff_client, order_id, tickets[0], key="one")
    again = refund(staff_client, order_id, tickets[0], key="one")
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert refused(refund(staff_client, order_id, tickets[1], key="one")) == (422, "idempotency_key_reused")
    assert refund(staff_client, order_id, tickets[1], key="ONE").status_code == 201, "another key, though a database may think otherwise"
    assert refused(refund(staff_client, order_id, tickets[1], key="two")) == (409, "already_cancelled")
    assert refused(refund(staff_client, order_id, key="x" * 101)) == (422, "idempotency_key_too_long")
    assert cancels(provider, order_id) == [150_000] * 2


@pytest.mark.parametrize("fault", ["lost", "5xx", "unreached", -785])
def test_a_refund_without_an_answer_is_made_once_and_told_when_it_is(
    staff_client: Any, three: Three, provider: FakeProvider, recover: Any, fault: Any
) -> None:
    order_id, tickets = three
    provider.faults |= {"cancel": [fault], "order": ["unreached"]}
    made = refund(staff_client, order_id, tickets[0], key="k")
    assert (made.status_code, made.json()["is_done"]) == (201, False)
    assert (booking(staff_client, order_id)["is_settling"], booking(staff_client, order_id)["refunded_krw"]) == (True, 0)
    assert refused(refund(staff_client, order_id, tickets[1])) == (409, "refund_in_progress")
    assert refund(staff_client, order_id, tickets[0], key="k").status_code == 200
    recover()
    assert cancels(provider, order_id) == [150_000]
    shown = booking(staff_client, order_id)
    assert (shown["is_settling"], shown["refunded_krw"]) == (False, 150_000)
    assert refund(staff_client, order_id, tickets[0], key="k").json()["is_done"]
    assert refund(staff_client, order_id, tickets[1], tickets[2]).status_code == 201
    assert cancels(provider, order_id) == [150_000, 300_000]


@pytest.mark.parametrize("other", ["the buyer", "another of the staff"])
def test_of_two_who_give_the_same_back_one_does(
    staff_client: Any, buyer_client: Any, three: Three, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    order_id, tickets = three
    plain = by_hand.quote
    answers: list[Any] = []

    def meanwhile(*args: Any, **more: Any) -> Any:
        offered = plain(*args, **more)
        monkeypatch.setattr(by_hand, "quote", plain)
        if other == "the buyer":
            answers.append(buyer_client.post(f"{URL}/orders/{order_id}/cancel"))
        else:
            answers.append(refund(staff_client, order_id, tickets[0], key="other"))
        return offered

    monkeypatch.setattr(by_hand, "quote", meanwhile)
    assert refused(refund(staff_client, order_id, tickets[0], key="mine")) == (409, "order_changed")
    assert answers[0].status_code in (200, 201)
    assert cancels(provider, order_id) == [450_000 if other == "the buyer" else 150_000]
    assert refused(refund(staff_client, order_id, tickets[0], key="mine")) == (409, "already_cancelled")


def test_the_same_request_twice_at_once_is_done_once(
    staff_client: Any, three: Three, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id, _tickets = three
    plain = by_hand.quote
    first: list[Any] = []

    def meanwhile(*args: Any, **more: Any) -> Any:
        offered = plain(*args, **more)
        monkeypatch.setattr(by_hand, "quote", plain)
        first.append(refund(staff_client, order_id, key="same"))
        return offered

    monkeypatch.setattr(by_hand, "quote", meanwhile)
    second = refund(staff_client, order_id, key="same")
    assert (first[0].status_code, second.status_code, second.json()) == (201, 200, first[0].json())
    assert cancels(provider, order_id) == [450_000]


def test_the_same_request_that_is_done_just_before_this_one_looks_is_answered_alike(
    staff_client: Any, three: Three, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id, _tickets = three
    plain = by_hand.quote
    first: list[Any] = []

    def after(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(by_hand, "quote", plain)
        first.append(refund(staff_client, order_id, key="same"))
        return plain(*args, **more)

    monkeypatch.setattr(by_hand, "quote", after)
    second = refund(staff_client, order_id, key="same")
    assert (first[0].status_code, second.status_code, second.json()) == (201, 200, first[0].json())
    assert cancels(provider, order_id) == [450_000]


def test_many_at_once_give_each_ticket_back_once(staff_client: Any, buyer_client: Any, three: Three, provider: FakeProvider) -> None:
    order_id, tickets = three
    barrier = threading.Barrier(6)

    def ask(number: int) -> None:
        barrier.wait()
        for ticket in tickets:
            if number % 2:
                refund(staff_client, order_id, ticket, key=f"k-{ticket}")
            else:
                buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 0, "tickets": [ticket]}, content_type=JSON)
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    live = Ticket.objects.filter(order_id=order_id, status="LIVE").count()
    assert sum(cancels(provider, order_id)) == 150_000 * (3 - live)
    assert OrderRefund.objects.count() == 3 - live
    assert RefundByHand.objects.count() == OrderRefund.objects.filter(reason="organiser").count()
    entries = dict.fromkeys(LedgerEntry.objects.filter(kind="refund").values_list("reference", flat=True))
    assert len(entries) == 3 - live
