"""What a buyer wishes, turned into places and held."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from booking_templates.kit.problems import Conflict, Gone, NotFound, Unavailable, Unprocessable
from booking_templates.seat import calling_off, choose, claims, house, passes, presale
from booking_templates.seat.board import board
from booking_templates.seat.claims import ContentChanged, LimitReached, PlacesTaken, Row, Wanted
from booking_templates.seat.clock import NowMs, from_ms, now_ms
from booking_templates.seat.house import House, Show
from booking_templates.seat.models import State, claims_of
from booking_templates.seat.picking import picking
from booking_templates.seat.schemas import AreaWish, BestWish, HoldRequest

WAIT_S = 0.2
PATIENCE_S = 10.0
"""How long a wish for any places is tried again while others are quicker."""


def hold(performance_id: str, wish: HoldRequest, buyer: str, *, turn: str = "") -> tuple[House, list[Row]]:
    """Hold what WISH says, all or nothing; the claims. TURN is what lets BUYER in while there is a queue. Raises Problem."""
    if sum(part is not None for part in (wish.seats, wish.areas, wish.best)) != 1:
        raise Unprocessable("invalid", errors={"seats": [_("Choose seats, places in areas, or the best seats.")]})
    at = house.current()
    opens_ms = presale.opens_ms_for(at, buyer)
    _check_on_sale(at, at.show(performance_id), opens_ms)
    passes.check(at, turn, buyer)
    while True:
        show = at.show(performance_id)
        _check_on_sale(at, show, opens_ms)
        try:
            if wish.seats is not None:
                return at, _hold_seats(at, show, wish.seats, buyer)
            if wish.areas is not None:
                return at, _hold_areas(at, show, wish.areas, buyer)
            assert wish.best is not None  # noqa: S101 - one of the three is
            return at, _hold_best(at, show, wish.best, buyer)
        except ContentChanged:
            at = house.refreshed()
            opens_ms = presale.opens_ms_for(at, buyer)
        except LimitReached as error:
            raise _over_limit(at, error.taken) from error


def _check_on_sale(at: House, show: Show, opens_ms: int) -> None:
    """For a buyer to whom the sale opens at OPENS_MS. Raises Conflict."""
    if show.is_called_off:
        raise called_off()
    now = now_ms()
    if at.is_on_sale_from(opens_ms, show, now):
        return
    closes_ms = min(at.closes_ms, show.starts_ms)
    said, more = _not_yet(at, now) if now < min(at.opens_ms, closes_ms) else (_("Sales for this performance have ended."), {})
    raise Conflict("not_on_sale", said, opens_at=from_ms(at.opens_ms).isoformat(), closes_at=from_ms(closes_ms).isoformat(), **more)


def _not_yet(at: House, now: int) -> tuple[str, dict[str, Any]]:
    if at.presale is None:
        return _("Sales have not begun yet."), {}
    is_open = at.is_presale(now)
    told = {"name": at.presale.name, "opens_at": from_ms(at.presale_ms).isoformat(), "is_open": is_open}
    if not is_open:
        return _("Sales have not begun yet."), {"presale": told}
    said = _("Sales are not open to all yet. With a code for “%(name)s” you can book now.")
    return said % {"name": at.presale.name}, {"presale": told}


def _over_limit(at: House, taken: int) -> Unprocessable:
    text = (
        _("You can have at most %(limit)d places for a performance, and you have %(taken)d already.")
        if taken
        else _("You can have at most %(limit)d places for a performance.")
    )
    return Unprocessable("limit_exceeded", text % {"limit": at.limit, "taken": taken}, limit=at.limit, taken=taken)


def _check_count(at: House, count: int, field: str) -> None:
    if count == 0:
        raise Unprocessable("invalid", errors={field: [_("Choose at least one place.")]})
    if count > at.limit:
        raise _over_limit(at, 0)


def _place(at: House, show: Show, positions: Sequence[int], buyer: str) -> list[Row]:
    layout = at.layout
    wanted = []
    for position in positions:
        grade = layout.grades[layout.grade_of[position]]
        wanted.append(Wanted(layout.places[position], grade.name, grade.price_krw))
    _hold, rows = claims.place_hold(
        performance=show.number,
        wanted=wanted,
        buyer=buyer,
        limit=at.limit,
        life_ms=at.hold_ms,
        content_version=at.version,
        has_excess=at.has_excess,
    )
    return rows


def _hold_seats(at: House, show: Show, guids: Sequence[str], buyer: str) -> list[Row]:
    _check_numbered(at, is_numbered=True)
    if len(set(guids)) != len(guids):
        raise Unprocessable("invalid", errors={"seats": [_("A seat is named twice.")]})
    known = at.layout.position_of_guid
    if unknown := [guid for guid in guids if guid not in known]:
        raise NotFound("unknown_seat", _("There is no such seat in this plan."), seats=unknown)
    _check_count(at, len(guids), "seats")
    try:
        return _place(at, show, [known[guid] for guid in guids], buyer)
    except PlacesTaken as error:
        taken = [guid for guid in guids if at.layout.places[known[guid]] in error.places]
        raise Conflict("seats_taken", _("Someone else was quicker. Please choose other seats."), seats=taken) from error


def _hold_areas(at: House, show: Show, wishes: Sequence[AreaWish], buyer: str) -> list[Row]:
    _check_numbered(at, is_numbered=False)
    known = at.layout.area_of_id
    if unknown := [wish.area for wish in wishes if wish.area not in known]:
        raise NotFound("unknown_area", _("There is no such area."), areas=unknown)
    if len({wish.area for wish in wishes}) != len(wishes):
        raise Unprocessable("invalid", errors={"areas": [_("An area is named twice.")]})
    _check_count(at, sum(wish.quantity for wish in wishes), "areas")

    def pick(states: bytes, avoid: set[int]) -> list[int]:
        positions: list[int] = []
        for wish in wishes:
            area = known[wish.area]
            found = choose.any_places(area, states, wish.quantity, avoid)
            if found is None:
                free = sum(states[position] == choose.FREE for position in range(area.first, area.first + area.capacity))
                raise Conflict("area_full", _("There are not so many places left in this area."), area=area.id, free=free)
            positions += found
        return positions

    return _hold_any(at, show, pick, buyer)


def _hold_best(at: House, show: Show, wish: BestWish, buyer: str) -> list[Row]:
    _check_numbered(at, is_numbered=True)
    _check_count(at, wish.quantity, "best")
    grades = {grade.name: index for index, grade in enumerate(at.layout.grades)}
    if wish.grade is not None and wish.grade not in grades:
        raise NotFound("unknown_grade", _("There is no such grade."))
    zones = None
    if wish.zone is not None:
        zones = frozenset(index for index, name in enumerate(at.layout.zones) if name == wish.zone)
        if not zones:
            raise NotFound("unknown_zone", _("There is no such part of the house."))
    grade = None if wish.grade is None else grades[wish.grade]
    wanted = choose.Wish(wish.quantity, grade, zones, wish.wheelchair)

    def pick(states: bytes, avoid: set[int]) -> list[int]:
        found = choose.best_seats(at.layout, states, wanted, avoid)
        if found is None:
            raise Conflict("not_enough_seats", _("There are not so many seats left."))
        return found

    return _hold_any(at, show, pick, buyer)


def _hold_any(at: House, show: Show, pick: Callable[[bytes, set[int]], list[int]], buyer: str) -> list[Row]:
    """Hold what PICK finds among the free places, again and again while others take it first.

    "No place left" is said only of what the database itself shows while nobody here is taking places that they may yet not get.
    """
    deadline = time.monotonic() + PATIENCE_S
    states, is_exact = board.states(at, show), False
    lost: set[int] = set()
    while time.monotonic() < deadline:
        try:
            find = partial(_pick_but, pick, states, lost)
            with picking.turn(show.number, find, only_under_way=is_exact) as positions:
                return _place(at, show, positions, buyer)
        except PlacesTaken as error:
            lost |= {at.layout.position_of[place] for place in error.places}
        except Conflict:
            if not picking.wait_for_others(show.number, WAIT_S) and is_exact and not lost:
                raise
            states, is_exact, lost = exact_states(at, show), True, set()
    raise Unavailable("busy", _("Many people are booking right now. Please try again."), retry_after_s=2)


def _pick_but(pick: Callable[[bytes, set[int]], list[int]], states: bytes, lost: set[int], others: set[int]) -> list[int]:
    return pick(states, lost | others)


def exact_states(at: House, show: Show) -> bytes:
    """The places of SHOW by the database now. What has expired by its clock is free."""
    states = bytearray([choose.FREE]) * at.layout.capacity
    taken = claims_of(show.number).exclude(state=State.HELD, expires_ms__lte=NowMs())
    for place in taken.values_list("place", flat=True):
        position = at.layout.position_of.get(place)
        if position is not None:
            states[position] = choose.FREE + 1
    return bytes(states)


def _check_numbered(at: House, *, is_numbered: bool) -> None:
    if at.layout.is_numbered != is_numbered:
        field = "seats" if is_numbered else "areas"
        said = _("Places here have no numbers: choose an area.") if is_numbered else _("Places here are numbered: choose seats.")
        raise Unprocessable("invalid", errors={field: [said]})


def called_off() -> Conflict:
    return Conflict("performance_called_off", _("This performance was called off."))


def unknown(hold_id: int | None) -> NotFound | Gone | Conflict:
    """What to say of a hold that has no claims, or that is somebody else's. An id that could have been one has ended."""
    if hold_id is not None and calling_off.has_ended(hold_id):
        return called_off()
    if hold_id is not None and 0 <= now_ms() - claims.placed_ms(hold_id) < 7 * 24 * 3_600_000:
        return Gone("hold_expired", _("This hold has ended and its places are free again. Please choose anew."))
    return NotFound("hold_unknown", _("This hold does not exist, or it is not yours."))
