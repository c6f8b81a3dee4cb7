"""Showing that a process still turns."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client

from controlplane.config import liveness
from controlplane.config.celery import app
from controlplane.lib import alive


def test_nothing_is_touched_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CLOVE_ALIVE_FILE", raising=False)
    alive.show()
    assert list(tmp_path.iterdir()) == []

    monkeypatch.setenv("CLOVE_ALIVE_FILE", str(tmp_path / "alive"))
    alive.show()
    assert (tmp_path / "alive").exists()


def test_a_worker_shows_it_at_once_and_then_from_its_own_timer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLOVE_ALIVE_FILE", str(tmp_path / "alive"))
    asked: list[tuple[float, Any]] = []
    worker = SimpleNamespace(timer=SimpleNamespace(call_repeatedly=lambda every_s, what: asked.append((every_s, what))), steps=[])

    liveness.Alive(worker).start(worker)

    assert (tmp_path / "alive").exists()
    ((every_s, turn),) = asked
    (tmp_path / "alive").unlink()
    turn()
    assert (every_s, (tmp_path / "alive").exists()) == (alive.EVERY_S, True)
    assert liveness.Alive in app.steps["worker"]


@pytest.mark.parametrize(
    ("beat", "ended"), [(None, []), (True, []), (False, [signal.SIGTERM])], ids=["without beat", "with beat", "beat is gone"]
)
def test_a_worker_whose_beat_is_gone_ends_to_be_started_again(beat: bool | None, ended: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number) if pid == os.getpid() else None)
    turns: list[Any] = []
    worker = SimpleNamespace(
        timer=SimpleNamespace(call_repeatedly=lambda _, what: turns.append(what)),
        beat=None if beat is None else SimpleNamespace(is_alive=lambda: beat),
        steps=[],
    )
    liveness.Alive(worker).start(worker)

    turns[0]()

    assert sent == ended


def test_beat_shows_it_with_each_tick_and_never_sleeps_past_a_probes_patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLOVE_ALIVE_FILE", str(tmp_path / "alive"))
    scheduler = liveness.Scheduler(app, schedule_filename=str(tmp_path / "schedule"))
    monkeypatch.setattr("celery.beat.PersistentScheduler.tick", lambda self: 300.0)

    assert scheduler.tick() == alive.EVERY_S
    assert (tmp_path / "alive").exists()


@pytest.mark.django_db
def test_the_web_half_is_ready_while_its_database_answers(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/readyz").status_code == 200

    def away(*_: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("controlplane.config.urls.connection", SimpleNamespace(cursor=away))
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_beat_goes_on_when_the_clock_is_put_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that starts with its clock hours ahead, and hears the time a moment later."""
    sent: list[str] = []
    scheduler = liveness.Scheduler(app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    monkeypatch.setattr(scheduler, "apply_async", lambda entry, **_: sent.append(entry.name) or SimpleNamespace(id="x"))
    monkeypatch.setattr(scheduler, "should_sync", lambda: False)
    start = datetime(2090, 1, 10, 12, tzinfo=UTC)

    def tick(at: datetime, times: int) -> set[str]:
        sent.clear()
        with time_machine.travel(at, tick=False):
            for _ in range(times):
                scheduler.tick()
        return set(sent)

    with time_machine.travel(start, tick=False):
        scheduler.setup_schedule()
    due = {"sweep", "sweep-all", "end-door-links"}
    assert tick(start + timedelta(seconds=61), 4) == due
    back = start - timedelta(hours=9)
    tick(back, 4)
    assert tick(back + timedelta(seconds=61), 4) == due
