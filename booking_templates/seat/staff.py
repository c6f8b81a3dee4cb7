"""Endpoints for the seller's staff and the control plane: content, blocked seats, figures, probe."""

from __future__ import annotations

import hashlib

from django.utils.translation import gettext as _

from booking_templates.kit.api import Reply, Request, endpoint, matches
from booking_templates.kit.db import retry_transaction
from booking_templates.kit.principal import staff
from booking_templates.kit.problems import NotFound, PreconditionFailed, Unavailable, Unprocessable
from booking_templates.seat import claims, content, house, probing, room_views
from booking_templates.seat.board import Counts, count_claims
from booking_templates.seat.house import House, Show
from booking_templates.seat.models import CONTENT_ID, Content, State, claims_of
from booking_templates.seat.schemas import (
    ContentOutcome,
    PerformanceSummary,
    ProbeOutcome,
    SeatContent,
    SeatsRequest,
    Summary,
)

CONTENT_BYTES_MAX = 16 * 1024 * 1024
BLOCKED_BYTES_MAX = 4 * 1024 * 1024
EDITOR = staff("content")


@endpoint(auth=EDITOR, returns={200: SeatContent}, problems=("no_content",))
def read_content(request: Request) -> SeatContent:
    """What was written last."""
    return content.read()


@endpoint(
    auth=EDITOR,
    body=SeatContent,
    returns={200: ContentOutcome},
    problems=("invalid", "would_orphan"),
    max_body=CONTENT_BYTES_MAX,
)
def put_content(request: Request, body: SeatContent) -> ContentOutcome:
    """Replace plan or areas, grades, performances and rules of sale. 409 `would_orphan` names taken places that would be lost."""
    return content.put(body)


@endpoint(auth=EDITOR, returns={200: SeatsRequest}, problems=("no_content", "unknown_performance"))
def read_blocked(request: Request, performance_id: str) -> Reply:
    """The seats of a performance that are off sale. The ETag is for who changes them, with `If-Match`."""
    at = house.refreshed()
    return _blocked(at, at.show(performance_id))


@endpoint(
    auth=EDITOR,
    body=SeatsRequest,
    returns={200: SeatsRequest},
    problems=("no_content", "unknown_performance", "unknown_seat", "would_orphan", "changed_meanwhile", "invalid"),
    max_body=BLOCKED_BYTES_MAX,
)
def put_blocked(request: Request, body: SeatsRequest, performance_id: str) -> Reply:
    """Take exactly these seats of a performance off sale. 409 `would_orphan` names those that somebody has.

    With `If-Match` it is refused (412) when somebody else has changed them meanwhile.
    """
    at = house.refreshed()
    show = at.show(performance_id)
    if not at.layout.is_numbered:
        raise Unprocessable("invalid", errors={"seats": [_("Places without numbers cannot be named.")]})
    known = at.layout.position_of_guid
    if unknown := [guid for guid in body.seats if guid not in known]:
        raise NotFound("unknown_seat", _("There is no such seat in this plan."), seats=unknown[:20])
    _block_exactly(at, show, {at.layout.places[known[guid]] for guid in body.seats}, if_match=request.headers.get("If-Match", ""))
    return _blocked(at, show)


@retry_transaction
def _block_exactly(at: House, show: Show, wanted: set[int], *, if_match: str) -> None:
    # The same lock as a change of the content: none is under way, and no hold either.
    Content.objects.select_for_update().get(pk=CONTENT_ID)
    there = _off_sale(show)
    if if_match and not matches(if_match, _etag(show, there)):
        raise PreconditionFailed("changed_meanwhile", _("Somebody else has changed this meanwhile. Nothing of yours was saved."))
    claims.unblock(show.number, there - wanted)
    claims.sweep()
    content.block(wanted - there, [show.number], at.layout)
    claims.tell_blocked(show.number, wanted - there)


def _blocked(at: House, show: Show) -> Reply:
    places = _off_sale(show)
    positions = sorted(position for place in places if (position := at.layout.position_of.get(place)) is not None)
    return Reply(SeatsRequest([at.layout.guids[position] for position in positions]), headers={"ETag": _etag(show, places)})


def _off_sale(show: Show) -> set[int]:
    return set(claims_of(show.number).filter(state=State.BLOCKED).values_list("place", flat=True))


def _etag(show: Show, places: set[int]) -> str:
    """Of what is off sale, not of when it was changed: who finds it as they left it may go on."""
    text = f"{show.number}:{','.join(map(str, sorted(places)))}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


@endpoint(auth=staff("summary"), returns={200: Summary}, problems=("no_content",))
def read_summary(request: Request) -> Summary:
    """How many places of each performance are free, held, sold and blocked, now."""
    at = house.refreshed()
    counts = count_claims(at)
    rows = []
    for show in at.shows.values():
        held, sold, blocked = counts.get(show.number, Counts(0, 0, 0))
        free = at.layout.capacity - held - sold - blocked
        if show.is_called_off:
            free, blocked = 0, blocked + free
        rows.append(PerformanceSummary(show.id, free, held, sold, blocked, show.is_called_off))
    return Summary(rows, room_views.shown())


@endpoint(auth=staff("probe"), returns={200: ProbeOutcome}, problems=("no_content", "probe_failed"))
def probe(request: Request) -> Reply:
    """Hold and release a place that nobody sees, by the code that sells."""
    if not probing.probe(house.refreshed()):
        raise Unavailable("probe_failed", _("A place could not be held just now."), retry_after_s=1)
    return Reply(ProbeOutcome(True))
