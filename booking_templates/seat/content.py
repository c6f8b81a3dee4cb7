"""What staff write: read, checked, and put in place of what was there. Never at the cost of a place that somebody has."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime

import msgspec
from django.conf import settings
from django.db import IntegrityError, connection
from django.db.models import Max, Model
from django.utils.translation import gettext as _

from booking_templates.kit.db import db_now, retry_transaction
from booking_templates.kit.problems import Conflict, NotFound, Unprocessable
from booking_templates.kit.times import out_of_range
from booking_templates.seat import claims, house, room, variant
from booking_templates.seat.layout import Layout, lay_out
from booking_templates.seat.models import (
    AREA_STRIDE,
    CONTENT_ID,
    PROBE_PERFORMANCE,
    Area,
    Claim,
    Content,
    Performance,
    Seat,
    State,
    claim_id,
    claims_on,
)
from booking_templates.seat.schemas import CAPACITY_MAX, SEATS_MAX, ContentOutcome, Presale, SeatContent

NAMED_MAX = 20

Add = Callable[[str, str], None]
"""Adds a message to a field."""


def read() -> SeatContent:
    """What was written last. Raises NotFound `no_content`."""
    row = Content.objects.filter(pk=CONTENT_ID).first()
    if row is None:
        raise NotFound("no_content", _("Nothing is on sale here yet."))
    content = msgspec.json.decode(row.body, type=SeatContent)
    content.admit_per_minute = room.per_minute()
    content.presale = house.presale_of(row)
    return content


def put(content: SeatContent) -> ContentOutcome:
    """Make CONTENT what is on sale. The same content again changes nothing.

    Raises Unprocessable for content that contradicts itself, Conflict `would_orphan` when a place that is sold, held or being paid for
    would be no part of it any more.
    """
    if errors := _errors(content):
        raise Unprocessable("invalid", errors=errors)
    # The rate is the waiting room's, which changes while holds go on; and an image of before it, or of before the presale, reads the rest
    # as it always did.
    body = msgspec.json.encode(msgspec.structs.replace(content, admit_per_minute=None, presale=None)).decode()
    digest = hashlib.sha256(body.encode()).hexdigest()
    before = Content.objects.filter(pk=CONTENT_ID).values_list("digest", "presale").first()
    if before == (digest, _written(content.presale)):
        is_changed = room.let_in(content.admit_per_minute)
        layout = house.refreshed().layout
        return ContentOutcome(layout.version, changed=is_changed, capacity=layout.capacity)
    try:
        outcome = _put(content, body, digest)
    except IntegrityError:  # two first ones at the same time: now there is a row to queue at
        outcome = _put(content, body, digest)
    house.refreshed()
    return outcome


def _written(presale: Presale | None) -> str | None:
    return None if presale is None else msgspec.json.encode(presale).decode()


@retry_transaction
def _put(content: SeatContent, body: str, digest: str) -> ContentOutcome:
    # Holds share a lock on this row: from here to the commit none is under way, and the claims read below are all there are.
    before = Content.objects.select_for_update().filter(pk=CONTENT_ID).first()
    numbers = _numbers(content)
    performances = number(Performance, "id", [item.id for item in content.performances], first=1)
    layout = lay_out(content, numbers, language=settings.LANGUAGE_CODE)
    room.let_in(content.admit_per_minute)
    if before is not None and (before.digest, before.presale) == (digest, _written(content.presale)):
        return ContentOutcome(layout.version, changed=False, capacity=layout.capacity)
    shown = {performances[item.id] for item in content.performances}
    if before is not None:
        _check_claims(msgspec.json.decode(before.body, type=SeatContent), layout, shown)
        claims.lower_limit(content.limit_per_buyer)
    _block(content, layout, numbers, shown, before)
    Content.objects.update_or_create(
        pk=CONTENT_ID,
        defaults={
            "version": (before.version if before else 0) + 1,
            "digest": digest,
            "body": body,
            "presale": _written(content.presale),
            "updated_at": db_now(),
        },
    )
    return ContentOutcome(layout.version, changed=True, capacity=layout.capacity)


def _numbers(content: SeatContent) -> dict[str, int]:
    """The number of each seat's guid, or of each area's id."""
    if content.plan is None:
        return number(Area, "id", [area.id for area in content.areas or ()], first=1)
    guids = [seat.seat_guid for zone in content.plan.zones for row in zone.rows for seat in row.seats]
    return number(Seat, "guid", guids, first=1)


def number(model: type[Model], name: str, keys: Sequence[str], *, first: int) -> dict[str, int]:
    """The number that stands for each of KEYS; new ones get the next."""
    objects = model._default_manager
    known: dict[str, int] = dict(objects.values_list(name, "number"))
    missing = [key for key in keys if key not in known]
    if missing:
        start = (objects.aggregate(top=Max("number"))["top"] or first - 1) + 1
        fresh = dict(zip(missing, range(start, start + len(missing)), strict=True))
        # Past the ORM: 15,000 objects to be thrown away at once would be a third of what a plan costs.
        quote = connection.ops.quote_name
        columns = f"{quote('number')}, {quote(name)}"
        with connection.cursor() as cursor:
            sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES (%s, %s)"  # noqa: S608 - names of our own
            cursor.executemany(sql, [(number, key) for key, number in fresh.items()])
        known |= fresh
    return known


# ---- what contradicts itself


def _errors(content: SeatContent) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}

    def add(field: str, text: str) -> None:
        errors.setdefault(field, []).append(text)

    grades = [grade.name for grade in content.grades]
    for name in _repeated(grades):
        add("grades", _("%(name)s is there twice.") % {"name": name})
    for name in _repeated(item.id for item in content.performances):
        add("performances", _("%(name)s is there twice.") % {"name": name})
    for field, said in out_of_range(_times(content)):
        add(field, said)
    if content.sales.opens_at >= content.sales.closes_at:
        add("sales.closes_at", _("Sales end before they begin."))
    if content.presale is not None and content.presale.opens_at >= content.sales.opens_at:
        add("presale.opens_at", _("The presale opens before the sale does."))
    if variant.is_numbered():
        _check_plan(content, set(grades), add)
    else:
        _check_areas(content, set(grades), add)
    return errors


def _times(content: SeatContent) -> Iterator[tuple[str, datetime]]:
    for number, item in enumerate(content.performances):
        yield f"performances[{number}].starts_at", item.starts_at
    yield "sales.opens_at", content.sales.opens_at
    yield "sales.closes_at", content.sales.closes_at
    if content.presale is not None:
        yield "presale.opens_at", content.presale.opens_at


def _check_plan(content: SeatContent, grades: set[str], add: Add) -> None:
    if content.plan is None or content.areas is not None:
        add("plan", _("This booking system sells numbered seats: it needs a seating plan, and no areas."))
        return
    seats = [seat for zone in content.plan.zones for row in zone.rows for seat in row.seats]
    if not seats:
        add("plan", _("The plan has no seats."))
    if len(seats) > SEATS_MAX:
        add("plan", _("The plan has more than %(limit)d seats.") % {"limit": SEATS_MAX})
    for guid in _repeated(seat.seat_guid for seat in seats):
        add("plan", _("Two seats have the id %(guid)s.") % {"guid": guid})
    used = {seat.category for seat in seats}
    for category in sorted(used - {category.name for category in content.plan.categories}):
        add("plan", _("There are seats of the category %(name)s, which the plan does not have.") % {"name": category})
    for category in sorted(used - grades):
        add("grades", _("The grade %(name)s has no price.") % {"name": category})
    guids = {seat.seat_guid for seat in seats}
    for field in ("wheelchair", "obstructed", "blocked"):
        if unknown := [guid for guid in getattr(content, field) if guid not in guids]:
            add(field, _("The plan has no seat %(guid)s.") % {"guid": unknown[0]})


def _check_areas(content: SeatContent, grades: set[str], add: Add) -> None:
    if content.areas is None or content.plan is not None:
        add("areas", _("This booking system sells places without numbers: it needs areas, and no seating plan."))
        return
    if not content.areas:
        add("areas", _("There are no areas."))
    if sum(area.capacity for area in content.areas) > CAPACITY_MAX:
        add("areas", _("All areas together have more than %(limit)d places.") % {"limit": CAPACITY_MAX})
    for name in _repeated(area.id for area in content.areas):
        add("areas", _("%(name)s is there twice.") % {"name": name})
    for name in sorted({area.grade for area in content.areas} - grades):
        add("grades", _("The grade %(name)s has no price.") % {"name": name})
    for field in ("wheelchair", "obstructed", "blocked"):
        if getattr(content, field):
            add(field, _("Places without numbers cannot be named."))


def _repeated(keys: Iterable[str]) -> list[str]:
    return [key for key, count in Counter(keys).items() if count > 1][:NAMED_MAX]


# ---- places that somebody has


def _check_claims(before: SeatContent, layout: Layout, shown: set[int]) -> None:
    """Within the transaction: raises Conflict `would_orphan` when a taken place would be lost. Renumbers what an area's end cuts off."""
    claims.sweep()
    taken = Claim.objects.exclude(state=State.BLOCKED).exclude(performance=PROBE_PERFORMANCE)
    lost = list(taken.exclude(performance__in=shown).values_list("performance", "place")[: NAMED_MAX + 1])
    old = lay_out(before, _numbers(before), language=settings.LANGUAGE_CODE)
    gone = set(old.places) - set(layout.places)
    if layout.is_numbered:
        for chunk in claims.chunks(sorted(gone), claims.CHUNK):
            for performance in sorted(shown):
                claims_on(performance, chunk).filter(state=State.BLOCKED).delete()
                lost += claims_on(performance, chunk).values_list("performance", "place")[:NAMED_MAX]
    else:
        lost += _cut_areas(old, layout, shown)
    if lost:
        raise _would_orphan(old, lost)


