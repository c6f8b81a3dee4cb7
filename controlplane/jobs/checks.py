"""What the environment asks for that cannot work, although every variable by itself can be used."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register()
def outside_is_reached_by_pods(**_: Any) -> list[CheckMessage]:
    """On a cluster, this machine's own address means something else in each pod: whatever is given to services must not be it."""
    if settings.RUNTIME != "kubernetes":
        return []
    given = {"KAKAOPAY_URL": ("pays", settings.KAKAOPAY_URL), "CLOVE_MAIL": ("gets mail", settings.MAIL_URL)}
    return [
        Warning(
            f"{name} leads to {host}, which in a pod is the pod itself: nobody {does} in a booking system on the cluster.",
            hint=f"Set {name} to an address that pods reach.",
            id="clove.W001",
        )
        for name, (does, url) in given.items()
        if _is_here(host := urlsplit(url).hostname or "")
    ]


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
