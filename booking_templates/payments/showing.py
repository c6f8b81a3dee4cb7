"""A payment as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import overload

from django.http import HttpRequest
from django.utils import timezone

from booking_templates.payments.models import PayableOrder
from booking_templates.payments.port import Provider
from booking_templates.payments.schemas import PaymentOut
from booking_templates.payments.states import State

MOBILE = ("Mobi", "Android", "iPhone")


def shown_payment(order: PayableOrder, provider: Provider | None, request: HttpRequest) -> PaymentOut | None:
    """ORDER's payment for the device that asks; None for an order that no provider is asked for."""
    if not order.is_paid:
        return None
    url = None
    if order.state == State.PAYING:
        agent = request.META.get("HTTP_USER_AGENT", "")
        url = order.redirect_mobile if any(word in agent for word in MOBILE) else order.redirect_pc
    return PaymentOut(
        provider=order.provider,
        test=provider.is_test if provider else False,
        redirect_url=url,
        expires_at=local(order.pay_by) if url else None,
    )


@overload
def local(moment: datetime) -> datetime: ...


@overload
def local(moment: None) -> None: ...


@overload
def local(moment: datetime | None) -> datetime | None: ...


def local(moment: datetime | None) -> datetime | None:
    """MOMENT with the event's offset from UTC."""
    return timezone.localtime(moment) if moment is not None else None
