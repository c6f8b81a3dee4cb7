"""Ordering with concessions: worked out when the order is made and the same for whoever goes on with it, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from booking_templates.kit.db import clock
from booking_templates.ticket import event
from booking_templates.ticket.models import Order, RefundByHand, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
URL = "/api/ticket"
YOUTH = {"id": "youth", "name": "청소년", "percent": 30, "proof": "학생증 지참"}
GROUP = {"id": "group", "name": "3인 이상", "off_krw": 10_000, "at_least": 3}
FREE = {"id": "child", "name": "36개월 미만", "percent": 100, "at_most": 2}
OFFERED = [YOUTH, GROUP, FREE]
SPREADING = "\u095b"
"""One letter that is two when it is composed, as Hindi types it: what MariaDB has no room for it refuses after the money was taken."""
Put = Callable[..., None]


@pytest.fixture(autouse=True)
def put(staff_client: Any) -> Put:
    """Put the event with OFFERED; again with others."""

    def run(offered: Any = OFFERED, **more: Any) -> None:
        starts = (clock() + timedelta(days=30)).isoformat()
        body = {"title": "t", "performances": [{"id": "p1", "starts_at": starts}], **more} | (
            {} if offered is None else {"concessions": offered}
        )
        answer = staff_client.put(f"{URL}/content", body, content_type=JSON)
        assert answer.status_code == 200, answer.content

    run()
    return run


@pytest.fixture
def order(buyer_client: Any) -> Callable[..., Any]:
    def run(hold: str, chosen: dict[str, str] | None = None, *, total: int | None = None, key: str = "") -> Any:
        body: dict[str, Any] = {"hold_id": hold} | ({} if chosen is None else {"concessions": chosen})
        body |= {} if total is None else {"expected_total_krw": total}
        return buyer_client.post(f"{URL}/orders", body, content_type=JSON, headers={"Idempotency-Key": key} if key else {})

    return run


def ids(seat: FakeSeat, hold: str) -> list[str]:
    return [place["id"] for place in seat.holds[hold].places]


def pay(client: Any, provider: FakeProvider, order_id: str) -> dict[str, Any]:
    client.get(f"{URL}/payments/{order_id}/approved", {"pg_token": provider.authenticate(tid_of(order_id))})
    return dict(client.get(f"{URL}/orders/{order_id}").json())


def test_a_place_with_a_concession_is_paid_for_at_its_price(
    buyer_client: Any, staff_client: Any, order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    hold = seat.hold(buyer_id)
    first, _second = ids(seat, hold)
    made = order(hold, {first: "youth"}, total=255_000)
    assert made.status_code == 201, made.content
    assert made.json()["total_krw"] == 255_000
    assert provider.payments[tid_of(made.json()["id"])].purchase.total_krw == 255_000
    issued = pay(buyer_client, provider, made.json()["id"])
    assert issued["status"] == "ISSUED"
    reduced = {"price_krw": 105_000, "list_price_krw": 150_000, "concession": "청소년", "concession_id": "youth", "proof": "학생증 지참"}
    for places in (issued["places"], [ticket["place"] for ticket in issued["tickets"]]):
        assert reduced.items() <= places[0].items()
        assert places[1].keys() == {"label", "grade", "price_krw", "seat"}
    rows = staff_client.get(f"{URL}/attendees").json()["attendees"]
    assert sorted((row["concession"], row["price_krw"], row["list_price_krw"]) for row in rows) == [
        ("", 150_000, 150_000),
        ("청소년", 105_000, 150_000),
    ]
    lines = staff_client.get(f"{URL}/settlement").json()["lines"]
    assert [(line["concession"], line["sold"], line["sold_krw"]) for line in lines] == [("", 1, 150_000), ("청소년", 1, 105_000)]
    rows = staff_client.get(f"{URL}/tallies").json()["rows"]
    assert [(row["concession"], row["price_krw"]) for row in rows] == [("", 150_000), ("청소년", 105_000)]
    booked = staff_client.get(f"{URL}/bookings/{issued['id']}").json()["tickets"]
    assert (booked[0]["concession"], booked[0]["list_price_krw"], booked[0]["proof"]) == ("청소년", 150_000, "학생증 지참")


def test_what_is_offered_is_told_to_everybody_and_not_asked_for_twice(client: Any, put: Put, buyer_client: Any) -> None:
    told = client.get(f"{URL}/terms")
    assert told.json()["concessions"] == OFFERED
    again = client.get(f"{URL}/terms", headers={"If-None-Match": told["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    put([YOUTH])
    assert client.get(f"{URL}/terms", headers={"If-None-Match": told["ETag"]}).json()["concessions"] == [YOUTH]


def test_content_keeps_them_until_others_are_put(staff_client: Any, put: Put) -> None:
    put(None)
    assert staff_client.get(f"{URL}/content").json()["concessions"] == OFFERED
    early = YOUTH | {"from": "2027-01-01T00:00:00+09:00", "until": "2027-02-01T00:00:00+09:00", "grades": ["R"], "performances": ["p1"]}
    put([early])
    assert staff_client.get(f"{URL}/content").json()["concessions"] == [early]
    put([])
    assert "concessions" not in staff_client.get(f"{URL}/content").json()


def test_the_most_and_longest_that_a_requirement_may_have_are_taken(put: Put) -> None:
    named = {"grades": [f"{at:02}" + "석" * 38 for at in range(50)], "performances": [f"{at:03}" + "p" * 37 for at in range(200)]}
    put([YOUTH | {"id": f"y-{at}", "name": f"{at:02}" + "권" * 38, "proof": "증" * 200, **named} for at in range(30)])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ([YOUTH, YOUTH], "concessions[1].id"),
        ([YOUTH | {"off_krw": 1}], "concessions[0].percent"),
        ([YOUTH | {"percent": 0}], "concessions[0].percent"),
        ([YOUTH | {"id": "Youth"}], "concessions[0].id"),
        ([YOUTH | {"until": "0001-01-01T00:00:00+14:00"}], "concessions[0]"),
        ([YOUTH | {"id": f"y-{at}", "name": str(at)} for at in range(31)], "concessions"),
        ([YOUTH | {"name": SPREADING * 40}], "concessions[0].name"),
        ([YOUTH | {"proof": SPREADING * 200}], "concessions[0].proof"),
    ],
)
def test_what_is_wrong_with_them_is_named_and_nothing_changes(staff_client: Any, wrong: Any, field: str) -> None:
    body = {"title": "other", "performances": [], "concessions": wrong}
    answer = staff_client.put(f"{URL}/content", body, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert field in answer.json()["errors"], answer.json()
    assert staff_client.get(f"{URL}/content").json()["title"] == "t"


@pytest.mark.parametrize(
    ("chosen", "more", "code", "status"),
    [
        (["nobody"], {}, "concession_unknown", 409),
        (["youth"], {"grades": ["S"]}, "concession_not_for_place", 409),
        (["youth"], {"performances": ["p2"]}, "concession_not_for_place", 409),
        (["youth"], {"from": "2100-01-01T00:00:00+09:00"}, "concession_not_yet", 409),
        (["youth"], {"until": "2020-01-01T00:00:00+09:00"}, "concession_over", 409),
        (["group", "group"], {}, "concession_too_few", 409),
        (["child", "child", "child"], {}, "concession_too_many", 409),
    ],
)
def test_a_wrong_choice_is_refused_by_name_and_changes_nothing(
    order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, put: Put, chosen: list[str], more: Any, code: str, status: int
) -> None:
    put([YOUTH | more, GROUP, FREE])
    hold = seat.hold(buyer_id, seats=3)
    answer = order(hold, dict(zip(ids(seat, hold), chosen, strict=False)), key="k")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert not Order.objects.exists()
    assert not seat.pinned()
    assert not provider.calls
    assert order(hold, {ids(seat, hold)[0]: "child"}, key="k").status_code == 201, "the key is not used up, and the hold is the buyer's"


def test_a_place_that_is_not_held_is_refused(order: Any, buyer_id: str, seat: FakeSeat) -> None:
    answer = order(seat.hold(buyer_id), {"seat-99": "youth"})
    assert (answer.status_code, answer.json()["code"], answer.json()["place"]) == (422, "place_unknown", "seat-99")


def test_a_total_that_is_no_longer_so_is_told_before_anything_happens(
    order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, put: Put
) -> None:
    hold = seat.hold(buyer_id)
    chosen = {ids(seat, hold)[0]: "youth"}
    put([YOUTH | {"percent": 20}])
    answer = order(hold, chosen, total=255_000)
    assert (answer.status_code, answer.json()["code"], answer.json()["total_krw"]) == (409, "price_changed", 270_000)
    assert not Order.objects.exists()
    assert order(hold, chosen, total=270_000).json()["total_krw"] == 270_000
    assert order(seat.hold(buyer_id), None, total=1).json()["total_krw"] == 300_000


def test_what_was_ordered_stays_what_it_was_though_the_offer_changes(
    buyer_client: Any, order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, put: Put
) -> None:
    hold = seat.hold(buyer_id)
    chosen = {ids(seat, hold)[0]: "youth"}
    seat.faults["pin"] = ["lost"]
    assert order(hold, chosen, key="k").json()["code"] == "seat_unavailable"
    put([YOUTH | {"percent": 90, "name": "Youth"}])
    again = order(hold, chosen, key="k")
    assert (again.status_code, again.json()["total_krw"], again.json()["status"]) == (200, 255_000, "PAYING")
    put([])
    issued = pay(buyer_client, provider, again.json()["id"])
    assert (issued["status"], issued["places"][0]["concession"], Order.objects.count()) == ("ISSUED", "청소년", 1)
    assert order(hold, chosen, total=255_000).json()["id"] == issued["id"]


def test_who_comes_back_and_chooses_otherwise_pays_what_was_chosen_last(
    buyer_client: Any, order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    hold = seat.hold(buyer_id)
    first, second = ids(seat, hold)
    before = order(hold, {first: "youth"}).json()
    after = order(hold, {first: "youth", second: "youth"})
    assert (after.status_code, after.json()["total_krw"]) == (201, 210_000)
    assert buyer_client.get(f"{URL}/orders/{before['id']}").json()["status"] == "CANCELLED"
    # The first payment may still be open in another tab: it captures nothing any more.
    tid = tid_of(before["id"])
    buyer_client.get(f"{URL}/payments/{before['id']}/approved", {"pg_token": provider.authenticate(tid)})
    assert provider.payments[tid].captured == 0
    assert pay(buyer_client, provider, after.json()["id"])["status"] == "ISSUED"
    assert order(hold, None).json()["id"] == after.json()["id"], "what is bought is bought"


def test_another_choice_that_is_wrong_leaves_the_order_that_is_being_paid(
    buyer_client: Any, order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    hold = seat.hold(buyer_id)
    made = order(hold, {ids(seat, hold)[0]: "youth"}).json()
    for chosen, total in (({ids(seat, hold)[0]: "group"}, None), ({ids(seat, hold)[1]: "youth"}, 1)):
        assert order(hold, chosen, total=total).status_code == 409
    assert seat.pinned() == {made["id"]}
    assert pay(buyer_client, provider, made["id"])["status"] == "ISSUED"


@pytest.mark.parametrize("other", [None, "child"])
def test_seats_that_are_held_by_their_payment_alone_are_not_given_up_for_another_choice(
    buyer_client: Any, order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, other: str | None
) -> None:
    hold = seat.hold(buyer_id)
    made = order(hold, {ids(seat, hold)[0]: "youth"}).json()
    seat.holds[hold].is_overdue = True

    answer = order(hold, None if other is None else {ids(seat, hold)[0]: other})

    assert (answer.status_code, answer.json()["code"]) == (409, "hold_pinned")
    assert seat.pinned() == {made["id"]}
    assert pay(buyer_client, provider, made["id"])["status"] == "ISSUED"


def test_a_key_for_another_choice_is_refused(order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    hold = seat.hold(buyer_id)
    made = order(hold, {ids(seat, hold)[0]: "youth"}, key="k").json()
    for other in ({ids(seat, hold)[1]: "youth"}, {}, None):
        answer = order(hold, other, key="k")
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Order.objects.get().pk == made["id"]


def test_a_payment_that_is_being_confirmed_is_not_given_up_for_another_choice(
    buyer_client: Any, order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    hold = seat.hold(buyer_id)
    made = order(hold, {ids(seat, hold)[0]: "youth"}).json()
    provider.faults |= {"approve": ["unreached"], "order": ["unreached"]}
    pay(buyer_client, provider, made["id"])
    answer = order(hold, None)
    assert (answer.status_code, answer.json()["code"]) == (409, "payment_in_progress")


def test_nothing_left_to_pay_is_free(order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    hold = seat.hold(buyer_id)
    made = order(hold, dict.fromkeys(ids(seat, hold), "child"), total=0).json()
    assert (made["status"], made["total_krw"], made["payment"]) == ("ISSUED", 0, None)
    assert [(ticket.price_krw, ticket.list_price_krw) for ticket in Ticket.objects.all()] == [(0, 150_000)] * 2
    assert provider.calls == []


def test_without_a_payment_it_is_due_at_the_door_at_its_price(
    order: Any, buyer_id: str, no_provider: None, seat: FakeSeat, staff_client: Any
) -> None:
    hold = seat.hold(buyer_id)
    wrong = order(hold, {ids(seat, hold)[0]: "group"})
    assert wrong.json()["code"] == "concession_too_few"
    assert not seat.sold
    made = order(hold, {ids(seat, hold)[0]: "youth"}).json()
    assert (made["status"], made["total_krw"]) == ("ISSUED", 255_000)
    assert staff_client.get(f"{URL}/summary").json()["due_krw"] == 255_000


def test_the_fee_is_of_what_was_paid(
    buyer_client: Any, order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, put: Put
) -> None:
    put(refund_policy={"tiers": [{"days_before": 0, "percent": 10}]})
    hold = seat.hold(buyer_id)
    made = order(hold, {ids(seat, hold)[0]: "youth"}).json()
    issued = pay(buyer_client, provider, made["id"])
    ticket = issued["tickets"][0]["id"]
    quote = buyer_client.get(f"{URL}/orders/{made['id']}/cancellation", {"tickets": ticket}).json()
    assert (quote["fee_krw"], quote["refund_krw"]) == (10_500, 94_500)
    answer = buyer_client.post(f"{URL}/orders/{made['id']}/refunds", {"fee_krw": 10_500, "tickets": [ticket]}, content_type=JSON)
    assert answer.json()["refunded_krw"] == 94_500
    assert sum(provider.payments[tid_of(made["id"])].cancels) == 94_500


@pytest.fixture
def group(buyer_client: Any, order: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> dict[str, Any]:
    """An issued order of three at the group's price and one beside them."""
    hold = seat.hold(buyer_id, seats=4)
    made = order(hold, dict.fromkeys(ids(seat, hold)[:3], "group")).json()
    return pay(buyer_client, provider, made["id"])


