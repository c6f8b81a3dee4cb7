"""What was bought beside tickets whose performance was called off goes back with them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from booking_templates.kit import peers
from booking_templates.kit.db import clock
from booking_templates.kit.peers import PeerResponse
from booking_templates.merch import calling_off
from booking_templates.merch.calling_off import take_back
from booking_templates.merch.models import Choice, Order, WithdrawnTickets
from tests.booking_fakes import FakeProvider
from tests.unit.booking_templates.merch.conftest import JSON
from tests.unit.booking_templates.merch.test_orders import give_back

pytestmark = pytest.mark.usefixtures("products")
URL = "/api/merch"
PATH = "/internal/ticket-orders/withdrawn"
TICKETS = str(uuid.uuid4())
Pay = Callable[[str], None]


@pytest.fixture(autouse=True)
def tickets_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ticket service says of every order that it stands."""
    monkeypatch.setattr(peers, "call", lambda *_, **__: PeerResponse(200, b'{"status": "ISSUED"}'))


@pytest.fixture
def ticket(service_client: Callable[[str], Any]) -> Any:
    return service_client("ticket")


def beside(client: Any, *, tickets: str = TICKETS, program: int = 2) -> Any:
    """An order beside TICKETS; as it is."""
    body = {"items": [{"product": "program", "quantity": program}], "ticket_order": tickets}
    answer = client.post(f"{URL}/orders", body, content_type=JSON)
    assert answer.status_code == 201, answer.content
    return answer.json()


def withdraw(ticket: Any, tickets: str = TICKETS) -> None:
    assert ticket.post(PATH, {"ticket_order": tickets}, content_type=JSON).status_code == 204


def tid_of(order_id: str) -> str:
    return str(Order.objects.get(pk=order_id).tid)


def sold(product: str = "program") -> int:
    return Choice.objects.get(product_id=product).sold


def test_a_paid_order_is_refunded_whole_and_says_why(
    ticket: Any, buyer_client: Any, pay: Pay, provider: FakeProvider, order: Callable[..., Any]
) -> None:
    mine, alone, other = beside(buyer_client)["id"], order(ost=1).json()["id"], beside(buyer_client, tickets=str(uuid.uuid4()))["id"]
    for each in (mine, alone, other):
        pay(each)
    withdraw(ticket)
    assert take_back() == 1

    shown = buyer_client.get(f"{URL}/orders/{mine}").json()
    assert (shown["status"], shown["reason"], shown["refunded_krw"]) == ("REFUNDED", "performance_called_off", 30_000)
    assert shown["pickup_code"] is None
    assert provider.payments[tid_of(mine)].cancels == [30_000]
    assert [Order.objects.get(pk=each).state for each in (alone, other)] == ["ISSUED", "ISSUED"]
    assert sold() == 2, "the other's; its own are in stock again"


def test_what_was_picked_up_stays(ticket: Any, staff_client: Any, buyer_client: Any, pay: Pay, provider: FakeProvider) -> None:
    mine = beside(buyer_client)["id"]
    pay(mine)
    code = buyer_client.get(f"{URL}/orders/{mine}").json()["pickup_code"]
    assert staff_client.post(f"{URL}/pickups", {"code": code}, content_type=JSON).status_code == 200
    withdraw(ticket)

    assert take_back() == 0
    assert (Order.objects.get(pk=mine).state, provider.payments[tid_of(mine)].cancels, sold()) == ("ISSUED", [], 2)


def test_what_was_given_back_before_is_not_refunded_again(ticket: Any, buyer_client: Any, pay: Pay, provider: FakeProvider) -> None:
    mine = beside(buyer_client, program=3)
    pay(mine["id"])
    give_back(buyer_client, mine["id"], (int(mine["items"][0]["id"]), 1))
    withdraw(ticket)
    take_back()

    assert provider.payments[tid_of(mine["id"])].cancels == [15_000, 30_000]
    assert (Order.objects.get().state, sold()) == ("REFUNDED", 0)


