"""`./clove up` and `./clove down` as a user meets them: a clear line for what is in the way, and nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import ROOT, Stack, until


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path / "home")
    yield made
    made.down()


def embedded(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "controlplane.embedded", *arguments],
        cwd=ROOT,
        env=stack.env,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_ctrl_c_stops_every_process_and_says_where_the_data_is(stack: Stack) -> None:
    stack.up("--empty")
    assert len(stack.processes()) >= 5
    stack.interrupt()
    assert stack.process is not None
    assert stack.process.returncode == 0
    assert "Everything is kept in" in stack.text()
    assert stack.processes() == []


def test_passwords_are_shown_on_the_first_start_only(stack: Stack) -> None:
    stack.up("--empty")
    assert stack.password_of("admin@clove.localhost")
    assert stack.password_of("seller@clove.localhost")
    stack.interrupt()
    stack.up("--empty")
    assert "admin@clove.localhost " not in stack.text()


def test_down_from_another_terminal_stops_it(stack: Stack) -> None:
    stack.up("--empty")
    done = embedded(stack, "down")
    assert done.returncode == 0, done.stderr
    assert stack.processes() == []


def test_down_when_nothing_runs_says_so(stack: Stack) -> None:
    done = embedded(stack, "down")
    assert done.returncode == 0
    assert "not up" in done.stdout


def test_a_second_up_with_the_same_data_is_refused(battered: Stack) -> None:
    done = embedded(battered, "up", "--empty")
    assert done.returncode == 2
    assert "already up" in done.stderr


@pytest.mark.parametrize("variable", ["CLOVE_PORT", "CLOVE_ROUTER_PORT", "CLOVE_STANDIN_PORT"])
def test_a_port_in_use_is_named_with_the_variable_that_moves_it(stack: Stack, variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        stack.env[variable] = str(taken.getsockname()[1])
        done = embedded(stack, "up", "--empty")
    assert done.returncode == 2
    assert f"{variable}=" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_no_number_is_refused(stack: Stack) -> None:
    stack.env["CLOVE_PORT"] = "eighty"
    done = embedded(stack, "up", "--empty")
    assert done.returncode == 2
    assert "CLOVE_PORT" in done.stderr


def test_up_after_a_killed_run_clears_what_it_left_and_starts(stack: Stack) -> None:
    stack.up("--empty")
    assert stack.process is not None
    os.kill(stack.process.pid, signal.SIGKILL)
    stack.process.wait(10)
    assert stack.processes(), "children outlive a killed parent"
    stack.up("--empty")
    assert "earlier run was killed" in stack.text()
    stack.interrupt()
    assert stack.processes() == []


@pytest.mark.parametrize(
    "module",
    [
        "celery",
        "booking_templates",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("controlplane.embedded.web", "manage.py", "controlplane.runtime.local")),
    ],
)
def test_a_process_that_is_killed_is_started_again(battered: Stack, module: str) -> None:
    def running() -> set[int]:
        return {pid for pid, command in battered.children().items() if module in command}

    before, told = running(), battered.text().count("starting it again")
    assert len(before) == 1
    os.kill(next(iter(before)), signal.SIGKILL)
    until(f"{module} again", lambda: running() - before, timeout_s=30)
    assert battered.text().count("starting it again") > told
