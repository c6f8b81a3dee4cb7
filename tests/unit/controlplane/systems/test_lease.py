"""The lease: one converge at a time, none forgotten, fenced by the generation."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from controlplane.systems import lease as leases
from controlplane.systems.lease import Lease, LeaseLost
from controlplane.systems.models import BookingSystem

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def system(seller: Any) -> BookingSystem:
    return BookingSystem.objects.create(seller=seller, slug="a", title="A", generation=1)


def acquired(system: BookingSystem) -> Lease:
    lease = Lease.acquire(system.pk)
    assert lease
    return lease


def test_there_is_one_at_a_time_and_of_no_system_there_is_none(system: BookingSystem) -> None:
    lease = acquired(system)

    assert Lease.acquire(system.pk) is None
    assert lease.reload()
    assert lease.release(next_check_at=None)
    assert Lease.acquire(system.pk)
    assert Lease.acquire(999) is None


def test_of_many_at_once_one_gets_it(system: BookingSystem) -> None:
    """20 rounds of 4 threads."""
    for _ in range(20):
        start, got = threading.Barrier(4), []

        def take(start: threading.Barrier = start, got: list[Lease] = got) -> None:
            start.wait()
            if lease := Lease.acquire(system.pk):
                got.append(lease)
            connection.close()

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 1
        BookingSystem.objects.update(lease_owner="", lease_until=None)


def test_whoever_comes_while_it_is_held_is_not_forgotten(system: BookingSystem) -> None:
    lease = acquired(system)
    assert Lease.acquire(system.pk) is None

    assert not lease.release(next_check_at=None)
    lease.reload()
    assert lease.release(next_check_at=None)


def test_a_new_generation_is_seen_before_letting_go(system: BookingSystem) -> None:
    lease = acquired(system)
    BookingSystem.objects.update(generation=2)

    assert not lease.release(next_check_at=None)


def test_nothing_is_written_for_a_generation_that_is_past(system: BookingSystem) -> None:
    lease = acquired(system)
    BookingSystem.objects.update(generation=2)

    with pytest.raises(LeaseLost), lease.transaction():
        lease.write(health="ready")

    system.refresh_from_db()
    assert system.health == ""
    assert lease.reload().generation == 2


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_writes_no_more(system: BookingSystem) -> None:
    with time_machine.travel("2026-11-21T00:00:00Z", tick=False) as clock:
        lost = acquired(system)
        clock.shift(timedelta(seconds=leases.LEASE_S + 1))
        taken = acquired(system)

    with pytest.raises(LeaseLost):
        lost.renew()
    with pytest.raises(LeaseLost):
        lost.reload()
    assert not lost.release(next_check_at=None)
    taken.renew()


def test_each_write_renews_it(system: BookingSystem) -> None:
    with time_machine.travel("2026-11-21T00:00:00Z", tick=False) as clock:
        lease = acquired(system)
        for _ in range(5):
            clock.shift(timedelta(seconds=leases.LEASE_S - 1))
            lease.renew()

        assert Lease.acquire(system.pk) is None


def test_the_lease_of_a_dead_process_need_not_run_out(system: BookingSystem) -> None:
    lease = acquired(system)
    host = lease._owner.rsplit("/", 3)[0]
    BookingSystem.objects.update(lease_owner=f"{host}/999999999/{'0' * 16}/x")

    assert Lease.acquire(system.pk)


def test_a_write_leaves_alone_what_others_count_meanwhile(system: BookingSystem) -> None:
    lease = acquired(system)
    Lease.acquire(system.pk)

    with lease.transaction():
        lease.write(health="ready")

    assert not lease.release(next_check_at=None)


def test_letting_go_sets_when_to_look_again(system: BookingSystem) -> None:
    later = timezone.now() + timedelta(seconds=60)

    assert acquired(system).release(next_check_at=later)
    system.refresh_from_db()
    assert system.next_check_at == later

    acquired(system).abandon()
    system.refresh_from_db()
    assert system.next_check_at
    assert system.next_check_at <= timezone.now()


def test_one_that_was_taken_before_the_clock_was_put_back_does_not_last_until_then(system: BookingSystem) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        acquired(system)
    BookingSystem.objects.update(lease_owner="another-machine/1/0123456789abcdef/x")

    assert Lease.acquire(system.pk)
