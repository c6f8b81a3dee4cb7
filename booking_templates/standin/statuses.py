"""Problems of the stand-in's own pages, and the status of each."""

from __future__ import annotations

STATUS = {
    "admin_key": 403,
    "not_from_a_page": 403,
}
