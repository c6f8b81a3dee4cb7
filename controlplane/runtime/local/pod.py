"""One replica: its containers, the directory it lives in, and the file by which a restarted supervisor finds it again."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from controlplane.runtime.errors import Rejected, RuntimeFailure
from controlplane.runtime.local.claims import Claims
from controlplane.runtime.local.container import Command, Container, Surroundings
from controlplane.runtime.local.environment import PodFacts, container_argv, container_env
from controlplane.runtime.local.layout import SystemFiles, make_dir, read_json, write_json
from controlplane.runtime.local.machine import Machine
from controlplane.runtime.local.podspec import ContainerSpec, PodSpec, read_template
from controlplane.runtime.local.process import Identity, Process
from controlplane.runtime.local.volumes import make_root
from controlplane.runtime.port import Secrets

LONGEST_DRAIN_S = 2.0
"""A replica serves on for the seconds its `preStop` sleeps, until all have heard that it leaves: nodes there, here only its peers."""
_POD_FILE = "pod.json"
log = logging.getLogger(__name__)


class PodHome(Protocol):
    """What a pod has from its system, as it is now: the values may have changed since the pod was made."""

    namespace: str
    files: SystemFiles
    claims: Claims
    machine: Machine
    secrets: Secrets
    config_maps: Mapping[str, Mapping[str, str]]

    def changed(self) -> None: ...


class Pod:
    """A replica of DEPLOYMENT, of the revision HASH."""

    def __init__(self, name: str, deployment: str, revision: str, template: Mapping[str, Any], home: PodHome) -> None:
        self.name, self.deployment, self.hash = name, deployment, revision
        self.spec: PodSpec = read_template(template, f"Deployment {deployment}")
        self.is_leaving = False
        self.template = template
        self._home = home
        self._dir = home.files.pods / name
        self._is_initialised = not self.spec.init_containers
        self._task: asyncio.Task[None] | None = None
        around = Surroundings(home.machine, home.files.log(deployment, name), self._command, self.save, home.changed)
        self.inits = [Container(spec, around) for spec in self.spec.init_containers]
        self.containers = [Container(spec, around) for spec in self.spec.containers]

    @classmethod
    def restore(cls, directory: Path, home: PodHome) -> Pod | None:
        """The pod that DIRECTORY tells of, with those of its processes that still run; None when it tells of none."""
        try:
            state = read_json(directory / _POD_FILE)
        except ValueError:
            log.exception("%s is damaged", directory)
            state = None
        if state is None:
            return None
        try:
            pod = cls(directory.name, state["deployment"], state["hash"], state["template"], home)
        except (KeyError, TypeError, RuntimeFailure):  # made by a version that knew more, or less: replaced by what this one makes
            log.exception("%s cannot be taken over", directory)
            _end_processes(state)
            return None
        pod._is_initialised, pod.is_leaving = state.get("is_initialised", False), state.get("is_leaving", False)
        for container in (*pod.inits, *pod.containers):
            container.restore(state["containers"].get(container.spec.name, {}))
        return pod

    @property
    def is_ready(self) -> bool:
        return self._is_initialised and not self.is_leaving and all(container.is_ready for container in self.containers)

    @property
    def has_served(self) -> bool:
        return all(container.has_served for container in self.containers)

    @property
    def runs(self) -> bool:
        """Any process of it is there."""
        return any(container.process for container in (*self.inits, *self.containers))

    @property
    def troubled(self) -> Container | None:
        """The container that keeps it from being ready: one that failed, else one that is not ready."""
        containers = self.containers if self._is_initialised else self.inits
        waiting = [container for container in containers if not container.is_ready]
        return next((container for container in waiting if container.has_failed), waiting[0] if waiting else None)

    @property
    def has_failed(self) -> bool:
        return self.troubled is not None and self.troubled.has_failed

    @property
    def restarts(self) -> int:
        return sum(container.restarts for container in (*self.inits, *self.containers))

    def port_for(self, target: int | str) -> int | None:
        """Where the container port TARGET, a number or a name, is reached on this machine."""
        return next((each.port for each in self.containers if target in (each.spec.port, each.spec.port_name or None)), None)

    def start(self) -> None:
        """Start it, or watch on over what was restored. What goes wrong later is its containers' `reason`. Raises OSError."""
        for directory in (self._dir, self._home.files.logs / self.deployment):
            make_dir(directory)
        self.save()
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self, *, drains: bool = True, grace_s: float | None = None) -> None:
        """Take it off the routes, stop it within its grace, or GRACE_S where less, and forget it. DRAINS: what is under way ends first."""
        grace_s = self.spec.grace_s if grace_s is None else min(self.spec.grace_s, grace_s)
        self.leave()
        self._home.changed()
        if drains and self.has_served and self.runs:
            await self._drain(grace_s)
        self.let_go()
        await asyncio.gather(*(container.stop(grace_s) for container in (*self.inits, *self.containers)))
        await asyncio.to_thread(shutil.rmtree, self._dir, ignore_errors=True)

    def leave(self) -> None:
        """Note, for good, that it is to be stopped: it is not ready any more, and does not start anew when it ends."""
        for container in (*self.inits, *self.containers):
            container.is_leaving = True
        if not self.is_leaving:
            self.is_leaving = True
            self.save()

    def let_go(self) -> None:
        """Watch over it no longer; its processes run on."""
        if self._task:
            self._task.cancel()

    def kill(self) -> None:
        """End its processes at once."""
        for container in (*self.inits, *self.containers):
            if container.process:
                container.process.kill()

    def save(self) -> bool:
        """Write down what a restarted supervisor must know; False when that fails. No sync to the disk is needed: what this is about,
        the children, does not outlive a power cut either.
        """
        containers = {container.spec.name: container.state() for container in (*self.inits, *self.containers)}
        state = {"deployment": self.deployment, "hash": self.hash, "is_initialised": self._is_initialised, "is_leaving": self.is_leaving}
        try:
            write_json(self._dir / _POD_FILE, state | {"containers": containers, "template": self.template})
        except OSError:
            log.exception("%s of %s cannot be written down", self.name, self._home.namespace)
            return False
        return True

    async def _run(self) -> None:
        try:
            if not self._is_initialised:
                for container in self.inits:
                    await container.run_to_completion()
                self._is_initialised = True
                self.save()
            await asyncio.gather(*(container.run() for container in self.containers))
        except Exception:
            log.exception("%s of %s is no longer watched over", self.name, self._home.namespace)
            raise

    async def _drain(self, grace_s: float) -> None:
        """Peers that resolved its address a moment ago may still call it; then the router's last requests to it must end."""
        await asyncio.sleep(min(LONGEST_DRAIN_S, max(container.spec.drain_s for container in self.containers)))
        ports = frozenset(container.port for container in self.containers if container.port is not None)
        try:
            await asyncio.wait_for(self._home.machine.drained(ports), grace_s)
        except TimeoutError:
            log.warning("%s of %s still had requests under way after %s s", self.name, self._home.namespace, grace_s)

    def _command(self, spec: ContainerSpec, port: int | None) -> Command:
        image = self._home.machine.images(spec.image)
        if image is None:
            raise Rejected(f"this machine has no image {spec.image}")
        root = make_root(self._home.files, self._home.claims, self._dir, self.spec, spec)
        runtime_env = {"BIND": "127.0.0.1", "CLOVE_ROOT": str(root), "CLOVE_HOSTS_FILE": str(self._home.files.hosts)}
        if port is not None:
            runtime_env["PORT"] = str(port)
        env = container_env(
            spec,
            image,
            pod=self.spec,
            facts=PodFacts(self.name, self._home.namespace, self._home.machine.node),
            config_maps=self._home.config_maps,
            secrets=self._home.secrets,
            runtime_env=runtime_env,
        )
        return Command(container_argv(spec, image, env), env, image.directory)


def _end_processes(state: Any) -> None:
    """End whatever STATE, which cannot be understood as a whole, says that runs."""
    for container in state.get("containers", {}).values() if isinstance(state, dict) else ():
        if "pid" in container and (process := Process.adopt(Identity(container["pid"], container.get("started", "")))):
            process.kill()
