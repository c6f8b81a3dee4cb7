"""Endpoints of the waiting room: how it stands, a place in it, and stopping it."""

from __future__ import annotations

import threading
import time
import zlib

import msgspec

from booking_templates.kit.api import Reply, Request, endpoint, not_modified
from booking_templates.kit.principal import OPTIONAL_BUYER, authenticate, staff
from booking_templates.seat import callers, house, passes, presale, room, turns
from booking_templates.seat.board import Left, board
from booking_templates.seat.clock import from_ms, now_ms
from booking_templates.seat.house import House
from booking_templates.seat.queue import Queue
from booking_templates.seat.schemas import PauseRequest, Room, Turn, TurnRequest

KEPT_S = 0.5
SHARED = "public, max-age=1"
"""All are told the same: a cache in front may answer."""
NOTHING_TOLD = Left([], [])


def shown() -> Room:
    """The room as everybody may know it. Raises NotFound `no_content`."""
    return _shown(house.current(), room.seen(), now_ms())


def _shown(at: House, queue: Queue, now: int) -> Room:
    left = _left(at, queue, now)
    return Room(
        is_on=queue.is_on,
        needs_turn=queue.needs_turn(now, at.opening_ms(now)),
        is_paused=queue.is_paused,
        per_minute=queue.per_minute,
        given=queue.given,
        admitted=queue.admitted(now),
        at=from_ms(now),
        sold_out=left.sold_out,
        closed=left.closed,
    )


def _left(at: House, queue: Queue, now: int) -> Left:
    """For those who wait; nobody counts places for anybody else."""
    return board.left(at) if queue.waiting(now) else NOTHING_TOLD


class _Answer:
    """The answer to everybody who asks within KEPT_S, made once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[tuple[Queue, Left], float, bytes, str] | None = None

    def __call__(self) -> tuple[bytes, str]:
        """Its body and its ETag, which tells nothing of the time alone."""
        at, queue = house.current(), room.seen()
        told = queue, _left(at, queue, now_ms())
        made = self._made
        if made is None or made[0] != told or time.monotonic() - made[1] > KEPT_S:
            with self._lock:
                now = _shown(at, queue, now_ms())
                left = zlib.crc32(msgspec.json.encode([now.sold_out, now.closed]))
                etag = f'"{now.given:x}-{now.admitted:x}-{now.per_minute:x}-{now.is_on:d}{now.needs_turn:d}{now.is_paused:d}-{left:x}"'
                made = self._made = (told, time.monotonic(), msgspec.json.encode(now), etag)
        return made[2], made[3]


_answer = _Answer()


@endpoint(returns={200: Room, 304: None}, problems=("no_content",))
def read_room(request: Request) -> Reply:
    """How many wait and how many are in. Whoever has a number works out from it how long they wait, and asks the more rarely the longer."""
    body, etag = _answer()
    headers = {"ETag": etag, "Cache-Control": SHARED}
    if not_modified(request, etag):
        return Reply(status=304, headers=headers)
    return Reply(body, headers=headers)


@endpoint(body=TurnRequest, returns={200: Turn, 201: Turn}, problems=("no_content", "too_many_turns"))
def take_turn(request: Request, body: TurnRequest) -> Reply:
    """A place in the queue. Who comes in at once gets one too, for it is good when a queue forms behind them.

    201 with the next number; 200 with the turn that was sent along while that is good, and without one where none is given out. Nobody
    needs to be logged in, but in a presale: then an account that has used a code gets one.
    """
    at = house.current()
    queue, now = room.seen(), now_ms()
    opens_ms, needs_code = at.opens_ms, False
    if at.presale and now < at.opens_ms:
        # Only now is it looked at who asks: a token costs more than a number does.
        needs_code = not presale.has_code(_buyer(request))
        opens_ms = at.opens_ms if needs_code else at.presale_ms
    if not needs_code and queue.is_on and (found := turns.read(body.turn)) and _is_good(found, queue, now):
        return Reply(Turn(body.turn, found.number, None, _shown(at, queue, now)))
    if not queue.is_on or not opens_ms <= now < at.closes_ms:
        opens_in_s = (opens_ms - now) / 1000 if now < opens_ms else None
        return Reply(Turn(None, None, opens_in_s, _shown(at, queue, now), needs_code or msgspec.UNSET))
    callers.limit.check(request, per_minute=queue.per_minute)
    queue, number = room.arrive()
    now = now_ms()
    turn = turns.new(number, now, queue.wait_ms(number, now))
    return Reply(Turn(turns.write(turn), number, None, _shown(at, queue, now)), status=201)


def _buyer(request: Request) -> str:
    """The account that asks; empty for nobody, and for anybody else."""
    caller = authenticate(request, OPTIONAL_BUYER)
    return caller.id if caller.kind == "buyer" else ""


def _is_good(turn: turns.Turn, queue: Queue, now: int) -> bool:
    if turn.number > queue.given:
        queue = _newest()
    if turn.number > queue.given or turn.is_over(queue, now):
        return False
    return not (queue.admits(turn.number, now) and passes.is_used_up(turn))


def _newest() -> Queue:
    """Another replica may have given out more since. What is beyond that was given out by a database that is lost."""
    house.refreshed()
    return room.seen()


@endpoint(auth=staff("content"), body=PauseRequest, returns={200: Room}, problems=("no_content",))
def put_room(request: Request, body: PauseRequest) -> Room:
    """Let nobody in any more, or go on. Who is in stays in, and nobody loses a place."""
    room.pause(body.is_paused)
    return _shown(house.refreshed(), room.seen(), now_ms())
