"""The rules of who has a place: hold, extend, free. With `orders`, the only code that writes claims and changes.

Each rule is one conditional write, or writes that a constraint ends together. What is read beforehand only prepares it, what is read
afterwards only explains it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import NamedTuple

from django.db import IntegrityError, connection
from django.db.models import BooleanField, Case, QuerySet, Value, When

from booking_templates.kit import batch
from booking_templates.kit.db import db_now, retry_transaction, write
from booking_templates.seat import slots, taken
from booking_templates.seat.clock import NowMs, now_ms, now_sql, to_ms
from booking_templates.seat.models import CONTENT_ID, Change, Claim, Content, EndedHold, Sale, State, claim_id, claims_of, claims_on

ROUNDS = 5
SWEEP_HOLDS = 200
CHUNK = 400
KEEP_CHANGES = 100_000
LATE_MS = 15_000
"""A hold that took so long, for a lock and another try, is placed anew: availability finds holds by their ids, which are times, and looks
no further back than board.LONG_MS."""
SKEW_MS = 1_000
"""More than a process's notion of the database's time is off by, as long as that clock is left alone."""
RANDOM_BITS = 21
"""A hold's id is the millisecond it was placed in, and chance: it sorts by time, and tells an ended hold from one that never was."""

_CLAIM_COLUMNS = "id, performance, place, hold, buyer, slot, state, expires_ms, is_extended, order_id, ordinal, grade, price_krw"


class Refused(Exception):
    """A rule said no.

    Refused
    ├── PlacesTaken     somebody else has `places`
    ├── LimitReached    the buyer has `taken` already
    └── ContentChanged  the plan that the wish was worked out from has been replaced
    """


class PlacesTaken(Refused):
    def __init__(self, places: Collection[int]) -> None:
        super().__init__("places taken")
        self.places = frozenset(places)


class LimitReached(Refused):
    def __init__(self, taken: int) -> None:
        super().__init__("limit reached")
        self.taken = taken


class ContentChanged(Refused):
    pass


@dataclass(frozen=True)
class Wanted:
    """A place and what it costs now; the price is kept with the claim."""

    place: int
    grade: str
    price_krw: int


class Row(NamedTuple):
    """A claim as it is read."""

    performance: int
    place: int
    hold: int
    buyer: str
    state: int
    expires_ms: int | None
    is_extended: bool
    order_id: str | None
    ordinal: int
    grade: str
    price_krw: int


def rows_of(hold: int) -> list[Row]:
    """The claims of HOLD in the order in which they were asked for; empty when it has ended or never was."""
    return [Row(*values) for values in batch.read(reading(hold))[0]]


def reading(*holds: int) -> batch.Statement:
    """The statement that reads the claims of HOLDS, each hold's together."""
    among = ",".join(map(str, holds))
    return f"SELECT {', '.join(Row._fields)} FROM seat_claim WHERE hold IN ({among}) ORDER BY hold, ordinal", ()  # noqa: S608 - ints


def update_sql() -> str:
    """How a statement begins that changes claims of holds, of each hold all or none.

    MariaDB reads a table of few rows as a whole, though there is an index. At READ COMMITTED an UPDATE that does so passes by a row that
    another one has locked, if by what was committed it does not match; then that one commits, and the hold's next row matches: one
    hold would be pinned for two orders. Found by the index, locked rows are waited for.
    """
    return f"UPDATE seat_claim{' FORCE INDEX (seat_claim_once_in_hold)' if connection.vendor == 'mysql' else ''} SET"


def rows_of_order(order_id: str) -> list[Row]:
    """The claims sold to the order or pinned for it."""
    hold = Sale.objects.filter(pk=order_id).values_list("hold", flat=True).first()
    return [] if hold is None else [row for row in rows_of(hold) if row.order_id == order_id]


def rows_of_buyer(buyer: str) -> list[Row]:
    """The open holds of BUYER, all performances together, oldest first."""
    open_ = Claim.objects.filter(buyer=buyer, state__in=(State.HELD, State.PINNED))
    return [row for row in _read(open_.order_by("hold", "ordinal")) if row.state == State.PINNED or (row.expires_ms or 0) > now_ms()]


