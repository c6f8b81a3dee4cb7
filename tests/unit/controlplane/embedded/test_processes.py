"""Processes as `./clove up` remembers them for `down`, `status` and the run after one that was killed."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from controlplane.embedded.processes import Trace


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
