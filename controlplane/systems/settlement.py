"""The settlement statement: what was sold, given back and kept. The ticket service makes it; here it is read and written out as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from controlplane.accounts.models import User
from controlplane.systems.models import BookingSystem
from controlplane.systems.staff import ask

BOM = "\ufeff"
"""Without it Excel reads UTF-8 as something else."""
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""As in ticket's `documents.tables`: the two halves share no code."""
_BREAKS = ("\t", "\r", "\n")


@dataclass(frozen=True)
class Line:
    """Tickets of one performance, grade and concession, paid for or not; the full price has none."""

    performance_id: str
    grade: str
    sold: int
    sold_krw: int
    given_back: int
    given_back_krw: int
    concession: str = ""

    @property
    def stands(self) -> int:
        return self.sold - self.given_back

    @property
    def stands_krw(self) -> int:
        return self.sold_krw - self.given_back_krw


@dataclass(frozen=True)
class AfterClose:
    """What moved after sales had closed; no part of the statement's sums."""

    captured_krw: int
    refunded_krw: int
    fees_krw: int
    compensation_krw: int
    by_organiser_krw: int = 0
    outside_krw: int = 0
    due_krw: int = 0
    """What came to be paid at the door, less what is not to be paid any more, or was paid there since."""
    taken_at_door_krw: int = 0
    to_give_back_at_door_krw: int = 0
    sold: int = 0
    given_back: int = 0
    """Tickets."""


@dataclass(frozen=True)
class Outside:
    """Money of a booking that was cancelled at the payment provider, not here; `at` is when that was found out."""

    order_id: str
    number: str
    amount_krw: int
    at: datetime


@dataclass(frozen=True)
class Settlement:
    """In won. `is_final`: sales have closed, and the sums are those of that moment for ever; until then they are provisional.

    Where sales went on after all, `later` has a statement for each further period, which begins at its `since`.
    """

    as_of: datetime
    sales_close_at: datetime | None
    is_final: bool
    lines: tuple[Line, ...]
    captured_krw: int
    refunded_krw: int
    fees_krw: int
    kept_krw: int
    compensation_krw: int
    returning_krw: int = 0
    """What of the amount kept is on its way back to buyers: the rest is the price of what stands, and fees."""
    by_organiser_krw: int = 0
    """What of the amount refunded was given back by hand."""
    outside_krw: int = 0
    """What of it was given back at the payment provider by other hands."""
    uncovered_krw: int = 0
    """What of that is for tickets that stand still."""
    outside: tuple[Outside, ...] = ()
    """The newest of it."""
    due_krw: int = 0
    """Still to be paid at the door: no part of the amount kept."""
    taken_at_door_krw: int = 0
    """Paid there, and not given back: no part of it either."""
    to_give_back_at_door_krw: int = 0
    """What of that was paid twice, or for tickets that were cancelled."""
    since: datetime | None = None
    after_close: AfterClose | None = None
    later: tuple[Settlement, ...] = ()

    @property
    def has_concessions(self) -> bool:
        return any(line.concession for line in self.lines)


_AT_DOOR = ("due_krw", "taken_at_door_krw", "to_give_back_at_door_krw")
_SINCE_THEN = ("returning_krw", "by_organiser_krw", "outside_krw", "uncovered_krw", *_AT_DOOR)
"""Sums that an older image, and an archive of its time, know nothing of."""


def settlement(*, system: BookingSystem, user: User) -> Settlement:
    """As of now. Raises ServiceUnavailable, Refused."""
    return read(ask(system, user, "summary", lambda api: api.get("/api/ticket/settlement")))


def read(found: Mapping[str, Any]) -> Settlement:
    """The statement in a ticket service's answer, or in an archive."""
    closes_at, since = found.get("sales_close_at"), found.get("since")
    late = found.get("after_close")
    # An older image, and an archive of its time, know no concessions.
    lines = tuple(Line(**{name: item[name] for name in Line.__dataclass_fields__ if name in item}) for item in found.get("lines", []))
    return Settlement(
        as_of=datetime.fromisoformat(found["as_of"]),
        sales_close_at=datetime.fromisoformat(closes_at) if closes_at else None,
        is_final=bool(found["is_final"]),
        lines=lines,
        **{name: int(found[name]) for name in ("captured_krw", "refunded_krw", "fees_krw", "kept_krw", "compensation_krw")},
        **{name: int(found.get(name) or 0) for name in _SINCE_THEN},
        outside=tuple(
            Outside(str(each["order_id"]), str(each["number"]), int(each["amount_krw"]), datetime.fromisoformat(each["at"]))
            for each in found.get("outside") or ()
        ),
        since=datetime.fromisoformat(since) if since else None,
        later=tuple(read(each) for each in found.get("later") or ()),
        after_close=AfterClose(**{name: int(late.get(name) or 0) for name in AfterClose.__dataclass_fields__}) if late else None,
    )


