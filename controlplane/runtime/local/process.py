"""Child processes that outlive this one: started in a session of their own, known by pid *and* start time, found again after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from controlplane.lib.startmark import is_of_this_boot, start_mark

_POLL_S = 0.1
"""How soon the end of a process is noticed where the system cannot tell by a descriptor."""

_LAUNCH = 'IFS= read -r go && exec "$@" </dev/null'
"""The child waits until its identity is on disk. Should this process die before, `read` meets the end of the pipe and the child ends too:
no process is ever left that a restarted supervisor does not know."""


@dataclass(frozen=True)
class Identity:
    """A process for certain: the system gives a pid again, but never with the same start."""

    pid: int
    started: str


def is_alive(identity: Identity) -> bool:
    return start_mark(identity.pid) == identity.started


def session_members(leader: int) -> list[int]:
    """The live processes of the session that LEADER founded, itself included: also those whose parent has died."""
    members = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if pid and os.getsid(pid) == leader and start_mark(pid) is not None:
                members.append(pid)
    return members


def kill_leftovers(leader: int) -> None:
    """Kill what a session's dead leader left behind: a server's workers keep its port. Its number is not given anew while one lives."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for pid in session_members(leader):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


class Process:
    """A running child, started here or adopted. `ended` is set once it is gone, with all of its session."""

    def __init__(self, identity: Identity, popen: subprocess.Popen[bytes] | None = None) -> None:
        self.identity = identity
        self.ended = asyncio.Event()
        self.exit_code: int | None = None
        """Negative for a signal; None while it runs, and for an adopted process, whose parent alone learns it."""
        self._popen = popen
        self._watch()

    @classmethod
    def start(
        cls, argv: Sequence[str], *, env: Mapping[str, str], directory: str, log: Path, record: Callable[[Identity], None]
    ) -> Process:
        """Run ARGV in DIRECTORY with ENV alone, output appended to LOG. RECORD hears its identity before it runs a line of its own.

        Raises OSError when there can be no process, or no log, and what RECORD raises.
        """
        with log.open("ab", buffering=0) as output:
            popen = subprocess.Popen(  # noqa: S603 - what the manifest says is what this runtime is for
                ["/bin/sh", "-c", _LAUNCH, "sh", *argv],
                env=dict(env),
                cwd=directory,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        started = start_mark(popen.pid)
        if started is None or popen.stdin is None:
            popen.kill()
            popen.wait()
            raise OSError(f"{argv[0]} did not start")
        identity = Identity(popen.pid, started)
        try:
            record(identity)
        except BaseException:
            popen.kill()
            popen.wait()
            raise
        with contextlib.suppress(BrokenPipeError):
            popen.stdin.write(b"go\n")
            popen.stdin.close()
        return cls(identity, popen)

    @classmethod
    def adopt(cls, identity: Identity) -> Process | None:
        """The process IDENTITY if it still runs. When it does not, whatever it left behind is killed.

        From before the machine's last start nothing can be left: what has its number for a session now is somebody else's.
        """
        if is_alive(identity):
            return cls(identity)
        if start_mark(identity.pid) is None and is_of_this_boot(identity.started):
            kill_leftovers(identity.pid)
        return None

    def signal(self, number: int) -> None:
        """Send NUMBER to the process itself, as to PID 1 of a container; its own children are its own to tell."""
        if not self.ended.is_set() and is_alive(self.identity):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.identity.pid, number)

    def kill(self) -> None:
        """End the process and all of its session, now."""
        if not self.ended.is_set() and is_alive(self.identity):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.identity.pid, signal.SIGKILL)

    async def stop(self, grace_s: float) -> None:
        """SIGTERM, up to GRACE_S of patience, SIGKILL; returns when it is gone."""
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.ended.wait(), grace_s)
        except TimeoutError:
            self.kill()
            await self.ended.wait()

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            descriptor = os.pidfd_open(self.identity.pid)
        except (AttributeError, OSError):
            self._poll(loop)
            return

        if not is_alive(self.identity):  # it ended before the descriptor was had, which may be another's by now
            os.close(descriptor)
            loop.call_soon(self._end)
            return

        def ended() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            self._end()

        loop.add_reader(descriptor, ended)

    def _poll(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._popen is not None:
            self._popen.poll()
        if is_alive(self.identity):
            loop.call_later(_POLL_S, self._poll, loop)
        else:
            self._end()

    def _end(self) -> None:
        # A child's number cannot be anybody else's before it is reaped; an adopted one's could, in theory, so look.
        if start_mark(self.identity.pid) is None:
            kill_leftovers(self.identity.pid)
        if self._popen is not None:
            self.exit_code = self._popen.wait()
        self.ended.set()
