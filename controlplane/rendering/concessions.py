"""Concessions (권종, 할인), as a requirement has them: youth, groups, early birds. The ticket service works out what they take off."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from controlplane.lib.reasons import Problem
from controlplane.lib.romanize import latin_name
from controlplane.rendering.parts import MAX_GRADES, MAX_PERFORMANCES, MAX_PRICE_KRW, Grade, Performance
from controlplane.rendering.reader import Fields, Problems

MAX_CONCESSIONS = 30
NAME_AT_MOST = 40
PROOF_AT_MOST = 200
PLACES_AT_MOST = 100

_UNPRINTED = frozenset({"Cc", "Cf", "Co", "Cs"})
_ID = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True)
class Concession:
    """Takes PERCENT of a place's price off, or OFF_KRW: one of the two. Without `grades` it is for all of them, `performances` likewise."""

    id: str
    name: str
    percent: int | None = None
    off_krw: int | None = None
    grades: tuple[str, ...] = ()
    performances: tuple[str, ...] = ()
    """Their ids."""
    proof: str = ""
    """What is shown at the door."""
    at_least: int | None = None
    """So many places of one order must have it, if any has."""
    at_most: int | None = None
    from_at: datetime | None = None
    """Ordering is possible from then, until `until_at`."""
    until_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in a requirement, and as the ticket service takes it: what says nothing is left out."""
        found = {
            "id": self.id,
            "name": self.name,
            "percent": self.percent,
            "off_krw": self.off_krw,
            "grades": list(self.grades),
            "performances": list(self.performances),
            "proof": self.proof,
            "at_least": self.at_least,
            "at_most": self.at_most,
            "from": self.from_at.isoformat() if self.from_at else None,
            "until": self.until_at.isoformat() if self.until_at else None,
        }
        return {name: value for name, value in found.items() if value not in (None, "", [])}


@dataclass(frozen=True)
class Around:
    """What concessions must agree with. LIMIT is how many places one buyer may have, None where that is not known."""

    grades: Sequence[Grade]
    performances: Sequence[Performance]
    limit: int | None


def read_concessions(fields: Fields, before: Sequence[Concession], around: Around) -> tuple[Concession, ...]:
    """The entry `concessions`; as BEFORE when it is left out.

    One without an id keeps that of BEFORE's with its name, or gets one made of its name.
    """
    if fields.has("concessions"):
        found = _with_ids([(item, _concession(item)) for item in fields.objects("concessions", high=MAX_CONCESSIONS)], before)
    else:
        fields.raw("concessions", is_required=False)
        found = list(before)
    _check(fields, found, around)
    return tuple(found)


def read_alone(value: Any, before: Sequence[Concession], around: Around) -> tuple[Concession, ...] | list[Problem]:
    """VALUE as the entry `concessions` of a requirement, or what is wrong with it."""
    problems = Problems()
    fields = Fields({"concessions": value}, "", problems)
    fields.raw("concessions")
    found = read_concessions(fields, before, around)
    return list(problems) if problems else found


def restored(entries: Sequence[Mapping[str, Any]]) -> tuple[Concession, ...]:
    """What `to_json` wrote."""
    return tuple(
        Concession(
            id=entry["id"],
            name=entry["name"],
            percent=entry.get("percent"),
            off_krw=entry.get("off_krw"),
            grades=tuple(entry.get("grades", ())),
            performances=tuple(entry.get("performances", ())),
            proof=entry.get("proof", ""),
            at_least=entry.get("at_least"),
            at_most=entry.get("at_most"),
            from_at=datetime.fromisoformat(entry["from"]) if entry.get("from") else None,
            until_at=datetime.fromisoformat(entry["until"]) if entry.get("until") else None,
        )
        for entry in entries
    )


def narrowed(concessions: Sequence[Concession], grades: Sequence[Grade]) -> tuple[Concession, ...]:
    """CONCESSIONS as far as they are for GRADES: one that was for others alone is left out, rather than for all."""
    names = {grade.name for grade in grades}
    prices = [grade.price_krw for grade in grades]
    kept = []
    for concession in concessions:
        left = tuple(name for name in concession.grades if name in names)
        if concession.grades and not left:
            continue
        if concession.off_krw and concession.off_krw > max(prices, default=0):
            continue
        kept.append(replace(concession, grades=left))
    return tuple(kept)


def _concession(item: Fields) -> Concession:
    has_percent, has_off = item.has("percent"), item.has("off_krw")
    percent = item.integer("percent", low=1, high=100, default=0)
    off_krw = item.integer("off_krw", low=1, high=MAX_PRICE_KRW, default=0)
    if item.is_readable and has_percent == has_off:
        item.add("percent", "one_discount")
    concession = Concession(
        id=item.matching("id", _ID, "youth") or "",
        name=_line(item, "name", NAME_AT_MOST),
        percent=percent or None,
        off_krw=off_krw or None,
        grades=_names(item, "grades", MAX_GRADES),
        performances=_names(item, "performances", MAX_PERFORMANCES),
        proof=_line(item, "proof", PROOF_AT_MOST, is_required=False),
        at_least=item.integer("at_least", low=1, high=PLACES_AT_MOST, default=0) or None,
        at_most=item.integer("at_most", low=1, high=PLACES_AT_MOST, default=0) or None,
        from_at=_moment(item, "from"),
        until_at=_moment(item, "until"),
    )
    item.done()
    return concession


def _line(item: Fields, key: str, limit: int, *, is_required: bool = True) -> str:
    """Text as the ticket service keeps it: single blanks, and nothing that cannot be printed."""
    typed = item.text(key, limit=limit, is_required=is_required)
    found = " ".join("".join(letter for letter in typed if unicodedata.category(letter) not in _UNPRINTED).split())
    if typed and not found and is_required:
        item.add(key, "required")
    return found


def _names(item: Fields, key: str, limit: int) -> tuple[str, ...]:
    found: list[str] = []
    values = item.items(key, high=limit)
    named = Fields(dict(values), "", item.problems)
    for path, _value in values:
        name = named.text(path, limit=NAME_AT_MOST)
        if name and name in found:
            named.add(path, "duplicate", value=name)
        found.append(name if len(name) <= NAME_AT_MOST else "")
    return tuple(found)


def _moment(item: Fields, key: str) -> datetime | None:
    if item.has(key):
        return item.moment(key)
    item.raw(key, is_required=False)
    return None


def _with_ids(read: Sequence[tuple[Fields, Concession]], before: Sequence[Concession]) -> list[Concession]:
    names = [concession.name for _, concession in read]
    kept = {concession.name: concession.id for concession in before}
    taken = {concession.id for _, concession in read if concession.id} | {id for name, id in kept.items() if name not in names}
    found: list[Concession] = []
    for number, (item, each) in enumerate(read, 1):
        concession = each
        if concession.name and concession.name in names[: number - 1]:
            item.add("name", "duplicate", value=concession.name)
        if concession.id and any(other.id == concession.id for other in found):
            item.add("id", "duplicate", value=concession.id)
        if not concession.id:
            concession = replace(concession, id=_free_id(kept.get(concession.name), concession.name, number, taken))
            taken.add(concession.id)
        found.append(concession)
    return found


def _free_id(kept: str | None, name: str, number: int, taken: set[str]) -> str:
    """KEPT if nobody else has it, or the first free one made of NAME; of NUMBER, where no letter of it is Latin or Hangul."""
    if kept and kept not in taken:
        return kept
    made = latin_name(name, 30) or f"c{number}"
    return made if made not in taken else next(free for n in range(2, 1_000) if (free := f"{made}-{n}") not in taken)


def _check(fields: Fields, concessions: Sequence[Concession], around: Around) -> None:
    """Complain of CONCESSIONS where they do not agree with what is AROUND them."""
    prices: Mapping[str, int] = {grade.name: grade.price_krw for grade in around.grades}
    performances = {performance.id for performance in around.performances}
    for number, each in enumerate(concessions):
        at = f"{fields.at('concessions')}[{number}]"
        for place, name in enumerate(each.grades):
            if name and name not in prices:
                fields.problems.add(f"{at}.grades[{place}]", "grade_unknown", grade=name)
        for place, id in enumerate(each.performances):
            if id and id not in performances:
                fields.problems.add(f"{at}.performances[{place}]", "performance_unknown", performance=id)
        if each.from_at and each.until_at and each.until_at <= each.from_at:
            fields.problems.add(f"{at}.until", "until_before_from")
        if each.at_least and each.at_most and each.at_most < each.at_least:
            fields.problems.add(f"{at}.at_most", "most_below_least", least=each.at_least)
        if each.at_least and around.limit is not None and each.at_least > around.limit:
            fields.problems.add(f"{at}.at_least", "least_over_limit", limit=around.limit)
        dearest = max((price for name, price in prices.items() if not each.grades or name in each.grades), default=None)
        if each.off_krw and dearest is not None and each.off_krw > dearest:
            fields.problems.add(f"{at}.off_krw", "off_above_prices", price=dearest)
