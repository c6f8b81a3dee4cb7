"""The local runtime as the control plane uses it: writes down what is wanted and asks the supervisor how it stands."""

from __future__ import annotations

import functools
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psutil

from controlplane.runtime.closing import check_kept, closed
from controlplane.runtime.diff import object_changes
from controlplane.runtime.errors import OwnedByAnother, Rejected, RuntimeBusy, RuntimeUnavailable
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.local import claims, client, hostnames, layout, logfiles
from controlplane.runtime.local.images import Images, bundled_images
from controlplane.runtime.local.layout import Home
from controlplane.runtime.local.manifest import SystemSpec, check_images, check_secrets, read_system
from controlplane.runtime.objects import hostnames as hostnames_in
from controlplane.runtime.objects import key_of
from controlplane.runtime.port import NO_VOLUMES, Change, Endpoint, Node, Objects, Observation, Secrets, SystemRef, Takes

_SERVICE = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_RETRY_S = (0.2, 0.5, 1.0, 2.0)
"""Between attempts to reach the supervisor for events."""
_HTTP_PORT = 80


P = ParamSpec("P")
T = TypeVar("T")


def _maps_errors(method: Callable[P, T]) -> Callable[P, T]:
    """Nothing but the port's errors leaves METHOD: a full disk or a home that may not be written is trouble that passes."""

    @functools.wraps(method)
    def mapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except OSError as error:
            raise RuntimeUnavailable(f"The local runtime's files cannot be used: {error.strerror or error}.") from error

    return mapped


