"""The REST API of a live event and of the archive: success, somebody else's, bad input, and a service that is away."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.systems import services
from controlplane.systems.converge import converge
from tests.controlplane import numbered_requirement
from tests.unit.controlplane.api.test_booking_systems import problem
from tests.unit.controlplane.pages import deployed
from tests.unit.controlplane.portal.live_answers import EVENT, PROGRESS, SCANNER, SETTLEMENT, TALLIES, TERMS
from tests.unit.controlplane.portal.test_shop_and_archive import ORDER, SUMMARY

pytestmark = pytest.mark.django_db(transaction=True)

ROOM = {"is_on": True, "needs_turn": True, "is_paused": False, "per_minute": 3_000, "given": 900, "admitted": 500, "at": ""}
NOTICE = {"title": "안내", "body": "", "pinned": True}
EACH = [
    ("GET", "event", None),
    ("PATCH", "event", {"description": "neu"}),
    ("PUT", "event/poster", "picture"),
    ("DELETE", "event/poster", None),
    ("POST", "event/notices", NOTICE),
    ("PATCH", "event/notices/3", NOTICE),
    ("DELETE", "event/notices/3", None),
    ("PUT", "concessions", {"concessions": [{"name": "청소년", "percent": 30}]}),
    ("GET", "performances", None),
    ("GET", "waiting-room", None),
    ("PATCH", "waiting-room", {"admit_per_minute": 60}),
    ("PATCH", "waiting-room", {"is_paused": True}),
    ("GET", "presale", None),
    ("PUT", "presale", {"presale": {"name": "선예매", "opens_at": "2019-12-31T20:00:00+09:00"}}),
    ("GET", "presale/codes", None),
    ("POST", "presale/codes", {"count": 10}),
    ("POST", "presale/withdrawals", {"code": "ABCD-EFGH-JKMN"}),
    ("GET", "performances/p1/off-sale", None),
    ("PUT", "performances/p1/off-sale", {"seats": ["A-1"]}),
    ("GET", "performances/p2/cancellation", None),
    ("POST", "performances/p1/cancellation", {"name": "2090-01-10 19:30"}),
    ("GET", "attendees.csv", None),
    ("POST", "attendees", {"q": "김서연"}),
    ("POST", "attendees.csv", {"q": "김서연"}),
    ("GET", "settlement", None),
    ("GET", "settlement.csv", None),
    ("GET", "scanners", None),
    ("POST", "scanners", {"name": "정문"}),
    ("DELETE", f"scanners/{SCANNER}", None),
    ("GET", "pickups", None),
    ("POST", "pickups/search", {"q": "김서연"}),
    ("POST", "pickups", {"code": "ABCD-EFGH"}),
    ("PATCH", "stock", {"stock": {"program": 60}}),
]


@pytest.fixture
def event(seller: Any, runtime: Any, site: Any) -> Any:
    system = deployed(numbered_requirement(), seller, runtime)
    scanner = {"id": SCANNER, "name": "정문", "expires_at": "2026-11-22T10:00:00+09:00"}
    site.answers |= {
        ("GET", "/api/event/"): (200, EVENT),
        ("POST", "/api/event/notices"): (201, {"id": "3"}),
        ("PUT", "/api/event/poster"): (200, {"url": "/api/event/poster/abc", "width": 1, "height": 1}),
        ("GET", "/api/ticket/terms"): (200, TERMS),
        ("GET", "/api/ticket/tallies"): (200, TALLIES),
        ("GET", "/api/ticket/settlement"): (200, SETTLEMENT),
        ("GET", "/api/seat/room"): (200, ROOM),
        ("PUT", "/api/seat/room"): (200, ROOM),
        ("GET", "/api/seat/performances/p1/blocked"): (200, {"seats": []}),
        ("PUT", "/api/seat/performances/p1/blocked"): (200, {"seats": ["A-1"]}),
        ("GET", "/api/ticket/performances/p2/cancellation"): (200, PROGRESS),
        ("POST", "/api/ticket/performances/p1/cancellation"): (200, PROGRESS | {"performance_id": "p1"}),
        ("GET", "/api/ticket/attendees"): (200, {"attendees": [], "total": 0, "page": 1, "pages": 1}),
        ("GET", "/api/ticket/attendees.csv"): (200, b"rows"),
        ("GET", "/api/ticket/scanners"): (200, {"scanners": [scanner]}),
        ("POST", "/api/ticket/scanners"): (201, scanner | {"key": "geheim"}),
        ("GET", "/api/merch/summary"): (200, SUMMARY),
        ("GET", "/api/merch/pickups"): (200, {"orders": [ORDER], "page": 1, "pages": 1, "total": 1}),
        ("POST", "/api/merch/pickups"): (200, ORDER),
    }
    return system


@pytest.mark.parametrize(("method", "path", "body"), EACH)
def test_the_owner_may_another_seller_finds_nothing_and_a_stranger_is_asked_who(
    event: Any, mine: Any, other: Any, anybody: Any, method: str, path: str, body: Any
) -> None:
    address = f"systems/{event.pk}/{path}"
    problem(other.call(method, address, body), 404, "not_found")
    problem(anybody.call(method, address, body), 401, "not_authenticated")
    assert mine.call(method, address, body).status_code in (200, 201, 202, 204)


@pytest.mark.parametrize(("method", "path", "body"), EACH)
def test_a_service_that_is_away_is_a_503(event: Any, mine: Any, site: Any, method: str, path: str, body: Any) -> None:
    for key in [*site.answers, *((method, f"/api/{service}") for service in SERVED)]:
        site.answers[key] = (502, {})
    problem(mine.call(method, f"systems/{event.pk}/{path}", body), 503, "service_unavailable")


SERVED = (
    "event/content",
    "ticket/content",
    "event/poster",
    "event/notices/3",
    f"ticket/scanners/{SCANNER}",
    "merch/content",
    "seat/content",
    "seat/presale/codes",
    "seat/presale/codes/list",
    "seat/presale/withdrawals",
)


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PATCH", "event", {}, "description"),
        ("PATCH", "event", {"description": 5}, "description"),
        ("PATCH", "event", {"description": "x" * 10_001}, "description"),
        ("PUT", "concessions", {}, "concessions"),
        ("PUT", "concessions", {"concessions": "alle"}, "concessions"),
        ("PUT", "concessions", {"concessions": [{"name": "x"}]}, "concessions[0].percent"),
        ("PUT", "concessions", {"concessions": [{"name": "x", "percent": 1, "grades": ["?"]}]}, "concessions[0].grades[0]"),
        ("POST", "event/notices", {}, "title"),
        ("POST", "event/notices", {"title": "x" * 201}, "title"),
        ("PATCH", "event/notices/3", {"title": ""}, "title"),
        ("POST", "performances/p1/cancellation", {}, "name"),
        ("POST", "performances/p1/cancellation", {"name": "x", "compensation_percent": 101}, "compensation_percent"),
        ("PATCH", "waiting-room", {"admit_per_minute": "many"}, "admit_per_minute"),
        ("PATCH", "waiting-room", {"admit_per_minute": -1}, "admit_per_minute"),
        ("PATCH", "waiting-room", {"is_paused": "perhaps"}, "is_paused"),
        ("PUT", "presale", {}, "presale"),
        ("PUT", "presale", {"presale": "bald"}, "presale"),
        ("PUT", "presale", {"presale": {"name": "x"}}, "presale.opens_at"),
        ("PUT", "presale", {"presale": {"name": "x", "opens_at": "2020-01-01T00:00:00+09:00"}}, "presale.opens_at"),
        ("GET", "presale/codes?first=0", None, "first"),
        ("GET", "presale/codes?count=100001", None, "count"),
        ("POST", "presale/codes", {}, "count"),
        ("POST", "presale/codes", {"count": "many"}, "count"),
        ("POST", "presale/codes", {"count": 0}, "count"),
        ("POST", "presale/codes", {"count": 1, "after": -1}, "after"),
        ("POST", "presale/withdrawals", {"code": ""}, "code"),
        ("PUT", "performances/p1/off-sale", {}, "seats"),
        ("PUT", "performances/p1/off-sale", {"seats": [""]}, "seats.0"),
        ("POST", "scanners", {"name": ""}, "name"),
        ("POST", "pickups", {"code": "x" * 21}, "code"),
        ("POST", "pickups/search", {"state": "lost"}, "state"),
        ("POST", "attendees", {"page": 0}, "page"),
        ("POST", "attendees.xlsx", {"q": "x" * 101}, "q"),
        ("PATCH", "stock", {"stock": {"program": -1}}, "stock.program"),
        ("PATCH", "stock", {"stock": {"nix": 1}}, "stock.nix"),
        ("GET", "pickups?state=lost", None, "state"),
    ],
)
def test_bad_input_is_named_by_its_field(event: Any, mine: Any, site: Any, method: str, path: str, body: Any, field: str) -> None:
    response = mine.call(method, f"systems/{event.pk}/{path}", body)
    assert response.status_code == 422, response.content
    assert field in response.json()["errors"]


def test_a_services_refusal_comes_with_its_code_and_fields(event: Any, mine: Any, site: Any) -> None:
    site.answers["PUT", "/api/event/poster"] = (422, {"code": "not_a_picture", "detail": "no", "errors": {"body": ["This is no picture."]}})
    body = problem(mine.call("PUT", f"systems/{event.pk}/event/poster", b"text"), 422, "not_a_picture")
    assert body["errors"] == {"body": ["This is no picture."]}


def test_concessions_are_read_and_changed_as_they_were_read(event: Any, mine: Any, other: Any, anybody: Any, site: Any) -> None:
    address = f"systems/{event.pk}/concessions"
    first = mine.get(address)
    assert first.json() == {"concessions": []}
    problem(other.get(address), 404, "not_found")
    problem(anybody.get(address), 401, "not_authenticated")

    wanted = {"concessions": [{"id": "youth", "name": "청소년", "percent": 30, "proof": "학생증"}]}
    made = mine.call("PUT", address, wanted, **{"If-Match": first["ETag"]})
    assert (made.status_code, made.json()) == (200, wanted)
    assert site.content["ticket"]["concessions"] == wanted["concessions"]
    assert mine.get(address).json() == wanted
    assert mine.get(f"systems/{event.pk}/requirement").json()["concessions"] == wanted["concessions"]

    problem(mine.call("PUT", address, {"concessions": []}, **{"If-Match": first["ETag"]}), 412, "generation_conflict")
    assert mine.call("PUT", address, {"concessions": []}, **{"If-Match": made["ETag"]}).json() == {"concessions": []}


def test_seats_that_somebody_has_stay_on_sale_and_are_named(event: Any, mine: Any, site: Any) -> None:
    address = f"systems/{event.pk}/performances/p1/off-sale"
    assert mine.call("PUT", address, {"seats": ["A-1", "A-1"]}).json() == {"seats": ["A-1"]}
    assert json.loads(site.bodies[-1]) == {"seats": ["A-1"]}
    site.answers["PUT", "/api/seat/performances/p1/blocked"] = (409, {"code": "would_orphan", "detail": "sold: A-1"})
    assert problem(mine.call("PUT", address, {"seats": ["A-1"]}), 409, "would_orphan")["detail"] == "sold: A-1"


def test_seats_off_sale_are_changed_only_as_they_were_read(event: Any, mine: Any, site: Any) -> None:
    address, blocked = f"systems/{event.pk}/performances/p1/off-sale", "/api/seat/performances/p1/blocked"
    site.answers["GET", blocked] = (200, {"seats": ["A-1"]}, {"ETag": '"one"'})
    assert mine.get(address)["ETag"] == '"one"'
    site.answers["PUT", blocked] = (412, {"code": "changed_meanwhile", "detail": "Somebody else has changed this meanwhile."})

    refused = mine.call("PUT", address, {"seats": ["A-2"]}, **{"If-Match": '"one"'})

    assert problem(refused, 412, "changed_meanwhile")["detail"] == "Somebody else has changed this meanwhile."
    assert site.headers[-1]["If-Match"] == '"one"'
    assert site.puts().count("seat") == 2  # its content, and this once: nothing is tried anew behind the caller's back


def test_a_performance_is_called_off_by_its_name_alone(event: Any, mine: Any, site: Any) -> None:
    address = f"systems/{event.pk}/performances/p1/cancellation"
    problem(mine.post(address, {"name": "p1"}), 409, "performance_name_differs")
    assert not [call for call in site.calls if call[0] == "POST" and "cancellation" in call[1]]
    assert mine.post(address, {"name": "2090-01-10 19:30"}).json()["is_over"] is False


def test_a_description_comes_with_the_new_generation(event: Any, mine: Any) -> None:
    before = mine.get(f"systems/{event.pk}")["ETag"]
    after = mine.call("PATCH", f"systems/{event.pk}/event", {"description": "neu"})["ETag"]
    assert before != after == mine.get(f"systems/{event.pk}")["ETag"]
    assert mine.get(f"systems/{event.pk}/requirement").json()["description"] == "neu"


def test_who_is_looked_for_stands_in_no_address(event: Any, mine: Any, site: Any) -> None:
    for path in ("attendees", "attendees.csv", "pickups/search"):
        answer = mine.call("POST", f"systems/{event.pk}/{path}", {"q": "Hana"})
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content) == b"rows" if path.endswith(".csv") else answer.json()["total"] in (0, 1)
        assert json.loads(site.bodies[-1])["q"] == "Hana"
    assert not any("Hana" in address for address in site.addresses)


def test_an_event_without_merchandise_has_no_pickups(live: Any, mine: Any) -> None:
    problem(mine.get(f"systems/{live.pk}/pickups"), 404, "not_found")


def test_what_is_gone_can_be_read_in_its_archive(
    live: Any, seller: Any, mine: Any, other: Any, admin: Any, site: Any, runtime: Any
) -> None:
    problem(mine.get(f"systems/{live.pk}/archive"), 404, "not_found")
    site.answers["GET", "/api/ticket/export/orders"] = (200, {"rows": [{"id": "o1", "buyer": "kim"}], "next": None})
    services.system_delete(system=live, typed_name="river", acting_user=seller)
    for _ in range(4):
        converge(live.pk, runtime=runtime)

    for caller in (mine, admin):
        found = caller.get(f"systems/{live.pk}/archive").json()
        assert (found["state"], found["tables"]["ticket/orders"]) == ("complete", 1)
        rows = caller.get(f"systems/{live.pk}/archive/ticket/orders").json()
        assert (rows["total"], rows["results"][0]["id"]) == (1, "o1")
    problem(other.get(f"systems/{live.pk}/archive"), 404, "not_found")
    problem(mine.get(f"systems/{live.pk}/archive/ticket/scanners"), 404, "not_found")


SINCE_THEN = ("by_organiser_krw", "outside_krw", "due_krw", "taken_at_door_krw", "to_give_back_at_door_krw", "sold", "given_back")


def test_what_is_due_and_what_was_sold_later_is_told(event: Any, mine: Any, site: Any) -> None:
    later = SETTLEMENT | {"since": SETTLEMENT["as_of"], "due_krw": 5}
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"is_final": True, "due_krw": 300_000, "later": [later]})
    found = mine.get(f"systems/{event.pk}/settlement").json()
    assert (found["due_krw"], found["since"], found["is_final"]) == (300_000, None, True)
    assert [(each["due_krw"], each["is_final"]) for each in found["later"]] == [(5, False)]


def test_what_moved_after_sales_had_closed_stands_beside_the_statement(event: Any, mine: Any, site: Any) -> None:
    assert mine.get(f"systems/{event.pk}/settlement").json()["after_close"] is None
    late = {"captured_krw": 0, "refunded_krw": 66_000, "fees_krw": 6_600, "compensation_krw": 0}
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"is_final": True, "after_close": late})
    assert mine.get(f"systems/{event.pk}/settlement").json()["after_close"] == late | dict.fromkeys(SINCE_THEN, 0)
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"after_close": late | {"by_organiser_krw": 5}})
    assert mine.get(f"systems/{event.pk}/settlement").json()["after_close"]["by_organiser_krw"] == 5


def test_a_change_of_the_waiting_room_that_is_wrong_in_one_thing_does_nothing_at_all(event: Any, mine: Any, site: Any) -> None:
    answer = mine.call("PATCH", f"systems/{event.pk}/waiting-room", {"is_paused": True, "admit_per_minute": -1})

    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["admit_per_minute"])
    assert ("PUT", "/api/seat/room") not in site.calls


def test_the_waiting_room_is_read_changed_and_stopped(event: Any, mine: Any, site: Any) -> None:
    at = f"systems/{event.pk}/waiting-room"

    expected = {"is_on": True, "is_paused": False, "per_minute": 3_000, "waiting": 400, "admitted": 500, "admit_per_minute": None}
    assert mine.call("GET", at, None).json() == expected
    changed = mine.call("PATCH", at, {"admit_per_minute": 60})
    event.refresh_from_db()
    assert (changed.json()["admit_per_minute"], changed["ETag"]) == (60, f'"{event.generation}"')
    assert event.requirement.data["admit_per_minute"] == 60
    mine.call("PATCH", at, {"is_paused": True, "admit_per_minute": None})
    assert [json.loads(body) for call, body in zip(site.calls, site.bodies, strict=True) if call == ("PUT", "/api/seat/room")] == [
        {"is_paused": True}
    ]
    event.refresh_from_db()
    assert "admit_per_minute" not in event.requirement.data
