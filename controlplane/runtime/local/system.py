"""One booking system on this machine: what its files want, what runs for it, and where its services are reached."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.health import system_health
from controlplane.runtime.local import hostnames, layout
from controlplane.runtime.local.claims import Claims
from controlplane.runtime.local.deployment import Deployment
from controlplane.runtime.local.layout import Home
from controlplane.runtime.local.machine import Machine
from controlplane.runtime.local.manifest import Rule, ServicePort, ServiceSpec, SystemSpec, read_system
from controlplane.runtime.local.pod import Pod
from controlplane.runtime.local.router.server import Router
from controlplane.runtime.local.router.table import Absence, Backend, Route
from controlplane.runtime.local.volumes import project
from controlplane.runtime.port import Health, Observation, Secrets, SystemRef

DELETE_GRACE_S = 5.0
VOLUMES_S = 10.0
"""Between two looks at whether all volumes are there."""
log = logging.getLogger(__name__)


class System:
    """The `PodHome` of its pods. MOVED hears that its observation differs from before."""

    def __init__(self, namespace: str, home: Home, machine: Machine, router: Router, moved: Callable[[System], None]) -> None:
        self.namespace, self.files, self.machine = namespace, home.system(namespace), machine
        self._home = home
        self.claims = Claims(self.files)
        self.ref = SystemRef(0, namespace)
        self.secrets: Secrets = {}
        self.config_maps: Mapping[str, Mapping[str, str]] = {}
        self.is_open = False
        """Its replicas may start. Until then, while systems before it in the order do, only what already ran is watched over."""
        self.is_deleting = False
        self.spec: SystemSpec | None = None
        self.deployments: dict[str, Deployment] = {}
        self._router, self._moved = router, moved
        self._backends: dict[tuple[str, int], Backend] = {}
        self._fingerprint = ""
        self._trouble = ""
        """Why what is wanted cannot be read; what ran before runs on."""
        self._seen: Any = None
        self._hosts: dict[str, list[str]] | None = None
        self._routed: SystemSpec | None = None
        self._reported: Observation | None = None
        self._is_scheduled = False
        self._volumes_at = 0.0

    # What is wanted.

    def look(self) -> None:
        """Read what is wanted, if its files changed since the last look. Cheap when they did not."""
        if self.is_deleting:
            return
        seen = (layout.signature(self.files.desired), layout.signature(self.files.secrets))
        if seen == self._seen:
            # Time alone may end this, or an earlier write that failed; and of a volume that somebody takes away nobody else tells.
            if self.is_open and (not self.is_settled or self._has_other_volumes()):
                self.changed()
            return
        try:
            self._load()
            self._trouble = ""
            self._seen = seen
        except RuntimeFailure as failure:
            self._trouble, self._seen = failure.reason, seen
        except (OSError, ValueError, KeyError, TypeError) as error:  # a full disk, a damaged file: look again
            self._trouble = f"What is wanted of {self.namespace} cannot be read: {error}"
        if self._trouble:
            log.error("%s: %s", self.namespace, self._trouble)
        self.changed()

    def restore(self) -> None:
        """Find the replicas that an earlier supervisor left running. A system of which any runs is open at once."""
        for path in sorted(self.files.pods.iterdir()) if self.files.pods.is_dir() else ():
            pod = Pod.restore(path, self)
            if pod and pod.runs:
                self.is_open = True
                self._deployment(pod.deployment).adopt(pod)
            else:
                shutil.rmtree(path, ignore_errors=True)
        self.changed()

    def open(self) -> None:
        """Let its replicas start."""
        if not self.is_open:
            self.is_open = True
            self.changed()

    # What runs.

    def changed(self) -> None:
        """Something moved: see, once this turn of the event loop, to what follows from it."""
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._settle)

    @property
    def pods(self) -> list[Pod]:
        return [pod for deployment in self.deployments.values() for pod in deployment.pods]

    @property
    def is_settled(self) -> bool:
        """Nothing of it is about to become ready: others may start."""
        return self._reported is not None and all(workload.health is not Health.PROGRESSING for workload in self._reported.workloads)

    @property
    def is_gone(self) -> bool:
        """Nothing is wanted of it and nothing of it runs."""
        return self.spec is None and not self.deployments and not self.is_deleting and not self._trouble

    def observe(self) -> Observation:
        workloads = tuple(workload for each in self.deployments.values() if (workload := each.workload()))
        if self.is_deleting:
            return Observation(Health.DELETING, workloads, reason="Deleting", volumes={})
        if self._trouble:
            return Observation(Health.FAILED, workloads, self._fingerprint, "NotReadable", self._trouble)
        if self.spec is None:
            return Observation(Health.ABSENT, volumes={})
        volumes = self._volumes()
        if not self.is_open and self.spec.deployments:
            return Observation(Health.PROGRESSING, workloads, self._fingerprint, "Waiting", "Others start first.", volumes=volumes)
        health, reason, message = system_health(workloads)
        return Observation(health, workloads, self._fingerprint, reason, message, volumes=volumes)

    def _volumes(self) -> dict[str, str] | None:
        """None when nobody can tell: a disk that is full or away is no volume that is gone."""
        try:
            return self.claims.standing(sorted(self.spec.claims)) if self.spec else {}
        except OSError:
            log.exception("%s: cannot tell its volumes", self.namespace)
            return None

    def _has_other_volumes(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._volumes_at < VOLUMES_S:
            return False
        self._volumes_at = now
        return self._reported is not None and self._reported.volumes != self._volumes()

    async def stop(self, *, grace_s: float | None = None) -> None:
        """Stop all replicas at once, as this supervisor does at its end; its files stay."""
        self.is_open = False
        await asyncio.gather(*(deployment.stop_all(grace_s=grace_s) for deployment in list(self.deployments.values())))

    async def delete(self) -> None:
        """Stop everything and remove all of its files and data; `is_deleting` is to be set before. Raises OSError; safe to repeat."""
        self._router.set_routes(self.namespace, [])
        self._report()
        await self.stop(grace_s=DELETE_GRACE_S)
        self.deployments.clear()
        hostnames.release(self._home, self.namespace, {rule.host for rule in self.spec.rules} if self.spec else ())
        # Renamed first: a namespace is there whole or not at all, also when this process dies in between.
        doomed = self.files.path.with_name(f".doomed-{self.namespace}")
        await asyncio.to_thread(shutil.rmtree, doomed, ignore_errors=True)
        self.files.path.rename(doomed)
        await asyncio.to_thread(shutil.rmtree, doomed, ignore_errors=True)
        self.is_deleting, self.spec = False, None
        self._report()

    def _load(self) -> None:
        wanted = layout.read_json(self.files.desired)
        if wanted is None:
            self.spec, self._fingerprint = None, ""
        else:
            self.ref = SystemRef(wanted["system_id"], self.namespace, wanted["seller"])
            spec = read_system(self.ref, wanted["objects"])
            secrets = layout.read_json(self.files.secrets) or {}
            pods = [pod.spec for pod in self.pods] + [deployment.pod for deployment in spec.deployments.values()]
            self.claims.make(sorted(spec.claims))
            project(self.files, pods, spec.config_maps, secrets)
            self.spec, self.secrets, self.config_maps, self._fingerprint = spec, secrets, spec.config_maps, wanted["fingerprint"]
        for name in {*self.deployments, *(self.spec.deployments if self.spec else ())}:
            self._deployment(name).spec = self.spec.deployments.get(name) if self.spec else None

    def _deployment(self, name: str) -> Deployment:
        if name not in self.deployments:
            self.deployments[name] = Deployment(name, self)
        return self.deployments[name]

    def _settle(self) -> None:
        self._is_scheduled = False
        if self.is_deleting:
            return
        # A wish that could not be read is no wish that nothing should run.
        if self.is_open and not (self._trouble and self.spec is None):
            for deployment in self.deployments.values():
                deployment.reconcile()
        for name in [name for name, deployment in self.deployments.items() if deployment.is_gone]:
            del self.deployments[name]
        self._publish()
        self._report()

    def _report(self) -> None:
        observation = self.observe()
        report = replace(observation, workloads=tuple(replace(each, memory_bytes=None, cpu_seconds=None) for each in observation.workloads))
        if report != self._reported:
            self._reported = report
            self._moved(self)

    # Where it is reached.

    def _publish(self) -> None:
        """Tell the router and the replicas where each service is reached now."""
        spec = self.spec
        if spec is None:
            self._router.set_routes(self.namespace, [])
            return
        hosts: dict[str, list[str]] = {}
        for service in spec.services.values():
            for port in service.ports:
                addresses = list(self._addresses(service, port))
                hosts[f"{service.name}:{port.number}"] = [f"127.0.0.1:{number}" for number in addresses]
                self._backend(service.name, port.number).serve_from(addresses, self._absence(service))
        if spec is not self._routed:
            self._router.set_routes(self.namespace, [self._route(rule) for rule in spec.rules])
            self._routed = spec
        if hosts != self._hosts:
            try:
                layout.write_json(self.files.hosts, hosts)
                self._hosts = hosts
            except OSError:  # a full disk: written at the next change or look
                log.exception("%s: cannot tell its replicas where each other are", self.namespace)

    def _route(self, rule: Rule) -> Route:
        return Route(rule.host, rule.prefix, rule.is_exact, self._backend(rule.service, rule.port), rule.timeout_s)

    def _addresses(self, service: ServiceSpec, port: ServicePort) -> Iterable[int]:
        for pod in self.pods:
            if pod.is_ready and service.selects(pod.spec) and (number := pod.port_for(port.target)) is not None:
                yield number

    def _absence(self, service: ServiceSpec) -> Absence:
        """Why SERVICE would have nobody to answer."""
        deployments = [each for each in self.deployments.values() if each.spec and service.selects(each.spec.pod)]
        if deployments and all(deployment.spec and deployment.spec.replicas == 0 for deployment in deployments):
            return Absence.STOPPED
        if any(workload.health is Health.FAILED for deployment in deployments if (workload := deployment.workload())):
            return Absence.DOWN
        return Absence.STARTING

    def _backend(self, service: str, port: int) -> Backend:
        if (service, port) not in self._backends:
            self._backends[service, port] = self._router.backend(self.namespace, service)
        return self._backends[service, port]


def doomed_directories(root: Path) -> list[Path]:
    """What deletions that were cut short left to remove."""
    return list(root.glob(".doomed-*"))
