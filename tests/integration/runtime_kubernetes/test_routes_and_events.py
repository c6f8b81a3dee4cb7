"""Ways to the services, nodes, and the stream of what moved, on a real API server."""

from __future__ import annotations

import pytest

from controlplane.runtime.errors import Rejected, Unsupported
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.kubernetes import Api, KubernetesRuntime, Routing, RoutingChoice
from controlplane.runtime.kubernetes.resources import BY_KIND, NODE, RESOURCES
from controlplane.runtime.port import SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.runtime_contract.systems import SECRETS, system_objects


def test_a_gateway_gets_the_route_as_it_is_rendered(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    runtime.apply(system, system_objects(system, "seat", host="phantom.example.org"), SECRETS)

    route = cluster.api.get(BY_KIND["HTTPRoute"], "booking", system.namespace)
    assert route is not None
    assert route["spec"]["hostnames"] == ["phantom.example.org"]
    assert runtime.endpoint(system).host == "phantom.example.org:8080"


def test_an_ingress_leads_the_same_paths_to_the_same_services(api: Api, cluster: Cluster, system: SystemRef) -> None:
    choice = RoutingChoice(Routing.INGRESS, ingress_class="theirs", tls_secret="wildcard", connect_url="http://10.0.0.9")
    runtime = KubernetesRuntime(api, choice)
    objects = system_objects(system, "seat", "event", host="phantom.example.org")

    runtime.apply(system, objects, SECRETS)

    ingress = cluster.api.get(BY_KIND["Ingress"], "booking", system.namespace)
    assert ingress
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    assert [(path["path"], path["backend"]["service"]["name"]) for path in paths] == [
        ("/api/seat", "seat"),
        ("/api/event", "event"),
        ("/", "seat"),
    ]
    assert ingress["spec"]["ingressClassName"] == "theirs"
    assert ingress["spec"]["tls"] == [{"hosts": ["phantom.example.org"], "secretName": "wildcard"}]
    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)
    assert runtime.preview(system, objects) == []
    assert runtime.endpoint(system).connect_url == "http://10.0.0.9"


def test_another_routing_prunes_the_route_before_it(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    other = KubernetesRuntime(cluster.api, RoutingChoice(Routing.INGRESS))
    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)
    assert other.observe(system).fingerprint == "", "to be applied again, by today's settings"

    other.apply(system, objects, SECRETS)

    assert other.observe(system).fingerprint == fingerprint(objects, SECRETS)

    assert cluster.names(BY_KIND["HTTPRoute"], system.namespace) == set()
    assert cluster.names(BY_KIND["Ingress"], system.namespace) == {"booking"}


class _Lacking(Api):
    """A cluster without the Gateway API."""

    def find(self, path: str) -> dict[str, object] | None:
        return None if "gateway.networking" in path else super().find(path)


@pytest.mark.parametrize("method", ["preview", "apply"])
def test_a_missing_crd_is_told_before_anything_is_applied(cluster: Cluster, system: SystemRef, method: str) -> None:
    runtime = KubernetesRuntime(_Lacking(cluster.api._configure))

    arguments = (system, system_objects(system), SECRETS)[: 2 if method == "preview" else 3]

    with pytest.raises(Unsupported, match="HTTPRoute"):
        getattr(runtime, method)(*arguments)

    assert cluster.api.get(BY_KIND["Namespace"], system.namespace) is None


def test_there_is_no_endpoint_without_a_route(runtime: KubernetesRuntime, system: SystemRef) -> None:
    with pytest.raises(Rejected):
        runtime.endpoint(system)


def test_nodes_are_told_with_what_pods_may_use(runtime: KubernetesRuntime, cluster: Cluster) -> None:
    cluster.create(NODE.collection(), {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "first"}})
    conditions = [{"type": "Ready", "status": "True"}]
    cluster.play(NODE.path("first", ""), {"allocatable": {"cpu": "1930m", "memory": "7Gi"}, "conditions": conditions})

    (node,) = runtime.nodes()

    assert (node.name, node.is_ready, node.cpu_m, node.memory_bytes) == ("first", True, 1930, 7 << 30)


def test_events_tell_of_all_systems_first_and_then_of_those_that_move(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    runtime.apply(system, system_objects(system), SECRETS)
    events = runtime.events()

    assert next(event for event in events if event == system)
    assert next(event for event in events if event is None) is None
    cluster.patch(BY_KIND["Deployment"].path("seat", system.namespace), {"spec": {"replicas": 2}}, manager="kubectl-scale")

    assert next(events) == system


def test_a_claim_that_somebody_deletes_is_told(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    runtime.apply(system, system_objects(system), SECRETS)
    events = runtime.events()
    next(event for event in events if event == system)
    assert next(event for event in events if event is None) is None

    cluster.delete(BY_KIND["PersistentVolumeClaim"].path("seat-data", system.namespace))

    assert next(events) == system


def test_every_kind_of_the_table_is_served_where_it_says(api: Api) -> None:
    for resource in RESOURCES:
        served = {(entry["kind"], entry["name"], entry["namespaced"]) for entry in (api.find(resource.root) or {})["resources"]}
        assert (resource.kind, resource.plural, resource.is_namespaced) in served
