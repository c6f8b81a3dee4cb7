"""Bookings of which their buyers were not told by mail."""

from __future__ import annotations

from collections.abc import Mapping

from bench.invariants.database import Database
from bench.invariants.findings import Findings


def buyers_told(findings: Findings, accounts: Database, sellers: Mapping[str, str]) -> None:
    """Of each order that was confirmed a notice waits, or auth has had it. Of buyers who have an account: to others nobody can write."""
    buyers = {_plain(buyer) for (buyer,) in accounts.rows("SELECT id FROM auth_buyer WHERE closed_at IS NULL")}
    for service, url in sellers.items():
        if not url:
            continue
        # In the order in which it happens: what is brought meanwhile is found twice rather than not at all.
        confirmed = Database(url).rows(f"SELECT id, buyer_id FROM {service}_order WHERE issued_at IS NOT NULL")
        told = {notice for (notice,) in Database(url).rows(f"SELECT id FROM {service}_notice")}
        told |= {letter for (letter,) in accounts.rows("SELECT id FROM auth_letter")}
        for order, buyer in confirmed:
            if _plain(buyer) in buyers and order not in told:
                findings.add("mail", f"{service} {order} was confirmed to nobody")


def _plain(identity: object) -> str:
    return str(identity).replace("-", "")