def _cut_areas(old: Layout, layout: Layout, shown: set[int]) -> list[tuple[int, int]]:
    """Areas that shrink: their places are alike, so what lies beyond the new end moves to free numbers before it, if there are enough."""
    lost: list[tuple[int, int]] = []
    for area in old.areas:
        new = layout.area_of_id.get(area.id)
        capacity = new.capacity if new else 0
        if capacity >= area.capacity:
            continue
        for performance in sorted(shown):
            first, last = claim_id(performance, area.place), claim_id(performance, area.place + AREA_STRIDE)
            places = set(Claim.objects.filter(id__gt=first, id__lt=last).values_list("place", flat=True))
            beyond = sorted(place for place in places if place > area.place + capacity)
            if len(places) > capacity:
                lost += [(performance, place) for place in beyond[: len(places) - capacity]]
                continue
            free = (place for place in range(area.place + 1, area.place + capacity + 1) if place not in places)
            for place, target in zip(beyond, free, strict=False):
                claims_on(performance, [place]).update(id=claim_id(performance, target), place=target)
    return lost


def _would_orphan(old: Layout, lost: Sequence[tuple[int, int]]) -> Conflict:
    names = dict(Performance.objects.values_list("number", "id"))
    places = [{"performance": names.get(performance, ""), "label": _name(old, place)} for performance, place in lost[:NAMED_MAX]]
    listed = ", ".join(f"{place['label']} ({place['performance']})" for place in places[:5])
    more = "…" if len(lost) > 5 else ""
    text = _("These places are sold or held, and would be lost: %(places)s")
    return Conflict("would_orphan", text % {"places": listed + more}, places=places)


