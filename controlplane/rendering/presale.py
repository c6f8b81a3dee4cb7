"""The presale (선예매), as a requirement has it: from when on whoever has a code may buy. The codes are the seat service's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.lib.reasons import Problem
from controlplane.rendering.reader import Fields, Problems

NAME_AT_MOST = 40


@dataclass(frozen=True)
class Presale:
    """Buyers see it under its NAME. It opens before the sale does, which opens to all."""

    name: str
    opens_at: datetime

    def to_json(self) -> dict[str, Any]:
        """As it stands in a requirement, and as the seat service takes it."""
        return {"name": self.name, "opens_at": self.opens_at.isoformat()}


def read_presale(fields: Fields, sales_open_at: datetime | None) -> Presale | None:
    """The entry `presale`; None without one. SALES_OPEN_AT is None where that is not known."""
    if not fields.has("presale"):
        fields.raw("presale", is_required=False)
        return None
    item = fields.object("presale")
    assert item is not None  # noqa: S101 - it is there
    name, opens_at = item.text("name", limit=NAME_AT_MOST), item.moment("opens_at")
    item.done()
    if opens_at is None:
        return None
    if sales_open_at is not None and opens_at >= sales_open_at:
        item.add("opens_at", "presale_after_opening")
    return Presale(name, opens_at)


def read_alone(value: Any, sales_open_at: datetime) -> Presale | list[Problem] | None:
    """VALUE as the entry `presale` of a requirement whose sale opens to all at SALES_OPEN_AT, or what is wrong with it."""
    problems = Problems()
    found = read_presale(Fields({"presale": value}, "", problems), sales_open_at)
    return list(problems) if problems else found


def restored(entry: Mapping[str, Any] | None) -> Presale | None:
    """What `to_json` wrote."""
    return Presale(entry["name"], datetime.fromisoformat(entry["opens_at"])) if entry else None
