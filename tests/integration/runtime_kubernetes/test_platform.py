"""The control plane's own manifests at a real API server: every object is taken as it stands, and Pod Security has nothing to say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.rendering.platform import Options, platform_secrets, render_platform, render_restore
from controlplane.runtime.kubernetes import Api
from controlplane.runtime.kubernetes.apiserver import api_servers
from controlplane.runtime.kubernetes.resources import BY_KIND, POD, Resource
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.test_rights import PLACES

OPTIONS = Options(
    image="registry.example/clove/controlplane:1.0.0", host="clove.example.kr", base_domain="clove.example.kr", api_servers=("10.0.0.1/32",)
)
PASSWORDS = {name: f"{name}-" + "x" * 30 for name in ("root", "mysql", "redis", "django")}
KINDS: dict[str, Resource] = {**BY_KIND, **PLACES}


@pytest.mark.parametrize("routing", ["gateway", "ingress"])
def test_every_object_is_taken_without_a_warning(api: Api, routing: str) -> None:
    restore = render_restore(mariadb_image=OPTIONS.mariadb_image, backup="latest", number=7)
    objects = [*render_platform(replace(OPTIONS, routing=routing)), restore, *platform_secrets(PASSWORDS, fernet_key="k", staff_key="{}")]
    for item in objects:
        if item["kind"] == "Namespace":
            api.apply(item, KINDS["Namespace"], force=True)

    for item in objects:
        applied = api.apply(item, KINDS[item["kind"]], dry_run=True, force=True)
        assert not applied.warnings, item["metadata"]["name"]


def test_the_cluster_says_where_its_api_is(api: Api, cluster: Cluster) -> None:
    # This server is at 127.0.0.1, of which no endpoint may be; one of a cluster writes such a slice itself.
    slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    metadata = {"name": "kubernetes-here", "labels": {"kubernetes.io/service-name": "kubernetes"}}
    item = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4"}
    cluster.create(slices, {**item, "endpoints": [{"addresses": ["192.0.2.7"]}], "ports": [{"name": "https", "port": 6443}]})
    try:
        found = api_servers(api)
    finally:
        cluster.delete(f"{slices}/kubernetes-here")
    assert set(found.networks) == {"192.0.2.7/32", "10.96.0.1/32"}
    assert found.ports == (443, 6443)


def test_the_namespace_lets_every_pod_in(api: Api) -> None:
    objects = [*render_platform(OPTIONS), render_restore(mariadb_image=OPTIONS.mariadb_image, backup="latest", number=7)]
    for kind in ("Namespace", "ServiceAccount"):
        for item in objects:
            if item["kind"] == kind:
                api.apply(item, KINDS[kind], force=True)
    tried = 0
    for item in objects:
        spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item.get("spec", {})
        if "template" in spec:
            metadata = {"name": item["metadata"]["name"], "namespace": "clove"}
            api.try_create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec["template"]["spec"]}, POD, "clove")
            tried += 1
    assert tried == 9
