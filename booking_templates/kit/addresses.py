"""Where a request comes from, as told by whoever may be believed."""

from __future__ import annotations

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}")


def address_of(request: HttpRequest) -> Address | None:
    """The caller's address.

    The last one of X-Forwarded-For is the one that the router or gateway wrote. What stands before it anybody can write, unless that one is
    a proxy of one's own, which wrote there whom it saw.
    """
    seen: Address | None = None
    for text in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        before = _address(text)
        if before is None:
            break
        seen = before
        if not _is_own(seen):
            break
    return seen or _address(request.META.get("REMOTE_ADDR", ""))


def place_of(address: Address | None) -> str:
    """What counts as one caller: an IPv6 customer has a /64 to choose addresses from."""
    if address is None:
        return ""
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def _is_own(address: Address) -> bool:
    """Whether it is that of a proxy of one's own."""
    return any(address.version == network.version and address in network for network in settings.TRUSTED_PROXIES)


def _address(text: str) -> Address | None:
    """The address that TEXT is, with or without a port, brackets and a zone. A front that listens to both kinds writes IPv4 as IPv6."""
    text = text.strip()
    if match := _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text):
        text = match[1]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
