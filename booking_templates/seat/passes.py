"""Who may place a hold while there is a queue: whoever brings a turn that has come, one buyer for each.

A turn becomes its buyer's at the first hold that needs one, and is theirs alone from then on. Where nobody waits nothing is asked.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from booking_templates.kit import batch
from booking_templates.kit.db import write
from booking_templates.kit.problems import Forbidden
from booking_templates.seat import claims, house, room, turns
from booking_templates.seat.clock import now_ms
from booking_templates.seat.house import House
from booking_templates.seat.models import Pass
from booking_templates.seat.queue import Queue
from booking_templates.seat.turns import AGE_MAX_MS, LIFE_MS, Turn

KNOWN_MAX = 50_000
ROOM = "/api/seat/room"

_known: dict[int, tuple[str, int]] = {}


def check(at: House, text: str, buyer: str) -> None:
    """Raises Forbidden `waiting_room`, `turn_taken` or `turn_over` unless BUYER may place a hold now with the turn TEXT, or with none."""
    now = now_ms()
    if not room.seen().needs_turn(now, at.opening_ms(now)):
        return
    turn = turns.read(text)
    if turn is None:
        raise _wait(room.seen())
    owner, expires_ms = _known.get(turn.id) or _read(turn) or _taken(turn, buyer)
    if owner != buyer:
        raise Forbidden("turn_taken", _("Somebody else uses this place in the queue. Please wait for one of your own."), room=ROOM)
    if now_ms() > expires_ms and not claims.rows_of_buyer(buyer):
        raise _over()


def is_used_up(turn: Turn) -> bool:
    """Whether TURN is good for nothing any more because whoever took it has had their time."""
    found = _read(turn)
    return found is not None and now_ms() > found[1] and not claims.rows_of_buyer(found[0])


def _taken(turn: Turn, buyer: str) -> tuple[str, int]:
    """Make TURN the buyer's; whose it is now, and until when."""
    if not room.seen().admits(turn.number, now_ms()):
        house.refreshed()  # another replica may have let it in a moment ago
    queue, now = room.seen(), now_ms()
    if not queue.admits(turn.number, now):
        raise _wait(queue, turn)
    if turn.is_over(queue, now):
        raise _over()
    try:
        batch.run([("INSERT INTO seat_pass (id, buyer, expires_ms) VALUES (%s, %s, %s)", [turn.id, buyer, now + LIFE_MS])])
    except IntegrityError:  # the same turn in another tab, or by another account
        return _read(turn) or (buyer, now + LIFE_MS)
    return _keep(turn.id, buyer, now + LIFE_MS)


def _read(turn: Turn) -> tuple[str, int] | None:
    for buyer, expires_ms in batch.read(("SELECT buyer, expires_ms FROM seat_pass WHERE id = %s", [turn.id]))[0]:
        return _keep(turn.id, str(buyer), int(expires_ms))
    return None


def _keep(identity: int, buyer: str, expires_ms: int) -> tuple[str, int]:
    if len(_known) >= KNOWN_MAX:
        _known.clear()
    _known[identity] = buyer, expires_ms
    return buyer, expires_ms


def _wait(queue: Queue, turn: Turn | None = None) -> Forbidden:
    ahead: dict[str, Any] = {} if turn is None else {"number": turn.number, "admitted": queue.admitted(now_ms())}
    text = _("Very many people want to book right now. Please wait in the queue until it is your turn.")
    return Forbidden("waiting_room", text, room=ROOM, **ahead)


def _over() -> Forbidden:
    return Forbidden("turn_over", _("The time of your turn is over. Please wait in the queue once more."), room=ROOM)


def forget_buyer(buyer: str) -> None:
    """Nothing here names BUYER any more; the turns stay used."""
    write(lambda: Pass.objects.filter(buyer=buyer).update(buyer=""))
    for identity in [identity for identity, (owner, _until) in list(_known.items()) if owner == buyer]:
        _known.pop(identity, None)


def forget() -> None:
    """Read them anew. For tests, whose databases go back in time."""
    _known.clear()


def trim() -> int:
    """Delete what no turn can be taken with any more; the number of them."""
    over = Pass.objects.filter(expires_ms__lt=now_ms() - AGE_MAX_MS)
    return write(over.delete)[0]
