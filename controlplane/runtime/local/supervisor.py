"""Runs the booking systems of one machine: looks at what is wanted, lets systems start in their order, says what moved."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path

from controlplane.runtime.local.layout import Home
from controlplane.runtime.local.logfiles import tidy
from controlplane.runtime.local.machine import Machine
from controlplane.runtime.local.router.server import Router
from controlplane.runtime.local.startqueue import StartQueue
from controlplane.runtime.local.system import System, doomed_directories
from controlplane.runtime.local.usage import sample
from controlplane.runtime.port import SystemRef

LOOK_S = 2.0
"""Between two looks at all files: how late a change is seen whose poke was lost."""
SAMPLE_S = 5.0
_SAMPLING_SHARE = 0.02
"""Of one core, at most: with many replicas samples are further apart."""
LONGEST_READING_S = 0.5
"""With so many systems that reading them takes longer, the first ones start meanwhile."""
LONGEST_START_S = 60.0
"""A system that is not ready by then no longer keeps those behind it waiting."""
START_POLL_S = 0.1
STOP_GRACE_S = 15.0
"""For replicas when the supervisor ends: there is nobody left whom a longer wait would serve."""
log = logging.getLogger(__name__)


class Supervisor:
    """Level-triggered: `look` makes it so, whatever happened before. MOVED hears of each system whose observation changed."""

    def __init__(self, home: Home, machine: Machine, router: Router, moved: Callable[[SystemRef], None]) -> None:
        self.systems: dict[str, System] = {}
        self._home, self._machine, self._router = home, machine, router
        self._moved = moved
        self._queue = StartQueue()
        """Systems that have not been let start yet."""
        self._unread: set[str] = set()
        """Namespaces that were there when this supervisor started and that it has not come to yet."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    async def start(self) -> None:
        """Find what runs, route to it, and let the rest start one system at a time."""
        for path in doomed_directories(self._home.root):
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
        self._unread = set(self._home.namespaces())
        self._queue = StartQueue(self._listed_first())
        reading = self._spawn(self._read_all())
        await asyncio.wait((reading,), timeout=LONGEST_READING_S)
        for work in (self._start_one_by_one(reading), self._keep_looking(reading), self._keep_sampling()):
            self._spawn(work)

    async def stop(self, *, leaves_children: bool) -> None:
        """End: stop every replica of every system, all at once, or let them run on for the next supervisor."""
        self._is_stopping = True
        for task in self._tasks:
            task.cancel()
        if leaves_children:
            for system in self.systems.values():
                for pod in system.pods:
                    pod.let_go()
        else:
            await asyncio.gather(*(system.stop(grace_s=STOP_GRACE_S) for system in self.systems.values()))

    def kill(self) -> None:
        """End every replica now: who stops this supervisor has no more patience."""
        for system in self.systems.values():
            for pod in system.pods:
                pod.kill()

    def look(self, namespace: str) -> System:
        """See what is wanted of NAMESPACE now. What somebody just asked for does not wait for its turn."""
        if namespace in self._unread:
            self._take_up(namespace)
        system = self._system(namespace)
        if system.files.deletion.exists():
            self._delete(system)
        elif not self._is_stopping:
            before = system.spec
            system.look()
            if system.spec is not before:
                self._let_start(namespace)
        return system

    def prefer(self, namespace: str) -> None:
        """Somebody waits for NAMESPACE: it is the next to start."""
        self._queue.prefer(namespace)

    def observed(self, namespace: str) -> System:
        """NAMESPACE as it stands after a look."""
        system = self.look(namespace)
        if system.is_gone and not system.files.path.exists():
            self.systems.pop(namespace, None)
        return system

    def _system(self, namespace: str) -> System:
        if namespace not in self.systems:
            self.systems[namespace] = System(namespace, self._home, self._machine, self._router, self._system_moved)
        return self.systems[namespace]

    def _system_moved(self, system: System) -> None:
        if system.ref.system_id:
            self._moved(system.ref)

    async def _read_all(self) -> None:
        listed = [namespace for namespace in self._listed_first() if namespace in self._unread]
        for namespace in (*listed, *self._home.namespaces()):
            if namespace in self._unread:
                try:
                    self._take_up(namespace)
                except OSError:
                    log.exception("%s cannot be taken up", namespace)
                await asyncio.sleep(0)

    def _take_up(self, namespace: str) -> None:
        """Go on with a system that a supervisor before this one ran, or let it wait for its turn to start."""
        self._unread.discard(namespace)
        system = self._system(namespace)
        system.look()
        system.restore()
        if not system.is_open and not system.files.deletion.exists():
            self._queue.add(namespace, is_first=system.spec is not None and system.spec.starts_first)

    def _listed_first(self) -> list[str]:
        try:
            return self._home.priority.read_text().split()
        except OSError:
            return []

    def _let_start(self, namespace: str) -> None:
        self._queue.remove(namespace)
        self.systems[namespace].open()

    async def _start_one_by_one(self, reading: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            namespace = self._queue.pop()
            if namespace is None:
                if reading.done():
                    return
                await asyncio.sleep(START_POLL_S)
            elif system := self.systems.get(namespace):
                system.open()
                deadline = loop.time() + LONGEST_START_S
                await asyncio.sleep(0)
                while not system.is_settled and loop.time() < deadline:
                    await asyncio.sleep(START_POLL_S)

    async def _keep_looking(self, reading: asyncio.Task[None]) -> None:
        await asyncio.wait((reading,))
        while True:
            for namespace in {*self._home.namespaces(), *self.systems}:
                try:
                    self.observed(namespace)
                except OSError:
                    log.exception("%s cannot be looked at", namespace)
            await asyncio.sleep(LOOK_S)

    async def _keep_sampling(self) -> None:
        """What replicas use and how long their logs are; both in a thread, for they take milliseconds a process."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            deployments = [deployment for system in self.systems.values() for deployment in system.deployments.values()]
            leaders = {id(deployment): deployment.leaders for deployment in deployments}
            logs = [(each.logs, [pod.name for pod in each.pods]) for each in deployments]
            try:
                usage = await asyncio.to_thread(sample, {leader for each in leaders.values() for leader in each})
                for deployment in deployments:
                    deployment.meter.take({leader: usage[leader] for leader in leaders[id(deployment)] if leader in usage})
                await asyncio.to_thread(_tidy_all, logs)
            except OSError:
                log.exception("What replicas use cannot be told")
            await asyncio.sleep(max(SAMPLE_S, (loop.time() - began) / _SAMPLING_SHARE))

    def _delete(self, system: System) -> None:
        if system.is_deleting or self._is_stopping:
            return
        system.is_deleting = True
        self._queue.remove(system.namespace)
        self._spawn(self._delete_now(system))

    async def _delete_now(self, system: System) -> None:
        try:
            await system.delete()
        except OSError:  # tried again at the next look
            log.exception("%s cannot be removed", system.namespace)
            system.is_deleting = False
            return
        self.systems.pop(system.namespace, None)
        log.info("%s is removed", system.namespace)
        if system.files.path.exists():  # applied anew while the last of the old was removed
            self.observed(system.namespace)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _tidy_all(logs: list[tuple[Path, list[str]]]) -> None:
    for directory, replicas in logs:
        tidy(directory, replicas)
