"""Whatever buyers, payments, clocks and staff do in whatever order: I1, I6 and I7 hold, and who follows deltas sees what is."""

from __future__ import annotations

import random
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from booking_templates.kit.problems import Problem
from booking_templates.seat import claims, content, holds, house, staff
from booking_templates.seat.board import board
from booking_templates.seat.models import Change, Claim, Content, Sale, State
from booking_templates.seat.orders import Wish, fulfil, unpin
from booking_templates.seat.schemas import AreaWish, BestWish, HoldRequest, SeatContent

from .conftest import area_content, numbered_content

LIMIT = 4
BUYERS = ("kim", "lee", "park")
GUIDS = [f"{row}-{number}" for row in "ABC" for number in range(1, 7)]
NUMBERS = st.integers(0, 11)
SETTINGS = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
    database=None,
)


def clear() -> None:
    random.seed(0)
    for model in (Claim, Change, Sale, Content):
        model.objects.all().delete()
    house.forget()
    board.forget()


def fulfilled(wish: Wish, state: State) -> bool:
    """Whether all places of its hold are in STATE for its order, after WISH was tried."""
    rows = fulfil([wish])[0]
    return not isinstance(rows, Exception) and {(row.state, row.order_id) for row in rows} == {(state, wish.order_id)}


class Watcher:
    """Follows one performance by deltas."""

    def __init__(self) -> None:
        self.states = ""
        self.version = ""
        self.areas: dict[str, Any] = {}

    def look(self) -> None:
        at = house.current()
        answer = board.answer(at, at.show("p1"))
        body = msgspec.json.decode(board.delta(answer, self.version) if self.version else answer.full)
        if body["full"]:
            self.states = body["state"]
        for position, state in body.get("changes", ()):
            self.states = self.states[:position] + str(state) + self.states[position + 1 :]
        self.version = body["version"]
        self.areas = body["areas"]


