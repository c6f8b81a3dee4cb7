"""A gate: new work waits outside while enough is inside, and is told when to come again; what ends work always comes in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from booking_templates.kit.gate import INSIDE, REFUSED, WAIT_MAX_S, Gate
from booking_templates.kit.problems import TooMany


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Stay:
    """Calls that go on until they are let go."""

    def __init__(self) -> None:
        self._may_go = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self, wrap: Callable[[Callable[[], None]], Callable[[], None]]) -> None:
        is_in = threading.Event()

        def work() -> None:
            is_in.set()
            assert self._may_go.wait(10)

        thread = threading.Thread(target=wrap(work), daemon=True)
        self._threads.append(thread)
        thread.start()
        assert is_in.wait(10)

    def end(self) -> None:
        self._may_go.set()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def stay() -> Iterator[Stay]:
    made = Stay()
    yield made
    made.end()


def asked_to_wait_s(gate: Gate) -> int:
    with pytest.raises(TooMany) as told:
        gate.admits(lambda: None)()
    answer = told.value.response()
    assert answer.status_code == 429
    return int(answer["Retry-After"])


def test_so_much_comes_in_and_the_next_when_something_has_left(stay):
    gate = Gate("a", at_once=2)
    stay.begin(gate.admits)
    stay.begin(gate.admits)
    assert asked_to_wait_s(gate) == 1
    stay.end()
    assert gate.admits(lambda: "done")() == "done"


def test_what_ends_work_always_comes_in_and_keeps_new_work_out(stay):
    gate = Gate("b", at_once=1)
    stay.begin(gate.counts)
    assert asked_to_wait_s(gate)
    assert gate.counts(lambda: "done")() == "done"


def test_the_more_are_refused_the_longer_they_stay_away_and_never_for_long():
    clock = Clock()
    gate = Gate("c", at_once=0, clock=clock)
    told = [asked_to_wait_s(gate) for _ in range(300)]
    assert told == sorted(told)
    assert (told[0], told[-1]) == (1, 5)
    clock.now += 1.5  # the second before still counts
    assert asked_to_wait_s(gate) == 5
    clock.now += 10
    assert asked_to_wait_s(gate) == 1
    assert max(asked_to_wait_s(gate) for _ in range(2_000)) == WAIT_MAX_S


def test_what_fails_inside_leaves_too():
    gate = Gate("d", at_once=1)

    @gate.admits
    def fails() -> None:
        raise ValueError("inside")

    for _ in range(3):
        with pytest.raises(ValueError, match="inside"):
            fails()


def test_metrics_tell_what_is_inside_and_how_many_were_refused(stay):
    gate = Gate("e", at_once=1)
    stay.begin(gate.admits)
    for _ in range(3):
        asked_to_wait_s(gate)
    assert (INSIDE.labels("e")._value.get(), REFUSED.labels("e")._value.get()) == (1, 3)
    stay.end()
    assert INSIDE.labels("e")._value.get() == 0
