"""Holding seats: all or none, for a while, within the limit."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from booking_templates.seat import claims, worker
from booking_templates.seat.models import Claim

from .conftest import SOON, Caller

pytestmark = pytest.mark.usefixtures("on_sale")


def test_a_hold_says_what_is_held_for_how_much_and_how_long(buyer: Caller) -> None:
    answer = buyer.hold("A-1", "C-2")

    hold = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/seat/holds/{hold['id']}"
    assert [(place["seat"], place["label"], place["grade"], place["price_krw"]) for place in hold["places"]] == [
        ("A-1", "1층 A열 1번", "VIP", 150_000),
        ("C-2", "1층 C열 2번", "R", 90_000),
    ]
    assert hold["total_krw"] == 240_000
    assert hold["performance_id"] == "p1"
    assert 410 < hold["expires_in_s"] <= 420
    assert (hold["state"], hold["pinned"], hold["can_extend"]) == ("held", False, True)


def test_the_hold_can_be_read_and_listed_by_its_buyer(buyer: Caller) -> None:
    first, second = buyer.held("A-1"), buyer.held("A-2", performance="p2")

    assert buyer.get(f"holds/{first['id']}").json()["places"] == first["places"]
    assert [hold["id"] for hold in buyer.get("holds").json()["holds"]] == [first["id"], second["id"]]


def test_a_taken_seat_is_refused_by_name_and_none_of_the_others_is_held(buyer: Caller, other: Caller) -> None:
    buyer.held("A-2")

    answer = other.hold("A-1", "A-2", "A-3")

    assert answer.status_code == 409
    assert answer.json()["code"] == "seats_taken"
    assert answer.json()["seats"] == ["A-2"]
    assert Claim.objects.count() == 1
    assert not Claim.objects.filter(buyer=other.id).exists()


def test_whoever_wants_a_seat_that_is_known_to_be_taken_writes_nothing(buyer: Caller, other: Caller) -> None:
    buyer.held("A-2")

    with CaptureQueriesContext(connection) as queries:
        assert other.hold("A-1", "A-2").json()["seats"] == ["A-2"]

    assert [query["sql"].split()[0] for query in queries if "seat_claim" in query["sql"]] == ["SELECT"]


def test_a_seat_that_another_process_freed_can_be_had_though_it_was_seen_taken_here(buyer: Caller, other: Caller) -> None:
    buyer.held("A-2")
    assert other.hold("A-2").status_code == 409
    Claim.objects.all().delete()

    assert other.hold("A-2").status_code == 201


def test_the_same_seat_of_another_performance_is_another_place(buyer: Caller, other: Caller) -> None:
    buyer.held("A-1")

    assert other.hold("A-1", performance="p2").status_code == 201


def test_the_limit_counts_all_holds_of_a_performance(buyer: Caller) -> None:
    buyer.held("A-1", "A-2")
    buyer.held("A-3")

    answer = buyer.hold("A-4", "A-5")

    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["limit"], answer.json()["taken"]) == ("limit_exceeded", 4, 3)
    assert buyer.hold("A-4").status_code == 201
    assert buyer.hold("A-1", "A-2", "A-3", "A-4", performance="p2").status_code == 201


def test_a_lowered_limit_counts_what_a_buyer_has_whatever_was_given_back(staff: Caller, buyer: Caller, on_sale: dict[str, Any]) -> None:
    first = buyer.held("A-1", "A-2")
    buyer.held("A-3", "A-4")
    buyer.call("DELETE", f"holds/{first['id']}")
    assert staff.call("PUT", "content", on_sale | {"limit_per_buyer": 2}).status_code == 200

    answer = buyer.hold("B-1")

    assert (answer.json()["code"], answer.json()["taken"]) == ("limit_exceeded", 2)
    assert sorted(Claim.objects.values_list("slot", flat=True)) == [1, 2]


def test_who_has_more_than_a_lowered_limit_gets_nothing_in_place_of_what_is_given_back(
    staff: Caller, buyer: Caller, on_sale: dict[str, Any]
) -> None:
    first = buyer.held("A-1", "A-2")
    second = buyer.held("A-3", "A-4")
    assert staff.call("PUT", "content", on_sale | {"limit_per_buyer": 2}).status_code == 200
    buyer.call("DELETE", f"holds/{first['id']}")

    answer = buyer.hold("B-1")

    assert (answer.status_code, answer.json()["code"]) == (422, "limit_exceeded")
    buyer.call("DELETE", f"holds/{second['id']}")
    assert buyer.hold("B-1", "B-2").status_code == 201
    assert buyer.hold("B-3").json()["code"] == "limit_exceeded"


def test_another_process_knowing_nothing_of_a_buyer_finds_their_free_slots(buyer: Caller) -> None:
    from booking_templates.seat import slots

    first = buyer.held("A-1")
    buyer.held("A-2", "A-3")
    buyer.call("DELETE", f"holds/{first['id']}")
    slots.forget(1, buyer.id)

    assert buyer.hold("B-1", "B-2").status_code == 201
    slots.remember(1, buyer.id, frozenset({1}))
    assert buyer.hold("C-1").json()["code"] == "limit_exceeded"


def test_more_than_the_limit_at_once_is_refused(buyer: Caller) -> None:
    answer = buyer.hold("A-1", "A-2", "A-3", "A-4", "A-5")

    assert answer.status_code == 422
    assert answer.json()["code"] == "limit_exceeded"


def test_a_released_hold_frees_its_seats_and_the_limit(buyer: Caller, other: Caller) -> None:
    hold = buyer.held("A-1", "A-2", "A-3", "A-4")

    assert buyer.call("DELETE", f"holds/{hold['id']}").status_code == 204
    assert other.hold("A-1").status_code == 201
    assert buyer.hold("A-2", "A-3", "A-4", "A-5").status_code == 201
    assert buyer.call("DELETE", f"holds/{hold['id']}").status_code == 410


def test_somebody_elses_hold_is_not_there(buyer: Caller, other: Caller) -> None:
    hold = buyer.held("A-1")

    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/extend")):
        answer = other.call(method, f"holds/{hold['id']}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "hold_unknown")
    assert buyer.get(f"holds/{hold['id']}").status_code == 200
    assert other.get("holds").json() == {"holds": []}


@pytest.mark.parametrize("hold_id", ["x", "0", "ffffffffffffffff", "0000000000000001", "-000000000000001", "١" * 16, "%00"])
def test_an_id_that_is_none_is_not_there(buyer: Caller, hold_id: str) -> None:
    assert buyer.get(f"holds/{hold_id}").status_code == 404


def test_an_expired_hold_is_gone_and_its_seat_is_anybodys_before_it_is_swept(
    buyer: Caller, other: Caller, let_expire: Callable[[str], None]
) -> None:
    hold = buyer.held("A-1", "A-2")
    let_expire(hold["id"])

    assert buyer.get(f"holds/{hold['id']}").json()["code"] == "hold_expired"
    assert buyer.get("holds").json() == {"holds": []}
    assert other.hold("A-1").status_code == 201
    assert buyer.hold("A-2", "A-3", "A-4", "A-5").status_code == 201


def test_an_expired_hold_does_not_count_towards_the_limit(buyer: Caller, let_expire: Callable[[str], None]) -> None:
    let_expire(buyer.held("A-1", "A-2", "A-3", "A-4")["id"])

    assert buyer.hold("B-1", "B-2", "B-3", "B-4").status_code == 201


def test_a_hold_is_extended_once_by_half(buyer: Caller) -> None:
    hold = buyer.held("A-1")

    answer = buyer.call("POST", f"holds/{hold['id']}/extend")
    again = buyer.call("POST", f"holds/{hold['id']}/extend")

    assert answer.status_code == 200
    assert 620 < answer.json()["expires_in_s"] <= 630
    assert answer.json()["can_extend"] is False
    assert (again.status_code, again.json()["code"]) == (409, "already_extended")


def test_a_hold_does_not_last_for_longer_because_the_clock_was_put_back(buyer: Caller, other: Caller) -> None:
    held, later = buyer.held("A-1"), other.held("A-2")
    day = 24 * 3_600_000
    before = Claim.objects.filter(hold=int(held["id"], 16))
    before.update(hold=F("hold") + (day << claims.RANDOM_BITS), expires_ms=F("expires_ms") + day)

    assert (worker.shorten(), worker.shorten()) == (1, 0)
    left_ms = Claim.objects.get(buyer=buyer.id).expires_ms - claims.now_ms()
    assert 0 < left_ms <= 10.5 * 60_000 + 1_000, "what one has that is placed and extended now"
    assert 410 < other.get(f"holds/{later['id']}").json()["expires_in_s"] <= 420


def test_an_expired_hold_is_not_extended(buyer: Caller, let_expire: Callable[[str], None]) -> None:
    hold = buyer.held("A-1")
    let_expire(hold["id"])

    assert buyer.call("POST", f"holds/{hold['id']}/extend").status_code == 410


@pytest.mark.parametrize(("opens", "closes", "starts"), [(1, 3, 3), (-3, -1, 3), (-3, 3, -1)], ids=["too early", "too late", "has begun"])
def test_nothing_is_held_outside_the_sales_period(
    staff: Caller, buyer: Caller, on_sale: dict[str, Any], opens: int, closes: int, starts: int
) -> None:
    def day(days: int) -> str:
        return (SOON + timedelta(days=days)).isoformat()

    content = on_sale | {
        "sales": {"opens_at": day(opens), "closes_at": day(closes)},
        "performances": [{"id": "p1", "starts_at": day(starts)}],
    }
    assert staff.call("PUT", "content", content).status_code == 200

    answer = buyer.hold("A-1")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_on_sale")
    assert not Claim.objects.exists()


def test_what_does_not_exist_is_not_found(buyer: Caller) -> None:
    assert buyer.hold("A-1", performance="p9").json()["code"] == "unknown_performance"
    answer = buyer.hold("A-1", "Z-9")
    assert (answer.status_code, answer.json()["code"], answer.json()["seats"]) == (404, "unknown_seat", ["Z-9"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"seats": []},
        {"seats": ["A-1", "A-1"]},
        {"seats": ["A-1"], "best": {"quantity": 1}},
        {"areas": [{"area": "floor", "quantity": 1}]},
        {"best": {"quantity": 0}},
        {"best": {"quantity": -1}},
        {"seats": "A-1"},
        {"seats": [1]},
        {"seats": ["A-1"] * 1000},
        {"seats": ["A-1"], "price_krw": 1},
        [],
    ],
)
def test_bad_input_is_refused_and_changes_nothing(buyer: Caller, body: Any) -> None:
    answer = buyer.call("POST", "performances/p1/holds", body)

    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert not Claim.objects.exists()


def test_only_buyers_hold(someone: Caller, staff: Caller, ticket: Caller) -> None:
    assert someone.hold("A-1").status_code == 401
    assert staff.hold("A-1").status_code == 403
    assert ticket.hold("A-1").status_code in (401, 403)


def test_the_price_of_a_hold_is_that_of_its_moment(staff: Caller, buyer: Caller, on_sale: dict[str, Any]) -> None:
    hold = buyer.held("A-1")
    dearer = on_sale | {"grades": [{"name": "VIP", "price_krw": 200_000}, {"name": "R", "price_krw": 90_000}]}
    assert staff.call("PUT", "content", dearer).status_code == 200

    assert buyer.get(f"holds/{hold['id']}").json()["total_krw"] == 150_000
    assert buyer.held("A-2")["total_krw"] == 200_000


def test_a_hold_worked_out_from_a_replaced_plan_is_worked_out_anew(
    staff: Caller, buyer: Caller, on_sale: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from booking_templates.seat import house

    buyer.held("A-1")  # this process knows version 1
    monkeypatch.setattr(house, "CHECK_EVERY_S", 1e9)
    monkeypatch.setattr(house, "refreshed", lambda real=house.refreshed: real())
    stale = house.current()
    dearer = on_sale | {"grades": [{"name": "VIP", "price_krw": 200_000}, {"name": "R", "price_krw": 90_000}]}
    staff.call("PUT", "content", dearer)
    monkeypatch.setattr(house, "_current", stale)

    assert buyer.held("A-2")["total_krw"] == 200_000


def test_a_cookie_needs_the_header_that_no_other_site_can_send(on_sale: dict[str, Any], token_for: Callable[..., str], client: Any) -> None:
    client.cookies["clove_access"] = token_for("buyer", str(uuid.uuid4()))
    body = {"data": '{"seats":["A-1"]}', "content_type": "application/json"}

    assert client.post("/api/seat/performances/p1/holds", **body).status_code == 403
    assert client.post("/api/seat/performances/p1/holds", headers={"X-Clove-Request": "1"}, **body).status_code == 201
