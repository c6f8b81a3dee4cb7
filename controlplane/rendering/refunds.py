"""What cancelling costs buyers, as a requirement says it: the name of a usual policy, or rules of the seller's own. Amounts in won.

The rules are the ticket service's (its policy module); it has the usual policies under the same names, and a test holds the two together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from controlplane.rendering.reader import Fields

MAX_TIERS = 20
MAX_DAYS = 365
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class Tier:
    """With at least DAYS_BEFORE days left, PERCENT of the price is due, or FLAT_KRW (not above FLAT_MAX_PERCENT) where that is more."""

    days_before: int
    percent: int = 0
    flat_krw: int = 0
    flat_max_percent: int = 100


@dataclass(frozen=True)
class Free:
    """Free of charge for so many hours after booking, if at least so many days are left."""

    within_hours: int
    min_days_before: int = 0


@dataclass(frozen=True)
class CutOff:
    """The last moment: at a time of day, so many days before the performance."""

    days_before: int
    at: str


@dataclass(frozen=True)
class RefundRules:
    """Of the tiers whose days are left, the one with the most applies; calendar days at the venue."""

    tiers: tuple[Tier, ...] = ()
    free: Free | None = None
    cut_off: CutOff | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "tiers": [dict(vars(tier)) for tier in self.tiers],
            "free": dict(vars(self.free)) if self.free else None,
            "cut_off": dict(vars(self.cut_off)) if self.cut_off else None,
        }


RefundPolicy = str | RefundRules
"""A name of USUAL, or rules."""

USUAL: dict[str, RefundRules] = {
    "market": RefundRules(
        tiers=(Tier(10, flat_krw=4_000, flat_max_percent=10), Tier(7, 10), Tier(3, 20), Tier(1, 30), Tier(0, 90)),
        free=Free(within_hours=7 * 24, min_days_before=10),
        cut_off=CutOff(days_before=1, at="17:00"),
    ),
    "consumer_standard": RefundRules(
        tiers=(Tier(10), Tier(7, 10), Tier(3, 20), Tier(1, 30), Tier(0, 90)), free=Free(within_hours=24, min_days_before=3)
    ),
    "full": RefundRules(),
}
"""`market`: what large Korean ticket sites do; `consumer_standard`: 소비자분쟁해결기준, 공연업; `full`: all of it until the start."""
DEFAULT = "market"
BEFORE_POLICIES = "full"
"""What holds for a requirement that was stored when there were no policies yet."""


def rules_of(policy: RefundPolicy) -> RefundRules:
    return USUAL[policy] if isinstance(policy, str) else policy


def policy_json(policy: RefundPolicy) -> Any:
    return policy if isinstance(policy, str) else policy.to_json()


def read_refund_policy(fields: Fields, *, default: RefundPolicy) -> RefundPolicy:
    """The entry `refund_policy`; DEFAULT when it is left out."""
    value = fields.raw("refund_policy", is_required=False)
    if value is None:
        return default
    if isinstance(value, str):
        return fields.choice("refund_policy", tuple(USUAL)) or default
    rules = fields.object("refund_policy")
    if rules is None or not rules.is_readable:
        return default
    read = RefundRules(tiers=_tiers(rules), free=_free(rules), cut_off=_cut_off(rules))
    rules.done()
    return read


def _tiers(rules: Fields) -> tuple[Tier, ...]:
    tiers: list[Tier] = []
    for item in rules.objects("tiers", high=MAX_TIERS):
        days = item.integer("days_before", low=0, high=MAX_DAYS)
        tier = Tier(
            days_before=days or 0,
            percent=item.integer("percent", low=0, high=100, default=0) or 0,
            flat_krw=item.integer("flat_krw", low=0, high=1_000_000, default=0) or 0,
            flat_max_percent=_or(item.integer("flat_max_percent", low=0, high=100, default=100), 100),
        )
        item.done()
        if days is not None and any(other.days_before == days for other in tiers):
            item.add("days_before", "duplicate", value=days)
        tiers.append(tier)
    return tuple(sorted(tiers, key=lambda tier: -tier.days_before))


def _free(rules: Fields) -> Free | None:
    if not rules.has("free"):
        rules.raw("free", is_required=False)
        return None
    free = rules.object("free")
    if free is None or not free.is_readable:
        return None
    hours = free.integer("within_hours", low=1, high=24 * 60)
    days = free.integer("min_days_before", low=0, high=MAX_DAYS, default=0)
    free.done()
    return Free(hours or 1, days or 0)


def _cut_off(rules: Fields) -> CutOff | None:
    if not rules.has("cut_off"):
        rules.raw("cut_off", is_required=False)
        return None
    cut_off = rules.object("cut_off")
    if cut_off is None or not cut_off.is_readable:
        return None
    days = cut_off.integer("days_before", low=0, high=MAX_DAYS)
    at = cut_off.matching("at", _TIME, "17:00")
    if not cut_off.has("at"):
        cut_off.raw("at")
    cut_off.done()
    return CutOff(days or 0, at or "00:00")


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value
