"""What the ticket and auth services ask for: each call again and again with one outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from booking_templates.seat import house
from booking_templates.seat.models import Claim, State

from .conftest import Caller, seating_plan

pytestmark = pytest.mark.usefixtures("on_sale")


def pin(ticket: Caller, hold: dict[str, Any], buyer: Caller, order: str = "o1") -> Any:
    return ticket.call("POST", f"/internal/holds/{hold['id']}/pin", {"order_id": order, "buyer_id": buyer.id})


def unpin(ticket: Caller, hold: dict[str, Any], order: str = "o1") -> Any:
    return ticket.call("POST", f"/internal/holds/{hold['id']}/unpin", {"order_id": order})


def confirm(ticket: Caller, hold: dict[str, Any], order: str = "o1", **more: str) -> Any:
    return ticket.call("POST", f"/internal/holds/{hold['id']}/confirm", {"order_id": order, **more})


def release(ticket: Caller, order: str = "o1", **more: Any) -> Any:
    return ticket.call("POST", f"/internal/orders/{order}/release", more)


def test_ticket_reads_a_hold_of_its_buyer(ticket: Caller, buyer: Caller, other: Caller) -> None:
    hold = buyer.held("A-1")

    found = ticket.get(f"/internal/holds/{hold['id']}?buyer={buyer.id}")
    assert found.json()["places"] == hold["places"]
    assert ticket.get(f"/internal/holds/{hold['id']}?buyer={other.id}").status_code == 404


def test_a_pinned_hold_outlives_its_time(ticket: Caller, buyer: Caller, other: Caller, let_expire: Callable[[str], None]) -> None:
    hold = buyer.held("A-1", "A-2")
    pinned = pin(ticket, hold, buyer)
    let_expire(hold["id"])

    assert (pinned.status_code, pinned.json()["state"]) == (200, "pinned")
    assert other.hold("A-1").json()["code"] == "seats_taken"
    assert buyer.get(f"holds/{hold['id']}").json()["pinned"] is True
    assert [each["id"] for each in buyer.get("holds").json()["holds"]] == [hold["id"]]
    assert confirm(ticket, hold).json()["state"] == "sold"


def test_pinning_again_for_the_same_order_is_fine_and_for_another_is_refused(ticket: Caller, buyer: Caller) -> None:
    hold = buyer.held("A-1")
    pin(ticket, hold, buyer)

    assert pin(ticket, hold, buyer).status_code == 200
    answer = pin(ticket, hold, buyer, order="o2")
    assert (answer.status_code, answer.json()["code"]) == (409, "hold_pinned")


def test_an_order_is_for_one_hold(ticket: Caller, buyer: Caller) -> None:
    first, second = buyer.held("A-1"), buyer.held("A-2")
    pin(ticket, first, buyer)

    assert pin(ticket, second, buyer).json()["code"] == "order_taken"
    assert confirm(ticket, second).json()["code"] == "order_taken"
    assert buyer.get(f"holds/{second['id']}").json()["state"] == "held"


def test_somebody_elses_hold_is_not_pinned(ticket: Caller, buyer: Caller, other: Caller) -> None:
    hold = buyer.held("A-1")

    assert pin(ticket, hold, other).json()["code"] == "hold_unknown"
    assert buyer.get(f"holds/{hold['id']}").json()["state"] == "held"


def test_an_expired_hold_is_not_pinned(ticket: Caller, buyer: Caller, let_expire: Callable[[str], None]) -> None:
    hold = buyer.held("A-1")
    let_expire(hold["id"])

    answer = pin(ticket, hold, buyer)
    assert (answer.status_code, answer.json()["code"]) == (410, "hold_expired")


def test_a_pinned_hold_is_neither_released_nor_extended_by_its_buyer(ticket: Caller, buyer: Caller) -> None:
    hold = buyer.held("A-1")
    pin(ticket, hold, buyer)

    assert buyer.call("DELETE", f"holds/{hold['id']}").json()["code"] == "hold_pinned"
    assert buyer.call("POST", f"holds/{hold['id']}/extend").json()["code"] == "hold_pinned"


def test_an_unpinned_hold_is_its_buyers_for_what_is_left(ticket: Caller, buyer: Caller) -> None:
    hold = buyer.held("A-1")
    pin(ticket, hold, buyer)

    assert unpin(ticket, hold, "o2").status_code == 204  # not this order's: nothing happens
    assert buyer.get(f"holds/{hold['id']}").json()["pinned"] is True
    assert unpin(ticket, hold).status_code == 204
    assert unpin(ticket, hold).status_code == 204
    assert buyer.get(f"holds/{hold['id']}").json()["expires_at"] == hold["expires_at"]
    assert pin(ticket, hold, buyer, order="o2").status_code == 200


def test_an_unpinned_hold_whose_time_is_over_is_free(
    ticket: Caller, buyer: Caller, other: Caller, let_expire: Callable[[str], None]
) -> None:
    hold = buyer.held("A-1")
    pin(ticket, hold, buyer)
    let_expire(hold["id"])
    unpin(ticket, hold)

    assert not Claim.objects.exists()


def test_a_confirmed_hold_is_sold_once_however_often_it_is_confirmed(ticket: Caller, buyer: Caller, other: Caller) -> None:
    hold = buyer.held("A-1", "A-2")

    answers = [confirm(ticket, hold, buyer_id=buyer.id) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert {answer.json()["state"] for answer in answers} == {"sold"}
    assert answers[2].json()["places"] == hold["places"]
    assert answers[0].json()["expires_at"] is None
    assert other.hold("A-1").json()["code"] == "seats_taken"
    assert confirm(ticket, hold, order="o2").json()["code"] == "hold_lost"
    assert buyer.call("DELETE", f"holds/{hold['id']}").json()["code"] == "hold_sold"


def test_somebody_elses_hold_is_not_confirmed(ticket: Caller, buyer: Caller, other: Caller) -> None:
    hold = buyer.held("A-1")

    assert confirm(ticket, hold, buyer_id=other.id).status_code == 404
    assert Claim.objects.get().state == State.HELD


def test_an_expired_hold_that_nobody_wanted_is_confirmed(ticket: Caller, buyer: Caller, let_expire: Callable[[str], None]) -> None:
    hold = buyer.held("A-1")
    let_expire(hold["id"])

    assert confirm(ticket, hold).status_code == 200


def test_an_expired_hold_that_somebody_else_took_is_lost(
    ticket: Caller, buyer: Caller, other: Caller, let_expire: Callable[[str], None]
) -> None:
    hold = buyer.held("A-1", "A-2")
    let_expire(hold["id"])
    other.held("A-2")

    answer = confirm(ticket, hold)

    assert (answer.status_code, answer.json()["code"]) == (409, "hold_lost")
    assert Claim.objects.get().buyer == other.id


def test_a_released_order_frees_its_seats_once(ticket: Caller, buyer: Caller, other: Caller, states: Callable[..., str]) -> None:
    hold = buyer.held("A-1", "A-2")
    confirm(ticket, hold)

    assert release(ticket).json() == {"released": ["A-1", "A-2"]}
    assert release(ticket).json() == {"released": []}
    assert release(ticket, order="never").json() == {"released": []}
    assert set(states()) == {"0"}
    assert other.hold("A-1").status_code == 201
    assert release(ticket).json() == {"released": []}


def test_part_of_an_order_is_released(ticket: Caller, buyer: Caller, states: Callable[..., str]) -> None:
    hold = buyer.held("A-1", "A-2", "A-3")
    confirm(ticket, hold)

    assert release(ticket, places=["A-2", "B-1"]).json() == {"released": ["A-2"]}
    assert states().startswith("2020")
    assert [place["id"] for place in confirm(ticket, hold).json()["places"]] == ["A-1", "A-3"]


def test_where_bookings_confirm_at_once_nothing_is_pinned(ticket: Caller, buyer: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAT_PIN", "no")
    hold = buyer.held("A-1")

    assert pin(ticket, hold, buyer).json()["code"] == "pins_not_offered"
    assert confirm(ticket, hold).status_code == 200


def test_an_erased_buyer_leaves_no_trace_and_sold_seats_stay_sold(
    auth_service: Caller, ticket: Caller, buyer: Caller, states: Callable[..., str]
) -> None:
    sold, pinned, held = buyer.held("A-1"), buyer.held("A-2"), buyer.held("A-3")
    confirm(ticket, sold)
    pin(ticket, pinned, buyer, order="o2")

    for _twice in range(2):
        assert auth_service.call("POST", f"/internal/buyers/{buyer.id}/erase").status_code == 204

    assert states().startswith("2100")
    assert not Claim.objects.filter(buyer=buyer.id).exists()
    assert buyer.get(f"holds/{held['id']}").status_code == 410
    assert confirm(ticket, pinned, order="o2", buyer_id=buyer.id).status_code == 200
    assert release(ticket).json() == {"released": ["A-1"]}


def test_the_doors_between_services_open_only_to_the_service_they_are_for(
    buyer: Caller, staff: Caller, someone: Caller, auth_service: Caller, ticket: Caller
) -> None:
    hold = buyer.held("A-1")
    path = f"/internal/holds/{hold['id']}/confirm"

    for caller in (buyer, staff, someone, auth_service):
        assert caller.call("POST", path, {"order_id": "o1"}).status_code in (401, 403, 404)
    assert ticket.call("POST", path, {"order_id": "o1"}, **{"X-Forwarded-For": "1.2.3.4"}).status_code == 404
    assert ticket.call("POST", f"/internal/buyers/{buyer.id}/erase").status_code == 403
    assert Claim.objects.get().state == State.HELD


@pytest.mark.parametrize("body", [{}, {"order_id": ""}, {"order_id": "x" * 65}, {"order_id": "a b"}, {"order_id": 1}])
def test_bad_orders_are_refused(ticket: Caller, buyer: Caller, body: dict[str, Any]) -> None:
    hold = buyer.held("A-1")

    assert ticket.call("POST", f"/internal/holds/{hold['id']}/confirm", body).status_code == 422


def test_a_place_that_is_new_to_this_replica_is_named_as_on_every_other(
    ticket: Caller, buyer: Caller, staff: Caller, on_sale: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = house.current()
    plan = seating_plan(seats=7)
    assert staff.call("PUT", "content", on_sale | {"plan": plan}).status_code == 200
    hold = buyer.held("A-7")
    # Another replica, which looked a moment before the plan had a seventh seat.
    monkeypatch.setattr(house, "CHECK_EVERY_S", 60.0)
    monkeypatch.setattr(house, "STALE_S", 60.0)
    monkeypatch.setattr(house, "_current", before)

    answer = pin(ticket, hold, buyer).json()

    assert answer["places"] == hold["places"]
    assert answer["places"][0]["seat"] == "A-7"
