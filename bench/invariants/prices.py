"""Prices that are not what was agreed to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from bench.invariants.claims import SOLD
from bench.invariants.database import Database
from bench.invariants.findings import Findings


def prices_as_agreed(findings: Findings, tickets: Database, seats: Database) -> None:
    """A ticket costs what its concession makes of the price that its place was held at: of three accounts that are kept, all agree."""
    sold: defaultdict[str, int] = defaultdict(int)
    places: dict[tuple[str, str], dict[str, Any]] = {}
    for order, total, listed in tickets.rows("SELECT id, total_krw, places FROM ticket_order WHERE issued_at IS NOT NULL"):
        agreed = json.loads(listed)
        places |= {(order, place["id"]): place for place in agreed}
        if sum(place["price_krw"] for place in agreed) != total:
            findings.add("prices", f"{order}: its places do not come to {total}")
        for place in agreed:
            if place["price_krw"] != _agreed(place):
                findings.add("prices", f"{order}: {place['price_krw']} for {place['id']}, which should be {_agreed(place)}")
    columns = "order_id, place, price_krw, full_price_krw, concession_id, status"
    for order, identity, price, full, concession, status in tickets.rows(f"SELECT {columns} FROM ticket_ticket"):
        place = places.get((order, identity), {})
        said = (place.get("price_krw"), place.get("list_price_krw"), place.get("concession_id") or "")
        if said != (price, full, concession):
            findings.add("prices", f"{order}: the ticket for {identity} has {(price, full, concession)}, its order {said}")
        sold[order] += (price if full is None else full) if status == "LIVE" else 0
    held = dict(seats.rows(f"SELECT order_id, SUM(price_krw) FROM seat_claim WHERE state = {SOLD} GROUP BY order_id"))
    for order in held.keys() & sold.keys():
        if int(held[order]) != sold[order]:
            findings.add("prices", f"{order}: held at {held[order]}, sold at a full price of {sold[order]}")


def _agreed(place: Mapping[str, Any]) -> int:
    """What PLACE of an order should cost."""
    full = place.get("list_price_krw")
    if full is None:
        return int(place["price_krw"])
    percent = place.get("percent")
    return int(max(0, full - (place.get("off_krw") or 0) if percent is None else full - full * percent // 100))
