"""What both services' APIs say of an order's payment."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(max_length=100)]
Phone = Annotated[str, Meta(max_length=30, pattern=r"^[0-9+() -]*$")]


class PaymentOut(msgspec.Struct):
    """How an order is paid. `redirect_url` is the provider's page, while the order can be paid."""

    provider: str
    test: bool
    redirect_url: str | None
    expires_at: datetime | None


class CancellationOut(msgspec.Struct):
    """What cancelling now would mean. `reason` is the problem code when it is not allowed."""

    allowed: bool
    reason: str | None
    refund_krw: int
    fee_krw: int
    until: datetime | None


class Page(msgspec.Struct):
    """Which orders to list: those made before the one with this id."""

    before: Annotated[str, Meta(max_length=36)] = ""


class Erased(msgspec.Struct):
    orders: int
