"""What the environment asks for that cannot work, although every variable by itself can be used."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from controlplane.rendering.egress import networks_of


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


@register()
def database_is_reached_by_pods(**_: Any) -> list[CheckMessage]:
    """Nobody knows where a server is that is called by a name, so the network policies open the way to it only where they are told."""
    if settings.RUNTIME != "kubernetes" or settings.BOOKING_DATABASE != "mysql" or settings.BOOKING_DATABASE_NETWORKS:
        return []
    host = settings.BOOKING_DATABASE_ADMIN["HOST"]
    if networks_of(host):
        return []
    return [
        Warning(
            f"CLOVE_BOOKING_DATABASE_NETWORKS does not say where {host} is: network policies let no booking system reach its database.",
            hint="Set it to the networks of that server, such as 10.1.2.0/24.",
            id="clove.W002",
        )
    ]


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
