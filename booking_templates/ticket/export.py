"""All that has to be kept when a booking system goes: orders, tickets, payments and refunds, page by page. See payments/export.py."""

from __future__ import annotations

from booking_templates.kit.api import Request, endpoint
from booking_templates.kit.principal import staff
from booking_templates.kit.problems import NotFound
from booking_templates.payments import export
from booking_templates.payments.showing import local
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Ticket

TABLES = {"orders": Order, "tickets": Ticket, "payments": LedgerEntry, "refunds": OrderRefund}


@endpoint(auth=staff(export.SCOPE), query=export.ExportQuery, returns={200: export.Exported}, problems=("not_found",))
def read_export(request: Request, query: export.ExportQuery, table: str) -> export.Exported:
    """Rows of `orders`, `tickets`, `payments` or `refunds`, oldest first, without names and phones."""
    if table not in TABLES:
        raise NotFound("not_found")
    found, after = export.page(TABLES[table]._default_manager.all(), query.after)
    return export.Exported([_row(each) for each in found], after)


def _row(found: Order | Ticket | LedgerEntry | OrderRefund) -> export.Row:
    match found:
        case Order():
            return export.order_row(found) | {"performance": found.performance_id}
        case LedgerEntry():
            return export.entry_row(found)
        case OrderRefund():
            return export.refund_row(found)
    created_at, used_at = local(found.created_at), local(found.used_at)
    return {
        "id": found.pk,
        "order": found.order_id,
        "performance": found.performance_id,
        "seat": found.seat,
        "area": found.area,
        "label": found.label,
        "grade": found.grade,
        "price_krw": found.price_krw,
        "status": found.status,
        "created_at": created_at.isoformat() if created_at else None,
        "used_at": used_at.isoformat() if used_at else None,
    }
