"""Money that the door took goes back by the organiser, by no click of its buyer, and what was given back is written down once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from booking_templates.kit.db import clock
from booking_templates.ticket import codes, fulfilment, orders
from booking_templates.ticket.calling_off import refund_called_off
from booking_templates.ticket.models import DoorPayment, RefundByHand, Ticket
from booking_templates.ticket.terms import Line, Terms
from tests.booking_fakes import FakeSeat

JSON = "application/json"
URL = "/api/ticket"
Pay = Callable[..., dict[str, Any]]


@pytest.fixture
def tickets(no_provider: None, seat: FakeSeat, buyer_client: Any, buyer_id: str) -> list[Ticket]:
    """Two that are due at the door, of one order."""
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id, seats=2)}, content_type=JSON).json()
    return list(Ticket.objects.filter(order_id=order["id"]).order_by("place"))


@pytest.fixture
def pay(client: Any, staff_client: Any) -> Pay:
    """`pay(ticket, "Gate 1")`: its price is taken there."""
    keys: dict[str, str] = {}
    minutes = iter(range(1_000))

    def run(ticket: Ticket, gate: str = "Gate 1", *, is_paid: bool = True) -> dict[str, Any]:
        if gate not in keys:
            keys[gate] = staff_client.post(f"{URL}/scanners", {"name": gate}, content_type=JSON).json()["key"]
        at = ticket.created_at + timedelta(minutes=next(minutes) - 1_000)
        said = {"code": codes.sign(ticket), "at": at.isoformat(), "is_paid": is_paid}
        headers = {"X-Scanner-Key": keys[gate]}
        answer = client.post(f"{URL}/door/payments", {"payments": [said]}, content_type=JSON, headers=headers)
        assert answer.status_code == 200, answer.content
        return dict(answer.json()["results"][0])

    return run


def till(staff_client: Any) -> tuple[int, int, int]:
    summary = staff_client.get(f"{URL}/summary").json()
    return summary["due_krw"], summary["taken_at_door_krw"], summary["to_give_back_at_door_krw"]


def give_up(client: Any, order_id: str, *tickets: str) -> Any:
    body = {"fee_krw": 0} | ({"tickets": list(tickets)} if tickets else {})
    return client.post(f"{URL}/orders/{order_id}/refunds", body, content_type=JSON)


def by_hand(client: Any, order_id: str, *tickets: str, key: str = "", **wanted: Any) -> Any:
    body = {"fee_krw": 0, "why": "illness", "tickets": list(tickets), **wanted}
    return client.post(f"{URL}/bookings/{order_id}/refunds", body, content_type=JSON, headers={"Idempotency-Key": key} if key else {})


def test_a_buyer_cannot_cancel_what_was_paid_at_the_door(buyer_client: Any, staff_client: Any, tickets: list[Ticket], pay: Pay) -> None:
    order_id, price = tickets[0].order_id, tickets[0].price_krw
    pay(tickets[0])
    shown = buyer_client.get(f"{URL}/orders/{order_id}").json()
    assert (shown["cancellation"]["allowed"], shown["cancellation"]["reason"]) == (False, "paid_at_door")
    assert [(each["due_krw"], each["paid_at_door_krw"]) for each in shown["tickets"]] == [(0, price), (price, 0)]
    quoted = buyer_client.get(f"{URL}/orders/{order_id}/cancellation").json()
    assert (quoted["allowed"], quoted["reason"], quoted["refund_krw"], quoted["at_door_krw"]) == (False, "paid_at_door", 0, price)
    answers = (
        buyer_client.post(f"{URL}/orders/{order_id}/cancel"),
        give_up(buyer_client, order_id),
        give_up(buyer_client, order_id, tickets[0].pk),
    )
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (409, "paid_at_door")
        assert "organiser" in answer.json()["detail"]
    assert Ticket.objects.filter(status="LIVE").count() == 2
    assert till(staff_client) == (price, price, 0)


def test_who_has_not_paid_yet_may_still_give_the_ticket_back(buyer_client: Any, staff_client: Any, tickets: list[Ticket], pay: Pay) -> None:
    pay(tickets[0])
    assert give_up(buyer_client, tickets[0].order_id, tickets[1].pk).status_code == 200
    assert till(staff_client) == (0, tickets[0].price_krw, 0)
    pay(tickets[0], is_paid=False)
    assert buyer_client.post(f"{URL}/orders/{tickets[0].order_id}/cancel").status_code == 200, "it was not paid after all"


def test_a_door_that_takes_it_at_this_moment_comes_first(
    buyer_client: Any, staff_client: Any, tickets: list[Ticket], pay: Pay, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = tuple(Line(ticket, 0) for ticket in tickets)
    pay(tickets[1])
    monkeypatch.setattr(orders, "quote", lambda order, chosen: Terms(None, lines))  # as it was a moment before
    answer = give_up(buyer_client, tickets[0].order_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "paid_at_door")
    assert Ticket.objects.filter(status="LIVE").count() == 2
    assert till(staff_client) == (tickets[0].price_krw, tickets[0].price_krw, 0)


def test_the_organiser_gives_it_back_by_hand_and_that_is_written_down(
    buyer_client: Any, staff_client: Any, client_for: Any, token_for: Any, tickets: list[Ticket], pay: Pay
) -> None:
    order_id, price = tickets[0].order_id, tickets[0].price_krw
    pay(tickets[0])
    quoted = staff_client.get(f"{URL}/bookings/{order_id}/quote", {"terms": "policy"}).json()
    assert (quoted["allowed"], quoted["refund_krw"], quoted["fee_krw"], quoted["at_door_krw"]) == (True, 0, 0, price)

    for _ in range(2):
        made = by_hand(staff_client, order_id, tickets[0].pk, key="case-1", at_door_krw=price)
        assert made.json()["at_door_krw"] == price
    assert made.status_code == 200
    assert till(staff_client) == (price, 0, 0)
    row, given_back = RefundByHand.objects.get(), DoorPayment.objects.get(is_paid=False)
    assert (row.at_door_krw, row.amount_krw, given_back.amount_krw, given_back.staff) == (price, 0, price, row.staff)

    seen = staff_client.get(f"{URL}/bookings/{order_id}").json()
    assert [(each["kind"], each.get("amount_krw", 0)) for each in seen["history"]][1:] == [
        ("door_paid", price),
        ("given_back", 0),
        ("door_given_back", price),
    ]
    shown = buyer_client.get(f"{URL}/orders/{order_id}").json()
    assert [each["at_door_krw"] for each in shown["by_organiser"]] == [price]
    statement = staff_client.get(f"{URL}/settlement").json()
    assert [statement[name] for name in ("due_krw", "taken_at_door_krw", "to_give_back_at_door_krw")] == [price, 0, 0]
    assert pay(tickets[0], is_paid=False)["result"] == "cancelled"
    assert till(staff_client) == (price, 0, 0), "it went back once, whatever a scanner says later"


def test_only_what_was_seen_is_given_back(staff_client: Any, tickets: list[Ticket], pay: Pay) -> None:
    order_id, price = tickets[0].order_id, tickets[0].price_krw
    pay(tickets[0])
    for seen in (0, price - 1, 2 * price):
        answer = by_hand(staff_client, order_id, tickets[0].pk, at_door_krw=seen)
        assert (answer.status_code, answer.json()["code"], answer.json()["at_door_krw"]) == (409, "at_door_not_agreed", price)
    assert by_hand(staff_client, order_id, tickets[0].pk, at_door_krw=-1).status_code == 422
    assert not RefundByHand.objects.exists()
    assert till(staff_client) == (price, price, 0)


def test_what_a_door_says_while_it_is_given_back_is_looked_at_again(
    staff_client: Any, tickets: list[Ticket], pay: Pay, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdraw = fulfilment.Tickets.record_withdrawal

    def meanwhile(*args: Any) -> None:
        Ticket.objects.filter(pk=tickets[0].pk).update(paid_at_door_at=clock(), paid_at_door_with="Gate 1")
        withdraw(*args)

    monkeypatch.setattr(fulfilment.Tickets, "record_withdrawal", meanwhile)
    answer = by_hand(staff_client, tickets[0].order_id, tickets[0].pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "order_changed")
    assert (Ticket.objects.filter(status="LIVE").count(), RefundByHand.objects.count()) == (2, 0)


def test_what_is_called_off_leaves_the_money_to_be_given_back(
    staff_client: Any, buyer_client: Any, tickets: list[Ticket], pay: Pay
) -> None:
    price = tickets[0].price_krw
    starts = (clock() + timedelta(days=5)).isoformat()
    staff_client.put(f"{URL}/content", {"title": "t", "performances": [{"id": "p1", "starts_at": starts}]}, content_type=JSON)
    pay(tickets[0])
    assert staff_client.post(f"{URL}/performances/p1/cancellation", {}, content_type=JSON).status_code == 200
    refund_called_off()
    assert till(staff_client) == (0, price, price)
    statement = staff_client.get(f"{URL}/settlement").json()
    assert [statement[name] for name in ("due_krw", "taken_at_door_krw", "to_give_back_at_door_krw")] == [0, price, price]
    shown = buyer_client.get(f"{URL}/orders/{tickets[0].order_id}").json()
    assert [each["paid_at_door_krw"] for each in shown["tickets"]] == [price, 0]
    pay(tickets[0], is_paid=False)
    assert till(staff_client) == (0, 0, 0)


def owed(staff_client: Any) -> list[dict[str, Any]]:
    found = staff_client.get(f"{URL}/door/owed").json()
    assert (found["total"], found["total_krw"]) == (len(found["payments"]), sum(each["amount_krw"] for each in found["payments"]))
    assert found["total_krw"] == till(staff_client)[2]
    return list(found["payments"])


def say_given_back(client: Any, *payments: int) -> list[str]:
    answer = client.post(f"{URL}/door/given-back", {"payments": list(payments)}, content_type=JSON)
    assert answer.status_code == 200, answer.content
    return [each["result"] for each in answer.json()["payments"]]


def test_a_ticket_that_two_doors_took_is_listed_until_the_second_is_given_back(staff_client: Any, tickets: list[Ticket], pay: Pay) -> None:
    price = tickets[0].price_krw
    pay(tickets[0], "Gate 1")
    assert owed(staff_client) == []
    assert pay(tickets[0], "Gate 2")["result"] == "paid_before"
    (second,) = owed(staff_client)
    assert (second["why"], second["amount_krw"], second["scanner"], second["first_with"]) == ("twice", price, "Gate 2", "Gate 1")
    assert (second["ticket_id"], second["order_id"], second["label"]) == (tickets[0].pk, tickets[0].order_id, tickets[0].label)

    first = DoorPayment.objects.get(scanner="Gate 1").pk
    assert say_given_back(staff_client, first) == ["not_owed"], "by it the ticket is paid"
    assert say_given_back(staff_client, second["id"], 4_711, second["id"]) == ["given_back", "unknown"]
    assert say_given_back(staff_client, second["id"]) == ["given_back"]
    assert (owed(staff_client), till(staff_client)) == ([], (price, price, 0))
    row = DoorPayment.objects.get(gives_back=second["id"])
    assert (row.is_paid, row.has_changed, row.amount_krw, bool(row.staff)) == (False, False, price, True)


def test_what_was_given_back_a_scanner_cannot_take_back_once_more(staff_client: Any, tickets: list[Ticket], pay: Pay) -> None:
    price = tickets[0].price_krw
    pay(tickets[0], "Gate 1")
    pay(tickets[0], "Gate 2")
    say_given_back(staff_client, owed(staff_client)[0]["id"])
    assert pay(tickets[0], "Gate 2", is_paid=False)["result"] == "paid"
    assert till(staff_client) == (price, price, 0)
    assert pay(tickets[0], "Gate 1", is_paid=False)["result"] == "due"
    assert till(staff_client) == (2 * price, 0, 0)


def test_what_a_scanner_took_back_is_not_given_back_besides(staff_client: Any, tickets: list[Ticket], pay: Pay) -> None:
    pay(tickets[0], "Gate 1")
    pay(tickets[0], "Gate 2")
    (second,) = owed(staff_client)
    pay(tickets[0], "Gate 2", is_paid=False)
    assert say_given_back(staff_client, second["id"]) == ["not_owed"]
    assert (owed(staff_client), till(staff_client)) == ([], (tickets[0].price_krw, tickets[0].price_krw, 0))


def test_money_for_cancelled_tickets_is_listed_with_why(staff_client: Any, buyer_client: Any, tickets: list[Ticket], pay: Pay) -> None:
    price = tickets[0].price_krw
    give_up(buyer_client, tickets[0].order_id, tickets[1].pk)
    pay(tickets[1])
    (late,) = owed(staff_client)
    assert (late["why"], late["ticket_id"], late["first_at"]) == ("cancelled", tickets[1].pk, None)
    starts = (clock() + timedelta(days=5)).isoformat()
    staff_client.put(f"{URL}/content", {"title": "t", "performances": [{"id": "p1", "starts_at": starts}]}, content_type=JSON)
    pay(tickets[0], "Gate 1")
    pay(tickets[0], "Gate 2")
    staff_client.post(f"{URL}/performances/p1/cancellation", {}, content_type=JSON)
    refund_called_off()
    assert sorted((each["why"], each["scanner"]) for each in owed(staff_client) if each["ticket_id"] == tickets[0].pk) == [
        ("called_off", "Gate 1"),
        ("called_off", "Gate 2"),
    ]
    assert till(staff_client) == (0, 3 * price, 3 * price)
    assert say_given_back(staff_client, *(each["id"] for each in owed(staff_client))) == ["given_back"] * 3
    assert (owed(staff_client), till(staff_client)) == ([], (0, 0, 0))
    assert not Ticket.objects.filter(paid_at_door_at__isnull=False).exists()


def test_what_was_taken_besides_stays_owed_when_the_ticket_is_given_back_by_hand(
    staff_client: Any, tickets: list[Ticket], pay: Pay
) -> None:
    price = tickets[0].price_krw
    pay(tickets[0], "Gate 1")
    pay(tickets[0], "Gate 2")
    assert by_hand(staff_client, tickets[0].order_id, tickets[0].pk, at_door_krw=price).status_code == 201
    assert [(each["why"], each["scanner"]) for each in owed(staff_client)] == [("cancelled", "Gate 2")]


def test_who_may_see_and_say_what_is_to_be_given_back(client: Any, buyer_client: Any, client_for: Any, token_for: Any) -> None:
    for reader in (client, buyer_client, client_for(token_for("staff", "summary"))):
        assert reader.get(f"{URL}/door/owed").status_code in (401, 403)
        assert reader.post(f"{URL}/door/given-back", {"payments": [1]}, content_type=JSON).status_code in (401, 403)
    at_door, content = (client_for(token_for("staff", scope)) for scope in ("attendees", "content"))
    assert at_door.get(f"{URL}/door/owed").status_code == 200
    assert at_door.post(f"{URL}/door/given-back", {"payments": [1]}, content_type=JSON).status_code == 403
    for wrong in ([], [0], ["x"], [2**63], [1] * 201):
        answer = content.post(f"{URL}/door/given-back", {"payments": wrong}, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
