"""What cancelling costs a buyer: policy is data, the seller's own or a preset. Pure functions; amounts are whole won.

Presets: `full` (the whole price back until the performance starts), `consumer_standard` (소비자분쟁해결기준, 공연업) and `market` (what
large Korean ticket sites do).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Percent = Annotated[int, Meta(ge=0, le=100)]
Days = Annotated[int, Meta(ge=0, le=365)]

Preset = Literal["full", "consumer_standard", "market"]


class Tier(msgspec.Struct, forbid_unknown_fields=True):
    """With at least DAYS_BEFORE days left, PERCENT of the price is due, or FLAT_KRW (not above FLAT_MAX_PERCENT) where that is more."""

    days_before: Days
    percent: Percent = 0
    flat_krw: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    flat_max_percent: Percent = 100


class Free(msgspec.Struct, forbid_unknown_fields=True):
    """Free of charge for so many hours after booking, if at least so many days are left."""

    within_hours: Annotated[int, Meta(ge=1, le=24 * 60)]
    min_days_before: Days = 0


class CutOff(msgspec.Struct, forbid_unknown_fields=True):
    """The last moment: at a time of day, so many days before the performance."""

    days_before: Days
    at: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Policy(msgspec.Struct, forbid_unknown_fields=True):
    """Days are calendar days where the event is. Of the tiers whose days are left, the one with the most applies."""

    tiers: Annotated[list[Tier], Meta(max_length=20)] = []
    free: Free | None = None
    cut_off: CutOff | None = None


PRESETS: dict[str, Policy] = {
    "full": Policy(),
    "consumer_standard": Policy(
        tiers=[Tier(10, 0), Tier(7, 10), Tier(3, 20), Tier(1, 30), Tier(0, 90)],
        free=Free(within_hours=24, min_days_before=3),
    ),
    "market": Policy(
        tiers=[Tier(10, flat_krw=4_000, flat_max_percent=10), Tier(7, 10), Tier(3, 20), Tier(1, 30), Tier(0, 90)],
        free=Free(within_hours=7 * 24, min_days_before=10),
        cut_off=CutOff(days_before=1, at="17:00"),
    ),
}


def fee_krw(policy: Policy, *, price_krw: int, booked_at: datetime, starts_at: datetime, now: datetime, zone: tzinfo) -> int:
    """What is kept of a ticket of PRICE_KRW that is cancelled NOW; rounded down, never more than the price."""
    days_left = (starts_at.astimezone(zone).date() - now.astimezone(zone).date()).days
    free = policy.free
    if free and now - booked_at <= timedelta(hours=free.within_hours) and days_left >= free.min_days_before:
        return 0
    if not policy.tiers:
        return 0
    # With fewer days left than any tier names, the one nearest to the performance goes on.
    met = [tier for tier in policy.tiers if tier.days_before <= days_left] or [min(policy.tiers, key=lambda tier: tier.days_before)]
    return _of(max(met, key=lambda tier: tier.days_before), price_krw)


def last_moment(policy: Policy, *, starts_at: datetime, zone: tzinfo) -> datetime:
    """When cancelling ends: at the policy's cut-off, and when the performance starts at the latest."""
    if policy.cut_off is None:
        return starts_at
    day = starts_at.astimezone(zone).date() - timedelta(days=policy.cut_off.days_before)
    return min(starts_at, datetime.combine(day, time.fromisoformat(policy.cut_off.at), tzinfo=zone))


def _of(tier: Tier, price_krw: int) -> int:
    flat = min(tier.flat_krw, price_krw * tier.flat_max_percent // 100)
    return min(price_krw, max(price_krw * tier.percent // 100, flat))
