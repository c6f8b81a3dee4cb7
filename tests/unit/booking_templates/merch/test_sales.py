"""The shop sells until the event is over, and nothing once every performance was called off: then what was not picked up goes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from booking_templates.kit.db import clock
from booking_templates.merch.calling_off import take_back
from booking_templates.merch.models import Choice, Order, Performance
from tests.booking_fakes import FakeProvider
from tests.unit.booking_templates.merch.conftest import JSON, PRODUCTS

URL = "/api/merch"
Pay = Callable[[str], None]


def performance(name: str, hours: float, length: float | None = None) -> dict[str, Any]:
    """One that starts HOURS from now and is so long."""
    starts_at = clock() + timedelta(hours=hours)
    ends = {} if length is None else {"ends_at": (starts_at + timedelta(hours=length)).isoformat()}
    return {"id": name, "starts_at": starts_at.isoformat(), **ends}


@pytest.fixture
def put(staff_client: Any) -> Callable[..., Any]:
    def run(*performances: dict[str, Any], **more: Any) -> Any:
        body = {"products": PRODUCTS, **({"performances": performances} if performances else {}), **more}
        return staff_client.put(f"{URL}/content", body, content_type=JSON)

    return run


@pytest.fixture
def close(service_client: Callable[[str], Any]) -> Callable[[str], int]:
    return lambda name: int(service_client("ticket").post(f"/internal/performances/{name}/close", {}, content_type=JSON).status_code)


def sold() -> int:
    return Choice.objects.get(product="program").sold


@pytest.mark.parametrize(
    ("hours", "length", "is_sold"),
    [(1, None, True), (-1, None, True), (-3, None, False), (-3, 4, True), (-3, 2.9, False)],
    ids=["before", "while it is on", "after its usual length", "a long one", "just over"],
)
def test_it_sells_until_the_last_performance_ends(
    put: Callable[..., Any], client: Any, order: Callable[..., Any], no_provider: None, hours: float, length: float | None, is_sold: bool
) -> None:
    assert put(performance("p1", -50), performance("p2", hours, length)).status_code == 200
    answer = order(program=1)
    assert client.get(f"{URL}/products").json()["on_sale"] is is_sold
    if is_sold:
        assert answer.status_code == 201
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "not_on_sale")
        assert answer.json()["detail"] == "The event is over, so nothing is sold here any more."
        assert (sold(), Order.objects.count()) == (0, 0)


def test_the_last_one_that_is_not_called_off_counts(
    put: Callable[..., Any], close: Callable[[str], int], client: Any, order: Callable[..., Any], no_provider: None
) -> None:
    put(performance("p1", -3), performance("p2", 24))
    assert order(program=1).status_code == 201
    assert close("p2") == close("p2") == 204
    assert order(program=1).json()["code"] == "not_on_sale"
    shown = client.get(f"{URL}/products").json()
    assert (shown["on_sale"], shown["is_called_off"]) == (False, False)
    assert take_back() == 0, "one took place: what is there is still picked up"


def test_when_all_is_called_off_what_was_bought_alone_is_refunded_in_full(
    put: Callable[..., Any],
    close: Callable[[str], int],
    order: Callable[..., Any],
    pay: Pay,
    provider: FakeProvider,
    buyer_client: Any,
    staff_client: Any,
    recover: Callable[[], None],
) -> None:
    put(performance("p1", 24), performance("p2", 48))
    alone, fetched = order(program=2).json()["id"], order(program=1).json()["id"]
    pay(alone)
    pay(fetched)
    code = buyer_client.get(f"{URL}/orders/{fetched}").json()["pickup_code"]
    assert staff_client.post(f"{URL}/pickups", {"code": code}, content_type=JSON).status_code == 200
    unpaid = order(program=1).json()["id"]

    close("p1")
    assert take_back() == 0, "there is another one"
    close("p2")
    assert order(program=1).json()["detail"] == "The event was called off, so nothing is sold here any more."
    assert take_back() == 2
    recover()

    shown = {each: buyer_client.get(f"{URL}/orders/{each}").json() for each in (alone, fetched, unpaid)}
    assert [each["status"] for each in shown.values()] == ["REFUNDED", "ISSUED", "CANCELLED"]
    assert (shown[alone]["refunded_krw"], shown[alone]["reason"]) == (30_000, "performance_called_off")
    assert (sold(), take_back()) == (1, 0), "what was handed over stays the buyer's"


def test_no_content_takes_a_calling_off_back_and_none_is_needed_for_it(
    put: Callable[..., Any], close: Callable[[str], int], order: Callable[..., Any], no_provider: None
) -> None:
    assert close("p1") == 204, "told before the content is there"
    put(performance("p1", 24))
    assert order(program=1).json()["code"] == "not_on_sale"
    put(performance("p2", 24))
    assert order(program=1).status_code == 201
    put(performance("p1", 24))
    assert order(program=1).json()["code"] == "not_on_sale"


def test_content_that_tells_no_times_sells_as_before_and_keeps_those_that_it_knows(
    put: Callable[..., Any], staff_client: Any, order: Callable[..., Any], no_provider: None
) -> None:
    assert put().json() == {"products": PRODUCTS}
    assert order(program=1).status_code == 201
    put(performance("p1", -3))
    assert put().status_code == 200
    assert order(program=1).json()["code"] == "not_on_sale"
    assert [each["id"] for each in staff_client.get(f"{URL}/content").json()["performances"]] == ["p1"]


def test_an_order_that_was_made_before_is_answered_still(
    put: Callable[..., Any], close: Callable[[str], int], order: Callable[..., Any], no_provider: None
) -> None:
    put(performance("p1", 24))
    assert order(program=1, key="once").status_code == 201
    close("p1")
    assert order(program=1, key="once").status_code == 200


@pytest.mark.parametrize("bad", [{"id": ""}, {"starts_at": "2026-11-22T10:00:00"}, {"starts_at": "0001-01-01T00:00:00Z"}, {"at": 1}])
def test_bad_times_are_refused(put: Callable[..., Any], bad: dict[str, Any]) -> None:
    assert put(performance("p1", 24) | bad).status_code == 422
    assert put(performance("p1", 24), performance("P1", 25)).status_code == 422
    assert not Performance.objects.exists()


def test_only_the_ticket_service_calls_off(service_client: Callable[[str], Any], staff_client: Any, buyer_client: Any) -> None:
    for caller in (service_client("auth"), staff_client, buyer_client):
        assert caller.post("/internal/performances/p1/close", {}, content_type=JSON).status_code in (401, 403)
    assert not Performance.objects.exists()


@pytest.mark.parametrize("name", ["x" * 65, "a%20b", "%ED%9A%8C%EC%B0%A8", "p1%00"])
def test_what_cannot_be_a_performance_is_not_noted(close: Callable[[str], int], name: str) -> None:
    assert close(name) == 404
    assert not Performance.objects.exists()
