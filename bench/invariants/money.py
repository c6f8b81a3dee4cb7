"""I2, I3 and I4: each order against the service's ledger and the provider's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

from bench.invariants.database import Database
from bench.invariants.findings import Findings
from bench.invariants.standin import Payment


def money_on_record(findings: Findings, database: Database, service: str, payments: Collection[Payment], *, has_payments: bool) -> set[str]:
    """Each order against the ledger and the provider; the ids of all orders."""
    entries: defaultdict[str, Counter[str]] = defaultdict(Counter)
    captures: Counter[str] = Counter()
    for order, kind, amount in database.rows(f"SELECT order_id, kind, amount_krw FROM {service}_ledgerentry"):
        entries[order][kind] += int(amount)
        captures[order] += kind == "capture"
    made = f"FROM {service}_orderrefund WHERE done_at IS NOT NULL GROUP BY order_id"
    fees = {order: int(fee) for order, fee in database.rows(f"SELECT order_id, SUM(fee_krw) {made}")}
    # What was not refunded, for other hands had given it back at the provider already.
    short = {order: int(sum_) for order, sum_ in database.rows(f"SELECT order_id, SUM(price_krw) - SUM(fee_krw) - SUM(amount_krw) {made}")}
    if service == "ticket":
        prices = "SELECT order_id, SUM(price_krw), COUNT(*) FROM ticket_ticket WHERE status = 'LIVE' GROUP BY order_id"
    else:
        prices = "SELECT order_id, SUM(price_krw * (quantity - given_back)), SUM(quantity - given_back) FROM merch_item GROUP BY order_id"
    live, count = {}, {}
    for order, price, had in database.rows(prices):
        live[order], count[order] = int(price), int(had)
    at_provider: defaultdict[str, list[Payment]] = defaultdict(list)
    for payment in payments:
        at_provider[payment.order_id].append(payment)
    known = set()
    columns = "id, state, provider, total_krw, issued_at"
    for order, state, provider, total, issued_at in database.rows(f"SELECT {columns} FROM {service}_order"):
        known.add(order)
        captured, refunded, outside = (entries[order][kind] for kind in ("capture", "refund", "outside"))
        is_paid = provider != "none"
        standing = live.get(order, 0) if service == "ticket" or state == "ISSUED" else 0
        if is_paid and state == "ISSUED" and (captures[order] != 1 or captured != total):
            findings.add("I3", f"{service} {order} is issued for {total} with {captures[order]} captures of {captured}")
        if state == "ISSUED" and not count.get(order):
            findings.add("I2", f"{service} {order} is issued, and its buyer has nothing of it")
        if issued_at is None and captured != refunded + outside:
            findings.add("I2", f"{service} {order} was never issued: {captured} captured, {refunded + outside} refunded ({state})")
        if captured - refunded != (standing + fees.get(order, 0) + short.get(order, 0) if is_paid else 0):
            findings.add("I4", f"{service} {order}: {captured} - {refunded} is not {standing} + {fees.get(order, 0)} ({state})")
        if not 0 <= short.get(order, 0) <= outside:
            findings.add("I4", f"{service} {order}: {short.get(order, 0)} was not refunded, other hands gave {outside} back")
        if has_payments:
            _at_provider(findings, f"{service} {order}", state, captured, refunded + outside, fees.get(order, 0), at_provider[order])
    return known


def _at_provider(findings: Findings, order: str, state: str, captured: int, refunded: int, fees: int, payments: list[Payment]) -> None:
    taken = [payment for payment in payments if payment.captured_krw]
    if len(taken) > 1 or any(payment.captures > 1 for payment in taken):
        findings.add("I2", f"{order} was captured {sum(payment.captures for payment in taken)} times")
    at_provider = (sum(payment.captured_krw for payment in taken), sum(payment.cancelled_krw for payment in taken))
    if at_provider != (captured, refunded):
        findings.add("I4", f"{order}: the provider has {at_provider}, the ledger {(captured, refunded)}")
    if taken and state not in ("ISSUED", "REFUNDED"):
        findings.add("I2", f"{order} was captured and is {state}")
    if taken and state == "REFUNDED" and at_provider[1] == 0 and fees < captured:
        findings.add("I2", f"{order} was captured, is {state}, and nothing went back")
