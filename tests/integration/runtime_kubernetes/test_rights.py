"""The rights in manifests/platform/rbac.yaml are enough for all that the runtime does, and hold no wildcard."""

from __future__ import annotations

import base64
import copy
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from controlplane.rendering.platform import PROCESSES
from controlplane.runtime.errors import Forbidden, Rejected
from controlplane.runtime.kubernetes import Api, KubernetesRuntime, Routing, RoutingChoice
from controlplane.runtime.kubernetes.resources import BY_KIND, CONFIG_MAP, NAMESPACE, POD, REPLICA_SET, RESOURCES, SECRET, Resource
from controlplane.runtime.port import Health, Resize, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.conftest import api_of, find
from tests.integration.runtime_kubernetes.played import COMPLETE, Played
from tests.integration.runtime_kubernetes.server import ADMIN_TOKEN, ApiServer
from tests.runtime_contract.systems import SECRETS, system_objects

PLATFORM = Path(__file__).resolve().parents[3] / "manifests/platform"
DOCUMENTS = [document for name in ("rbac", "admission") for document in yaml.safe_load_all((PLATFORM / f"{name}.yaml").read_text())]
PLACES = {
    "ClusterRole": Resource("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", is_namespaced=False),
    "ClusterRoleBinding": Resource("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", is_namespaced=False),
    **{
        kind: Resource(kind, "admissionregistration.k8s.io/v1", plural, is_namespaced=False)
        for kind, plural in (
            ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
            ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
        )
    },
    **BY_KIND,
}
ROLES = {document["metadata"]["name"]: document["rules"] for document in DOCUMENTS if document["kind"] == "ClusterRole"}
BOUND_S = 30.0
PRIVILEGED = {"pod-security.kubernetes.io/enforce": "privileged"}
NO_LABELS: Mapping[str, str] = MappingProxyType({})
OURS = {"app.kubernetes.io/managed-by": "clove", "clove.dev/system": "7", "pod-security.kubernetes.io/enforce": "restricted"}


class Accounts:
    """Kubeconfigs of the platform's service accounts, whose rights and limits the cluster knows."""

    def __init__(self, server: ApiServer, cluster: Cluster, home: Path) -> None:
        self._server, self._cluster, self._home = server, cluster, home
        for document in DOCUMENTS:
            cluster.api.apply(document, PLACES[document["kind"]], force=True)
        self._await_policy()

    def of(self, name: str) -> Api:
        wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        made = self._cluster.create(f"{BY_KIND['ServiceAccount'].path(name, 'clove')}/token", wanted)
        path = self._home / f"{name}.yaml"
        path.write_text(self._server.admin.read_text().replace(ADMIN_TOKEN, made["status"]["token"]))
        return api_of(path)

    def runtime(self, name: str, routing: Routing = Routing.GATEWAY) -> KubernetesRuntime:
        return KubernetesRuntime(self.of(name), RoutingChoice(routing), fresh_s=0.0)

    def _await_policy(self) -> None:
        """The server takes up what it is to refuse a moment after it was told."""
        api, deadline = self.of("controlplane"), time.monotonic() + BOUND_S
        while True:
            try:
                api.try_create(config_map("default"), BY_KIND["ConfigMap"], "default")
            except Rejected:
                return
            assert time.monotonic() < deadline, "the policy does not hold"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def accounts(server: ApiServer, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    yield Accounts(server, cluster, tmp_path_factory.mktemp("accounts"))
    for name in ("ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"):
        cluster.delete(PLACES[name].path("clove-controlplane", ""))


def refused() -> Any:
    """By its rights or by the policy, and for nothing else."""
    return pytest.raises((Forbidden, Rejected), match=r"cannot|denied request|refused \(Forbidden\)|may not be deleted")


def config_map(namespace: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "any", "namespace": namespace}}


def secret(namespace: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "any", "namespace": namespace}, **fields}


def token_of(account: str, namespace: str) -> dict[str, Any]:
    """What asks the cluster for a token of ACCOUNT that never ends."""
    item = secret(namespace, type="kubernetes.io/service-account-token")
    return item | {"metadata": {"name": "token", "namespace": namespace, "annotations": {"kubernetes.io/service-account.name": account}}}


def namespace(name: str, labels: Mapping[str, str] = NO_LABELS) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