def test_a_group_is_given_back_whole_or_not_at_all(buyer_client: Any, group: dict[str, Any], put: Put) -> None:
    put([])  # it was sold to a group, whatever is offered now
    path = f"{URL}/orders/{group['id']}"
    *three, other = [ticket["id"] for ticket in group["tickets"]]
    told = buyer_client.get(f"{path}/cancellation", {"tickets": three[0]}).json()
    assert (told["allowed"], told["reason"]) == (False, "concession_group")
    answer = buyer_client.post(f"{path}/refunds", {"fee_krw": 0, "tickets": three[:1]}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "concession_group")
    assert "group" in answer.json()["detail"]
    for chosen, refunded in ((three, 420_000), ([other], 570_000)):
        answer = buyer_client.post(f"{path}/refunds", {"fee_krw": 0, "tickets": chosen}, content_type=JSON)
        assert answer.json()["refunded_krw"] == refunded


def test_the_organiser_may_take_one_of_a_group_back(staff_client: Any, buyer_client: Any, group: dict[str, Any]) -> None:
    tickets = [ticket["id"] for ticket in group["tickets"]]
    path = f"{URL}/bookings/{group['id']}"
    assert staff_client.get(f"{path}/quote", {"tickets": tickets[0]}).json()["refund_krw"] == 140_000
    made = staff_client.post(f"{path}/refunds", {"fee_krw": 0, "why": "illness", "tickets": tickets[:1]}, content_type=JSON)
    assert made.status_code == 201
    assert RefundByHand.objects.get().price_krw == 140_000
    # The buyer may go on with the rest: the two go together now.
    told = buyer_client.get(f"{URL}/orders/{group['id']}/cancellation", {"tickets": tickets[3]}).json()
    assert told["allowed"]
    told = buyer_client.get(f"{URL}/orders/{group['id']}/cancellation", {"tickets": tickets[1]}).json()
    assert told["reason"] == "concession_group"


