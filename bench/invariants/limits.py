"""I6 and I7: nobody has more than one buyer may, and nothing is sold that there is not."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from bench.invariants.claims import AREA_BASE, AREA_STRIDE, HELD, PINNED, SOLD
from bench.invariants.database import Database
from bench.invariants.findings import Findings


def limits_per_buyer(findings: Findings, tickets: Database, seats: Database) -> None:
    """I6: a buyer's places and live tickets of a performance, counted anew, and the slots that the seat service counts them by."""
    content = _content(seats)
    limit = int(content["limit_per_buyer"]) if content else 0
    if not limit:
        return
    had = f"SELECT performance, buyer, COUNT(*) FROM seat_claim WHERE state IN ({HELD}, {SOLD}, {PINNED}) AND buyer <> ''"
    counted = {(performance, buyer): count for performance, buyer, count in seats.rows(f"{had} GROUP BY performance, buyer")}
    for (performance, buyer), count in counted.items():
        if count > limit:
            findings.add("I6", f"{buyer} has {count} places of performance {performance}, {limit} are allowed")
    for performance, buyer, slot in seats.rows(f"SELECT performance, buyer, slot FROM seat_claim WHERE slot > {limit} OR slot < 1"):
        findings.add("I6", f"{buyer} has slot {slot} for performance {performance}, {limit} are allowed")
    live = (
        "SELECT o.buyer_id, t.performance_id, COUNT(*) FROM ticket_ticket t JOIN ticket_order o ON o.id = t.order_id"
        " WHERE t.status = 'LIVE' GROUP BY o.buyer_id, t.performance_id"
    )
    for buyer, performance, count in tickets.rows(live):
        if count > limit and not buyer.startswith("erased-"):
            findings.add("I6", f"{buyer} has {count} live tickets of {performance}, {limit} are allowed")


def areas_within_capacity(findings: Findings, tickets: Database, seats: Database) -> None:
    """I7: what is taken of an area, and its live tickets."""
    content = _content(seats)
    capacities = {area["id"]: int(area["capacity"]) for area in (content or {}).get("areas") or []}
    if not capacities:
        return
    area_of = dict(seats.rows("SELECT number, id FROM seat_area"))
    had: Counter[tuple[int, str]] = Counter()
    claims = f"SELECT performance, place FROM seat_claim WHERE state IN ({HELD}, {SOLD}, {PINNED})"
    for performance, place in seats.rows(claims):
        area = area_of.get((place - AREA_BASE) // AREA_STRIDE)
        if area is not None:
            had[performance, area] += 1
    for (performance, area), count in had.items():
        if count > capacities.get(area, 0):
            findings.add("I7", f"{count} places of {area} taken for performance {performance}, it has {capacities.get(area, 0)}")
    live = "SELECT performance_id, area, COUNT(*) FROM ticket_ticket WHERE status = 'LIVE' AND area <> '' GROUP BY performance_id, area"
    for performance, area, count in tickets.rows(live):
        if count > capacities.get(area, 0):
            findings.add("I7", f"{count} live tickets for {area} of {performance}, it has {capacities.get(area, 0)}")


def stock_as_counted(findings: Findings, shop: Database) -> None:
    """I7 of merchandise: no more is sold than there was, and as much as orders have; I6: what one buyer has of a product."""
    standing = (
        "SELECT i.choice_id, SUM(i.quantity - i.given_back) FROM merch_item i JOIN merch_order o ON o.id = i.order_id"
        " WHERE o.state NOT IN ('CANCELLED', 'REFUNDING', 'REFUNDED') GROUP BY i.choice_id"
    )
    taken = {choice: int(quantity) for choice, quantity in shop.rows(standing)}
    for choice, product, option, stock, sold in shop.rows("SELECT id, product_id, `option`, stock, sold FROM merch_choice"):
        if sold > stock:
            findings.add("I7", f"{sold} of {product} {option} sold, there were {stock}")
        if sold != taken.get(choice, 0):
            findings.add("I7", f"{product} {option}: {sold} counted as sold, orders have {taken.get(choice, 0)}")
    had = (
        "SELECT o.buyer_id, p.id, p.limit_per_buyer, SUM(i.quantity - i.given_back) FROM merch_item i"
        " JOIN merch_order o ON o.id = i.order_id JOIN merch_choice c ON c.id = i.choice_id JOIN merch_product p ON p.id = c.product_id"
        " WHERE o.state NOT IN ('CANCELLED', 'REFUNDING', 'REFUNDED') GROUP BY o.buyer_id, p.id, p.limit_per_buyer"
    )
    for buyer, product, limit, count in shop.rows(had):
        if count > limit and not buyer.startswith("erased-"):
            findings.add("I6", f"{buyer} has {count} of {product}, {limit} are allowed")


def _content(seats: Database) -> dict[str, Any] | None:
    rows = seats.rows("SELECT body FROM seat_content")
    return json.loads(rows[0][0]) if rows else None
