"""The supervisor as a command: one a home, a port of its own, and a word when it cannot be."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from pathlib import Path

import psutil

from controlplane.runtime.port import Health
from tests.runtime_contract.supervised import ROOT, Supervised, eventually
from tests.runtime_contract.systems import SECRETS, ref, system_objects

SYSTEM = ref(1)


def _run(supervisor: Supervised, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(supervisor.command(*options), cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)


def test_a_second_supervisor_on_one_home_is_refused_in_one_line(supervisor: Supervised) -> None:
    second = _run(supervisor, "--port", "0")

    assert second.returncode == 3
    assert second.stderr.splitlines() == [f"clove: another supervisor already runs on {supervisor.home}"]


def test_a_port_in_use_is_told_in_one_line(supervisor: Supervised, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = _run(supervisor, "--home", str(tmp_path / "other"), "--port", str(port))

    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [f"clove: 127.0.0.1:{port} is in use by another program; stop it, or choose another port"]


def test_it_answers_on_both_loopback_addresses(supervisor: Supervised) -> None:
    addresses = {address[4][0] for address in socket.getaddrinfo("localhost", supervisor.port, type=socket.SOCK_STREAM)}
    for address in addresses | {"127.0.0.1"}:
        with socket.create_connection((address, supervisor.port), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 404 ")


def test_a_home_whose_path_is_too_long_for_a_socket_works_all_the_same(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 120) / "runtime"
    home.mkdir(parents=True)
    deep = Supervised(home)
    deep.start()
    try:
        assert deep.runtime.is_running()
        assert not deep.runtime._home.socket.is_relative_to(deep.home)
    finally:
        assert deep.stop() == 0


def test_the_supervisor_is_small(supervisor: Supervised) -> None:
    supervisor.runtime.apply(SYSTEM, system_objects(SYSTEM, "seat", "event", "web"), SECRETS)
    supervisor.await_health(SYSTEM, Health.READY)

    memory = psutil.Process(supervisor.process.pid).memory_full_info()

    assert getattr(memory, "pss", memory.uss) < 40 << 20


def test_it_imports_no_django(supervisor: Supervised) -> None:
    listing = subprocess.run(
        [supervisor.command()[0], "-X", "importtime", "-c", "import controlplane.runtime.local.__main__"],
        cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "DJANGO_SETTINGS_MODULE": ""},
    ).stderr  # fmt: skip

    assert "controlplane.runtime.local.supervisor" in listing
    assert "django" not in listing


def test_events_go_on_after_the_supervisor_was_replaced(supervisor: Supervised) -> None:
    supervisor.runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)
    supervisor.await_health(SYSTEM, Health.READY)
    seen: list[object] = []

    def listen() -> None:
        for event in supervisor.runtime.events():
            seen.append(event)
            if len([one for one in seen if one]) >= 2:
                return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    eventually(lambda: seen.count(SYSTEM), until=lambda count: count == 1)

    supervisor.kill()
    eventually(lambda: None in seen)
    supervisor.start()

    listener.join(30)
    assert seen.count(SYSTEM) == 2
