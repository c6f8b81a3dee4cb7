"""Whose request it is."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from controlplane.lib.proxies import address_in, client_of, is_one_of


class TrueAddress:
    """REMOTE_ADDR is the reader's from here on, as far as proxies of one's own tell it; what anybody else forwards is not looked at."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        forwarded, peer = request.META.pop("HTTP_X_FORWARDED_FOR", ""), request.META.get("REMOTE_ADDR", "")
        trusted, hops = settings.TRUSTED_PROXIES, settings.PROXIES
        request.META["REMOTE_ADDR"] = client_of(peer, forwarded, trusted, hops=hops)
        if trusted and not hops:
            address = address_in(peer)
            if address is None or not is_one_of(address, trusted):
                request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.get_response(request)
