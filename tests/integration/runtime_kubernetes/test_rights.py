"""The rights in manifests/platform/rbac.yaml are enough for all that the runtime does, and hold no wildcard."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from controlplane.runtime.errors import Forbidden
from controlplane.runtime.kubernetes import KubernetesRuntime, Routing, RoutingChoice
from controlplane.runtime.kubernetes.resources import BY_KIND, REPLICA_SET, RESOURCES, Resource
from controlplane.runtime.port import Health, Resize, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.conftest import api_of, find
from tests.integration.runtime_kubernetes.played import COMPLETE, Played
from tests.integration.runtime_kubernetes.server import ADMIN_TOKEN, ApiServer
from tests.runtime_contract.systems import SECRETS, system_objects

RBAC = Path(__file__).resolve().parents[3] / "manifests/platform/rbac.yaml"
DOCUMENTS = list(yaml.safe_load_all(RBAC.read_text()))
PLACES = {
    "ClusterRole": Resource("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", is_namespaced=False),
    "ClusterRoleBinding": Resource("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", is_namespaced=False),
    **BY_KIND,
}


@pytest.fixture(scope="module")
def account(server: ApiServer, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of the control plane's service account."""
    for document in DOCUMENTS:
        cluster.api.apply(document, PLACES[document["kind"]])
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    made = cluster.create(f"{BY_KIND['ServiceAccount'].path('controlplane', 'clove')}/token", wanted)
    path = tmp_path_factory.mktemp("account") / "kubeconfig.yaml"
    path.write_text(server.admin.read_text().replace(ADMIN_TOKEN, made["status"]["token"]))
    return path


@pytest.mark.parametrize("routing", [Routing.GATEWAY, Routing.INGRESS])
def test_the_control_planes_account_may_do_all_that_the_runtime_does(account: Path, system: SystemRef, routing: Routing) -> None:
    runtime = KubernetesRuntime(api_of(account), RoutingChoice(routing))
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
    assert runtime.nodes() is not None
    assert next(event for event in runtime.events() if event)
    runtime.delete(system)
    assert runtime.observe(system).health is Health.DELETING


def test_the_control_planes_account_may_resize_what_runs(account: Path, cluster: Cluster, system: SystemRef) -> None:
    runtime, objects = KubernetesRuntime(api_of(account), RoutingChoice(Routing.GATEWAY)), system_objects(system)
    runtime.apply(system, objects, SECRETS)
    seat, larger = Played(runtime, cluster, system), copy.deepcopy(objects)
    resources = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}}
    find(larger, "Deployment", "seat")["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    seat.deployment(COMPLETE, ready=1)
    seat.pod({"ready": True, "state": {"running": {}}, "resources": resources})
    cluster.play(REPLICA_SET.path("seat-1", system.namespace), {"replicas": 1, "readyReplicas": 1, "observedGeneration": 99})

    runtime.apply(system, larger, SECRETS)

    assert runtime.observe(system).workload("seat").resize == Resize(is_in_place=True)  # type: ignore[union-attr]


def test_the_account_may_not_touch_what_is_no_business_of_clove(account: Path) -> None:
    cluster = Cluster(api_of(account))
    rule = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "mine"}, "rules": []}

    with pytest.raises(Forbidden):
        cluster.create(PLACES["ClusterRole"].collection(), rule)
    with pytest.raises(Forbidden):
        cluster.create("/api/v1/namespaces/clove/pods/one/exec", {})
    with pytest.raises(Forbidden):
        cluster.delete("/api/v1/nodes/first")


def test_there_is_no_wildcard_and_every_kind_of_the_table_is_covered() -> None:
    (role,) = (document for document in DOCUMENTS if document["kind"] == "ClusterRole")
    assert "*" not in str(role["rules"])
    covered = {(group, name) for rule in role["rules"] for group in rule["apiGroups"] for name in rule["resources"]}

    assert {(resource.group, resource.plural) for resource in RESOURCES} <= covered
