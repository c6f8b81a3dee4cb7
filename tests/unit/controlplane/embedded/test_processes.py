"""Processes as `./clove up` remembers them for `down`, `status` and the run after one that was killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from controlplane.embedded.layout import Layout, key, setup_stamp
from controlplane.embedded.processes import Child, Trace


@pytest.fixture
def child() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def test_it_is_known_though_the_clock_was_set_meanwhile(child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    trace = Trace.of(child.pid)
    assert trace
    monkeypatch.setattr("psutil._psplatform.boot_time", lambda: time.time() - 1_000)
    found = trace.process()
    child.communicate(b"\n")

    assert found is not None
    assert found.pid == child.pid
    assert trace.process() is None
    assert Trace.of(child.pid) is None


def test_somebody_elses_pid_is_not_it(child: subprocess.Popen[bytes]) -> None:
    assert Trace(child.pid, "another boot:1").process() is None
    child.communicate(b"\n")


def test_one_that_cannot_be_started_now_is_tried_again_and_nobody_else_is_troubled(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way of a directory, as a full disk is of a file")
    child = Child(name="worker", command=["/bin/true"], env={}, log=tmp_path / "logs" / "worker.log")

    said = child.look_after()
    assert said.startswith("worker cannot be started now: ")
    assert child.look_after() == "", "not at once"

    (tmp_path / "logs").unlink()
    child.next_start_at = 0.0
    assert child.look_after() == ""
    assert child.pid
    child.end(0.0)


def test_a_key_that_was_cut_off_is_made_anew_and_then_stays(tmp_path: Path) -> None:
    layout = Layout(home=tmp_path, port=1, router_port=2, standin_port=3)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "standin-secret-key").touch()

    made = key(layout, "standin-secret-key")
    assert len(made) > 20
    assert key(layout, "standin-secret-key") == made
    assert (tmp_path / "keys" / "standin-secret-key").stat().st_mode & 0o777 == 0o600


def test_another_database_is_to_be_set_up_too() -> None:
    assert setup_stamp({}) == setup_stamp({"PATH": "/bin"})
    assert len({setup_stamp({}), setup_stamp({"DATABASE_URL": "mysql://a"}), setup_stamp({"DATABASE_URL": "mysql://b"})}) == 3
