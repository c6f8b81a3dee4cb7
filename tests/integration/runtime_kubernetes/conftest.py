"""A real API server, one for all the tests here, and a namespace of its own for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import Configuration
from kubernetes.config import load_kube_config

from controlplane.runtime.kubernetes import Api, KubernetesRuntime, Routing, RoutingChoice
from controlplane.runtime.managers import PLAIN, Hands
from controlplane.runtime.port import SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.server import ApiServer, api_server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("apiserver")) as running:
        yield running


def api_of(kubeconfig: Path, *, hands: Hands = PLAIN) -> Api:
    """A connection as the user of KUBECONFIG."""

    def configure() -> Configuration:
        configuration = Configuration()
        load_kube_config(str(kubeconfig), client_configuration=configuration)
        return configuration

    return Api(configure, hands=hands)


def with_routes(api: Api) -> Cluster:
    """The cluster behind API, which knows HTTPRoutes from then on."""
    made = Cluster(api)
    for document in yaml.safe_load_all((Path(__file__).with_name("httproute_crd.yaml")).read_text()):
        made.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", document)
    made.await_kind("/apis/gateway.networking.k8s.io/v1", "HTTPRoute")
    return made


@pytest.fixture(scope="session")
def cluster(server: ApiServer) -> Cluster:
    return with_routes(api_of(server.admin))


@pytest.fixture
def api(cluster: Cluster) -> Api:
    return cluster.api


@pytest.fixture
def runtime(api: Api) -> KubernetesRuntime:
    """One that looks for drift at once: without controllers a system starts for ever."""
    return KubernetesRuntime(api, RoutingChoice(Routing.GATEWAY), fresh_s=0.0)


@pytest.fixture
def system() -> SystemRef:
    """One that no other test has."""
    number = next(_numbers)
    return SystemRef(number, f"clove-{number}", "seller-1")


def find(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(item for item in objects if (item["kind"], item["metadata"]["name"]) == (kind, name))