class LocalRuntime:
    """Implements `runtime.port.Runtime` for one machine. HOME and ROUTER_PORT are the supervisor's; BASE_DOMAIN is what host names end
    in, PUBLIC_PORT the port that buyers use, should it be another than the router's.

    Writing needs no supervisor: what was applied or deleted while none ran is done once one does. `observe` does need it.
    """

    def __init__(
        self, *, home: Path | str, base_domain: str, router_port: int, public_port: int | None = None, images: Images = bundled_images
    ) -> None:
        self._home = Home(home)
        self._base_domain, self._router_port, self._public_port = base_domain.lower(), router_port, public_port or router_port
        self._images = images

    @_maps_errors
    def preview(self, system: SystemRef, objects: Objects, *, takes: Takes = ()) -> list[Change]:
        self._check(system, objects)
        wanted = self._wanted(system)
        return object_changes(wanted["objects"] if wanted else [], objects)

    @_maps_errors
    def apply(
        self, system: SystemRef, objects: Objects, secrets: Secrets, *, keeps: Mapping[str, str] = NO_VOLUMES, takes: Takes = ()
    ) -> None:
        spec = self._check(system, objects)
        check_secrets(spec, secrets)
        files, names = self._home.system(system.namespace), hostnames_in(objects)
        wanted = {
            "system_id": system.system_id,
            "seller": system.seller,
            "fingerprint": fingerprint(objects, secrets),
            "objects": [dict(item) for item in objects],
        }
        values = {name: dict(entries) for name, entries in secrets.items()}
        with self._home.writing():
            before = self._wanted(system)
            if files.deletion.exists():
                raise RuntimeBusy(f"{system.namespace} is still being deleted.")
            check_kept(keeps, claims.Claims(files).standing(keeps))
            claims.forget_gone(files, spec.claims - keeps.keys())
            # Written again only when different: an inode that stays is nothing to look at for the supervisor.
            if before != wanted or layout.read_json(files.secrets) != values:
                layout.make_dir(files.path)
                hostnames.claim(self._home, system.namespace, names)
                # Values first: should this process die between the two, the objects of before run on with values that are newer.
                layout.write_json(files.secrets, values, durable=True)
                layout.write_json(files.desired, wanted, durable=True)
                hostnames.release(self._home, system.namespace, set(hostnames_in(before["objects"] if before else ())) - set(names))
        self._poke(system)

    @_maps_errors
    def close(self, system: SystemRef, objects: Objects) -> None:
        """What was applied, whatever OBJECTS are, with nothing that runs. It has no fingerprint: it is to be applied again."""
        files = self._home.system(system.namespace)
        with self._home.writing():
            before = self._wanted(system)
            if before is None or files.deletion.exists():
                return
            at_rest = {key_of(item): item for item in closed(before["objects"], volumes=NO_VOLUMES)}
            wanted = {**before, "fingerprint": "", "objects": [at_rest.get(key_of(item), item) for item in before["objects"]]}
            if wanted != before:
                layout.write_json(files.desired, wanted, durable=True)
        self._poke(system)

    def observe(self, system: SystemRef) -> Observation:
        answer = client.ask(self._home.socket, {"op": "observe", "namespace": self._namespace(system)})
        return client.observation(answer["observation"])

    @_maps_errors
    def delete(self, system: SystemRef) -> None:
        files = self._home.system(system.namespace)
        with self._home.writing():
            self._wanted(system)
            if files.path.is_dir() and not files.deletion.exists():
                layout.write_atomic(files.deletion, b"", durable=True)
        self._poke(system)

    @_maps_errors
    def logs(self, system: SystemRef, service: str, lines: int) -> list[str]:
        if not _SERVICE.fullmatch(service):
            return []
        return logfiles.tail_all(self._home.system(system.namespace).logs / service, lines)

    @_maps_errors
    def endpoint(self, system: SystemRef) -> Endpoint:
        wanted = self._wanted(system)
        names = hostnames_in(wanted["objects"]) if wanted else []
        if not names:
            raise Rejected(f"{system.namespace} has no route.")
        port = "" if self._public_port == _HTTP_PORT else f":{self._public_port}"
        return Endpoint(f"http://{names[0]}{port}", f"http://127.0.0.1:{self._router_port}", f"{names[0]}{port}")

    def nodes(self) -> list[Node]:
        name, memory_bytes = socket.gethostname(), psutil.virtual_memory().total
        return [Node(name, self.is_running(), (os.cpu_count() or 1) * 1000, memory_bytes, {"kubernetes.io/hostname": name})]

    def events(self) -> Iterator[SystemRef | None]:
        attempt = 0
        while True:
            try:
                for line in client.stream(self._home.socket):
                    attempt = 0
                    yield SystemRef(**line) if line else None
            except RuntimeUnavailable:
                yield None
                time.sleep(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
                attempt += 1

    def is_running(self) -> bool:
        """A supervisor answers."""
        try:
            client.ask(self._home.socket, {"op": "status"})
        except RuntimeUnavailable:
            return False
        return True

    @_maps_errors
    def start_first(self, *systems: SystemRef) -> None:
        """Let SYSTEMS, in this order, start before all others whenever the supervisor does."""
        self._home.create()
        layout.write_atomic(self._home.priority, "".join(f"{system.namespace}\n" for system in systems).encode())

    def _check(self, system: SystemRef, objects: Objects) -> SystemSpec:
        """What preview and apply refuse alike. Raises Rejected, Unsupported and OwnedByAnother."""
        self._namespace(system)
        spec = read_system(system, objects)
        check_images(spec, self._images)
        for name in hostnames_in(objects):
            if name != self._base_domain and not name.endswith("." + self._base_domain):
                raise Rejected(f"{name} does not end in {self._base_domain}, which is where this machine answers.", object_name=name)
        hostnames.check(self._home, system.namespace, hostnames_in(objects))
        self._wanted(system)
        return spec

    def _wanted(self, system: SystemRef) -> Mapping[str, Any] | None:
        """What was applied last. Raises OwnedByAnother when it is another system's."""
        try:
            wanted = layout.read_json(self._home.system(system.namespace).desired)
        except ValueError:  # damaged: whatever is applied next replaces it
            return None
        if wanted and wanted["system_id"] != system.system_id:
            owner = f"system {wanted['system_id']}"
            raise OwnedByAnother(f"Namespace {system.namespace} belongs to {owner}.", owner=owner)
        return wanted

    def _namespace(self, system: SystemRef) -> str:
        self._home.system(system.namespace)
        return system.namespace

    def _poke(self, system: SystemRef) -> None:
        """Tell the supervisor to look now. Without one, or should it not hear, it looks by itself later."""
        try:
            client.ask(self._home.socket, {"op": "poke", "namespace": system.namespace})
        except RuntimeUnavailable:
            pass
