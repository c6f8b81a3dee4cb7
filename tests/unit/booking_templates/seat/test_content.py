"""What staff write, and what it may not take away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from booking_templates.seat import claims, house
from booking_templates.seat.claims import Wanted
from booking_templates.seat.models import PROBE_PERFORMANCE, Claim, Content

from .conftest import SOON, Caller, area_content, numbered_content, seating_plan

pytestmark = pytest.mark.django_db


def test_before_there_is_content_nothing_is_on_sale(someone: Caller, buyer: Caller, staff: Caller) -> None:
    for path in ("plan", "performances", "performances/p1/availability"):
        assert someone.get(path).json()["code"] == "no_content"
    assert buyer.hold("A-1").json()["code"] == "no_content"
    assert staff.get("content").json()["code"] == "no_content"


def test_content_reads_back_as_it_was_written(staff: Caller) -> None:
    content = numbered_content(blocked=["A-1"], wheelchair=["A-2"])
    outcome = staff.call("PUT", "content", content)

    assert outcome.json()["changed"] is True
    assert outcome.json()["capacity"] == 18
    written = staff.get("content").json()
    assert written["blocked"] == ["A-1"]
    again = staff.call("PUT", "content", written)
    assert (again.status_code, again.json()["changed"]) == (200, False)


def test_the_same_content_again_changes_nothing(staff: Caller) -> None:
    first = staff.call("PUT", "content", numbered_content()).json()
    second = staff.call("PUT", "content", numbered_content()).json()

    assert (first["changed"], second["changed"]) == (True, False)
    assert first["version"] == second["version"]
    assert Content.objects.get().version == 1


def with_seat(**changes: Any) -> dict[str, Any]:
    plan = seating_plan()
    plan["zones"][0]["rows"][0]["seats"][1] |= changes
    return {"plan": plan}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (with_seat(seat_guid="A-1"), "plan"),
        (with_seat(category="S"), "plan"),
        ({"grades": [{"name": "VIP", "price_krw": 1}]}, "grades"),
        ({"grades": [{"name": "VIP", "price_krw": 1}, {"name": "R", "price_krw": 1}, {"name": "R", "price_krw": 2}]}, "grades"),
        ({"grades": [{"name": "VIP", "price_krw": -1}]}, "grades"),
        ({"plan": seating_plan() | {"zones": [{"rows": []}]}}, "plan"),
        ({"plan": None}, "plan"),
        ({"areas": area_content()["areas"]}, "plan"),
        ({"blocked": ["Z-1"]}, "blocked"),
        ({"wheelchair": ["Z-1"]}, "wheelchair"),
        ({"performances": []}, "performances"),
        ({"performances": [{"id": "p1", "starts_at": SOON.isoformat()}] * 2}, "performances"),
        ({"performances": [{"id": "p 1", "starts_at": SOON.isoformat()}]}, "performances"),
        ({"performances": [{"id": "p1", "starts_at": "0001-01-01T00:00:00+09:00"}]}, "performances[0].starts_at"),
        ({"performances": [{"id": "p1", "starts_at": "9999-12-31T23:59:59-09:00"}]}, "performances[0].starts_at"),
        ({"sales": {"opens_at": SOON.isoformat(), "closes_at": "9999-12-31T23:59:59-09:00"}}, "sales.closes_at"),
        ({"presale": {"name": "팬클럽", "opens_at": "0001-01-01T00:00:00+23:59"}}, "presale.opens_at"),
        ({"performances": [{"id": "p1", "starts_at": "2027-01-01T10:00:00"}]}, "performances"),
        ({"sales": {"opens_at": SOON.isoformat(), "closes_at": (SOON - timedelta(1)).isoformat()}}, "sales"),
        ({"limit_per_buyer": 0}, "limit_per_buyer"),
        ({"limit_per_buyer": 1000}, "limit_per_buyer"),
        ({"hold_minutes": 0}, "hold_minutes"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_content_that_contradicts_itself_is_refused_at_its_field(staff: Caller, changes: dict[str, Any], field: str) -> None:
    answer = staff.call("PUT", "content", numbered_content(**changes))

    assert answer.status_code == 422
    assert next(iter(answer.json()["errors"])).startswith(field)
    assert not Content.objects.exists()


def test_the_variant_without_numbers_takes_areas_and_no_plan(staff: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAT_NUMBERED", "no")

    assert staff.call("PUT", "content", numbered_content()).json()["errors"].keys() == {"areas"}
    two = area_content()["areas"][:1] * 2
    assert staff.call("PUT", "content", area_content(areas=two)).status_code == 422
    assert staff.call("PUT", "content", area_content(blocked=["x"])).status_code == 422
    assert staff.call("PUT", "content", area_content()).status_code == 200


def test_a_plan_of_200_000_seats_is_refused(staff: Caller) -> None:
    answer = staff.call("PUT", "content", numbered_content(plan=seating_plan(rows=26, seats=2_000)))

    assert answer.status_code == 422


@pytest.mark.usefixtures("on_sale")
def test_taken_seats_that_would_be_lost_are_named_and_nothing_changes(
    staff: Caller, buyer: Caller, other: Caller, ticket: Caller, on_sale: dict[str, Any], someone: Caller
) -> None:
    sold = buyer.held("C-1")
    ticket.call("POST", f"/internal/holds/{sold['id']}/confirm", {"order_id": "o1"})
    other.held("C-2", performance="p2")

    answer = staff.call("PUT", "content", on_sale | {"plan": seating_plan(rows=2)})

    assert (answer.status_code, answer.json()["code"]) == (409, "would_orphan")
    assert sorted((place["performance"], place["label"]) for place in answer.json()["places"]) == [
        ("p1", "1층 C열 1번"),
        ("p2", "1층 C열 2번"),
    ]
    assert "1층 C열 1번 (p1)" in answer.json()["detail"]
    assert len(someone.get("performances/p1/availability").json()["state"]) == 18


@pytest.mark.usefixtures("on_sale")
def test_a_performance_with_taken_seats_stays(staff: Caller, buyer: Caller, on_sale: dict[str, Any]) -> None:
    buyer.held("A-1", performance="p2")

    answer = staff.call("PUT", "content", on_sale | {"performances": on_sale["performances"][:1]})

    assert answer.json()["places"] == [{"performance": "p2", "label": "1층 A열 1번"}]


@pytest.mark.usefixtures("on_sale")
def test_an_expired_hold_orphans_nobody(staff: Caller, buyer: Caller, on_sale: dict[str, Any], let_expire: Callable[[str], None]) -> None:
    let_expire(buyer.held("C-1")["id"])

    assert staff.call("PUT", "content", on_sale | {"plan": seating_plan(rows=2)}).status_code == 200
    assert not Claim.objects.exists()


@pytest.mark.usefixtures("on_sale")
def test_free_seats_and_performances_come_and_go_and_a_seat_stays_what_it_was(
    staff: Caller, buyer: Caller, on_sale: dict[str, Any], states: Callable[..., str]
) -> None:
    hold = buyer.held("B-2")
    wider = seating_plan(seats=7)
    wider["zones"][0]["rows"].reverse()

    assert staff.call("PUT", "content", on_sale | {"plan": wider, "performances": on_sale["performances"][:1]}).status_code == 200
    assert states() == "0" * 7 + "0100000" + "0" * 7
    assert buyer.get(f"holds/{hold['id']}").json()["places"] == hold["places"]
    assert staff.call("PUT", "content", on_sale).status_code == 200
    assert states() == "0" * 6 + "010000" + "0" * 6
    assert states("p2") == "0" * 18


@pytest.mark.usefixtures("on_sale")
def test_only_staff_with_the_scope_write(someone: Caller, buyer: Caller, client_for: Any, token_for: Any) -> None:
    prober = Caller(client_for(token_for("staff", "probe")))

    for caller, status in ((someone, 401), (buyer, 403), (prober, 403)):
        assert caller.call("PUT", "content", numbered_content()).status_code == status
        assert caller.get("content").status_code == status
        assert caller.call("PUT", "performances/p1/blocked", {"seats": []}).status_code == status


@pytest.mark.usefixtures("on_sale")
def test_blocked_seats_are_off_sale_until_they_are_not(staff: Caller, buyer: Caller, states: Callable[..., str], someone: Caller) -> None:
    before = someone.get("performances/p1/availability").json()
    answer = staff.call("PUT", "performances/p1/blocked", {"seats": ["A-1", "A-2"]})

    assert answer.json() == {"seats": ["A-1", "A-2"]} == staff.get("performances/p1/blocked").json()
    assert buyer.hold("A-1").json()["code"] == "seats_taken"
    assert (states()[:3], states("p2")[:3]) == ("330", "000")
    assert someone.get(f"performances/p1/availability?since={before['version']}").json()["changes"] == [[0, 3], [1, 3]]
    staff.call("PUT", "performances/p1/blocked", {"seats": ["A-2", "A-3"]})
    assert states()[:3] == "033"
    assert buyer.hold("A-1").status_code == 201


@pytest.mark.usefixtures("on_sale")
def test_blocked_seats_are_changed_only_as_they_were_seen(staff: Caller) -> None:
    path = "performances/p1/blocked"
    first = staff.get(path)
    seen = first["ETag"]
    changed = staff.call("PUT", path, {"seats": ["A-1"]}, **{"If-Match": seen})
    assert changed.status_code == 200
    assert changed["ETag"] == staff.get(path)["ETag"] != seen

    late = staff.call("PUT", path, {"seats": ["A-2"]}, **{"If-Match": seen})

    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert staff.get(path).json() == {"seats": ["A-1"]}
    assert staff.get("performances/p2/blocked")["ETag"] != seen  # another performance's is not this one's
    # Who goes without it, as programs of before do, and who names no version in particular.
    assert staff.call("PUT", path, {"seats": ["A-2"]}).status_code == 200
    assert staff.call("PUT", path, {"seats": []}, **{"If-Match": "*"}).status_code == 200
    assert staff.call("PUT", path, {"seats": ["A-3"]}, **{"If-Match": f"W/{seen}"}).status_code == 200


@pytest.mark.usefixtures("on_sale")
def test_a_taken_seat_is_not_blocked(staff: Caller, buyer: Caller) -> None:
    buyer.held("A-1")

    answer = staff.call("PUT", "performances/p1/blocked", {"seats": ["A-1", "A-2"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "would_orphan")
    assert staff.get("performances/p1/blocked").json() == {"seats": []}
    assert staff.call("PUT", "performances/p1/blocked", {"seats": ["Z-1"]}).status_code == 404


@pytest.mark.usefixtures("on_sale")
def test_seats_blocked_by_the_content_are_blocked_in_every_performance_and_single_decisions_stay(
    staff: Caller, on_sale: dict[str, Any], states: Callable[..., str]
) -> None:
    staff.call("PUT", "content", on_sale | {"blocked": ["A-1", "A-2"]})
    assert (states()[:3], states("p2")[:3]) == ("330", "330")
    staff.call("PUT", "performances/p2/blocked", {"seats": ["A-2"]})
    third = {"id": "p3", "starts_at": (SOON + timedelta(days=4)).isoformat()}
    more = {"blocked": ["A-2", "A-3", "A-1"], "performances": [*on_sale["performances"], third]}
    staff.call("PUT", "content", on_sale | more)

    assert [states(each)[:3] for each in ("p1", "p2", "p3")] == ["333", "033", "333"]
    staff.call("PUT", "content", on_sale | {"performances": more["performances"]})
    assert {states(each) for each in ("p1", "p2", "p3")} == {"0" * 18}


@pytest.mark.usefixtures("on_sale")
def test_the_summary_counts_what_is_free_held_sold_and_blocked(
    staff: Caller, buyer: Caller, ticket: Caller, let_expire: Callable[[str], None]
) -> None:
    sold = buyer.held("A-1", "A-2")
    ticket.call("POST", f"/internal/holds/{sold['id']}/confirm", {"order_id": "o1"})
    pinned = buyer.held("B-1")
    ticket.call("POST", f"/internal/holds/{pinned['id']}/pin", {"order_id": "o2", "buyer_id": buyer.id})
    let_expire(buyer.held("B-2")["id"])
    staff.call("PUT", "performances/p1/blocked", {"seats": ["C-1", "C-2", "C-3"]})

    assert staff.get("summary").json()["performances"] == [
        {"id": "p1", "free": 12, "held": 1, "sold": 2, "blocked": 3, "is_called_off": False},
        {"id": "p2", "free": 18, "held": 0, "sold": 0, "blocked": 0, "is_called_off": False},
    ]


@pytest.mark.usefixtures("on_sale")
def test_the_probe_holds_and_releases_a_place_that_nobody_sees(
    staff: Caller, states: Callable[..., str], someone: Caller, on_sale: dict[str, Any]
) -> None:
    for _ in range(20):
        assert staff.call("POST", "probe").json() == {"ok": True}
    not_yet = on_sale | {"sales": {"opens_at": (SOON + timedelta(1)).isoformat(), "closes_at": (SOON + timedelta(2)).isoformat()}}
    staff.call("PUT", "content", not_yet)

    assert staff.call("POST", "probe").json() == {"ok": True}
    assert not Claim.objects.exists()
    assert set(states()) == {"0"}
    assert someone.call("POST", "probe").status_code == 401


@pytest.mark.usefixtures("on_sale")
def test_a_probe_under_way_is_nobodys_place_and_keeps_no_change_out(staff: Caller, on_sale: dict[str, Any]) -> None:
    wanted = [Wanted(-3, "", 0)]
    claims.place_hold(performance=PROBE_PERFORMANCE, wanted=wanted, buyer="probe-1", limit=1, life_ms=60_000, content_version=1)

    answer = staff.call("PUT", "content", on_sale | {"limit_per_buyer": 2})

    assert (answer.status_code, answer.json().get("changed")) == (200, True)


@pytest.mark.usefixtures("on_sale")
def test_a_broken_sale_fails_the_probe(staff: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from booking_templates.seat import claims

    def refuse(**_: Any) -> None:
        raise claims.PlacesTaken([1])

    monkeypatch.setattr(claims, "place_hold", refuse)

    answer = staff.call("POST", "probe")
    assert (answer.status_code, answer.json()["code"]) == (503, "probe_failed")


def test_while_one_looks_for_newer_content_the_others_go_on_with_what_there_is(
    on_sale: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house, "STALE_S", 3600.0)
    before = house.refreshed()

    with house._lock:
        assert house.current() is before

    assert house.current() is before
