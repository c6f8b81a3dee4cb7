"""A whole table as plain rows, page by page, for an archive. Of persons nothing but the buyer's id: no name, no phone, no secret."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.db.models import Model, QuerySet
from msgspec import Meta

from booking_templates.payments.models import Entry, PayableOrder, Refund
from booking_templates.payments.showing import local

PAGE = 500
SCOPE = "archive"

Row = dict[str, Any]


class ExportQuery(msgspec.Struct):
    """AFTER is `next` of the page before; left out for the first one."""

    after: Annotated[str, Meta(max_length=40)] = ""


class Exported(msgspec.Struct):
    rows: list[dict[str, Any]]
    next: str | None
    """Ask again with it; null when there is no more."""


def page(found: QuerySet[Any], after: str) -> tuple[list[Any], str | None]:
    """The rows of FOUND behind AFTER in the order of their ids, and where to go on. Ids of rows that are added later sort later."""
    key = found.model._meta.pk
    assert key is not None  # noqa: S101 - every table has one
    behind = found.order_by("pk")
    if after and (key.get_internal_type() == "CharField" or after.isdecimal()):
        behind = behind.filter(pk__gt=after)
    rows: list[Model] = list(behind[: PAGE + 1])
    return rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else None


def order_row(order: PayableOrder) -> Row:
    """What every service's orders have."""
    return {
        "id": order.pk,
        "number": order.number,
        "buyer": order.buyer_id,
        "state": order.state,
        "reason": order.reason,
        "provider": order.provider,
        "tid": order.tid,
        "total_krw": order.total_krw,
        "refunded_krw": order.refunded_krw,
        "compensation_krw": order.compensation_krw,
        "created_at": _moment(order.created_at),
        "issued_at": _moment(order.issued_at),
    }


def entry_row(entry: Entry) -> Row:
    """A line of a ledger."""
    return {
        "id": str(entry.pk),
        "order": entry.order_id,  # type: ignore[attr-defined]
        "kind": entry.kind,
        "amount_krw": entry.amount_krw,
        "reference": entry.reference,
        "provider_reference": entry.provider_reference,
        "at": _moment(entry.at),
    }


def refund_row(refund: Refund) -> Row:
    return {
        "id": refund.pk,
        "order": refund.order_id,  # type: ignore[attr-defined]
        "price_krw": refund.price_krw,
        "fee_krw": refund.fee_krw,
        "amount_krw": refund.amount_krw,
        "had_before_krw": refund.had_before_krw,
        "compensation_krw": refund.compensation_krw,
        "reason": refund.reason,
        "created_at": _moment(refund.created_at),
        "done_at": _moment(refund.done_at),
    }


def _moment(value: datetime | None) -> str | None:
    known = local(value)
    return known.isoformat() if known else None
