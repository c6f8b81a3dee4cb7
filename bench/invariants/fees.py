"""The fees in I4, worked out anew with `bench.fees`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from bench.fees import Rule, fee_krw, most_krw, policy_of
from bench.invariants.database import Database, moment, read_json
from bench.invariants.findings import Findings

EDITED_S = 10
"""An edit reaches every process of a service within this, and their clocks differ by less."""
DECIDED_S = 60
"""A fee is worked out before its refund is written, by less than this."""


@dataclass(frozen=True)
class Event:
    """What the ticket service knows of the event now, and since when."""

    policy: Mapping[str, Any]
    cancel_until: datetime | None
    updated_at: datetime
    starts: Mapping[str, datetime]


def fees_by_policy(findings: Findings, tickets: Database, zone: tzinfo) -> None:
    """What was kept of tickets that were given back is what their policy says, and nothing where it was not their buyer's wish."""
    event = _event(tickets)
    if event is None:
        return
    prices: defaultdict[str, list[int]] = defaultdict(list)
    for refund, price in tickets.rows("SELECT refund_id, price_krw FROM ticket_ticket WHERE refund_id IS NOT NULL"):
        prices[refund].append(price)
    free = {refund for (refund,) in tickets.rows("SELECT refund_id FROM ticket_refundbyhand WHERE in_full AND refund_id IS NOT NULL")}
    terms = "o.performance_id, o.refund_policy, o.told, COALESCE(o.issued_at, o.created_at)"
    columns = f"r.id, r.order_id, r.price_krw, r.fee_krw, r.amount_krw, r.reason, r.created_at, {terms}"
    for identity, order, price, fee, amount, reason, at, *booked in tickets.rows(
        f"SELECT {columns} FROM ticket_orderrefund r JOIN ticket_order o ON o.id = r.order_id WHERE r.done_at IS NOT NULL"
    ):
        least = most = 0
        if reason in ("buyer", "organiser") and identity not in free:
            least, most = _kept(event, prices[identity], moment(at), zone, *booked)
        if not least <= fee <= most:
            should = f"{least}" if least == most else f"{least} to {most}"
            findings.add("I4", f"ticket {order}: {fee} was kept of {price} ({reason}), which should be {should}")
        if amount > price - fee:  # less only where other hands gave something back: `money_on_record`
            findings.add("I4", f"ticket {order}: {amount} of {price} went back, {fee} being kept")


def no_fee_in_the_shop(findings: Findings, shop: Database) -> None:
    """Of merchandise that was given back nothing is kept."""
    for order, fee in shop.rows("SELECT order_id, fee_krw FROM merch_orderrefund WHERE fee_krw <> 0 OR amount_krw > price_krw"):
        findings.add("I4", f"merch {order}: {fee} is kept, of merchandise nothing is")


def _kept(
    event: Event, prices: list[int], at: datetime, zone: tzinfo, performance: str, policy: object, told: object, booked: object
) -> tuple[int, int]:
    """The least and the most that may have been kept at AT of tickets of PRICES, whose order has the other columns.

    That is one figure while the event is what it was. Once it was edited, nobody knows what it was: what the order itself keeps
    of what its buyer was told is the limit, as something else is used only where it is kinder.
    """
    own = policy_of(read_json(policy) or event.policy)
    then = read_json(told)
    by_told = None
    if then:
        ends = then["cancel_until"] and datetime.fromisoformat(then["cancel_until"])
        by_told = Rule(own, datetime.fromisoformat(then["starts_at"]), ends)
    moments = (at - timedelta(seconds=DECIDED_S), at)
    starts_at = event.starts.get(performance)
    if event.updated_at < at - timedelta(seconds=EDITED_S) and starts_at is not None:
        rules = [Rule(own, starts_at, event.cancel_until)]
        if by_told is not None:
            ends = min(by_told.cancel_until or starts_at, starts_at)
            rules.append(Rule(own, by_told.starts_at, ends))
        if own != event.policy:
            rules.append(Rule(event.policy, starts_at, event.cancel_until))
        fees = [fee_krw(rules, prices, booked_at=moment(booked), now=now, zone=zone) for now in moments]
        return min(fees), max(fees)
    if by_told is not None and by_told.is_open(at, zone):
        return 0, max(fee_krw([by_told], prices, booked_at=moment(booked), now=now, zone=zone) for now in moments)
    return 0, most_krw([own, event.policy], prices)


def _event(tickets: Database) -> Event | None:
    rows = tickets.rows("SELECT refund_policy, cancel_until, updated_at FROM ticket_event")
    if not rows:
        return None
    starts = {performance: moment(at) for performance, at in tickets.rows("SELECT id, starts_at FROM ticket_performance")}
    [(policy, ends, updated_at)] = rows
    return Event(policy_of(read_json(policy)), None if ends is None else moment(ends), moment(updated_at), starts)
