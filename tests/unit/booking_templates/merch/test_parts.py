"""Refunds of pieces, orders bought with tickets, and the list at the counter."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from booking_templates.kit import peers
from booking_templates.kit.peers import PeerResponse, PeerTimeout
from booking_templates.merch.models import Choice, Item, LedgerEntry, Order
from tests.booking_fakes import FakeProvider
from tests.unit.booking_templates.merch.conftest import JSON
from tests.unit.booking_templates.merch.test_orders import give_back

pytestmark = pytest.mark.usefixtures("products")
URL = "/api/merch"
TICKETS = str(uuid.uuid4())


@pytest.fixture
def bought(order: Callable[..., Any], pay: Callable[[str], None]) -> tuple[str, dict[str, int]]:
    """A paid order of three programs and an OST: its id, and its items' ids by product."""
    made = order(program=3, ost=1).json()
    pay(made["id"])
    return made["id"], {item["product"]: int(item["id"]) for item in made["items"]}


def sold() -> dict[str, int]:
    return {choice.product_id: choice.sold for choice in Choice.objects.all() if choice.sold}


def test_pieces_are_given_back_one_after_the_other_until_the_order_ends(
    buyer_client: Any, bought: tuple[str, dict[str, int]], provider: FakeProvider
) -> None:
    order_id, items = bought
    first = give_back(buyer_client, order_id, (items["program"], 2)).json()
    assert (first["status"], first["refunded_krw"], first["reason"]) == ("ISSUED", 30_000, "")
    assert [(item["quantity"], item["given_back"]) for item in first["items"]] == [(3, 2), (1, 0)]
    assert first["cancellation"]["refund_krw"] == 37_000
    assert sold() == {"program": 1, "ost": 1}
    last = give_back(buyer_client, order_id, (items["program"], 1), (items["ost"], 1)).json()
    assert (last["status"], last["refunded_krw"], last["pickup_code"]) == ("REFUNDED", 67_000, None)
    assert sold() == {}
    assert next(iter(provider.payments.values())).cancels == [30_000, 37_000]
    assert list(LedgerEntry.objects.order_by("pk").values_list("amount_krw", flat=True)) == [67_000, 30_000, 37_000]


def test_what_others_gave_back_at_the_provider_is_not_given_back_again(
    buyer_client: Any, staff_client: Any, bought: tuple[str, dict[str, int]], provider: FakeProvider
) -> None:
    order_id, items = bought
    provider.cancel_by_hand(next(iter(provider.payments)), 5_000)
    assert give_back(buyer_client, order_id, (items["program"], 1)).json()["refunded_krw"] == 20_000
    assert buyer_client.get(f"{URL}/orders/{order_id}").json()["cancellation"]["refund_krw"] == 47_000, "of pieces for 52,000"
    assert buyer_client.post(f"{URL}/orders/{order_id}/cancel").json()["refunded_krw"] == 67_000
    entries = LedgerEntry.objects.order_by("pk").values_list("kind", "amount_krw")
    assert list(entries) == [("capture", 67_000), ("outside", 5_000), ("refund", 15_000), ("refund", 47_000)]
    summary = staff_client.get(f"{URL}/summary").json()
    assert (summary["refunded_krw"], summary["outside_krw"], summary["open_refunds"]) == (67_000, 5_000, 0)
    history = staff_client.get(f"{URL}/pickups/{order_id}").json()["history"]
    assert [each["amount_krw"] for each in history if each["kind"] == "outside"] == [5_000]


def test_cancelling_after_a_part_gives_the_rest_back(buyer_client: Any, bought: tuple[str, dict[str, int]], provider: FakeProvider) -> None:
    order_id, items = bought
    give_back(buyer_client, order_id, (items["ost"], 1))
    ended = buyer_client.post(f"{URL}/orders/{order_id}/cancel").json()
    assert (ended["status"], ended["refunded_krw"]) == ("REFUNDED", 67_000)
    assert next(iter(provider.payments.values())).cancels == [22_000, 45_000]
    assert sold() == {}


@pytest.mark.parametrize("quantity", [4, 100])
def test_more_than_there_is_is_refused_and_nothing_changes(
    buyer_client: Any, bought: tuple[str, dict[str, int]], provider: FakeProvider, quantity: int
) -> None:
    order_id, items = bought
    answer = give_back(buyer_client, order_id, (items["ost"], 1), (items["program"], quantity))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    twice = give_back(buyer_client, order_id, (items["program"], 2), (items["program"], 2))
    assert twice.status_code == 422, "what comes twice counts together"
    assert sold() == {"program": 3, "ost": 1}
    assert next(iter(provider.payments.values())).cancels == []


