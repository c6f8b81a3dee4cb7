"""Choosing places for a buyer: the best seats together, or any places of an area. Pure."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

from booking_templates.seat.hall import FREE
from booking_templates.seat.layout import OBSTRUCTED, WHEELCHAIR, AreaBlock, Layout, Row

TRIES = 8
LONELY = 0.75
"""What it costs, in seat widths of distance, to leave one free seat alone beside those chosen."""
RESTRICTED = 10_000
"""What it costs to have one of a restricted view: more than any distance."""
ALONE = 25.0
"""What counts as the width of a seat in a house of boxes, of one seat each."""


@dataclass(frozen=True)
class Wish:
    """QUANTITY seats, of one GRADE (its index) and in one ZONE (its index) if these are given."""

    quantity: int
    grade: int | None = None
    zones: frozenset[int] | None = None
    wheelchair: bool = False


def any_places(area: AreaBlock, states: bytes, quantity: int, avoid: Collection[int] = ()) -> list[int] | None:
    """QUANTITY free positions of AREA, at random so that buyers seldom want the same; None when there are not so many."""
    end = area.first + area.capacity
    free = states.count(FREE, area.first, end)
    if free < quantity:
        return None
    chosen: set[int] = set()
    if free > area.capacity // 4:
        for _try in range(TRIES * quantity):
            position = random.randrange(area.first, end)  # noqa: S311 - spreads load, keeps no secret
            if states[position] == FREE and position not in avoid:
                chosen.add(position)
                if len(chosen) == quantity:
                    return sorted(chosen)
    left = [position for position in range(area.first, end) if states[position] == FREE and position not in avoid]
    return sorted(random.sample(left, quantity)) if len(left) >= quantity else None


def best_seats(layout: Layout, states: bytes, wish: Wish, avoid: Collection[int] = ()) -> list[int] | None:
    """The best free seats: neighbours in one row if any row has them, else in as few rows as it takes; near the stage, towards the middle.

    Across an aisle nobody sits together. A choice that leaves a single seat behind counts as a little worse, and one with a restricted
    view comes after all others. None when there are not so many free seats.
    """
    runs = _free_runs(layout, states, wish, avoid)
    if _places(runs) < wish.quantity:
        return None
    distance = _distances(layout)
    lonely = LONELY * layout_pitch(layout)
    best: tuple[float, int] | None = None
    for first, end in runs:
        for start in range(first, end - wish.quantity + 1):
            stop = start + wish.quantity
            cost = sum(distance[start:stop]) / wish.quantity + lonely * ((start - first == 1) + (end - stop == 1))
            if best is None or cost < best[0]:
                best = (cost, start)
    if best is not None:
        return list(range(best[1], best[1] + wish.quantity))
    clear = _free_runs(layout, states, wish, avoid, shunned=OBSTRUCTED)
    return _in_parts(clear if _places(clear) >= wish.quantity else runs, distance, wish.quantity)


def _places(runs: list[tuple[int, int]]) -> int:
    return sum(end - first for first, end in runs)


def _in_parts(runs: list[tuple[int, int]], distance: list[float], quantity: int) -> list[int]:
    """No row has them together: the longest runs first, the nearer of equal ones, and nobody alone who need not be."""
    chosen: list[int] = []
    left = quantity
    for first, end in sorted(runs, key=lambda run: (run[0] - run[1], distance[run[0]])):
        take = min(left, end - first)
        if left - take == 1 and take > 2:
            take -= 1
        start = min(range(first, end - take + 1), key=lambda start: sum(distance[start : start + take]))
        chosen += range(start, start + take)
        left -= take
        if not left:
            break
    if left:  # the last one had been kept from sitting alone, and there is no second such seat
        free = [position for first, end in runs for position in range(first, end) if position not in chosen]
        chosen += sorted(free, key=lambda position: distance[position])[:left]
    return sorted(chosen)


def _free_runs(layout: Layout, states: bytes, wish: Wish, avoid: Collection[int], shunned: int = 0) -> list[tuple[int, int]]:
    """Stretches of neighbours (first, end) that fit the wish, none of them with a flag that is SHUNNED."""
    runs = []
    wanted_flag = WHEELCHAIR if wish.wheelchair else 0
    for row in layout.rows:
        if wish.zones is not None and row.zone not in wish.zones:
            continue
        start = None
        for position in range(row.first, row.end):
            fits = (
                states[position] == FREE
                and (wish.grade is None or layout.grade_of[position] == wish.grade)
                and layout.flags[position] & WHEELCHAIR == wanted_flag
                and not layout.flags[position] & shunned
                and position not in avoid
            )
            if start is not None and (not fits or position in row.breaks):
                runs.append((start, position))
                start = None
            if fits and start is None:
                start = position
        if start is not None:
            runs.append((start, row.end))
    return runs


def _distances(layout: Layout) -> list[float]:
    """How far each seat is from the best: from the stage where the plan shows one, else from the middle of the first row drawn. One with a
    restricted view is far off."""
    if layout.stage is not None:
        x, y = layout.stage
    else:
        front: Row = layout.rows[0]
        x = sum(layout.xs) / len(layout.xs)
        y = sum(layout.ys[front.first : front.end]) / (front.end - front.first)
    restricted = RESTRICTED * layout_pitch(layout)
    return [
        ((a - x) ** 2 + (b - y) ** 2) ** 0.5 + (restricted if flags & OBSTRUCTED else 0)
        for a, b, flags in zip(layout.xs, layout.ys, layout.flags, strict=True)
    ]


def layout_pitch(layout: Layout) -> float:
    """The usual distance between neighbours; never 0, for what costs so many of it must cost something where nobody has a neighbour."""
    row = max(layout.rows, key=lambda row: row.end - row.first)
    points = list(zip(layout.xs[row.first : row.end], layout.ys[row.first : row.end], strict=True))
    gaps = sorted(((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5 for (ax, ay), (bx, by) in pairwise(points))
    return (gaps[len(gaps) // 2] if gaps else 0.0) or ALONE
