"""Problems of orders and tickets, and the status of each."""

from __future__ import annotations

STATUS = {
    "scanner_key": 401,
    "at_door_not_agreed": 409,
    "concession_not_for_place": 409,
    "concession_not_yet": 409,
    "concession_over": 409,
    "concession_too_few": 409,
    "concession_too_many": 409,
    "concession_unknown": 409,
    "price_changed": 409,
    "would_orphan": 409,
    "ticket_cancelled": 410,
    "place_unknown": 422,
    "seat_unavailable": 503,
}
