"""All that has to be kept when a booking system goes: orders, tickets, payments and refunds, page by page. See payments/export.py."""

from __future__ import annotations

from booking_templates.kit.api import Request, endpoint
from booking_templates.kit.principal import staff
from booking_templates.kit.problems import NotFound
from booking_templates.payments import export
from booking_templates.payments.showing import local
from booking_templates.ticket import dues
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, RefundByHand, Ticket

TABLES = {"orders": Order, "tickets": Ticket, "payments": LedgerEntry, "refunds": OrderRefund}


@endpoint(auth=staff(export.SCOPE), query=export.ExportQuery, returns={200: export.Exported}, problems=("not_found",))
def read_export(request: Request, query: export.ExportQuery, table: str) -> export.Exported:
    """Rows of `orders`, `tickets`, `payments` or `refunds`, oldest first, without names and phones."""
    if table not in TABLES:
        raise NotFound("not_found")
    rows = TABLES[table]._default_manager.all()
    found, after = export.page(rows.select_related("by_hand") if table == "refunds" else rows, query.after)
    more = _of_tickets(found) if table == "tickets" else {}
    return export.Exported([_row(each) | more.get(each.pk, {}) for each in found], after)


def _of_tickets(tickets: list[Ticket]) -> dict[str, export.Row]:
    """What other tables say of TICKETS."""
    found = _taken_back(tickets)
    for payment in dues.taken_besides(tickets=[each.pk for each in tickets]):
        row = found.setdefault(payment.ticket_id, {})
        row["taken_besides_krw"] = row.get("taken_besides_krw", 0) + payment.amount_krw
    return found


def _taken_back(tickets: list[Ticket]) -> dict[str, export.Row]:
    """Who took those of TICKETS back for which nothing was paid, and so no refund tells it."""
    orders = {ticket.order_id for ticket in tickets if ticket.status != Ticket.Status.LIVE and ticket.refund_id is None}
    by_hand = RefundByHand.objects.filter(order_id__in=orders, refund=None) if orders else ()
    return {ticket: {"by": made.staff, "why": made.why} for made in by_hand for ticket in made.tickets}


def _row(found: Order | Ticket | LedgerEntry | OrderRefund) -> export.Row:
    match found:
        case Order():
            return export.order_row(found) | {"performance": found.performance_id}
        case LedgerEntry():
            return export.entry_row(found)
        case OrderRefund():
            made: RefundByHand | None = getattr(found, "by_hand", None)
            return export.refund_row(found) | {"by": made.staff if made else "", "why": made.why if made else ""}
    created_at, used_at, paid_at_door_at = (local(each) for each in (found.created_at, found.used_at, found.paid_at_door_at))
    return {
        "id": found.pk,
        "order": found.order_id,
        "performance": found.performance_id,
        "seat": found.seat,
        "area": found.area,
        "label": found.label,
        "grade": found.grade,
        "price_krw": found.price_krw,
        "list_price_krw": found.list_price_krw,
        "concession": found.concession,
        "concession_id": found.concession_id,
        "status": found.status,
        "created_at": created_at.isoformat() if created_at else None,
        "used_at": used_at.isoformat() if used_at else None,
        "paid_at_door_krw": found.paid_at_door_krw,
        "paid_at_door_at": paid_at_door_at.isoformat() if paid_at_door_at else None,
        "taken_besides_krw": 0,
        "by": "",
        "why": "",
    }
