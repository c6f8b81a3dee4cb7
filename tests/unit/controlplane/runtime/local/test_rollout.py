from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from controlplane.runtime.local.rollout import Step, next_step, next_step_held


@dataclass(eq=False)
class Replica:
    is_ready: bool = True
    has_served: bool = True


UNREADY = {"is_ready": False, "has_served": False}


def _step(new: list[Replica], old: list[Replica], *, wanted: int = 1, recreate: bool = False, leaving: int = 0) -> Step[Replica]:
    return next_step(wanted=wanted, surge=1, unavailable=0, recreate=recreate, new=new, old=old, leaving=leaving)


def test_the_first_replicas_are_all_created_at_once() -> None:
    assert _step([], [], wanted=3).create == 3


def test_a_new_replica_is_created_before_an_old_one_stops() -> None:
    old = Replica()

    assert (_step([], [old]).create, _step([], [old]).stop) == (1, ())
    assert _step([Replica(**UNREADY)], [old]) == _step([Replica(**UNREADY)], [old])
    assert _step([Replica(**UNREADY)], [old]).stop == ()
    assert _step([Replica()], [old]).stop == (old,)


def test_an_old_replica_that_crashed_stays_while_the_new_one_is_not_ready() -> None:
    crashed = Replica(is_ready=False, has_served=True)

    assert _step([Replica(**UNREADY)], [crashed]).stop == ()


def test_an_old_replica_that_never_served_goes_at_once() -> None:
    never = Replica(**UNREADY)

    assert _step([], [never]).stop == (never,)


def test_too_many_replicas_the_unready_and_then_the_youngest_go() -> None:
    eldest, unready, youngest = Replica(), Replica(**UNREADY), Replica()

    assert _step([eldest, unready, youngest], [], wanted=1).stop == (unready, youngest)


def test_with_recreate_nothing_new_starts_before_all_old_is_gone() -> None:
    old = Replica()

    assert (_step([], [old], recreate=True).create, _step([], [old], recreate=True).stop) == (0, (old,))
    assert _step([], [], recreate=True, leaving=1).create == 0
    assert _step([], [], recreate=True).create == 1


def test_no_replicas_wanted_stops_all() -> None:
    old, new = Replica(), Replica()

    assert set(_step([new], [old], wanted=0).stop) == {new, old}


replicas = st.lists(st.builds(Replica, is_ready=st.booleans(), has_served=st.just(True)), max_size=5)


@given(wanted=st.integers(0, 5), surge=st.integers(0, 3), unavailable=st.integers(0, 3), new=replicas, old=replicas, order=st.randoms())
def test_a_rollout_ends_and_never_goes_below_what_must_serve(
    wanted: int, surge: int, unavailable: int, new: list[Replica], old: list[Replica], order: object
) -> None:
    if surge == unavailable == 0:
        surge = 1
    for replica in old:
        replica.is_ready = True
    most = max(len(new) + len(old), wanted + surge)
    for _ in range(60):
        serving_before = sum(each.is_ready for each in (*new, *old))
        step = next_step(wanted=wanted, surge=surge, unavailable=unavailable, recreate=False, new=new, old=old, leaving=0)
        assert len(set(step.stop)) == len(step.stop)
        new = [each for each in new if each not in step.stop]
        old = [each for each in old if each not in step.stop]
        serving = sum(each.is_ready for each in (*new, *old))
        assert serving >= min(serving_before, wanted - unavailable)
        new += [Replica(**UNREADY) for _ in range(step.create)]
        assert len(new) + len(old) <= most
        unready = [each for each in new if not each.is_ready]
        if unready:
            chosen = order.choice(unready)  # type: ignore[attr-defined]
            chosen.is_ready = chosen.has_served = True
    assert (len(new), len(old)) == (wanted, 0)
    assert all(each.is_ready for each in new)


def test_while_it_is_held_what_runs_of_both_revisions_stays() -> None:
    assert next_step_held(wanted=3, new=[Replica(**UNREADY)], old=[Replica(), Replica()]) == (0, ())
    assert next_step_held(wanted=1, new=[Replica()], old=[Replica(), Replica()]) == (0, ())


def test_while_it_is_held_the_number_of_a_single_revision_is_kept() -> None:
    first, second = Replica(), Replica(**UNREADY)

    assert next_step_held(wanted=3, new=[], old=[first]) == (2, ())
    assert next_step_held(wanted=1, new=[first, second], old=[]) == (0, (second,))
    assert next_step_held(wanted=0, new=[], old=[first]) == (0, (first,))
