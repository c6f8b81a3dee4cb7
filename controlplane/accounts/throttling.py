"""How often one address may ask for an account, and for mail. DRF's counters, so that portal and API count alike."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.throttling import AnonRateThrottle


class SignUpThrottle(AnonRateThrottle):
    scope = "signup"


class PasswordResetThrottle(AnonRateThrottle):
    scope = "password_reset"


def wait_s(throttle: AnonRateThrottle, request: HttpRequest) -> int | None:
    """Counts REQUEST; None when it may go on, else after how many seconds the caller should come back."""
    if throttle.allow_request(request, None):  # type: ignore[arg-type]  # it reads what Django's request has too
        return None
    return max(1, round(throttle.wait() or 1))


def client_address(request: HttpRequest) -> str:
    """Who asks, as middleware.py found it out."""
    return str(request.META.get("REMOTE_ADDR", ""))
