"""A system that has just been applied: looked at sparingly while it starts, and applied and previewed several objects at a time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from controlplane.runtime.errors import Rejected
from controlplane.runtime.kubernetes import Api, KubernetesRuntime, Routing, RoutingChoice
from controlplane.runtime.kubernetes.inventory import Entry
from controlplane.runtime.kubernetes.observing import FRESH_S
from controlplane.runtime.kubernetes.ownership import ownership
from controlplane.runtime.port import Health, Observation, SystemRef
from tests.runtime_contract.systems import SECRETS, labels, system_objects
from tests.unit.controlplane.runtime.kubernetes.scripted import Script, scripted

SYSTEM = SystemRef(7, "clove-7", "seller-1")
IN_NAMESPACE = "/api/v1/namespaces/clove-7"
APPS = "/apis/apps/v1/namespaces/clove-7"
BOUND_S = 10.0


@pytest.fixture
def server() -> Iterator[tuple[Script, Api]]:
    with scripted() as made:
        yield made


def asked(line: str) -> tuple[str, str]:
    """Method and path of a request's LINE."""
    method, _, address = line.partition(" ")
    return method, urlsplit(address).path


class Applied:
    """What an API server has of a system with a Deployment, AGE_S after it was applied. Its Service is gone by now."""

    def __init__(self, *, age_s: float, ready: int) -> None:
        when = (datetime.now(UTC) - timedelta(seconds=age_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.namespace = {"metadata": {"name": "clove-7", "uid": "n", "labels": labels(SYSTEM)}}
        status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready, "availableReplicas": ready}
        template = {"spec": {"containers": [{"name": "seat", "image": "tiny"}]}}
        revision = {"deployment.kubernetes.io/revision": "1"}
        self.deployment = {
            "metadata": {"name": "seat", "uid": "d", "generation": 1, "annotations": revision, "labels": labels(SYSTEM)},
            "spec": {"replicas": 1, "template": template},
            "status": status,
        }
        owner = [{"uid": "d", "controller": True}]
        self.replica_set = {
            "metadata": {"name": "seat-1", "uid": "r", "annotations": revision, "ownerReferences": owner},
            "status": {"availableReplicas": ready},
        }
        entries = [
            ("", "Namespace", "clove-7", *Entry("n", ownership(self.namespace))),
            ("", "Service", "seat", "s", ""),
            ("apps", "Deployment", "seat", *Entry("d", ownership(self.deployment))),
        ]
        written = [{"manager": "clove", "time": when}, {"manager": "clove", "time": "2026-01-01T00:00:00Z"}]
        data = {"fingerprint": "f1", "objects": json.dumps(entries)}
        self.inventory = {"metadata": {"name": "clove-inventory", "managedFields": written}, "data": data}

    def answer(self, line: str) -> tuple[int, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {
            IN_NAMESPACE: self.namespace,
            f"{IN_NAMESPACE}/configmaps/clove-inventory": self.inventory,
            f"{APPS}/deployments": {"metadata": {}, "items": [self.deployment]},
            f"{APPS}/replicasets": {"metadata": {}, "items": [self.replica_set]},
        }
        return 200, found.get(asked(line)[1], {"metadata": {}, "items": []})


def look(server: tuple[Script, Api], applied: Applied) -> tuple[Observation, list[str]]:
    """What is seen, and the paths that were asked for it."""
    script, api = server
    script.answers = [applied.answer]
    seen = KubernetesRuntime(api).observe(SYSTEM)
    return seen, [asked(line)[1] for line in script.asked]


def test_while_it_starts_nothing_is_asked_but_how_that_goes(server: tuple[Script, Api]) -> None:
    seen, paths = look(server, Applied(age_s=1, ready=0))

    assert (seen.health, seen.fingerprint, seen.reason) == (Health.PROGRESSING, "f1", "Rolling")
    assert paths == [
        IN_NAMESPACE,
        f"{IN_NAMESPACE}/configmaps/clove-inventory",
        f"{APPS}/deployments",
        f"{IN_NAMESPACE}/pods",
        f"{APPS}/replicasets",
    ]


def test_once_it_is_ready_what_somebody_deleted_meanwhile_is_found(server: tuple[Script, Api]) -> None:
    seen, paths = look(server, Applied(age_s=1, ready=1))

    assert (seen.health, seen.fingerprint) == (Health.READY, "")
    assert (seen.reason, seen.message) == ("Drifted", "Service seat is gone.")
    assert f"{IN_NAMESPACE}/services" in paths


def test_an_account_with_the_rights_of_an_earlier_release_looks_on(server: tuple[Script, Api]) -> None:
    applied = Applied(age_s=2 * FRESH_S, ready=1)
    forbidden = (403, {"message": 'daemonsets.apps is forbidden: User "x" cannot list resource "daemonsets"'})
    script, api = server
    script.answers = [lambda line: forbidden if "/daemonsets" in line else applied.answer(line)]

    assert KubernetesRuntime(api).observe(SYSTEM).drift == "Service seat is gone."


@pytest.mark.parametrize("age_s", [2 * FRESH_S, -3600.0], ids=["longer", "by a clock that is an hour behind"])
def test_one_that_starts_for_longer_is_looked_at_whole(server: tuple[Script, Api], age_s: float) -> None:
    seen, paths = look(server, Applied(age_s=age_s, ready=0))

    assert (seen.health, seen.fingerprint) == (Health.PROGRESSING, "")
    assert f"{IN_NAMESPACE}/services" in paths


class Refusing:
    """An API server that has the namespace and refuses both Deployments of the system, the second one first."""

    def __init__(self) -> None:
        self._second_refused = threading.Event()

    def answer(self, line: str) -> tuple[int, dict[str, Any]]:
        method, path = asked(line)
        kind, _, name = path.rpartition("/")
        if method == "GET":
            return (200, {"metadata": {"name": "clove-7", "labels": labels(SYSTEM)}}) if path == IN_NAMESPACE else (404, {})
        if "/secrets/" in path and "dryRun=All" in line:
            return 404, {}
        if not kind.endswith("/deployments"):
            return 200, {"metadata": {"name": name, "uid": name}}
        if name == "auth":
            assert self._second_refused.wait(BOUND_S)
        else:
            self._second_refused.set()
        return 422, {"message": f"{name} is invalid"}


def calls() -> list[Callable[[KubernetesRuntime, list[dict[str, Any]]], object]]:
    return [
        lambda runtime, objects: runtime.apply(SYSTEM, objects, SECRETS),
        lambda runtime, objects: runtime.preview(SYSTEM, objects),
    ]


@pytest.mark.parametrize("call", calls(), ids=["apply", "preview"])
def test_of_two_objects_that_are_refused_the_first_is_told_and_both_were_asked(
    server: tuple[Script, Api], call: Callable[[KubernetesRuntime, list[dict[str, Any]]], object]
) -> None:
    script, api = server
    script.answers = [Refusing().answer]
    objects = system_objects(SYSTEM, "auth", "seat")

    with pytest.raises(Rejected) as refused:
        call(KubernetesRuntime(api, RoutingChoice(Routing.SERVICE, connect_url="http://127.0.0.1:8080")), objects)

    assert refused.value.object_name == "Deployment auth"
    patched = [asked(line)[1] for line in script.asked if line.startswith(f"PATCH {APPS}/deployments/")]
    assert sorted(patched) == [f"{APPS}/deployments/auth", f"{APPS}/deployments/seat"]
    assert not [line for line in script.asked if line.startswith("DELETE")]


@pytest.mark.parametrize(
    ("was", "fingerprint"),
    [(None, "f1"), ("ingress theirs wildcard", "f1"), ("ingress theirs ", ""), ("gateway  ", "")],
    ids=["not noted yet", "the same", "without TLS", "by a Gateway"],
)
def test_what_was_routed_otherwise_is_to_be_applied_again(server: tuple[Script, Api], was: str | None, fingerprint: str) -> None:
    script, api = server
    applied = Applied(age_s=1, ready=0)
    if was is not None:
        applied.inventory["data"]["routing"] = was
    script.answers = [applied.answer]
    choice = RoutingChoice(Routing.INGRESS, ingress_class="theirs", tls_secret="wildcard", connect_url="http://10.0.0.9")

    seen = KubernetesRuntime(api, choice).observe(SYSTEM)

    assert (seen.fingerprint, seen.applied, seen.drift) == (fingerprint, "f1", "")
