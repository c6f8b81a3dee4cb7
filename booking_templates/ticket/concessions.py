"""Concessions (권종·할인): what a place costs those who may pay less. Data of the seller's; pure functions, amounts are whole won."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta

from booking_templates.kit.problems import Conflict, Unprocessable
from booking_templates.payments.names import normal_name
from booking_templates.ticket.moments import Moment, check_years
from booking_templates.ticket.seat import Place

CONCESSIONS_MAX = 30
CONCESSION_MAX = 40
PROOF_MAX = 200

ConcessionId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$", max_length=CONCESSION_MAX)]
Places = Annotated[int, Meta(ge=1, le=100)]


class Concession(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """PERCENT of the grade's price or OFF_KRW is taken off, one of the two; a percentage is rounded down to the won.

    GRADES and PERFORMANCES: for those alone, for all when empty. PROOF is what its holder shows at the door. So many places of one order
    AT_LEAST must have it if any has, and AT_MOST may. It can be ordered FROM a moment, UNTIL another.
    """

    id: ConcessionId
    name: Annotated[str, Meta(min_length=1, max_length=CONCESSION_MAX)]
    percent: Annotated[int, Meta(ge=1, le=100)] | None = None
    off_krw: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    grades: Annotated[list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=100)] = []
    performances: Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=400)] = []
    proof: Annotated[str, Meta(max_length=PROOF_MAX)] = ""
    at_least: Places | None = None
    at_most: Places | None = None
    from_: Moment | None = msgspec.field(name="from", default=None)
    until: Moment | None = None

    def __post_init__(self) -> None:
        check_years(self.from_, self.until)

    def price_of(self, list_price_krw: int) -> int:
        """What a place of LIST_PRICE_KRW costs with it."""
        if self.percent is not None:
            return list_price_krw - list_price_krw * self.percent // 100
        return max(0, list_price_krw - (self.off_krw or 0))

    def is_for(self, *, grade: str, performance_id: str) -> bool:
        return (not self.grades or grade in self.grades) and (not self.performances or performance_id in self.performances)


class Sold(Place):
    """A place with the concession it is ordered with, as it was then. Without one it is the place alone, and costs its full price."""

    list_price_krw: int | None = None
    concession: str = ""
    concession_id: str = ""
    proof: str = ""
    percent: int | None = None
    off_krw: int | None = None
    at_least: int | None = None


Choice = Mapping[str, str]
"""Place's id -> concession's id."""


def checked(offered: Sequence[Concession]) -> list[Concession]:
    """OFFERED as they are kept: texts on one line. Raises Unprocessable naming the fields that do not go together."""
    errors: dict[str, list[str]] = {}
    kept = [msgspec.structs.replace(each, name=normal_name(each.name), proof=normal_name(each.proof)) for each in offered]
    ids, names = Counter(each.id for each in kept), Counter(each.name for each in kept)
    for at, each in enumerate(kept):
        where = f"concessions[{at}]"
        if ids[each.id] > 1:
            errors[f"{where}.id"] = [_("Another concession has this id.")]
        if not each.name:
            errors[f"{where}.name"] = [_("Give it a name.")]
        elif names[each.name] > 1:
            errors[f"{where}.name"] = [_("Another concession has this name.")]
        for field, most in (("name", CONCESSION_MAX), ("proof", PROOF_MAX)):
            if len(getattr(each, field)) > most:  # some letters are two when they are composed
                errors[f"{where}.{field}"] = [_("Use at most %(count)d characters.") % {"count": most}]
        if (each.percent is None) == (each.off_krw is None):
            errors[f"{where}.percent"] = [_("Say either a percentage or an amount.")]
        if each.at_least is not None and each.at_most is not None and each.at_least > each.at_most:
            errors[f"{where}.at_most"] = [_("This is less than the least number.")]
        if each.from_ is not None and each.until is not None and each.until <= each.from_:
            errors[f"{where}.until"] = [_("This has to be after the beginning.")]
    if errors:
        raise Unprocessable("invalid", errors=errors)
    return kept


def applied(offered: Sequence[Concession], places: Sequence[Place], choice: Choice, *, performance_id: str, now: datetime) -> list[Sold]:
    """PLACES at the prices that CHOICE makes of them, NOW. Raises Problem by the name of what is wrong with it; see `statuses`."""
    known = {each.id: each for each in offered}
    if strange := sorted(choice.keys() - {place.id for place in places}):
        raise Unprocessable("place_unknown", _("This order has no such place."), place=strange[0])
    sold = [_sold(place, known, choice.get(place.id, ""), performance_id=performance_id, now=now) for place in places]
    for concession_id, count in Counter(each.concession_id for each in sold if each.concession_id).items():
        _check_count(known[concession_id], count)
    return sold


def _sold(place: Place, known: Mapping[str, Concession], wanted: str, *, performance_id: str, now: datetime) -> Sold:
    sold = Sold(**msgspec.structs.asdict(place))
    if not wanted:
        return sold
    found = known.get(wanted)
    if found is None:
        raise Conflict("concession_unknown", _("A discount that you chose is not offered any more."), place=place.id)
    about: dict[str, Any] = {"place": place.id, "concession": found.name}
    named = {"name": found.name}
    if not found.is_for(grade=place.grade, performance_id=performance_id):
        raise Conflict("concession_not_for_place", _("“%(name)s” is not offered for this place.") % named, **about)
    if found.from_ is not None and now < found.from_:
        raise Conflict("concession_not_yet", _("“%(name)s” cannot be booked yet.") % named, **about)
    if found.until is not None and now >= found.until:
        raise Conflict("concession_over", _("“%(name)s” cannot be booked any more.") % named, **about)
    sold.list_price_krw, sold.price_krw = place.price_krw, found.price_of(place.price_krw)
    sold.concession, sold.concession_id, sold.proof = found.name, found.id, found.proof
    sold.percent, sold.off_krw, sold.at_least = found.percent, found.off_krw, found.at_least
    return sold


def _check_count(found: Concession, count: int) -> None:
    if found.at_least is not None and count < found.at_least:
        said = _("“%(name)s” is for %(count)d places or more of one booking.") % {"name": found.name, "count": found.at_least}
        raise Conflict("concession_too_few", said, concession=found.name, at_least=found.at_least)
    if found.at_most is not None and count > found.at_most:
        said = _("“%(name)s” is for %(count)d places of one booking at most.") % {"name": found.name, "count": found.at_most}
        raise Conflict("concession_too_many", said, concession=found.name, at_most=found.at_most)


def splits_group(places: Sequence[Mapping[str, Any]], live: Sequence[str], given_up: Sequence[str]) -> bool:
    """Whether a group would be left of an order for PLACES that is smaller than it may be.

    Of its LIVE tickets some are GIVEN_UP: of both the ids of their concessions.
    """
    least = {str(place["concession_id"]): int(place["at_least"]) for place in places if place.get("at_least")}
    return any(0 < live.count(each) - given_up.count(each) < min(count, live.count(each)) for each, count in least.items())
