"""A seating plan in pretix's JSON format, summed up and drawn as one compact SVG.

Tolerant on purpose: it draws what it understands of a plan somebody is still working on. Whether the plan may be deployed is
decided where requirements are validated, not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

from controlplane.lib import reasons
from controlplane.lib.reasons import Reason, gettext_noop

PALETTE = ("#7c3aed", "#0f766e", "#b45309", "#1d4ed8", "#be123c", "#4d7c0f", "#0e7490", "#a21caf")
FREE_COLOR = "#8b9891"

_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")


class NotAPlan(ValueError):
    """The JSON is not a seating plan; `reason` says why."""

    def __init__(self, code: str) -> None:
        self.reason = Reason(code)
        super().__init__(self.reason.message)


reasons.declare(
    {
        "plan_not_an_object": gettext_noop("This file is JSON, but not a seating plan: a plan is an object with “zones”."),
        "plan_without_zones": gettext_noop("This file has no “zones”, so it is not a seating plan in pretix's format."),
        "plan_without_seats": gettext_noop("This plan has no seats."),
    }
)


@dataclass(frozen=True)
class Category:
    name: str
    color: str
    seats: int


@dataclass(frozen=True)
class PlanSummary:
    """What a form shows of a plan; `categories` in the plan's order, seats without one are counted under the empty name."""

    name: str
    seats: int
    categories: tuple[Category, ...]

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "seats": self.seats, "categories": [asdict(category) for category in self.categories]}


@dataclass(frozen=True)
class _Seat:
    x: float
    y: float
    category: str


def summary(plan: object) -> PlanSummary:
    """Seats by category. Raises NotAPlan when PLAN has no zones with rows of seats."""
    if not isinstance(plan, Mapping):
        raise NotAPlan("plan_not_an_object")
    if not isinstance(plan.get("zones"), list):
        raise NotAPlan("plan_without_zones")
    counts: dict[str, int] = {}
    for seat in _seats(plan):
        counts[seat.category] = counts.get(seat.category, 0) + 1
    if not counts:
        raise NotAPlan("plan_without_seats")
    colors = _colors(plan, counts)
    names = [name for name in colors if name in counts]
    return PlanSummary(
        name=_text(plan.get("name"))[:200],
        seats=sum(counts.values()),
        categories=tuple(Category(name[:100], colors[name], counts[name]) for name in names),
    )


def drawing(plan: Mapping[str, Any]) -> str:
    """PLAN as an SVG document: one path a category, a seat being a zero-length stroke with round ends (12 bytes instead of 60)."""
    seats = list(_seats(plan))
    colors = _colors(plan, {seat.category for seat in seats})
    radius = _radius(seats)
    shapes, box = _shapes(plan)
    xs = [seat.x for seat in seats] + [value for x, _y, width, _h in box for value in (x, x + width)]
    ys = [seat.y for seat in seats] + [value for _x, y, _w, height in box for value in (y, y + height)]
    if not xs:
        return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"/>'
    margin = radius * 3
    left, top = min(xs) - margin, min(ys) - margin
    width, height = max(xs) + margin - left, max(ys) + margin - top
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{_n(left)} {_n(top)} {_n(width)} {_n(height)}">', *shapes]
    for name, color in colors.items():
        path = "".join(f"M{_n(seat.x)} {_n(seat.y)}h0" for seat in seats if seat.category == name)
        if path:
            parts.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{_n(radius * 2)}" stroke-linecap="round"/>')
    parts.append("</svg>")
    return "".join(parts)


def _seats(plan: Mapping[str, Any]) -> Iterator[_Seat]:
    for zone in _mappings(plan.get("zones")):
        zone_x, zone_y = _position(zone)
        for row in _mappings(zone.get("rows")):
            row_x, row_y = _position(row)
            for seat in _mappings(row.get("seats")):
                x, y = _position(seat)
                yield _Seat(zone_x + row_x + x, zone_y + row_y + y, _text(seat.get("category")))


def _colors(plan: Mapping[str, Any], used: Mapping[str, int] | set[str]) -> dict[str, str]:
    """Colour by category name: the plan's own where it is one, else the palette's next; then those used without being declared."""
    colors: dict[str, str] = {}
    for category in _mappings(plan.get("categories")):
        name = _text(category.get("name"))
        colors.setdefault(name, _color(category.get("color"), PALETTE[len(colors) % len(PALETTE)]))
    for name in sorted(used):
        colors.setdefault(name, PALETTE[len(colors) % len(PALETTE)] if name else FREE_COLOR)
    return colors


