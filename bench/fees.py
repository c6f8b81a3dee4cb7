"""What is kept of tickets that are given back: an account of the rules apart from the services', for the checker. Pure functions.

A rule is a policy (docs of `PUT /api/ticket/content`, `refund_policy`), when the performance starts, and until when the organiser lets
people cancel. Of several rules the kindest counts, of those that still let somebody cancel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "consumer_standard": {
        "tiers": [
            {"days_before": 10, "percent": 0},
            {"days_before": 7, "percent": 10},
            {"days_before": 3, "percent": 20},
            {"days_before": 1, "percent": 30},
            {"days_before": 0, "percent": 90},
        ],
        "free": {"within_hours": 24, "min_days_before": 3},
    },
    "market": {
        "tiers": [
            {"days_before": 10, "flat_krw": 4_000, "flat_max_percent": 10},
            {"days_before": 7, "percent": 10},
            {"days_before": 3, "percent": 20},
            {"days_before": 1, "percent": 30},
            {"days_before": 0, "percent": 90},
        ],
        "free": {"within_hours": 168, "min_days_before": 10},
        "cut_off": {"days_before": 1, "at": "17:00"},
    },
}


def policy_of(kept: Any) -> Mapping[str, Any]:
    """The policy that KEPT is or names; nothing is kept where nothing is said."""
    return PRESETS[kept or "full"] if isinstance(kept, str) or kept is None else kept


@dataclass(frozen=True)
class Rule:
    policy: Mapping[str, Any]
    starts_at: datetime
    cancel_until: datetime | None = None

    def is_open(self, now: datetime, zone: tzinfo) -> bool:
        """Whether a buyer may cancel by it."""
        ends = [self.starts_at] + ([self.cancel_until] if self.cancel_until else [])
        if cut_off := self.policy.get("cut_off"):
            day = self.starts_at.astimezone(zone).date() - timedelta(days=cut_off["days_before"])
            ends.append(datetime.combine(day, time.fromisoformat(cut_off["at"]), tzinfo=zone))
        return now < min(ends)

    def fee_krw(self, price_krw: int, *, booked_at: datetime, now: datetime, zone: tzinfo) -> int:
        days = (self.starts_at.astimezone(zone).date() - now.astimezone(zone).date()).days
        free = self.policy.get("free")
        if free and now - booked_at <= timedelta(hours=free["within_hours"]) and days >= free.get("min_days_before", 0):
            return 0
        tiers = sorted(self.policy.get("tiers") or (), key=lambda tier: tier["days_before"])
        reached = [tier for tier in tiers if tier["days_before"] <= days]
        if not tiers:
            return 0
        return _by(reached[-1] if reached else tiers[0], price_krw)


def fee_krw(rules: Sequence[Rule], prices_krw: Iterable[int], *, booked_at: datetime, now: datetime, zone: tzinfo) -> int:
    """What is kept of tickets of PRICES_KRW. When no rule lets anybody cancel it is the organiser who gives back, by any of them."""
    asked = [rule for rule in rules if rule.is_open(now, zone)] or rules
    return sum(min((rule.fee_krw(price, booked_at=booked_at, now=now, zone=zone) for rule in asked), default=0) for price in prices_krw)


def most_krw(policies: Iterable[Mapping[str, Any]], prices_krw: Iterable[int]) -> int:
    """More than this is kept of tickets of PRICES_KRW by none of POLICIES, whenever they are given back."""
    tiers = [tier for policy in policies for tier in policy.get("tiers") or ()]
    return sum(max((_by(tier, price) for tier in tiers), default=0) for price in prices_krw)


def _by(tier: Mapping[str, Any], price_krw: int) -> int:
    flat = min(tier.get("flat_krw", 0), price_krw * tier.get("flat_max_percent", 100) // 100)
    return int(min(price_krw, max(price_krw * tier.get("percent", 0) // 100, flat)))
