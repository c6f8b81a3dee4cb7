"""Where a provider sends the buyer's browser: no cookie is needed, and each may be opened again without harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from django.http import HttpResponse
from django.urls import URLPattern

from booking_templates.kit.api import Endpoint, Request, endpoint, route
from booking_templates.payments.admission import GATE
from booking_templates.payments.saga import Saga

TOKEN_MAX = 100


class Returned(msgspec.Struct):
    """What KakaoPay adds to the address."""

    pg_token: str = ""


def urls(saga: Saga[Any], page_of: Callable[[str], str]) -> list[URLPattern]:
    """`payments/<order>/{approved,cancelled,failed}`; PAGE_OF gives the address of an order's page."""

    def to_page(order_id: str) -> HttpResponse:
        return HttpResponse(status=303, headers={"Location": page_of(order_id), "Cache-Control": "no-store"})

    @endpoint(query=Returned, returns={303: None})
    @GATE.counts
    def payment_approved(request: Request, query: Returned, order_id: object) -> HttpResponse:
        """The buyer has confirmed the payment at the provider: capture it and deliver."""
        if 0 < len(query.pg_token) <= TOKEN_MAX:
            saga.approved(str(order_id), query.pg_token)
        return to_page(str(order_id))

    def turned_away(request: Request, order_id: object) -> HttpResponse:
        """The buyer has left the payment, or it failed: the provider is asked, and then the order is closed or stays payable."""
        saga.turned_away(str(order_id))
        return to_page(str(order_id))

    away: Endpoint = endpoint(returns={303: None})(turned_away)
    return [
        route("payments/<uuid:order_id>/approved", GET=payment_approved),
        route("payments/<uuid:order_id>/cancelled", GET=away),
        route("payments/<uuid:order_id>/failed", GET=away),
    ]
