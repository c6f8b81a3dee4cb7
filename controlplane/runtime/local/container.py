"""One container of a replica: a process that is started, probed and started again, until its pod is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.health import CRASHES_UNTIL_FAILED
from controlplane.runtime.local import logfiles
from controlplane.runtime.local.machine import Machine
from controlplane.runtime.local.podspec import ContainerSpec
from controlplane.runtime.local.probe import Prober, Verdict
from controlplane.runtime.local.process import Identity, Process

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 30.0
RAN_WELL_S = 10.0
"""Ready for this long, and the next crash is again a first one."""
HUNG_GRACE_S = 5.0
_CRASH_LINES = 12
_CRASH_CHARACTERS = 2000


@dataclass(frozen=True)
class Command:
    """What to run: everything that the manifest, the image and this machine decide."""

    argv: list[str]
    env: dict[str, str]
    directory: str


@dataclass(frozen=True)
class Surroundings:
    """What a container has from its pod.

    COMMAND makes the command line for a port and raises RuntimeFailure or OSError when something it needs is missing; SAVE puts the
    pod's state on disk, False when it cannot; CHANGED says that what the container reports may differ from before.
    """

    machine: Machine
    log: Path
    command: Callable[[ContainerSpec, int | None], Command]
    save: Callable[[], bool]
    changed: Callable[[], None]


class Container:
    def __init__(self, spec: ContainerSpec, surroundings: Surroundings) -> None:
        self.spec = spec
        self.port: int | None = None
        self.is_ready = False
        self.has_served = False
        """It was ready at least once since its pod was made."""
        self.restarts = 0
        self.reason = "Starting"
        self.message = ""
        self.is_leaving = False
        self.process: Process | None = None
        self._identity: Identity | None = None
        self._around = surroundings
        self._crashes = 0
        self._never_came_up = False
        self._served_since: float | None = None
        self._log_start = 0
        self._end_turn: Callable[[], None] = _nothing

    @property
    def has_failed(self) -> bool:
        """It does not come up, and is not expected to by itself."""
        has_tried_enough = self._never_came_up or self._crashes >= CRASHES_UNTIL_FAILED
        return has_tried_enough and self._served_since is None

    def state(self) -> dict[str, Any]:
        """What a restarted supervisor needs to find it again."""
        state: dict[str, Any] = {"port": self.port, "restarts": self.restarts, "is_ready": self.is_ready, "has_served": self.has_served}
        if self._identity:
            state |= {"pid": self._identity.pid, "started": self._identity.started}
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Take over where the supervisor before this one left it, with its process if that still runs."""
        self.restarts, self.has_served = state.get("restarts", 0), state.get("has_served", False)
        if "pid" not in state:
            return
        self.process = Process.adopt(Identity(state["pid"], state["started"]))
        if self.process:
            self._identity = self.process.identity
            self._log_start = logfiles.size(self._around.log)
            self.port, self.is_ready = state.get("port"), state.get("is_ready", False)
            self._served_since = asyncio.get_running_loop().time() if self.is_ready else None
            if self.port is not None:
                self._around.machine.ports.reserve(self.port)

    async def run(self) -> None:
        """Keep it running until cancelled or leaving."""
        while not self.is_leaving:
            if await self._has_process():
                await self._accompany()

    async def run_to_completion(self) -> None:
        """Run it, as often as it takes, until it ends well: what an init container is for. A run that another supervisor began is
        repeated, for only a parent learns how a process ends."""
        if self.process:
            await self.process.stop(HUNG_GRACE_S)
            self.process = None
        while not self.is_leaving:
            if await self._has_process() and (process := self.process):
                await process.ended.wait()
                self._end_turn()
                self.process = self._identity = None
                if process.exit_code == 0:
                    return
                await self._rest_after_crash("", _how_it_ended(self.spec.name, process.exit_code))

    async def stop(self, grace_s: float) -> None:
        """End its process, politely for GRACE_S, and give its port back."""
        self.is_leaving, self.is_ready = True, False
        if self.process:
            await self.process.stop(grace_s)
        self.process = self._identity = None
        self._give_port_back()

    async def _has_process(self) -> bool:
        """Start it unless it runs already; False when it cannot be started now, after a rest."""
        if self.process:
            return True
        if not self.restarts:
            self._end_turn = await self._around.machine.turns.take()
        try:
            self._start()
        except (OSError, RuntimeFailure) as error:
            self._end_turn()
            await self._rest_after_crash("StartError", f"Container {self.spec.name} cannot be started: {error}", is_final=True)
            return False
        return True

    def _start(self) -> None:
        self._give_port_back()
        if self.spec.port is not None:
            self.port = self._around.machine.ports.take()
        command = self._around.command(self.spec, self.port)
        self._log_start = logfiles.size(self._around.log)
        self.process = Process.start(command.argv, env=command.env, directory=command.directory, log=self._around.log, record=self._record)

    def _record(self, identity: Identity) -> None:
        self._identity = identity
        if not self._around.save():
            raise OSError("its identity cannot be written down")

    async def _accompany(self) -> None:
        """Probe the process until it ends, by itself or because a probe says so, and see to what follows."""
        process = self.process
        if process is None:
            return
        prober = Prober(self.spec, self.port, was_ready=self.is_ready, readiness=self._take_readiness)
        ending, probing = asyncio.create_task(process.ended.wait()), asyncio.create_task(prober.run())
        verdict: Verdict | None = None
        try:
            await asyncio.wait((ending, probing), return_when=asyncio.FIRST_COMPLETED)
            if probing.done():
                verdict = probing.result()
                self._take_readiness(False, verdict.message)
                await process.stop(HUNG_GRACE_S)
        finally:
            ending.cancel()
            probing.cancel()
            self._end_turn()
        self.process = self._identity = None
        if self.is_leaving:
            return
        if verdict:
            await self._rest_after_crash(verdict.reason, verdict.message, is_final=verdict.is_final)
        else:
            await self._rest_after_crash("", _how_it_ended(self.spec.name, process.exit_code))

    def _take_readiness(self, is_ready: bool, trouble: str) -> None:
        if is_ready:
            self.reason = self.message = ""
            if self._served_since is None:
                self._served_since = asyncio.get_running_loop().time()
                self._end_turn()
        elif self._served_since is not None or not self._crashes:  # else what it crashed of says more
            self.reason = "NotReady" if self._served_since is not None else "Starting"
            self.message = f"Container {self.spec.name}: {trouble}."
        if is_ready != self.is_ready and not self.is_leaving:
            self.is_ready = is_ready
            self.has_served |= is_ready
            self._around.save()
            self._around.changed()

    async def _rest_after_crash(self, reason: str, message: str, *, is_final: bool = False) -> None:
        """Note the crash and wait as long as is due: twice as long each time, until it has run well again."""
        served_s = 0.0 if self._served_since is None else asyncio.get_running_loop().time() - self._served_since
        self._crashes = 1 if served_s >= RAN_WELL_S else self._crashes + 1
        self.restarts += 1
        self._never_came_up = is_final
        self._served_since = None
        self.is_ready = False
        self.reason = reason or ("CrashLoopBackOff" if self.has_failed else "Restarting")
        self.message = self._with_last_lines(message if self._crashes == 1 else f"{message}, {self._crashes} times in a row")
        self._around.save()
        self._around.changed()
        await asyncio.sleep(min(FIRST_DELAY_S * 2 ** (self._crashes - 1), LONGEST_DELAY_S))

    def _with_last_lines(self, message: str) -> str:
        lines = logfiles.tail(self._around.log, _CRASH_LINES, since=self._log_start)
        return f"{message}. Its last lines:\n" + "\n".join(lines)[-_CRASH_CHARACTERS:] if lines else f"{message}."

    def _give_port_back(self) -> None:
        if self.port is not None:
            self._around.machine.ports.give_back(self.port)
            self.port = None


def _nothing() -> None:
    """Stands where no turn is to be ended."""


def _how_it_ended(name: str, exit_code: int | None) -> str:
    if exit_code is None:
        return f"Container {name} ended"
    if exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"Container {name} was killed by {signal.Signals(-exit_code).name}"
    return f"Container {name} ended with exit code {exit_code}"
