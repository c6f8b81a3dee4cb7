"""One child process of `./clove up`: started, seen to answer, started again when it dies, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from controlplane.lib.startmark import start_mark

RESTART_MAX_S = 15.0
STEADY_S = 30.0
"""A child that ran this long is well again: its next restart is quick."""
LOG_MAX_BYTES = 10 * 1024 * 1024


@dataclass
class Child:
    """A process of the embedded control plane. `health_url` answers 200 once it serves; without one it is ready when it runs."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    health_url: str = ""
    stop_grace_s: float = 10.0
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restarts: int = 0
    next_start_at: float = 0.0
    _backoff_s: float = field(default=0.2)

    def start(self) -> None:
        """Start it in a session of its own: a Ctrl-C in the terminal reaches the parent alone, which stops all in order."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_MAX_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                self.command, env=dict(self.env), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self.started_at = time.monotonic()

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        """Whether it serves now."""
        if not self.is_running():
            return False
        if not self.health_url:
            return True
        try:
            with urllib.request.urlopen(self.health_url, timeout=1) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def look_after(self) -> str:
        """Start it again, with backoff, when it has died; says so in words, or the empty string."""
        now = time.monotonic()
        if self.is_running():
            return ""
        if self.process is not None:
            code = self.process.returncode
            # A server's parent may die before its worker, which would hold the port.
            kill_group(self.process.pid)
            self.process = None
            if now - self.started_at > STEADY_S:
                self._backoff_s = 0.2
            self.next_start_at = now + self._backoff_s
            self._backoff_s = min(RESTART_MAX_S, self._backoff_s * 2)
            self.restarts += 1
            return f"{self.name} ended with {_outcome(code)}; starting it again. Its log: {self.log}"
        if now >= self.next_start_at:
            try:
                self.start()
            except OSError as error:  # a full disk, say: what runs goes on, and this one is tried again
                self.next_start_at = now + self._backoff_s
                self._backoff_s = min(RESTART_MAX_S, self._backoff_s * 2)
                return f"{self.name} cannot be started now: {error.strerror or error}. It is tried again."
        return ""

    def ask_to_stop(self) -> None:
        if self.is_running() and self.process is not None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Wait until DEADLINE (monotonic), then kill its whole process group."""
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        kill_group(self.process.pid)
        self.process.wait()

    def last_lines(self, count: int = 12) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        with open(self.log, "rb") as file:
            file.seek(max(0, self.log.stat().st_size - 8192))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])


def _outcome(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that PID led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


@dataclass(frozen=True)
class Trace:
    """A process as the state file remembers it: a pid alone may belong to someone else by now."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Trace | None:
        started = start_mark(pid)
        return cls(pid, started) if started else None

    def process(self) -> psutil.Process | None:
        """The process, if it is still the same one."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid) if start_mark(self.pid) == self.started else None
        return None


def stop_traces(traces: Sequence[Trace], grace_s: float) -> None:
    """Stop processes of an earlier run: ask, wait GRACE_S, kill the groups."""
    found = [process for trace in traces if (process := trace.process())]
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    psutil.wait_procs(found, timeout=grace_s)
    for process in found:
        kill_group(process.pid)
