"""Questions asked as one: each gets its own answer, whoever asked."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from booking_templates.kit.combiner import Combiner

BOUND_S = 10.0


class Asked:
    """Doubles numbers. The first question waits until `go_on` is set; what was asked together is in `calls`."""

    def __init__(self, fail: Callable[[Sequence[int]], None] = lambda questions: None) -> None:
        self.calls: list[list[int]] = []
        self.go_on = threading.Event()
        self.fail = fail

    def __call__(self, questions: Sequence[int]) -> list[int]:
        self.calls.append(list(questions))
        if len(self.calls) == 1:
            assert self.go_on.wait(BOUND_S)
        self.fail(questions)
        return [2 * each for each in questions]


class Crowd:
    """Threads that ask COMBINER, one after the other; what each was answered is in `answers`, by its question."""

    def __init__(self, combiner: Combiner[int, int]) -> None:
        self.combiner = combiner
        self.answers: dict[int, Any] = {}
        self._threads: list[threading.Thread] = []

    def ask(self, question: int, until: Callable[[], object]) -> None:
        def run() -> None:
            try:
                self.answers[question] = self.combiner(question)
            except Exception as error:
                self.answers[question] = error

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()
        until_true(until)

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(BOUND_S)
            assert not thread.is_alive()


def until_true(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def crowded(asked: Asked, count: int, **options: Any) -> Crowd:
    """Question 0 is under way, and COUNT others have come since."""
    crowd = Crowd(Combiner(asked, **{"patience_s": BOUND_S, **options}))
    crowd.ask(0, lambda: asked.calls)
    for number in range(1, count + 1):
        crowd.ask(number, lambda: len(crowd.combiner._waiting) == number)  # noqa: B023 - called before the next one
    return crowd


def test_who_comes_alone_is_asked_for_alone():
    asked = Asked()
    asked.go_on.set()
    combiner = Combiner(asked)
    assert [combiner(3), combiner(4)] == [6, 8]
    assert asked.calls == [[3], [4]]


def test_those_who_come_meanwhile_are_asked_for_together():
    asked = Asked()
    crowd = crowded(asked, 3)
    asked.go_on.set()
    crowd.finish()
    assert crowd.answers == {0: 0, 1: 2, 2: 4, 3: 6}
    assert asked.calls == [[0], [1, 2, 3]]


def test_so_many_at_a_time_and_no_more():
    asked = Asked()
    crowd = crowded(asked, 5, most=2)
    asked.go_on.set()
    crowd.finish()
    assert crowd.answers == {number: 2 * number for number in range(6)}
    assert asked.calls == [[0], [1, 2], [3, 4], [5]]


def test_a_failure_is_everybodys_own():
    def fail(questions: Sequence[int]) -> None:
        if 2 in questions:
            raise LookupError("no")

    asked = Asked(fail)
    crowd = crowded(asked, 3)
    asked.go_on.set()
    crowd.finish()
    assert crowd.answers.pop(0) == 0
    assert [str(error) for error in crowd.answers.values()] == ["no"] * 3
    assert len({id(error) for error in crowd.answers.values()}) == 3
    assert crowd.combiner(7) == 14


def test_who_has_waited_for_long_asks_beside_the_one_that_hangs():
    asked = Asked()
    crowd = Crowd(Combiner(asked, patience_s=0.01))
    crowd.ask(0, lambda: asked.calls)
    crowd.ask(1, lambda: 1 in crowd.answers)
    assert crowd.answers == {1: 2}
    asked.go_on.set()
    crowd.finish()
    assert crowd.answers == {0: 0, 1: 2}
    assert crowd.combiner(2) == 4


@pytest.mark.parametrize("patience_s", [BOUND_S, 0.0005], ids=["patient", "impatient"])
def test_in_a_crush_each_has_its_own_answer(patience_s):
    chance = random.Random(1)
    asked: Counter[int] = Counter()

    def ask(questions: Sequence[int]) -> list[int]:
        asked.update(questions)
        time.sleep(chance.choice([0.0, 0.0, 0.0005, 0.002]))
        return [2 * each for each in questions]

    combiner: Combiner[int, int] = Combiner(ask, most=3, patience_s=patience_s)
    answers: dict[int, int] = {}

    def run(first: int) -> None:
        for question in range(first, first + 60):
            answers[question] = combiner(question)

    threads = [threading.Thread(target=run, args=[number * 60], daemon=True) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(BOUND_S)
    assert answers == {number: 2 * number for number in range(960)}
    assert set(asked.values()) == {1}
    assert (combiner._waiting, combiner._asking) == ([], 0)
