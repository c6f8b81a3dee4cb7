"""All that has to be kept when a booking system goes: orders, their lines, payments and refunds, page by page. See payments/export.py."""

from __future__ import annotations

from booking_templates.kit.api import Request, endpoint
from booking_templates.kit.principal import staff
from booking_templates.kit.problems import NotFound
from booking_templates.merch.models import Item, LedgerEntry, Order, OrderRefund, RefundByHand
from booking_templates.payments import export
from booking_templates.payments.showing import local

TABLES = {
    "orders": Order.objects.all(),
    "items": Item.objects.select_related("choice"),
    "payments": LedgerEntry.objects.all(),
    "refunds": OrderRefund.objects.all(),
}


@endpoint(auth=staff(export.SCOPE), query=export.ExportQuery, returns={200: export.Exported}, problems=("not_found",))
def read_export(request: Request, query: export.ExportQuery, table: str) -> export.Exported:
    """Rows of `orders`, `items`, `payments` or `refunds`, oldest first, without names and phones."""
    if table not in TABLES:
        raise NotFound("not_found")
    rows = TABLES[table].all()
    found, after = export.page(rows.select_related("by_hand") if table == "refunds" else rows, query.after)
    taken_back = _taken_back(found) if table == "items" else {}
    return export.Exported([_row(each) | taken_back.get(str(each.pk), {}) for each in found], after)


def _taken_back(items: list[Item]) -> dict[str, export.Row]:
    """Who took pieces of those of ITEMS back for which nothing was paid, and so no refund tells it; of several, who did so last."""
    orders = {item.order_id for item in items if item.given_back}
    by_hand = RefundByHand.objects.filter(order_id__in=orders, refund=None).order_by("created_at", "pk") if orders else ()
    return {item: {"by": made.staff, "why": made.why} for made in by_hand for item in made.pieces}


def _row(found: Order | Item | LedgerEntry | OrderRefund) -> export.Row:
    match found:
        case Order():
            picked_up_at = local(found.picked_up_at)
            more = {"ticket_order": found.ticket_order, "picked_up_at": picked_up_at.isoformat() if picked_up_at else None}
            return export.order_row(found) | more
        case LedgerEntry():
            return export.entry_row(found)
        case OrderRefund():
            made: RefundByHand | None = getattr(found, "by_hand", None)
            return export.refund_row(found) | {"by": made.staff if made else "", "why": made.why if made else ""}
    return {
        "id": str(found.pk),
        "order": found.order_id,
        "product": found.choice.product_id,
        "option": found.choice.option,
        "name": found.name,
        "option_name": found.option_name,
        "price_krw": found.price_krw,
        "quantity": found.quantity,
        "given_back": found.given_back,
    }
