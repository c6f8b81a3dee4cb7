"""Where a booking system answers, and where this code connects to reach it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from controlplane.runtime.errors import Rejected
from controlplane.runtime.kubernetes import inventory
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.ownership import is_ours
from controlplane.runtime.kubernetes.resources import BY_KIND, GATEWAY, NAMESPACE
from controlplane.runtime.kubernetes.routing import Routing, RoutingChoice
from controlplane.runtime.port import Endpoint, SystemRef

PUBLIC_URL = "clove.dev/public-url"
"""Annotation of the Namespace."""


def endpoint(api: Api, system: SystemRef, choice: RoutingChoice) -> Endpoint:
    """Raises Rejected when the system has no route."""
    namespace = api.get(NAMESPACE, system.namespace)
    host = inventory.read(api, system).host if namespace and is_ours(namespace, system) else ""
    if not namespace or not host:
        raise Rejected(f"{system.namespace} has no route.")
    public_url = (namespace["metadata"].get("annotations") or {}).get(PUBLIC_URL) or f"http://{host}"
    parts = urlsplit(public_url)
    connect_url = choice.connect_url or _address(api, system, choice, parts.scheme) or f"{parts.scheme}://{parts.netloc}"
    return Endpoint(public_url, connect_url.rstrip("/"), parts.netloc)


def _address(api: Api, system: SystemRef, choice: RoutingChoice, scheme: str) -> str:
    """The address that the Gateway or the Ingress reports, or an empty text."""
    if choice.routing is Routing.GATEWAY:
        return _gateway_address(api, system, scheme)
    if choice.routing is Routing.INGRESS:
        item = api.get(BY_KIND["Ingress"], "booking", system.namespace) or {}
        points = item.get("status", {}).get("loadBalancer", {}).get("ingress") or []
        found = (point.get("ip") or point.get("hostname") for point in points)
        return next((f"{scheme}://{_in_url(value)}" for value in found if value), "")
    return ""


def _gateway_address(api: Api, system: SystemRef, scheme: str) -> str:
    route: dict[str, Any] = api.get(BY_KIND["HTTPRoute"], "booking", system.namespace) or {}
    for parent in route.get("spec", {}).get("parentRefs") or ():
        gateway = api.get(GATEWAY, parent["name"], parent.get("namespace", system.namespace)) or {}
        addresses = gateway.get("status", {}).get("addresses") or []
        protocol = scheme.upper()
        ports = [listener["port"] for listener in gateway.get("spec", {}).get("listeners") or () if listener["protocol"] == protocol]
        if addresses and ports:
            return f"{scheme}://{_in_url(addresses[0]['value'])}:{ports[0]}"
    return ""


def _in_url(address: str) -> str:
    """ADDRESS as the host of a URL (RFC 3986 3.2.2)."""
    return f"[{address}]" if ":" in address else address
