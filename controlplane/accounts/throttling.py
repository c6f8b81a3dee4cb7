"""How often one address may ask for an account, and for mail. DRF's counters, so that portal and API count alike."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle, UserRateThrottle


class AddressThrottle(AnonRateThrottle):
    """Of who is not logged in, by address."""

    def get_ident(self, request: HttpRequest) -> str:
        return client_address(request)


class SignUpThrottle(AddressThrottle):
    scope = "signup"


class PasswordResetThrottle(AddressThrottle):
    scope = "password_reset"


class InvitationLinkThrottle(AddressThrottle):
    scope = "invitation_link"


class InvitationThrottle(UserRateThrottle):
    """Of who invites: each invitation is a letter to somebody who did not ask for it."""

    scope = "invitation"


def wait_s(throttle: SimpleRateThrottle, request: HttpRequest) -> int | None:
    """Counts REQUEST; None when it may go on, else after how many seconds the caller should come back."""
    if throttle.allow_request(request, None):  # type: ignore[arg-type]  # it reads what Django's request has too
        return None
    return max(1, round(throttle.wait() or 1))


def client_address(request: HttpRequest) -> str:
    """Who asks, as middleware.py found it out. An IPv6 customer has a /64 to choose addresses from: its first one stands for all."""
    told = str(request.META.get("REMOTE_ADDR", ""))
    try:
        address = ipaddress.ip_address(told)
    except ValueError:
        return told
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False).network_address)
    return told
