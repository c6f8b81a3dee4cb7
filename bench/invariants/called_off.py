"""Performances that were called off are off everywhere."""

from __future__ import annotations

from bench.invariants.claims import HELD, PINNED, SOLD
from bench.invariants.database import Database
from bench.invariants.findings import Findings


def no_place_of_what_is_off(findings: Findings, tickets: Database, seats: Database) -> None:
    """Of a performance that was called off nobody has a ticket or a place, and it is sold no more."""
    off = {performance for (performance,) in tickets.rows("SELECT id FROM ticket_performance WHERE cancelled_at IS NOT NULL")}
    live = "SELECT performance_id, COUNT(*) FROM ticket_ticket WHERE status = 'LIVE' GROUP BY performance_id"
    for performance, count in tickets.rows(live):
        if performance in off:
            findings.add("called off", f"{count} live tickets of {performance}, which is called off")
    known = seats.rows("SELECT id, number, called_off_at FROM seat_performance")
    numbers = {performance: (number, since) for performance, number, since in known}
    taken = dict(seats.rows(f"SELECT performance, COUNT(*) FROM seat_claim WHERE state IN ({HELD}, {SOLD}, {PINNED}) GROUP BY performance"))
    for performance in off:
        number, since = numbers.get(performance, (0, None))
        if since is None:
            findings.add("called off", f"{performance} is called off, and still sold by seat")
        if taken.get(number):
            findings.add("called off", f"{taken[number]} places of {performance} are taken, which is called off")


def nothing_beside_what_is_off(findings: Findings, tickets: Database, shop: Database) -> None:
    """No merchandise waits to be picked up beside tickets of such a performance, and none at all when every performance is off."""
    off = {order for (order,) in tickets.rows("SELECT id FROM ticket_order WHERE reason = 'performance_called_off'")}
    for order, beside in shop.rows("SELECT id, ticket_order FROM merch_order WHERE state = 'ISSUED' AND picked_up_at IS NULL"):
        if beside in off:
            findings.add("called off", f"merch {order} stands beside {beside}, whose performance is called off")
    if is_all_off(shop):
        for (order,) in shop.rows("SELECT id FROM merch_order WHERE state = 'ISSUED' AND picked_up_at IS NULL"):
            findings.add("called off", f"merch {order} stands, and every performance is called off")


def is_all_off(shop: Database) -> bool:
    """Whether every performance that the shop knows was called off."""
    [(known, off)] = shop.rows("SELECT COUNT(*), COUNT(called_off_at) FROM merch_performance WHERE starts_at IS NOT NULL")
    return bool(known) and known == off
