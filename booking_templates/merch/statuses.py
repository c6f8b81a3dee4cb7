"""Problems of merchandise, and the status of each."""

from __future__ import annotations

STATUS = {
    "unknown_code": 404,
    "unknown_product": 404,
    "unknown_ticket_order": 404,
    "not_on_sale": 409,
    "order_cancelled": 409,
    "sold_out": 409,
    "stock_below_sold": 409,
    "ticket_order_ended": 409,
    "unknown_pictures": 409,
    "digest_differs": 422,
    "limit_exceeded": 422,
    "option_required": 422,
    "order_too_large": 422,
    "ticket_unavailable": 503,
}