def _read(claims: QuerySet[Claim]) -> list[Row]:
    return [Row(*values) for values in claims.values_list(*Row._fields)]


def new_hold_id() -> int:
    return now_ms() << RANDOM_BITS | secrets.randbits(RANDOM_BITS)


def first_hold_id(at_ms: int) -> int:
    """Every hold placed after that millisecond has a greater id."""
    return (at_ms << RANDOM_BITS) - 1


def placed_ms(hold: int) -> int:
    """When a hold with this id was placed."""
    return hold >> RANDOM_BITS


def place_hold(
    *,
    performance: int,
    wanted: Sequence[Wanted],
    buyer: str,
    limit: int,
    life_ms: int,
    content_version: int,
    has_excess: bool = False,
) -> tuple[int, list[Row]]:
    """Hold all of WANTED for BUYER, or none; the hold's id and claims.

    With HAS_EXCESS, buyers may have slots beyond LIMIT, which no constraint sees: then it is looked what this one has.

    Raises PlacesTaken, LimitReached or ContentChanged. An expired hold is no obstacle, swept or not.
    """
    used = _used(performance, buyer) if has_excess else slots.guess(performance, buyer)
    places = {claim_id(performance, item.place): item.place for item in wanted}
    for _round in range(ROUNDS):
        free = slots.choose(used, len(wanted), limit)
        if free is None:
            used = _explain(performance, wanted, buyer, limit, content_version)
            continue
        if taken.seems(places) and (held := _held(places)):
            raise PlacesTaken([places[claim] for claim in held])
        hold = new_hold_id()
        expires_ms = now_ms() + life_ms
        try:
            batch.run([_insert(performance, wanted, hold, buyer, free, expires_ms, content_version)])
        except IntegrityError:
            used = _explain(performance, wanted, buyer, limit, content_version)
            continue
        if now_ms() - placed_ms(hold) > LATE_MS:
            release_hold(hold, buyer)
            used = _used(performance, buyer)
            continue
        slots.remember(performance, buyer, used.union(free))
        taken.remember(places)
        rows = [
            Row(performance, item.place, hold, buyer, State.HELD, expires_ms, False, None, ordinal, item.grade, item.price_krw)
            for ordinal, item in enumerate(wanted, 1)
        ]
        return hold, rows
    raise PlacesTaken([item.place for item in wanted])


def _used(performance: int, buyer: str) -> frozenset[int]:
    """The slots that BUYER has by the database now."""
    mine = Claim.objects.filter(buyer=buyer, performance=performance).exclude(state=State.HELD, expires_ms__lte=NowMs())
    return frozenset(slot for slot in mine.values_list("slot", flat=True) if slot is not None)


