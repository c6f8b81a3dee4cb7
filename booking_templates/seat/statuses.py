"""Problems of seats and holds, and the status of each."""

from __future__ import annotations

STATUS = {
    "turn_over": 403,
    "turn_taken": 403,
    "waiting_room": 403,
    "hold_unknown": 404,
    "no_content": 404,
    "unknown_area": 404,
    "unknown_grade": 404,
    "unknown_performance": 404,
    "unknown_seat": 404,
    "unknown_zone": 404,
    "already_extended": 409,
    "area_full": 409,
    "hold_lost": 409,
    "hold_pinned": 409,
    "hold_sold": 409,
    "not_enough_seats": 409,
    "not_on_sale": 409,
    "order_taken": 409,
    "performance_called_off": 409,
    "pins_not_offered": 409,
    "seats_taken": 409,
    "would_orphan": 409,
    "hold_expired": 410,
    "changed_meanwhile": 412,
    "limit_exceeded": 422,
    "too_many_turns": 429,
    "probe_failed": 503,
}
