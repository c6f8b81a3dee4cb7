"""Problems of orders and tickets, and the status of each."""

from __future__ import annotations

STATUS = {
    "scanner_key": 401,
    "would_orphan": 409,
    "ticket_cancelled": 410,
    "seat_unavailable": 503,
}
