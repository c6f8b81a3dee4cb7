"""Plan and availability as watchers see them: full answers, deltas, validators, and the clock."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from booking_templates.seat import board as board_module
from booking_templates.seat import claims, house
from booking_templates.seat.board import board

from .conftest import Caller, numbered_content, seating_plan

pytestmark = pytest.mark.usefixtures("on_sale")
PATH = "performances/p1/availability"


def test_places_are_counted_by_one_and_the_others_go_on_with_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    counted, counting, go_on = [], threading.Event(), threading.Event()

    def slowly(at: house.House) -> dict[int, board_module.Counts]:
        counted.append(at.version)
        if len(counted) == 2:
            counting.set()
            assert go_on.wait(10)
        return {1: board_module.Counts(0, len(counted), 0)}

    monkeypatch.setattr(board_module, "count_claims", slowly)
    at, mine = house.current(), board_module.Board()
    first = mine.counts(at)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(mine.counts, at, older_than_s=-1)
        assert counting.wait(10)
        assert [mine.counts(at, older_than_s=-1) for _ in range(3)] == [first] * 3
        go_on.set()
        assert slow.result(10)[1].sold == 2
    assert mine.counts(at, older_than_s=60)[1].sold == 2
    assert len(counted) == 2


def test_the_plan_lists_seats_in_the_order_of_the_availability_answer(someone: Caller) -> None:
    plan = someone.get("plan").json()

    assert plan["numbered"] is True
    assert [(grade["name"], grade["color"], grade["price_krw"]) for grade in plan["grades"]] == [
        ("VIP", "#aa0000", 150_000),
        ("R", "#00aa00", 90_000),
    ]
    assert [row["label"] for zone in plan["zones"] for row in zone["rows"]] == ["A", "B", "C"]
    assert plan["zones"][0]["rows"][2]["seats"][1] == ["C-2", "2", 140.0, 150.0, 1, 0]
    assert plan["shapes"] == [
        {
            "kind": "rectangle",
            "width": 140.0,
            "height": 40.0,
            "x": 170.0,
            "y": 40.0,
            "color": "#222222",
            "text": "STAGE",
            "text_x": 170.0,
            "text_y": 40.0,
        }
    ]
    assert len(someone.get(PATH).json()["state"]) == 18


def test_the_plan_is_validated_by_version_and_kept_for_ever_under_it(someone: Caller) -> None:
    first = someone.get("plan")
    version = first.json()["version"]

    assert someone.get("plan", **{"If-None-Match": first["ETag"]}).status_code == 304
    assert first["Cache-Control"] == "public, no-cache"
    assert "immutable" in someone.get(f"plan?v={version}")["Cache-Control"]
    assert someone.get("plan?v=older")["Cache-Control"] == "public, no-cache"


def test_the_plan_comes_compressed_to_whoever_takes_that(someone: Caller) -> None:
    answer = someone.get("plan", **{"Accept-Encoding": "gzip, br"})

    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content) == someone.get("plan").content
    assert answer["Vary"] == "Accept-Encoding"


def test_a_state_is_shown_as_it_changes(
    someone: Caller, buyer: Caller, ticket: Caller, states: Callable[..., str], let_expire: Callable[[str], None]
) -> None:
    assert states() == "0" * 18
    hold = buyer.held("A-2", "B-1")
    assert states() == "010000" + "100000" + "000000"
    assert states("p2") == "0" * 18
    ticket.call("POST", f"/internal/holds/{hold['id']}/confirm", {"order_id": "o1"})
    assert states() == "020000" + "200000" + "000000"
    ticket.call("POST", "/internal/orders/o1/release", {})
    assert states() == "0" * 18


def test_an_expired_hold_is_shown_free_by_the_clock_alone(
    buyer: Caller, states: Callable[..., str], let_expire: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = buyer.held("A-1")
    assert states()[0] == "1"
    let_expire(hold["id"])
    later = claims.now_ms() + 8 * 60_000
    monkeypatch.setattr(board_module, "now_ms", lambda: later)

    assert states()[0] == "0"


def test_a_hold_that_was_extended_or_pinned_is_not_shown_free_when_its_first_time_is_over(
    buyer: Caller, other: Caller, ticket: Caller, states: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    extended, pinned = buyer.held("A-1"), other.held("A-2")
    assert states()[:2] == "11"
    buyer.call("POST", f"holds/{extended['id']}/extend")
    ticket.call("POST", f"/internal/holds/{pinned['id']}/pin", {"order_id": "o1", "buyer_id": other.id})
    later = claims.now_ms() + 8 * 60_000
    monkeypatch.setattr(board_module, "now_ms", lambda: later)

    assert states()[:2] == "11"


def test_a_hold_that_was_placed_while_nobody_watched_is_shown(
    buyer: Caller, other: Caller, states: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert states() == "0" * 18
    buyer.held("A-2")
    for seconds in (25, 26, 70):
        later = claims.now_ms() + seconds * 1000
        monkeypatch.setattr(board_module, "now_ms", lambda later=later: later)
        assert states() == "010000" + "0" * 12, seconds


def test_a_delta_says_what_changed(someone: Caller, buyer: Caller, other: Caller) -> None:
    buyer.held("C-6")
    before = someone.get(PATH).json()
    hold = buyer.held("A-1", "A-2")
    other.held("B-1")
    buyer.call("DELETE", f"holds/{hold['id']}")  # taken and given back between two looks: nothing to say

    delta = someone.get(f"{PATH}?since={before['version']}").json()

    assert delta["full"] is False
    assert dict(delta["changes"]) == {6: 1}
    same = someone.get(f"{PATH}?since={delta['version']}").json()
    assert (same["version"], same["changes"]) == (delta["version"], [])


def test_nothing_new_is_a_304(someone: Caller, buyer: Caller) -> None:
    first = someone.get(PATH)

    assert someone.get(PATH, **{"If-None-Match": first["ETag"]}).status_code == 304
    since = f"{PATH}?since={first.json()['version']}"
    assert someone.get(since, **{"If-None-Match": first["ETag"]}).status_code == 304
    board.forget()  # another replica says so too
    assert someone.get(since, **{"If-None-Match": first["ETag"]}).status_code == 304
    buyer.held("A-1")
    changed = someone.get(since, **{"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


@pytest.mark.parametrize("since", ["x", "-1", "9" * 30, "0", "٣.٣.٣-x", "a.1.1-00000000-0", "a.b.c-d-e", ".-."])
def test_an_unknown_version_gets_everything(someone: Caller, buyer: Caller, since: str) -> None:
    buyer.held("A-1")

    answer = someone.get(f"{PATH}?since={since}").json()
    assert answer["full"] is True
    assert answer["state"][0] == "1"


def test_what_is_answered_to_versions_that_are_made_up_is_not_kept_without_end(someone: Caller) -> None:
    someone.get(PATH)
    at = house.current()
    answer = board.answer(at, at.show("p1"))
    for number in range(100):
        assert b'"full":true' in board.delta(answer, f"{number}{'x' * 60_000}")

    assert sum(map(len, answer._deltas)) < 2_000_000


def test_a_lapsed_hold_is_in_the_next_delta_swept_or_not(
    someone: Caller, buyer: Caller, let_expire: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = buyer.held("A-1")
    before = someone.get(PATH).json()
    let_expire(hold["id"])
    later = claims.now_ms() + 8 * 60_000
    monkeypatch.setattr(board_module, "now_ms", lambda: later)

    delta = someone.get(f"{PATH}?since={before['version']}").json()
    assert delta["changes"] == [[0, 0]]
    assert delta["version"] != before["version"]
    assert claims.sweep() == 1
    swept = someone.get(f"{PATH}?since={delta['version']}").json()
    assert (swept["version"], swept["changes"]) == (delta["version"], [])


def test_a_new_plan_is_answered_whole(someone: Caller, staff: Caller, buyer: Caller, on_sale: dict[str, Any]) -> None:
    buyer.held("C-1")
    before = someone.get(PATH)
    staff.call("PUT", "content", on_sale | {"plan": seating_plan(rows=4)})

    after = someone.get(f"{PATH}?since={before.json()['version']}", **{"If-None-Match": before["ETag"]})

    assert after.status_code == 200
    assert after.json()["full"] is True
    assert after.json()["state"] == "0" * 12 + "1" + "0" * 11
    assert after.json()["plan"] == someone.get("plan").json()["version"] != before.json()["plan"]


def test_a_restarted_process_shows_the_same(someone: Caller, buyer: Caller, ticket: Caller, states: Callable[..., str]) -> None:
    hold = buyer.held("A-1")
    buyer.held("A-2")
    ticket.call("POST", f"/internal/holds/{hold['id']}/confirm", {"order_id": "o1"})
    before = states()
    board.forget()

    assert states() == before == "21" + "0" * 16


def test_a_change_that_escaped_is_found_by_comparing(
    buyer: Caller, states: Callable[..., str], monkeypatch: pytest.MonkeyPatch, someone: Caller
) -> None:
    from booking_templates.seat.models import Change

    hold = buyer.held("A-1")
    before = someone.get(PATH).json()
    buyer.call("DELETE", f"holds/{hold['id']}")
    Change.objects.all().delete()  # as if its transaction had committed long after its id was given up
    assert states()[0] == "1"
    monkeypatch.setattr(board_module, "COMPARE_S", -1.0)

    assert states()[0] == "0"
    monkeypatch.setattr(board_module, "COMPARE_S", 60.0)
    assert someone.get(f"{PATH}?since={before['version']}").json()["full"] is True
    buyer.held("A-2")
    assert states()[:2] == "01"


def test_another_replica_answers_a_delta_that_covers_what_the_first_may_have_missed(
    someone: Caller, buyer: Caller, other: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two boards on one database; the second has been reading for a minute."""
    from booking_templates.seat import house
    from booking_templates.seat.hall import OTHERS_MS

    at = house.current()
    second = board_module.Board()
    minute_ago = claims.now_ms() - 60_000
    with monkeypatch.context() as earlier:
        earlier.setattr(board_module, "now_ms", lambda: minute_ago)
        second.answer(at, at.show("p1"))
    buyer.held("A-1")
    first = someone.get(PATH).json()
    other.held("A-2")

    answer = second.answer(at, at.show("p1"))
    delta = msgspec.json.decode(second.delta(answer, first["version"]))

    assert delta["full"] is False
    assert dict(delta["changes"]) == {0: 1, 1: 1}
    newborn = board_module.Board()
    assert msgspec.json.decode(newborn.delta(newborn.answer(at, at.show("p1")), first["version"]))["full"] is True
    assert OTHERS_MS > board_module.STALE_S * 1000


