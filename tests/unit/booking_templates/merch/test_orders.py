"""Products are ordered, paid, cancelled and picked up; stock is never sold twice (I7)."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking_templates.merch.models import Choice, LedgerEntry, Order
from tests.booking_fakes import FakeProvider
from tests.unit.booking_templates.merch.conftest import JSON

pytestmark = pytest.mark.usefixtures("products")
URL = "/api/merch"
OrderCall = Callable[..., Any]
Pay = Callable[[str], None]
Recover = Callable[[], None]


def sold(product: str = "program") -> int:
    return Choice.objects.get(product=product).sold


def cancel(client: Any, order_id: str) -> Any:
    return client.post(f"{URL}/orders/{order_id}/cancel")


def give_back(client: Any, order_id: str, *pieces: tuple[Any, int]) -> Any:
    items = [{"item": str(item), "quantity": quantity} for item, quantity in pieces]
    return client.post(f"{URL}/orders/{order_id}/refunds", {"items": items}, content_type=JSON)


def test_products_say_what_is_left(client: Any, order: OrderCall, provider: FakeProvider) -> None:
    order(program=2)
    products = client.get(f"{URL}/products").json()["products"]
    assert [(each["id"], each["left"]) for each in products] == [("program", 3), ("ost", 3), ("leaflet", 10)]
    assert products[0]["description"] == "80쪽"


def test_an_order_takes_stock_and_leads_to_the_payment(order: OrderCall, provider: FakeProvider) -> None:
    answer = order(program=2, ost=1)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["status"], made["total_krw"], made["pickup_code"], made["due_krw"]) == ("PAYING", 52_000, None, 0)
    assert [(item["product"], item["quantity"], item["price_krw"]) for item in made["items"]] == [
        ("program", 2, 15_000),
        ("ost", 1, 22_000),
    ]
    purchase = next(iter(provider.payments.values())).purchase
    assert (purchase.item_name, purchase.quantity, purchase.total_krw) == ("프로그램북 +1", 3, 52_000)
    assert purchase.approved_url.startswith("http://phantom.localhost:8080/api/merch/payments/")
    assert (sold("program"), sold("ost")) == (2, 1)


def test_a_paid_order_has_a_pick_up_code(buyer_client: Any, order: OrderCall, pay: Pay) -> None:
    made = order(program=1).json()
    pay(made["id"])
    paid = buyer_client.get(f"{URL}/orders/{made['id']}").json()
    assert (paid["status"], len(paid["pickup_code"])) == ("ISSUED", 9)
    assert list(LedgerEntry.objects.values_list("kind", "amount_krw")) == [("capture", 15_000)]


def test_without_a_provider_it_is_due_at_the_counter(order: OrderCall, no_provider: None, staff_client: Any) -> None:
    made = order(program=1, leaflet=2).json()
    assert (made["status"], made["payment"], made["due_krw"]) == ("ISSUED", None, 15_000)
    assert staff_client.get(f"{URL}/summary").json()["due_krw"] == 15_000


def test_what_costs_nothing_needs_no_payment(order: OrderCall, provider: FakeProvider) -> None:
    assert order(leaflet=2).json()["status"] == "ISSUED"
    assert provider.calls == []


def test_the_same_key_is_the_same_order(order: OrderCall, provider: FakeProvider) -> None:
    first, second = order(key="k", program=1), order(key="k", program=1)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert sold() == 1
    other = order(key="k", program=2)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert sold() == 1


def test_too_few_left_takes_nothing_and_says_what_is_left(order: OrderCall, provider: FakeProvider) -> None:
    answer = order(ost=1, program=6)
    assert (answer.status_code, answer.json()["code"]) == (409, "sold_out")
    assert (answer.json()["products"], answer.json()["left"]) == (["program"], {"program": 5})
    assert (sold("ost"), sold("program"), Order.objects.count()) == (0, 0, 0)


def test_an_item_that_comes_twice_counts_together(buyer_client: Any, provider: FakeProvider) -> None:
    items = [{"product": "program", "quantity": 3}, {"product": "program", "quantity": 3}]
    assert buyer_client.post(f"{URL}/orders", {"items": items}, content_type=JSON).json()["code"] == "sold_out"
    items[1]["quantity"] = 2
    assert buyer_client.post(f"{URL}/orders", {"items": items}, content_type=JSON).json()["items"][0]["quantity"] == 5


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"product": "program", "quantity": 0}],
        [{"product": "program", "quantity": -1}],
        [{"product": "program", "quantity": 101}],
        [{"product": "program", "quantity": 1.5}],
        [{"product": "program"}],
        [{"product": "", "quantity": 1}],
        [{"product": "program", "quantity": 1, "price_krw": 1}],
        [{"product": "program", "quantity": 1}] * 51,
        "program",
    ],
)
def test_bad_items_change_nothing(buyer_client: Any, provider: FakeProvider, items: Any) -> None:
    answer = buyer_client.post(f"{URL}/orders", {"items": items}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert (sold(), Order.objects.count()) == (0, 0)


def test_an_unknown_product_is_named(order: OrderCall, provider: FakeProvider) -> None:
    answer = order(program=1, nothing=1)
    assert (answer.status_code, answer.json()["code"], answer.json()["products"]) == (404, "unknown_product", ["nothing"])
    assert sold() == 0


def test_only_own_orders_are_there(
    buyer_client: Any, other_buyer_client: Any, client: Any, order: OrderCall, provider: FakeProvider
) -> None:
    made = order(program=1).json()["id"]
    assert buyer_client.get(f"{URL}/orders").json()["orders"][0]["id"] == made
    assert other_buyer_client.get(f"{URL}/orders").json()["orders"] == []
    assert other_buyer_client.get(f"{URL}/orders/{made}").status_code == 404
    assert cancel(other_buyer_client, made).status_code == 404
    assert client.get(f"{URL}/orders/{made}").status_code == 401


def test_cancelling_gives_money_and_stock_back_once(buyer_client: Any, order: OrderCall, pay: Pay, provider: FakeProvider) -> None:
    made = order(program=2).json()["id"]
    pay(made)
    answers = [cancel(buyer_client, made).json() for _ in range(2)]
    assert [(each["status"], each["refunded_krw"], each["pickup_code"]) for each in answers] == [("REFUNDED", 30_000, None)] * 2
    assert sold() == 0
    assert next(iter(provider.payments.values())).cancels == [30_000]


def test_an_order_that_nobody_pays_gives_its_stock_back(order: OrderCall, provider: FakeProvider, recover: Recover) -> None:
    order(program=5)
    recover()
    assert (Order.objects.get().state, Order.objects.get().reason, sold()) == ("CANCELLED", "expired", 0)


def test_a_payment_that_cannot_start_gives_the_stock_back_in_time(order: OrderCall, provider: FakeProvider, recover: Recover) -> None:
    provider.faults["ready"] = ["unreached", -731]
    assert order(program=1).json()["code"] == "payment_unavailable"
    assert order(program=1).json()["code"] == "payment_unavailable"
    assert sold() == 1
    recover()
    assert sold() == 0


def test_a_captured_amount_that_differs_goes_back_with_the_stock(order: OrderCall, pay: Pay, provider: FakeProvider) -> None:
    made = order(program=1).json()["id"]
    Order.objects.update(total_krw=14_999)
    pay(made)
    assert (Order.objects.get().state, sold()) == ("REFUNDED", 0)
    assert list(LedgerEntry.objects.order_by("pk").values_list("kind", "amount_krw")) == [("capture", 15_000), ("refund", 15_000)]


def test_the_last_pieces_go_to_as_many_buyers_as_there_are(
    client_for: Callable[[str], Any], keys: Any, order: OrderCall, no_provider: None
) -> None:
    gate, statuses = threading.Barrier(12), []

    def buyer() -> None:
        client = client_for(keys.buyer_token())
        gate.wait()
        statuses.append(order(client=client, program=1, ost=1).status_code)
        connections.close_all()

    threads = [threading.Thread(target=buyer) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(statuses) == [201] * 3 + [409] * 9
    assert (sold("ost"), sold("program")) == (3, 3)


def test_an_order_is_handed_over_once(buyer_client: Any, staff_client: Any, order: OrderCall, pay: Pay) -> None:
    made = order(program=1).json()["id"]
    pay(made)
    code = buyer_client.get(f"{URL}/orders/{made}").json()["pickup_code"]
    answer = staff_client.post(f"{URL}/pickups", {"code": f" {code.lower().replace('-', ' ')} "}, content_type=JSON)
    assert (answer.status_code, answer.json()["due_krw"], answer.json()["items"][0]["name"]) == (200, 0, "프로그램북")
    again = staff_client.post(f"{URL}/pickups", {"code": code.replace("-", "")}, content_type=JSON)
    assert (again.status_code, again.json()["code"]) == (409, "already_picked_up")
    assert cancel(buyer_client, made).json()["code"] == "already_picked_up"
    assert (Order.objects.get().state, sold()) == ("ISSUED", 1)


def test_what_was_cancelled_or_never_paid_is_not_handed_over(
    buyer_client: Any, staff_client: Any, order: OrderCall, pay: Pay, provider: FakeProvider
) -> None:
    def show(code: str) -> Any:
        return staff_client.post(f"{URL}/pickups", {"code": code}, content_type=JSON)

    unpaid = order(program=1).json()["id"]
    assert show(Order.objects.get(pk=unpaid).pickup_code).json()["code"] == "unknown_code"
    paid = order(program=1).json()["id"]
    pay(paid)
    cancel(buyer_client, paid)
    assert show(Order.objects.get(pk=paid).pickup_code).json()["code"] == "order_cancelled"
    assert show("NOPE").status_code == 404
    assert buyer_client.post(f"{URL}/pickups", {"code": "X"}, content_type=JSON).status_code == 403


def test_an_erased_buyer_is_nowhere_and_the_money_stays(
    service_client: Callable[[str], Any], buyer_client: Any, buyer_id: str, order: OrderCall, pay: Pay
) -> None:
    pay(order(program=1).json()["id"])
    order(ost=1)
    assert service_client("auth").post(f"/internal/buyers/{buyer_id}/erase").json() == {"orders": 2}
    assert service_client("auth").post(f"/internal/buyers/{buyer_id}/erase").json() == {"orders": 0}
    assert service_client("ticket").post(f"/internal/buyers/{buyer_id}/erase").status_code == 403
    assert not Order.objects.filter(buyer_id=buyer_id).exists()
    assert set(Order.objects.values_list("buyer_name", flat=True)) == {""}
    assert (LedgerEntry.objects.count(), sold("program"), sold("ost")) == (1, 1, 0)


def test_open_business_is_what_is_paid_and_not_picked_up(staff_client: Any, order: OrderCall, pay: Pay) -> None:
    pay(order(program=1).json()["id"])
    order(ost=1)
    assert staff_client.get(f"{URL}/open").json() == {"paid_orders_to_pick_up": 1, "open_payments": 1}


def test_a_part_that_is_still_being_given_back_is_open_business(
    staff_client: Any, order: OrderCall, pay: Pay, provider: FakeProvider, recover: Recover
) -> None:
    """The rest is handed over, so the order alone would let payment be taken out of the system, and the money would never go back."""
    made = order(program=2).json()
    pay(made["id"])
    assert staff_client.post(f"{URL}/pickups", {"code": Order.objects.get().pickup_code}, content_type=JSON).status_code == 200
    provider.faults |= {"cancel": ["5xx"], "order": ["5xx"]}
    body = {"why": "goodwill", "picked_up": True, "items": [{"item": made["items"][0]["id"], "quantity": 1}]}
    answer = staff_client.post(f"{URL}/pickups/{made['id']}/refunds", body, content_type=JSON)
    assert (answer.status_code, answer.json()["is_done"]) == (201, False)
    assert staff_client.get(f"{URL}/open").json() == {"paid_orders_to_pick_up": 0, "open_payments": 1}
    recover()
    assert staff_client.get(f"{URL}/open").json() == {"paid_orders_to_pick_up": 0, "open_payments": 0}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(st.tuples(st.sampled_from(["order", "cancel"]), st.integers(1, 4)), max_size=14))
def test_sold_is_what_standing_orders_have(
    client_for: Callable[[str], Any], keys: Any, order: OrderCall, no_provider: None, actions: list[tuple[str, int]]
) -> None:
    buyer = client_for(keys.buyer_token(str(uuid.uuid4())))
    standing: list[tuple[str, int]] = []
    for action, quantity in actions:
        if action == "order":
            answer = order(client=buyer, program=quantity)
            if answer.status_code == 201:
                standing.append((answer.json()["id"], quantity))
        elif standing:
            cancel(buyer, standing.pop(0)[0])
        assert sold() == sum(each for _, each in standing) <= 5
    for made, _ in standing:
        cancel(buyer, made)
    assert sold() == 0