def _held(claims: Collection[int]) -> list[int]:
    """Those of CLAIMS, by their ids, that are there and whose time is not over. Plain SQL: in a rush on few seats most end here."""
    sql = (
        f"SELECT id FROM seat_claim WHERE id IN ({','.join(map(str, claims))})"  # noqa: S608 - ints
        f" AND (state <> {State.HELD:d} OR expires_ms > {now_sql()})"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        held = [row[0] for row in cursor.fetchall()]
    taken.forget(set(claims).difference(held))
    return held


def _insert(
    performance: int, wanted: Sequence[Wanted], hold: int, buyer: str, free: Sequence[int], expires_ms: int, content_version: int
) -> batch.Statement:
    """The hold: one statement. Whichever constraint fails (place taken, slot taken, plan replaced), nothing of it stands.

    Numbers are written into the statement: they are ints, and it spares the driver the work. Places go in order, so that two holds of
    the same places wait for each other instead of both ways round.
    """
    # NULL when the content has moved on, which the column refuses. The lock keeps a change of the content waiting for this statement.
    share = " LOCK IN SHARE MODE" if connection.vendor == "mysql" else ""
    held = f"(SELECT {State.HELD:d} FROM seat_content WHERE id = {CONTENT_ID} AND version = {content_version:d}{share})"  # noqa: S608
    values, parameters = [], []
    numbered = sorted(zip(range(1, len(wanted) + 1), free, wanted, strict=True), key=lambda each: each[2].place)
    for ordinal, slot, item in numbered:
        values.append(
            f"({claim_id(performance, item.place):d},{performance:d},{item.place:d},{hold:d},%s,{slot:d},{held},{expires_ms:d},"
            f"0,NULL,{ordinal:d},%s,{item.price_krw:d})"
        )
        parameters += [buyer, item.grade]
        held = f"{State.HELD:d}"  # asked once
    return f"INSERT INTO seat_claim ({_CLAIM_COLUMNS}) VALUES {','.join(values)}", parameters  # noqa: S608 - ints and parameters


def _explain(performance: int, wanted: Sequence[Wanted], buyer: str, limit: int, content_version: int) -> frozenset[int]:
    """Why a constraint refused: raises it, or clears expired holds out of the way; the buyer's slots when nothing is in it any more."""
    if not Content.objects.filter(pk=CONTENT_ID, version=content_version).exists():
        raise ContentChanged("content changed")
    is_over = Case(When(state=State.HELD, expires_ms__lte=NowMs(), then=Value(True)), default=Value(False), output_field=BooleanField())
    there = list(claims_on(performance, (item.place for item in wanted)).values_list(is_over, "hold", "id", "place"))
    mine = list(Claim.objects.filter(buyer=buyer, performance=performance).values_list(is_over, "hold", "slot"))
    if in_the_way := {hold for over, hold, *_ in [*there, *mine] if over}:
        expire(in_the_way)
    used = frozenset(slot for over, _hold, slot in mine if slot is not None and not over)
    if slots.choose(used, len(wanted), limit) is None:
        raise LimitReached(len(used))
    if held := {claim: place for over, _hold, claim, place in there if not over}:
        taken.remember(held)
        raise PlacesTaken(held.values())
    return used


@retry_transaction
def expire(holds: Collection[int]) -> int:
    """Free those of HOLDS whose time is over by the database's clock; the number of places."""
    return _free(_locked(Claim.objects.filter(hold__in=list(holds), state=State.HELD, expires_ms__lte=NowMs())))


def sweep() -> int:
    """Free what has expired; the number of places. Nothing depends on it: it keeps the table and availability tidy."""
    total = 0
    while True:
        due = Claim.objects.filter(state=State.HELD, expires_ms__lte=NowMs()).order_by("expires_ms")
        holds = set(due.values_list("hold", flat=True)[: SWEEP_HOLDS * 2])
        if not holds:
            return total
        # Whole holds only: a hold that has lost one of its places must have lost all.
        freed = expire(sorted(holds)[:SWEEP_HOLDS])
        if not freed:
            return total
        total += freed


def shorten(life_ms: int) -> int:
    """End holds that were placed in time to come, in LIFE_MS from now at the latest; the number of places.

    The database's clock was put back since: they would last for longer by as much, and nobody else could have their places.
    """
    now = to_ms(db_now())
    latest = now + life_ms
    overlong = Claim.objects.filter(hold__gt=first_hold_id(now + SKEW_MS), state__in=(State.HELD, State.PINNED), expires_ms__gt=latest)
    return write(lambda: overlong.update(expires_ms=latest)) if overlong.exists() else 0


@retry_transaction
def release_hold(hold: int, buyer: str) -> list[Row]:
    """Free the places of BUYER's HOLD unless it is pinned or sold; its claims as they were found."""
    rows = _locked(Claim.objects.filter(hold=hold, buyer=buyer))
    if all(row.state == State.HELD for row in rows):
        _free(rows)
    return rows


@retry_transaction
def release_order(order_id: str, ordinals: Collection[int] | None = None) -> list[Row]:
    """Free the places sold to (or pinned for) the order, only those with ORDINALS if given; the freed claims."""
    hold = Sale.objects.filter(pk=order_id).values_list("hold", flat=True).first()
    if hold is None:
        return []
    rows = _locked(Claim.objects.filter(hold=hold, order_id=order_id))
    chosen = rows if ordinals is None else [row for row in rows if row.ordinal in ordinals]
    _free(chosen)
    return chosen


@retry_transaction
def release_buyer(buyer: str) -> int:
    """Free the open holds of BUYER and forget who bought the places that stay sold; the number of freed places.

    A hold whose payment runs goes on under its order alone.
    """
    freed = _free(_locked(Claim.objects.filter(buyer=buyer, state=State.HELD)))
    Claim.objects.filter(buyer=buyer).update(buyer="", slot=None)
    return freed


def end_holds(performance: int) -> None:
    """Within a transaction that lets no hold through: end the open holds of PERFORMANCE, which is called off from here on.

    One that is pinned stays its order's and may be sold, which its order decides; but its time is over, so unpinned it is gone.
    Availability is not told: nothing of this performance is shown as free again.
    """
    open_ = claims_of(performance).filter(state__in=(State.HELD, State.PINNED))
    rows = _locked(open_)
    EndedHold.objects.bulk_create([EndedHold(hold=hold) for hold in {row.hold for row in rows}], batch_size=CHUNK, ignore_conflicts=True)
    open_.filter(state=State.HELD).delete()
    open_.filter(state=State.PINNED).update(expires_ms=now_ms())
    for row in rows:
        slots.forget(performance, row.buyer)


def _locked(claims: QuerySet[Claim]) -> list[Row]:
    return _read(claims.select_for_update().order_by("hold", "ordinal"))


def _free(rows: Sequence[Row]) -> int:
    """Within a transaction that has ROWS locked: delete the claims and tell availability."""
    changes = []
    for (performance, hold), group in groupby(sorted(rows), key=lambda row: (row.performance, row.hold)):
        places = [row.place for row in group]
        claims_on(performance, places).filter(hold=hold).delete()
        taken.forget([claim_id(performance, place) for place in places])
        changes.append(Change(performance=performance, hold=hold, state=State.FREE, places=",".join(map(str, places))))
    Change.objects.bulk_create(changes)
    for row in rows:
        slots.forget(row.performance, row.buyer)
    return len(rows)


def extend(hold: int, buyer: str, by_ms: int) -> bool:
    """Give BUYER's HOLD BY_MS more, once; whether it got them."""
    sql = (
        f"{update_sql()} expires_ms = expires_ms + {by_ms:d}, is_extended = 1 WHERE hold = {hold:d} AND buyer = %s"
        f" AND state = {State.HELD:d} AND is_extended = 0 AND expires_ms > {now_sql()}"
    )
    return batch.run([(sql, [buyer])])[0] > 0


def unblock(performance: int, places: Collection[int]) -> None:
    """Within a transaction: those of PLACES that are blocked are on sale again."""
    for chunk in chunks(sorted(places), CHUNK):
        blocked = claims_on(performance, chunk).filter(state=State.BLOCKED)
        if found := list(blocked.values_list("place", flat=True)):
            blocked.delete()
            Change.objects.create(performance=performance, hold=0, state=State.FREE, places=",".join(map(str, found)))


def tell_blocked(performance: int, places: Collection[int]) -> None:
    """Within the transaction that blocked PLACES: tell availability."""
    for chunk in chunks(sorted(places), CHUNK):
        Change.objects.create(performance=performance, hold=0, state=State.BLOCKED, places=",".join(map(str, chunk)))


def trim_changes() -> int:
    """Delete changes that no replica can still be reading; the number of them."""
    last = Change.objects.order_by("-id").values_list("id", flat=True).first() or 0
    return Change.objects.filter(id__lte=last - KEEP_CHANGES).delete()[0]


def chunks(items: Iterable[int], size: int) -> Iterator[list[int]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def lower_limit(limit: int) -> None:
    """Within a transaction that lets no hold through: whoever has slots beyond LIMIT moves to free ones within it, as far as there are."""
    beyond = Claim.objects.filter(slot__gt=limit).order_by("slot").values_list("performance", "buyer").distinct()
    for performance, buyer in list(beyond):
        mine = list(Claim.objects.filter(performance=performance, buyer=buyer).order_by("slot"))
        for slot, claim in enumerate(mine, 1):
            if claim.slot != slot:
                Claim.objects.filter(pk=claim.pk).update(slot=slot)
