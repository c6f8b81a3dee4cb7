"""The contract's runtime on a cluster with real pods: $KUBECONFIG, with CLOVE_TEST_CLUSTER=1 as the word that it may be used.

The cluster needs the image clove-test/tiny:1 (tiny.Dockerfile). Where it has no default StorageClass, volumes are directories of the node
below CLOVE_TEST_VOLUMES (default /tmp/clove-test-volumes), so the node is then this machine.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import Configuration

from controlplane.runtime.kubernetes import Api, KubernetesRuntime, Routing, RoutingChoice, configuration
from controlplane.runtime.kubernetes.resources import NAMESPACE, Resource
from controlplane.runtime.kubernetes.volumes import CLAIM
from controlplane.runtime.port import Health, Observation, Runtime, SystemRef
from tests.runtime_contract.supervised import eventually
from tests.runtime_contract.systems import ref, with_env

BOUND_S = 300.0
"""What takes seconds on a machine of its own takes minutes on one that others work on."""
LOOK_EVERY_S = 0.2
"""A look is ten requests, which would keep the pods it waits for from the processor."""
VOLUMES = 8
ROUTING = RoutingChoice(Routing.SERVICE, connect_url="http://127.0.0.1:8080")
VOLUME = Resource("PersistentVolume", "v1", "persistentvolumes", is_namespaced=False)
STORAGE_CLASS = Resource("StorageClass", "storage.k8s.io/v1", "storageclasses", is_namespaced=False)
_numbers = itertools.count()


def cluster() -> Api:
    """The cluster that tests may use; skips the test when there is none."""
    if os.environ.get("CLOVE_TEST_CLUSTER") != "1" or not os.environ.get("KUBECONFIG"):
        pytest.skip("needs a cluster: KUBECONFIG, and CLOVE_TEST_CLUSTER=1")
    return Api(configuration())


class OnKubernetes:
    """Real pods. Namespaces of the contract's systems are gone before and after."""

    refuses_missing_images = False
    """A cluster finds out when it pulls."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._runtime = KubernetesRuntime(api, ROUTING)

    @property
    def runtime(self) -> Runtime:
        return self._runtime

    def await_health(self, system: SystemRef, health: Health) -> Observation:
        return eventually(
            lambda: self._runtime.observe(system), until=lambda seen: seen.health is health, bound_s=BOUND_S, every_s=LOOK_EVERY_S
        )

    def failing(self, system: SystemRef, objects: list[dict[str, Any]], service: str) -> list[dict[str, Any]]:
        return with_env(objects, service, FAILS="KeyError: 'SEAT_PIN'")

    def mended(self, system: SystemRef, service: str) -> None:
        """What was wrong was in the objects alone."""

    def make_a_log(self, system: SystemRef, service: str) -> list[str]:
        words = ["word-one", "word-two", "word-three"]
        for word in words:
            self.api.text(f"/api/v1/namespaces/{system.namespace}/services/{service}:8000/proxy/{word}", {})
        return words

    def make_unavailable(self) -> None:
        def nowhere() -> Configuration:
            away = Configuration()
            away.host = "http://127.0.0.1:1"
            return away

        self._runtime = KubernetesRuntime(Api(nowhere), ROUTING)

    def take_volume(self, system: SystemRef, claim: str) -> None:
        self.api.delete(CLAIM, claim, system.namespace)
        eventually(lambda: self.api.get(CLAIM, claim, system.namespace) is None, bound_s=BOUND_S, every_s=LOOK_EVERY_S)

    def clear(self) -> None:
        for system in (ref(1), ref(2)):
            if self.api.get(NAMESPACE, system.namespace):
                self.api.delete(NAMESPACE, system.namespace)
        for system in (ref(1), ref(2)):
            eventually(lambda system=system: self.api.get(NAMESPACE, system.namespace) is None, bound_s=BOUND_S, every_s=LOOK_EVERY_S)  # type: ignore[misc]


def on_kubernetes() -> Iterator[OnKubernetes]:
    """For fixtures."""
    on = OnKubernetes(cluster())
    on.clear()
    with volumes(on.api):
        try:
            yield on
        finally:
            on.clear()


@contextlib.contextmanager
def volumes(api: Api, *, count: int = VOLUMES, size: str = "1Gi") -> Iterator[None]:
    """Room for COUNT claims, where the cluster makes none by itself."""
    made = [] if api.items(STORAGE_CLASS) else [_make_volume(api, size) for _ in range(count)]
    try:
        yield
    finally:
        for name, path in made:
            api.delete(VOLUME, name)
            shutil.rmtree(path, ignore_errors=True)


def _make_volume(api: Api, size: str) -> tuple[str, Path]:
    name = f"clove-test-{os.getpid()}-{next(_numbers)}"
    path = Path(os.environ.get("CLOVE_TEST_VOLUMES", "/tmp/clove-test-volumes")) / name
    path.mkdir(parents=True)
    path.chmod(0o777)
    item: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": str(path)},
        },
    }
    api.apply(item, VOLUME)
    return name, path