def test_a_purchase_without_concessions_asks_nobody_for_more(
    buyer_client: Any, buyer_id: str, order: Any, provider: FakeProvider, seat: FakeSeat
) -> None:
    event.current()
    verbs: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        verbs.append(" ".join(sql.replace('"', "").replace("`", "").split()[:3]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        made = order(seat.hold(buyer_id)).json()
        buyer_client.get(f"{URL}/payments/{made['id']}/approved", {"pg_token": provider.authenticate(tid_of(made["id"]))})
    assert seat.calls == ["pin", "confirm"]
    assert [verb for verb in verbs if verb.startswith(("SELECT", "INSERT", "UPDATE"))] == PLAIN


PLAIN = [
    "INSERT INTO ticket_order",
    "UPDATE ticket_order SET",
    "SELECT ticket_order.id, ticket_order.number,",  # the test's own
    "UPDATE ticket_order SET",
    "SELECT id, number,",
    "UPDATE ticket_order SET",
    "INSERT INTO ticket_ledgerentry",
    "INSERT INTO ticket_ticket",
    "INSERT INTO ticket_notice",
]
"""The order, that it waits for its payment, that it is approved, and that it is issued with its capture, tickets and notice."""


def test_an_order_of_an_older_release_is_delivered(
    buyer_client: Any, buyer_id: str, order: Any, provider: FakeProvider, seat: FakeSeat
) -> None:
    made = order(seat.hold(buyer_id)).json()
    old = [{name: place[name] for name in ("id", "label", "grade", "price_krw", "seat", "area")} for place in Order.objects.get().places]
    Order.objects.update(places=old)
    assert pay(buyer_client, provider, made["id"])["status"] == "ISSUED"
