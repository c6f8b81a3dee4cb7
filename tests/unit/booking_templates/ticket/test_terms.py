"""What cancelling costs is told to everybody, before anything is bought."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from booking_templates.ticket import event

JSON = "application/json"
STARTS = "2027-01-10T19:30:00+09:00"


def put(staff_client: Any, **more: Any) -> None:
    body = {"title": "t", "performances": [{"id": "p1", "starts_at": STARTS}], **more}
    assert staff_client.put("/api/ticket/content", body, content_type=JSON).status_code == 200


def test_the_policy_and_the_last_moment_of_each_performance_are_public(client: Any, staff_client: Any) -> None:
    put(staff_client, refund_policy="market")
    told = client.get("/api/ticket/terms").json()
    assert told["policy"]["free"] == {"within_hours": 168, "min_days_before": 10}
    assert [tier["percent"] for tier in told["policy"]["tiers"]] == [0, 10, 20, 30, 90]
    assert told["performances"] == [
        {"id": "p1", "starts_at": STARTS, "until": "2027-01-09T17:00:00+09:00", "is_called_off": False},
    ]


@pytest.mark.parametrize(
    ("limit", "until"), [("2027-01-02T12:00:00+09:00", "2027-01-02T12:00:00+09:00"), ("2027-02-01T00:00:00+09:00", STARTS)]
)
def test_the_sellers_own_limit_counts_where_it_is_earlier(client: Any, staff_client: Any, limit: str, until: str) -> None:
    put(staff_client, cancel_until=limit)
    told = client.get("/api/ticket/terms").json()["performances"][0]
    assert datetime.fromisoformat(told["until"]) == datetime.fromisoformat(until)


def test_a_performance_that_is_called_off_is_told_as_such(client: Any, staff_client: Any) -> None:
    put(staff_client)
    staff_client.post("/api/ticket/performances/p1/cancellation", {}, content_type=JSON)
    event.forget()
    assert client.get("/api/ticket/terms").json()["performances"][0]["is_called_off"]


def test_before_the_seller_has_told_anything_there_is_nothing_to_tell(client: Any) -> None:
    assert client.get("/api/ticket/terms").json()["performances"] == []


def test_an_order_has_the_terms_that_it_was_bought_under(
    buyer_client: Any, other_buyer_client: Any, staff_client: Any, buy: Callable[..., str]
) -> None:
    put(staff_client, refund_policy="consumer_standard")
    order = buy()
    put(staff_client, refund_policy="full")
    event.forget()
    told = buyer_client.get(f"/api/ticket/orders/{order}/terms").json()
    assert [tier["percent"] for tier in told["policy"]["tiers"]] == [0, 10, 20, 30, 90]
    assert [each["id"] for each in told["performances"]] == ["p1"]
    assert other_buyer_client.get(f"/api/ticket/orders/{order}/terms").status_code == 404
