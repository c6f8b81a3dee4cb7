"""Where a cluster's own API answers, as the cluster says: what network policies have to let its clients reach."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from controlplane.runtime.errors import RuntimeUnavailable
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.resources import Resource

_NAMESPACE, _NAME = "default", "kubernetes"
_SERVICE = Resource("Service", "v1", "services")
_SLICES = Resource("EndpointSlice", "discovery.k8s.io/v1", "endpointslices")


@dataclass(frozen=True)
class ApiServers:
    """The CIDRs of single addresses, and the ports at any of them."""

    networks: tuple[str, ...]
    ports: tuple[int, ...]


def api_servers(api: Api) -> ApiServers:
    """The servers behind the Service default/kubernetes, and that Service itself: some network plugins judge by its address.

    Raises RuntimeFailure, RuntimeUnavailable for a cluster that does not say it.
    """
    slices = api.items(_SLICES, _NAMESPACE, selector=f"kubernetes.io/service-name={_NAME}")
    addresses = [address for each in slices for endpoint in each.get("endpoints") or () for address in endpoint["addresses"]]
    if not addresses:
        raise RuntimeUnavailable(f"The cluster has no endpoints of the Service {_NAMESPACE}/{_NAME}.")
    spec = (api.get(_SERVICE, _NAME, _NAMESPACE) or {}).get("spec", {})
    ports = [each["port"] for item in slices for each in item.get("ports") or ()] + [each["port"] for each in spec.get("ports") or ()]
    found = {ipaddress.ip_network(address) for address in [*addresses, *(spec.get("clusterIPs") or ())]}
    return ApiServers(tuple(map(str, sorted(found, key=lambda each: (each.version, each)))), tuple(sorted(set(ports))))
