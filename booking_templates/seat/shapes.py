"""What a seating plan draws beside its seats (stage, bar, text), from pretix's areas to a form that is simple to paint."""

from __future__ import annotations

import math
from typing import Any

COORDINATE_MAX = 1_000_000
POINTS_MAX = 200
STAGE_WORDS = ("무대", "스테이지", "stage", "bühne", "podium")


def drawn(area: dict[str, Any], zone_x: float, zone_y: float) -> dict[str, Any] | None:
    """AREA of a zone at ZONE_X, ZONE_Y with absolute positions: rectangles and ellipses by their centre, anything turned as a polygon.

    None for what cannot be drawn: a plan is a seller's file, and a strange ornament is no reason to refuse it.
    """
    position = _point(area.get("position"))
    x, y = zone_x + position[0], zone_y + position[1]
    shape = str(area.get("shape", "rectangle"))
    angle = math.radians(_number(area.get("rotation")))
    found: dict[str, Any]
    if shape == "polygon":
        points = _list(_dict(area.get("polygon")).get("points"))[:POINTS_MAX]
        if len(points) < 3:
            return None
        found = {"kind": "polygon", "points": [_turned(x, y, *_point(point), angle) for point in points]}
    elif shape in ("circle", "ellipse"):
        radius = _dict(area.get(shape)).get("radius")
        across, down = (_number(radius),) * 2 if shape == "circle" else _point(radius)
        found = {"kind": "ellipse", "width": 2 * across, "height": 2 * down}
    elif shape == "text":
        found = {"kind": "text"}
    else:
        size = _dict(area.get("rectangle")) or area  # older plans have width and height in the area itself
        width, height = _number(size.get("width")), _number(size.get("height"))
        corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
        if angle:
            found = {"kind": "polygon", "points": [_turned(x, y, *corner, angle) for corner in corners]}
        else:
            found = {"kind": "rectangle", "width": width, "height": height}
            x, y = x + width / 2, y + height / 2
    found |= {"x": round(x, 1), "y": round(y, 1), "color": str(area.get("color") or "")[:40]}
    return found | _words(area, found, zone_x + position[0], zone_y + position[1])


def _words(area: dict[str, Any], shape: dict[str, Any], x: float, y: float) -> dict[str, Any]:
    text = area.get("text")
    words = str(text if isinstance(text, str) else _dict(text).get("text") or "")[:200].strip()
    if not words:
        return {}
    text = _dict(text)
    size = _number(text.get("size"))
    if "position" in text:
        offset = _point(text["position"])
        at = (x + offset[0], y + offset[1])
    else:
        at = (shape["x"], shape["y"])
    found: dict[str, Any] = {"text": words, "text_x": round(at[0], 1), "text_y": round(at[1], 1)}
    if size > 0:
        found["text_size"] = size
    if color := str(text.get("color") or "")[:40]:
        found["text_color"] = color
    return found


def stage(shapes: list[dict[str, Any]]) -> tuple[float, float] | None:
    """Where the stage is, when a shape says that it is one."""
    for shape in shapes:
        if any(word in shape.get("text", "").casefold() for word in STAGE_WORDS):
            if points := shape.get("points"):
                return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)
            return shape["x"], shape["y"]
    return None


def _turned(x: float, y: float, dx: float, dy: float, angle: float) -> tuple[float, float]:
    """(DX, DY) from (X, Y), turned by ANGLE clockwise around it (downwards is positive)."""
    return (
        round(x + dx * math.cos(angle) - dy * math.sin(angle), 1),
        round(y + dx * math.sin(angle) + dy * math.cos(angle), 1),
    )


def _number(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= COORDINATE_MAX else 0.0


def _point(value: Any) -> tuple[float, float]:
    place = _dict(value)
    return _number(place.get("x")), _number(place.get("y"))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
