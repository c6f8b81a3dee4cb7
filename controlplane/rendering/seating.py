"""Seating: a plan of numbered seats in pretix's open JSON format, or areas with capacities.

Of a plan only what the format names is kept, so a stored plan is bounded by its seats. Positions add up: zone + row + seat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.rendering.reader import Fields, Problems, is_number

MAX_SEATS = 50_000
MAX_AREAS = 200
MAX_CAPACITY = 200_000
MAX_COORDINATE = 1_000_000
MAX_SHAPES = 500

MARKS = ("wheelchair", "obstructed", "blocked")
"""What may be said of seats: a place for a wheelchair, a view that something stands in, and not on sale at any performance."""

_SHAPE_KEYS = (
    "shape", "color", "border_color", "position", "rotation", "width", "height", "circle", "ellipse", "rectangle", "polygon", "text",
)  # fmt: skip


@dataclass(frozen=True)
class NumberedSeating:
    """A plan with its seats; `seats_by_grade` counts them by category, `marks` has the ids of those of which something of MARKS is said."""

    plan: dict[str, Any]
    seats_by_grade: dict[str, int]
    marks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def capacity(self) -> int:
        return sum(self.seats_by_grade.values())

    @property
    def grades(self) -> set[str]:
        return set(self.seats_by_grade)

    def to_json(self) -> dict[str, Any]:
        return {"numbered": True, "plan": self.plan, **{name: list(seats) for name, seats in self.marks.items()}}


@dataclass(frozen=True)
class Area:
    id: str
    name: str
    capacity: int
    grade: str


@dataclass(frozen=True)
class AreaSeating:
    areas: tuple[Area, ...]

    @property
    def capacity(self) -> int:
        return sum(area.capacity for area in self.areas)

    @property
    def grades(self) -> set[str]:
        return {area.grade for area in self.areas}

    def to_json(self) -> dict[str, Any]:
        return {"numbered": False, "areas": [vars(area) for area in self.areas]}


def read_areas(fields: Fields) -> AreaSeating:
    """Areas with capacities, from the `seating` object."""
    areas: list[Area] = []
    seen: set[str] = set()
    for item in fields.objects("areas", low=1, high=MAX_AREAS):
        area = Area(
            id=item.text("id", limit=40),
            name=item.text("name", limit=100),
            capacity=item.integer("capacity", low=1, high=MAX_CAPACITY) or 0,
            grade=item.text("grade", limit=40),
        )
        item.done()
        if area.id and area.id in seen:
            item.add("id", "duplicate", value=area.id)
        seen.add(area.id)
        areas.append(area)
    return AreaSeating(tuple(areas))


def read_plan(fields: Fields) -> NumberedSeating | None:
    """The plan of the `seating` object, or None when it cannot be used at all."""
    marked = {name: fields.items(name, high=MAX_SEATS) for name in MARKS}
    plan = fields.object("plan")
    if plan is None or not plan.is_readable:
        return None
    zones = plan.raw("zones")
    count = _count_seats(zones)
    if count > MAX_SEATS:
        # Before anything else is looked at: 200,000 seats shall cost nothing.
        plan.add("zones", "too_many_seats", limit=MAX_SEATS, count=count)
        return None
    reading = _PlanReading(plan.problems)
    name = plan.text("name", limit=200, is_required=False)
    size = _size(plan)
    categories = reading.categories(plan)
    kept = {"name": name, "size": size, "categories": categories, "zones": reading.zones(plan)}
    plan.done()
    if not count and isinstance(zones, list):
        plan.add("zones", "no_seats")
    return NumberedSeating(kept, reading.seats_by_grade, {name: seats for name in MARKS if (seats := reading.named(marked[name]))})


def _count_seats(zones: Any) -> int:
    """Seats of a plan that may be any JSON at all."""
    lists = [zones]
    for key in ("rows", "seats"):
        lists = [item.get(key) for entries in lists if isinstance(entries, list) for item in entries if isinstance(item, dict)]
    return sum(len(seats) for seats in lists if isinstance(seats, list))


def _size(plan: Fields) -> dict[str, int] | None:
    if not plan.has("size"):
        plan.raw("size", is_required=False)
        return None
    size = Fields(plan.raw("size"), plan.at("size"), plan.problems)
    kept = {key: size.integer(key, low=1, high=MAX_COORDINATE) or 0 for key in ("width", "height")}
    size.done()
    return kept


def _position(value: Any, path: str, problems: Problems) -> dict[str, float]:
    """`{"x": …, "y": …}`; a missing one is the origin, as tools leave it out."""
    if value is None:
        return {"x": 0, "y": 0}
    if not isinstance(value, dict):
        problems.add(path, "wrong_type", wanted="an object")
        return {"x": 0, "y": 0}
    for key in ("x", "y"):
        if not is_number(value.get(key), MAX_COORDINATE):
            problems.add(f"{path}.{key}", "wrong_type", wanted="a number")
            return {"x": 0, "y": 0}
    return {"x": value["x"], "y": value["y"]}


class _PlanReading:
    """What one pass over a plan gathers. The seats' loop is written for speed: it runs 50,000 times."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.seats_by_grade: dict[str, int] = {}
        self._names: set[str] = set()
        self._seen: dict[str, None] = {}

    def named(self, items: Iterable[tuple[str, Any]]) -> tuple[str, ...]:
        """The seats that ITEMS name by their ids, in the order of the plan, once the plan was read."""
        found = set()
        for path, guid in items:
            if isinstance(guid, str) and guid in self._seen:
                found.add(guid)
            else:
                self.problems.add(path, "seat_unknown", seat=str(guid)[:100])
        return tuple(guid for guid in self._seen if guid in found)

    def categories(self, plan: Fields) -> list[dict[str, str]]:
        kept = []
        for item in plan.objects("categories", low=1, high=100):
            category = {"name": item.text("name", limit=40), "color": item.text("color", limit=40, is_required=False)}
            if category["name"] in self._names:
                item.add("name", "duplicate", value=category["name"])
            self._names.add(category["name"])
            kept.append(category)
        return kept

    def zones(self, plan: Fields) -> list[dict[str, Any]]:
        kept = []
        for zone in plan.objects("zones", high=500):
            kept.append(
                {
                    "name": zone.text("name", limit=100, is_required=False),
                    "position": _position(zone.raw("position", is_required=False), zone.at("position"), self.problems),
                    "rows": [self._row(row) for row in zone.objects("rows", high=5_000)],
                    "areas": [self._shape(path, item) for path, item in zone.items("areas", high=MAX_SHAPES)],
                }
            )
        return kept

    def _row(self, row: Fields) -> dict[str, Any]:
        seats = (self._seat(path, item) for path, item in row.items("seats", high=MAX_SEATS))
        return {
            "row_number": row.text("row_number", limit=40, is_required=False),
            "position": _position(row.raw("position", is_required=False), row.at("position"), self.problems),
            "seats": [seat for seat in seats if seat],
        }

    def _seat(self, path: str, value: Any) -> dict[str, Any] | None:
        if self.problems.is_full:
            return None
        seat = Fields(value, path, self.problems)
        if not seat.is_readable:
            return None
        guid = seat.text("seat_guid", limit=80)
        category = seat.text("category", limit=40)
        if guid:
            if guid in self._seen:
                seat.add("seat_guid", "duplicate_seat", seat=guid)
            self._seen[guid] = None
        if category:
            if category not in self._names:
                seat.add("category", "category_unknown", category=category)
            self.seats_by_grade[category] = self.seats_by_grade.get(category, 0) + 1
        return {
            "seat_guid": guid,
            "seat_number": seat.text("seat_number", limit=40),
            "position": _position(seat.raw("position"), seat.at("position"), self.problems),
            "category": category,
        }

    def _shape(self, path: str, value: Any) -> dict[str, Any]:
        """A drawn shape (stage, bar, text); kept as it is, once it is known to be small and plain."""
        if not isinstance(value, dict):
            self.problems.add(path, "wrong_type", wanted="an object")
            return {}
        kept = {key: value[key] for key in _SHAPE_KEYS if value.get(key) is not None}
        if not _is_plain(kept, budget=[2_000]):
            self.problems.add(
                path, "bad_format", example='{"shape": "rectangle", "position": {"x": 0, "y": 0}, "rectangle": {"width": 1, "height": 1}}'
            )
            return {}
        return kept


def _is_plain(value: Any, *, budget: list[int], depth: int = 0) -> bool:
    """Only short text, finite numbers and shallow containers, at most BUDGET values in all."""
    budget[0] -= 1
    if budget[0] < 0 or depth > 5:
        return False
    if isinstance(value, dict):
        return all(
            isinstance(key, str) and len(key) <= 40 and _is_plain(item, budget=budget, depth=depth + 1) for key, item in value.items()
        )
    if isinstance(value, list):
        return all(_is_plain(item, budget=budget, depth=depth + 1) for item in value)
    if isinstance(value, str):
        return len(value) <= 200 and value.isprintable()
    return value is None or isinstance(value, bool) or is_number(value, MAX_COORDINATE)
