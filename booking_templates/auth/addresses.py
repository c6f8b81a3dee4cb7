"""Which addresses of an outside provider are acceptable.

Its description is its own to write, and is read anew each hour: what passed the platform's review may name something else later, and this
service must not be led to what only its own machine or network can reach.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_acceptable(url: str) -> bool:
    """Names and tokens travel over https; plain http goes to this machine alone."""
    return url.startswith(("https://", "http://127.0.0.1:", "http://localhost:", "http://[::1]:"))


def is_endpoint_of(issuer: str, url: str) -> bool:
    """Whether ISSUER may name URL as an endpoint: plain http only at its own host, when it is spoken to so itself."""
    try:
        parts, own = urlsplit(url), urlsplit(issuer)
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return is_acceptable(url) and own.scheme == "http" and parts.hostname == own.hostname


def addresses_of(host: str, port: int) -> list[str]:
    """All that HOST resolves to. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"no name: {host[:80]}") from error
    return [str(entry[4][0]) for entry in found]


def is_named_inside(host: str) -> bool:
    """Whether HOST is written so that it is this machine or in a private network, whatever names resolve to."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(host)
    except ValueError:  # a name
        return False


def is_public(address: str) -> bool:
    """Whether ADDRESS is one of the open internet, also where it only wraps another (IPv4 in IPv6, NAT64, 6to4, Teredo)."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner: list[ipaddress.IPv4Address] = []
    if isinstance(found, ipaddress.IPv6Address):
        inner = [each for each in (found.ipv4_mapped, found.sixtofour, *(found.teredo or ())) if each is not None]
        if found in NAT64:
            inner.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
    return all(each.is_global and not each.is_multicast for each in (found, *inner))
