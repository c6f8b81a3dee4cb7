import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest

from controlplane.lib.startmark import start_mark
from controlplane.runtime.local.process import Identity, Process, is_alive, session_members
from controlplane.runtime.local.usage import Meter, Usage, sample

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def _run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 30))


def _start(log: Path, *argv: str, record: Any = lambda identity: None) -> Process:
    return Process.start(argv or SLEEP, env={"PATH": os.environ["PATH"]}, directory="/", log=log, record=record)


def test_its_identity_is_known_before_its_first_line_runs(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    async def scenario() -> None:
        seen = []

        def record(identity: Identity) -> None:
            seen.append((identity, marker.exists()))

        process = _start(tmp_path / "log", sys.executable, "-c", f"open({str(marker)!r}, 'w')", record=record)
        await process.ended.wait()
        assert seen == [(process.identity, False)]
        assert (process.exit_code, marker.exists()) == (0, True)

    _run(scenario())


def test_it_never_runs_when_nobody_wrote_its_identity_down(tmp_path: Path) -> None:
    marker, log = tmp_path / "ran", tmp_path / "log"
    script = (
        "import os, sys; from pathlib import Path; from controlplane.runtime.local.process import Process\n"
        "Process.start(['/usr/bin/env', 'touch', sys.argv[1]], env=dict(os.environ), directory='/', log=Path(sys.argv[2]),"
        " record=lambda identity: (print(identity.pid, flush=True), os.kill(os.getpid(), 9)))"
    )
    dead = subprocess.run([sys.executable, "-c", script, str(marker), str(log)], stdout=subprocess.PIPE, check=False)

    assert dead.returncode == -signal.SIGKILL
    psutil.wait_procs([psutil.Process(int(dead.stdout))] if psutil.pid_exists(int(dead.stdout)) else [], timeout=10)
    assert start_mark(int(dead.stdout)) is None
    assert not marker.exists()


def test_its_output_goes_to_the_log_and_outlives_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = _start(tmp_path / "log", "/bin/sh", "-c", "echo out; echo err >&2; exit 3")
        await process.ended.wait()
        assert process.exit_code == 3

    _run(scenario())
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_a_command_that_is_not_there_ends_with_the_shells_word(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = _start(tmp_path / "log", "/no/such/command")
        await process.ended.wait()
        assert process.exit_code == 127

    _run(scenario())
    assert "/no/such/command" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("has_descriptors", [True, False])
def test_a_kill_is_noticed_and_told_by_its_signal(tmp_path: Path, has_descriptors: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_descriptors:
        monkeypatch.delattr(os, "pidfd_open", raising=False)

    async def scenario() -> None:
        process = _start(tmp_path / "log")
        os.kill(process.identity.pid, signal.SIGKILL)
        await process.ended.wait()
        assert process.exit_code == -signal.SIGKILL
        assert not is_alive(process.identity)

    _run(scenario())


def test_one_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    async def scenario() -> None:
        script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
        process = _start(tmp_path / "log", sys.executable, "-c", script)
        while "up" not in (tmp_path / "log").read_text():
            await asyncio.sleep(0.01)
        await process.stop(0.1)
        assert process.exit_code == -signal.SIGKILL

    _run(scenario())


def test_what_a_dead_leader_leaves_behind_is_killed(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = _start(tmp_path / "log", "/bin/sh", "-c", "sleep 60 & sleep 60 & echo up; wait")
        while "up" not in (tmp_path / "log").read_text():
            await asyncio.sleep(0.01)
        assert len(session_members(process.identity.pid)) == 3
        os.kill(process.identity.pid, signal.SIGKILL)
        await process.ended.wait()
        while session_members(process.identity.pid):
            await asyncio.sleep(0.01)

    _run(scenario())


def test_one_of_the_same_pid_but_another_start_is_not_adopted(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = _start(tmp_path / "log")
        pretender = Identity(process.identity.pid, "another start")
        assert Process.adopt(pretender) is None
        assert is_alive(process.identity)
        await process.stop(5)

    _run(scenario())


@pytest.mark.parametrize("is_of_this_boot", [True, False])
def test_of_what_a_leader_left_only_that_of_this_boot_is_killed(tmp_path: Path, is_of_this_boot: bool) -> None:
    """After the machine was started anew the number may be that of somebody else's session, whose leader is gone as well."""

    async def scenario() -> None:
        log = tmp_path / "log"
        script = (
            "import os, signal, time\nif os.fork():\n    input()\n    os._exit(0)\n"
            "signal.signal(signal.SIGUSR1, lambda *_: print('alive', flush=True))\nprint(os.getpid(), flush=True)\n"
            "while True:\n    time.sleep(60)"
        )
        with log.open("wb") as output:
            leader = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=output, start_new_session=True)
        mark = start_mark(leader.pid)
        assert mark
        leader.communicate(b"\n")
        while not log.read_text().strip():
            await asyncio.sleep(0.01)
        left = int(log.read_text())
        try:
            assert Process.adopt(Identity(leader.pid, mark if is_of_this_boot else f"another-boot:{mark.rpartition(':')[2]}")) is None
            while is_of_this_boot and session_members(leader.pid):
                await asyncio.sleep(0.01)
            if not is_of_this_boot:
                assert session_members(leader.pid) == [left]
                os.kill(left, signal.SIGUSR1)
                while "alive" not in log.read_text():
                    assert start_mark(left), "it was killed"
                    await asyncio.sleep(0.01)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)

    _run(scenario())


def test_one_is_adopted_and_its_end_noticed_without_its_exit_code(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = _start(tmp_path / "log")
        adopted = Process.adopt(process.identity)
        assert adopted is not None
        process.kill()
        await adopted.ended.wait()
        assert adopted.exit_code is None

    _run(scenario())


def test_the_use_of_a_session_is_that_of_all_its_processes(tmp_path: Path) -> None:
    async def scenario() -> None:
        script = "import os, time; os.fork(); x = bytearray(30_000_000); print('up', flush=True); time.sleep(60)"
        process = _start(tmp_path / "log", sys.executable, "-c", script)
        while (tmp_path / "log").read_text().count("up") < 2:
            await asyncio.sleep(0.01)
        usage = sample({process.identity.pid})[process.identity.pid]
        assert usage.memory_bytes > 60_000_000
        assert usage.cpu_seconds > 0
        await process.stop(5)

    _run(scenario())


def test_a_meter_keeps_the_seconds_of_replicas_that_ended() -> None:
    meter = Meter()
    assert (meter.memory_bytes, meter.cpu_seconds) == (None, None)

    meter.take({1: Usage(100, 5.0), 2: Usage(100, 1.0)})
    meter.take({2: Usage(120, 2.0), 3: Usage(30, 0.5)})

    assert (meter.memory_bytes, meter.cpu_seconds) == (150, 7.5)
