"""Problems of orders that are paid for, and the status of each."""

from __future__ import annotations

STATUS = {
    "hold_unknown": 404,
    "already_cancelled": 409,
    "already_picked_up": 409,
    "already_used": 409,
    "concession_group": 409,
    "fee_not_agreed": 409,
    "hold_lost": 409,
    "hold_pinned": 409,
    "hold_sold": 409,
    "not_issued": 409,
    "order_busy": 409,
    "order_changed": 409,
    "order_taken": 409,
    "paid_at_door": 409,
    "payment_failed": 409,
    "payment_in_progress": 409,
    "performance_called_off": 409,
    "refund_in_progress": 409,
    "too_late_to_cancel": 409,
    "hold_expired": 410,
    "payment_unavailable": 503,
}
