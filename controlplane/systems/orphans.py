"""What a change of shape would orphan: another kind of seats, no payment provider, no merchandise.

A change within one image is refused by the service that has the places. Here another image comes, or none, that knows nothing of what was
sold: so those are asked who run now, before anything is applied, and the refusal names what stands.

Between the answer and the new image somebody could begin to pay. So where a payment would be orphaned those who begin one are closed in
between, by their own content, and all are asked again: seat and merch put content in a transaction that no hold and no order overlaps, so
that whatever was begun before is seen by then. What comes next opens them: the content of the new revision, or that of the live one again.
(Seats need no closing: whatever image has the claims refuses content that would orphan one, in the transaction that puts it.)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from controlplane.lib import audit
from controlplane.rendering.plan import from_json
from controlplane.rendering.requirement import Requirement as Wanted
from controlplane.systems import content
from controlplane.systems.booking_api import BookingApi, Silent
from controlplane.systems.live_edits import live_requirement
from controlplane.systems.outcomes import Failed, Retry
from controlplane.systems.steps import Run

SCOPES = ("content", "summary")
NO_PAYMENT = "none"
NAMED_MAX = 10

Document = dict[str, Any]

CLOSED: dict[str, Document] = {
    "seat": {"sales": {"opens_at": "2000-01-01T00:00:00+00:00", "closes_at": "2000-01-02T00:00:00+00:00"}},
    "merch": {"products": []},
}
"""What of their content is other while nothing can be begun there: seats are held no more, goods are ordered no more."""


def refuse_orphans(run: Run, *, was: Document, wanted: Wanted, is_suspended: bool) -> None:
    """WAS is the live requirement as it is stored. Where it returns nothing can be begun any more that the change would orphan.

    Raises Failed (`would_orphan_seats`, `would_orphan_payments`, `would_orphan_goods`, `bookings_under_way`), and Retry while a service
    does not say. Services that rest can be asked nothing: then it is `shape_while_suspended`.
    """
    seats = was["seating"]["numbered"] != wanted.is_numbered
    payments = was["payment"] != NO_PAYMENT and wanted.payment == NO_PAYMENT
    goods = was["merchandise"] and not wanted.merchandise
    if not (seats or payments or goods):
        return
    if is_suspended:
        raise Failed("shape_while_suspended")
    closing = [*(["seat"] if payments else []), *(["merch"] if goods or (payments and was["merchandise"]) else [])]

    def refuse() -> None:
        # The holds first: what is held no more when the orders are counted has become one of them, or has ended.
        places = _asked(api, "seat", "summary").get("performances", []) if seats or payments else []
        if seats:
            _refuse_seats(places, was)
        if payments:
            _refuse_payments(api, has_goods=was["merchandise"])
            if held := sum(_count(each, "held") for each in places):
                raise Failed("bookings_under_way", places=held)
        if goods:
            _refuse_goods(api)

    with BookingApi.of(run.system, scopes=SCOPES) as api:
        refuse()
        if _close(run, api, closing):
            refuse()


def is_closed(run: Run, service: str) -> bool:
    """Whether this operation has closed SERVICE, which has been given nothing since."""
    return bool(run.system.content_given.get(service) == _mark(run))


def _mark(run: Run) -> str:
    return f"closed by operation {run.operation.pk}"


def _close(run: Run, api: BookingApi, services: list[str]) -> bool:
    """Let nothing be begun at SERVICES any more; whether one of them was open."""
    pending = [service for service in services if not is_closed(run, service)]
    if not pending:
        return False
    assert run.system.live_revision is not None  # noqa: S101  (it has a shape that would change)
    documents = content.documents_for(live_requirement(run.system), from_json(run.system.live_revision.plan))
    with run.lease.transaction() as system:
        audit.record("system.close", system, services=pending, operation=run.operation.pk)
    for service in pending:
        # Noted first: whatever becomes of the change, a later look sees then that the service has not what it should have.
        _note(run, service, "being closed")
        try:
            answer = api.put(content.path_of(service), documents[service] | CLOSED[service])
        except Silent as error:
            raise Retry("service_silent", service=service, detail=str(error)) from error
        if not answer.is_success:
            raise Retry("service_silent", service=service, detail=answer.detail)
        _note(run, service, _mark(run))
    return True


def _note(run: Run, service: str, what: str) -> None:
    with run.lease.transaction() as system:
        run.lease.write(content_given=system.content_given | {service: what})


def _refuse_seats(places: list[Document], was: Document) -> None:
    starts = {str(each["id"]): datetime.fromisoformat(each["starts_at"]) for each in was["performances"]}
    times = {name: timezone.localtime(at).strftime("%Y-%m-%d %H:%M") for name, at in starts.items()}
    named = []
    for each in places:
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
