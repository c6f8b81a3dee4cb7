"""What the portal's views share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from controlplane.accounts.models import User
from controlplane.systems import selectors
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.models import BookingSystem

Route = Callable[..., HttpResponse]


class AuthenticatedRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User


def seller_system(request: AuthenticatedRequest, system_id: Any) -> BookingSystem:
    """The system, if the reader may see it; else a 404, whether it exists or not."""
    try:
        return selectors.system_for(request.user, system_id)
    except SystemNotFound:
        raise Http404 from None
