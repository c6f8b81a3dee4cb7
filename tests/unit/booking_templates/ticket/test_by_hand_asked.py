"""Who may give back by hand, and what is asked of a booking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from booking_templates.ticket.models import Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.giving_back import (
    JSON,
    URL,
    Buy,
    Three,
    booking,
    cancels,
    refund,
    refused,
)


def test_only_staff_with_the_right_may_look_and_give_back(
    client: Any, buyer_client: Any, client_for: Callable[[str], Any], keys: Any, three: Three, provider: FakeProvider
) -> None:
    order_id, _tickets = three
    for caller, status in ((client, 401), (buyer_client, 403)):
        assert caller.get(f"{URL}/bookings/{order_id}").status_code == status
        assert caller.get(f"{URL}/bookings/{order_id}/quote").status_code == status
        assert refund(caller, order_id).status_code == status
    looks, acts = client_for(keys.staff_token("attendees")), client_for(keys.staff_token("content"))
    assert refused(refund(looks, order_id)) == (403, "scope_missing")
    assert refused(acts.get(f"{URL}/bookings/{order_id}")) == (403, "scope_missing")
    assert cancels(provider, order_id) == []


def test_a_booking_is_found_by_its_number_though_it_never_came_to_tickets(
    staff_client: Any, buyer_client: Any, buyer_id: str, client_for: Callable[[str], Any], keys: Any, provider: FakeProvider, seat: FakeSeat
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()
    for typed in (order["number"], order["number"].lower(), f" {order['number']} "):
        assert staff_client.get(f"{URL}/bookings", {"number": typed}).json() == {"id": order["id"]}
    assert booking(staff_client, order["id"])["tickets"] == []
    assert staff_client.get(f"{URL}/bookings", {"number": "T2222-22222"}).status_code == 404
    assert staff_client.get(f"{URL}/bookings").status_code == 422
    assert buyer_client.get(f"{URL}/bookings", {"number": order["number"]}).status_code == 403
    assert client_for(keys.staff_token("content")).get(f"{URL}/bookings", {"number": order["number"]}).status_code == 403


def test_an_order_that_there_is_not_is_a_404(staff_client: Any) -> None:
    unknown = "0190b3a4-0000-7000-8000-000000000001"
    assert staff_client.get(f"{URL}/bookings/{unknown}").status_code == 404
    assert staff_client.get(f"{URL}/bookings/{unknown}/quote").status_code == 404
    assert refund(staff_client, unknown).status_code == 404


def test_a_ticket_of_another_order_is_not_given_back(staff_client: Any, three: Three, buy: Buy, provider: FakeProvider) -> None:
    other = buy(seats=1)
    foreign = Ticket.objects.get(order_id=other).pk
    assert refused(refund(staff_client, three[0], foreign)) == (409, "already_cancelled")
    assert refused(refund(staff_client, three[0], three[1][0], foreign)) == (409, "already_cancelled")
    assert Ticket.objects.filter(status="LIVE").count() == 4


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"why": "because"}, "why"),
        ({"terms": "half"}, "terms"),
        ({"fee_krw": -1}, "fee_krw"),
        ({"tickets": []}, "tickets"),
        ({"note": "x" * 501}, "note"),
        ({"used": "maybe"}, "used"),
        ({"amount_krw": 5}, "amount_krw"),
    ],
)
def test_bad_input_is_named_by_its_field(staff_client: Any, three: Three, provider: FakeProvider, wanted: Any, field: str) -> None:
    body = {"fee_krw": 0, "why": "illness", **wanted}
    answer = staff_client.post(f"{URL}/bookings/{three[0]}/refunds", body, content_type=JSON)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert cancels(provider, three[0]) == []
