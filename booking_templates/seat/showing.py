"""Claims as buyers and other services see them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import msgspec

from booking_templates.seat.claims import Row
from booking_templates.seat.clock import from_ms, now_ms
from booking_templates.seat.house import House, refreshed
from booking_templates.seat.models import State
from booking_templates.seat.schemas import Hold, Holds, Place

HOLD_HEX = 16
_MISSING = msgspec.UNSET


def hold_id(hold: int) -> str:
    return f"{hold:0{HOLD_HEX}x}"


def parse_hold_id(text: str) -> int | None:
    """The number of a hold's public id; None for what cannot be one."""
    try:
        hold = int(text, 16)
    except ValueError:
        return None
    return hold if len(text) == HOLD_HEX and 0 < hold < 2**63 else None


def place_of(house: House, row: Row) -> Place:
    """A claim's place with the price it was held at."""
    layout = house.layout
    if area := layout.area_at(row.place):
        return Place(f"{area.id}-{row.ordinal}", area.name, row.grade, row.price_krw, area=area.id)
    position = layout.position_of.get(row.place)
    if position is None:  # a plan that loses a taken seat is refused, so this is another content than the claim's
        return Place(f"{row.place}-{row.ordinal}", "", row.grade, row.price_krw)
    guid = layout.guids[position]
    return Place(guid, layout.labels[position], row.grade, row.price_krw, seat=guid)


def hold_of(house: House, rows: Sequence[Row]) -> Hold:
    """The hold that ROWS are. For an order that was refunded in part, what is left of it.

    A hold that another replica placed on a newer plan than HOUSE is shown by that plan: an order keeps for ever what it is told here.
    """
    first = rows[0]
    if not _knows(house, rows):
        house = refreshed()
    now = now_ms()
    expires_ms = None if first.state == State.SOLD else first.expires_ms
    show = house.show_of_number.get(first.performance)
    return Hold(
        id=hold_id(first.hold),
        performance_id=show.id if show else "",
        state=State(first.state).name.lower(),
        pinned=first.state == State.PINNED,
        can_extend=first.state == State.HELD and not first.is_extended,
        expires_at=None if expires_ms is None else from_ms(expires_ms),
        expires_in_s=None if expires_ms is None else max(0.0, round((expires_ms - now) / 1000, 3)),
        server_time=from_ms(now),
        places=[place_of(house, row) for row in rows],
        total_krw=sum(row.price_krw for row in rows),
    )


def _knows(house: House, rows: Sequence[Row]) -> bool:
    layout = house.layout
    return rows[0].performance in house.show_of_number and all(row.place in layout.position_of for row in rows)


def holds_of(house: House, rows: Sequence[Row]) -> Holds:
    """ROWS of several holds, each hold's together."""
    return Holds([hold_of(house, list(group)) for _hold, group in groupby(rows, key=lambda row: row.hold)])