@pytest.mark.parametrize(
    "items",
    [
        [],
        "all",
        [{"item": "1"}],
        [{"item": "x", "quantity": 1}],
        [{"item": "-1", "quantity": 1}],
        [{"item": "9" * 18, "quantity": 1}],
        [{"item": "9" * 30, "quantity": 1}],
        [{"item": 1, "quantity": 1}],
        [{"item": "1", "quantity": 0}],
        [{"item": "1", "quantity": -1}],
    ],
)
def test_bad_pieces_are_refused(buyer_client: Any, bought: tuple[str, dict[str, int]], items: Any) -> None:
    answer = buyer_client.post(f"{URL}/orders/{bought[0]}/refunds", {"items": items}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_an_item_of_another_order_is_not_this_ones(
    buyer_client: Any, other_buyer_client: Any, bought: tuple[str, dict[str, int]], order: Callable[..., Any], pay: Callable[[str], None]
) -> None:
    other = order(client=other_buyer_client, program=1).json()
    pay_for = other["id"]
    token = Order.objects.get(pk=pay_for).tid
    assert token
    assert give_back(buyer_client, bought[0], (other["items"][0]["id"], 1)).status_code == 422
    assert give_back(other_buyer_client, bought[0], (bought[1]["program"], 1)).status_code == 404


def test_nothing_is_given_back_before_it_is_paid_or_after_it_was_picked_up(
    buyer_client: Any, staff_client: Any, order: Callable[..., Any], pay: Callable[[str], None]
) -> None:
    made = order(program=1).json()
    item = (made["items"][0]["id"], 1)
    assert give_back(buyer_client, made["id"], item).json()["code"] == "not_issued"
    pay(made["id"])
    staff_client.post(f"{URL}/pickups", {"code": Order.objects.get().pickup_code}, content_type=JSON)
    assert give_back(buyer_client, made["id"], item).json()["code"] == "already_picked_up"


def test_a_lost_answer_of_a_part_refund_is_asked_for_and_paid_once(
    buyer_client: Any, bought: tuple[str, dict[str, int]], provider: FakeProvider, recover: Callable[[], None]
) -> None:
    order_id, items = bought
    provider.faults |= {"cancel": ["lost"], "order": ["lost"]}
    answer = give_back(buyer_client, order_id, (items["program"], 1)).json()
    assert (answer["status"], answer["refunded_krw"]) == ("ISSUED", 0)
    again = give_back(buyer_client, order_id, (items["program"], 1))
    assert (again.status_code, again.json()["code"]) == (409, "refund_in_progress")
    recover()
    assert next(iter(provider.payments.values())).cancels == [15_000]
    assert (Order.objects.get().refunded_krw, sold()) == (15_000, {"program": 2, "ost": 1})


def test_without_a_provider_less_is_due(buyer_client: Any, order: Callable[..., Any], no_provider: None, staff_client: Any) -> None:
    made = order(program=2).json()
    part = give_back(buyer_client, made["id"], (made["items"][0]["id"], 1)).json()
    assert (part["status"], part["due_krw"]) == ("ISSUED", 15_000)
    assert staff_client.get(f"{URL}/summary").json()["due_krw"] == 15_000
    last = give_back(buyer_client, made["id"], (made["items"][0]["id"], 1)).json()
    assert (last["status"], last["due_krw"], sold()) == ("CANCELLED", 0, {})


# With tickets


@pytest.fixture
def tickets(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The ticket service: what it says of orders, or the error that asking it raises."""
    state: dict[str, Any] = {"status": "PAYING"}

    def call(peer: str, method: str, path: str, **_: Any) -> PeerResponse:
        state["asked"] = (peer, method, path)
        if "error" in state:
            raise state["error"]
        if path.split("/")[3] != TICKETS:
            return PeerResponse(404, b'{"code":"not_found"}')
        return PeerResponse(200, json.dumps({"status": state["status"]}).encode())

    monkeypatch.setattr(peers, "call", call)
    return state


def with_tickets(client: Any, ticket_order: Any, key: str = "") -> Any:
    body = {"items": [{"product": "program", "quantity": 1}], "ticket_order": ticket_order}
    return client.post(f"{URL}/orders", body, content_type=JSON, headers={"Idempotency-Key": key} if key else {})


def test_products_are_bought_with_tickets(buyer_client: Any, buyer_id: str, tickets: dict[str, Any], provider: FakeProvider) -> None:
    made = with_tickets(buyer_client, TICKETS)
    assert (made.status_code, made.json()["ticket_order"], made.json()["status"]) == (201, TICKETS, "PAYING")
    assert tickets["asked"] == ("ticket", "GET", f"/internal/orders/{TICKETS}/{buyer_id}")
    found = buyer_client.get(f"{URL}/orders", {"ticket_order": TICKETS}).json()["orders"]
    assert [each["id"] for each in found] == [made.json()["id"]]
    assert buyer_client.get(f"{URL}/orders", {"ticket_order": str(uuid.uuid4())}).json()["orders"] == []


def test_tickets_that_are_nobodys_or_ended_or_not_to_be_asked_for_stop_it(
    buyer_client: Any, tickets: dict[str, Any], provider: FakeProvider
) -> None:
    unknown = with_tickets(buyer_client, str(uuid.uuid4()))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_ticket_order")
    for bad in ("x", "../../x", 5):
        assert with_tickets(buyer_client, bad).status_code == 422
    tickets["status"] = "REFUNDED"
    assert with_tickets(buyer_client, TICKETS).json()["code"] == "ticket_order_ended"
    tickets["error"] = PeerTimeout("ticket: fault")
    silent = with_tickets(buyer_client, TICKETS)
    assert (silent.status_code, silent.json()["code"]) == (503, "ticket_unavailable")
    assert (Order.objects.count(), sold()) == (0, {})


def test_the_same_key_leads_to_the_order_even_when_tickets_are_silent(
    buyer_client: Any, tickets: dict[str, Any], provider: FakeProvider
) -> None:
    first = with_tickets(buyer_client, TICKETS, key="k")
    tickets["error"] = PeerTimeout("ticket: fault")
    again = with_tickets(buyer_client, TICKETS, key="k")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    other = with_tickets(buyer_client, None, key="k")
    assert other.json()["code"] == "idempotency_key_reused"


# At the counter


def test_the_counter_lists_who_waits_for_what(
    buyer_client: Any, staff_client: Any, bought: tuple[str, dict[str, int]], order: Callable[..., Any]
) -> None:
    order_id, items = bought
    order(program=1)
    give_back(buyer_client, order_id, (items["ost"], 1))
    order_row = Order.objects.get(pk=order_id)
    waiting = staff_client.get(f"{URL}/pickups").json()
    assert (waiting["total"], waiting["pages"], [each["order"] for each in waiting["orders"]]) == (1, 1, [order_id])
    assert [(item["product"], item["quantity"]) for item in waiting["orders"][0]["items"]] == [("program", 3)]
    assert staff_client.get(f"{URL}/pickups", {"q": order_row.number[:5].lower()}).json()["total"] == 1
    assert staff_client.get(f"{URL}/pickups", {"q": "nobody"}).json()["total"] == 0
    for q, total in ((order_row.number, 1), ("nobody", 0)):
        looked = staff_client.post(f"{URL}/pickups/search", {"q": q, "state": "all"}, content_type=JSON)
        assert (looked.status_code, looked.json()) == (200, staff_client.get(f"{URL}/pickups", {"q": q, "state": "all"}).json())
        assert looked.json()["total"] == total
    handed = staff_client.post(f"{URL}/pickups", {"code": order_row.pickup_code}, content_type=JSON).json()
    assert [item["product"] for item in handed["items"]] == ["program"]
    totals = [staff_client.get(f"{URL}/pickups", {"state": state}).json()["total"] for state in ("waiting", "done", "all")]
    assert totals == [0, 1, 1]


def test_the_counter_still_finds_what_was_given_back_whole(
    buyer_client: Any, staff_client: Any, bought: tuple[str, dict[str, int]]
) -> None:
    order_id, items = bought
    give_back(buyer_client, order_id, *((item, 1) for item in items.values()))
    assert staff_client.get(f"{URL}/pickups", {"state": "returned"}).json()["total"] == 0  # some pieces are left

    assert buyer_client.post(f"{URL}/orders/{order_id}/cancel").status_code == 200

    assert staff_client.get(f"{URL}/pickups", {"state": "all"}).json()["total"] == 0
    (found,) = staff_client.get(f"{URL}/pickups", {"state": "returned"}).json()["orders"]
    assert (found["order"], found["status"], found["due_krw"]) == (order_id, "REFUNDED", 0)
    assert {item["product"] for item in found["items"]} == {"program", "ost"}


def test_the_counter_finds_a_name_however_its_letters_were_composed(buyer_client: Any, staff_client: Any, no_provider: None) -> None:
    apart = "\u1112\u1161\u1102\u1161"
    body = {"items": [{"product": "program", "quantity": 1}], "name": f" {apart}\u202e "}
    assert buyer_client.post(f"{URL}/orders", body, content_type=JSON).status_code == 201
    assert Order.objects.get().buyer_name == "하나"
    for typed in ("하나", apart):
        assert staff_client.get(f"{URL}/pickups", {"q": typed}).json()["total"] == 1
    Order.objects.update(buyer_phone="01012345678")
    assert staff_client.get(f"{URL}/pickups", {"q": "010-1234"}).json()["total"] == 1


@pytest.mark.parametrize("query", [{"state": "x"}, {"page": 0}, {"page": "x"}, {"q": "x" * 101}])
def test_a_bad_query_of_the_counter_is_refused(staff_client: Any, query: dict[str, Any]) -> None:
    assert staff_client.get(f"{URL}/pickups", query).status_code == 422


def test_the_counters_list_is_for_its_staff(client: Any, buyer_client: Any) -> None:
    assert client.get(f"{URL}/pickups").status_code == 401
    assert buyer_client.get(f"{URL}/pickups").status_code == 403
    assert client.post(f"{URL}/pickups/search", {"q": "김"}, content_type=JSON).status_code == 401
    assert buyer_client.post(f"{URL}/pickups/search", {"q": "김"}, content_type=JSON).status_code == 403


def test_items_of_a_deleted_choice_are_kept(staff_client: Any, bought: tuple[str, dict[str, int]]) -> None:
    staff_client.put(f"{URL}/content", {"products": []}, content_type=JSON)
    assert Item.objects.count() == 2
    assert staff_client.get(f"{URL}/pickups").json()["total"] == 1