def test_watchers_in_the_same_moment_are_answered_without_the_database(
    someone: Caller, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    from booking_templates.seat import house

    someone.get(PATH)
    monkeypatch.setattr(board_module, "POLL_S", 60.0)
    monkeypatch.setattr(house, "CHECK_EVERY_S", 60.0)

    with django_assert_num_queries(0):
        for _ in range(5):
            assert someone.get(PATH).status_code == 200


def test_performances_say_how_many_places_are_free(
    someone: Caller, buyer: Caller, other: Caller, ticket: Caller, let_expire: Callable[[str], None]
) -> None:
    sold = buyer.held("A-1", "A-2")
    ticket.call("POST", f"/internal/holds/{sold['id']}/confirm", {"order_id": "o1"})
    buyer.held("A-3")
    let_expire(other.held("A-4")["id"])

    performances = someone.get("performances").json()

    assert [(each["id"], each["free"], each["capacity"], each["on_sale"]) for each in performances] == [
        ("p1", 15, 18, True),
        ("p2", 18, 18, True),
    ]


def test_a_performance_that_is_not_there_is_not_found(someone: Caller) -> None:
    assert someone.get("performances/p9/availability").json()["code"] == "unknown_performance"


def test_wheelchair_and_obstructed_seats_are_marked(staff: Caller, someone: Caller) -> None:
    content = numbered_content(wheelchair=["A-1", "A-2"], obstructed=["A-2", "C-6"])
    assert staff.call("PUT", "content", content).status_code == 200

    seats = [seat for row in someone.get("plan").json()["zones"][0]["rows"] for seat in row["seats"]]
    assert {seat[0]: seat[5] for seat in seats if seat[5]} == {"A-1": 1, "A-2": 3, "C-6": 2}


def test_of_many_dates_each_is_read_from_the_database_once(staff: Caller, someone: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    first = numbered_content()["performances"][0]
    dates = [first | {"id": f"p{number}"} for number in range(1, 71)]
    assert staff.call("PUT", "content", numbered_content(performances=dates)).status_code == 200
    read: list[str] = []
    load = board._load
    monkeypatch.setattr(board, "_load", lambda house, show: read.append(show.id) or load(house, show))
    for _round in range(2):
        for date in dates:
            assert someone.get(f"performances/{date['id']}/availability").status_code == 200

    assert len(read) == len(dates)


def test_halls_are_forgotten_where_they_have_very_many_places(staff: Caller, someone: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "HALLS_MIN", 1)
    monkeypatch.setattr(board_module, "PLACES_MAX", 18)
    for performance in ("p1", "p2"):
        someone.get(f"performances/{performance}/availability")

    assert len(board._halls) == 1


def test_who_comes_while_another_thread_takes_a_change_in_gets_the_answer_of_before(
    someone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = house.current().show("p1")
    someone.get(PATH)
    hall = board._halls[show.number]
    known = hall._answer
    # The change comes between two looks at the answer, and the lock is the other thread's: nothing may be made of a hall half changed.
    looks = [known]
    monkeypatch.setattr(
        type(hall), "_answer", property(lambda _hall: looks.pop() if looks else None, lambda _hall, _answer: None), raising=False
    )
    monkeypatch.setattr(board_module, "POLL_S", 60.0)

    assert board.answer(house.current(), show) is known


def test_a_hold_that_had_to_wait_for_half_a_minute_is_shown_at_once(
    buyer: Caller, states: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    states()
    new, waited = claims.new_hold_id, [30_000]
    # The statement was tried again and again while a change of the content went on: its hold's id is of when it was tried first.
    monkeypatch.setattr(claims, "new_hold_id", lambda: new() - ((waited.pop() if waited else 0) << claims.RANDOM_BITS))

    hold = buyer.held("A-1")

    assert states()[0] == "1"
    assert buyer.get(f"holds/{hold['id']}").status_code == 200
    assert [each["id"] for each in buyer.get("holds").json()["holds"]] == [hold["id"]]
