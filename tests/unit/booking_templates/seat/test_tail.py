"""Following a log whose entries become visible out of order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from booking_templates.seat.tail import GAP_S, Tail


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_comes_in_order_is_complete_at_once() -> None:
    tail = Tail(10)

    assert [tail.take(each) for each in (11, 12, 13)] == [True, True, True]
    tail.advance()
    assert tail.complete == tail.highest == 13


def test_nothing_behind_a_missing_id_is_complete_until_it_comes() -> None:
    tail = Tail(0)
    for each in (1, 3, 4):
        tail.take(each)
    tail.advance()
    assert (tail.complete, tail.highest) == (1, 4)

    assert tail.take(2)
    tail.advance()
    assert tail.complete == 4


def test_a_missing_id_is_given_up_after_a_while() -> None:
    clock = Clock()
    tail = Tail(0, clock=clock)
    tail.take(2)
    clock.now = GAP_S + 0.1
    tail.take(4)
    tail.advance()
    assert tail.complete == 2

    clock.now *= 2.1
    tail.advance()
    assert tail.complete == 4


def test_what_is_offered_again_is_not_new() -> None:
    tail = Tail(0)
    tail.take(2)

    assert not tail.take(2)
    tail.take(1)
    tail.advance()
    assert not tail.take(1)


def test_a_leap_of_ids_is_no_million_gaps() -> None:
    clock = Clock()
    tail = Tail(0, clock=clock)
    tail.take(50_000_000)
    clock.now = GAP_S + 1
    tail.advance()

    assert tail.complete == 50_000_000


@given(st.permutations(range(1, 30)), st.sets(st.integers(1, 29)), st.data())
def test_every_change_is_taken_once_whatever_the_order_of_commits(order: list[int], lost: set[int], data: st.DataObject) -> None:
    """Polls read what is visible above `complete`, lowest first, as the board does."""
    clock = Clock()
    tail = Tail(0, clock=clock)
    visible: set[int] = set()
    taken: list[int] = []

    def poll() -> None:
        taken.extend(each for each in sorted(visible) if each > tail.complete and tail.take(each))
        tail.advance()

    for each in order:
        if each not in lost:
            visible.add(each)
        clock.now += 0.01
        if data.draw(st.booleans()):
            poll()
    poll()
    assert sorted(taken) == sorted(visible)
    assert len(set(taken)) == len(taken)
    clock.now += GAP_S + 1
    poll()
    assert tail.complete == tail.highest == max(visible, default=0)
