"""The recorded cases of the port on the fake."""

from __future__ import annotations

from typing import Any

from controlplane.runtime.fake import FakeRuntime
from controlplane.runtime.objects import key_of
from controlplane.runtime.port import Runtime, SystemRef

_NEVER = 1000
"""Looks: an API server without controllers goes no further by itself."""


class StageOnFake:
    """Implements `tests.runtime_contract.port_cases.Stage`."""

    def __init__(self) -> None:
        self.fake = FakeRuntime(ready_after=_NEVER, seen_after=_NEVER, heartbeat_s=0.05)

    @property
    def runtime(self) -> Runtime:
        return self.fake

    def changed(self, system: SystemRef, kind: str, name: str, path: str, value: Any, *, manager: str) -> None:
        self.fake.changed_by(manager, system.namespace, kind, name, path, value)

    def made(self, system: SystemRef, item: dict[str, Any], *, manager: str) -> None:
        self.fake.made_by(manager, system.namespace, item)

    def is_there(self, system: SystemRef, kind: str, name: str) -> bool:
        store = self.fake.systems[system.namespace].store
        return (kind, name) in {(key.kind, key.name) for key in (*map(key_of, store.live()), *store.foreign)}

    def removed(self, system: SystemRef, kind: str, name: str) -> None:
        self.fake.loses_object(system.namespace, kind, name)

    def delete_slowly(self, system: SystemRef, *, blocked_by: str) -> None:
        self.fake.deletes_after(system.namespace, looks=3, blocked_by=blocked_by)
        self.fake.delete(system)

    def autoscaler_says(self, system: SystemRef, name: str, *conditions: dict[str, Any]) -> None:
        self.fake.autoscaler_says(system.namespace, name, *conditions)

    def rollout(self, system: SystemRef, state: str) -> None:
        namespace = system.namespace
        crash = "Container seat ended with exit code {}."
        if state == "starting":
            self.fake.seen_after = 1
        elif state == "ready":
            self.fake.ready_after = 1
        elif state == "replica lost":
            self.fake.loses_replica(namespace, "seat", message=crash.format(1))
        elif state == "image missing":
            self.fake.recovers(namespace, "seat")
            message = "The image clove-test/tiny:1 was not found."
            self.fake.will_fail(namespace, "seat", reason="ImageNotFound", message=message, restarts=0)
        elif state == "crashed once":
            self.fake.will_fail(namespace, "seat", reason="Restarting", message=crash.format(7), restarts=1, is_final=False)
        elif state == "crashing":
            self.fake.will_fail(namespace, "seat", message=crash.format(7))
