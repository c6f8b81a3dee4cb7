"""One order of merchandise by the REST API, and giving it back by hand: success, somebody else's, bad input, a service that says no."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.controlplane.api.test_booking_systems import problem
from tests.unit.controlplane.portal.test_shop_orders import API, FOUND, MADE, ORDER

pytestmark = pytest.mark.django_db(transaction=True)

WISH = {"why": "fault", "items": {"1": 2}, "note": "전화"}
EACH = [("GET", "", None), ("POST", "/refunds", WISH)]


@pytest.fixture
def address(live: Any, site: Any) -> str:
    site.answers |= {("GET", API): (200, FOUND), ("POST", f"{API}/refunds"): (201, MADE)}
    return f"systems/{live.pk}/pickups/{ORDER}"


@pytest.mark.parametrize(("method", "path", "body"), EACH)
def test_the_owner_may_another_seller_finds_nothing_and_a_stranger_is_asked_who(
    address: str, mine: Any, other: Any, anybody: Any, site: Any, method: str, path: str, body: Any
) -> None:
    before = len(site.calls)
    problem(other.call(method, address + path, body), 404, "not_found")
    problem(anybody.call(method, address + path, body), 401, "not_authenticated")
    assert len(site.calls) == before
    assert mine.call(method, address + path, body).status_code in (200, 201)


def test_an_order_is_given_with_its_buyer_and_history(address: str, mine: Any) -> None:
    found = mine.get(address).json()
    assert (found["buyer_name"], found["is_paid"], found["refusal"]) == ("<b>김서연</b>", True, "")
    assert [(item["name"], item["quantity"], item["given_back"]) for item in found["items"]] == [("티셔츠 (M)", 3, 1), ("<b>책", 1, 0)]
    assert [(entry["what"], entry["pieces"]) for entry in found["history"][1:]] == [("paid", []), ("given_back", ["1 × 티셔츠 (M)"])]


def test_it_is_given_back_under_its_key(address: str, mine: Any, site: Any) -> None:
    made = mine.post(f"{address}/refunds", WISH, **{"Idempotency-Key": "mine"})
    assert (made.status_code, made.json()["refund_krw"], made.json()["is_done"]) == (201, 70_000, True)
    assert json.loads(site.bodies[-1]) == {"why": "fault", "picked_up": False, "note": "전화", "items": [{"item": "1", "quantity": 2}]}
    assert site.keys[-1] == "mine"
    mine.post(f"{address}/refunds", {"why": "goodwill", "picked_up": True})
    assert json.loads(site.bodies[-1]) == {"why": "goodwill", "picked_up": True, "note": ""}, "all that is left"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"why": "because"}, "why"), ({"items": {"1": 0}}, "items"), ({"items": [1]}, "items"), ({"note": "x" * 501}, "note")],
)
def test_bad_input_is_refused_by_its_field(address: str, mine: Any, site: Any, changes: dict[str, Any], field: str) -> None:
    before = len(site.calls)
    assert field in str(problem(mine.post(f"{address}/refunds", WISH | changes), 422, "invalid")["errors"])
    assert len(site.calls) == before


def test_what_the_service_says_is_passed_on(address: str, mine: Any, site: Any) -> None:
    site.answers["POST", f"{API}/refunds"] = (409, {"code": "already_picked_up", "detail": "Handed over."})
    assert problem(mine.post(f"{address}/refunds", WISH), 409, "already_picked_up")["detail"] == "Handed over."
    site.answers["POST", f"{API}/refunds"] = (502, {})
    problem(mine.post(f"{address}/refunds", WISH), 503, "service_unavailable")
