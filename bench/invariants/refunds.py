"""Each refund in I4: its row, its line in the ledger, the tickets that it is for, and what the provider has under its id, agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

from bench.invariants.database import Database
from bench.invariants.findings import Findings
from bench.invariants.standin import Payment

CALLED_OFF = "performance_called_off"


def refunds_on_record(findings: Findings, database: Database, service: str, payments: Collection[Payment], *, has_payments: bool) -> None:
    """Refunds as the service has them agree with its ledger, its orders and, where HAS_PAYMENTS, the provider's list."""
    made: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for identity, order, amount in database.rows(f"SELECT id, order_id, amount_krw FROM {service}_orderrefund WHERE done_at IS NOT NULL"):
        made[order][identity] = int(amount)
    booked: defaultdict[str, dict[str, int]] = defaultdict(dict)
    outside: Counter[str] = Counter()
    for order, kind, amount, reference in database.rows(f"SELECT order_id, kind, amount_krw, reference FROM {service}_ledgerentry"):
        if kind == "refund":
            booked[order][reference] = int(amount)
        elif kind == "outside":
            outside[order] += int(amount)
    for order in made.keys() | booked.keys():
        moved = {identity: amount for identity, amount in made[order].items() if amount}
        if booked[order] != moved:
            findings.add("I4", f"{service} {order}: refunds {moved}, the ledger has {booked[order]}")
    for order, refunded in database.rows(f"SELECT id, refunded_krw FROM {service}_order"):
        back = sum(booked[order].values()) + outside[order]
        if refunded != back:
            findings.add("I4", f"{service} {order} is said to be refunded {refunded}, the ledger has {back}")
    if has_payments:
        for payment in payments:
            if payment.captured_krw and payment.refunds is not None and (payment.order_id in made or payment.order_id in outside):
                _as_listed(findings, f"{service} {payment.order_id}", payment, made[payment.order_id], outside[payment.order_id])


def _as_listed(findings: Findings, order: str, payment: Payment, made: dict[str, int], outside: int) -> None:
    """What the provider lists under a refund's id is that refund, once; under none is what others gave back, or an older release."""
    assert payment.refunds is not None
    listed = {identity: amount for identity, amount in payment.refunds.items() if identity}
    for identity, amount in listed.items():
        if made.get(identity) != amount:
            findings.add("I4", f"{order}: the provider gave {amount} back for {identity}, the refund is {made.get(identity)}")
    unnamed = sum(amount for identity, amount in made.items() if identity not in listed)
    if unnamed + outside != payment.refunds.get("", 0):
        findings.add("I4", f"{order}: the provider lists {payment.refunds.get('', 0)} of nobody's, other hands gave {outside} back")


def tickets_of_refunds(findings: Findings, tickets: Database) -> None:
    """A refund of what was issued has the price of the tickets that it took back; a compensation is what the calling-off has promised."""
    prices = {
        refund: int(price) for refund, price in tickets.rows("SELECT refund_id, SUM(price_krw) FROM ticket_ticket GROUP BY refund_id")
    }
    owed: Counter[str] = Counter()
    columns = "r.id, r.order_id, r.price_krw, r.reason, r.compensation_krw, o.issued_at, COALESCE(p.compensation_percent, 0)"
    joined = "ticket_orderrefund r JOIN ticket_order o ON o.id = r.order_id LEFT JOIN ticket_performance p ON p.id = o.performance_id"
    for identity, order, price, reason, compensation, issued_at, percent in tickets.rows(f"SELECT {columns} FROM {joined}"):
        owed[order] += compensation
        if issued_at is not None and prices.get(identity, 0) != price:
            findings.add("I4", f"ticket {order}: {price} is refunded for tickets of {prices.get(identity, 0)}")
        due = price * percent // 100 if reason == CALLED_OFF and issued_at is not None else 0
        if compensation != due:
            findings.add("I4", f"ticket {order}: a compensation of {compensation}, which should be {due}")
    for order, compensation in tickets.rows("SELECT id, compensation_krw FROM ticket_order"):
        if compensation != owed[order]:
            findings.add("I4", f"ticket {order} is owed {compensation}, its refunds say {owed[order]}")
    held = "SELECT COUNT(*), refund_id FROM ticket_ticket WHERE status = 'LIVE' AND refund_id IS NOT NULL GROUP BY refund_id"
    for count, refund in tickets.rows(held):
        findings.add("I4", f"{count} tickets are live that {refund} took back")
