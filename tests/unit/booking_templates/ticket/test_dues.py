"""What is due at the door is told there, and that it was paid is kept, once, whoever says it and however often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from booking_templates.kit.db import clock
from booking_templates.ticket import codes
from booking_templates.ticket.models import DoorPayment, Order, Ticket
from tests.booking_fakes import FakeSeat

JSON = "application/json"
URL = "/api/ticket"
Scanner = Callable[..., dict[str, str]]


@pytest.fixture
def scanner(staff_client: Any) -> Scanner:
    """`scanner("Gate 1")`: its headers."""

    def make(name: str = "Gate 1") -> dict[str, str]:
        return {"X-Scanner-Key": staff_client.post(f"{URL}/scanners", {"name": name}, content_type=JSON).json()["key"]}

    return make


@pytest.fixture
def tickets(no_provider: None, seat: FakeSeat, buyer_client: Any, buyer_id: str) -> list[Ticket]:
    """Two that are due at the door."""
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id, seats=2)}, content_type=JSON).json()
    return list(Ticket.objects.filter(order_id=order["id"]).order_by("pk"))


def scan(client: Any, gate: dict[str, str], ticket: Ticket) -> dict[str, Any]:
    answer = client.post(f"{URL}/scans", {"scans": [{"code": codes.sign(ticket)}]}, content_type=JSON, headers=gate)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"][0]


def said(ticket: Ticket, *, minute: int = 0, is_paid: bool = True) -> dict[str, Any]:
    """A statement, MINUTE minutes after all of them began."""
    at = ticket.created_at - timedelta(hours=1) + timedelta(minutes=minute)
    return {"code": codes.sign(ticket), "at": at.isoformat(), "is_paid": is_paid}


def pay(client: Any, gate: dict[str, str], *statements: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post(f"{URL}/door/payments", {"payments": list(statements)}, content_type=JSON, headers=gate)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_the_door_is_told_what_is_due(client: Any, scanner: Scanner, tickets: list[Ticket]) -> None:
    gate, price = scanner(), tickets[0].price_krw
    assert price > 0
    for result in ("admitted", "used"):
        told = scan(client, gate, tickets[0])
        assert (told["result"], told["due_krw"], told["paid_at_door_krw"]) == (result, price, 0)
    door = client.get(f"{URL}/door", headers=gate).json()
    assert door["due"] == [{"krw": price, "tickets": [each.pk for each in tickets]}]
    pay(client, gate, said(tickets[0]))
    told = scan(client, gate, tickets[0])
    assert (told["result"], told["due_krw"], told["paid_at_door_krw"]) == ("used", 0, price)
    assert client.get(f"{URL}/door", headers=gate).json()["due"] == [{"krw": price, "tickets": [tickets[1].pk]}]


def test_what_a_provider_was_paid_is_not_due(client: Any, scanner: Scanner, buy: Callable[..., str]) -> None:
    buy(seats=1)
    gate, ticket = scanner(), Ticket.objects.get()
    assert scan(client, gate, ticket)["due_krw"] == 0
    assert client.get(f"{URL}/door", headers=gate).json()["due"] == []
    assert pay(client, gate, said(ticket))[0]["result"] == "nothing_due"
    ticket.refresh_from_db()
    assert ticket.paid_at_door_at is None
    assert not DoorPayment.objects.exists()


def test_a_payment_is_kept_once_however_often_it_is_sent(client: Any, scanner: Scanner, tickets: list[Ticket]) -> None:
    gate, paid = scanner(), said(tickets[0])
    for _ in range(3):
        (result,) = pay(client, gate, paid)
        assert (result["result"], result["paid_krw"], result["paid_with"], result["due_krw"]) == ("paid", tickets[0].price_krw, "Gate 1", 0)
    assert [(row.amount_krw, row.scanner, row.is_paid) for row in DoorPayment.objects.all()] == [(tickets[0].price_krw, "Gate 1", True)]


def test_a_mistake_is_taken_back_and_what_is_sent_again_does_not_bring_it_back(
    client: Any, scanner: Scanner, tickets: list[Ticket]
) -> None:
    gate, other = scanner("Gate 1"), scanner("Gate 2")
    paid, undone = said(tickets[0]), said(tickets[0], minute=1, is_paid=False)
    for _ in range(2):
        assert [each["result"] for each in pay(client, gate, paid, undone)][-1] == "due"
        tickets[0].refresh_from_db()
        assert (tickets[0].paid_at_door_at, tickets[0].paid_at_door_with) == (None, "")
    assert pay(client, gate, paid)[0]["result"] == "due"
    assert pay(client, other, said(tickets[0], minute=2))[0]["result"] == "paid"
    assert pay(client, gate, said(tickets[0], minute=3, is_paid=False))[0]["result"] == "due", "another scanner may put it right"


def test_who_takes_it_a_second_time_is_told_and_taking_that_back_leaves_the_first(
    client: Any, scanner: Scanner, tickets: list[Ticket]
) -> None:
    first, second = scanner("Gate 1"), scanner("Gate 2")
    pay(client, first, said(tickets[0]))
    (again,) = pay(client, second, said(tickets[0], minute=5))
    assert (again["result"], again["paid_with"]) == ("paid_before", "Gate 1")
    assert pay(client, second, said(tickets[0], minute=6, is_paid=False))[0]["result"] == "paid"
    assert list(DoorPayment.objects.order_by("pk").values_list("scanner", "is_paid", "has_changed")) == [
        ("Gate 1", True, True),
        ("Gate 2", True, False),
        ("Gate 2", False, False),
    ]


def test_a_press_twice_can_be_taken_back(client: Any, scanner: Scanner, tickets: list[Ticket]) -> None:
    gate = scanner()
    pay(client, gate, said(tickets[0]), said(tickets[0], minute=1))
    assert pay(client, gate, said(tickets[0], minute=2, is_paid=False))[0]["result"] == "due"


def test_nothing_is_taken_for_what_is_not_a_ticket_that_stands(
    client: Any, buyer_client: Any, scanner: Scanner, tickets: list[Ticket]
) -> None:
    gate = scanner()
    stranger = Ticket(pk="018f0000-0000-7000-8000-000000000000", performance_id="p1", seat="s", created_at=clock())
    assert pay(client, gate, said(stranger))[0]["result"] == "unknown"
    assert pay(client, gate, {"code": "x", "at": clock().isoformat()})[0]["result"] == "invalid"
    assert not DoorPayment.objects.exists()
    answer = client.post(f"{URL}/door/payments", {"payments": [said(tickets[0])]}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (401, "scanner_key")
    for wrong in ([], [{"code": "x"}], [{"code": "x", "at": "now"}], [{"code": "x", "at": clock().isoformat()}] * 201):
        answer = client.post(f"{URL}/door/payments", {"payments": wrong}, content_type=JSON, headers=gate)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_statements_of_one_ticket_are_bounded(client: Any, scanner: Scanner, tickets: list[Ticket]) -> None:
    gate = scanner()
    pay(client, gate, *(said(tickets[0], minute=number, is_paid=number % 2 == 0) for number in range(60)))
    assert DoorPayment.objects.count() == 50


def test_lists_and_sums_know_what_the_door_took(client: Any, staff_client: Any, scanner: Scanner, tickets: list[Ticket]) -> None:
    price = tickets[0].price_krw

    def sums() -> tuple[int, int]:
        (row,) = staff_client.get(f"{URL}/tallies").json()["rows"]
        return row["due_krw"], row["taken_at_door_krw"]

    assert sums() == (2 * price, 0)
    pay(client, scanner(), said(tickets[0]))
    assert sums() == (price, price)
    listed = {each["ticket_id"]: each for each in staff_client.get(f"{URL}/attendees").json()["attendees"]}
    paid, owing = listed[tickets[0].pk], listed[tickets[1].pk]
    assert (paid["due_krw"], paid["paid_at_door_krw"], paid["paid_at_door_with"]) == (0, price, "Gate 1")
    assert (owing["due_krw"], owing["paid_at_door_krw"], owing["paid_at_door_at"]) == (price, 0, None)
    head, *lines = b"".join(staff_client.get(f"{URL}/attendees.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert head.endswith("Due at the door,Paid at the door")
    assert sorted(line.rsplit(",", 2)[1:] for line in lines) == [["0", str(price)], [str(price), "0"]]


def test_what_is_taken_for_a_ticket_that_was_cancelled_is_kept_and_to_be_given_back(
    client: Any, buyer_client: Any, staff_client: Any, scanner: Scanner, tickets: list[Ticket]
) -> None:
    gate, price = scanner(), tickets[0].price_krw
    buyer_client.post(f"{URL}/orders/{tickets[0].order_id}/cancel")
    assert pay(client, gate, said(tickets[0]))[0]["result"] == "cancelled"
    assert cash(staff_client) == (0, price, price)
    (row,) = staff_client.get(f"{URL}/tallies").json()["rows"]
    assert (row["tickets"], row["taken_at_door_krw"]) == (0, price)
    assert pay(client, gate, said(tickets[0], minute=1, is_paid=False))[0]["result"] == "cancelled"
    assert cash(staff_client) == (0, 0, 0)


def cash(staff_client: Any) -> tuple[int, int, int]:
    """What is due, was taken and is to be given back at the door: as the summary, the settlement in all its parts and the rows have it."""
    names = ("due_krw", "taken_at_door_krw", "to_give_back_at_door_krw")
    summary, statement = staff_client.get(f"{URL}/summary").json(), staff_client.get(f"{URL}/settlement").json()
    parts = [statement, statement["after_close"] or dict.fromkeys(names, 0), *statement["later"]]
    found = tuple(summary[name] for name in names)
    assert found == tuple(sum(part[name] for part in parts) for name in names)
    assert found[1] == sum(each["taken_at_door_krw"] for each in staff_client.get(f"{URL}/tallies").json()["rows"])
    return found


def test_summary_and_settlement_tell_what_was_taken_from_what_is_due(
    client: Any, staff_client: Any, scanner: Scanner, tickets: list[Ticket]
) -> None:
    price = tickets[0].price_krw
    assert cash(staff_client) == (2 * price, 0, 0)
    pay(client, scanner(), said(tickets[0]))
    assert cash(staff_client) == (price, price, 0)
    pay(client, scanner("Gate 2"), said(tickets[0], minute=1))
    assert cash(staff_client) == (price, 2 * price, price)


def test_a_final_statement_stays_and_what_the_door_takes_later_is_told_apart(
    client: Any, staff_client: Any, scanner: Scanner, tickets: list[Ticket]
) -> None:
    gate, price, before = scanner(), tickets[0].price_krw, clock() - timedelta(hours=1)
    pay(client, gate, said(tickets[0]))
    DoorPayment.objects.update(at=before)
    Order.objects.update(issued_at=before)
    starts = (clock() + timedelta(days=5)).isoformat()
    body = {"title": "t", "performances": [{"id": "p1", "starts_at": starts}]}
    body |= {"sales_close_at": (clock() - timedelta(minutes=1)).isoformat()}
    assert staff_client.put(f"{URL}/content", body, content_type=JSON).status_code == 200
    pay(client, gate, said(tickets[1], minute=1))
    pay(client, scanner("Gate 2"), said(tickets[1], minute=2))
    statement = staff_client.get(f"{URL}/settlement").json()
    closed, late = (
        tuple(part[name] for name in ("due_krw", "taken_at_door_krw", "to_give_back_at_door_krw"))
        for part in (statement, statement["after_close"])
    )
    assert (statement["is_final"], closed, late) == (True, (price, price, 0), (-price, 2 * price, price))
    assert cash(staff_client) == (0, 3 * price, price)


def test_who_was_paid_second_has_it_still_when_the_first_was_a_mistake(
    client: Any, staff_client: Any, scanner: Scanner, tickets: list[Ticket]
) -> None:
    first, second, price = scanner("Gate 1"), scanner("Gate 2"), tickets[0].price_krw
    pay(client, first, said(tickets[0]))
    pay(client, second, said(tickets[0], minute=1))
    (result,) = pay(client, first, said(tickets[0], minute=2, is_paid=False))
    assert (result["result"], result["paid_with"], result["due_krw"]) == ("paid", "Gate 2", 0)
    assert cash(staff_client) == (price, price, 0)
    assert pay(client, second, said(tickets[0], minute=3, is_paid=False))[0]["result"] == "due"
    assert cash(staff_client) == (2 * price, 0, 0)


def test_a_third_door_takes_one_of_two_payments_back(client: Any, staff_client: Any, scanner: Scanner, tickets: list[Ticket]) -> None:
    price = tickets[0].price_krw
    for minute, gate in enumerate(("Gate 1", "Gate 2")):
        pay(client, scanner(gate), said(tickets[0], minute=minute))
    assert pay(client, scanner("Gate 3"), said(tickets[0], minute=2, is_paid=False))[0]["result"] == "paid"
    assert cash(staff_client) == (price, price, 0)


def test_an_archive_has_of_each_ticket_what_was_taken_for_it(
    client: Any, client_for: Any, token_for: Any, staff_client: Any, scanner: Scanner, tickets: list[Ticket]
) -> None:
    price = tickets[0].price_krw
    for minute, gate in enumerate(("Gate 1", "Gate 2", "Gate 3")):
        pay(client, scanner(gate), said(tickets[0], minute=minute))
    rows = client_for(token_for("staff", "archive")).get(f"{URL}/export/tickets").json()["rows"]
    assert [(row["paid_at_door_krw"], row["taken_besides_krw"]) for row in rows] == [(price, 2 * price), (0, 0)]
    assert sum(row["paid_at_door_krw"] + row["taken_besides_krw"] for row in rows) == cash(staff_client)[1]
