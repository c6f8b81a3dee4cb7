"""Every model's page in the console."""

from __future__ import annotations

from controlplane.console import accounts, archives, history, pool, systems

__all__ = ["accounts", "archives", "history", "pool", "systems"]
