"""Whatever is sent to an endpoint of ticket: a problem with a code and the right status, and nothing changed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from booking_templates.kit.db import clock
from booking_templates.ticket.models import Performance, Ticket
from tests.booking_bad_input import check_endpoint, endpoints
from tests.booking_fakes import FakeProvider, FakeSeat

URL = "/api/ticket"
JSON = "application/json"
REACHED = [("content", "PUT"), ("scanners", "POST"), ("performances/<str:performance_id>/cancellation", "POST")]


@pytest.mark.parametrize(("pattern", "method"), endpoints())
def test_bad_input_is_refused_and_changes_nothing(
    pattern: str, method: str, keys: Any, client_for: Callable[[str], Any], buy: Callable[..., str], buyer_id: str
) -> None:
    Performance.objects.create(pk="p1", starts_at=clock() + timedelta(days=5))
    order_id = buy(seats=2)
    ticket = Ticket.objects.order_by("pk")[0].pk
    own = {"order_id": order_id, "ticket_id": ticket, "performance_id": "p1", "buyer_id": buyer_id, "scanner_id": str(uuid.uuid4())}
    accepted = check_endpoint(pattern, method, service="ticket", keys=keys, client_for=client_for, own=own)
    assert accepted > 0 or (pattern, method) not in REACHED, "nothing came as far as the endpoint's own rules"


def test_somebody_elses_things_are_not_there(
    buyer_client: Any, other_buyer_client: Any, buy: Callable[..., str], provider: FakeProvider
) -> None:
    order_id = buy(seats=2)
    ticket = Ticket.objects.order_by("pk")[0].pk
    for method, path, body in (
        ("GET", f"orders/{order_id}", None),
        ("POST", f"orders/{order_id}/cancel", None),
        ("GET", f"orders/{order_id}/cancellation", None),
        ("POST", f"orders/{order_id}/refunds", {"fee_krw": 0}),
        ("GET", f"orders/{order_id}/tickets.pdf", None),
        ("GET", f"tickets/{ticket}", None),
        ("GET", f"tickets/{ticket}/qr.svg", None),
        ("GET", f"tickets/{ticket}/ticket.pdf", None),
        ("GET", f"tickets/{ticket}/event.ics", None),
        ("GET", f"orders?before={order_id}", None),
    ):
        call = other_buyer_client.get if method == "GET" else other_buyer_client.post
        answer = call(f"{URL}/{path}", **({"data": body or {}, "content_type": JSON} if method == "POST" else {}))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    mine = buyer_client.get(f"{URL}/orders/{order_id}").json()
    other = Ticket.objects.exclude(pk=ticket).get().pk
    foreign = buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 0, "tickets": [str(uuid.uuid4())]}, content_type=JSON)
    assert foreign.status_code == 409
    assert buyer_client.get(f"{URL}/orders/{order_id}").json() == mine
    assert (provider.calls, Ticket.objects.get(pk=other).status) == (["ready", "approve"], "LIVE")


def test_two_tabs_give_the_same_tickets_back_once(
    buyer_client: Any, buy: Callable[..., str], provider: FakeProvider, seat: FakeSeat
) -> None:
    order_id = buy(seats=2)
    ticket = Ticket.objects.order_by("pk")[0].pk
    body = {"fee_krw": 0, "tickets": [ticket]}
    answers = [buyer_client.post(f"{URL}/orders/{order_id}/refunds", body, content_type=JSON) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[1].json()["code"] == "already_cancelled"
    assert [payment.cancels for payment in provider.payments.values()] == [[150_000]]