class Sales(RuleBasedStateMachine):
    """What the service did, beside what it should have done."""

    content: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        clear()
        content.put(msgspec.convert(self.content, SeatContent, strict=False))
        self.model: dict[int, dict[str, Any]] = {}
        self.watchers = [Watcher(), Watcher()]
        self.orders = 0

    def wish(self, buyer: str, wish: HoldRequest) -> dict[str, Any] | Problem:
        outcome: list[claims.Row] | Problem
        try:
            outcome = holds.hold("p1", wish, buyer)[1]
        except Problem as problem:
            outcome = problem
        # Whoever finds an expired hold in the way may end it, and then all of it.
        there = set(Claim.objects.values_list("hold", flat=True))
        self.model = {hold: had for hold, had in self.model.items() if had["state"] != "over" or hold in there}
        if isinstance(outcome, Problem):
            return outcome
        rows = outcome
        held = {"buyer": buyer, "state": "held", "places": [row.place for row in rows], "order": None, "extended": False}
        self.model[rows[0].hold] = held
        return held

    def live(self, buyer: str | None = None) -> int:
        """Places that count against a limit."""
        return sum(len(had["places"]) for had in self.model.values() if had["state"] != "over" and buyer in (None, had["buyer"]))

    def pick(self, number: int, *states: str) -> int | None:
        """One of the holds in STATES. What is drawn must not depend on the database, so NUMBER may be any."""
        there = [hold for hold, had in self.model.items() if not states or had["state"] in states]
        return there[number % len(there)] if there else None

    @rule(number=NUMBERS)
    def time_runs_out(self, number: int) -> None:
        if hold := self.pick(number, "held"):
            Claim.objects.filter(hold=hold).update(expires_ms=1)
            board.forget()  # the board believes its own clock; here time has been moved behind its back
            self.model[hold]["state"] = "over"

    @rule()
    def sweep(self) -> None:
        over = [hold for hold, had in self.model.items() if had["state"] == "over"]
        freed = sum(len(self.model.pop(hold)["places"]) for hold in over)
        assert claims.sweep() == freed

    @rule(number=NUMBERS, by=st.sampled_from(BUYERS))
    def release(self, number: int, by: str) -> None:
        if hold := self.pick(number):
            had = self.model[hold]
            claims.release_hold(hold, by)
            if had["buyer"] == by and had["state"] in ("held", "over"):
                del self.model[hold]

    @rule(number=NUMBERS)
    def extend(self, number: int) -> None:
        if hold := self.pick(number):
            had = self.model[hold]
            may = had["state"] == "held" and not had["extended"]
            assert claims.extend(hold, had["buyer"], 60_000) == may
            had["extended"] = had["extended"] or may

    @rule(number=NUMBERS)
    def pin(self, number: int) -> None:
        if hold := self.pick(number):
            had = self.model[hold]
            self.orders += 1
            order = f"o{self.orders}"
            assert fulfilled(Wish(hold, had["buyer"], order, is_sale=False), State.PINNED) == (had["state"] == "held")
            if had["state"] == "held":
                had |= {"state": "pinned", "order": order}

    @rule(number=NUMBERS, is_late=st.booleans())
    def unpin(self, number: int, is_late: bool) -> None:
        if hold := self.pick(number, "pinned"):
            had = self.model[hold]
            if is_late:
                Claim.objects.filter(hold=hold).update(expires_ms=1)
                board.forget()
            assert unpin(hold, had["order"])
            if is_late:
                del self.model[hold]
            else:
                had |= {"state": "held", "order": None}

    @rule(number=NUMBERS, twice=st.booleans())
    def confirm(self, number: int, twice: bool) -> None:
        if hold := self.pick(number):
            had = self.model[hold]
            self.orders += 1
            order = had["order"] or f"o{self.orders}"
            for _again in range(1 + twice):
                assert fulfilled(Wish(hold, "", order, is_sale=True), State.SOLD)
            had |= {"state": "sold", "order": order}

    @rule(number=NUMBERS, count=NUMBERS, whole=st.booleans())
    def refund(self, number: int, count: int, whole: bool) -> None:
        if hold := self.pick(number, "sold", "pinned"):
            had = self.model[hold]
            rows = claims.rows_of(hold)
            chosen = rows if whole else rows[: count % (len(rows) + 1)]
            claims.release_order(had["order"], None if whole else {row.ordinal for row in chosen})
            assert not (whole and claims.release_order(had["order"]))
            had["places"] = [place for place in had["places"] if place not in {row.place for row in chosen}]
            if not had["places"]:
                del self.model[hold]

    @rule(which=st.integers(0, 1))
    def watch(self, which: int) -> None:
        self.watchers[which].look()
        self.check_watcher(self.watchers[which])

    def check_watcher(self, watcher: Watcher) -> None:
        raise NotImplementedError

    @invariant()
    def claims_are_those_of_the_model(self) -> None:
        expected = {place: hold for hold, had in self.model.items() for place in had["places"]}
        assert dict(Claim.objects.exclude(state=State.BLOCKED).values_list("place", "hold")) == expected

    @invariant()
    def nobody_has_more_than_allowed(self) -> None:
        for buyer in BUYERS:
            slots = list(Claim.objects.filter(buyer=buyer).values_list("slot", flat=True))
            assert len(slots) == len(set(slots)) <= LIMIT
            assert set(slots) <= set(range(1, LIMIT + 1))

    def teardown(self) -> None:
        for watcher in self.watchers:
            watcher.look()
            self.check_watcher(watcher)