@pytest.mark.parametrize("routing", [Routing.GATEWAY, Routing.INGRESS])
def test_the_workers_account_may_do_all_that_they_do(accounts: Accounts, system: SystemRef, routing: Routing) -> None:
    runtime = accounts.runtime("controlplane", routing)
    objects = system_objects(system)

    runtime.preview(system, objects)
    runtime.apply(system, objects, SECRETS)
    runtime.preview(system, system_objects(system, "event"))
    handed = system_objects(system, "event")
    runtime.apply(system, handed, SECRETS)
    del find(handed, "Deployment", "event")["spec"]["replicas"]
    runtime.apply(system, handed, SECRETS)
    assert runtime.observe(system).health is Health.PROGRESSING
    assert runtime.endpoint(system).host
    assert runtime.logs(system, "event", 5) == []
    assert next(event for event in accounts.runtime("watcher").events() if event)
    runtime.delete(system)
    assert runtime.observe(system).health is Health.DELETING


def test_the_workers_account_may_resize_what_runs(accounts: Accounts, cluster: Cluster, system: SystemRef) -> None:
    runtime, objects = accounts.runtime("controlplane"), system_objects(system)
    runtime.apply(system, objects, SECRETS)
    seat, larger = Played(runtime, cluster, system), copy.deepcopy(objects)
    resources = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}}
    find(larger, "Deployment", "seat")["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    seat.deployment(COMPLETE, ready=1)
    seat.pod({"ready": True, "state": {"running": {}}, "resources": resources})
    cluster.play(REPLICA_SET.path("seat-1", system.namespace), {"replicas": 1, "readyReplicas": 1, "observedGeneration": 99})

    runtime.apply(system, larger, SECRETS)

    assert runtime.observe(system).workload("seat").resize == Resize(is_in_place=True)  # type: ignore[union-attr]


@pytest.mark.parametrize("account", ["controlplane", "web", "watcher"])
def test_no_account_may_touch_what_is_no_business_of_clove(accounts: Accounts, account: str) -> None:
    api = Cluster(accounts.of(account))
    rule = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "mine"}, "rules": []}

    for name, attempt in {
        "a role": lambda: api.create(PLACES["ClusterRole"].collection(), rule),
        "into a pod": lambda: api.create("/api/v1/namespaces/clove/pods/one/exec", {}),
        "a node": lambda: api.delete("/api/v1/nodes/first"),
        "read Secrets": lambda: api.api.items(SECRET, "kube-system"),
        "read Secrets' names": lambda: api.api.items(SECRET, "clove", metadata_only=True),
        "read a Secret": lambda: api.api.get(SECRET, "keys", "clove"),
        "an account's token": lambda: api.create("/api/v1/namespaces/clove/serviceaccounts/controlplane/token", {}),
    }.items():
        with refused():
            pytest.fail(f"{account} may: {name}: {attempt()}")


@pytest.mark.parametrize("place", ["kube-system", "default", "clove"])
def test_the_workers_account_writes_to_no_namespace_that_is_not_cloves(accounts: Accounts, cluster: Cluster, place: str) -> None:
    api = Cluster(accounts.of("controlplane"))
    cluster.api.apply(secret(place, stringData={"key": "precious"}), SECRET, force=True)
    cluster.api.apply(config_map(place), CONFIG_MAP, force=True)
    deployment = find(system_objects(SystemRef(1, place, "seller-1")), "Deployment", "seat")

    for name, attempt in {
        "make": lambda: api.api.apply(secret(place) | {"metadata": {"name": "new", "namespace": place}}, SECRET),
        "make a token": lambda: api.create(SECRET.collection(place), token_of("default", place)),
        "change": lambda: api.api.apply(secret(place, stringData={"key": "mine"}), SECRET, force=True),
        "read by a change of nothing": lambda: api.patch(SECRET.path("any", place), {}, manager="clove"),
        "read by a trial": lambda: api.api.look(SECRET, "any", place),
        "delete": lambda: api.delete(SECRET.path("any", place)),
        "delete a ConfigMap": lambda: api.delete(CONFIG_MAP.path("any", place)),
        "run": lambda: api.api.apply(deployment, BY_KIND["Deployment"]),
        "relabel": lambda: api.patch(NAMESPACE.path(place, ""), {"metadata": {"labels": PRIVILEGED}}, manager="clove"),
        "adopt": lambda: api.patch(NAMESPACE.path(place, ""), {"metadata": {"labels": OURS}}, manager="clove"),
        "remove": lambda: api.delete(NAMESPACE.path(place, "")),
    }.items():
        with refused() as told:
            pytest.fail(f"may in {place}: {name}: {attempt()}")
        assert "precious" not in told.value.reason
    found = cluster.api.get(SECRET, "any", place)
    assert found
    assert base64.b64decode(found["data"]["key"]) == b"precious"
    there = cluster.api.get(NAMESPACE, place)
    assert there
    assert not OURS.items() <= there["metadata"].get("labels", {}).items()


