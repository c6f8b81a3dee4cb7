"""What the four calls take. Fields as in KakaoPay's documents; what is not used here is accepted and ignored, as there."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=100)]
Url = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^https?://")]
Amount = Annotated[int, Meta(ge=0, le=2_000_000_000)]


class Ready(msgspec.Struct):
    cid: str
    partner_order_id: Id
    partner_user_id: Id
    item_name: Id
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)]
    total_amount: Amount
    tax_free_amount: Amount
    approval_url: Url
    cancel_url: Url
    fail_url: Url
    item_code: Annotated[str, Meta(max_length=100)] = ""
    vat_amount: Amount | None = None
    green_deposit: Amount = 0
    payment_method_type: Literal["CARD", "MONEY"] | None = None
    install_month: Annotated[int, Meta(ge=0, le=12)] = 0


class Approve(msgspec.Struct):
    cid: str
    tid: str
    partner_order_id: str
    partner_user_id: str
    pg_token: str
    payload: Annotated[str, Meta(max_length=200)] = ""
    total_amount: Amount | None = None


class Order(msgspec.Struct):
    cid: str
    tid: str


class Cancel(msgspec.Struct):
    cid: str
    tid: str
    cancel_amount: Annotated[int, Meta(ge=1, le=2_000_000_000)]
    cancel_tax_free_amount: Amount
    cancel_vat_amount: Amount | None = None
    cancel_available_amount: Amount | None = None
    payload: Annotated[str, Meta(max_length=200)] = ""
