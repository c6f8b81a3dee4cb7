"""The payment stand-in's own ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3


@dataclass(frozen=True)
class Payment:
    """One payment of the stand-in's ledger."""

    tid: str
    order_id: str
    captured_krw: int
    cancelled_krw: int
    captures: int
    refunds: Mapping[str, int] | None = None
    """What was given back, by the refund's id that came with the request; under '' without one. None: not known."""


def ledger(url: str, admin_key: str) -> list[Payment]:
    """All payments of the stand-in at URL."""
    found: list[Payment] = []
    after = ""
    pool = urllib3.PoolManager(maxsize=1)
    while True:
        answer = pool.request("GET", f"{url}/admin/ledger", fields={"after": after}, headers={"X-Admin-Key": admin_key}, timeout=30.0)
        if answer.status != 200:
            raise RuntimeError(f"the stand-in's ledger: {answer.status}")
        page = answer.json()
        for row in page["payments"]:
            moved = [(action["type"], action["amount"]) for action in row["actions"]]
            captures = [amount for kind, amount in moved if kind == "PAYMENT"]
            refunds: Counter[str] = Counter()
            for action in row["actions"]:
                if action["type"] == "CANCEL":
                    refunds[action.get("payload", "")] += action["amount"]
            found.append(Payment(row["tid"], row["partner_order_id"], sum(captures), refunds.total(), len(captures), refunds))
        if page["next"] is None:
            return found
        after = page["next"]
