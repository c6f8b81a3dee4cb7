"""Holds of many orders pinned and confirmed by one call: each answered as by its own, whatever became of the others."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from booking_templates.seat import orders
from booking_templates.seat.models import Change, Claim, Sale, State

from .conftest import Caller

pytestmark = pytest.mark.usefixtures("on_sale")

UNKNOWN = {"id": "0123456789abcdef"}


def ask(act: str, hold: dict[str, Any], buyer: Caller, order: str) -> dict[str, str]:
    return {"act": act, "hold_id": hold["id"], "order_id": order, "buyer_id": buyer.id}


def answers(ticket: Caller, *asks: dict[str, str]) -> list[tuple[int, str]]:
    """Of each of ASKS its status, and the problem's code or the hold's state."""
    answer = ticket.call("POST", "/internal/holds", {"asks": asks})
    assert answer.status_code == 200
    return [(each["status"], each["code"] if "code" in each else each["hold"]["state"]) for each in answer.json()["answers"]]


def states() -> dict[int, list[tuple[int, str | None]]]:
    found: dict[int, list[tuple[int, str | None]]] = {}
    for hold, state, order in Claim.objects.order_by("hold", "ordinal").values_list("hold", "state", "order_id"):
        found.setdefault(hold, []).append((state, order))
    return found


def test_each_hold_becomes_what_its_own_order_asked_for(ticket: Caller, buyer: Caller, other: Caller) -> None:
    first, second = buyer.held("A-1"), other.held("A-2", "A-3")
    assert answers(ticket, ask("pin", second, other, "o2"), ask("pin", first, buyer, "o1")) == [(200, "pinned")] * 2
    assert answers(ticket, ask("confirm", first, buyer, "o1"), ask("pin", second, other, "o2")) == [(200, "sold"), (200, "pinned")]
    assert states() == {int(first["id"], 16): [(State.SOLD, "o1")], int(second["id"], 16): [(State.PINNED, "o2")] * 2}


def test_the_answer_is_the_one_of_its_own_call(ticket: Caller, buyer: Caller) -> None:
    hold = buyer.held("A-1")
    together = ticket.call("POST", "/internal/holds", {"asks": [ask("confirm", hold, buyer, "o1")]}).json()["answers"][0]["hold"]
    alone = ticket.call("POST", f"/internal/holds/{hold['id']}/confirm", {"order_id": "o1"}).json()
    del together["server_time"], alone["server_time"]
    assert together == alone


def test_refusals_stand_beside_what_is_granted(ticket: Caller, buyer: Caller, other: Caller) -> None:
    mine, pinned = buyer.held("A-1"), other.held("A-2")
    answers(ticket, ask("pin", pinned, other, "o9"))
    assert answers(
        ticket,
        ask("pin", UNKNOWN, buyer, "o1"),
        ask("pin", {"id": "no hold"}, buyer, "o2"),
        ask("pin", pinned, buyer, "o3"),
        ask("pin", pinned, other, "o4"),
        ask("confirm", UNKNOWN, buyer, "o5"),
        ask("confirm", mine, buyer, "o6"),
    ) == [(404, "hold_unknown"), (404, "hold_unknown"), (404, "hold_unknown"), (409, "hold_pinned"), (409, "hold_lost"), (200, "sold")]


def test_an_order_that_is_for_another_hold_takes_nothing_from_the_others(ticket: Caller, buyer: Caller, other: Caller) -> None:
    first, second, third = buyer.held("A-1"), buyer.held("A-2"), other.held("A-3")
    assert answers(ticket, ask("pin", first, buyer, "o1"), ask("pin", second, buyer, "o1"), ask("pin", third, other, "o3")) == [
        (200, "pinned"),
        (409, "order_taken"),
        (200, "pinned"),
    ]
    assert [state for _hold, claims in sorted(states().items()) for state, _order in claims] == [State.PINNED, State.HELD, State.PINNED]


def test_availability_learns_of_all_that_are_sold_together(ticket: Caller, buyer: Caller, other: Caller) -> None:
    first, second = buyer.held("A-1", "A-2"), other.held("A-3")
    answers(ticket, ask("confirm", first, buyer, "o1"), ask("confirm", second, other, "o2"))
    told = Change.objects.filter(state=State.SOLD).values_list("hold", "places").order_by("hold")
    assert {hold: len(places.split(",")) for hold, places in told} == {int(first["id"], 16): 2, int(second["id"], 16): 1}
    assert dict(Sale.objects.values_list("order_id", "hold")) == {"o1": int(first["id"], 16), "o2": int(second["id"], 16)}


def test_two_orders_for_one_hold_do_not_both_have_it(ticket: Caller, buyer: Caller) -> None:
    hold = buyer.held("A-1")
    found = answers(ticket, ask("pin", hold, buyer, "o1"), ask("pin", hold, buyer, "o2"))
    assert sorted(found) == [(200, "pinned"), (409, "hold_pinned")]


@pytest.mark.parametrize(
    "asks",
    [
        [],
        [{"act": "steal"}],
        [{"act": "pin", "hold_id": "1", "order_id": "o1"}],
        [{"act": "pin", "hold_id": "1", "order_id": "", "buyer_id": "b"}],
    ],
)
def test_bad_asks_are_refused(ticket: Caller, asks: list[dict[str, str]]) -> None:
    assert ticket.call("POST", "/internal/holds", {"asks": asks}).status_code == 422


def test_only_ticket_may_ask(ticket: Caller, buyer: Caller, staff: Caller, someone: Caller, auth_service: Caller) -> None:
    hold = buyer.held("A-1")
    for caller in (buyer, staff, someone, auth_service):
        assert caller.call("POST", "/internal/holds", {"asks": [ask("pin", hold, buyer, "o1")]}).status_code in (401, 403, 404)
    assert Claim.objects.get().state == State.HELD


@pytest.mark.django_db(transaction=True)
def test_of_orders_that_come_and_go_at_once_a_hold_is_wholly_for_one(buyer: Caller) -> None:
    """A table of few rows is read as a whole by MariaDB: there, one in a hundred pins had part of the hold."""
    if connection.vendor != "mysql":
        pytest.skip("another database")
    hold = int(buyer.held("A-1", "A-2", "A-3", "A-4")["id"], 16)

    def come_and_go(order: str) -> list[set[tuple[int, str | None]]]:
        seen, until = [], time.monotonic() + 3
        while time.monotonic() < until:
            rows = orders.fulfil([orders.Wish(hold, buyer.id, order, is_sale=False)])[0]
            assert isinstance(rows, list)
            seen.append({(row.state, row.order_id) for row in rows})
            orders.unpin(hold, order)
        connection.close()
        return seen

    with ThreadPoolExecutor(4) as pool:
        found = [each for seen in pool.map(come_and_go, ["o1", "o2", "o3", "o4"]) for each in seen]
    assert len(found) > 50
    assert [each for each in found if len(each) > 1] == []
