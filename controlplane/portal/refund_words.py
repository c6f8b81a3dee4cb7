"""What cancelling costs, in sentences: for the form, the review and the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from controlplane.rendering.refunds import USUAL, CutOff, Free, RefundRules, Tier

REFUND_POLICIES = {
    "market": gettext_lazy("As on large ticket sites"),
    "consumer_standard": gettext_lazy("By the consumer standard"),
    "full": gettext_lazy("Full refund until the performance begins"),
}
"""The usual policies and what they are called, in the order of the form."""


def refund_lines(policy: Any, *, is_paid: bool = True) -> list[str]:
    """POLICY as it stands in a requirement's JSON, line by line; no line for what is none.

    Where nothing is paid no fee can be kept, whatever the policy says: its last moment to cancel is what holds.
    """
    if policy is None:
        return []
    if isinstance(policy, str):
        return _lines(USUAL[policy], is_paid=is_paid) if policy in USUAL else [policy]
    return _lines(_rules(policy), is_paid=is_paid) if isinstance(policy, Mapping) else []


def _rules(policy: Mapping[str, Any]) -> RefundRules:
    free, cut_off = policy.get("free"), policy.get("cut_off")
    tiers = sorted((Tier(**tier) for tier in policy.get("tiers") or []), key=lambda tier: -tier.days_before)
    return RefundRules(tuple(tiers), Free(**free) if free else None, CutOff(**cut_off) if cut_off else None)


def _lines(rules: RefundRules, *, is_paid: bool) -> list[str]:
    if not is_paid:
        return [_("Free of charge"), _until(rules.cut_off)]
    lines = [_free(rules.free)] if rules.free and rules.tiers else []
    above: int | None = None
    for number, tier in enumerate(rules.tiers):
        lowest = 0 if number == len(rules.tiers) - 1 else tier.days_before
        lines.append(_("%(when)s: %(fee)s") % {"when": _when(lowest, above), "fee": _fee(tier)})
        above = tier.days_before
    if not rules.tiers:
        lines.append(_("Free of charge"))
    lines.append(_until(rules.cut_off))
    return lines


def _free(free: Free) -> str:
    if free.within_hours % 24 == 0 and free.within_hours > 24:
        days = free.within_hours // 24
        words = ngettext("Free within %(n)d day of booking", "Free within %(n)d days of booking", days) % {"n": days}
    else:
        words = ngettext("Free within %(n)d hour of booking", "Free within %(n)d hours of booking", free.within_hours) % {
            "n": free.within_hours
        }
    if not free.min_days_before:
        return words
    left = ngettext("if at least %(n)d day is left", "if at least %(n)d days are left", free.min_days_before) % {"n": free.min_days_before}
    return _("%(free)s, %(condition)s") % {"free": words, "condition": left}


def _when(lowest: int, above: int | None) -> str:
    """From LOWEST days before, up to the day after those that the tier ABOVE begins with."""
    if above is None:
        return _("Until %(days)d days before") % {"days": lowest} if lowest else _("At any time")
    last = above - 1
    if last <= 0:
        return _("On the day itself")
    if lowest == last:
        return ngettext("%(n)d day before", "%(n)d days before", last) % {"n": last}
    if lowest == 0:
        return _("%(from)d days before and later") % {"from": last}
    return _("%(from)d to %(to)d days before") % {"from": last, "to": lowest}


def _fee(tier: Tier) -> str:
    percent = _("%(percent)d %% of the price") % {"percent": tier.percent}
    if not tier.flat_krw:
        return percent if tier.percent else _("free of charge")
    flat = f"{tier.flat_krw:,}원" if get_language() == "ko" else f"₩{tier.flat_krw:,}"
    if tier.flat_max_percent < 100:
        flat = _("%(amount)s, at most %(percent)d %% of the price") % {"amount": flat, "percent": tier.flat_max_percent}
    return _("%(percent)s, at least %(flat)s") % {"percent": percent, "flat": flat} if tier.percent else flat


def _until(cut_off: CutOff | None) -> str:
    if cut_off is None:
        return _("Cancelling ends when the performance begins")
    if not cut_off.days_before:
        return _("Cancelling ends at %(time)s on the day itself") % {"time": cut_off.at}
    return ngettext(
        "Cancelling ends at %(time)s, %(n)d day before", "Cancelling ends at %(time)s, %(n)d days before", cut_off.days_before
    ) % {
        "time": cut_off.at,
        "n": cut_off.days_before,
    }
