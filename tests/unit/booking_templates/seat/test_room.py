"""The waiting room by its endpoints: turns, holds with and without one, and what staff do with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from booking_templates.kit.db import clock_ms
from booking_templates.kit.problems import TooMany
from booking_templates.seat import board, callers, content, passes, taken, turns
from booking_templates.seat.models import Content, Pass, Room
from booking_templates.seat.queue import GRACE_MS
from tests.unit.booking_templates.seat.conftest import SOON, Caller, numbered_content

pytestmark = pytest.mark.django_db
RATE = 1
BURST = 1
MINUTE = 60_000
"""In which one comes in."""


@pytest.fixture
def on_sale(db: None, staff: Caller) -> dict[str, Any]:
    """A house with a room that lets one in a minute."""
    made = numbered_content(admit_per_minute=RATE)
    assert staff.call("PUT", "content", made).status_code == 200
    return made


def turn(someone: Caller, known: str = "", **headers: str) -> Any:
    return someone.call("POST", "room/turns", {"turn": known} if known else {}, **headers)


def come(someone: Caller, count: int = 1) -> list[dict[str, Any]]:
    answers = [turn(someone) for _ in range(count)]
    assert {answer.status_code for answer in answers} == {201}
    return [answer.json() for answer in answers]


def let_pass(ms: int) -> None:
    """Make it so much later, as far as the room is concerned."""
    Room.objects.update(at_ms=F("at_ms") - ms, queued_until_ms=F("queued_until_ms") - ms)


def hold(buyer: Caller, place: str, with_turn: str = "") -> Any:
    headers = {"X-Clove-Turn": with_turn} if with_turn else {}
    return buyer.call("POST", "performances/p1/holds", {"seats": [place]}, **headers)


def test_numbers_are_given_out_in_order_and_the_first_are_in_at_once(on_sale: dict[str, Any], someone: Caller) -> None:
    told = come(someone, BURST + 3)

    assert [each["number"] for each in told] == list(range(1, BURST + 4))
    assert [each["room"]["admitted"] for each in told][-1] == BURST
    now = someone.get("room").json()
    assert (now["given"], now["admitted"], now["per_minute"], now["is_on"], now["is_paused"]) == (BURST + 3, BURST, RATE, True, False)
    let_pass(2 * MINUTE)
    assert someone.get("room").json()["admitted"] == BURST + 2


def test_while_nobody_waits_a_hold_needs_no_turn_and_costs_no_statement_more(
    on_sale: dict[str, Any], someone: Caller, buyer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taken, "seems", lambda claims: False)  # what another test saw taken
    come(someone)

    with CaptureQueriesContext(connection) as queries:
        assert hold(buyer, "A-1").status_code == 201

    assert [query["sql"].split()[0] for query in queries if "seat_" in query["sql"]] == ["SELECT", "INSERT"]
    assert not Pass.objects.exists()


def test_while_somebody_waits_a_hold_without_a_turn_is_refused_and_nothing_is_held(
    on_sale: dict[str, Any], someone: Caller, buyer: Caller, states: Callable[..., str]
) -> None:
    come(someone, BURST + 1)

    answer = hold(buyer, "A-1")

    assert (answer.status_code, answer.json()["code"], answer.json()["room"]) == (403, "waiting_room", "/api/seat/room")
    assert set(states()) == {"0"}


def test_a_turn_lets_in_when_it_has_come_and_not_before(on_sale: dict[str, Any], someone: Caller, buyer: Caller) -> None:
    last = come(someone, BURST + 2)[-1]

    answer = hold(buyer, "A-1", last["turn"])
    assert (answer.status_code, answer.json()["code"]) == (403, "waiting_room")
    assert (answer.json()["number"], answer.json()["admitted"]) == (BURST + 2, BURST)

    let_pass(2 * MINUTE)
    assert hold(buyer, "A-1", last["turn"]).status_code == 201


def test_one_turn_is_one_buyers(on_sale: dict[str, Any], someone: Caller, buyer: Caller, other: Caller) -> None:
    first = come(someone, BURST + 1)[0]["turn"]
    assert hold(buyer, "A-1", first).status_code == 201

    for _again in range(2):  # from what this process knows, and from the database
        answer = hold(other, "A-2", first)
        assert (answer.status_code, answer.json()["code"]) == (403, "turn_taken")
        passes.forget()
    assert hold(buyer, "A-3", first).status_code == 201


def test_a_turn_that_nobody_gave_out_is_none(on_sale: dict[str, Any], someone: Caller, buyer: Caller) -> None:
    last = come(someone, BURST + 1)[0]["turn"]
    forged = ["x", "x" * 60, "A" * 60, last[:-1] + ("A" if last[-1] != "A" else "B"), last[:-1], last + "A", "한" * 20]

    for text in forged:
        answer = buyer.call("POST", "performances/p1/holds", {"seats": ["A-1"]}, **{"X-Clove-Turn": text.encode().decode("latin-1")})
        assert answer.json()["code"] == "waiting_room", text


def test_who_was_in_before_the_queue_keeps_what_they_hold(on_sale: dict[str, Any], someone: Caller, buyer: Caller) -> None:
    held = buyer.held("A-1")
    come(someone, BURST + 1)

    assert buyer.call("POST", f"holds/{held['id']}/extend").status_code == 200
    assert buyer.get(f"holds/{held['id']}").status_code == 200
    assert buyer.call("DELETE", f"holds/{held['id']}").status_code == 204


def test_a_turn_is_asked_for_until_some_minutes_after_the_last_one_is_in(on_sale: dict[str, Any], someone: Caller, buyer: Caller) -> None:
    come(someone, BURST + 1)

    let_pass(MINUTE + GRACE_MS - MINUTE)
    assert someone.get("room").json()["needs_turn"] is True
    assert hold(buyer, "A-1").status_code == 403
    let_pass(MINUTE)
    assert someone.get("room").json()["needs_turn"] is False
    assert hold(buyer, "A-1").status_code == 201


def test_just_after_the_sale_has_opened_a_hold_needs_a_turn(staff: Caller, someone: Caller, buyer: Caller) -> None:
    sales = {"opens_at": (SOON - timedelta(seconds=20)).isoformat(), "closes_at": (SOON + timedelta(days=3)).isoformat()}
    staff.call("PUT", "content", numbered_content(sales=sales))

    assert hold(buyer, "A-1").json()["code"] == "waiting_room"
    assert hold(buyer, "A-1", come(someone)[0]["turn"]).status_code == 201


def test_nobody_gets_a_number_before_the_sale_opens(staff: Caller, someone: Caller) -> None:
    sales = {"opens_at": (SOON + timedelta(hours=1)).isoformat(), "closes_at": (SOON + timedelta(days=3)).isoformat()}
    staff.call("PUT", "content", numbered_content(sales=sales))

    answer = turn(someone)

    assert (answer.status_code, answer.json()["turn"], answer.json()["number"]) == (200, None, None)
    assert 3_000 < answer.json()["opens_in_s"] <= 3_600
    assert not Room.objects.filter(given__gt=0).exists()


def test_who_comes_back_keeps_the_place(on_sale: dict[str, Any], someone: Caller) -> None:
    mine = come(someone, BURST + 5)[-1]

    again = turn(someone, mine["turn"])

    assert (again.status_code, again.json()["turn"], again.json()["number"]) == (200, mine["turn"], BURST + 5)
    assert Room.objects.get().given == BURST + 5


def test_a_turn_that_came_and_was_not_taken_in_time_is_over(on_sale: dict[str, Any], someone: Caller, buyer: Caller) -> None:
    come(someone, BURST + 1)
    now = clock_ms()
    late = {  # number 1 was in at once, number 2 after a wait
        "at once, long ago": turns.new(1, now - turns.LIFE_MS - 1, 0),
        "as long ago as no turn lives": turns.new(2, now - turns.AGE_MAX_MS - 1, turns.AGE_MAX_MS),
    }
    for what, over in late.items():
        let_pass(MINUTE)
        text = turns.write(over)
        assert hold(buyer, "A-1", text).json()["code"] == "turn_over", what
        fresh = turn(someone, text)
        assert fresh.status_code == 201, what
        assert fresh.json()["turn"] != text


def test_who_waited_long_has_their_time_from_when_it_came(on_sale: dict[str, Any], someone: Caller, buyer: Caller) -> None:
    come(someone, BURST + 1)
    let_pass(MINUTE)
    waited = turns.new(BURST + 1, clock_ms() - 3 * 3_600_000, 3 * 3_600_000 - turns.LIFE_MS // 2)

    assert hold(buyer, "A-1", turns.write(waited)).status_code == 201


def test_who_waited_for_more_than_a_day_has_their_turn_all_the_same(on_sale: dict[str, Any], someone: Caller, buyer: Caller) -> None:
    come(someone, BURST + 1)
    let_pass(MINUTE)
    day_and_half = 36 * 3_600_000
    waited = turns.write(turns.new(BURST + 1, clock_ms() - day_and_half, day_and_half - 1))

    assert turn(someone, waited).json()["turn"] == waited
    assert hold(buyer, "A-1", waited).status_code == 201


def test_a_turn_lasts_as_long_as_its_buyer_holds_something(on_sale: dict[str, Any], someone: Caller, buyer: Caller) -> None:
    mine = come(someone, BURST + 1)[0]["turn"]
    held = hold(buyer, "A-1", mine).json()
    Pass.objects.update(expires_ms=1)
    passes.forget()

    assert hold(buyer, "A-2", mine).status_code == 201
    for each in buyer.get("holds").json()["holds"]:
        buyer.call("DELETE", f"holds/{each['id']}")
    assert held
    answer = hold(buyer, "A-1", mine)
    assert (answer.status_code, answer.json()["code"]) == (403, "turn_over")
    assert turn(someone, mine).json()["number"] == BURST + 2


def test_a_number_that_a_lost_database_gave_out_is_replaced(on_sale: dict[str, Any], someone: Caller) -> None:
    mine = come(someone, 5)[-1]
    Room.objects.update(given=2)

    assert turn(someone, mine["turn"]).json()["number"] == 3


def test_a_rate_is_changed_without_touching_the_plan_and_keeps_everybodys_place(
    on_sale: dict[str, Any], staff: Caller, someone: Caller
) -> None:
    come(someone, BURST + 20)
    version = Content.objects.get().version

    answer = staff.call("PUT", "content", on_sale | {"admit_per_minute": 2})

    assert answer.json()["changed"] is True
    assert Content.objects.get().version == version
    now = someone.get("room").json()
    assert (now["per_minute"], now["given"]) == (2, BURST + 20)
    assert now["admitted"] < BURST + 20
    assert staff.call("PUT", "content", on_sale | {"admit_per_minute": 2}).json()["changed"] is False
    assert staff.get("content").json()["admit_per_minute"] == 2


def test_an_image_of_before_the_room_can_read_what_was_written(on_sale: dict[str, Any]) -> None:
    assert "admit_per_minute" not in Content.objects.get().body
    assert content.read().admit_per_minute == RATE
    assert Content.objects.get().digest == hashlib.sha256(Content.objects.get().body.encode()).hexdigest()


def test_zero_is_no_room_at_all(on_sale: dict[str, Any], staff: Caller, someone: Caller, buyer: Caller) -> None:
    come(someone, BURST + 20)
    staff.call("PUT", "content", on_sale | {"admit_per_minute": 0})

    assert turn(someone).json() | {"room": None} == {"turn": None, "number": None, "opens_in_s": None, "room": None}
    assert someone.get("room").json()["is_on"] is False
    assert hold(buyer, "A-1").status_code == 201


def test_unsaid_it_lets_in_what_is_usual(staff: Caller, someone: Caller) -> None:
    staff.call("PUT", "content", numbered_content())

    assert someone.get("room").json()["per_minute"] == 3_000
    assert "admit_per_minute" not in staff.get("content").json()


@pytest.mark.parametrize("rate", [-1, 1.5, "60", 1_000_001])
def test_a_rate_that_is_none_is_refused(on_sale: dict[str, Any], staff: Caller, rate: object) -> None:
    answer = staff.call("PUT", "content", on_sale | {"admit_per_minute": rate})

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["admit_per_minute"]


def test_staff_stop_it_at_once_and_let_it_go_on(on_sale: dict[str, Any], staff: Caller, someone: Caller, buyer: Caller) -> None:
    assert staff.call("PUT", "room", {"is_paused": True}).json()["is_paused"] is True
    mine = come(someone)[0]

    assert mine["room"]["admitted"] == 0
    let_pass(3_600_000)
    assert hold(buyer, "A-1", mine["turn"]).json()["code"] == "waiting_room"
    assert staff.call("PUT", "content", on_sale | {"limit_per_buyer": 3}).status_code == 200
    assert someone.get("room").json()["is_paused"] is True

    assert staff.call("PUT", "room", {"is_paused": False}).json()["is_paused"] is False
    let_pass(MINUTE)
    assert hold(buyer, "A-1", mine["turn"]).status_code == 201


def test_only_staff_stop_it(on_sale: dict[str, Any], someone: Caller, buyer: Caller, ticket: Caller) -> None:
    assert [who.call("PUT", "room", {"is_paused": True}).status_code for who in (someone, buyer, ticket)] == [401, 403, 401]


def test_the_summary_tells_who_waits(on_sale: dict[str, Any], staff: Caller, someone: Caller) -> None:
    come(someone, BURST + 4)

    told = staff.get("summary").json()["room"]

    assert (told["given"], told["admitted"]) == (BURST + 4, BURST)


def test_who_waits_is_told_of_what_nothing_is_left(
    on_sale: dict[str, Any], staff: Caller, someone: Caller, buyer: Caller, ticket: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "LEFT_S", -1.0)
    monkeypatch.setattr(board, "COUNT_WAITING_S", -1.0)
    first, *_others = come(someone, BURST + 1)
    assert told(someone) == ([], [])

    rest = [f"{row}-{number}" for row in "ABC" for number in range(1, 7)][1:]
    staff.call("PUT", "performances/p1/blocked", {"seats": rest})
    assert told(someone) == ([], [])
    held = hold(buyer, "A-1", first["turn"]).json()
    assert told(someone) == (["p1"], [])
    assert turn(someone, first["turn"]).json()["room"]["sold_out"] == ["p1"]

    buyer.call("DELETE", f"holds/{held['id']}")
    assert told(someone) == ([], [])
    ticket.call("POST", "/internal/performances/p1/close")
    assert told(someone) == ([], ["p1"])


def test_who_waits_is_told_when_the_sale_is_over(on_sale: dict[str, Any], staff: Caller, someone: Caller) -> None:
    come(someone, BURST + 1)
    ends = {"opens_at": (SOON - timedelta(days=2)).isoformat(), "closes_at": (SOON - timedelta(days=1)).isoformat()}

    staff.call("PUT", "content", on_sale | {"sales": ends})

    assert told(someone) == ([], [item["id"] for item in on_sale["performances"]])


def test_places_are_counted_for_those_who_wait_and_for_all_of_them_once(on_sale: dict[str, Any], someone: Caller) -> None:
    come(someone, BURST)
    with CaptureQueriesContext(connection) as before:
        someone.get("room")
    come(someone, 1)
    with CaptureQueriesContext(connection) as queries:
        for _ in range(20):
            someone.get("room")
            come(someone)

    assert not [query for query in before if "seat_claim" in query["sql"]]
    assert len([query for query in queries if "seat_claim" in query["sql"]]) <= 1


def told(someone: Caller) -> tuple[list[str], list[str]]:
    now = someone.get("room").json()
    return now["sold_out"], now["closed"]


def test_how_it_stands_is_not_sent_twice(on_sale: dict[str, Any], someone: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    come(someone, 3)
    first = someone.get("room")

    assert first["Cache-Control"] == "public, max-age=1"
    again = someone.get("room", **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    come(someone)
    assert someone.get("room", **{"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize(("per_minute", "at_once", "in_30_s"), [(60, 50, 12), (600, 200, 120), (3_000, 1_000, 600), (60_000, 1_000, 600)])
def test_one_address_gets_a_part_of_those_who_come_in_however_few_that_are(
    rf: RequestFactory, per_minute: int, at_once: int, in_30_s: int
) -> None:
    now = [100.0]
    limit, outside = callers.Limit(clock=lambda: now[0]), rf.post("/", headers={"X-Forwarded-For": "203.0.114.7"})

    def given() -> int:
        for count in range(5_000):
            try:
                limit.check(outside, per_minute=per_minute)
            except TooMany:
                return count
        raise AssertionError("no limit")

    assert at_once - 1 <= given() <= at_once
    now[0] += 30
    assert in_30_s - 1 <= given() <= in_30_s < per_minute / 2
    limit.check(rf.post("/", headers={"X-Forwarded-For": "203.0.114.8"}), per_minute=per_minute)


def test_a_program_that_asks_for_thousands_is_slowed_down_and_a_school_is_not(
    on_sale: dict[str, Any], staff: Caller, someone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff.call("PUT", "content", on_sale | {"admit_per_minute": 3_000})
    monkeypatch.setattr(callers, "limit", callers.Limit(at_once=3, per_s=0.1, clock=lambda: 100.0))
    outside = {"X-Forwarded-For": "9.9.9.9, 203.0.114.7"}

    answers = [turn(someone, **outside) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert (answers[-1].json()["code"], answers[-1]["Retry-After"]) == ("too_many_turns", "10")
    mine = answers[0].json()["turn"]
    assert turn(someone, mine, **outside).status_code == 200
    assert turn(someone, **{"X-Forwarded-For": "203.0.114.8"}).status_code == 201
    # Who comes from inside, or through something that hides everybody behind one address, is not counted.
    for headers in ({}, {"X-Forwarded-For": "10.0.0.7"}, {"X-Forwarded-For": "127.0.0.1"}):
        assert [turn(someone, **headers).status_code for _ in range(5)] == [201] * 5
    six = {"X-Forwarded-For": "2001:db9:1:2::1"}
    assert [turn(someone, **six | {"X-Forwarded-For": f"2001:2b8:1:2::{host}"}).status_code for host in range(4)] == [201] * 3 + [429]


def test_a_closed_account_leaves_no_name(
    on_sale: dict[str, Any], someone: Caller, buyer: Caller, other: Caller, auth_service: Caller
) -> None:
    mine = come(someone, BURST + 1)[0]["turn"]
    assert hold(buyer, "A-1", mine).status_code == 201

    assert auth_service.call("POST", f"/internal/buyers/{buyer.id}/erase").status_code == 204

    assert list(Pass.objects.values_list("buyer", flat=True)) == [""]
    assert hold(other, "A-2", mine).json()["code"] == "turn_taken"


def test_passes_are_kept_as_long_as_their_turn_could_be_used_again(on_sale: dict[str, Any], someone: Caller, buyer: Caller) -> None:
    assert hold(buyer, "A-1", come(someone, BURST + 1)[0]["turn"]).status_code == 201
    assert passes.trim() == 0

    Pass.objects.update(expires_ms=clock_ms() - turns.AGE_MAX_MS - 1)
    assert passes.trim() == 1


def test_metrics_tell_who_waits(on_sale: dict[str, Any], someone: Caller, client: Any) -> None:
    come(someone, BURST + 2)
    someone.get("room")

    lines = client.get("/metrics").content.decode().splitlines()

    assert "clove_room_waiting 2.0" in lines
    assert f"clove_room_admitted_total {float(BURST)}" in lines
