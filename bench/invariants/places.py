"""I1, and places that nobody can have any more: the ticket service and the seat service must say the same of who has what."""

from __future__ import annotations

from collections import Counter, defaultdict

from bench.invariants.claims import AREA_BASE, AREA_STRIDE, PINNED, SOLD
from bench.invariants.database import Database
from bench.invariants.findings import Findings


def one_ticket_a_seat(findings: Findings, tickets: Database) -> None:
    """I1 as the ticket service sees it."""
    live = "SELECT performance_id, seat, COUNT(*) FROM ticket_ticket WHERE status = 'LIVE' AND seat <> '' GROUP BY performance_id, seat"
    for performance, seat, count in tickets.rows(f"{live} HAVING COUNT(*) > 1"):
        findings.add("I1", f"{count} live tickets for {seat} of {performance}")


def tickets_and_sold_places(findings: Findings, tickets: Database, seats: Database) -> None:
    """Both services must say the same of who has what: a sold place without a ticket is lost, a ticket without one is sold again."""
    sold, live = _sold(seats), _live(tickets)
    for order in sold.keys() | live.keys():
        if lost := sold[order] - live[order]:
            findings.add("lost places", f"{order}: {_listed(lost)} sold without a live ticket")
        if bare := live[order] - sold[order]:
            findings.add("I1", f"{order}: live tickets for {_listed(bare)}, which is not sold to it")


def _sold(seats: Database) -> defaultdict[str, Counter[tuple[str, str]]]:
    """By order, the places that are sold to it: performance, and seat or area."""
    performances = dict(seats.rows("SELECT number, id FROM seat_performance"))
    guids = dict(seats.rows("SELECT number, guid FROM seat_seat"))
    areas = dict(seats.rows("SELECT number, id FROM seat_area"))
    found: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for order, performance, place in seats.rows(f"SELECT order_id, performance, place FROM seat_claim WHERE state = {SOLD}"):
        name = areas.get((place - AREA_BASE) // AREA_STRIDE) if place > AREA_BASE else guids.get(place)
        found[order][performances.get(performance, f"number {performance}"), name or f"number {place}"] += 1
    return found


def _live(tickets: Database) -> defaultdict[str, Counter[tuple[str, str]]]:
    """By order, the places of its live tickets."""
    found: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for order, performance, seat, area in tickets.rows(
        "SELECT order_id, performance_id, seat, area FROM ticket_ticket WHERE status = 'LIVE'"
    ):
        found[order][performance, seat or area] += 1
    return found


def _listed(places: Counter[tuple[str, str]]) -> str:
    return ", ".join(f"{place} of {performance}" for performance, place in sorted(places.elements()))


def no_pin_left_over(findings: Findings, tickets: Database, seats: Database) -> None:
    """A pin without an order that is being paid keeps its places from being sold for ever."""
    paying = {
        order for (order,) in tickets.rows("SELECT id FROM ticket_order WHERE state IN ('PENDING', 'PAYING', 'APPROVING', 'CAPTURED')")
    }
    for (order,) in seats.rows(f"SELECT DISTINCT order_id FROM seat_claim WHERE state = {PINNED}"):
        if order not in paying:
            findings.add("lost places", f"pinned for {order}, which is not being paid")
