"""Questions that several threads ask at the same moment, asked as one."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

MOST = 32
PATIENCE_S = 0.05
"""Who has waited so long for the question under way asks beside it: one peer that hangs must not hold up everybody."""


class Combiner(Generic[Q, A]):
    """ASK takes questions and gives as many answers, in their order. What it raises is raised to everyone who asked.

    The first to come asks at once and alone. Those who come meanwhile are asked for together by one of them, MOST at a time: nobody waits
    for company, and the busier it is, the less a question costs. ASK must take a bounded time.
    """

    def __init__(self, ask: Callable[[Sequence[Q]], Sequence[A]], *, most: int = MOST, patience_s: float = PATIENCE_S) -> None:
        self._ask = ask
        self._most = most
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._waiting: list[_Wait[Q, A]] = []
        self._asking = 0

    def __call__(self, question: Q) -> A:
        mine: _Wait[Q, A] = _Wait(question)
        with self._lock:
            is_asking = not self._asking
            if is_asking:
                self._asking = 1
            else:
                self._waiting.append(mine)
        if is_asking or self._has_to_ask(mine):
            self._ask_with(mine)
        if mine.error is not None:
            raise mine.error
        return mine.answers[0]

    def _has_to_ask(self, mine: _Wait[Q, A]) -> bool:
        """Wait until MINE is answered, or for the turn to ask."""
        if not mine.wait(self._patience_s):
            with self._lock:
                if mine in self._waiting:
                    self._waiting.remove(mine)
                    self._asking += 1
                    return True
            mine.wait()  # somebody has taken it along, or is about to give the turn
        return mine.is_its_turn

    def _ask_with(self, mine: _Wait[Q, A]) -> None:
        """Whoever leaves the queue is woken, once, by who took it out: with an answer, an error or the turn."""
        with self._lock:
            others, self._waiting = self._waiting[: self._most - 1], self._waiting[self._most - 1 :]
        try:
            answers = self._ask([mine.question, *(each.question for each in others)])
            mine.answers = [answers[0]]
            for each, answer in zip(others, answers[1:], strict=True):
                each.answers = [answer]
        except BaseException as error:
            for each in others:
                # One of its own: an exception keeps the frames of the thread that raised it.
                each.error = copy.copy(error) if isinstance(error, Exception) else RuntimeError("who asked for all was stopped")
            raise
        finally:
            with self._lock:
                self._asking -= 1
                following = self._waiting.pop(0) if self._waiting and not self._asking else None
                if following is not None:
                    self._asking = 1
                    following.is_its_turn = True
            for each in [*others, *([following] if following else [])]:
                each.wake()


class _Wait(Generic[Q, A]):
    """Somebody who waits for an answer."""

    def __init__(self, question: Q) -> None:
        self.question = question
        self.answers: list[A] = []
        self.error: BaseException | None = None
        self.is_its_turn = False
        self._woken = threading.Lock()
        self._woken.acquire()

    def wait(self, timeout_s: float = -1) -> bool:
        """Whether it was woken in time."""
        return self._woken.acquire(timeout=timeout_s)

    def wake(self) -> None:
        self._woken.release()
