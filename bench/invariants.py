"""The checker of I1–I7: reads the databases of one booking system and the payment stand-in's own ledger, and counts violations by name.

Beside those: places that nobody can have any more, prices that are not what was agreed to, performances that were called off and are not
off everywhere, and bookings of which their buyers were not told by mail.

It is run when nothing is under way any more (`unsettled` says what is), after every load and fault test. It asks with queries of its
own and shares no code with the services it checks.

    python -m bench.invariants --ticket URL --seat URL [--merch URL] [--auth URL] [--standin http://… --admin-key KEY] [--acknowledged FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import urllib3

from bench.fees import Rule, fee_krw, most_krw, policy_of

HELD, SOLD, PINNED = 1, 2, 4
AREA_BASE, AREA_STRIDE = 10**12, 10**6
EXAMPLES = 5
ZONE = "Asia/Seoul"
BY_ORGANISER = ("organiser", "performance_called_off")
"""Why an order ended whose buyer had not asked for it."""
EDITED_S = 10
"""An edit reaches every process of a service within this, and their clocks differ by less."""
DECIDED_S = 60
"""A fee is worked out before its refund is written, by less than this."""


@dataclass
class Findings:
    """What is wrong, by invariant; a few examples of each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, invariant: str, what: str) -> None:
        self.counts[invariant] += 1
        if len(self.examples[invariant]) < EXAMPLES:
            self.examples[invariant].append(what)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def __str__(self) -> str:
        lines = [f"{name}: {count}" for name, count in sorted(self.counts.items())]
        lines += [f"  {name} {example}" for name, examples in sorted(self.examples.items()) for example in examples]
        return "\n".join(lines) or "no violation"


@dataclass(frozen=True)
class Payment:
    """One payment of the stand-in's ledger."""

    tid: str
    order_id: str
    captured_krw: int
    cancelled_krw: int
    captures: int


