"""Where the control plane connects to reach a booking system: what a Gateway or an Ingress reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.runtime.kubernetes import Api, KubernetesRuntime, Routing, RoutingChoice
from controlplane.runtime.port import SystemRef
from tests.runtime_contract.systems import labels
from tests.unit.controlplane.runtime.kubernetes.scripted import Script, scripted

SYSTEM = SystemRef(7, "clove-7", "s")
NAMESPACE = {"metadata": {"name": "clove-7", "labels": labels(SYSTEM), "annotations": {"clove.dev/public-url": "https://phantom.example"}}}
INVENTORY = {"metadata": {}, "data": {"objects": "[]", "host": "phantom.example"}}
ROUTE = {"metadata": {}, "spec": {"parentRefs": [{"name": "clove", "namespace": "clove-gateway"}]}}


@pytest.fixture
def server() -> Iterator[tuple[Script, Api]]:
    with scripted() as made:
        yield made


@pytest.mark.parametrize(("value", "url"), [("203.0.113.5", "https://203.0.113.5:443"), ("2001:db8::5", "https://[2001:db8::5]:443")])
def test_a_gateway_reports_its_address_and_the_port_of_its_tls(server: tuple[Script, Api], value: str, url: str) -> None:
    script, api = server
    listeners = [{"protocol": "HTTP", "port": 80}, {"protocol": "HTTPS", "port": 443}]
    gateway: dict[str, Any] = {"metadata": {}, "spec": {"listeners": listeners}, "status": {"addresses": [{"value": value}]}}
    script.answers = [(200, document) for document in (NAMESPACE, INVENTORY, ROUTE, gateway)]

    endpoint = KubernetesRuntime(api, RoutingChoice(Routing.GATEWAY)).endpoint(SYSTEM)

    assert (endpoint.public_url, endpoint.connect_url, endpoint.host) == ("https://phantom.example", url, "phantom.example")


@pytest.mark.parametrize(
    ("point", "url"),
    [
        ({"ip": "2001:db8::5"}, "https://[2001:db8::5]"),
        ({"hostname": "edge.example"}, "https://edge.example"),
        ({}, "https://phantom.example"),
    ],
)
def test_an_ingress_reports_its_address(server: tuple[Script, Api], point: dict[str, str], url: str) -> None:
    script, api = server
    ingress = {"metadata": {}, "status": {"loadBalancer": {"ingress": [point]}}}
    script.answers = [(200, document) for document in (NAMESPACE, INVENTORY, ingress)]

    assert KubernetesRuntime(api, RoutingChoice(Routing.INGRESS)).endpoint(SYSTEM).connect_url == url