@pytest.mark.parametrize(
    "item",
    [
        namespace("other", OURS),
        namespace("clove-700001"),
        namespace("clove-700001", {name: value for name, value in OURS.items() if name != "clove.dev/system"}),
        namespace("clove-700001", OURS),
        namespace("clove-x", OURS | {"clove.dev/system": "x"}),
        namespace("clove-7", OURS | PRIVILEGED),
        namespace("clove-7", OURS | {"pod-security.kubernetes.io/enforce-version": "v1.20"}),
    ],
    ids=["name", "no labels", "no number", "another number", "no number in its name", "privileged", "old rules"],
)
def test_the_workers_account_makes_no_namespace_but_a_booking_systems(accounts: Accounts, item: dict[str, Any]) -> None:
    with refused():
        accounts.of("controlplane").apply(item, NAMESPACE)


def test_within_cloves_namespaces_there_is_no_way_up_either(accounts: Accounts, system: SystemRef) -> None:
    runtime, api = accounts.runtime("controlplane"), Cluster(accounts.of("controlplane"))
    runtime.apply(system, system_objects(system), SECRETS)
    place = system.namespace
    spec = find(system_objects(system), "Deployment", "seat")["spec"]["template"]["spec"] | {"serviceAccountName": "preview"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mine"}, "spec": spec}

    for name, attempt in {
        "a token": lambda: api.create(SECRET.collection(place), token_of("default", place)),
        "a pod": lambda: api.create(POD.collection("clove-preview"), pod),
        "less secure": lambda: api.patch(NAMESPACE.path(place, ""), {"metadata": {"labels": PRIVILEGED}}, manager="clove"),
        "nobody's": lambda: api.patch(NAMESPACE.path(place, ""), {"metadata": {"labels": {"clove.dev/system": None}}}, manager="clove"),
        "read": lambda: api.api.get(SECRET, "seat-secrets", place),
    }.items():
        with refused():
            pytest.fail(f"may: {name}: {attempt()}")
    assert runtime.observe(system).drift == ""


def test_what_hands_do_to_secrets_is_seen_without_reading_them(accounts: Accounts, cluster: Cluster, system: SystemRef) -> None:
    runtime = accounts.runtime("controlplane")
    runtime.apply(system, system_objects(system), SECRETS)
    name = sorted(SECRETS)[0]
    path = SECRET.path(name, system.namespace)

    cluster.patch(path, {"stringData": {next(iter(SECRETS[name])): "another"}}, manager="kubectl-edit")
    assert f"Secret {name} was changed by kubectl-edit." in runtime.observe(system).drift
    cluster.delete(path)
    assert f"Secret {name} is gone." in runtime.observe(system).drift
    runtime.apply(system, system_objects(system), SECRETS)
    assert runtime.observe(system).drift == ""


def test_the_portals_account_looks_and_tries_and_changes_nothing(accounts: Accounts, cluster: Cluster, system: SystemRef) -> None:
    workers, web, objects = accounts.runtime("controlplane"), accounts.runtime("web"), system_objects(system)
    assert web.preview(system, objects)
    assert cluster.api.get(NAMESPACE, system.namespace) is None
    workers.apply(system, objects, SECRETS)
    before = cluster.versions(system.namespace)

    assert {change.name for change in web.preview(system, system_objects(system, "event"))} >= {"seat"}
    assert web.observe(system).health is Health.PROGRESSING
    assert web.observe(system).drift == ""
    assert web.logs(system, "event", 5) == []
    assert web.nodes() is not None
    for attempt in (
        lambda: web.apply(system, system_objects(system, "event"), SECRETS),
        lambda: web.delete(system),
        lambda: Cluster(accounts.of("web")).patch(CONFIG_MAP.path("clove-inventory", system.namespace), {"data": {}}, manager="clove"),
        lambda: accounts.of("web").apply(objects[0] | {"metadata": {**objects[0]["metadata"], "name": "clove-700002"}}, NAMESPACE),
    ):
        with refused():
            attempt()
    assert cluster.versions(system.namespace) == before


def test_there_is_no_wildcard_and_every_kind_of_the_table_is_covered() -> None:
    assert "*" not in str(ROLES)
    granted = {
        name: {(group, kind): set(rule["verbs"]) for rule in rules for group in rule["apiGroups"] for kind in rule["resources"]}
        for name, rules in ROLES.items()
    }

    assert {(resource.group, resource.plural) for resource in RESOURCES} <= granted["clove-controlplane"].keys()
    assert granted["clove-controlplane"]["", "secrets"] == {"create", "patch", "delete"}
    assert ("", "secrets") not in granted["clove-web"].keys() | granted["clove-watcher"].keys()
    assert set().union(*granted["clove-web"].values()) == {"get", "list", "create", "patch"}
    assert set().union(*granted["clove-watcher"].values()) == {"list", "watch"}
    assert {process.account for process in PROCESSES} == {"controlplane", "web", "watcher", ""}
