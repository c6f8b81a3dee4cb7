"""A performance that was called off: nothing of it can be had, whoever asks and whatever is written afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking_templates.seat import holds, house
from booking_templates.seat.models import Claim, Performance, State

from .conftest import Caller, numbered_content

pytestmark = pytest.mark.usefixtures("on_sale")
ALL_BLOCKED = "3" * 18


def close(ticket: Caller, performance: str = "p1") -> Any:
    answer = ticket.call("POST", f"/internal/performances/{performance}/close", {})
    assert answer.status_code == 204, answer.content
    return answer


def pin(ticket: Caller, hold: dict[str, Any], buyer: Caller, order: str = "o1") -> Any:
    return ticket.call("POST", f"/internal/holds/{hold['id']}/pin", {"order_id": order, "buyer_id": buyer.id})


def confirm(ticket: Caller, hold: dict[str, Any], order: str = "o1") -> Any:
    return ticket.call("POST", f"/internal/holds/{hold['id']}/confirm", {"order_id": order})


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


OFF = (409, "performance_called_off")


def test_nothing_of_it_can_be_held_and_the_other_goes_on(ticket: Caller, buyer: Caller) -> None:
    close(ticket)

    assert refusal(buyer.hold("A-1")) == OFF
    assert refusal(buyer.hold(best={"quantity": 2})) == OFF
    assert buyer.held("A-1", performance="p2")["performance_id"] == "p2"


def test_areas_cannot_be_held_either(ticket: Caller, buyer: Caller, areas_on_sale: dict[str, Any], someone: Caller) -> None:
    close(ticket)

    assert refusal(buyer.hold(areas=[{"area": "floor", "quantity": 1}])) == OFF
    told = someone.get("performances/p1/availability").json()
    assert (told["areas"], told["is_called_off"]) == ({"floor": {"free": 0, "held": 0}, "deck": {"free": 0, "held": 0}}, True)


def test_everybody_is_told(ticket: Caller, someone: Caller, staff: Caller, states: Callable[..., str]) -> None:
    close(ticket)

    first, second = someone.get("performances").json()
    assert (first["is_called_off"], first["on_sale"], first["free"]) == (True, False, 0)
    assert (second["is_called_off"], second["on_sale"], second["free"]) == (False, True, 18)
    assert (states(), states("p2")) == (ALL_BLOCKED, "0" * 18)
    assert "is_called_off" not in someone.get("performances/p2/availability").json()
    summary = staff.get("summary").json()["performances"]
    assert [(each["free"], each["blocked"], each["is_called_off"]) for each in summary] == [(0, 18, True), (18, 0, False)]


def test_who_watches_learns_it_from_the_next_answer(ticket: Caller, someone: Caller, buyer: Caller) -> None:
    buyer.held("A-1")
    before = someone.get("performances/p1/availability")
    close(ticket)

    etag = before.headers["ETag"]
    after = someone.get(f"performances/p1/availability?since={before.json()['version']}", **{"If-None-Match": etag})
    assert after.status_code == 200
    assert (after.json()["full"], after.json()["state"], after.json()["is_called_off"]) == (True, ALL_BLOCKED, True)
    again = someone.get(f"performances/p1/availability?since={after.json()['version']}")
    assert (again.json()["full"], again.json()["changes"], again.json()["is_called_off"]) == (False, [], True)
    assert someone.get("performances/p1/availability", **{"If-None-Match": after.headers["ETag"]}).status_code == 304


def test_a_house_whose_every_seat_was_blocked_is_still_told_apart(ticket: Caller, someone: Caller, staff: Caller) -> None:
    content = numbered_content(blocked=[f"{row}-{number}" for row in "ABC" for number in range(1, 7)])
    assert staff.call("PUT", "content", content).status_code == 200
    etag = someone.get("performances/p1/availability").headers["ETag"]
    close(ticket)

    assert someone.get("performances/p1/availability", **{"If-None-Match": etag}).status_code == 200


def test_a_process_that_has_not_noticed_is_refused_by_the_database(ticket: Caller, buyer: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    old = house.current()
    close(ticket)
    monkeypatch.setattr(house, "current", lambda: old)

    assert old.show("p1").is_called_off is False
    assert refusal(buyer.hold("A-1")) == OFF
    assert not Claim.objects.exists()


def test_open_holds_end_and_say_why(ticket: Caller, buyer: Caller, other: Caller) -> None:
    mine, kept = buyer.held("A-1", "A-2"), buyer.held("B-1", performance="p2")
    close(ticket)

    assert refusal(buyer.get(f"holds/{mine['id']}")) == OFF
    assert refusal(buyer.call("POST", f"holds/{mine['id']}/extend")) == OFF
    assert refusal(buyer.call("DELETE", f"holds/{mine['id']}")) == OFF
    assert [each["id"] for each in buyer.get("holds").json()["holds"]] == [kept["id"]]
    assert buyer.call("POST", f"holds/{kept['id']}/extend").status_code == 200
    assert not Claim.objects.filter(performance=Performance.objects.get(id="p1").number).exists()


def test_an_ended_hold_is_neither_pinned_nor_sold(ticket: Caller, buyer: Caller) -> None:
    hold = buyer.held("A-1")
    close(ticket)

    assert refusal(pin(ticket, hold, buyer)) == OFF
    assert refusal(confirm(ticket, hold)) == OFF
    assert not Claim.objects.exists()


def test_a_hold_that_is_being_paid_for_goes_the_moment_it_is_unpinned(ticket: Caller, buyer: Caller) -> None:
    hold = buyer.held("A-1")
    pin(ticket, hold, buyer)
    close(ticket)
    assert Claim.objects.get().state == State.PINNED, "its order decides: the money may have been taken already"

    assert ticket.call("POST", f"/internal/holds/{hold['id']}/unpin", {"order_id": "o1"}).status_code == 204
    assert not Claim.objects.exists()
    assert refusal(pin(ticket, hold, buyer, order="o2")) == OFF


def test_a_payment_that_was_captured_still_gets_its_places_to_give_them_back(ticket: Caller, buyer: Caller) -> None:
    hold = buyer.held("A-1")
    pin(ticket, hold, buyer)
    close(ticket)

    assert confirm(ticket, hold).json()["state"] == "sold"
    assert ticket.call("POST", "/internal/orders/o1/release", {}).json()["released"] == ["A-1"]
    assert not Claim.objects.exists()


def test_places_that_refunds_free_are_not_free(ticket: Caller, buyer: Caller, other: Caller, states: Callable[..., str]) -> None:
    hold = buyer.held("A-1")
    confirm(ticket, hold)
    close(ticket)
    assert Claim.objects.get().state == State.SOLD
    ticket.call("POST", "/internal/orders/o1/release", {})

    assert refusal(other.hold("A-1")) == OFF
    assert states() == ALL_BLOCKED


def test_twice_is_once(ticket: Caller) -> None:
    close(ticket)
    before, at = house.refreshed().version, Performance.objects.get(id="p1").called_off_at
    close(ticket)

    assert (house.refreshed().version, Performance.objects.get(id="p1").called_off_at) == (before, at)


@pytest.mark.parametrize("change", [{}, {"limit_per_buyer": 2}], ids=["the same again", "an edit"])
def test_no_later_content_opens_it_again(
    on_sale: dict[str, Any], ticket: Caller, staff: Caller, buyer: Caller, change: dict[str, Any]
) -> None:
    close(ticket)
    assert staff.call("PUT", "content", on_sale | change).status_code == 200

    assert refusal(buyer.hold("A-1")) == OFF


def test_left_out_and_put_back_it_stays_called_off(on_sale: dict[str, Any], ticket: Caller, staff: Caller, buyer: Caller) -> None:
    close(ticket)
    assert staff.call("PUT", "content", on_sale | {"performances": on_sale["performances"][1:]}).status_code == 200
    assert staff.call("PUT", "content", on_sale).status_code == 200

    assert refusal(buyer.hold("A-1")) == OFF


def test_one_that_comes_into_the_content_later_is_called_off_from_the_start(
    on_sale: dict[str, Any], ticket: Caller, staff: Caller, buyer: Caller
) -> None:
    close(ticket, "p3")
    later = {**on_sale["performances"][1], "id": "p3"}
    assert staff.call("PUT", "content", on_sale | {"performances": [*on_sale["performances"], later]}).status_code == 200

    assert refusal(buyer.hold("A-1", performance="p3")) == OFF


def test_only_the_ticket_service_may(ticket: Caller, auth_service: Caller, staff: Caller, buyer: Caller, someone: Caller) -> None:
    path = "/internal/performances/p1/close"

    assert [each.call("POST", path, {}).status_code for each in (someone, buyer, staff, auth_service)] == [401, 401, 401, 403]
    assert ticket.call("POST", "/internal/performances/p%20x/close", {}).json()["code"] == "unknown_performance"
    assert buyer.held("A-1")


def test_a_hold_costs_one_statement_as_before(ticket: Caller, buyer: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """What calling off adds is in the content's version, which a hold compares anyway."""
    close(ticket, "p2")
    at = house.refreshed()
    monkeypatch.setattr(house, "current", lambda: at)
    holds.hold("p1", holds.HoldRequest(seats=["B-2"]), buyer.id)  # the clock is read, once a while
    with CaptureQueriesContext(
        connection,
    ) as queries:
        holds.hold("p1", holds.HoldRequest(seats=["B-3"]), buyer.id)
    sent = [query["sql"].split()[0] for query in queries]
    assert [verb for verb in sent if verb not in ("SAVEPOINT", "RELEASE")] == ["INSERT"]