class Database:
    """Rows of a service's database, read only. URL is `sqlite:////path` or `mysql://user:password@host:port/name`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._connected() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        parts = urlsplit(self.url)
        if parts.scheme == "sqlite":
            with contextlib.closing(sqlite3.connect(f"file:{parts.path.replace('//', '/', 1)}?mode=ro", uri=True)) as connection:
                yield connection.cursor()
            return
        import MySQLdb

        address = {"host": parts.hostname, "port": parts.port or 3306, "user": unquote(parts.username or "")}
        secret = unquote(parts.password or "")
        name = parts.path.lstrip("/")
        with contextlib.closing(MySQLdb.connect(**address, passwd=secret, db=name, charset="utf8mb4")) as connection:
            yield connection.cursor()


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
    _one_ticket_a_seat(findings, tickets)
    _tickets_and_sold_places(findings, tickets, seats)
    _prices(findings, tickets, seats)
    known = _money(findings, tickets, "ticket", payments, has_payments=has_payments)
    _fees(findings, tickets, zone or ZoneInfo(ZONE))
    _acknowledged(findings, {"ticket": tickets} | ({"merch": Database(merch)} if merch else {}), acknowledged)
    _limits(findings, tickets, seats)
    _areas(findings, tickets, seats)
    _left_over(findings, tickets, seats)
    _called_off(findings, tickets, seats)
    if auth:
        _told(findings, Database(auth), {"ticket": ticket, "merch": merch})
    if merch:
        shop = Database(merch)
        _beside_called_off(findings, tickets, shop)
        known |= _money(findings, shop, "merch", payments, has_payments=has_payments)
        for order, fee in shop.rows("SELECT order_id, fee_krw FROM merch_orderrefund WHERE fee_krw <> 0 OR amount_krw > price_krw"):
            findings.add("I4", f"merch {order}: {fee} is kept, of merchandise nothing is")
        _stock(findings, shop)
    for payment in payments:
        if payment.captured_krw and payment.order_id not in known:
            findings.add("I2", f"captured {payment.captured_krw} for {payment.order_id}, which no service knows")
    return findings


def unsettled(*, ticket: str, merch: str = "") -> int:
    """Orders that are still on their way or have to be taken back, and calls that are still to be made: check when it is 0."""
    count = 0
    off = "JOIN ticket_performance p ON p.id = o.performance_id WHERE p.cancelled_at IS NOT NULL AND o.state IN ('PAYING', 'ISSUED')"
    count += int(Database(ticket).rows(f"SELECT COUNT(*) FROM ticket_order o {off}")[0][0])
    if merch:
        beside = "JOIN merch_withdrawntickets w ON w.ticket_order = o.ticket_order WHERE o.state IN ('PAYING', 'ISSUED')"
        count += int(Database(merch).rows(f"SELECT COUNT(*) FROM merch_order o {beside} AND o.picked_up_at IS NULL")[0][0])
        if _is_all_off(Database(merch)):
            standing = "SELECT COUNT(*) FROM merch_order WHERE state IN ('PAYING', 'ISSUED') AND picked_up_at IS NULL"
            count += int(Database(merch).rows(standing)[0][0])
    for url, service in ((ticket, "ticket"), (merch, "merch")):
        if url:
            database = Database(url)
            orders = f"SELECT COUNT(*) FROM {service}_order WHERE state NOT IN ('ISSUED', 'CANCELLED', 'REFUNDED', 'PAYING')"
            refunds = f"SELECT COUNT(*) FROM {service}_orderrefund WHERE open_order IS NOT NULL"
            count += sum(int(database.rows(sql)[0][0]) for sql in (orders, refunds, "SELECT COUNT(*) FROM kit_outboxmessage"))
    return count


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
            cancelled = sum(amount for kind, amount in moved if kind == "CANCEL")
            found.append(Payment(row["tid"], row["partner_order_id"], sum(captures), cancelled, len(captures)))
        if page["next"] is None:
            return found
        after = page["next"]


# I1


def _one_ticket_a_seat(findings: Findings, tickets: Database) -> None:
    live = "SELECT performance_id, seat, COUNT(*) FROM ticket_ticket WHERE status = 'LIVE' AND seat <> '' GROUP BY performance_id, seat"
    for performance, seat, count in tickets.rows(f"{live} HAVING COUNT(*) > 1"):
        findings.add("I1", f"{count} live tickets for {seat} of {performance}")


def _tickets_and_sold_places(findings: Findings, tickets: Database, seats: Database) -> None:
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


# Prices


def _prices(findings: Findings, tickets: Database, seats: Database) -> None:
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


# I2, I3, I4


def _money(findings: Findings, database: Database, service: str, payments: Collection[Payment], *, has_payments: bool) -> set[str]:
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
            _at_provider(findings, f"{service} {order}", state, captured, refunded + outside, at_provider[order])
    return known


def _at_provider(findings: Findings, order: str, state: str, captured: int, refunded: int, payments: list[Payment]) -> None:
    taken = [payment for payment in payments if payment.captured_krw]
    if len(taken) > 1 or any(payment.captures > 1 for payment in taken):
        findings.add("I2", f"{order} was captured {sum(payment.captures for payment in taken)} times")
    at_provider = (sum(payment.captured_krw for payment in taken), sum(payment.cancelled_krw for payment in taken))
    if at_provider != (captured, refunded):
        findings.add("I4", f"{order}: the provider has {at_provider}, the ledger {(captured, refunded)}")
    if taken and state not in ("ISSUED", "REFUNDED"):
        findings.add("I2", f"{order} was captured and is {state}")
    if taken and state == "REFUNDED" and at_provider[1] == 0:
        findings.add("I2", f"{order} was captured, is {state}, and nothing went back")


# The fees in I4


@dataclass(frozen=True)
class Event:
    """What the ticket service knows of the event now, and since when."""

    policy: Mapping[str, Any]
    cancel_until: datetime | None
    updated_at: datetime
    starts: Mapping[str, datetime]


def _fees(findings: Findings, tickets: Database, zone: tzinfo) -> None:
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
            least, most = _kept(event, prices[identity], _at(at), zone, *booked)
        if not least <= fee <= most:
            should = f"{least}" if least == most else f"{least} to {most}"
            findings.add("I4", f"ticket {order}: {fee} was kept of {price} ({reason}), which should be {should}")
        if amount > price - fee:  # less only where other hands gave something back: `_money`
            findings.add("I4", f"ticket {order}: {amount} of {price} went back, {fee} being kept")


def _kept(
    event: Event, prices: list[int], at: datetime, zone: tzinfo, performance: str, policy: object, told: object, booked: object
) -> tuple[int, int]:
    """The least and the most that may have been kept at AT of tickets of PRICES, whose order has the other columns.

    That is one figure while the event is what it was. Once it was edited, nobody knows what it was: what the order itself keeps
    of what its buyer was told is the limit, as something else is used only where it is kinder.
    """
    own = policy_of(_read(policy) or event.policy)
    then = _read(told)
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
        fees = [fee_krw(rules, prices, booked_at=_at(booked), now=now, zone=zone) for now in moments]
        return min(fees), max(fees)
    if by_told is not None and by_told.is_open(at, zone):
        return 0, max(fee_krw([by_told], prices, booked_at=_at(booked), now=now, zone=zone) for now in moments)
    return 0, most_krw([own, event.policy], prices)


def _event(tickets: Database) -> Event | None:
    rows = tickets.rows("SELECT refund_policy, cancel_until, updated_at FROM ticket_event")
    if not rows:
        return None
    starts = {performance: _at(at) for performance, at in tickets.rows("SELECT id, starts_at FROM ticket_performance")}
    [(policy, ends, updated_at)] = rows
    return Event(policy_of(_read(policy)), None if ends is None else _at(ends), _at(updated_at), starts)


def _read(column: Any) -> Any:
    """What a JSON column holds."""
    return None if column is None else json.loads(column)


def _at(column: Any) -> datetime:
    """A moment from either database, which both keep it in UTC without saying so."""
    found = column if isinstance(column, datetime) else datetime.fromisoformat(str(column))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# I5


def _acknowledged(findings: Findings, services: Mapping[str, Database], acknowledged: Collection[str]) -> None:
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


# I6


def _limits(findings: Findings, tickets: Database, seats: Database) -> None:
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


# I7


def _areas(findings: Findings, tickets: Database, seats: Database) -> None:
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


def _stock(findings: Findings, shop: Database) -> None:
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


# What must not be left over


def _left_over(findings: Findings, tickets: Database, seats: Database) -> None:
    """A pin without an order that is being paid keeps its places from being sold for ever."""
    paying = {
        order for (order,) in tickets.rows("SELECT id FROM ticket_order WHERE state IN ('PENDING', 'PAYING', 'APPROVING', 'CAPTURED')")
    }
    for (order,) in seats.rows(f"SELECT DISTINCT order_id FROM seat_claim WHERE state = {PINNED}"):
        if order not in paying:
            findings.add("lost places", f"pinned for {order}, which is not being paid")


# What is off is off everywhere


def _called_off(findings: Findings, tickets: Database, seats: Database) -> None:
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


def _beside_called_off(findings: Findings, tickets: Database, shop: Database) -> None:
    off = {order for (order,) in tickets.rows("SELECT id FROM ticket_order WHERE reason = 'performance_called_off'")}
    for order, beside in shop.rows("SELECT id, ticket_order FROM merch_order WHERE state = 'ISSUED' AND picked_up_at IS NULL"):
        if beside in off:
            findings.add("called off", f"merch {order} stands beside {beside}, whose performance is called off")
    if _is_all_off(shop):
        for (order,) in shop.rows("SELECT id FROM merch_order WHERE state = 'ISSUED' AND picked_up_at IS NULL"):
            findings.add("called off", f"merch {order} stands, and every performance is called off")


def _is_all_off(shop: Database) -> bool:
    [(known, off)] = shop.rows("SELECT COUNT(*), COUNT(called_off_at) FROM merch_performance WHERE starts_at IS NOT NULL")
    return bool(known) and known == off


# Who bought is told


def _told(findings: Findings, accounts: Database, sellers: Mapping[str, str]) -> None:
    """Of each order that was confirmed a notice waits, or auth has had it. Of buyers who have an account: to others nobody can write."""
    buyers = {_plain(buyer) for (buyer,) in accounts.rows("SELECT id FROM auth_buyer WHERE closed_at IS NULL")}
    for service, url in sellers.items():
        if not url:
            continue
        # In the order in which it happens: what is brought meanwhile is found twice rather than not at all.
        confirmed = Database(url).rows(f"SELECT id, buyer_id FROM {service}_order WHERE issued_at IS NOT NULL")
        told = {notice for (notice,) in Database(url).rows(f"SELECT id FROM {service}_notice")}
        told |= {letter for (letter,) in accounts.rows("SELECT id FROM auth_letter")}
        for order, buyer in confirmed:
            if _plain(buyer) in buyers and order not in told:
                findings.add("mail", f"{service} {order} was confirmed to nobody")


def _plain(identity: object) -> str:
    return str(identity).replace("-", "")


def _content(seats: Database) -> dict[str, Any] | None:
    rows = seats.rows("SELECT body FROM seat_content")
    return json.loads(rows[0][0]) if rows else None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.invariants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ticket", required=True, metavar="URL")
    parser.add_argument("--seat", required=True, metavar="URL")
    parser.add_argument("--merch", default="", metavar="URL")
    parser.add_argument("--auth", default="", metavar="URL", help="where mail is sent")
    parser.add_argument("--standin", default="", metavar="URL")
    parser.add_argument("--admin-key", default="")
    parser.add_argument("--acknowledged", type=Path, metavar="FILE", help="ids of orders that buyers were told are issued, one a line")
    parser.add_argument("--zone", default=ZONE, help=f"the event's, {ZONE} without it")
    arguments = parser.parse_args()
    payments = ledger(arguments.standin, arguments.admin_key) if arguments.standin else []
    waiting = unsettled(ticket=arguments.ticket, merch=arguments.merch)
    findings = check(
        ticket=arguments.ticket,
        seat=arguments.seat,
        merch=arguments.merch,
        auth=arguments.auth,
        payments=payments,
        has_payments=bool(arguments.standin),
        acknowledged=arguments.acknowledged.read_text().split() if arguments.acknowledged else (),
        zone=ZoneInfo(arguments.zone),
    )
    print(findings)
    print(f"unsettled: {waiting}")
    return 1 if findings.total or waiting else 0


if __name__ == "__main__":
    sys.exit(main())
