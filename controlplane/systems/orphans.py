"""What a change of shape would orphan: another kind of seats, no payment provider, no merchandise.

A change within one image is refused by the service that has the places. Here another image comes, or none, that knows nothing of what was
sold: so those are asked who run now, before anything is applied, and the refusal names what stands.

Between the answer and the new image somebody could begin to pay. So where a payment would be orphaned those who begin one are closed in
between, by their own content, and all are asked again: seat and merch put content in a transaction that no hold and no order overlaps, so
that whatever was begun before is seen by then. What comes next opens them: the content of the new revision, or that of the live one again.
(Seats need no closing: whatever image has the claims refuses content that would orphan one, in the transaction that puts it.)

Merchandise that goes leaves its sales in the archive, at once: when the booking system is deleted nobody can be asked for them.

A change that failed or was given up halfway may have sold in its own shape already. Whoever takes its place, another change or the live
revision, is a change of its shape as well, and is asked for in the same way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from controlplane.lib import audit
from controlplane.rendering.plan import from_json
from controlplane.rendering.requirement import Requirement as Wanted
from controlplane.systems import archiving, content
from controlplane.systems.booking_api import BookingApi, Silent
from controlplane.systems.lease import Lease
from controlplane.systems.live_edits import live_requirement
from controlplane.systems.models import BookingSystem, Operation, OperationStep, Revision
from controlplane.systems.outcomes import Failed, Retry
from controlplane.systems.planning import read_stored

SCOPES = ("content", "summary")
NO_PAYMENT = "none"
NAMED_MAX = 10

Document = dict[str, Any]

CLOSED: dict[str, Document] = {
    "seat": {"sales": {"opens_at": "2000-01-01T00:00:00+00:00", "closes_at": "2000-01-02T00:00:00+00:00"}},
    "merch": {"products": []},
}
"""What of their content is other while nothing can be begun there: seats are held no more, goods are ordered no more."""
_OPENS = "presale"
"""What would open a service all the same."""


HANDED_OVER = "handed_over"
"""In the `result` of a change: the runtime was given its revision, or was about to be."""
RETURNED = "returned"
"""In the `result` of a change that came to nothing: the runtime was given the live revision again since."""
_CLOSED_MARK = "closed"


def handed_over(system: BookingSystem, *, but: Operation | None = None) -> Operation | None:
    """The change (other than BUT) that the runtime was given last, if some of it may run: it neither went live nor was taken back."""
    is_applied = Q(steps__name="apply", steps__state=OperationStep.State.DONE)
    given = system.operations.filter(Q(result__handed_over=True) | is_applied).exclude(revision=None).distinct()
    last = (given.exclude(pk=but.pk) if but else given).first()
    if last is None or last.state == Operation.State.SUCCEEDED or last.result.get(RETURNED):
        return None
    return last


def was_handed_over(system: BookingSystem) -> bool:
    """Whether the runtime was ever given anything of SYSTEM. If not, what is in its place there is not its own."""
    return system.operations.filter(Q(result__handed_over=True) | Q(steps__name="apply")).exists()


def ever_given(system: BookingSystem) -> QuerySet[Revision]:
    """The revisions of SYSTEM that the runtime was given, or was about to be."""
    given = system.operations.filter(Q(result__handed_over=True) | Q(steps__name="apply")).exclude(revision=None)
    return system.revisions.filter(pk__in=given.values("revision"))


def refuse_orphans(lease: Lease, *, before: Revision, wanted: Wanted, is_suspended: bool) -> None:
    """Refuse to put what is WANTED in place of BEFORE, which runs or may run, if something would be orphaned by it.

    Where it returns nothing can be begun any more that would be. Raises Failed (`would_orphan_seats`, `would_orphan_payments`,
    `would_orphan_goods`, `bookings_under_way`), and Retry while a service does not say. Services that rest can be asked nothing: then it is
    `shape_while_suspended`.
    """
    was = before.requirement.data
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

    with BookingApi.of(lease.system, scopes=SCOPES) as api:
        refuse()
        if _close(lease, api, closing, before):
            refuse()
    if goods:
        archiving.take_leaving(lease, "merch")


def is_closed(system: BookingSystem, service: str) -> bool:
    """Whether SERVICE was closed, by whatever change, and has been given nothing since."""
    return str(system.content_given.get(service, "")).startswith(_CLOSED_MARK)


def _close(lease: Lease, api: BookingApi, services: list[str], before: Revision) -> bool:
    """Let nothing be begun at SERVICES any more; whether one of them was open."""
    pending = [service for service in services if not is_closed(lease.system, service)]
    if not pending:
        return False
    documents = _what_they_have(lease.system, before)
    with lease.transaction() as system:
        audit.record("system.close", system, services=pending, revision=before.number)
    for service in pending:
        # Noted first: whatever becomes of the change, a later look sees then that the service has not what it should have.
        _note(lease, service, "being closed")
        try:
            answer = api.put(content.path_of(service), _closed(service, documents[service]))
        except Silent as error:
            raise Retry("service_silent", service=service, detail=str(error)) from error
        if not answer.is_success:
            raise Retry("service_silent", service=service, detail=answer.detail)
        _note(lease, service, _CLOSED_MARK)
    return True


def _closed(service: str, document: Document) -> Document:
    """DOCUMENT with nothing that could be begun at SERVICE."""
    return {name: value for name, value in document.items() if name != _OPENS} | CLOSED[service]


def _what_they_have(system: BookingSystem, before: Revision) -> dict[str, Document]:
    """Service -> the content that it was given: that of BEFORE if it got so far, or else the live one."""
    theirs = content.documents_for(read_stored(before.requirement), from_json(before.plan))
    if system.live_revision is None:
        return theirs
    live = content.documents_for(live_requirement(system), from_json(system.live_revision.plan))
    given = {name: theirs[name] for name, digest in content.digests(theirs).items() if system.content_given.get(name) == digest}
    return theirs | live | given


def _note(lease: Lease, service: str, what: str) -> None:
    with lease.transaction() as system:
        lease.write(content_given=system.content_given | {service: what})


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
