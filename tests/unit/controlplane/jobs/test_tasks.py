"""Tasks, the sweep and the watcher: what asks for a look at a system, and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery.signals import worker_init
from django.utils import timezone

from controlplane import bootstrap
from controlplane.jobs import tasks, watching
from controlplane.jobs.watching import Merger, watch
from controlplane.rendering import render
from controlplane.runtime.errors import RuntimeUnavailable
from controlplane.runtime.port import SystemRef
from controlplane.systems.converge import due
from controlplane.systems.models import BookingSystem, Desired, State

NOW = timezone.now


def system(seller: Any, **values: Any) -> int:
    defaults = {"title": "A", "desired_state": Desired.LIVE, "state": State.LIVE}
    return BookingSystem.objects.create(seller=seller, **(defaults | values)).pk


def test_a_worker_has_the_runtime_and_the_templates_before_its_first_task() -> None:
    bootstrap.runtime.cache_clear()
    render.environment.cache_clear()

    worker_init.send(sender=None)

    assert bootstrap.runtime.cache_info().currsize == 1
    cache = render.environment().cache
    assert cache is not None
    assert len(cache) >= len(render.ORDER)


@pytest.mark.django_db
def test_the_sweep_asks_for_those_whose_time_has_come_the_longest_due_first(seller: Any, sent: list[Any]) -> None:
    late = system(seller, next_check_at=NOW() - timedelta(seconds=1))
    latest = system(seller, next_check_at=NOW() - timedelta(minutes=5))
    system(seller, next_check_at=NOW() + timedelta(minutes=1))
    system(seller, next_check_at=None)

    tasks.sweep()

    assert [arguments["system_id"] for _, arguments, _ in sent] == [latest, late]


@pytest.mark.django_db
def test_the_full_sweep_finds_those_whose_time_was_set_before_the_clock_was_put_back(seller: Any) -> None:
    system(seller, next_check_at=NOW() + timedelta(minutes=5))
    lost = system(seller, next_check_at=NOW() + timedelta(hours=1))

    assert due() == []
    assert due(everything=True) == [lost]


@pytest.mark.django_db
def test_one_that_is_being_looked_at_is_left_alone_unless_it_is_long_overdue(seller: Any) -> None:
    lease = {"lease_owner": "x", "lease_until": NOW() + timedelta(seconds=30)}
    system(seller, next_check_at=NOW() - timedelta(seconds=1), **lease)
    overdue = system(seller, next_check_at=NOW() - timedelta(seconds=10), **lease)
    stale = system(seller, next_check_at=NOW(), lease_owner="x", lease_until=NOW() - timedelta(seconds=1))

    assert due() == [overdue, stale]


@pytest.mark.django_db
def test_the_full_sweep_finds_those_that_have_no_time_set_but_not_the_drafts_and_the_gone(seller: Any) -> None:
    forgotten = system(seller)
    system(seller, desired_state=Desired.DRAFT, state=State.DRAFT)
    system(seller, desired_state=Desired.DELETED, state=State.DELETED)

    assert due() == []
    assert due(everything=True) == [forgotten]


@pytest.mark.django_db
def test_a_system_that_is_gone_is_no_trouble(settings: Any) -> None:
    settings.RUNTIME = "fake"

    tasks.converge(system_id=12345)


def test_every_task_is_known_to_the_worker_by_the_name_it_is_sent_under() -> None:
    from controlplane.config.celery import app

    app.loader.import_default_modules()
    assert {"jobs.converge", "jobs.sweep"} <= set(app.tasks)
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def until(look: Any) -> None:
    deadline = time.monotonic() + 10
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_first_event_is_sent_at_once_and_those_that_follow_as_one() -> None:
    got: list[int] = []
    merger = Merger(got.append, merge_s=0.2)

    for _ in range(20):
        merger.event(1)
    merger.event(2)

    assert got == [1, 2]
    until(lambda: got == [1, 2, 1])


def test_no_event_is_the_last_to_be_dropped() -> None:
    """The last event's look must come after the event."""
    looks: list[float] = []
    merger = Merger(lambda _: looks.append(time.monotonic()), merge_s=0.01)
    for _ in range(200):
        merger.event(1)
        last_event = time.monotonic()

    until(lambda: looks[-1] >= last_event)


class Streaming:
    """A runtime whose events break off, as a connection does, and then go on."""

    def __init__(self, stop: threading.Event) -> None:
        self.streams = 0
        self._stop = stop

    def events(self) -> Iterator[SystemRef | None]:
        self.streams += 1
        yield None
        yield SystemRef(self.streams, f"clove-{self.streams}")
        if self.streams == 2:
            self._stop.set()
            yield None
        raise RuntimeUnavailable("it broke off")


def test_events_become_work_and_a_stream_that_breaks_is_begun_anew(sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "AGAIN_AFTER_S", 0.001)
    stop = threading.Event()

    watch(Streaming(stop), stop)  # type: ignore[arg-type]

    assert sent == [("jobs.converge", {"system_id": 1}, 0.0), ("jobs.converge", {"system_id": 2}, 0.0)]


def test_how_long_events_are_merged_is_the_callers_to_say(sent: list[Any]) -> None:
    stop = threading.Event()

    class Repeating:
        def events(self) -> Iterator[SystemRef | None]:
            yield from [SystemRef(1, "clove-1")] * 3
            stop.set()
            yield None

    watch(Repeating(), stop, merge_s=0.0)  # type: ignore[arg-type]

    assert sent == [("jobs.converge", {"system_id": 1}, 0.0)] * 3
