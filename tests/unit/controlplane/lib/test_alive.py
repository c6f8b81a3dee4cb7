"""Showing that a process still turns."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
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
    assert asked == [(alive.EVERY_S, alive.show)]
    assert liveness.Alive in app.steps["worker"]


def test_beat_shows_it_with_each_tick_and_never_sleeps_past_a_probes_patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLOVE_ALIVE_FILE", str(tmp_path / "alive"))
    scheduler = liveness.Scheduler(app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
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
