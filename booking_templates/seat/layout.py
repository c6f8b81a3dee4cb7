"""The house as this process works with it: places in the order of the availability answer, made from what staff wrote.

Pure: the numbers that stand for seats and areas in claims are given.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import msgspec

from booking_templates.seat import shapes
from booking_templates.seat.models import AREA_BASE, AREA_STRIDE
from booking_templates.seat.schemas import PlanInfo, PlanRow, SeatContent

WHEELCHAIR = 1
OBSTRUCTED = 2
DEFAULT_COLORS = ("#b4236b", "#d9822b", "#2f6fb5", "#3c8d5a", "#7a4fbf", "#00838f", "#8a6d3b", "#c2185b", "#455a64", "#6d8b00")
DEFAULT_SIZE = 1000.0


@dataclass(frozen=True)
class GradeInfo:
    name: str
    price_krw: int
    color: str


@dataclass(frozen=True)
class Row:
    """Neighbours in a row: positions FIRST to END (exclusive); `breaks` are positions before which there is an aisle."""

    zone: int
    first: int
    end: int
    breaks: frozenset[int] = frozenset()


@dataclass(frozen=True)
class AreaBlock:
    """The places of an area: positions FIRST to FIRST + CAPACITY."""

    number: int
    id: str
    name: str
    capacity: int
    grade: int
    first: int

    @property
    def place(self) -> int:
        """The place before its first: place of position p is `place + p - first + 1`."""
        return AREA_BASE + self.number * AREA_STRIDE


@dataclass
class Layout:
    """POSITION is an index into `places`, `grade_of`, …; a PLACE is the number that claims use."""

    version: str
    is_numbered: bool
    grades: list[GradeInfo]
    plan: PlanInfo
    places: array[int]
    grade_of: bytearray
    labels: list[str] = field(default_factory=list)
    guids: list[str] = field(default_factory=list)
    flags: bytearray = field(default_factory=bytearray)
    xs: array[float] = field(default_factory=lambda: array("f"))
    ys: array[float] = field(default_factory=lambda: array("f"))
    rows: list[Row] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    areas: list[AreaBlock] = field(default_factory=list)
    stage: tuple[float, float] | None = None

    @property
    def capacity(self) -> int:
        return len(self.places)

    @cached_property
    def position_of(self) -> dict[int, int]:
        """Place -> position."""
        return {place: position for position, place in enumerate(self.places)}

    @cached_property
    def position_of_guid(self) -> dict[str, int]:
        return {guid: position for position, guid in enumerate(self.guids)}

    @cached_property
    def area_of_id(self) -> dict[str, AreaBlock]:
        return {area.id: area for area in self.areas}

    @cached_property
    def area_of_number(self) -> dict[int, AreaBlock]:
        return {area.number: area for area in self.areas}

    def area_at(self, place: int) -> AreaBlock | None:
        """The area that PLACE is in."""
        return self.area_of_number.get((place - AREA_BASE) // AREA_STRIDE)


def lay_out(content: SeatContent, numbers: Mapping[str, int], *, language: str) -> Layout:
    """The layout of CONTENT, which has been checked. NUMBERS has the number of each seat's guid, or of each area's id."""
    colors = {category.name: category.color for category in content.plan.categories} if content.plan else {}
    grades = [
        GradeInfo(grade.name, grade.price_krw, grade.color or colors.get(grade.name) or DEFAULT_COLORS[i % len(DEFAULT_COLORS)])
        for i, grade in enumerate(content.grades)
    ]
    index = {grade.name: i for i, grade in enumerate(grades)}
    plan = PlanInfo(
        version="",
        name=content.plan.name if content.plan else "",
        size={"width": DEFAULT_SIZE, "height": DEFAULT_SIZE},
        numbered=content.plan is not None,
        limit_per_buyer=content.limit_per_buyer,
        hold_minutes=content.hold_minutes,
        grades=[{"id": str(i), "name": grade.name, "color": grade.color, "price_krw": grade.price_krw} for i, grade in enumerate(grades)],
        zones=[],
        shapes=[],
        areas=[],
    )
    layout = Layout("", content.plan is not None, grades, plan, array("q"), bytearray())
    if content.plan is not None:
        _lay_out_seats(layout, content, numbers, index, language)
    else:
        _lay_out_areas(layout, content, numbers, index)
    layout.version = plan.version = hashlib.sha256(msgspec.json.encode(plan)).hexdigest()[:16]
    return layout


def _lay_out_areas(layout: Layout, content: SeatContent, numbers: Mapping[str, int], index: Mapping[str, int]) -> None:
    for area in content.areas or ():
        block = AreaBlock(numbers[area.id], area.id, area.name, area.capacity, index[area.grade], len(layout.places))
        layout.areas.append(block)
        layout.places.extend(range(block.place + 1, block.place + area.capacity + 1))
        layout.grade_of.extend(bytes([block.grade]) * area.capacity)
        layout.plan.areas.append({"id": area.id, "name": area.name, "capacity": area.capacity, "grade": block.grade})


def _lay_out_seats(layout: Layout, content: SeatContent, numbers: Mapping[str, int], index: Mapping[str, int], language: str) -> None:
    plan = content.plan
    assert plan is not None  # noqa: S101 - the caller asked
    marks = dict.fromkeys(content.wheelchair, WHEELCHAIR)
    for guid in content.obstructed:
        marks[guid] = marks.get(guid, 0) | OBSTRUCTED
    for zone in plan.zones:
        rows = []
        zone_x, zone_y = zone.position.x, zone.position.y
        layout.plan.shapes.extend(shape for area in zone.areas if (shape := shapes.drawn(area, zone_x, zone_y)))
        for row in zone.rows:
            if not row.seats:
                continue
            row_x, row_y = zone_x + row.position.x, zone_y + row.position.y
            first = len(layout.places)
            seats: list[list[Any]] = []
            for seat in row.seats:
                x, y = round(row_x + seat.position.x, 1), round(row_y + seat.position.y, 1)
                grade, flags = index[seat.category], marks.get(seat.seat_guid, 0)
                layout.places.append(numbers[seat.seat_guid])
                layout.guids.append(seat.seat_guid)
                layout.grade_of.append(grade)
                layout.flags.append(flags)
                layout.xs.append(x)
                layout.ys.append(y)
                layout.labels.append(_label(zone.name, row, seat.seat_number, language))
                seats.append([seat.seat_guid, seat.seat_number, x, y, grade, flags])
            layout.rows.append(Row(len(layout.zones), first, len(layout.places), _aisles(layout, first)))
            rows.append({"label": row.row_number or "", "seats": seats})
        if rows:
            layout.zones.append(zone.name)
            layout.plan.zones.append({"name": zone.name, "x": zone_x, "y": zone_y, "rows": rows})
    layout.plan.size = _size(content, layout)
    layout.stage = shapes.stage(layout.plan.shapes)


def _label(zone: str, row: PlanRow, number: str, language: str) -> str:
    """A seat in words, as it stands on the ticket: `1층 A구역 5열 12번`."""
    is_korean = language.startswith("ko")
    numbered_row = (f"{row.row_number}열" if is_korean else f"row {row.row_number}") if row.row_number else ""
    pattern = row.seat_label or ("%s번" if is_korean else "seat %s")
    return " ".join(part for part in (zone.strip(), row.row_label or numbered_row, pattern.replace("%s", number)) if part)


def _aisles(layout: Layout, first: int) -> frozenset[int]:
    """Positions in the row from FIRST on whose left neighbour is further off than a seat and a half: no two sit together across it."""
    points = list(zip(layout.xs[first:], layout.ys[first:], strict=True))
    gaps = [((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5 for (ax, ay), (bx, by) in pairwise(points)]
    if not gaps:
        return frozenset()
    usual = sorted(gaps)[len(gaps) // 2]
    return frozenset(first + 1 + i for i, gap in enumerate(gaps) if gap > usual * 1.5)


def _size(content: SeatContent, layout: Layout) -> dict[str, float]:
    size = content.plan.size if content.plan else None
    if size and size.width > 0 and size.height > 0:
        return {"width": size.width, "height": size.height}
    # Older plans have none: as far as the seats reach, and a margin.
    return {"width": max(layout.xs, default=0.0) + 50, "height": max(layout.ys, default=0.0) + 50}
