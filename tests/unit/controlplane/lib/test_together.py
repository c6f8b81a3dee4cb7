"""Several at a time: the results in order, and one error however many there are."""

from __future__ import annotations

import threading

import pytest

from controlplane.lib import together

BOUND_S = 10.0


def test_results_come_in_the_order_of_the_items_whichever_is_done_first() -> None:
    second_is_done = threading.Event()

    def do(number: int) -> int:
        if number == 1:
            assert second_is_done.wait(BOUND_S)
        else:
            second_is_done.set()
        return number * 10

    assert together.each(do, [1, 2, 3]) == [10, 20, 30]


def test_several_are_under_way_at_once_but_never_more_than_the_most() -> None:
    all_begun = threading.Barrier(together.AT_ONCE)
    lock, under_way, most = threading.Lock(), 0, 0

    def do(number: int) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        all_begun.wait(BOUND_S)
        with lock:
            under_way -= 1

    together.each(do, range(2 * together.AT_ONCE))

    assert most == together.AT_ONCE


def test_the_first_items_error_is_raised_once_all_are_done() -> None:
    second_failed, done = threading.Event(), []

    def do(number: int) -> None:
        if number == 1:
            assert second_failed.wait(BOUND_S)
        elif number == 2:
            second_failed.set()
        else:
            done.append(number)
            return
        raise ValueError(number)

    with pytest.raises(ValueError, match=r"^1$"):
        together.each(do, [1, 2, 3, 4, 5, 6])

    assert sorted(done) == [3, 4, 5, 6]


def test_one_alone_is_done_here_and_none_is_nothing() -> None:
    here = threading.current_thread()

    assert together.each(lambda _: threading.current_thread(), [1]) == [here]
    assert together.each(lambda _: threading.current_thread(), []) == []
