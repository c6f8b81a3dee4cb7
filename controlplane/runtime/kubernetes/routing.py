"""How a cluster leads the public address to services: the rendered HTTPRoute as it is, or what stands for it.

| ROUTING | what is applied | who routes |
|---|---|---|
| gateway | the HTTPRoute | the cluster's Gateway |
| ingress | an Ingress of the same host and paths | the cluster's ingress controller |
| service | annotations `clove.dev/host` and `clove.dev/path` on the Services | whatever stands before the cluster and reads them |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from controlplane.runtime.objects import of_kind
from controlplane.runtime.port import Objects

HOST_ANNOTATION = "clove.dev/host"
PATH_ANNOTATION = "clove.dev/path"


class Routing(StrEnum):
    GATEWAY = "gateway"
    INGRESS = "ingress"
    SERVICE = "service"


@dataclass(frozen=True)
class RoutingChoice:
    """`tls_secret` names a TLS Secret for Ingresses; a Gateway has its own. `connect_url` is how the control plane reaches what routes."""

    routing: Routing = Routing.GATEWAY
    ingress_class: str = ""
    tls_secret: str = ""
    connect_url: str = ""

    @property
    def mark(self) -> str:
        """Another one where the same objects would be routed in another way."""
        return " ".join((self.routing.value, self.ingress_class, self.tls_secret))


def routed(objects: Objects, choice: RoutingChoice) -> list[Mapping[str, Any]]:
    """OBJECTS as this cluster routes them, in their order."""
    if choice.routing is Routing.GATEWAY:
        return list(objects)
    if choice.routing is Routing.INGRESS:
        return [_ingress(item, choice) if item["kind"] == "HTTPRoute" else item for item in objects]
    paths = {backend: (host, path) for route in of_kind(objects, "HTTPRoute") for host, path, backend, _ in _rules(route)}
    return [_annotated(item, paths) for item in objects if item["kind"] != "HTTPRoute"]


def _rules(route: Mapping[str, Any]) -> list[tuple[str, str, str, int]]:
    """(host, path prefix, service, port) of each rule."""
    hosts = route["spec"].get("hostnames") or [""]
    return [
        (host, match["path"]["value"], backend["name"], backend["port"])
        for host in hosts
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
        for backend in rule["backendRefs"]
    ]


def _ingress(route: Mapping[str, Any], choice: RoutingChoice) -> dict[str, Any]:
    hosts: dict[str, list[dict[str, Any]]] = {}
    for host, path, backend, port in _rules(route):
        service = {"name": backend, "port": {"number": port}}
        hosts.setdefault(host, []).append({"path": path, "pathType": "Prefix", "backend": {"service": service}})
    spec: dict[str, Any] = {"rules": [{"host": host, "http": {"paths": paths}} for host, paths in hosts.items()]}
    if choice.ingress_class:
        spec["ingressClassName"] = choice.ingress_class
    if choice.tls_secret:
        spec["tls"] = [{"hosts": list(hosts), "secretName": choice.tls_secret}]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": route["metadata"], "spec": spec}


def _annotated(item: Mapping[str, Any], paths: Mapping[str, tuple[str, str]]) -> Mapping[str, Any]:
    metadata = item["metadata"]
    if item["kind"] != "Service" or metadata["name"] not in paths:
        return item
    host, path = paths[metadata["name"]]
    annotations = {**(metadata.get("annotations") or {}), HOST_ANNOTATION: host, PATH_ANNOTATION: path}
    return {**item, "metadata": {**metadata, "annotations": annotations}}
