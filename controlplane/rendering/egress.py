"""Where a service may call outside its booking system: what the network lets through, from the address that it is given. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80, "smtp": 587, "smtps": 465, "smtp+plain": 25}
_IN_CLUSTER = re.compile(r"[a-z0-9-]+\.(?P<namespace>[a-z0-9-]+)\.svc(\.cluster\.local)?\.?", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Way:
    """TCP to PORT: of one NETWORK (a CIDR), of the pods of a NAMESPACE, or of the world but nothing private."""

    port: int
    network: str = ""
    namespace: str = ""


WORLD = Way(443)


def way_to(url: str) -> Way | None:
    """The way to the server at URL; None for an address that is no server's (an empty one, a file).

    A server that is named by its address is reached there and nowhere else. Of one that is named otherwise it is not known where it is:
    a name `service.namespace.svc` is of the cluster, any other of the world. In a cluster the port is that of the pods.
    """
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    if not parts.hostname or port is None:
        return None
    if networks := networks_of(parts.hostname):
        return Way(port, network=networks[0])
    inside = _IN_CLUSTER.fullmatch(parts.hostname)
    return Way(port, namespace=inside["namespace"].lower() if inside else "")


def networks_of(host: str) -> tuple[str, ...]:
    """The network of HOST alone, where it is an address; none of a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ()
    return (f"{address}/{address.max_prefixlen}",)
