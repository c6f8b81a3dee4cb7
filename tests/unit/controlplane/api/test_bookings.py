"""One booking by the REST API, and giving it back by hand: success, somebody else's, bad input, a service that says no or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.lib.models import AuditRow
from tests.unit.controlplane.api.test_booking_systems import problem
from tests.unit.controlplane.portal.test_bookings import API, BOOKING, MADE, ONE, ORDER, PUBLISHED, QUOTE

pytestmark = pytest.mark.django_db(transaction=True)

WISH = {"fee_krw": 6_600, "why": "illness", "terms": "policy", "tickets": [ONE], "note": "전화"}
EACH = [("GET", "", None), ("GET", "/quote", None), ("POST", "/refunds", WISH)]


@pytest.fixture
def address(live: Any, site: Any) -> str:
    site.answers |= {("GET", API): (200, BOOKING), ("GET", f"{API}/quote"): (200, QUOTE), ("POST", f"{API}/refunds"): (201, MADE)}
    return f"systems/{live.pk}/bookings/{ORDER}"


@pytest.mark.parametrize(("method", "path", "body"), EACH)
def test_the_owner_may_another_seller_finds_nothing_and_a_stranger_is_asked_who(
    address: str, mine: Any, other: Any, anybody: Any, site: Any, method: str, path: str, body: Any
) -> None:
    before = len(site.calls)
    problem(other.call(method, address + path, body), 404, "not_found")
    problem(anybody.call(method, address + path, body), 401, "not_authenticated")
    assert len(site.calls) == before
    assert mine.call(method, address + path, body).status_code in (200, 201)


@pytest.mark.parametrize(("method", "path", "body"), EACH)
def test_a_service_that_is_away_is_a_503_and_one_that_says_no_is_passed_on(
    address: str, mine: Any, site: Any, method: str, path: str, body: Any
) -> None:
    site.answers[method, API + path] = (502, {})
    problem(mine.call(method, address + path, body), 503, "service_unavailable")
    site.answers[method, API + path] = (409, {"code": "already_cancelled", "detail": "Given back."})
    assert problem(mine.call(method, address + path, body), 409, "already_cancelled")["detail"] == "Given back."
    site.answers[method, API + path] = (404, {"code": "not_found", "detail": "x"})
    site.answers["GET", "/api/ticket/openapi.json"] = (200, PUBLISHED)
    problem(mine.call(method, address + path, body), 404, "not_found")


def test_a_booking_is_given_with_its_buyer_and_history(address: str, mine: Any) -> None:
    found = mine.get(address).json()
    assert (found["buyer_name"], found["is_paid"], found["refusal"], len(found["tickets"])) == ("<b>김서연</b>", True, "", 3)
    assert [ticket["is_live"] for ticket in found["tickets"]] == [True, True, False]
    assert [entry["what"] for entry in found["history"]] == ["ordered", "paid", "given_back"]
    assert (found["history"][2]["by"], found["history"][2]["is_done"]) == ("the platform", True)
    assert (found["history"][2]["places"], found["tickets"][0]["place"]) == (["스탠딩 3번"], "스탠딩 1번")
    assert AuditRow.objects.filter(action="personal.look").count() == 1


def test_what_was_quoted_is_given_back_under_its_key(address: str, mine: Any, site: Any) -> None:
    asked: list[str] = []

    def quote(where: str) -> tuple[int, Any]:
        asked.append(where)
        return 200, QUOTE

    site.answers["GET", f"{API}/quote"] = quote
    quoted = mine.get(f"{address}/quote?tickets={ONE}&terms=policy&used=true").json()
    assert (quoted["fee_krw"], quoted["lines"][0]["refund_krw"]) == (6_600, 59_400)
    assert asked == [f"{API}/quote?tickets={ONE}&terms=policy&used=true"]
    made = mine.post(f"{address}/refunds", WISH | {"fee_krw": quoted["fee_krw"]}, **{"Idempotency-Key": "mine"})
    assert (made.status_code, made.json()["refund_krw"], made.json()["is_done"]) == (201, 59_400, True)
    assert json.loads(site.bodies[-1]) == WISH | {"used": False}
    assert site.keys[-1] == "mine"
    written = AuditRow.objects.get(action="system.refund").details
    assert (written["outcome"], written["why"], "note" in written) == ("made", "illness", False)


def test_without_tickets_all_that_are_left_are_asked_for(address: str, mine: Any, site: Any) -> None:
    assert mine.post(f"{address}/refunds", {"fee_krw": 0, "why": "goodwill"}).status_code == 201
    assert json.loads(site.bodies[-1]) == {"terms": "full", "used": False, "fee_krw": 0, "why": "goodwill", "note": ""}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"fee_krw": -1}, "fee_krw"),
    ({"fee_krw": "x"}, "fee_krw"),
    ({"why": "because"}, "why"),
    ({"why": None}, "why"),
    ({"terms": "half"}, "terms"),
    ({"tickets": ["x" * 65]}, "tickets.0"),
    ({"used": "maybe"}, "used"),
    ({"note": "x" * 501}, "note"),
]


def test_bad_input_is_named_by_its_field(address: str, mine: Any, site: Any) -> None:
    for changes, field in MISTAKES:
        response = mine.post(f"{address}/refunds", WISH | changes)
        assert (response.status_code, list(response.json().get("errors", {}))) == (422, [field]), response.content
    assert ("POST", f"{API}/refunds") not in site.calls


def test_a_bad_question_is_named_by_its_field(address: str, mine: Any) -> None:
    assert list(mine.get(f"{address}/quote?terms=half").json()["errors"]) == ["terms"]
    problem(mine.get(address[:-1] + "x"), 404, "not_found")
