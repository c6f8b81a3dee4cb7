"""Problems of the event's information, and the status of each."""

from __future__ import annotations

STATUS = {
    "no_content": 404,
    "unknown_performance": 404,
    "too_many_notices": 409,
    "changed_meanwhile": 412,
}
