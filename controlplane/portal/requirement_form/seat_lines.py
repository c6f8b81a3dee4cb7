"""Seats of a plan as somebody writes them: a line has the zone, the row and the seats, `1층 A구역, 1, 1-4 7`.

Without seats a line means the whole row, without a row the whole zone. What a plan does not name in this way is written by its id.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from controlplane.rendering.seating import MAX_SEATS

SHORTEST_RANGE = 3
WORD_AT_MOST = 100
NAMED_AT_MOST = 10 * MAX_SEATS


@dataclass(frozen=True)
class _Row:
    zone: str
    name: str
    numbers: Sequence[str]
    guids: Sequence[str]

    @cached_property
    def _places(self) -> Mapping[str, Sequence[int]]:
        places: dict[str, list[int]] = {}
        for place, number in enumerate(self.numbers):
            places.setdefault(number, []).append(place)
        return places

    def run(self, word: str) -> Sequence[str]:
        """The seats that WORD means here: a number, or from one to another in the order of the row."""
        if word in self._places:
            return [self.guids[place] for place in self._places[word]]
        for at, sign in enumerate(word if len(word) <= WORD_AT_MOST else ""):
            first, last = word[:at], word[at + 1 :]
            if sign in "-~–" and first in self._places and last in self._places:
                low, high = sorted((self._places[first][0], self._places[last][0]))
                return self.guids[low : high + 1]
        return []


def seats_of(text: str, plan: Any) -> list[str]:
    """The ids of the seats that the lines of TEXT name. A line, or a word of it, that names none stays as typed, for validation to name.

    So does what comes after many times more seats than a plan has: it says the same again and again.
    """
    rows_of: dict[tuple[str, str], list[_Row]] = {}
    known: set[str] = set()
    for row in _rows(plan):
        for name in {"", row.name}:
            rows_of.setdefault((row.zone, name), []).append(row)
        known.update(row.guids)
    found: dict[str, None] = {}
    budget = NAMED_AT_MOST

    def take(seats: Iterable[str], typed: str) -> None:
        nonlocal budget
        named = list(seats) if budget > 0 else []
        budget -= len(named)
        found.update(dict.fromkeys(named or [typed]))

    for line in filter(None, (line.strip() for line in unicodedata.normalize("NFC", text).splitlines())):
        if line in known:
            take([line], line)
            continue
        zone, name, words = (*(part.strip() for part in line.split(",", 2)), "", "")[:3]
        here = rows_of.get((zone, name), [])
        if not words:
            take((guid for row in here for guid in row.guids), line)
        for word in words.replace(",", " ").split():
            take((guid for row in here for guid in row.run(word)), f"{zone}, {name}, {word}")
    return list(found)


def all_of(plan: Any) -> list[str]:
    """The ids of all seats of PLAN, in its order."""
    return [guid for row in _rows(plan) for guid in row.guids]


def lines_of(seats: Collection[str], plan: Any) -> str:
    """The lines that name SEATS, in the order of the plan."""
    rows = _rows(plan)
    wanted = set(seats)
    rows_of = Counter((row.zone, row.name) for row in rows)
    zones: dict[str, list[_Row]] = {}
    for row in rows:
        zones.setdefault(row.zone, []).append(row)
    lines: list[str] = []
    for zone, here in zones.items():
        guids = [guid for row in here for guid in row.guids]
        if guids and _is_plain(zone) and wanted.issuperset(guids):
            lines.append(zone)
            continue
        for row in here:
            chosen = [guid in wanted for guid in row.guids]
            if not any(chosen):
                continue
            has_name = _is_plain(zone) and _is_plain(row.name) and rows_of[zone, row.name] == 1
            if has_name and all(chosen):
                lines.append(f"{zone}, {row.name}")
            elif has_name and all(_is_plain(number, word=True) for number in row.numbers) and len(set(row.numbers)) == len(row.numbers):
                lines.append(f"{zone}, {row.name}, {' '.join(_words(row.numbers, chosen))}")
            else:
                lines += [guid for guid, is_chosen in zip(row.guids, chosen, strict=True) if is_chosen]
    return "\n".join(lines)


def example_of(plan: Any) -> str:
    """A line that names the first seats of PLAN."""
    return lines_of(next((row.guids[:SHORTEST_RANGE] for row in _rows(plan) if len(row.guids) > SHORTEST_RANGE), ()), plan)


def _words(numbers: Sequence[str], chosen: Sequence[bool]) -> Iterator[str]:
    """The chosen NUMBERS, those beside each other as a range."""
    at = 0
    while at < len(numbers):
        end = at
        while end < len(numbers) and chosen[end]:
            end += 1
        whole = f"{numbers[at]}-{numbers[end - 1]}" if end - at >= SHORTEST_RANGE else ""
        if whole and whole not in numbers:
            yield whole
        else:
            yield from numbers[at:end]
        at = max(end, at + 1)


def _is_plain(name: str, *, word: bool = False) -> bool:
    """Whether NAME comes back from a line as it is."""
    return bool(name) and "," not in name and name == name.strip() and name.isprintable() and not (word and " " in name)


def _rows(plan: Any) -> list[_Row]:
    """The rows of PLAN, which may still be any JSON at all."""
    rows = []
    for zone in _objects(plan, "zones"):
        for row in _objects(zone, "rows"):
            seats = list(_objects(row, "seats"))
            numbers, guids = ([_name(seat, key) for seat in seats] for key in ("seat_number", "seat_guid"))
            rows.append(_Row(_name(zone, "name"), _name(row, "row_number"), numbers, guids))
    return rows


def _name(entry: Mapping[str, Any], key: str) -> str:
    """As validation reads it: without space around it, and composed, which macOS's Hangul is not."""
    value = entry.get(key)
    return unicodedata.normalize("NFC", "" if value is None else str(value)).strip()


def _objects(value: Any, key: str) -> Iterator[Mapping[str, Any]]:
    entries = value.get(key) if isinstance(value, Mapping) else None
    return (entry for entry in entries if isinstance(entry, Mapping)) if isinstance(entries, list) else iter(())
