"""Writes charlotte.json: a hall laid out like 샤롯데씨어터, 1,241 numbered seats, in pretix's seating-plan format.

    python examples/plans/make_charlotte.py

Rows are arcs around a point behind the stage, which is at the top. Each floor has three blocks (A left, B middle, C right) with an
aisle on either side of B; seats are numbered through from left to right, as in the house. The same run always writes the same bytes.
"""

from __future__ import annotations

import json
import math
import uuid
from pathlib import Path

SEATS = 1241
PITCH = 24.0  # between neighbours, along the arc
AISLE = 34.0  # extra room between blocks
CENTRE_X = 640.0
NAMESPACE = uuid.UUID("6f1d5a0e-6f0e-5c0b-9a55-3f3f0b1f7a10")

CATEGORIES = (("VIP", "#b4236b"), ("R", "#d9822b"), ("S", "#2f6fb5"), ("A", "#3c8d5a"))

# Seats of each row in blocks A (and, mirrored, C) and B, front row first.
FIRST_FLOOR = (
    (7, 12), (8, 13), (8, 12), (9, 13), (9, 14), (10, 13), (10, 14), (11, 13), (11, 14), (11, 13), (12, 14),
    (12, 13), (12, 14), (12, 15), (12, 14), (13, 15), (13, 14), (13, 15), (12, 14), (12, 15), (11, 14), (7, 13),
)  # fmt: skip
SECOND_FLOOR = (
    (12, 15), (12, 16), (13, 15), (13, 16), (13, 15), (14, 16), (14, 15), (13, 16), (13, 15), (12, 16), (9, 14),
    (6, 13),
)  # fmt: skip

# Floor, number of the floor in ids, rows, radius of the first arc, distance between rows, where the arcs' centre is.
FLOORS = (
    ("1층", 1, FIRST_FLOOR, 900.0, 30.0, -670.0),
    ("2층", 2, SECOND_FLOOR, 1100.0, 32.0, -90.0),
)


def category(floor: int, row: int, offset: float) -> str:
    """Grade of a seat in ROW (from 1) that stands OFFSET pixels beside the middle."""
    side = abs(offset)
    if floor == 1:
        if row <= 13 and side <= 330:
            return "VIP"
        return "R" if row <= 18 else "S"
    if row <= 3:
        return "R" if side <= 215 else "S"
    return "S" if row <= 6 else "A"


def arc(radius: float, centre_y: float, along: float) -> tuple[float, float]:
    """The point ALONG pixels to the right of the middle on an arc, and one decimal is plenty for a drawing."""
    angle = along / radius
    return round(CENTRE_X + radius * math.sin(angle), 1), round(centre_y + radius * math.cos(angle), 1)


def identity(*parts: object) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))))


def row_blocks(side: int, middle: int) -> list[tuple[str, list[float]]]:
    """Where the seats of a row stand along its arc, by block, left to right."""
    half = middle * PITCH / 2
    centre = [-half + PITCH * (i + 0.5) for i in range(middle)]
    right = [half + AISLE + PITCH * (i + 0.5) for i in range(side)]
    return [("A", [-x for x in reversed(right)]), ("B", centre), ("C", right)]


def floor_zones(name: str, floor: int, rows: tuple[tuple[int, int], ...], first: float, step: float, centre_y: float) -> list[dict]:
    zones = {
        block: {"name": f"{name} {block}구역", "zone_id": f"{floor}{block}", "uuid": identity("zone", floor, block)} for block in "ABC"
    }
    content: dict[str, list[dict]] = {block: [] for block in "ABC"}
    for row, (side, middle) in enumerate(rows, 1):
        number = 0
        for block, places in row_blocks(side, middle):
            points = [arc(first + step * (row - 1), centre_y, along) for along in places]
            x0, y0 = points[0]
            seats = []
            for along, (x, y) in zip(places, points, strict=True):
                number += 1
                seats.append(
                    {
                        "seat_guid": f"{floor}{block}-{row}-{number}",
                        "seat_number": str(number),
                        "uuid": identity("seat", floor, row, number),
                        "position": {"x": round(x - x0, 1), "y": round(y - y0, 1)},
                        "category": category(floor, row, along),
                    }
                )
            content[block].append(
                {
                    "row_number": str(row),
                    "row_label": f"{row}열",
                    "seat_label": "%s번",
                    "row_number_position": "start" if block == "A" else "end" if block == "C" else "both",
                    "uuid": identity("row", floor, block, row),
                    "position": {"x": x0, "y": y0},
                    "seats": seats,
                }
            )
    return [zones[block] | {"position": {"x": 0, "y": 0}, "rows": content[block], "areas": []} for block in "ABC"]


def stage() -> dict:
    """The stage and the floors' names: drawn, not sold."""
    points = [(-310, -62), (310, -62), (360, 34), (180, 62), (0, 72), (-180, 62), (-360, 34)]
    return {
        "name": "무대",
        "zone_id": "stage",
        "uuid": identity("zone", "stage"),
        "position": {"x": CENTRE_X, "y": 90},
        "rows": [],
        "areas": [
            {
                "shape": "polygon",
                "color": "#2b2f36",
                "border_color": "#2b2f36",
                "rotation": 0,
                "uuid": identity("area", "stage"),
                "position": {"x": 0, "y": 0},
                "polygon": {"points": [{"x": x, "y": y} for x, y in points]},
                "text": {"text": "무대 STAGE", "color": "#ffffff", "size": 30, "position": {"x": 0, "y": 0}},
            },
            *(
                {
                    "shape": "text",
                    "color": "#ffffff",
                    "border_color": "#ffffff",
                    "rotation": 0,
                    "uuid": identity("area", text),
                    "position": {"x": 0, "y": y},
                    "text": {"text": text, "color": "#5b6270", "size": 24, "position": {"x": 0, "y": 0}},
                }
                for text, y in (("1층", 108), ("2층", 880))
            ),
        ],
    }


def plan() -> dict:
    """The whole plan. Raises AssertionError when the rows above do not add up to the house."""
    zones = [stage()] + [zone for floor in FLOORS for zone in floor_zones(*floor)]
    seats = [seat for zone in zones for row in zone["rows"] for seat in row["seats"]]
    assert len(seats) == SEATS, len(seats)  # noqa: S101
    assert len({seat["seat_guid"] for seat in seats}) == SEATS  # noqa: S101
    return {
        "name": "샤롯데씨어터",
        "size": {"width": 1280, "height": 1420},
        "categories": [{"name": name, "color": color} for name, color in CATEGORIES],
        "zones": zones,
    }


def main() -> None:
    target = Path(__file__).with_name("charlotte.json")
    target.write_text(json.dumps(plan(), ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{target.name}: {SEATS} seats, {target.stat().st_size / 1024:.0f} KiB")  # noqa: T201


if __name__ == "__main__":
    main()
