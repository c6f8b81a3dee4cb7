"""Whose request it is, behind proxies: what a proxy of one's own wrote is believed, what anybody else wrote is not. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

_BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}")


def networks(texts: Iterable[str]) -> Networks:
    """The networks that TEXTS name (`10.0.0.0/8`, `127.0.0.1`). Raises ValueError, which names the wrong one."""
    return tuple(ip_network(text) for text in texts)


def client_of(peer: str, forwarded: str, trusted: Networks, *, hops: int = 0) -> str:
    """The address of who asks: PEER is who connected, FORWARDED all of the X-Forwarded-For that it sent.

    Every proxy appends whom it saw. So it is read from the end, and only as long as the one that appended is TRUSTED (or one of the last
    HOPS, which are trusted wherever they are). Where that one wrote nothing that is an address, it counts itself.
    """
    here = address_in(peer)
    if here is None:
        return peer
    for passed, text in enumerate(reversed(forwarded.split(",") if forwarded else ())):
        if passed >= hops and not is_one_of(here, trusted):
            break
        before = address_in(text)
        if before is None:
            break
        here = before
    return str(here)


def address_in(text: str) -> Address | None:
    """The address that TEXT is, with or without a port, brackets and a zone; an IPv4 one that came as IPv6 is that IPv4 one."""
    text = text.strip()
    if match := _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text):
        text = match[1]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def is_one_of(address: Address, trusted: Networks) -> bool:
    return any(address.version == network.version and address in network for network in trusted)