class SeatSales(Sales):
    content = numbered_content()

    def __init__(self) -> None:
        super().__init__()
        self.blocked: set[str] = set()

    def shown(self) -> str:
        layout = house.current().layout
        states = {"held": "1", "pinned": "1", "sold": "2", "over": "0"}
        found = {place: states[had["state"]] for had in self.model.values() for place in had["places"]}
        return "".join("3" if guid in self.blocked else found.get(layout.places[i], "0") for i, guid in enumerate(layout.guids))

    @rule(buyer=st.sampled_from(BUYERS), seats=st.lists(st.sampled_from(GUIDS), min_size=1, max_size=4, unique=True))
    def hold(self, buyer: str, seats: list[str]) -> None:
        layout = house.current().layout
        shown = self.shown()
        taken = [guid for guid in seats if shown[layout.position_of_guid[guid]] != "0"]
        room = LIMIT - self.live(buyer)
        outcome = self.wish(buyer, HoldRequest(seats=seats))
        if isinstance(outcome, Problem):
            if outcome.code == "limit_exceeded":
                assert len(seats) > room
            else:
                assert outcome.code == "seats_taken"
                assert sorted(outcome.extra["seats"]) == sorted(taken)
                assert taken
        else:
            assert not taken
            assert len(seats) <= room

    @rule(buyer=st.sampled_from(BUYERS), quantity=st.integers(1, 3), grade=st.sampled_from([None, "VIP", "R"]))
    def hold_best(self, buyer: str, quantity: int, grade: str | None) -> None:
        layout = house.current().layout
        names = [layout.grades[index].name for index in layout.grade_of]
        free = sum(state == "0" and grade in (None, name) for state, name in zip(self.shown(), names, strict=True))
        outcome = self.wish(buyer, HoldRequest(best=BestWish(quantity, grade)))
        if isinstance(outcome, Problem):
            assert outcome.code in ("limit_exceeded", "not_enough_seats")
            assert outcome.code == "limit_exceeded" or free < quantity

    @rule(seats=st.sets(st.sampled_from(GUIDS), max_size=3))
    def block(self, seats: set[str]) -> None:
        at = house.current()
        places = {at.layout.places[at.layout.position_of_guid[guid]] for guid in seats}
        taken = {place for had in self.model.values() if had["state"] != "over" for place in had["places"]}
        if places & taken:
            with pytest.raises(Problem, match="would_orphan"):
                staff._block_exactly(at, at.show("p1"), places, if_match="")
            return
        staff._block_exactly(at, at.show("p1"), places, if_match="")
        self.blocked = seats
        for hold in [hold for hold, had in self.model.items() if had["state"] == "over"]:
            del self.model[hold]

    def check_watcher(self, watcher: Watcher) -> None:
        assert watcher.states == self.shown()


class AreaSales(Sales):
    content = area_content()
    CAPACITY: ClassVar = {"floor": 10, "deck": 3}

    @rule(buyer=st.sampled_from(BUYERS), area=st.sampled_from(["floor", "deck"]), quantity=st.integers(1, 4))
    def hold(self, buyer: str, area: str, quantity: int) -> None:
        room = LIMIT - self.live(buyer)
        free = self.free(area)
        outcome = self.wish(buyer, HoldRequest(areas=[AreaWish(area, quantity)]))
        if isinstance(outcome, Problem):
            assert (outcome.code == "limit_exceeded" and quantity > room) or (outcome.code == "area_full" and quantity > free)
        else:
            assert quantity <= min(room, free)

    def free(self, area: str) -> int:
        return self.CAPACITY[area] - self.taken(area, "held", "pinned", "sold")

    def taken(self, area: str, *states: str) -> int:
        at = house.current().layout
        block = at.area_of_id[area]
        return sum(at.area_at(place) == block for had in self.model.values() if had["state"] in states for place in had["places"])

    @invariant()
    def no_area_has_more_than_its_capacity(self) -> None:
        for area in self.CAPACITY:
            assert self.free(area) >= 0

    @precondition(lambda self: self.watchers[0].version)
    @invariant()
    def watchers_see_what_is_free(self) -> None:
        self.watchers[0].look()
        self.check_watcher(self.watchers[0])

    def check_watcher(self, watcher: Watcher) -> None:
        assert watcher.areas == {area: {"free": self.free(area), "held": self.taken(area, "held", "pinned")} for area in self.CAPACITY}


@pytest.mark.django_db
@pytest.mark.timeout(400)
def test_numbered_seats() -> None:
    run_state_machine_as_test(SeatSales, settings=SETTINGS)


@pytest.mark.django_db
@pytest.mark.timeout(400)
def test_areas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAT_NUMBERED", "no")
    run_state_machine_as_test(AreaSales, settings=SETTINGS)
