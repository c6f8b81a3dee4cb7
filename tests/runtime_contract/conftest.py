"""The runtimes that the contract is tested on, and the supervisor for tests of the local one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane.runtime.fake import FakeRuntime
from controlplane.runtime.port import Health, Observation, Runtime, SystemRef
from tests.runtime_contract.on_kubernetes import BOUND_S, OnKubernetes, on_kubernetes
from tests.runtime_contract.supervised import Supervised, eventually, supervised
from tests.runtime_contract.systems import with_env


class OnFake:
    """The fake, scripted to behave as the real ones do by themselves."""

    refuses_missing_images = True

    def __init__(self) -> None:
        self.fake = FakeRuntime(ready_after=3, heartbeat_s=0.05)

    @property
    def runtime(self) -> Runtime:
        return self.fake

    def await_health(self, system: SystemRef, health: Health) -> Observation:
        return eventually(lambda: self.fake.observe(system), until=lambda seen: seen.health is health, bound_s=5)

    def failing(self, system: SystemRef, objects: list[dict[str, Any]], service: str) -> list[dict[str, Any]]:
        self.fake.will_fail(system.namespace, service, message="It ended. Its last lines:\nKeyError: 'SEAT_PIN'")
        return with_env(objects, service, FAILS="KeyError: 'SEAT_PIN'")

    def mended(self, system: SystemRef, service: str) -> None:
        self.fake.recovers(system.namespace, service)

    def make_a_log(self, system: SystemRef, service: str) -> list[str]:
        """Words that SERVICE says from now on, a line each, in this order."""
        words = ["word-one", "word-two", "word-three"]
        self.fake.says(system.namespace, service, *words)
        return words

    def make_unavailable(self) -> None:
        self.fake.unavailable_for(1)

    def take_volume(self, system: SystemRef, claim: str) -> None:
        """Somebody deletes the volume of CLAIM, which nothing uses."""
        self.fake.loses_object(system.namespace, "PersistentVolumeClaim", claim)


class OnLocal:
    """The local runtime, with a real supervisor and real processes."""

    refuses_missing_images = True

    def __init__(self, supervisor: Supervised) -> None:
        self.supervisor = supervisor

    @property
    def runtime(self) -> Runtime:
        return self.supervisor.runtime

    def await_health(self, system: SystemRef, health: Health) -> Observation:
        return self.supervisor.await_health(system, health)

    def failing(self, system: SystemRef, objects: list[dict[str, Any]], service: str) -> list[dict[str, Any]]:
        return with_env(objects, service, FAILS="KeyError: 'SEAT_PIN'")

    def mended(self, system: SystemRef, service: str) -> None:
        """What was wrong was in the objects alone."""

    def make_a_log(self, system: SystemRef, service: str) -> list[str]:
        words = ["word-one", "word-two", "word-three"]
        for word in words:
            self.supervisor.get(system, f"/api/{service}/{word}")
        return words

    def make_unavailable(self) -> None:
        self.supervisor.kill()

    def take_volume(self, system: SystemRef, claim: str) -> None:
        shutil.rmtree(self.supervisor.home / system.namespace / "volumes" / claim)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervised]:
    yield from supervised(tmp_path)


@pytest.fixture
def on_cluster() -> Iterator[OnKubernetes]:
    yield from on_kubernetes()


@pytest.fixture(params=["fake", "local", pytest.param("kubernetes", marks=pytest.mark.timeout(3 * BOUND_S))])
def on(request: pytest.FixtureRequest) -> OnFake | OnLocal | OnKubernetes:
    """A runtime under contract, with what a test needs to bring about beside the port."""
    if request.param == "fake":
        return OnFake()
    if request.param == "local":
        return OnLocal(request.getfixturevalue("supervisor"))
    made: OnKubernetes = request.getfixturevalue("on_cluster")
    return made
