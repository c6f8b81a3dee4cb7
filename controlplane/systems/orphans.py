"""What a change of shape would orphan: another kind of seats, no payment provider, no merchandise.

A change within one image is refused by the service that has the places. Here another image comes, or none, that knows nothing of what was
sold: so those are asked who run now, before anything is applied, and the refusal names what stands.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from controlplane.rendering.requirement import Requirement as Wanted
from controlplane.systems.booking_api import BookingApi, Silent
from controlplane.systems.outcomes import Failed, Retry
from controlplane.systems.steps import Run

SCOPES = ("content", "summary")
NO_PAYMENT = "none"
NAMED_MAX = 10

Document = dict[str, Any]


def refuse_orphans(run: Run, *, was: Document, wanted: Wanted, is_suspended: bool) -> None:
    """WAS is the live requirement as it is stored.

    Raises Failed (`would_orphan_seats`, `would_orphan_payments`, `would_orphan_goods`), and Retry while a service does not say. Services
    that rest can be asked nothing: then it is `shape_while_suspended`.
    """
    seats = was["seating"]["numbered"] != wanted.is_numbered
    payments = was["payment"] != NO_PAYMENT and wanted.payment == NO_PAYMENT
    goods = was["merchandise"] and not wanted.merchandise
    if not (seats or payments or goods):
        return
    if is_suspended:
        raise Failed("shape_while_suspended")
    with BookingApi.of(run.system, scopes=SCOPES) as api:
        if seats:
            _refuse_seats(api, was)
        if payments:
            _refuse_payments(api, has_goods=was["merchandise"])
        if goods:
            _refuse_goods(api)


def _refuse_seats(api: BookingApi, was: Document) -> None:
    starts = {str(each["id"]): datetime.fromisoformat(each["starts_at"]) for each in was["performances"]}
    times = {name: timezone.localtime(at).strftime("%Y-%m-%d %H:%M") for name, at in starts.items()}
    named = []
    for each in _asked(api, "seat", "summary").get("performances", []):
        if taken := int(each.get("held") or 0) + int(each.get("sold") or 0):
            named.append(f"{times.get(str(each.get('id')), each.get('id'))} ({taken})")
    if named:
        raise Failed("would_orphan_seats", performances=", ".join(named[:NAMED_MAX]))


def _refuse_payments(api: BookingApi, *, has_goods: bool) -> None:
    tickets = _asked(api, "ticket", "open")
    goods = _asked(api, "merch", "open") if has_goods else {}
    stands = {
        "payments": _count(tickets, "open_payments") + _count(goods, "open_payments"),
        "tickets": _count(tickets, "paid_tickets_for_coming"),
        "goods": _count(goods, "paid_orders_to_pick_up"),
    }
    if any(stands.values()):
        raise Failed("would_orphan_payments", **stands)


def _refuse_goods(api: BookingApi) -> None:
    found = _asked(api, "merch", "open")
    stands = {"payments": _count(found, "open_payments"), "goods": _count(found, "paid_orders_to_pick_up")}
    if any(stands.values()):
        raise Failed("would_orphan_goods", **stands)


def _count(found: Document, name: str) -> int:
    return int(found.get(name) or 0)


def _asked(api: BookingApi, service: str, what: str) -> Document:
    try:
        answer = api.get(f"/api/{service}/{what}")
    except Silent as error:
        raise Retry("service_silent", service=service, detail=str(error)) from error
    if answer.code == "no_content":  # it never had any, so nothing was sold
        return {}
    if not (answer.is_success and isinstance(answer.document, dict)):
        raise Retry("service_silent", service=service, detail=answer.detail)
    return answer.document
