"""Endpoints for buyers: performances, plan, availability and their own holds."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _

from booking_templates.kit.api import Reply, Request, endpoint, not_modified
from booking_templates.kit.principal import BUYER
from booking_templates.kit.problems import Conflict
from booking_templates.seat import claims, holds, house
from booking_templates.seat.board import Counts, board
from booking_templates.seat.clock import from_ms, now_ms
from booking_templates.seat.models import State
from booking_templates.seat.schemas import (
    Availability,
    AvailabilityQuery,
    Hold,
    HoldRequest,
    Holds,
    PerformanceInfo,
    PlanInfo,
    SalesPeriod,
)
from booking_templates.seat.showing import hold_of, holds_of, parse_hold_id

GZIP_FROM_BYTES = 1024
REVALIDATE = "public, no-cache"
TURN_HEADER = "X-Clove-Turn"
TURN_META = "HTTP_X_CLOVE_TURN"
"""As the server leaves it: `headers` is made anew of all that there are."""
FOR_EVER = "public, max-age=31536000, immutable"


class PlanQuery(AvailabilityQuery):
    """`v`: the version wanted; an answer of that version never changes."""

    v: str = ""


@endpoint(returns={200: list[PerformanceInfo]}, problems=("no_content",))
def list_performances(request: Request) -> list[PerformanceInfo]:
    """The performances in order of time, with how many places are free."""
    at = house.current()
    counts = board.counts(at)
    now = now_ms()
    sales = SalesPeriod(at.content.sales.opens_at, at.content.sales.closes_at, at.presale)
    infos = []
    for show in at.shows.values():
        taken = sum(counts.get(show.number, Counts(0, 0, 0)))
        infos.append(
            PerformanceInfo(
                id=show.id,
                starts_at=show.starts_at,
                on_sale=at.is_on_sale(show, now),
                sales=sales,
                free=0 if show.is_called_off else max(0, at.layout.capacity - taken),
                capacity=at.layout.capacity,
                is_called_off=show.is_called_off,
            )
        )
    return infos


@endpoint(query=PlanQuery, returns={200: PlanInfo, 304: None}, problems=("no_content",))
def read_plan(request: Request, query: PlanQuery) -> Reply:
    """The compact seating plan. With `v` of its version it may be kept for ever."""
    at = house.current()
    etag = f'"{at.layout.version}"'
    headers = {"ETag": etag, "Cache-Control": FOR_EVER if query.v == at.layout.version else REVALIDATE, "Vary": "Accept-Encoding"}
    if not_modified(request, etag):
        return Reply(status=304, headers=headers)
    if _takes_gzip(request):
        return Reply(at.plan_gzip, headers=headers | {"Content-Encoding": "gzip"})
    return Reply(at.plan_json, headers=headers)


@endpoint(query=AvailabilityQuery, returns={200: Availability, 304: None}, problems=("no_content", "unknown_performance"))
def read_availability(request: Request, query: AvailabilityQuery, performance_id: str) -> Reply:
    """Which places are free: everything, or what changed since the version of an answer before."""
    at = house.current()
    answer = board.answer(at, at.show(performance_id))
    headers = {"ETag": answer.etag, "Cache-Control": REVALIDATE, "Vary": "Accept-Encoding"}
    if not_modified(request, answer.etag):
        return Reply(status=304, headers=headers)
    body = board.delta(answer, query.since) if query.since else answer.full
    if body is answer.full and len(body) > GZIP_FROM_BYTES and _takes_gzip(request):
        return Reply(answer.full_gzip, headers=headers | {"Content-Encoding": "gzip"})
    return Reply(body, headers=headers)


def _takes_gzip(request: HttpRequest) -> bool:
    return "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")


@endpoint(
    auth=BUYER,
    body=HoldRequest,
    returns={201: Hold},
    problems=(
        "no_content",
        "unknown_performance",
        "unknown_seat",
        "unknown_area",
        "unknown_grade",
        "unknown_zone",
        "seats_taken",
        "area_full",
        "not_enough_seats",
        "not_on_sale",
        "performance_called_off",
        "limit_exceeded",
        "waiting_room",
        "turn_taken",
        "turn_over",
        "busy",
    ),
    headers={TURN_HEADER: "A turn of `POST /api/seat/room/turns`. It is needed while people wait, and just after the sale has opened."},
)
def create_hold(request: Request, body: HoldRequest, performance_id: str) -> Reply:
    """Hold places for a few minutes: all that are asked for, or none."""
    at, rows = holds.hold(performance_id, body, request.principal.id, turn=request.META.get(TURN_META, ""))
    hold = hold_of(at, rows)
    return Reply(hold, status=201, headers={"Location": f"/api/seat/holds/{hold.id}"})


@endpoint(auth=BUYER, returns={200: Holds}, problems=("no_content",))
def list_holds(request: Request) -> Holds:
    """The buyer's open holds, oldest first."""
    return holds_of(house.current(), claims.rows_of_buyer(request.principal.id))


@endpoint(auth=BUYER, returns={200: Hold}, problems=("hold_unknown", "hold_expired", "performance_called_off", "no_content"))
def read_hold(request: Request, hold_id: str) -> Hold:
    """One of the buyer's holds."""
    return hold_of(house.current(), _own_hold(request, hold_id))


@endpoint(auth=BUYER, returns={204: None}, problems=("hold_unknown", "hold_expired", "performance_called_off", "hold_pinned", "hold_sold"))
def release_hold(request: Request, hold_id: str) -> Reply:
    """Give the places back."""
    hold = parse_hold_id(hold_id)
    rows = claims.release_hold(hold, request.principal.id) if hold is not None else []
    if not rows:
        raise holds.unknown(_somebodys(hold))
    _refuse_unless_held(rows)
    return Reply(status=204)


@endpoint(
    auth=BUYER,
    returns={200: Hold},
    problems=("hold_unknown", "hold_expired", "performance_called_off", "hold_pinned", "hold_sold", "already_extended"),
)
def extend_hold(request: Request, hold_id: str) -> Hold:
    """Half as much time again, once."""
    rows = _own_hold(request, hold_id)
    at = house.current()
    if not claims.extend(rows[0].hold, request.principal.id, at.hold_ms // 2):
        rows = _own_hold(request, hold_id)
        _refuse_unless_held(rows)
        raise Conflict("already_extended", _("The time was extended once already."))
    return hold_of(at, _own_hold(request, hold_id))


def _own_hold(request: Request, hold_id: str) -> list[claims.Row]:
    """Claims of a hold of the caller's whose time is not over. Raises NotFound or Gone."""
    hold = parse_hold_id(hold_id)
    rows = claims.rows_of(hold) if hold is not None else []
    if not rows or rows[0].buyer != request.principal.id:
        raise holds.unknown(None if rows else hold)
    if rows[0].state == State.HELD and from_ms(rows[0].expires_ms or 0) <= from_ms(now_ms()):
        raise holds.unknown(hold)
    return rows


def _somebodys(hold: int | None) -> int | None:
    """HOLD unless it is there and somebody else's: that it exists is not for everyone to know."""
    return None if hold is None or claims.rows_of(hold) else hold


def _refuse_unless_held(rows: list[claims.Row]) -> None:
    if rows[0].state == State.PINNED:
        raise Conflict("hold_pinned", _("These places are being paid for."))
    if rows[0].state == State.SOLD:
        raise Conflict("hold_sold", _("These places are sold already."))