def _name(layout: Layout, place: int) -> str:
    if area := layout.area_at(place):
        return area.name
    position = layout.position_of.get(place)
    return layout.labels[position] if position is not None and layout.is_numbered else str(place)


# ---- blocked seats


def _block(content: SeatContent, layout: Layout, numbers: dict[str, int], shown: set[int], before: Content | None) -> None:
    """Block what is newly listed, and everything listed for new performances; unblock what is listed no more.

    What staff blocked or unblocked for one performance since then stays as they left it.
    """
    wanted = {numbers[guid] for guid in content.blocked}
    if before is None:
        block(wanted, shown, layout)
        return
    old = msgspec.json.decode(before.body, type=SeatContent)
    of_id = dict(Performance.objects.values_list("id", "number"))
    shown_before = {of_id[item.id] for item in old.performances}
    was = {numbers[guid] for guid in old.blocked if guid in numbers}
    for performance in shown:
        claims.unblock(performance, was - wanted)
    block(wanted - was, shown & shown_before, layout)
    block(wanted, shown - shown_before, layout)


def block(places: Collection[int], shown: Collection[int], layout: Layout) -> None:
    """Within a transaction: take PLACES off sale in the performances SHOWN. Raises Conflict `would_orphan` when one is taken."""
    for performance in sorted(shown):
        there = dict(_states(performance, places))
        if taken := [(performance, place) for place, state in there.items() if state != State.BLOCKED]:
            raise _would_orphan(layout, taken)
        fresh = sorted(set(places) - set(there))
        Claim.objects.bulk_create(
            [
                Claim(id=key, performance=performance, place=place, hold=-key, buyer="", state=State.BLOCKED)
                for place in fresh
                for key in [claim_id(performance, place)]
            ],
            batch_size=1_000,
        )


def _states(performance: int, places: Collection[int]) -> Iterator[tuple[int, int]]:
    for chunk in claims.chunks(sorted(places), claims.CHUNK):
        yield from claims_on(performance, chunk).values_list("place", "state")
