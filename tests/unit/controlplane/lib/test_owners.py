"""Names of lease holders, and telling the dead from the living."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import pytest

from controlplane.lib.owners import is_dead, new_owner


def test_no_two_names_are_alike_and_this_process_lives() -> None:
    assert new_owner() != new_owner()
    assert len(new_owner()) <= 120
    assert not is_dead(new_owner())


def test_a_process_that_ended_is_dead() -> None:
    code = "from controlplane.lib.owners import new_owner; print(new_owner())"
    owner = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=os.getcwd()).stdout.strip()

    assert is_dead(owner)


def test_a_pid_that_was_given_out_again_is_not_its_former_owner() -> None:
    host, pid, started, rest = new_owner().rsplit("/", 3)

    assert is_dead(f"{host}/{pid}/{started[::-1]}/{rest}")


def test_who_lives_does_so_though_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = new_owner()
    monkeypatch.setattr("psutil._psplatform.boot_time", lambda: time.time() - 1_000)

    assert not is_dead(owner)


def test_of_another_machine_or_of_nonsense_nobody_here_can_tell() -> None:
    assert not is_dead(f"elsewhere/999999999/{'0' * 16}/x")
    assert not is_dead(f"{socket.gethostname()}/999999999/1763740000/of an earlier release")
    assert not is_dead("")
    assert not is_dead(f"{socket.gethostname()}/x/y/z")
