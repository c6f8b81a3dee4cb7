"""Passes of the seat service: tidying only. An expired hold is in nobody's way, swept or not."""

from __future__ import annotations

from booking_templates.kit.worker import Pass
from booking_templates.seat import claims

PASSES = [Pass("expiry", 0.5, claims.sweep), Pass("changes", 300, claims.trim_changes)]
