"""One of many replicas runs the passes."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError, connections

from booking_templates.kit import worker
from booking_templates.kit.db import db_now
from booking_templates.kit.models import Lease
from booking_templates.kit.worker import Pass, Worker, take_lease

pytestmark = pytest.mark.django_db


def test_the_lease_has_one_holder_who_may_renew_it():
    assert take_lease("event", "one", 15)
    assert not take_lease("event", "two", 15)
    assert take_lease("event", "one", 15)
    assert take_lease("other", "two", 15)


def test_a_lease_that_ran_out_is_taken_over():
    assert take_lease("event", "one", 15)
    Lease.objects.update(expires_at=db_now() - timedelta(seconds=1))
    assert take_lease("event", "two", 15)
    assert not take_lease("event", "one", 15)


@pytest.mark.django_db(transaction=True)
def test_of_many_that_start_at_once_one_gets_the_lease():
    barrier, taken = threading.Barrier(6), []

    def go(name):
        barrier.wait()
        if take_lease("event", name, 15):
            taken.append(name)
        connections.close_all()

    threads = [threading.Thread(target=go, args=(f"w{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1


def test_a_pass_that_fails_does_not_keep_the_others_from_running():
    ran = []

    def fail():
        raise ZeroDivisionError

    one = Worker([Pass("bad", 0, fail), Pass("good", 0, lambda: ran.append(1))], holder="one")
    one.run_due()
    one.run_due()
    assert ran == [1, 1]


def test_a_pass_runs_again_only_when_its_time_has_come():
    ran = []
    one = Worker([Pass("rare", 3600, lambda: ran.append(1))], holder="one")
    one.run_due()
    one.run_due()
    assert ran == [1]


def test_a_failing_database_ends_the_round():
    def fail():
        raise DatabaseError("gone")

    with pytest.raises(DatabaseError):
        Worker([Pass("bad", 0, fail)], holder="one").run_due()


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_run_at_once_and_the_second_goes_on_when_the_first_stops(monkeypatch):
    monkeypatch.setattr(worker, "RENEW_S", 0.05)
    running, overlaps, runs, saw_two = set(), [], [], threading.Event()
    lock = threading.Lock()

    def passes(name):
        def run():
            with lock:
                overlaps.extend(running)
                running.add(name)
            runs.append(name)
            if name == "two":
                saw_two.set()
            with lock:
                running.discard(name)

        return [Pass("p", 0, run)]

    one, two = Worker(passes("one"), holder="one"), Worker(passes("two"), holder="two")

    def target(each):
        each.run()
        connections.close_all()

    first = threading.Thread(target=target, args=(one,))
    first.start()
    for _ in range(500):
        if runs:
            break
        first.join(0.01)
    second = threading.Thread(target=target, args=(two,))
    second.start()
    for _ in range(20):
        first.join(0.01)
    assert set(runs) == {"one"}
    one.stop.set()
    first.join(10)
    assert saw_two.wait(10), "the lease was not given up"
    two.stop.set()
    second.join(10)
    assert overlaps == []
    assert not Lease.objects.exists()


def test_a_database_service_has_its_own_passes_and_the_outbox():
    assert {"outbox", "idempotency"} <= {each.name for each in worker.passes_of_service()}


def test_a_replica_is_named_by_host_and_port():
    assert Worker([]).holder == Worker([]).holder
    assert Worker([]).holder.endswith(":8000")


def test_a_lease_given_by_a_clock_that_was_put_back_since_does_not_stop_the_passes():
    assert take_lease("event", "one", 15)
    Lease.objects.update(expires_at=db_now() + timedelta(hours=1))
    assert take_lease("event", "two", 15)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [InterfaceError(0, ""), ZeroDivisionError()])
def test_whatever_goes_wrong_the_worker_lives_on(monkeypatch, error):
    ran, faults = threading.Event(), [error]

    def take(*values):
        if faults:
            raise faults.pop()
        return take_lease(*values)

    monkeypatch.setattr(worker, "take_lease", take)
    one = Worker([Pass("p", 0, ran.set)], holder="one")

    def target():
        one.run()
        connections.close_all()

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    assert ran.wait(10)
    one.stop.set()
    thread.join(10)


def test_a_connection_that_is_of_no_use_any_more_ends_the_round():
    def fail():
        raise InterfaceError(0, "")

    with pytest.raises(InterfaceError):
        Worker([Pass("bad", 0, fail)], holder="one").run_due()
