"""Keeps the replicas of one Deployment as its spec wants them: creates, replaces and stops pods, and says where it stands."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controlplane.runtime import holding
from controlplane.runtime.health import workload_health
from controlplane.runtime.local.manifest import DeploymentSpec
from controlplane.runtime.local.pod import Pod, PodHome
from controlplane.runtime.local.rollout import next_step, next_step_held
from controlplane.runtime.local.usage import Meter
from controlplane.runtime.port import Health, Workload


class Deployment:
    """`reconcile` is level-triggered: it may be called at any time and takes the steps that can be taken now."""

    def __init__(self, name: str, home: PodHome) -> None:
        self.name = name
        self.spec: DeploymentSpec | None = None
        self.meter = Meter()
        self.pods: list[Pod] = []
        """Oldest first, those that are leaving included."""
        self._home = home
        self._stopping: set[asyncio.Task[None]] = set()
        self._complete_for: tuple[str, int] | None = None
        """The revision and number of replicas that were all ready once."""
        self._waiting_for: tuple[str, int] | None = None
        self._waiting_since = 0.0
        self._obstacle = ""
        """What keeps replicas from being made at all."""

    @property
    def is_gone(self) -> bool:
        return self.spec is None and not self.pods

    @property
    def logs(self) -> Path:
        return self._home.files.logs / self.name

    @property
    def leaders(self) -> list[int]:
        """The processes that its replicas' sessions go back to."""
        containers = (container for pod in self.pods for container in (*pod.inits, *pod.containers))
        return [container.process.identity.pid for container in containers if container.process]

    def adopt(self, pod: Pod) -> None:
        """Go on with a POD that a supervisor before this one made."""
        self.pods.append(pod)
        if pod.is_leaving:
            self._stop(pod)
        else:
            pod.start()

    def reconcile(self) -> None:
        """Take the next steps towards the spec; without one, stop everything."""
        new, old, leaving = self._sorted()
        if self.spec is None:
            for pod in old:
                self._stop(pod)
            return
        spec, goal = self.spec, (self.spec.hash, self.spec.replicas)
        if spec.is_held and (new or old):  # with nothing left that serves, a hold would hold nothing
            self._reconcile_held(spec, new, old)
            return
        step = next_step(
            wanted=spec.replicas,
            surge=spec.surge,
            unavailable=spec.unavailable,
            recreate=spec.recreate,
            new=new,
            old=old,
            leaving=len(leaving),
        )
        for pod in step.stop:
            self._stop(pod)
        self._create(spec.template, spec.hash, step.create)
        if self._waiting_for != goal:
            self._waiting_for, self._waiting_since = goal, asyncio.get_running_loop().time()
        if not old and not step.create and len(new) == spec.replicas and all(pod.is_ready for pod in new):
            self._complete_for = goal

    def _reconcile_held(self, spec: DeploymentSpec, new: list[Pod], old: list[Pod]) -> None:
        create, stop = next_step_held(wanted=spec.replicas, new=new, old=old)
        for pod in stop:
            self._stop(pod)
        like = (new or old)[-1]
        self._create(like.template, like.hash, create)
        # The time of a rollout counts again from when it goes on.
        self._waiting_for = None

    async def stop_all(self, *, grace_s: float | None = None) -> None:
        """Stop every replica at once, without waiting for what is under way."""
        await asyncio.gather(*(pod.stop(drains=False, grace_s=grace_s) for pod in self.pods))
        self.pods.clear()

    def workload(self) -> Workload | None:
        """Where it stands; None when it is not wanted any more."""
        if self.spec is None:
            return None
        new, old, _ = self._sorted()
        ready_new = sum(pod.is_ready for pod in new)
        reason, message = self._trouble(new)
        health = workload_health(
            wanted=self.spec.replicas,
            ready=ready_new + sum(pod.is_ready for pod in old),
            updated=len(new),
            ready_updated=ready_new,
            old=len(old),
            has_failed=any(pod.has_failed for pod in new) or reason == "ProgressDeadlineExceeded",
            was_complete=self._complete_for == (self.spec.hash, self.spec.replicas),
        )
        return Workload(
            name=self.name,
            kind="Deployment",
            health=health,
            wanted=self.spec.replicas,
            ready=ready_new + sum(pod.is_ready for pod in old),
            updated=len(new),
            reason="" if health in (Health.READY, Health.SUSPENDED) else reason,
            message="" if health in (Health.READY, Health.SUSPENDED) else message,
            image=self.spec.image,
            nodes=(self._home.machine.node,) if self.pods else (),
            restarts=sum(pod.restarts for pod in new),
            memory_bytes=self.meter.memory_bytes,
            cpu_seconds=self.meter.cpu_seconds,
        )

    def _create(self, template: Mapping[str, Any], revision: str, count: int) -> None:
        self._obstacle = ""
        for _ in range(count):
            pod = Pod(f"{self.name}-{revision}-{secrets.token_hex(3)}", self.name, revision, template, self._home)
            try:
                pod.start()
            except OSError as error:  # a full disk: tried again at the next look
                self._obstacle = f"A replica cannot be made: {error.strerror or error}."
                return
            self.pods.append(pod)

    def _sorted(self) -> tuple[list[Pod], list[Pod], list[Pod]]:
        wanted = self.spec.hash if self.spec else None
        staying = [pod for pod in self.pods if not pod.is_leaving]
        return (
            [pod for pod in staying if pod.hash == wanted],
            [pod for pod in staying if pod.hash != wanted],
            [pod for pod in self.pods if pod.is_leaving],
        )

    def _trouble(self, new: list[Pod]) -> tuple[str, str]:
        """The reason that keeps the wanted revision from being complete, the worst one first."""
        troubled: list[Any] = [pod.troubled for pod in sorted(new, key=lambda pod: not pod.has_failed) if pod.troubled]
        if self._obstacle:
            return "StartError", self._obstacle
        reason, message = (troubled[0].reason, troubled[0].message) if troubled else ("Rolling", "")
        if self.spec and self.spec.is_held and not (troubled and troubled[0].has_failed):
            return holding.REASON, holding.WORDS
        is_complete = self.spec is None or self._complete_for == (self.spec.hash, self.spec.replicas)
        if self.spec and not is_complete and self._waiting_for and not (troubled and troubled[0].has_failed):
            waited_s = asyncio.get_running_loop().time() - self._waiting_since
            if waited_s > self.spec.deadline_s:
                return "ProgressDeadlineExceeded", f"Not ready after {self.spec.deadline_s:g} s. {message}".strip()
        return reason, message

    def _stop(self, pod: Pod) -> None:
        pod.leave()
        task = asyncio.create_task(self._stop_and_forget(pod))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _stop_and_forget(self, pod: Pod) -> None:
        await pod.stop()
        if pod in self.pods:
            self.pods.remove(pod)
        self._home.changed()