def as_csv(statement: Settlement, *, title: str, starts: Mapping[str, str]) -> str:
    """The statement for a spreadsheet; STARTS is when each performance begins, by its id."""
    out = io.StringIO(newline="")
    write = csv.writer(out).writerow
    out.write(BOM)
    write([_("Settlement statement"), harmless(title)])
    for number, period in enumerate((statement, *statement.later)):
        if number:
            write([])
            write([_("Sales after that")])
            write([_("Since"), _moment(period.since)])
        write([_("As of"), _moment(period.as_of)])
        write([_("Sales close"), _moment(period.sales_close_at)])
        write([_("State"), _("final") if period.is_final else _("provisional")])
        for row in _rows(period, starts):
            write(row)
    return out.getvalue()


def _rows(statement: Settlement, starts: Mapping[str, str]) -> Iterator[list[str | int]]:
    concession = [_("Concession")] if statement.has_concessions else []
    yield []
    yield [
        _("Performance"),
        _("Grade"),
        *concession,
        _("Sold"),
        _("Amount sold"),
        _("Returned"),
        _("Amount given back"),
        _("Net tickets"),
        _("Net amount"),
    ]
    for line in statement.lines:
        names = [harmless(starts.get(line.performance_id, line.performance_id)), harmless(line.grade)]
        if statement.has_concessions:
            names.append(harmless(line.concession or _("Full price")))
        yield [*names, line.sold, line.sold_krw, line.given_back, line.given_back_krw, line.stands, line.stands_krw]
    yield []
    yield from _cells(totals(statement))
    if (later := movements_after_close(statement)) or tickets_after_close(statement):
        yield []
        yield [_("After sales closed")]
        yield from _cells(tickets_after_close(statement))
        yield from _cells(later)


def _cells(labelled: Iterable[tuple[str, int]]) -> Iterator[list[str | int]]:
    for label, number in labelled:
        yield [label, number]


def totals(statement: Settlement) -> list[tuple[str, int]]:
    """The sums with their labels, in the order of the statement."""

    def some(label: str, amount: int) -> list[tuple[str, int]]:
        return [(label, amount)] if amount else []

    return [
        (_("Paid by buyers"), statement.captured_krw),
        (_("Refunded"), statement.refunded_krw),
        *some(_("of which refunded by hand"), statement.by_organiser_krw),
        *some(_("of which cancelled at the payment provider, not here"), statement.outside_krw),
        *some(_("of that for tickets still valid"), statement.uncovered_krw),
        (_("Kept"), statement.kept_krw),
        (_("of which cancellation fees"), statement.fees_krw),
        *some(_("of which on its way back to buyers"), statement.returning_krw),
        *some(_("Taken at the door"), statement.taken_at_door_krw),
        *some(_("of which to be given back: paid twice, or for cancelled tickets"), statement.to_give_back_at_door_krw),
        *some(_("Due at the door"), statement.due_krw),
        (_("Compensation owed to buyers, outside the payment provider"), statement.compensation_krw),
    ]


def movements_after_close(statement: Settlement) -> list[tuple[str, int]]:
    """What moved after the statement was closed, with labels; empty when nothing did."""
    late = statement.after_close
    if late is None:
        return []
    sums = [
        (_("Paid by buyers"), late.captured_krw),
        (_("Refunded"), late.refunded_krw),
        (_("of which refunded by hand"), late.by_organiser_krw),
        (_("of which cancelled at the payment provider, not here"), late.outside_krw),
        (_("of which cancellation fees"), late.fees_krw),
        (_("Taken at the door"), late.taken_at_door_krw),
        (_("of which to be given back: paid twice, or for cancelled tickets"), late.to_give_back_at_door_krw),
        (_("Due at the door"), late.due_krw),
        (_("Compensation owed to buyers, outside the payment provider"), late.compensation_krw),
    ]
    return [(label, amount) for label, amount in sums if amount]


def tickets_after_close(statement: Settlement) -> list[tuple[str, int]]:
    """How many tickets were issued and given back after the statement was closed, with labels; empty when none were."""
    late = statement.after_close
    if late is None:
        return []
    return [(label, number) for label, number in ((_("Tickets sold"), late.sold), (_("Tickets returned"), late.given_back)) if number]


def harmless(text: str) -> str:
    """What a spreadsheet would take for a formula, as text (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_BREAKS) or text.lstrip().startswith(_FORMULA) else text


def _moment(value: datetime | None) -> str:
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M") if value else ""
