"""I5: what was acknowledged is still there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from bench.invariants.database import Database
from bench.invariants.findings import Findings

BY_ORGANISER = ("organiser", "performance_called_off")
"""Why an order ended whose buyer had not asked for it."""


def still_there(findings: Findings, services: Mapping[str, Database], acknowledged: Collection[str]) -> None:
    """Whoever was told that they have something has all of it: what is not theirs any more went back, and that is on record."""
    missing = set(acknowledged)
    for service, database in services.items():
        columns = "id, state, reason, provider, issued_at, " + ("places" if service == "ticket" else "total_krw")
        orders = {row[0]: row[1:] for row in database.rows(f"SELECT {columns} FROM {service}_order")}
        whole = _whole_tickets if service == "ticket" else _whole_items
        mine = missing & orders.keys()
        missing -= mine
        broken = whole(database, {order: orders[order] for order in mine}) if mine else {}
        for order in sorted(mine):
            state, reason, _provider, issued_at, _what = orders[order]
            stands = state == "ISSUED" or (reason in BY_ORGANISER and state in ("CANCELLED", "REFUNDED"))
            if issued_at is None or not stands:
                findings.add("I5", f"{service} {order} was acknowledged and is {state} ({reason or 'no reason'})")
            elif order in broken:
                findings.add("I5", f"{service} {order} was acknowledged: {broken[order]}")
    for order in sorted(missing):
        findings.add("I5", f"{order} was acknowledged and is not there")


def _whole_tickets(tickets: Database, orders: Mapping[str, tuple[Any, ...]]) -> dict[str, str]:
    """Of ORDERS those that have not a ticket for each of their places, live or given back, with what is wrong."""
    had: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for order, status, refund in tickets.rows("SELECT order_id, status, refund_id FROM ticket_ticket"):
        had[order] += 1
        # Without a payment a ticket is given back without a refund, and the order keeps no trace of it.
        lost[order] += status != "LIVE" and refund is None and order in orders and orders[order][2] != "none"
    wrong = {}
    for order, (_state, _reason, _provider, _issued_at, places) in orders.items():
        wanted = len(json.loads(places))
        if had[order] != wanted or lost[order] or not wanted:
            wrong[order] = f"{had[order]} tickets for {wanted} places, {lost[order]} of them gone without a refund"
    return wrong


def _whole_items(shop: Database, orders: Mapping[str, tuple[Any, ...]]) -> dict[str, str]:
    """Of ORDERS those whose items are not what was ordered, with what is wrong. That what went back was refunded is I4."""
    had = {order: int(price) for order, price in shop.rows("SELECT order_id, SUM(price_krw * quantity) FROM merch_item GROUP BY order_id")}
    totals = {order: row[-1] for order, row in orders.items()}
    return {order: f"items of {had.get(order)}, it came to {total}" for order, total in totals.items() if had.get(order) != total}
