"""The waiting room's arithmetic: order, no gap, nobody before a lower number, whatever the rate does meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_templates.seat.queue import BURST_S, GRACE_MS, PERSON, Queue

NOW = 1_800_000_000_000
MINUTE = 60_000


def at(per_minute: int = 60, *, comers: int = 0) -> Queue:
    """A room that was empty for long, and COMERS who came at NOW."""
    return Queue(per_minute=per_minute).arrived(comers, NOW)


def test_while_fewer_come_than_are_let_in_nobody_waits() -> None:
    queue = Queue(per_minute=60)

    for second in range(600):
        queue = queue.arrived(1, NOW + second * 1000)
        assert queue.waiting(NOW + second * 1000) == 0
    assert (queue.given, queue.admitted(NOW + 600_000)) == (600, 600)


def test_who_comes_at_once_comes_in_as_many_as_a_burst_and_the_rest_one_after_the_other() -> None:
    queue = at(60, comers=100)

    assert queue.admitted(NOW) == BURST_S
    assert [queue.admitted(NOW + second * 1000) for second in (1, 2, 60, 90, 91)] == [11, 12, 70, 100, 100]


def test_how_long_a_number_waits_is_told_to_the_millisecond() -> None:
    queue = at(60, comers=100)

    assert queue.wait_ms(10, NOW) == 0
    for number in (11, 57, 100):
        wait = queue.wait_ms(number, NOW)
        assert (queue.admits(number, NOW + wait - 1), queue.admits(number, NOW + wait)) == (False, True)


def test_who_comes_behind_a_queue_moves_nobody_before_them() -> None:
    before = at(60, comers=100)

    after = before.arrived(500, NOW + 1500)

    assert [after.admits(number, NOW + 30_000) for number in (40, 41)] == [before.admits(number, NOW + 30_000) for number in (40, 41)]
    assert after.given == 600


def test_another_rate_leaves_who_is_in_and_the_order() -> None:
    queue = at(60, comers=100)

    faster = queue.changed(NOW + 10_000, per_minute=600, is_paused=False)

    assert faster.admitted(NOW + 10_000) == queue.admitted(NOW + 10_000) == 20
    assert faster.admitted(NOW + 11_000) == 30


def test_while_it_is_paused_nobody_comes_in_and_nobody_is_forgotten() -> None:
    queue = at(60, comers=50).changed(NOW, per_minute=60, is_paused=True).arrived(7, NOW + MINUTE)

    assert queue.is_on
    assert (queue.admitted(NOW + 60 * MINUTE), queue.given) == (BURST_S, 57)
    assert queue.needs_turn(NOW + 60 * MINUTE, 0)
    assert queue.wait_ms(57, NOW) == 1

    queue = queue.changed(NOW + 60 * MINUTE, per_minute=60, is_paused=False)

    assert queue.admitted(NOW + 60 * MINUTE) == BURST_S
    assert queue.admitted(NOW + 60 * MINUTE + 47_000) == 57


def test_who_comes_while_it_is_paused_is_not_let_in_by_what_was_left_of_the_burst() -> None:
    queue = Queue(per_minute=600).changed(NOW, per_minute=600, is_paused=True).arrived(3, NOW)

    assert queue.admitted(NOW) == 0


def test_without_a_rate_there_is_no_room_and_everybody_is_in() -> None:
    queue = at(60, comers=100).changed(NOW, per_minute=0, is_paused=False)

    assert not queue.is_on
    assert queue.admits(100, NOW)
    assert not queue.needs_turn(NOW, NOW)


def test_a_turn_is_needed_as_long_as_somebody_waits_and_a_while_after() -> None:
    queue = at(60, comers=100)
    last_in = NOW + 90_000

    assert queue.queued_until_ms == last_in
    assert queue.needs_turn(last_in + GRACE_MS - 1, 0)
    assert not queue.needs_turn(last_in + GRACE_MS, 0)
    assert not at(60, comers=5).needs_turn(NOW, 0)


def test_a_turn_is_needed_when_the_sale_has_opened_just_now() -> None:
    queue = Queue()

    assert queue.needs_turn(NOW, NOW)
    assert queue.needs_turn(NOW + GRACE_MS - 1, NOW)
    assert not queue.needs_turn(NOW + GRACE_MS, NOW)


def test_a_clock_that_is_put_back_lets_nobody_in_and_the_next_to_come_sets_it_going_again() -> None:
    queue = at(60, comers=100)
    back = NOW - 60 * MINUTE

    assert queue.admitted(back) == BURST_S
    assert queue.arrived(1, back).admitted(back + 10_000) == 2 * BURST_S


def test_processes_whose_clocks_differ_a_little_let_in_no_more_than_one_does() -> None:
    queue, apart_ms = at(600, comers=10_000), 20

    for step in range(1_000):  # two in turn, each ten milliseconds after the other, for ten seconds
        queue = queue.arrived(1, NOW + step * 10 + (apart_ms if step % 2 else 0))

    assert queue.admitted(NOW + 10_000) <= 600 * BURST_S // 60 + 100 + 1


def test_a_clock_that_is_a_little_behind_takes_nobody_out() -> None:
    queue = at(60, comers=100)

    behind = queue.arrived(1, NOW - 1_500)

    assert behind.admitted(NOW - 1_500) == behind.admitted(NOW) == BURST_S
    assert behind.admitted(NOW + 1_000) == BURST_S + 1
    assert behind.queued_until_ms == NOW + 91_000


STEPS = st.lists(
    st.tuples(
        st.integers(0, 200_000),
        st.one_of(st.integers(1, 500), st.tuples(st.sampled_from([1, 7, 59, 60, 3_000, 1_000_000]), st.booleans())),
    ),
    max_size=40,
)


@given(STEPS)
def test_numbers_come_in_in_order_and_who_is_in_stays_in(steps: list[tuple[int, int | tuple[int, bool]]]) -> None:
    queue, now, before = Queue(), NOW, 0
    for later_ms, step in steps:
        now += later_ms
        assert before <= queue.admitted(now) <= queue.given
        before = queue.admitted(now)
        queue = queue.arrived(step, now) if isinstance(step, int) else queue.changed(now, per_minute=step[0], is_paused=step[1])
        assert before <= queue.admitted(now) <= queue.given
        before = queue.admitted(now)
        assert queue.waiting(now) * PERSON < queue.level + PERSON or queue.level <= 0


@given(STEPS, st.integers(1, 10_000_000))
def test_no_more_come_in_within_a_time_than_its_rate_and_a_burst(steps: list[tuple[int, int | tuple[int, bool]]], within_ms: int) -> None:
    queue, now = Queue(per_minute=60), NOW
    for later_ms, step in steps:
        now += later_ms
        if isinstance(step, int):
            queue = queue.arrived(step, now)
    come = queue.admitted(now + within_ms) - queue.admitted(now)

    assert come * 1000 <= within_ms + 1000


@pytest.mark.parametrize("rate", [1, 60, 3_000, 999_983])
def test_the_longer_the_wait_the_higher_the_number(rate: int) -> None:
    queue = at(rate, comers=1_000)

    waits = [queue.wait_ms(number, NOW) for number in range(1, 1_001)]
    assert waits == sorted(waits)
