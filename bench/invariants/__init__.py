"""The checker of I1–I7: reads the databases of one booking system and the payment stand-in's own ledger, and counts violations by name.

Beside those: places that nobody can have any more, prices that are not what was agreed to, performances that were called off and are not
off everywhere, and bookings of which their buyers were not told by mail.

It is run when nothing is under way any more (`unsettled` says what is), after every load and fault test. It asks with queries of its
own and shares no code with the services it checks.

    python -m bench.invariants --ticket URL --seat URL [--merch URL] [--auth URL] [--standin http://… --admin-key KEY] [--acknowledged FILE]
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import tzinfo
from zoneinfo import ZoneInfo

from bench.invariants.acknowledged import still_there
from bench.invariants.called_off import is_all_off, no_place_of_what_is_off, nothing_beside_what_is_off
from bench.invariants.database import Database
from bench.invariants.fees import fees_by_policy, no_fee_in_the_shop
from bench.invariants.findings import Findings
from bench.invariants.limits import areas_within_capacity, limits_per_buyer, stock_as_counted
from bench.invariants.mail import buyers_told
from bench.invariants.money import money_on_record
from bench.invariants.places import no_pin_left_over, one_ticket_a_seat, tickets_and_sold_places
from bench.invariants.prices import prices_as_agreed
from bench.invariants.refunds import refunds_on_record, tickets_of_refunds
from bench.invariants.standin import Payment, ledger

__all__ = ["ZONE", "Findings", "Payment", "check", "ledger", "unsettled"]

ZONE = "Asia/Seoul"


def check(
    *,
    ticket: str,
    seat: str,
    merch: str = "",
    auth: str = "",
    payments: Collection[Payment] = (),
    has_payments: bool = True,
    acknowledged: Collection[str] = (),
    zone: tzinfo | None = None,
) -> Findings:
    """Count violations. TICKET, SEAT and MERCH are database addresses, and AUTH where it sends mail; PAYMENTS the stand-in's whole ledger.

    ACKNOWLEDGED are ids of orders, of tickets or of merchandise, whose buyers were told that they are issued, and who did not cancel all of
    them since (I5). Days before a performance are those of ZONE, the event's; Korea's when it is not given.
    """
    findings = Findings()
    tickets, seats = Database(ticket), Database(seat)
    one_ticket_a_seat(findings, tickets)
    tickets_and_sold_places(findings, tickets, seats)
    prices_as_agreed(findings, tickets, seats)
    known = money_on_record(findings, tickets, "ticket", payments, has_payments=has_payments)
    refunds_on_record(findings, tickets, "ticket", payments, has_payments=has_payments)
    tickets_of_refunds(findings, tickets)
    fees_by_policy(findings, tickets, zone or ZoneInfo(ZONE))
    still_there(findings, {"ticket": tickets} | ({"merch": Database(merch)} if merch else {}), acknowledged)
    limits_per_buyer(findings, tickets, seats)
    areas_within_capacity(findings, tickets, seats)
    no_pin_left_over(findings, tickets, seats)
    no_place_of_what_is_off(findings, tickets, seats)
    if auth:
        buyers_told(findings, Database(auth), {"ticket": ticket, "merch": merch})
    if merch:
        shop = Database(merch)
        nothing_beside_what_is_off(findings, tickets, shop)
        known |= money_on_record(findings, shop, "merch", payments, has_payments=has_payments)
        refunds_on_record(findings, shop, "merch", payments, has_payments=has_payments)
        no_fee_in_the_shop(findings, shop)
        stock_as_counted(findings, shop)
    for payment in payments:
        if payment.captured_krw and payment.order_id not in known:
            findings.add("I2", f"captured {payment.captured_krw} for {payment.order_id}, which no service knows")
    return findings


def unsettled(*, ticket: str, merch: str = "") -> int:
    """Orders that are still on their way or have to be taken back, and calls that are still to be made: check when it is 0."""
    off = "JOIN ticket_performance p ON p.id = o.performance_id WHERE p.cancelled_at IS NOT NULL AND o.state IN ('PAYING', 'ISSUED')"
    count = int(Database(ticket).rows(f"SELECT COUNT(*) FROM ticket_order o {off}")[0][0]) + _under_way(ticket, "ticket")
    if merch:
        # After what ticket has to tell it: what arrives while this counts is found here, or was found there.
        shop = Database(merch)
        beside = "JOIN merch_withdrawntickets w ON w.ticket_order = o.ticket_order WHERE o.state IN ('PAYING', 'ISSUED')"
        count += int(shop.rows(f"SELECT COUNT(*) FROM merch_order o {beside} AND o.picked_up_at IS NULL")[0][0])
        if is_all_off(shop):
            standing = "SELECT COUNT(*) FROM merch_order WHERE state IN ('PAYING', 'ISSUED') AND picked_up_at IS NULL"
            count += int(shop.rows(standing)[0][0])
        count += _under_way(merch, "merch")
    return count


def _under_way(url: str, service: str) -> int:
    """Orders, refunds and calls of one service."""
    database = Database(url)
    orders = f"SELECT COUNT(*) FROM {service}_order WHERE state NOT IN ('ISSUED', 'CANCELLED', 'REFUNDED', 'PAYING')"
    refunds = f"SELECT COUNT(*) FROM {service}_orderrefund WHERE open_order IS NOT NULL"
    return sum(int(database.rows(sql)[0][0]) for sql in (orders, refunds, "SELECT COUNT(*) FROM kit_outboxmessage"))
