"""A real supervisor for tests: started as its command, on a free port, with tiny services as its images."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil

from controlplane.runtime.local import LocalRuntime
from controlplane.runtime.local.images import images_in
from controlplane.runtime.port import Health, Observation, SystemRef
from tests.runtime_contract.systems import IMAGE

ROOT = Path(__file__).resolve().parents[2]
BOUND_S = 30.0
T = TypeVar("T")


def eventually(look: Callable[[], T], *, bound_s: float = BOUND_S, until: Callable[[T], bool] = bool, every_s: float = 0.02) -> T:
    """What LOOK returns once UNTIL holds of it; fails with the last look when that does not come about."""
    deadline = time.monotonic() + bound_s
    while True:
        seen = look()
        if until(seen):
            return seen
        assert time.monotonic() < deadline, f"still {seen!r}"
        time.sleep(every_s)


class Supervised:
    """A home with a supervisor on it, to be killed and started again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.images = home.parent / "images.json"
        command = [sys.executable, str(Path(__file__).with_name("tiny_service.py"))]
        self.images.write_text(json.dumps({IMAGE: {"command": command, "directory": str(ROOT), "env": {"BAKED": "in"}}}))
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.log = home.parent / "supervisor.log"

    def command(self, *options: str) -> list[str]:
        base = [sys.executable, "-m", "controlplane.runtime.local", "--home", str(self.home), "--port", str(self.port)]
        return [*base, "--images", str(self.images), *options]

    def start(self, *options: str) -> LocalRuntime:
        with self.log.open("ab") as log:
            env = {**os.environ, "PARENT_SECRET": "must not leak"}
            self.process = subprocess.Popen(self.command(*options), cwd=ROOT, stderr=log, stdout=log, env=env)
        card = self.home / "supervisor.json"

        def is_up() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            try:
                told = json.loads(card.read_text())
            except (OSError, ValueError):
                return False
            self.port = told["router_port"]
            return told["pid"] == self.process.pid and self.runtime.is_running()

        eventually(is_up)
        return self.runtime

    @property
    def runtime(self) -> LocalRuntime:
        return LocalRuntime(home=self.home, base_domain="localhost", router_port=self.port, images=images_in(self.images))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def children(self) -> list[psutil.Process]:
        """Every live process that was told this home, whoever its parent is."""
        found = []
        for process in psutil.process_iter():
            try:
                is_ours = str(self.home) in process.environ().get("CLOVE_ROOT", "")
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def get(self, system: SystemRef, path: str, **headers: str) -> tuple[int, Any]:
        return self.ask("GET", system, path, **headers)

    def ask(self, method: str, system: SystemRef, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {"Host": f"{system.namespace}.localhost", **headers})
            response = connection.getresponse()
            content = response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, json.loads(content) if is_json else content.decode()
        finally:
            connection.close()

    def await_health(self, system: SystemRef, health: Health, **kwargs: Any) -> Observation:
        return eventually(lambda: self.runtime.observe(system), until=lambda seen: seen.health is health, **kwargs)


def supervised(tmp_path: Path) -> Iterator[Supervised]:
    """For fixtures: a supervisor that is gone afterwards, with all it ran."""
    home = tmp_path / "runtime"
    supervisor = Supervised(home)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()
        left = supervisor.children()
        for process in left:
            process.kill()
        sys.stdout.write(supervisor.log.read_text())
        assert not left