def test_an_order_that_waits_for_its_payment_is_closed_without_a_charge(
    ticket: Any, client: Any, buyer_client: Any, provider: FakeProvider
) -> None:
    mine = beside(buyer_client)["id"]
    token = provider.authenticate(tid_of(mine))
    withdraw(ticket)
    take_back()
    client.get(f"{URL}/payments/{mine}/approved", {"pg_token": token})

    shown = buyer_client.get(f"{URL}/orders/{mine}").json()
    assert (shown["status"], shown["reason"], provider.calls, sold()) == ("CANCELLED", "performance_called_off", ["ready"], 0)


def test_a_payment_that_is_being_decided_is_waited_for(
    ticket: Any, client: Any, buyer_client: Any, provider: FakeProvider, recover: Callable[[], None]
) -> None:
    mine = beside(buyer_client)["id"]
    token = provider.authenticate(tid_of(mine))
    provider.faults = {"approve": ["lost"], "order": ["5xx"]}
    client.get(f"{URL}/payments/{mine}/approved", {"pg_token": token})
    withdraw(ticket)
    WithdrawnTickets.objects.update(at=clock() - timedelta(hours=1))
    assert (take_back(), Order.objects.get().state) == (0, "APPROVING")
    assert WithdrawnTickets.objects.get().is_open

    recover()
    assert (take_back(), Order.objects.get().state) == (1, "REFUNDED")
    assert provider.payments[tid_of(mine)].cancels == [30_000]


def test_a_refund_that_is_under_way_is_waited_for(
    ticket: Any, buyer_client: Any, pay: Pay, provider: FakeProvider, recover: Callable[[], None]
) -> None:
    mine = beside(buyer_client, program=3)
    pay(mine["id"])
    provider.faults = {"cancel": ["5xx"], "order": ["unreached"]}
    give_back(buyer_client, mine["id"], (int(mine["items"][0]["id"]), 1))
    withdraw(ticket)
    assert take_back() == 0

    recover()
    assert (take_back(), Order.objects.get().state) == (1, "REFUNDED")
    assert provider.payments[tid_of(mine["id"])].cancels == [15_000, 30_000]


def test_what_is_paid_at_the_counter_is_cancelled(ticket: Any, buyer_client: Any, no_provider: None) -> None:
    mine = beside(buyer_client)["id"]
    withdraw(ticket)
    take_back()

    shown = buyer_client.get(f"{URL}/orders/{mine}").json()
    assert (shown["status"], shown["reason"], shown["due_krw"], sold()) == ("CANCELLED", "performance_called_off", 0, 0)


def test_twice_is_once_and_it_ends(ticket: Any, buyer_client: Any, pay: Pay, provider: FakeProvider) -> None:
    mine = beside(buyer_client)["id"]
    pay(mine)
    withdraw(ticket)
    withdraw(ticket)
    assert [take_back(), take_back()] == [1, 0]
    assert WithdrawnTickets.objects.get().is_open, "an order may be on its way still"

    WithdrawnTickets.objects.update(at=clock() - timedelta(hours=1))
    take_back()
    assert not WithdrawnTickets.objects.get().is_open
    withdraw(ticket)
    assert (take_back(), provider.payments[tid_of(mine)].cancels) == (0, [30_000])


def test_an_order_that_was_let_through_a_moment_before_is_taken_back_too(
    ticket: Any, buyer_client: Any, pay: Pay, provider: FakeProvider
) -> None:
    withdraw(ticket)
    assert take_back() == 0
    mine = beside(buyer_client)["id"]
    pay(mine)

    assert (take_back(), Order.objects.get(pk=mine).state) == (1, "REFUNDED")


def test_every_order_is_reached_however_many_there_are(
    ticket: Any, buyer_client: Any, no_provider: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling_off, "BATCH", 2)
    for _ in range(5):
        tickets = str(uuid.uuid4())
        beside(buyer_client, tickets=tickets, program=1)
        withdraw(ticket, tickets)
    assert [take_back(), take_back()] == [5, 0]


def test_only_the_ticket_service_says_so(
    client: Any, buyer_client: Any, staff_client: Any, service_client: Callable[[str], Any], no_provider: None
) -> None:
    beside(buyer_client)
    callers = (client, buyer_client, staff_client, service_client("auth"))
    assert [each.post(PATH, {"ticket_order": TICKETS}, content_type=JSON).status_code for each in callers] == [401, 401, 401, 403]
    assert (take_back(), Order.objects.get().state) == (0, "ISSUED")
