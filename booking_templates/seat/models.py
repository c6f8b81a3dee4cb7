"""Who has which place.

A place is a number. A numbered seat has one for ever; an area of capacity 300 is 300 places that differ in nothing but their number.
So one constraint, at most one claim on a place of a performance, keeps a seat from being sold twice (I1) and an area from being sold
beyond its capacity (I7). A free place has no row: nothing is made in advance, and a plan of 15,000 seats costs nothing until it sells.

Times are milliseconds since 1970 by the database's clock (`clock.now_ms`): one integer that both databases compare alike.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.db.models import F, Q

CONTENT_ID = 1
ROOM_ID = 1
GIVEN_ID = 1
AREA_BASE = 10**12
AREA_STRIDE = 10**6
"""The places of area N are AREA_BASE + N × AREA_STRIDE + 1, 2, …: beyond every seat's number, and no area has as many."""
PERFORMANCE_STRIDE = 10**13
"""Beyond every place: a claim's id is performance × PERFORMANCE_STRIDE + place."""
PROBE_PERFORMANCE = 0
PROBE_PLACES = 16
"""The probe's places, -1 to -16, are in no plan and its performance is not one that is sold."""


class State(models.IntegerChoices):
    """A place's; the values are those of the availability answer."""

    FREE = 0
    HELD = 1
    SOLD = 2
    BLOCKED = 3
    PINNED = 4  # held while its payment runs


class Content(models.Model):
    """The one row, with id CONTENT_ID: what staff wrote. `version` rises with every change, in the same transaction.

    A hold names the version it was worked out from and shares a lock on this row, so none is placed on a plan that is being replaced.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)  # not counted up: MariaDB allows no CHECK on such a column
    version = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    body = models.TextField()
    presale = models.TextField(null=True)  # noqa: DJ001 - no presale, not an empty one
    """Apart from the body, which an image of before there were presales reads with no entry it does not know."""
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=CONTENT_ID), name="seat_content_one_row")]


class Performance(models.Model):
    """The number that stands for a performance in claims; a performance that is taken away keeps it."""

    number = models.IntegerField(primary_key=True)
    id = models.CharField(max_length=40)
    called_off_at = models.DateTimeField(null=True)
    """Since when nothing of it can be had. It is no part of the content, so no change of the content takes it back."""


class Seat(models.Model):
    """The number that stands for a numbered seat; a seat that is taken away keeps it."""

    number = models.IntegerField(primary_key=True)
    guid = models.CharField(max_length=80)


class Area(models.Model):
    """The number that stands for an area; an area that is taken away keeps it."""

    number = models.IntegerField(primary_key=True)
    id = models.CharField(max_length=40)


class Claim(models.Model):
    """A place of a performance that is not free. All places of one hold share hold, buyer, state, times and order.

    The primary key is the invariant I1: it is made of performance and place (`claim_id`), and two claims on one place cannot be. One
    integer, because every index more is a page more that a hold writes. A BLOCKED place is a hold of its own, the negative of its id.

    The slot is the invariant I6: a buyer has the slots 1 to the limit for a performance, each of them once (docs/decisions). Without a
    buyer (blocked, or the account was closed) there is none.
    """

    id = models.BigIntegerField(primary_key=True)
    performance = models.IntegerField()
    place = models.BigIntegerField()
    hold = models.BigIntegerField()
    buyer = models.CharField(max_length=64)
    slot = models.PositiveSmallIntegerField(null=True)
    state = models.PositiveSmallIntegerField()
    expires_ms = models.BigIntegerField(null=True, db_index=True)
    is_extended = models.BooleanField(default=False)
    order_id = models.CharField(max_length=64, null=True)  # noqa: DJ001 - an absent order, not an empty one
    ordinal = models.PositiveSmallIntegerField(default=1)
    grade = models.CharField(max_length=40, blank=True)
    price_krw = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=F("performance") * PERFORMANCE_STRIDE + F("place")), name="seat_claim_is_of_its_place"),
            models.UniqueConstraint(fields=["buyer", "performance", "slot"], name="seat_claim_slot_once"),
            # Also the index by which a hold is found, and new holds: ids rise with time.
            models.UniqueConstraint(fields=["hold", "ordinal"], name="seat_claim_once_in_hold"),
        ]


def claim_id(performance: int, place: int) -> int:
    """The one id that a claim on PLACE of PERFORMANCE can have."""
    return performance * PERFORMANCE_STRIDE + place


def claims_of(performance: int) -> models.QuerySet[Claim]:
    """The claims on a performance that is sold, by the primary key."""
    return Claim.objects.filter(id__gt=claim_id(performance, 0), id__lt=claim_id(performance + 1, 0))


def claims_on(performance: int, places: Iterable[int]) -> models.QuerySet[Claim]:
    """The claims on PLACES of PERFORMANCE."""
    return Claim.objects.filter(id__in=[claim_id(performance, place) for place in places])


class EndedHold(models.Model):
    """A hold that was open when its performance was called off: whoever asks for it again is told why it is gone."""

    hold = models.BigIntegerField(primary_key=True)


class Sale(models.Model):
    """Which hold an order is for: the one it was first pinned or confirmed with, and never another."""

    order_id = models.CharField(max_length=64, primary_key=True)
    hold = models.BigIntegerField()


class Change(models.Model):
    """What became of claims after they were made: sold, freed, blocked. Written last in the transaction of the change itself.

    Availability follows this log and, for new holds, the claims themselves. It is trimmed; no rule reads it.
    """

    performance = models.IntegerField()
    hold = models.BigIntegerField()
    state = models.PositiveSmallIntegerField()
    places = models.TextField()


class Room(models.Model):
    """The one row, with id ROOM_ID: how many numbers the waiting room has given out, and what says who is in (`queue.Queue`).

    Whoever waits has no row of their own. Without this row nobody has come yet, and the room lets in as many as it does by itself.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    given = models.BigIntegerField(default=0)
    level = models.BigIntegerField(default=0)
    at_ms = models.BigIntegerField(default=0)
    per_minute = models.PositiveIntegerField(null=True)
    """What staff wrote: 0 for no waiting room, NULL for nothing."""
    is_paused = models.BooleanField(default=False)
    queued_until_ms = models.BigIntegerField(default=0)


class Pass(models.Model):
    """A turn that a buyer has placed a hold with, or tried to; by the turn's id, so nobody else can use it."""

    id = models.BigIntegerField(primary_key=True)
    buyer = models.CharField(max_length=64)
    expires_ms = models.BigIntegerField(db_index=True)


class CodesGiven(models.Model):
    """The one row, with id GIVEN_ID: how many presale codes the seller was given. Their text is kept nowhere (`codes`)."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    count = models.PositiveIntegerField(default=0)


class Code(models.Model):
    """A presale code that somebody used, or that was withdrawn. One that is neither has no row.

    It is its buyer's who used it first: the primary key holds that. A buyer has one code at most. Without a buyer the account was closed,
    or the code was withdrawn.
    """

    number = models.PositiveIntegerField(primary_key=True)
    buyer = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - nobody, not somebody without a name
    used_ms = models.BigIntegerField(null=True)
    is_withdrawn = models.BooleanField(default=False)