def _radius(seats: list[_Seat]) -> float:
    """Half of the usual distance between neighbours, a little less: seats touch but never overlap."""
    gaps = [abs(one.x - two.x) + abs(one.y - two.y) for one, two in pairwise(seats)]
    gaps = sorted(gap for gap in gaps if gap > 0)
    return gaps[len(gaps) // 2] * 0.42 if gaps else 5.0


def _shapes(plan: Mapping[str, Any]) -> tuple[list[str], list[tuple[float, float, float, float]]]:
    """Stage, exits, labels: what pretix calls areas. Returns SVG elements and their bounding boxes."""
    elements: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    for zone in _mappings(plan.get("zones")):
        zone_x, zone_y = _position(zone)
        for area in _mappings(zone.get("areas")):
            x, y = _position(area)
            x, y = zone_x + x, zone_y + y
            rotation = _number(area.get("rotation"))
            turn = f' transform="rotate({_n(rotation)} {_n(x)} {_n(y)})"' if rotation else ""
            fill = _color(area.get("color"), "#e2e6e1")
            stroke = _color(area.get("border_color"), "none")
            paint = f'fill="{fill}" stroke="{stroke}"{turn}'
            box = _draw(area, x, y, paint, elements)
            if box:
                boxes.append(box)
            _label(area, x, y, box, elements)
    return elements, boxes


def _draw(area: Mapping[str, Any], x: float, y: float, paint: str, elements: list[str]) -> tuple[float, float, float, float] | None:
    match area.get("shape"):
        case "rectangle":
            size = _mapping(area.get("rectangle"))
            width, height = abs(_number(size.get("width"))), abs(_number(size.get("height")))
            elements.append(f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="2" {paint}/>')
            return x, y, width, height
        case "circle":
            radius = abs(_number(_mapping(area.get("circle")).get("radius")))
            elements.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" {paint}/>')
            return x - radius, y - radius, radius * 2, radius * 2
        case "ellipse":
            size = _mapping(_mapping(area.get("ellipse")).get("radius"))
            rx, ry = abs(_number(size.get("x"))), abs(_number(size.get("y")))
            elements.append(f'<ellipse cx="{_n(x)}" cy="{_n(y)}" rx="{_n(rx)}" ry="{_n(ry)}" {paint}/>')
            return x - rx, y - ry, rx * 2, ry * 2
        case "polygon":
            points = [
                (x + _number(point.get("x")), y + _number(point.get("y")))
                for point in _mappings(_mapping(area.get("polygon")).get("points"))
            ]
            if len(points) > 2:
                elements.append(f'<polygon points="{" ".join(f"{_n(px)},{_n(py)}" for px, py in points)}" {paint}/>')
                xs, ys = [px for px, _py in points], [py for _px, py in points]
                return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    return None


def _label(area: Mapping[str, Any], x: float, y: float, box: tuple[float, float, float, float] | None, elements: list[str]) -> None:
    label = _mapping(area.get("text"))
    text = _text(label.get("text"))[:80]
    if not text:
        return
    at_x, at_y = _position(label)
    at_x, at_y = x + at_x, y + at_y
    if box and area.get("shape") == "rectangle" and not label.get("position"):
        at_x, at_y = box[0] + box[2] / 2, box[1] + box[3] / 2
    size = min(max(_number(label.get("size")), 6.0), 72.0) if label.get("size") else 14.0
    elements.append(
        f'<text x="{_n(at_x)}" y="{_n(at_y)}" font-family="sans-serif" font-size="{_n(size)}" text-anchor="middle"'
        f' dominant-baseline="central" fill="{_color(label.get("color"), "#16211e")}">{escape(text)}</text>'
    )


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _position(part: Mapping[str, Any]) -> tuple[float, float]:
    position = _mapping(part.get("position"))
    return _number(position.get("x")), _number(position.get("y"))


def _number(value: object) -> float:
    """VALUE where it is a number that can be drawn, else 0 (a plan may hold 1e308 or NaN)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e6 < value < 1e6:
        return 0.0
    return float(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _color(value: object, fallback: str) -> str:
    """VALUE as #rrggbb where it is a colour in hexadecimal."""
    if not isinstance(value, str) or not _COLOR.fullmatch(value):
        return fallback
    return value if len(value) == 7 else "#" + "".join(sign * 2 for sign in value[1:])


def _n(value: float) -> str:
    """Short form: at most one decimal, no trailing zero."""
    return f"{value:.1f}".removesuffix(".0")
