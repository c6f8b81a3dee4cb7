"""Where a cluster's pods ask for names: what every network policy lets them reach. Pure.

Most clusters have pods for it (CoreDNS). A cache on each node (NodeLocal DNSCache) and Cloud DNS of GKE answer at an address of the node,
which no selector of pods meets.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

PODS, PORTS, NETWORKS = "CLOVE_DNS_PODS", "CLOVE_DNS_PORTS", "CLOVE_DNS_NETWORKS"
"""The settings that `read` reads."""
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9./-]{1,120}=[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Dns:
    """UDP and TCP to PORTS of the pods with LABELS in NAMESPACE, and of NETWORKS (CIDRs). In a cluster a port is that of the pods."""

    namespace: str = "kube-system"
    labels: dict[str, str] = field(default_factory=lambda: {"k8s-app": "kube-dns"})
    ports: tuple[int, ...] = (53,)
    networks: tuple[str, ...] = ()


class BadDns(ValueError):
    """A setting holds what cannot be used; the message names it."""


def read(*, pods: str, ports: str, networks: str) -> Dns:
    """The three settings as they are written; what is empty is as in most clusters. Raises BadDns."""
    usual = Dns()
    namespace, labels = _pods(pods) if pods.strip() else (usual.namespace, usual.labels)
    return Dns(namespace, labels, tuple(map(_port, _words(ports))) or usual.ports, tuple(map(_network, _words(networks))))


def _pods(text: str) -> tuple[str, dict[str, str]]:
    namespace, _, rest = text.strip().partition("/")
    labels = rest.split(",")
    if not _NAMESPACE.fullmatch(namespace) or not all(map(_LABEL.fullmatch, labels)):
        raise BadDns(f"{PODS} must be like kube-system/k8s-app=kube-dns (further labels after commas), not {text!r}")
    return namespace, dict(sorted(label.split("=") for label in labels))


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        raise BadDns(f"{PORTS} must be ports such as 53, not {text!r}")
    return int(text)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise BadDns(f"{NETWORKS} must be networks such as 169.254.20.10/32, not {text!r}") from None


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()
